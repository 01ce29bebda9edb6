/** How an action ended, where nothing else is to be said of it than a sentence. */
import type { ActionOutcome } from "./types.ts";

export function success(text: string | null = null): ActionOutcome {
  return { ok: true, job: null, text, error: null, detail: null };
}

/** `detail`: the program's own words. */
export function failure(error: string, detail = ""): ActionOutcome {
  return { ok: false, job: null, text: null, error, detail: detail.trim() || null };
}
