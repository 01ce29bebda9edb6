/** Follows what the nodes use that carry the instances, and how full the places are where disks lie. Reads nothing itself. */
import type { NodeRow } from "../instances/inventory-types.ts";
import type { PoolFill } from "../instances/types.ts";
import { History } from "./history.ts";
import { Above, type Alarm, type Limited, type Thresholds } from "./limits.ts";

/** The metrics that are kept of a node, in the order of their place in a history; all in percent. */
export const nodeMetrics = ["cpu", "memory", "storage"] as const;
export type NodeMetric = (typeof nodeMetrics)[number];

/** Percent; null: not known. */
export interface NodeRates {
  /** Of all its CPUs. */
  cpu: number | null;
  /** Of its memory: what neither is free nor can be had back from caches. */
  memory: number | null;
  /** Of its fullest pool, or of its storage as a whole where there are no pools. */
  storage: number | null;
  memoryUsedMiB: number | null;
}

interface FollowedPool {
  fill: PoolFill;
  history: History;
  above: Above;
}

interface Followed {
  at: number;
  cpu: NodeRow["cpu"] | null;
  rates: NodeRates;
  history: History;
  above: Above;
  pools: Map<string, FollowedPool>;
}

/** Two looks closer together than this say more about the clocks than about the node. */
const shortestNs = 2e8;

/** How full it is, in percent. */
export function fillPercent({ totalMiB, freeMiB }: Omit<PoolFill, "name">): number {
  return totalMiB > 0 ? ((totalMiB - freeMiB) / totalMiB) * 100 : 0;
}

/** The pools of a node; its storage as a whole, without a name, where it has none. */
export function poolsOf({ pools, diskTotal, diskFree }: Pick<NodeRow, "pools" | "diskTotal" | "diskFree">): PoolFill[] {
  if (pools && pools.length > 0) return [...pools];
  return diskTotal && diskFree !== null ? [{ name: "", totalMiB: diskTotal, freeMiB: diskFree }] : [];
}

/** CPU in percent between two looks; null where that can't be said: the first look, or a node that came up anew. */
function cpuOf(before: NodeRow["cpu"] | null, now: NodeRow["cpu"]): number | null {
  if (!before || !now) return null;
  const total = now.totalNs - before.totalNs;
  const busy = now.busyNs - before.busyNs;
  return total < shortestNs || busy < 0 ? null : Math.min(100, (busy / total) * 100);
}

export class NodeMonitor {
  private readonly followed = new Map<string, Followed>();

  constructor(private readonly thresholds: Thresholds) {}

  /** Takes what a refresh showed; rows of the same answer count once. Gives what passed a limit or is well again. */
  observe(rows: readonly NodeRow[]): Alarm[] {
    const there = new Set(rows.map(({ key }) => key));
    for (const key of this.followed.keys()) if (!there.has(key)) this.followed.delete(key);
    return rows.flatMap((row) => {
      const one = this.followed.get(row.key);
      return row.stale || (one && one.at >= row.seenAt) ? [] : this.take(one ?? this.begin(row.key), row);
    });
  }

  private begin(key: string): Followed {
    const rates = { cpu: null, memory: null, storage: null, memoryUsedMiB: null };
    const history = new History(nodeMetrics.length);
    const one: Followed = { at: 0, cpu: null, rates, history, above: new Above(), pools: new Map() };
    this.followed.set(key, one);
    return one;
  }

  private take(one: Followed, row: NodeRow): Alarm[] {
    const { memoryTotal, memoryFree, seenAt: at } = row;
    const used = memoryTotal !== null && memoryFree !== null ? Math.max(0, memoryTotal - memoryFree) : null;
    const pools = poolsOf(row);
    // An answer that counted the CPU no second time (its numbers may be older than the rest) says nothing new of it.
    const counted = row.cpu && row.cpu.totalNs !== one.cpu?.totalNs;
    const cpu = counted ? cpuOf(one.cpu, row.cpu) : row.cpu ? one.rates.cpu : null;
    one.cpu = row.cpu ?? null;
    one.at = at;
    one.rates = {
      cpu,
      memory: used !== null && memoryTotal ? (used / memoryTotal) * 100 : null,
      storage: pools.length > 0 ? Math.max(...pools.map(fillPercent)) : null,
      memoryUsedMiB: used,
    };
    const { memory, storage } = one.rates;
    one.history.add(at, [counted ? cpu : null, memory, storage]);
    const alarms = (["cpu", "memory"] as const).flatMap((metric): Alarm[] => {
      const on = one.above.check(metric, one.rates[metric], at, this.thresholds);
      return on === null ? [] : [this.alarm(row, null, metric, one.rates[metric] ?? 0, on)];
    });
    return [...alarms, ...this.takePools(one, row, pools)];
  }

  private takePools(one: Followed, row: NodeRow, pools: readonly PoolFill[]): Alarm[] {
    const names = new Set(pools.map(({ name }) => name));
    for (const name of one.pools.keys()) if (!names.has(name)) one.pools.delete(name);
    return pools.flatMap((fill): Alarm[] => {
      const pool = one.pools.get(fill.name) ?? { fill, history: new History(1), above: new Above() };
      one.pools.set(fill.name, pool);
      pool.fill = fill;
      const value = fillPercent(fill);
      pool.history.add(row.seenAt, [value]);
      const on = pool.above.check("storage", value, row.seenAt, this.thresholds);
      return on === null ? [] : [this.alarm(row, fill.name, "storage", value, on)];
    });
  }

  private alarm(row: NodeRow, pool: string | null, metric: Limited, value: number, on: boolean): Alarm {
    const { key, name, host, seenAt: at } = row;
    const limit = this.thresholds[metric] ?? 0;
    return { key, what: pool === null ? "node" : "pool", name, host, pool, metric, value, limit, on, at };
  }

  /** What the newest look says, or null while there was none. */
  rates(key: string): NodeRates | null {
    return this.followed.get(key)?.rates ?? null;
  }

  /** What of a node is above its limit for long enough; `storage`: one of its pools is. */
  hot(key: string): readonly Limited[] {
    const one = this.followed.get(key);
    if (!one) return [];
    const full = [...one.pools.values()].some(({ above }) => above.hot().length > 0);
    return [...one.above.hot(), ...(full ? (["storage"] as const) : [])];
  }

  /** Its pools as the newest look showed them, and which are above the limit. */
  pools(key: string): readonly { fill: PoolFill; hot: boolean }[] {
    const pools = [...(this.followed.get(key)?.pools.values() ?? [])];
    return pools.map(({ fill, above }) => ({ fill, hot: above.hot().length > 0 }));
  }

  /** As `History.spread`, for one metric of a node. */
  spread(key: string, metric: NodeMetric, from: number, to: number, count: number): (number | null)[] {
    const history = this.followed.get(key)?.history;
    return history ? history.spread(nodeMetrics.indexOf(metric), from, to, count) : new Array(count).fill(null);
  }

  /** As `History.spread`, for the fill of one pool of a node, in percent. */
  spreadPool(key: string, pool: string, from: number, to: number, count: number): (number | null)[] {
    const history = this.followed.get(key)?.pools.get(pool)?.history;
    return history ? history.spread(0, from, to, count) : new Array(count).fill(null);
  }
}
