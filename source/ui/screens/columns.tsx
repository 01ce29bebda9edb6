/** Which columns the table of instances has, in which order and how wide. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useUi } from "../hooks.ts";
import { cell, glyph, paint } from "../theme.ts";
import { allColumns, type ColumnChoice, type ColumnId } from "./instances-columns.ts";
import { useTableView } from "./instances-view.ts";

/** What the table has when nobody chose: the order of the list, and the chosen ones first. */
const usual: readonly ColumnId[] = ["name", "status", "on", "cpu", "vcpu", "memory", "where"];

const narrowest = 4;
const widest = 80;

/** The chosen ones in their order, then the others. */
function listed(choices: readonly ColumnChoice[]): ColumnId[] {
  const chosen = choices.map(({ id }) => id);
  return [...chosen, ...allColumns.map(({ id }) => id).filter((id) => !chosen.includes(id))];
}

function resized(choices: readonly ColumnChoice[], id: ColumnId, by: number): ColumnChoice[] {
  return choices.map((choice) => {
    if (choice.id !== id) return choice;
    return { id, width: Math.max(narrowest, Math.min(widest, (choice.width ?? 12) + by)) };
  });
}

function swapped(choices: readonly ColumnChoice[], id: ColumnId, by: 1 | -1): ColumnChoice[] {
  const from = choices.findIndex((choice) => choice.id === id);
  const to = from + by;
  const after = [...choices];
  const [one, other] = [after[from], after[to]];
  if (one && other) [after[from], after[to]] = [other, one];
  return after;
}

export function ColumnsScreen(): ReactNode {
  const { size } = useUi();
  const [view, change] = useTableView();
  const choices: readonly ColumnChoice[] = view.columns ?? usual.map((id) => ({ id }));
  const ids = listed(choices);
  const height = size.rows - 9;
  const list = useList("columns", ids, height);
  const id = ids[list.index] ?? "name";
  const choice = choices.find((one) => one.id === id);
  const set = (columns: readonly ColumnChoice[] | null) => change(() => ({ columns }));
  const off = choice ? null : "it is not shown: space shows it";
  useKeys("columns", {
    toggle: {
      run: () => set(choice ? choices.filter((one) => one !== choice) : [...choices, { id }]),
      disabled: choice && choices.length === 1 ? "one column has to stay" : null,
    },
    earlier: { run: () => set(swapped(choices, id, -1)), disabled: off },
    later: { run: () => set(swapped(choices, id, 1)), disabled: off },
    narrower: { run: () => set(resized(choices, id, -2)), disabled: off },
    wider: { run: () => set(resized(choices, id, 2)), disabled: off },
    usual: { run: () => set(null) },
  });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {view.columns
          ? " Your own columns, in this order; what has no room at the end is left out."
          : " virtu chooses the columns by the room there is. Change one, and they are yours."}
      </Text>
      <Table
        view={list}
        row={(index) => {
          const one = ids[index] ?? "name";
          const chosen = choices.find((other) => other.id === one);
          const title = allColumns.find((column) => column.id === one)?.title ?? one;
          const width = chosen ? (chosen.width === undefined ? "as wide as needed" : `${chosen.width} columns`) : "";
          return `${chosen ? paint(glyph.done, "green") : " "} ${cell(title, 12)} ${paint(width, "dim")}`;
        }}
      />
    </Box>
  );
}
