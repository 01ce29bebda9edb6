/** Counting locks with a queue: user requests first, then first come, first served. */
import { VirtuError } from "../errors.ts";
import type { Priority } from "./types.ts";

interface Waiter {
  priority: Priority;
  start: () => void;
}

/** The error of a request that its own signal ended. */
export function cancelled(what = "Cancelled"): VirtuError {
  return new VirtuError({ kind: "cancelled", what });
}

export class Limiter {
  private used = 0;
  private readonly waiters: Waiter[] = [];

  constructor(private readonly limit: number) {}

  /** Waits for a place; the returned function gives it back, once however often it is called. */
  async acquire(signal?: AbortSignal, priority: Priority = "user"): Promise<() => void> {
    if (signal?.aborted) throw cancelled();
    if (this.used >= this.limit) await this.wait(signal, priority);
    else this.used += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.waiters.shift();
      if (next) next.start();
      else this.used -= 1;
    };
  }

  private wait(signal: AbortSignal | undefined, priority: Priority): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(cancelled());
      };
      const waiter: Waiter = {
        priority,
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      insertByPriority(this.waiters, waiter);
    });
  }
}

/** Adds behind the last one of the same or a higher priority; `ahead`, before the first one of its own. */
export function insertByPriority<T extends { priority: Priority }>(queue: T[], item: T, ahead = false): void {
  const firstPoll = queue.findIndex((other) => other.priority === "poll");
  const borders = firstPoll < 0 ? queue.length : firstPoll;
  if (item.priority === "user") queue.splice(ahead ? 0 : borders, 0, item);
  else queue.splice(ahead ? borders : queue.length, 0, item);
}
