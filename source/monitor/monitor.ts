/** Follows what all instances use: rates of now, a day of history for each, and who passes a threshold. Reads nothing itself. */
import type { InstanceRow } from "../instances/inventory-types.ts";
import { History } from "./history.ts";
import { Above, type Alarm, type Limited, type Thresholds } from "./limits.ts";
import { type Look, type Rates, ratesOf, shortestMs } from "./rates.ts";

/** The metrics that are kept, in the order of their place in a history. */
export const metrics = ["cpu", "memory", "diskRead", "diskWrite", "netIn", "netOut"] as const;
export type Metric = (typeof metrics)[number];

interface Followed {
  look: Look | null;
  rates: Rates | null;
  history: History;
  above: Above;
}

export class Monitor {
  private readonly followed = new Map<string, Followed>();

  constructor(private readonly thresholds: Thresholds) {}

  /** Takes what a refresh showed; rows of the same answer count once. Gives what passed a limit or is well again. */
  observe(rows: readonly InstanceRow[]): Alarm[] {
    const alarms: Alarm[] = [];
    let gone = this.followed.size;
    for (const row of rows) {
      const one = this.followed.get(row.key);
      if (one) gone -= 1;
      const at = row.usage?.at ?? row.seenAt;
      if (row.stale || (one?.look && one.look.at >= at)) continue;
      // Whoever begins to look asks at once, and may come right after another: what is known goes on to count, and the next
      // look has the whole time since.
      if (row.usage && one?.rates && one.look && at - one.look.at < shortestMs) continue;
      if (!row.usage) {
        // It is off: what it did stays in its history, and its next start begins anew.
        if (one) alarms.push(...this.rest(one, row));
        continue;
      }
      alarms.push(...this.take(one ?? this.begin(row.key), row, row.usage));
    }
    if (gone > 0) this.forget(rows);
    return alarms;
  }

  /** Gone instances take their history with them, or a day of short-lived ones would pile up. */
  private forget(rows: readonly InstanceRow[]): void {
    const there = new Set(rows.map(({ key }) => key));
    for (const key of this.followed.keys()) if (!there.has(key)) this.followed.delete(key);
  }

  private begin(key: string): Followed {
    const one: Followed = { look: null, rates: null, history: new History(metrics.length), above: new Above() };
    this.followed.set(key, one);
    return one;
  }

  private take(one: Followed, row: InstanceRow, usage: Look["usage"]): Alarm[] {
    const { vcpus, memoryMiB } = row;
    const at = usage.at ?? row.seenAt;
    const look: Look = { at, usage, vcpus, memoryMiB };
    const rates = ratesOf(one.look, look);
    one.look = look;
    one.rates = rates;
    one.history.add(
      at,
      metrics.map((metric) => rates[metric]),
    );
    return (["cpu", "memory"] as const).flatMap((metric) => {
      const on = one.above.check(metric, rates[metric], at, this.thresholds);
      return on === null ? [] : [this.alarm(row, metric, rates[metric] ?? 0, on)];
    });
  }

  private rest(one: Followed, row: InstanceRow): Alarm[] {
    one.look = null;
    one.rates = null;
    return one.above.clear().map((metric) => this.alarm(row, metric, 0, false));
  }

  private alarm({ key, name, host, seenAt: at }: InstanceRow, metric: Limited, value: number, on: boolean): Alarm {
    const limit = this.thresholds[metric] ?? 0;
    return { key, what: "instance", name, host, pool: null, metric, value, limit, on, at };
  }

  /** Rates of the newest look, or null while nothing is known. */
  rates(key: string): Rates | null {
    return this.followed.get(key)?.rates ?? null;
  }

  /** The metrics of an instance that are above their limit for long enough. */
  hot(key: string): readonly Limited[] {
    return this.followed.get(key)?.above.hot() ?? [];
  }

  /** As `History.spread`, for one metric; all null for an instance that is not followed. */
  spread(key: string, metric: Metric, from: number, to: number, count: number): (number | null)[] {
    const history = this.followed.get(key)?.history;
    return history ? history.spread(metrics.indexOf(metric), from, to, count) : new Array(count).fill(null);
  }
}
