/** Carries a run without a screen: progress as lines, the outcome as an exit status. */
import { VirtuError } from "../errors.ts";
import type { Plan } from "../journey/plan.ts";
import type { RunOptions } from "../journey/run.ts";
import { planLines } from "../journey/run.ts";
import { type ExitStatus, exit, type Session } from "./run.ts";

export type CarryOptions = Pick<RunOptions, "engine" | "secrets" | "takeLock">;

/**
 * Starts a plan, or resumes a run by its id, and follows it to its end. With `--dry-run` it prints the plan with every
 * command instead. Exit status: 0 done, 3 done but for nodes left out, 1 failed.
 */
export async function carry(
  session: Session,
  what: Plan | { resume: string },
  _options: CarryOptions = {},
): Promise<ExitStatus> {
  if (!("resume" in what) && session.globals.dryRun) {
    session.out.result(what, planLines(what));
    return exit.done;
  }
  throw new VirtuError({ kind: "failed", what: "This virtu can't carry a run yet" });
}
