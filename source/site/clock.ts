/** The site's time: hosts show the real time, and their work is done `speed` times quicker. */
import type { Timers } from "./options.ts";

export const realTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** setTimeout's own limit; longer waits are cut into pieces. */
const longest = 2 ** 31 - 1;

export class Clock {
  private readonly pending = new Set<{ handle: unknown }>();
  private stopped = false;

  constructor(
    readonly timers: Timers,
    public speed: number,
  ) {}

  /** Epoch milliseconds. */
  now(): number {
    return this.timers.now();
  }

  /** Epoch seconds, whole. */
  seconds(): number {
    return Math.floor(this.timers.now() / 1000);
  }

  /** Calls `run` after so many seconds of the site's time; the function that is returned calls it off. */
  after(seconds: number, run: () => void): () => void {
    return this.afterReal((seconds * 1000) / this.speed, run);
  }

  /** Calls `run` after so many real milliseconds: for dates, which are not hurried. */
  afterReal(ms: number, run: () => void): () => void {
    if (this.stopped) return () => {};
    const entry: { handle: unknown } = { handle: null };
    const arm = (left: number) => {
      entry.handle = this.timers.setTimeout(
        () => {
          if (left > longest) return arm(left - longest);
          this.pending.delete(entry);
          run();
        },
        Math.min(Math.max(0, left), longest),
      );
    };
    this.pending.add(entry);
    arm(ms);
    return () => {
      this.timers.clearTimeout(entry.handle);
      this.pending.delete(entry);
    };
  }

  /** Resolves after so many seconds of the site's time. */
  wait(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(seconds, resolve);
    });
  }

  /** Calls off everything that waits, for ever. */
  stop(): void {
    this.stopped = true;
    for (const entry of this.pending) this.timers.clearTimeout(entry.handle);
    this.pending.clear();
  }
}
