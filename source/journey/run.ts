/** Runs: a plan carried over its nodes, kept in a journal, found again and carried on. */
import { VirtuError } from "../errors.ts";
import type { Plan, RunHandle } from "./plan.ts";
import type { RunOptions, RunSummary } from "./run-types.ts";
import type { Context } from "./types.ts";

export { planLines } from "./plan-lines.ts";
export type { RunOptions, RunSummary } from "./run-types.ts";

/** Locks the nodes and starts the run. Rejects when the plan makes no sense or nodes are locked by another run. */
export async function startRun(_context: Context, plan: Plan, _options: RunOptions = {}): Promise<RunHandle> {
  throw new VirtuError({ kind: "failed", what: `This virtu can't carry a run yet: ${plan.title}` });
}

/** Carries on with a run of this machine, whatever state it was left in. */
export async function resumeRun(_context: Context, id: string, _options: RunOptions = {}): Promise<RunHandle> {
  throw new VirtuError({ kind: "failed", what: `This virtu can't carry a run yet: ${id}` });
}

/** The runs of this machine, newest first, from their journals alone. */
export async function listRuns(_context: Pick<Context, "stateDir">): Promise<RunSummary[]> {
  return [];
}
