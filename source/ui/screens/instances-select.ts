/** Which instances are shown in which order, and how they are counted. Pure; the screen remembers the results. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Status } from "../../instances/types.ts";
import { matcher } from "../list.ts";
import { paint, state, symbol, toneStyles } from "../theme.ts";
import type { Sort, SortBy } from "./instances-columns.ts";
import { nodeText, searchText, statusTones } from "./instances-rows.ts";
import { noLook, type UsageLook, usageNumber } from "./instances-usage.ts";

/** Texts of the filter, made once for a row as long as it is the same object. */
const searched = new WeakMap<InstanceRow, string>();

function textOf(row: InstanceRow): string {
  let text = searched.get(row);
  if (text === undefined) {
    text = searchText(row);
    searched.set(row, text);
  }
  return text;
}

/** The rows that hold every word of the filter; the same array when there is none. */
export function filtered(rows: readonly InstanceRow[], filter: string): readonly InstanceRow[] {
  if (filter.trim() === "") return rows;
  const matches = matcher(filter);
  return rows.filter((row) => matches(textOf(row)));
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const numbers = (one: number | null, other: number | null) => (one ?? -1) - (other ?? -1);
// What needs somebody first, what is off last.
const statusRank: Record<Status, number> = { error: 0, unknown: 1, paused: 2, running: 3, stopped: 4 };

type UsageSort = "cpu" | "used" | "disk" | "net";

const comparators: Record<Exclude<SortBy, "name" | UsageSort>, (one: InstanceRow, other: InstanceRow) => number> = {
  status: (one, other) => statusRank[one.status] - statusRank[other.status],
  on: (one, other) => compare(nodeText(one), nodeText(other)),
  vcpu: (one, other) => numbers(one.vcpus, other.vcpus),
  memory: (one, other) => numbers(one.memoryMiB, other.memoryMiB),
  provider: (one, other) =>
    compare(one.provider, other.provider) || compare(one.cluster ?? one.host, other.cluster ?? other.host),
};

/** In the wanted order. The inventory's own order is by name, and stays so among equals. */
export function sorted(
  rows: readonly InstanceRow[],
  { by, down }: Sort,
  look: UsageLook = noLook,
): readonly InstanceRow[] {
  if (by === "name") return down ? [...rows].reverse() : rows;
  if (by === "cpu" || by === "used" || by === "disk" || by === "net") {
    const entries = rows.map((row) => ({ row, number: usageNumber(by, look.rates(row.key)) }));
    entries.sort((one, other) => (down ? other.number - one.number : one.number - other.number));
    return entries.map(({ row }) => row);
  }
  const comparator = comparators[by];
  return [...rows].sort(down ? (one, other) => comparator(other, one) : comparator);
}

const statuses: readonly Status[] = ["running", "stopped", "paused", "error", "unknown"];

export type StatusCounts = ReadonlyMap<Status, number>;

export function countStatuses(rows: readonly InstanceRow[]): StatusCounts {
  const counts = new Map<Status, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

/** `30 ● running  9 ○ stopped  2 ⚠ error`: only what there is. */
export function statusText(counts: StatusCounts, words = true): string {
  return statuses
    .filter((status) => counts.has(status))
    .map((status) => {
      const tone = statusTones[status];
      const shown = words ? state(tone, status) : paint(symbol(tone), ...toneStyles(tone));
      return `${counts.get(status)} ${shown}`;
    })
    .join("  ");
}

export type Marks = ReadonlySet<string>;

export function toggled(marks: Marks, key: string): Marks {
  const after = new Set(marks);
  if (!after.delete(key)) after.add(key);
  return after;
}

/** Marks all that are shown; when they are all marked, none of them. What the filter hides keeps its mark. */
export function allToggled(marks: Marks, keys: readonly string[]): Marks {
  const after = new Set(marks);
  if (keys.every((key) => marks.has(key))) for (const key of keys) after.delete(key);
  else for (const key of keys) after.add(key);
  return after;
}

/** Marks all that are shown from the one to the other, both included. */
export function rangeMarked(marks: Marks, keys: readonly string[], from: string | null, to: string): Marks {
  const [one, other] = [keys.indexOf(from ?? to), keys.indexOf(to)];
  if (one < 0 || other < 0) return marks;
  return new Set([...marks, ...keys.slice(Math.min(one, other), Math.max(one, other) + 1)]);
}

/** `3 marked (1 not shown)`, or nothing. */
export function marksText(marked: number, visible: number): string {
  if (marked === 0) return "";
  return `${marked} marked${visible < marked ? ` (${marked - visible} not shown)` : ""}`;
}
