/** Who is above a limit for long enough, told once when it is so and once when it is well again. Pure but for its memory. */

/** Above these percents an instance, a node or a pool is marked. Null: never. */
export interface Thresholds {
  cpu: number | null;
  memory: number | null;
  /** Of a pool, or of the storage of a node. */
  storage: number | null;
  /** So long it has to be above, in seconds: one busy look is no alarm. A pool that is full is told at once. */
  seconds: number;
}

/** What is in force where the settings say nothing. */
const usual: Thresholds = { cpu: null, memory: null, storage: 90, seconds: 60 };

export function thresholdsOf(given: Partial<Thresholds>): Thresholds {
  return { ...usual, ...given };
}

export type Limited = "cpu" | "memory" | "storage";

export interface Alarm {
  /** Of the instance or the node. */
  key: string;
  /** What is above: an instance, a node, or a pool of it. */
  what: "instance" | "node" | "pool";
  /** Of the instance or node. */
  name: string;
  host: string;
  /** Name of the pool, where it is one. */
  pool: string | null;
  metric: Limited;
  /** Percent. */
  value: number;
  limit: number;
  /** True: it passed the limit; false: it is well again. */
  on: boolean;
  /** Epoch milliseconds. */
  at: number;
}

/** So far below the limit, in parts of it, is well again: a value that trembles around it is told once. */
const relief: Record<Limited, number> = { cpu: 0.9, memory: 0.9, storage: 0.98 };

/** The limits of one subject. */
export class Above {
  private readonly since = new Map<Limited, { since: number; told: boolean }>();

  /** True: it is now above for long enough; false: it is well again; null: nothing to tell. `at` in epoch milliseconds. */
  check(metric: Limited, value: number | null, at: number, thresholds: Thresholds): boolean | null {
    const limit = thresholds[metric];
    if (limit === null || value === null) return null;
    const above = this.since.get(metric);
    if (value >= limit) {
      const state = above ?? { since: at, told: false };
      this.since.set(metric, state);
      const seconds = metric === "storage" ? 0 : thresholds.seconds;
      if (state.told || at - state.since < seconds * 1000) return null;
      state.told = true;
      return true;
    }
    if (!above || (above.told && value >= limit * relief[metric])) return null;
    this.since.delete(metric);
    return above.told ? false : null;
  }

  /** Those that are above for long enough. */
  hot(): Limited[] {
    return [...this.since].flatMap(([metric, { told }]) => (told ? [metric] : []));
  }

  /** Forgets all; gives those that were told. */
  clear(): Limited[] {
    const hot = this.hot();
    this.since.clear();
    return hot;
  }
}
