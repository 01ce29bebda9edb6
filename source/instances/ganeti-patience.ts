/** A guest that does not hear: Ganeti itself forces off what has not shut down in time, which it tells nobody. */
import type { ActionEvent, ActionOutcome } from "./types.ts";

/** Ganeti's own limit (DEFAULT_SHUTDOWN_TIMEOUT), where none was given. */
const usualSeconds = 120;
/** Seconds after which it is said what is waited for: most guests are off by then. */
const quietSeconds = 15;

export interface Patience {
  /** Seconds that the guest has. */
  limitSeconds?: number | undefined;
  onEvent?: ((event: ActionEvent) => void) | undefined;
}

/** Carries what shuts a guest down, says what comes when the guest does not hear, and at the end what has come. */
export async function withPatience(
  { limitSeconds = usualSeconds, onEvent }: Patience,
  work: (onEvent: (event: ActionEvent) => void) => Promise<ActionOutcome>,
): Promise<ActionOutcome> {
  let began: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  const listen = (event: ActionEvent) => {
    onEvent?.(event);
    if (began !== null || event.job === undefined) return;
    began = Date.now();
    const text = `it has not shut down yet: Ganeti forces it off after ${limitSeconds} s`;
    if (limitSeconds > quietSeconds) timer = setTimeout(() => onEvent?.({ text, job: event.job }), quietSeconds * 1000);
  };
  try {
    const outcome = await work(listen);
    const seconds = began === null ? 0 : (Date.now() - began) / 1000;
    if (!outcome.ok || seconds < limitSeconds) return outcome;
    return { ...outcome, text: `Ganeti forced it off: it had not shut down after ${limitSeconds} s` };
  } finally {
    if (timer) clearTimeout(timer);
  }
}
