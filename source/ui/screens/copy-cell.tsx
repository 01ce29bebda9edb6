/** What of an instance's row is to be copied: all of it, or one cell. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { plainLine } from "../../text.ts";
import { frameLines } from "../components/frame.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, paint } from "../theme.ts";
import { cellsOf, columnsFor, grown, type TableColumn } from "./instances-columns.ts";
import type { UsageLook } from "./instances-usage.ts";
import { useTableView, useUsageLook } from "./instances-view.ts";

export function CopyCellScreen({ place }: { place: Place }): ReactNode {
  const wanted = place.screen === "copy-cell" ? place.key : "";
  const { copy, size, navigation } = useUi();
  const all = useKnown((known) => known.inventory.instances);
  const look = useUsageLook();
  const [view] = useTableView();
  const columns = useMemo(
    () => columnsFor(grown({}, all), size.columns - 3, view.sort, look, view.columns),
    [all, size.columns, view.sort, view.columns, look],
  );
  const row = all.find(({ key }) => key === wanted) ?? null;
  const cells = useMemo(() => (row ? choices(row, columns, look) : []), [row, columns, look]);
  const keys = cells.map(({ title }) => title);
  const height = Math.max(3, size.rows - frameLines - 2);
  const list = useList("copy-cell", keys, height);
  const chosen = cells[list.index];
  useKeys("copyCell", {
    copy: {
      run: () => {
        if (!chosen) return;
        copy(chosen.text, chosen.said);
        navigation.back();
      },
      disabled: chosen ? null : "it is gone",
    },
  });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {row ? ` ${paint(plainLine(row.name), "bold")}: what is to be copied?` : " It is gone."}
      </Text>
      <Table
        view={list}
        row={(index) => {
          const { title = "", text = "" } = cells[index] ?? {};
          return `${cell(title, 12)} ${cell(text.replaceAll("\t", "  "), size.columns - 17)}`;
        }}
      />
    </Box>
  );
}

interface Choice {
  title: string;
  text: string;
  /** What is told to be copied. */
  said: string;
}

/** The cells that are shown as one row, each cell that holds something, and all that is known. */
function choices(row: InstanceRow, columns: readonly TableColumn[], look: UsageLook): Choice[] {
  // The status is drawn by the row itself; its column knows only how wide it gets.
  const textOf = ({ id, text }: TableColumn) => plainLine(id === "status" ? row.statusDetail : text(row)).trim();
  const whole = columns.map(textOf).join("\t");
  return [
    { title: "whole row", text: whole, said: "the row" },
    ...cellsOf(row, look).map(({ title, text }) => ({ title, text: plainLine(text).trim(), said: title })),
    { title: "JSON", text: JSON.stringify(row), said: "all that is known of it, as JSON" },
  ];
}
