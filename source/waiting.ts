/** Waiting between two looks, so that an abort ends it at once and tests need no clock; and what may be looked at again. */
import { VirtuError } from "./errors.ts";

export type Pause = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** Resolves after the time; rejects with kind `cancelled` when the signal comes first. */
export const pause: Pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const cancel = () => {
      clearTimeout(timer);
      reject(cancelled());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, milliseconds);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });

export function cancelled(): VirtuError {
  return new VirtuError({ kind: "cancelled", what: "Cancelled" });
}

/** A link that broke or an answer that was late: nothing was refused, the same question can be asked again. */
export function isPassing(thrown: unknown): thrown is VirtuError {
  return thrown instanceof VirtuError && (thrown.kind === "connection" || thrown.kind === "timeout");
}
