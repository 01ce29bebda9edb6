/**
 * The rows of the view. Sorting is for a new list of instances only, and a row stays the same object as long as nothing
 * of it changed: an action on one of thousands costs a pass over them, not a sort.
 */
import { natural } from "../text.ts";
import type { PlaceRecord } from "./host-entry.ts";
import type { ActionItem, InstanceRow, NodeRow } from "./inventory-types.ts";
import type { Instance, Snapshot } from "./types.ts";

function byName(one: { name: string; host: string }, other: { name: string; host: string }): number {
  return natural(one.name, other.name) || natural(one.host, other.host);
}

export class InstanceRows {
  private snapshots: readonly Snapshot[] = [];
  private sorted: { instance: Instance; at: number }[] = [];
  private rows = new Map<Instance, InstanceRow>();

  /** By name, then host. */
  of(records: readonly PlaceRecord[], actionOn: (key: string) => ActionItem | null): InstanceRow[] {
    const snapshots = records.map(({ snapshot }) => snapshot);
    if (snapshots.length !== this.snapshots.length || snapshots.some((one, at) => one !== this.snapshots[at])) {
      this.snapshots = snapshots;
      this.sorted = snapshots
        .flatMap(({ instances }, at) => instances.map((instance) => ({ instance, at })))
        .sort((one, other) => byName(one.instance, other.instance));
    }
    const rows = new Map<Instance, InstanceRow>();
    for (const { instance, at } of this.sorted) {
      const { seenAt = 0, stale = true } = records[at] ?? {};
      const action = actionOn(instance.key);
      const before = this.rows.get(instance);
      const same = before && before.seenAt === seenAt && before.stale === stale && before.action === action;
      rows.set(instance, same ? before : { ...instance, seenAt, stale, action });
    }
    this.rows = rows;
    return [...rows.values()];
  }
}

export function nodeRows(records: readonly PlaceRecord[]): NodeRow[] {
  return records
    .flatMap(({ snapshot, seenAt, stale }) => snapshot.nodes.map((node) => ({ ...node, seenAt, stale })))
    .sort(byName);
}
