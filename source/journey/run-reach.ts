/** Trying a node again, for as long as that makes sense. */
import { toVirtuError } from "../errors.ts";
import { cancelled } from "../waiting.ts";

/** What may be better in a moment; any other error would come again. */
const passing = new Set(["connection", "timeout"]);
const longestPause = 15_000;

export interface Reach {
  signal: AbortSignal;
  now: () => number;
  /** First pause in milliseconds; doubles. */
  backOff: number;
  /** Gives up after so many milliseconds without any answer. */
  patience: number;
  /** Why the node is lost; null: it is back. */
  lost: (why: string | null) => void;
  /** Pauses; `retry` by the user ends one early. */
  pause: (ms: number) => Promise<void>;
}

/** The node did not answer for as long as anybody waits. */
export class Unreachable extends Error {}

export function isPassing(thrown: unknown): boolean {
  return passing.has(toVirtuError(thrown).kind);
}

/** Why a node can't be had, in a few words. */
export function whyOf(thrown: unknown): string {
  const error = toVirtuError(thrown);
  return error.why ?? error.what;
}

/** Runs an attempt until the node answers. It may call `answered` before its end, when the node has answered already. */
export async function reach<T>(options: Reach, attempt: (answered: () => void) => Promise<T>): Promise<T> {
  const { signal, now } = options;
  let since: number | null = null;
  let failures = 0;
  const answered = () => {
    if (since === null) return;
    since = null;
    failures = 0;
    options.lost(null);
  };
  for (;;) {
    if (signal.aborted) throw cancelled();
    try {
      const value = await attempt(answered);
      answered();
      return value;
    } catch (thrown) {
      if (signal.aborted || !isPassing(thrown)) throw thrown;
      since ??= now();
      failures += 1;
      options.lost(whyOf(thrown));
      if (now() - since >= options.patience) {
        throw new Unreachable(`can't be reached: ${whyOf(thrown)}`, { cause: thrown });
      }
      await options.pause(Math.min(options.backOff * 2 ** (failures - 1), longestPause));
    }
  }
}

/** What a promise gives, or `cancelled` at once when the signal comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
