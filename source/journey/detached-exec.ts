/** What every command on a host shares: an answer that did not come is an error, never a success. */
import { VirtuError } from "../errors.ts";
import type { ExecResult } from "../ssh/types.ts";

/** The result of a command that ran to its end, whatever its status. Rejects what nobody knows the outcome of. */
export function answered(result: ExecResult, about: { what: string; where: string }): ExecResult {
  if (result.outcome === "exited") return result;
  const detail = result.stderr || undefined;
  if (result.outcome === "timeout") {
    throw new VirtuError({
      ...about,
      kind: "timeout",
      why: `there was no answer in ${Math.round(result.durationMs / 1000)} s`,
      hint: "Try again; the host may be overloaded.",
      detail,
    });
  }
  const lost = result.outcome === "lost";
  throw new VirtuError({
    ...about,
    kind: lost ? "connection" : "failed",
    why: lost ? "the connection broke before the answer" : `it was ended there by signal ${result.signal}`,
    hint: "Try again.",
    detail,
  });
}

/** Runs a task for each item, at most `limit` at a time. A task that rejects ends the whole, so tasks keep their failures. */
export async function each<T>(items: readonly T[], limit: number, task: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
