/** A windowed table: only visible rows are made, each is one preformatted line. */
import { Box, Text } from "ink";
import { memo, type ReactNode } from "react";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import { type ListState, type ListView, listStart, type Move, moved, viewOf } from "../list.ts";
import type { LayerLevel } from "../router.ts";
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

/** What of a list is shown: as `useList` gives it. */
export interface TableView extends ListView {
  /** One key for each row, in order. */
  keys: readonly string[];
  /** Rows that have room, without the header. */
  height: number;
}

export interface TableProps {
  /** Columns of the whole table, cursor mark included. Default: all of the terminal's. */
  width?: number;
  header?: string;
  /** One row in exactly `width - 1` columns; `selected` rows come without colours of their own background. */
  row: (index: number, selected: boolean) => string;
  view: TableView;
  empty?: ReactNode;
}

export function Table({ width, header, row, view, empty }: TableProps): ReactNode {
  const { size } = useUi();
  const { keys, height } = view;
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
    <Box
      flexDirection="column"
      width={width ?? size.columns}
      height={height + (header === undefined ? 0 : 1)}
      overflow="hidden"
    >
      {header !== undefined && <Text wrap="truncate">{` ${paint(header, "bold")}`}</Text>}
      {keys.length === 0 && empty}
      {lines}
    </Box>
  );
}

/** Binds the keys that move in a list. */
export function useMoves(go: (move: Move) => void, options?: { active?: boolean; level?: LayerLevel }): void {
  const bound = (move: Move) => ({ run: () => go(move) });
  useKeys(
    "list",
    {
      up: bound("up"),
      down: bound("down"),
      pageUp: bound("pageUp"),
      pageDown: bound("pageDown"),
      first: bound("first"),
      last: bound("last"),
    },
    options,
  );
}

export interface List extends TableView {
  /** Of the row with the cursor, or null. */
  key: string | null;
  select: (key: string) => void;
}

/** Cursor of a list under a name, with its keys bound. */
export function useList(name: string, keys: readonly string[], height: number, active = true): List {
  const [state, setState] = useRemembered<ListState>(`list:${name}`, listStart);
  useMoves((move) => setState((before) => moved(before, keys, height, move)), { active });
  const view = viewOf(state, keys, height);
  return {
    ...view,
    ...{ keys, height },
    key: keys[view.index] ?? null,
    select: (key) => setState({ key, index: Math.max(0, keys.indexOf(key)), offset: view.offset }),
  };
}

/** A list that grows: its end is followed, without a cursor, until somebody goes up in it. */
export function useFollowed(
  name: string,
  keys: readonly string[],
  height: number,
  active = true,
): { list: List; following: boolean; turn: () => void } {
  const [following, setFollowing] = useRemembered(`${name}:follow`, true);
  const list = useList(name, keys, height, active && !following);
  const stay = () => {
    // From the end, where one has looked so far.
    const last = keys.at(-1);
    if (last !== undefined) list.select(last);
    setFollowing(false);
  };
  useKeys("list", { up: { run: stay }, pageUp: { run: stay } }, { active: following });
  const end = { index: -1, offset: Math.max(0, keys.length - height), key: keys.at(-1) ?? null };
  return { list: following ? { ...list, ...end } : list, following, turn: () => setFollowing((before) => !before) };
}
