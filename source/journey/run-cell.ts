/**
 * Carries one step on one node to its end: asks its check, starts its script once, follows it over losses, and keeps the
 * outcome. What it is about to start is in the journal before anything reaches the node, so that another virtu finds out
 * what became of it.
 */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Limiter } from "../ssh/limiter.ts";
import type { ExecResult } from "../ssh/types.ts";
import { startDetached } from "./detached.ts";
import { answered } from "./detached-exec.ts";
import type { EndFacts, Entry, Gives } from "./journal.ts";
import type { Cell, PlanNode, Step } from "./plan.ts";
import type { Broadcast } from "./run-broadcast.ts";
import { followCell } from "./run-cell-follow.ts";
import { runSecret } from "./run-cell-secret.ts";
import type { CellFacts } from "./run-model.ts";
import type { Outputs } from "./run-outputs.ts";
import { isPassing, type Reach, reach, Unreachable, whyOf } from "./run-reach.ts";
import { isShown, readGive, reasonIn, StepReader } from "./run-reader.ts";
import {
  bodyFile,
  claimCommand,
  longestRequest,
  placeFor,
  remoteName,
  runHere,
  runInput,
  stepScript,
  wholeText,
} from "./run-remote.ts";
import type { RunPace } from "./run-types.ts";
import type { Context } from "./types.ts";

/** What is shown of a cell while it is carried; the rest is in the journal. */
export interface Live {
  phase: "checking" | "running";
  /** Why the node can't be reached at this moment. */
  lost: string | null;
  reader: StepReader | null;
}

/** What the run gives to those that carry its cells. */
export interface Carrier {
  readonly id: string;
  readonly context: Context;
  readonly broadcast: Broadcast;
  readonly outputs: Outputs;
  readonly pace: RunPace;
  /** Holds the number of nodes that are asked at once. */
  readonly short: Limiter;
  now(): number;
  /** Appends to the journal; resolves once that is on disk. */
  keep(entry: Entry): Promise<void>;
  values(node: string): Map<string, string>;
  /** Marks the node as this run's, once. */
  own(node: PlanNode): Promise<void>;
  /** The secret of that name, or null. */
  secret(name: string): Promise<string | null>;
}

/** A cell on its way. */
export interface Way {
  run: Carrier;
  step: Step;
  node: PlanNode;
  cell: Cell;
  facts: CellFacts;
  signal: AbortSignal;
  /** Ends early when the user wants it tried now. */
  pause: (ms: number) => Promise<void>;
  tell: (live: Partial<Live>) => void;
}

/** Seconds that a check may take. */
const checkLimit = 120;
/** So often a start is tried whose way to the node broke. */
const startsAtMost = 5;

/** Resolves when the cell's end is in the journal. Rejects as `cancelled` by the signal; the step itself goes on. */
export async function carryCell(way: Way): Promise<void> {
  const { run, step, node, facts, signal } = way;
  try {
    if (facts.unknown && facts.remote !== null && (await hasBegun(way, facts.remote))) {
      await followCell(way, facts.remote);
      return;
    }
    if (await isDone(way)) return;
    if (step.detached) await start(way);
    else await runSecret(way, () => isDone(way));
  } catch (thrown) {
    if (signal.aborted) throw new VirtuError({ kind: "cancelled", what: "No longer followed" }, { cause: thrown });
    const unknown = facts.state === "started";
    const text = thrown instanceof Unreachable ? thrown.message : describe(thrown);
    const goesOn = unknown && thrown instanceof Unreachable ? "; its script may still run there" : "";
    await run.keep(
      ended(step, node, { ok: false, status: null, text: `${text}${goesOn}`, ...(unknown ? { unknown } : {}) }),
    );
  }
}

function describe(thrown: unknown): string {
  const { what, why } = toVirtuError(thrown);
  return [what, why].filter(Boolean).join(": ");
}

export function ended(
  step: Step,
  node: PlanNode,
  how: { ok: boolean; status: number | null; text: string; gives?: Gives } & Partial<EndFacts>,
): Entry {
  const { gives = {}, ...rest } = how;
  return { kind: "end", step: step.id, node: node.name, gives, ...rest };
}

/** How a node is tried again; `patience` in milliseconds. */
export function reachOf(way: Way, patience: number): Reach {
  const { run, signal } = way;
  const lost = (why: string | null) => way.tell({ lost: why });
  return { signal, now: () => run.now(), backOff: run.pace.backOff, patience, lost, pause: way.pause };
}

/** How long a node is waited for on which this step runs. */
export function stepPatience(way: Way): number {
  const { run, step, facts } = way;
  const limit = (facts.startedAt ?? run.now()) + step.limitSeconds * 1000;
  return Math.max(0, limit - run.now()) + run.pace.lostPatience;
}

async function inTurn<T>(way: Way, task: () => Promise<T>): Promise<T> {
  const release = await way.run.short.acquire(way.signal);
  try {
    return await task();
  } finally {
    release();
  }
}

/** Whether a start has come to run; if not, it never will. Also known without the node when its end is kept here. */
async function hasBegun(way: Way, remote: string): Promise<boolean> {
  const { run, step, node, signal } = way;
  way.tell({ phase: "running" });
  const reader = new StepReader(step, run.id, remote);
  await run.outputs.open(remote, node.name, reader.read);
  await run.outputs.close(remote, node.name);
  if (reader.end) return true;
  const begun = await reach(reachOf(way, stepPatience(way)), async () => {
    const command = claimCommand(run.id, remote);
    const options = { batch: `${step.id} look`, signal, timeoutMs: 30_000 };
    await run.own(node);
    const about = { what: "Nobody knows whether the step has started", where: node.name };
    const result = answered(await inTurn(way, () => run.broadcast.exec(node, command, options)), about);
    const said = result.stdout.trim();
    if (result.status === 0 && (said === "started" || said === "never")) return said === "started";
    throw new VirtuError({ ...about, kind: "failed", why: "~/.virtu can't be written there", detail: result.stderr });
  });
  if (!begun) await run.keep({ kind: "void", step: step.id, node: node.name, remote });
  return begun;
}

/** Asks the check; true when the cell's end is in the journal: nothing to do, or the check itself failed. */
async function isDone(way: Way): Promise<boolean> {
  const { run, step, node, cell } = way;
  way.tell({ phase: "checking" });
  if (cell.check === null) return false;
  const result = await reach(reachOf(way, run.pace.patience), () => askCheck(way, cell.check ?? ""));
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  if (result.status === 1) return false;
  if (result.status === 0) {
    const gives = Object.fromEntries(lines.flatMap((line) => [readGive(step, line) ?? []]).filter(isPair));
    // Later steps need what this one gives: a check that does not say it leaves the step to do.
    if (step.gives.some((name) => gives[name] === undefined)) return false;
    const text = Object.values(gives).join(", ") || reasonIn(lines.filter((line) => isShown(step, line)));
    await run.keep({ kind: "already", step: step.id, node: node.name, text, gives });
    return true;
  }
  const said = [...lines, ...result.stderr.split("\n")].filter((line) => line !== "");
  const reason = reasonIn(said.slice(-12));
  const how =
    result.status === 124
      ? `its check took longer than ${checkLimit} s`
      : `its check ended with status ${result.status}`;
  const text = reason === "" ? how : `${how}: ${reason}`;
  await keepCheck(way, said);
  await run.keep(ended(step, node, { ok: false, status: result.status, text, lines: said.length }));
  return true;
}

/** What a check said that failed, to be read like a script's output. */
async function keepCheck({ run, step, node, facts }: Way, lines: readonly string[]): Promise<void> {
  if (facts.tries > 0) return;
  const remote = remoteName(step.id, 0);
  const output = await run.outputs.open(remote, node.name, () => true);
  for (const line of lines) output.push(line);
  await run.outputs.close(remote, node.name);
}

const isPair = (give: readonly string[]): give is [string, string] => give.length === 2;

/** The answer of a check. Rejects where there was none. */
export async function askCheck(way: Way, check: string): Promise<ExecResult> {
  const { run, step, node, signal } = way;
  await run.own(node);
  const text = wholeText(check, run.values(node.name));
  // A check that names every node of many is long.
  const isLong = Buffer.byteLength(text) > longestRequest;
  const command = isLong ? runInput(checkLimit) : runHere(text, checkLimit);
  const options = {
    stdin: isLong ? text : undefined,
    batch: `${step.id} check`,
    signal,
    timeoutMs: (checkLimit + 15) * 1000,
    maxBytes: 1 << 20,
  };
  const result = await inTurn(way, () => run.broadcast.exec(node, command, options));
  return answered(result, { what: "The check gave no answer", where: node.name });
}

/** Starts the script, for certain and once, and follows it. */
async function start(way: Way): Promise<void> {
  const { run, step, node, cell, facts, signal } = way;
  const body = wholeText(cell.script, run.values(node.name));
  const starter = {
    exec: (_: unknown, command: Parameters<Broadcast["exec"]>[1], options: object = {}) =>
      run.broadcast.exec(node, command, { ...options, batch: `${step.id} start` }),
  };
  for (let starts = 1; ; starts += 1) {
    await reach(reachOf(way, run.pace.patience), () => run.own(node));
    const number = facts.tries + 1;
    const remote = remoteName(step.id, number);
    way.tell({ phase: "running" });
    await run.keep({ kind: "start", step: step.id, node: node.name, try: number, remote });
    const script = stepScript(run.id, remote, step.limitSeconds);
    const detached = { id: remote, files: { [bodyFile]: body }, script, program: "timeout" };
    try {
      await inTurn(way, () => startDetached(starter, placeFor(run.id, node), detached, { signal }));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      // Whatever the answer was, the node says whether it runs, and if not, that it never will.
      if (!(await hasBegun(way, remote))) {
        if (!isPassing(thrown)) throw thrown;
        if (starts >= startsAtMost) throw new Unreachable(`can't be started: ${whyOf(thrown)}`, { cause: thrown });
        way.tell({ lost: whyOf(thrown) });
        await way.pause(run.pace.backOff * 2 ** (starts - 1));
        continue;
      }
    }
    await followCell(way, remote);
    return;
  }
}
