/** Long work in the background, a few milliseconds at a time: keys are answered in between. */
import { setImmediate } from "node:timers/promises";

/** How long a slice may be, in milliseconds: a part of the time in which a key is to be answered. */
const sliceMs = 8;

/** Carries on work that yields wherever it can be left for a moment, at least once in a millisecond or so. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const until = performance.now() + sliceMs;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < until);
    await setImmediate();
  }
}
