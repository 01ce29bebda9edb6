/** A windowed table: only visible rows are made, each is one preformatted line. */
import { Box, Text } from "ink";
import { memo, type ReactNode } from "react";
import { useKeys, useRemembered } from "../hooks.ts";
import { type ListState, listStart, type Move, moved, viewOf } from "../list.ts";
import { cell, glyph, paint } from "../theme.ts";

export interface Column {
  title: string;
  width: number;
  align?: "left" | "right";
}

/** Widths for columns that may grow: what is left after the fixed ones is shared by `grow`, down to `width` at least. */
export function layout<C extends Column & { grow?: number }>(columns: readonly C[], total: number): C[] {
  const fixed = columns.reduce((sum, column) => sum + column.width, 0) + columns.length - 1;
  let spare = Math.max(0, total - fixed);
  let weights = columns.reduce((sum, column) => sum + (column.grow ?? 0), 0);
  return columns.map((column) => {
    if (!column.grow || weights === 0) return column;
    const share = Math.floor((spare * column.grow) / weights);
    spare -= share;
    weights -= column.grow;
    return { ...column, width: column.width + share };
  });
}

export function headerLine(columns: readonly Column[]): string {
  return columns.map(({ title, width, align }) => cell(title, width, align)).join(" ");
}

const Row = memo(function Row({ text }: { text: string }): ReactNode {
  return <Text wrap="truncate">{text}</Text>;
});

export interface TableProps {
  /** One key for each row, in order. */
  keys: readonly string[];
  /** Rows that have room, without the header. */
  height: number;
  /** Columns of the whole table, cursor mark included. */
  width: number;
  header?: string;
  /** One row in exactly `width - 1` columns; `selected` rows come without colours of their own background. */
  row: (index: number, selected: boolean) => string;
  view: { index: number; offset: number };
  empty?: ReactNode;
}

export function Table({ keys, height, width, header, row, view, empty }: TableProps): ReactNode {
  const lines: ReactNode[] = [];
  const end = Math.min(keys.length, view.offset + height);
  for (let index = view.offset; index < end; index += 1) {
    const selected = index === view.index;
    const text = row(index, selected);
    lines.push(
      <Row
        key={keys[index]}
        text={selected ? `${paint(glyph.cursor, "cyan", "bold")}${paint(text, "bold")}` : ` ${text}`}
      />,
    );
  }
  return (
    <Box flexDirection="column" width={width} height={height + (header === undefined ? 0 : 1)} overflow="hidden">
      {header !== undefined && <Text wrap="truncate">{` ${paint(header, "bold")}`}</Text>}
      {keys.length === 0 && empty}
      {lines}
    </Box>
  );
}

/** Cursor of a list under a name, with its keys bound. */
export function useList(
  name: string,
  keys: readonly string[],
  height: number,
  active = true,
): { index: number; offset: number; key: string | null; select: (key: string) => void } {
  const [state, setState] = useRemembered<ListState>(`list:${name}`, listStart);
  const go = (move: Move) => ({ run: () => setState((before) => moved(before, keys, height, move)) });
  useKeys(
    "list",
    {
      up: go("up"),
      down: go("down"),
      pageUp: go("pageUp"),
      pageDown: go("pageDown"),
      first: go("first"),
      last: go("last"),
    },
    { active },
  );
  const view = viewOf(state, keys, height);
  return {
    ...view,
    key: keys[view.index] ?? null,
    select: (key) => setState({ key, index: Math.max(0, keys.indexOf(key)), offset: view.offset }),
  };
}
