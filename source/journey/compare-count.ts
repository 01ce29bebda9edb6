/** Counts what is asked of hosts, for whom it is asked: a pool that stands in front of the pool. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Pool } from "../ssh/types.ts";

export interface Counter {
  requests: number;
}

const current = new AsyncLocalStorage<Counter>();
const counted: ReadonlySet<string | symbol> = new Set(["exec", "pty", "upload", "forward"]);

/** Every request that comes of what runs in `counting` counts there; what else goes through is only passed on. */
export function countingPool(pool: Pool): Pool {
  return new Proxy(pool, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (!counted.has(name)) return value.bind(target);
      return (...args: unknown[]) => {
        const counter = current.getStore();
        if (counter) counter.requests += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
}

export function counting<T>(counter: Counter, run: () => Promise<T>): Promise<T> {
  return current.run(counter, run);
}
