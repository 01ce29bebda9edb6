/**
 * The rows of the view. Sorting is for a new list of instances only, a pass over all of them for a new answer, and a row
 * stays the same object as long as nothing of it changed: an action on one of thousands costs what one row costs.
 */
import { natural } from "../text.ts";
import { type PlaceRecord, seenOf } from "./host-entry.ts";
import type { ActionItem, InstanceRow, NodeRow } from "./inventory-types.ts";
import type { Instance } from "./types.ts";

type Named = Pick<Instance, "name" | "host">;

function byName(one: Named, other: Named): number {
  return natural(one.name, other.name) || natural(one.host, other.host);
}

interface Entry {
  instance: Instance;
  /** Index of its record. */
  at: number;
  /** Where its row stands. */
  index: number;
  /** As it was last shown. */
  row: InstanceRow | null;
}

/** Of a record what its rows hold. */
type Seen = Pick<PlaceRecord, "snapshot" | "seenAt" | "stale">;

function sameAs(one: Seen, other: Seen | undefined): boolean {
  return one.snapshot === other?.snapshot && one.seenAt === other.seenAt && one.stale === other.stale;
}

export interface Rows {
  /** By name, then host; the same array as long as nothing of it changed. */
  instances: readonly InstanceRow[];
  nodes: readonly NodeRow[];
}

export class InventoryRows {
  private seen: readonly Seen[] = [];
  private known = new Map<string, Entry>();
  private sorted: Entry[] = [];
  /** Instances whose action has changed since they were shown. */
  private readonly acted = new Set<string>();
  private rows: Rows = { instances: [], nodes: [] };

  constructor(private readonly actionOn: (key: string) => ActionItem | null) {}

  /** The action on this instance has changed. */
  touch(key: string): void {
    this.acted.add(key);
  }

  of(records: readonly PlaceRecord[]): Rows {
    const { seen } = this;
    if (records.length !== seen.length || !records.every((record, at) => sameAs(record, seen[at]))) {
      this.seen = records.map(({ snapshot, seenAt, stale }) => ({ snapshot, seenAt, stale }));
      this.take(seen);
      this.rows = { instances: this.sorted.map((entry) => this.row(entry)), nodes: nodeRows(this.seen) };
    } else if (this.acted.size > 0) {
      const instances = [...this.rows.instances];
      for (const key of this.acted) {
        const entry = this.known.get(key);
        if (entry) instances[entry.index] = this.row(entry);
      }
      this.rows = { ...this.rows, instances };
    }
    this.acted.clear();
    return this.rows;
  }

  private row(entry: Entry): InstanceRow {
    const record = this.seen[entry.at];
    const { seenAt, stale } = record ? seenOf(record, entry.instance) : { seenAt: 0, stale: true };
    const action = this.actionOn(entry.instance.key);
    const { row } = entry;
    if (row && row.seenAt === seenAt && row.stale === stale && row.action === action) return row;
    // Not spread: V8 makes an object with more fields than the spread one ten times as slowly.
    entry.row = Object.assign({ seenAt, stale, action }, entry.instance);
    return entry.row;
  }

  /** A new answer is most often of the same instances: they stand where they stood, in whatever order it names them. */
  private take(before: readonly Seen[]): void {
    const fresh: Entry[] = [];
    let number = 0;
    let moved = false;
    for (const [at, { snapshot }] of this.seen.entries()) {
      number += snapshot.instances.length;
      if (snapshot === before[at]?.snapshot) continue;
      for (const instance of snapshot.instances) {
        const entry = this.known.get(instance.key);
        if (!entry) {
          fresh.push({ instance, at, index: -1, row: null });
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
    const there = new Set(this.seen.flatMap(({ snapshot }) => snapshot.instances));
    // Nearly sorted already, which sorts in one pass.
    this.sorted = [...this.sorted.filter(({ instance }) => there.has(instance)), ...fresh];
    this.sorted.sort((one, other) => byName(one.instance, other.instance));
    for (const [index, entry] of this.sorted.entries()) entry.index = index;
    this.known = new Map(this.sorted.map((entry) => [entry.instance.key, entry]));
  }
}

function nodeRows(records: readonly Seen[]): NodeRow[] {
  return records
    .flatMap((record) => record.snapshot.nodes.map((node) => ({ ...node, ...seenOf(record, node) })))
    .sort(byName);
}
