/**
 * The rows of the view. Sorting is for a new list of instances only, and a row stays the same object as long as nothing
 * of it changed: an action on one of thousands costs a pass over them, not a sort.
 */
import { natural } from "../text.ts";
import { type PlaceRecord, seenOf } from "./host-entry.ts";
import type { ActionItem, InstanceRow, NodeRow } from "./inventory-types.ts";
import type { Instance, Snapshot } from "./types.ts";

function byName(one: { name: string; host: string }, other: { name: string; host: string }): number {
  return natural(one.name, other.name) || natural(one.host, other.host);
}

interface Entry {
  instance: Instance;
  /** Index of its record. */
  at: number;
  /** As it was last shown. */
  row: InstanceRow | null;
}

/** Those that were there before in their order of then, new ones after them: nearly sorted already, which sorts in one pass. */
function asBefore(entries: readonly Entry[], before: readonly Entry[]): Entry[] {
  const places = new Map(before.map(({ instance }, index) => [instance.key, index]));
  const known: Entry[] = new Array(before.length);
  const others: Entry[] = [];
  for (const entry of entries) {
    const index = places.get(entry.instance.key);
    if (index === undefined) others.push(entry);
    else known[index] = before[index]?.instance === entry.instance ? { ...entry, row: before[index].row } : entry;
  }
  // Without the holes that gone ones leave.
  return [...known.filter(Boolean), ...others];
}

export class InstanceRows {
  private snapshots: readonly Snapshot[] = [];
  private sorted: Entry[] = [];

  /** By name, then host. */
  of(records: readonly PlaceRecord[], actionOn: (key: string) => ActionItem | null): InstanceRow[] {
    const snapshots = records.map(({ snapshot }) => snapshot);
    if (snapshots.length !== this.snapshots.length || snapshots.some((one, at) => one !== this.snapshots[at])) {
      this.snapshots = snapshots;
      const entries = snapshots.flatMap(({ instances }, at) =>
        instances.map((instance) => ({ instance, at, row: null })),
      );
      this.sorted = asBefore(entries, this.sorted).sort((one, other) => byName(one.instance, other.instance));
    }
    return this.sorted.map((entry) => {
      const record = records[entry.at];
      const { seenAt, stale } = record ? seenOf(record, entry.instance) : { seenAt: 0, stale: true };
      const action = actionOn(entry.instance.key);
      const { row } = entry;
      if (row && row.seenAt === seenAt && row.stale === stale && row.action === action) return row;
      entry.row = { ...entry.instance, seenAt, stale, action };
      return entry.row;
    });
  }
}

export function nodeRows(records: readonly PlaceRecord[]): NodeRow[] {
  return records
    .flatMap((record) => record.snapshot.nodes.map((node) => ({ ...node, ...seenOf(record, node) })))
    .sort(byName);
}
