/** Follows what all instances use: rates of now, a day of history for each, and who passes a threshold. Reads nothing itself. */
import type { InstanceRow } from "../instances/inventory-types.ts";
import { History } from "./history.ts";
import { type Look, type Rates, ratesOf } from "./rates.ts";

/** The metrics that are kept, in the order of their place in a history. */
export const metrics = ["cpu", "memory", "diskRead", "diskWrite", "netIn", "netOut"] as const;
export type Metric = (typeof metrics)[number];

/** Above these percents an instance is marked. Null: never. */
export interface Thresholds {
  cpu: number | null;
  memory: number | null;
  /** So long it has to be above, in seconds: one busy look is no alarm. */
  seconds: number;
}

export interface Alarm {
  key: string;
  name: string;
  host: string;
  metric: "cpu" | "memory";
  /** Percent. */
  value: number;
  limit: number;
  /** True: it passed the limit; false: it is well again. */
  on: boolean;
  /** Epoch milliseconds. */
  at: number;
}

/** So far below the limit, in percent of it, is well again: a value that trembles around it is told once. */
const relief = 0.9;

interface Followed {
  look: Look | null;
  rates: Rates | null;
  history: History;
  /** Since when (epoch milliseconds) it is above, by metric, and whether that was told. */
  above: Partial<Record<Alarm["metric"], { since: number; told: boolean }>>;
}

export class Monitor {
  private readonly followed = new Map<string, Followed>();

  constructor(private thresholds: Thresholds) {}

  /** Takes what a refresh showed; rows of the same answer count once. Gives what passed a limit or is well again. */
  observe(rows: readonly InstanceRow[]): Alarm[] {
    const alarms: Alarm[] = [];
    const there = new Set<string>();
    for (const row of rows) {
      there.add(row.key);
      const one = this.followed.get(row.key);
      if (row.stale || (one?.look && one.look.at >= row.seenAt)) continue;
      if (!row.usage) {
        // It is off: what it did stays in its history, and its next start begins anew.
        if (one) this.rest(one, row, alarms);
        continue;
      }
      alarms.push(...this.take(one ?? this.begin(row.key), row, row.usage));
    }
    // Gone instances take their history with them, or a day of short-lived ones would pile up.
    for (const key of this.followed.keys()) if (!there.has(key)) this.followed.delete(key);
    return alarms;
  }

  private begin(key: string): Followed {
    const one: Followed = { look: null, rates: null, history: new History(metrics.length), above: {} };
    this.followed.set(key, one);
    return one;
  }

  private take(one: Followed, row: InstanceRow, usage: Look["usage"]): Alarm[] {
    const { seenAt: at, vcpus, memoryMiB } = row;
    const look: Look = { at, usage, vcpus, memoryMiB };
    const rates = ratesOf(one.look, look);
    one.look = look;
    one.rates = rates;
    one.history.add(
      at,
      metrics.map((metric) => rates[metric]),
    );
    return this.check(one, row, rates);
  }

  private rest(one: Followed, row: InstanceRow, alarms: Alarm[]): void {
    one.look = null;
    one.rates = null;
    for (const metric of Object.keys(one.above) as Alarm["metric"][]) {
      const limit = this.thresholds[metric];
      if (one.above[metric]?.told && limit !== null) alarms.push(alarmOf(row, metric, 0, limit, false));
    }
    one.above = {};
  }

  private check(one: Followed, row: InstanceRow, rates: Rates): Alarm[] {
    const alarms: Alarm[] = [];
    for (const metric of ["cpu", "memory"] as const) {
      const limit = this.thresholds[metric];
      const value = rates[metric];
      if (limit === null || value === null) continue;
      const above = one.above[metric];
      if (value >= limit) {
        const state = above ?? { since: row.seenAt, told: false };
        one.above[metric] = state;
        if (state.told || row.seenAt - state.since < this.thresholds.seconds * 1000) continue;
        state.told = true;
        alarms.push(alarmOf(row, metric, value, limit, true));
      } else if (above && (!above.told || value < limit * relief)) {
        delete one.above[metric];
        if (above.told) alarms.push(alarmOf(row, metric, value, limit, false));
      }
    }
    return alarms;
  }

  /** Rates of the newest look, or null while nothing is known. */
  rates(key: string): Rates | null {
    return this.followed.get(key)?.rates ?? null;
  }

  /** The metrics of an instance that are above their limit for long enough. */
  hot(key: string): readonly Alarm["metric"][] {
    const above = this.followed.get(key)?.above ?? {};
    return (Object.keys(above) as Alarm["metric"][]).filter((metric) => above[metric]?.told);
  }

  /** As `History.spread`, for one metric; all null for an instance that is not followed. */
  spread(key: string, metric: Metric, from: number, to: number, count: number): (number | null)[] {
    const history = this.followed.get(key)?.history;
    return history ? history.spread(metrics.indexOf(metric), from, to, count) : new Array(count).fill(null);
  }
}

function alarmOf(row: InstanceRow, metric: Alarm["metric"], value: number, limit: number, on: boolean): Alarm {
  const { key, name, host, seenAt: at } = row;
  return { key, name, host, metric, value, limit, on, at };
}
