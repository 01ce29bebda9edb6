/** Moving and searching in what a console has printed, as plain functions. */
import { type Move, stepOf } from "../list.ts";

export interface Scroll {
  /** First line shown. */
  top: number;
  /** What is searched for; empty: nothing. */
  search: string;
  /** Line that was found last, or null. */
  found: number | null;
  /** The last search found no line. */
  missed: boolean;
}

export interface Lines {
  count: number;
  text(index: number): string;
}

/** Where scrolling begins: one page above the end. */
export function scrollStart(lines: Lines, height: number): Scroll {
  return {
    top: clamped(lines.count - height - Math.floor(height / 2), lines, height),
    search: "",
    found: null,
    missed: false,
  };
}

function clamped(top: number, { count }: Lines, height: number): number {
  return Math.max(0, Math.min(top, count - height));
}

export function scrolled(scroll: Scroll, lines: Lines, height: number, move: Move): Scroll {
  return { ...scroll, top: clamped(scroll.top + stepOf(move, height, lines.count), lines, height) };
}

/** Looks for a line with the text, further back (-1) or further on (1); case does not count. */
export function searched(scroll: Scroll, lines: Lines, height: number, search: string, step: -1 | 1): Scroll {
  const wanted = search.toLowerCase();
  if (wanted === "") return { ...scroll, search: "", found: null, missed: false };
  const from = scroll.found ?? (step < 0 ? Math.min(lines.count, scroll.top + height) : scroll.top - 1);
  for (let index = from + step; index >= 0 && index < lines.count; index += step) {
    if (!lines.text(index).toLowerCase().includes(wanted)) continue;
    return { top: clamped(index - Math.floor(height / 2), lines, height), search, found: index, missed: false };
  }
  return { ...scroll, search, missed: true };
}
