/**
 * The rows of the view. Sorting is for a new list of instances only, and a row stays the same object as long as nothing
 * of it changed: an action on one of thousands costs a pass over them, not a sort.
 */
import { natural } from "../text.ts";
import type { PlaceRecord } from "./host-entry.ts";
import type { ActionItem, InstanceRow, NodeRow } from "./inventory-types.ts";
import type { Instance, Snapshot } from "./types.ts";

type Named = Pick<Instance, "name" | "host">;

function byName(one: Named, other: Named): number {
  return natural(one.name, other.name) || natural(one.host, other.host);
}

interface Entry {
  instance: Instance;
  /** Index of its record. */
  at: number;
  /** As it was last shown. */
  row: InstanceRow | null;
}

export class InstanceRows {
  private snapshots: readonly Snapshot[] = [];
  private known = new Map<string, Entry>();
  private sorted: Entry[] = [];

  /** By name, then host. */
  of(records: readonly PlaceRecord[], actionOn: (key: string) => ActionItem | null): InstanceRow[] {
    this.take(records.map(({ snapshot }) => snapshot));
    return this.sorted.map((entry) => {
      const { seenAt = 0, stale = true } = records[entry.at] ?? {};
      const action = actionOn(entry.instance.key);
      const { row } = entry;
      if (row && row.seenAt === seenAt && row.stale === stale && row.action === action) return row;
      entry.row = { ...entry.instance, seenAt, stale, action };
      return entry.row;
    });
  }

  /** A new answer is most often of the same instances: they stand where they stood, in whatever order it names them. */
  private take(snapshots: readonly Snapshot[]): void {
    const before = this.snapshots;
    this.snapshots = snapshots;
    const fresh: Entry[] = [];
    let number = 0;
    let moved = false;
    for (const [at, snapshot] of snapshots.entries()) {
      number += snapshot.instances.length;
      if (snapshot === before[at]) continue;
      for (const instance of snapshot.instances) {
        const entry = this.known.get(instance.key);
        if (!entry) {
          fresh.push({ instance, at, row: null });
          continue;
        }
        entry.at = at;
        if (entry.instance === instance) continue;
        moved ||= entry.instance.name !== instance.name || entry.instance.host !== instance.host;
        entry.instance = instance;
        entry.row = null;
      }
    }
    if (number === this.sorted.length && fresh.length === 0 && !moved) return;
    const there = new Set(snapshots.flatMap(({ instances }) => instances));
    // Nearly sorted already, which sorts in one pass.
    this.sorted = [...this.sorted.filter(({ instance }) => there.has(instance)), ...fresh];
    this.sorted.sort((one, other) => byName(one.instance, other.instance));
    this.known = new Map(this.sorted.map((entry) => [entry.instance.key, entry]));
  }
}

export function nodeRows(records: readonly PlaceRecord[]): NodeRow[] {
  return records
    .flatMap(({ snapshot, seenAt, stale }) => snapshot.nodes.map((node) => ({ ...node, seenAt, stale })))
    .sort(byName);
}
