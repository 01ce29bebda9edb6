/** Runs: a plan carried over its nodes, kept in a journal, found again and carried on. */
import { rm } from "node:fs/promises";
import os from "node:os";
import { newRunId } from "./detached.ts";
import { loadDurations } from "./estimate.ts";
import { Journal, readJournal } from "./journal.ts";
import { holderOf, takeLocalLock } from "./lock.ts";
import type { Plan, RunHandle, RunView } from "./plan.ts";
import { chooseBroadcast, poolBroadcast } from "./run-broadcast.ts";
import { checkPlan } from "./run-check.ts";
import { Run } from "./run-engine.ts";
import { factsFrom, learn, type RunFacts } from "./run-model.ts";
import { Outputs } from "./run-outputs.ts";
import { isShown } from "./run-reader.ts";
import { remoteName } from "./run-remote.ts";
import { schedule } from "./run-schedule.ts";
import { keepPlan, readPlan, runFiles, runIds } from "./run-store.ts";
import type { RunOptions, RunSummary } from "./run-types.ts";
import { progressOf, Views } from "./run-view.ts";
import type { Context } from "./types.ts";

export { planLines } from "./plan-lines.ts";
export type { RunOptions, RunSummary } from "./run-types.ts";

/** So many runs are kept on the user's machine, and all that are not over. */
const runsKept = 60;

/**
 * Locks the nodes and starts the run. Rejects when the plan makes no sense (`usage`) or another run has one of the nodes
 * (`refused`); then nothing was changed and the run is forgotten.
 */
export async function startRun(context: Context, plan: Plan, options: RunOptions = {}): Promise<RunHandle> {
  checkPlan(plan);
  const now = options.clock ?? Date.now;
  const id = options.id ?? newRunId(plan.kind, new Date(now()));
  await keepPlan(runFiles(context, id), plan);
  const run = await open(context, id, plan, options);
  // Its failure takes nothing from the run.
  prune(context).catch(() => undefined);
  return run;
}

/**
 * Carries on with a run of this machine, whatever state it was left in: what ran meanwhile is found, nothing is run twice.
 * One that is over gives a handle that is done.
 */
export async function resumeRun(context: Context, id: string, options: RunOptions = {}): Promise<RunHandle> {
  return open(context, id, await readPlan(runFiles(context, id)), options);
}

async function open(context: Context, id: string, plan: Plan, options: RunOptions): Promise<RunHandle> {
  const files = runFiles(context, id);
  const now = options.clock ?? Date.now;
  const unlock = await takeLocalLock(files.lock, id, options.takeLock ?? false);
  try {
    const { journal, records } = await Journal.open(files.journal, now);
    const facts = factsFrom(plan, records);
    const keep = async (entry: Parameters<Journal["append"]>[0]) => {
      const { record, kept } = journal.append(entry);
      learn(facts, record);
      await kept;
    };
    if (records.length === 0) await keep({ kind: "run", version: 1, id });
    const { broadcast, notice } = facts.over
      ? { broadcast: poolBroadcast(context.pool), notice: null }
      : await chooseBroadcast(context, plan, options.engine ?? "auto");
    if (notice !== null) options.onNotice?.(notice);
    const run = new Run({
      context,
      id,
      facts,
      journal,
      files,
      broadcast,
      durations: await loadDurations(context),
      unlock,
      options,
    });
    if (facts.over) await run.rest();
    else {
      await keep({ kind: "carried", pid: process.pid, host: os.hostname(), engine: broadcast.engine });
      await run.begin(records.length === 0);
    }
    return run;
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

/** The runs of this machine, newest first, from their journals alone. A damaged one is left out. */
export async function listRuns(context: Pick<Context, "stateDir">): Promise<RunSummary[]> {
  const ids = (await runIds(context)).reverse();
  const found = await Promise.all(ids.map((id) => summary(context, id).catch(() => null)));
  return found.filter((run) => run !== null);
}

/** Runs that are over never change: their journals, which may be long, are read once. */
const overOnes = new Map<string, RunSummary>();

async function summary(context: Pick<Context, "stateDir">, id: string): Promise<RunSummary> {
  const { folder } = runFiles(context, id);
  const known = overOnes.get(folder);
  if (known) return known;
  const { facts, view, pid } = await look(context, id);
  const { plan } = facts;
  const found: RunSummary = {
    id,
    kind: plan.kind,
    title: plan.title,
    site: plan.site,
    jobId: plan.jobId,
    state: view.state,
    nodes: plan.nodes.map(({ name }) => name),
    out: [...facts.out],
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    progress: progressOf(facts),
    pid,
  };
  if (facts.over) overOnes.set(folder, found);
  return found;
}

/** Removes the oldest runs that are over, beyond so many. */
async function prune(context: Pick<Context, "stateDir">): Promise<void> {
  const ids = await runIds(context);
  for (const id of ids.slice(0, Math.max(0, ids.length - runsKept))) {
    const old = await summary(context, id).catch(() => null);
    const { folder } = runFiles(context, id);
    if (!old || !overOnes.has(folder)) continue;
    overOnes.delete(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

async function look(
  context: Pick<Context, "stateDir">,
  id: string,
): Promise<{ facts: RunFacts; view: RunView; pid: number | null }> {
  const files = runFiles(context, id);
  const plan = await readPlan(files);
  const facts = factsFrom(plan, await readJournal(files.journal));
  const holder = facts.over ? null : await holderOf(files.lock);
  const now = schedule(facts);
  const stuck = now.failed.length > 0 && now.ready.length === 0;
  const state = facts.over ?? (stuck ? "needs-you" : !holder ? "interrupted" : facts.paused ? "paused" : "running");
  const view = new Views().make(facts, { id, schedule: now, live: new Map(), usual: new Map(), state, at: Date.now() });
  return { facts, view, pid: holder?.pid ?? null };
}

/** A run as its journal tells it, without carrying it on; `usage` when there is none of that id. */
export async function lookAtRun(context: Pick<Context, "stateDir">, id: string): Promise<RunView> {
  return (await look(context, id)).view;
}

/** Shown lines of a step's output, as they were kept; also of a run that another virtu carries. */
export async function readOutput(
  context: Pick<Context, "stateDir">,
  id: string,
  cell: { step: string; node: string },
  range: { from: number; count: number },
): Promise<string[]> {
  const { plan, cells } = await lookAtRun(context, id);
  const step = plan.steps.find((one) => one.id === cell.step);
  const tries = cells[cell.step]?.[cell.node]?.tries;
  if (!step || tries === undefined) return [];
  const outputs = new Outputs(runFiles(context, id).out, () => undefined);
  try {
    return await outputs.read(remoteName(step.id, tries), cell.node, range, (line) => isShown(step, line));
  } finally {
    await outputs.end();
  }
}
