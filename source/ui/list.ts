/** Cursor and window of a list, as plain functions: the selected row is known by its key, so it stays selected while rows come and go. */

export interface ListState {
  /** Key of the row with the cursor; null: the first. */
  key: string | null;
  /** Index it last had, to stay near when the row disappears. */
  index: number;
  /** First visible row. */
  offset: number;
}

export const listStart: ListState = { key: null, index: 0, offset: 0 };

export interface ListView {
  /** Index of the cursor, or -1 in an empty list. */
  index: number;
  offset: number;
}

/** Where cursor and window are now, for these rows and this height. */
export function viewOf(state: ListState, keys: readonly string[], height: number): ListView {
  if (keys.length === 0) return { index: -1, offset: 0 };
  const last = keys.length - 1;
  let index = state.key === null ? 0 : state.index;
  if (state.key !== null && keys[index] !== state.key) {
    const found = keys.indexOf(state.key);
    index = found >= 0 ? found : Math.min(state.index, last);
  }
  const rows = Math.max(1, height);
  let offset = Math.min(state.offset, Math.max(0, keys.length - rows));
  if (index < offset) offset = index;
  if (index >= offset + rows) offset = index - rows + 1;
  return { index, offset };
}

export type Move = "up" | "down" | "pageUp" | "pageDown" | "first" | "last";

/** Lines that a move goes down, in a window of this height over so many lines; it may lead beyond them. */
export function stepOf(move: Move, height: number, count: number): number {
  const page = Math.max(1, height - 1);
  return { up: -1, down: 1, pageUp: -page, pageDown: page, first: -count, last: count }[move];
}

/** The state after a move. */
export function moved(state: ListState, keys: readonly string[], height: number, move: Move): ListState {
  const { index, offset } = viewOf(state, keys, height);
  if (index < 0) return state;
  const next = Math.max(0, Math.min(keys.length - 1, index + stepOf(move, height, keys.length)));
  const after: ListState = { key: keys[next] ?? null, index: next, offset };
  return { ...after, offset: viewOf(after, keys, height).offset };
}

/** A test for texts in lower case: every word of the filter must be found, `!word` must not. */
export function matcher(filter: string): (low: string) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = words.filter((word) => !word.startsWith("!") || word.length === 1);
  const unwanted = words.filter((word) => word.startsWith("!") && word.length > 1).map((word) => word.slice(1));
  return (low) => wanted.every((word) => low.includes(word)) && !unwanted.some((word) => low.includes(word));
}

/** Words of a filter: every word must be found in the text, `!word` must not. Case does not count. */
export function matches(text: string, filter: string): boolean {
  return matcher(filter)(text.toLowerCase());
}
