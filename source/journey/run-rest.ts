/** Where nobody decides while a run is open, it is left once it needs somebody. */
import type { RunHandle, RunView } from "./plan.ts";

export interface Rest {
  /** To be told of every view. */
  see: (view: RunView) => void;
  /** Resolves once nothing moves without a decision; looked for from this call on. */
  come: (handle: Pick<RunHandle, "view">) => Promise<RunView>;
}

export function waitForRest(): Rest {
  let resolve: (view: RunView) => void = () => undefined;
  const atRest = new Promise<RunView>((done) => {
    resolve = done;
  });
  let watching = false;
  const see = (view: RunView) => {
    if (watching && (view.state === "needs-you" || view.state === "paused")) resolve(view);
  };
  return {
    see,
    come: (handle) => {
      watching = true;
      see(handle.view());
      return atRest;
    },
  };
}

/** Resolves with null when the signal comes. */
export function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
