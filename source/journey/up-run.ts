/** A stage that is a run: planned, carried, found again after a kill, and its outcome in a line. */
import { VirtuError } from "../errors.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { type Answers, askNodes } from "./ask-nodes.ts";
import { newRunId } from "./detached.ts";
import type { Decision, JourneyKind, Plan, PlanNode, RunView } from "./plan.ts";
import { lookAtRun, resumeRun, startRun } from "./run.ts";
import { runReport } from "./run-report.ts";
import { aborted, waitForRest } from "./run-rest.ts";
import type { RunOptions } from "./run-types.ts";
import type { Context } from "./types.ts";
import type { StageEnd } from "./up-model.ts";
import { ended, enough, goodNodes, type Walk } from "./up-stage.ts";
import type { StageId } from "./up-types.ts";

/** A run to begin under this id, or to go on with. */
export type RunWork = { id: string; plan: Plan } | { id: string; plan: null };

/** Resolves with the run's view when it is over, or when it needs somebody and nobody is there. */
export type RunCarrier = (context: Context, work: RunWork, options: RunOptions) => Promise<RunView>;

/** All that failed, once more. */
function retries(view: RunView): Decision[] {
  return view.plan.steps.flatMap((step): Decision[] => {
    const cells = Object.entries(view.cells[step.id] ?? {});
    const nodes = cells.filter(([node, { state }]) => state === "failed" && !view.out.includes(node));
    return nodes.length === 0 ? [] : [{ do: "retry", step: step.id, nodes: nodes.map(([node]) => node) }];
  });
}

/** Follows a run to where it needs somebody; one that is gone on with has its failed steps tried again. */
export const carryAlone: RunCarrier = async (context, { id, plan }, options) => {
  const rest = waitForRest();
  const settings: RunOptions = {
    ...options,
    onView: (view) => {
      options.onView?.(view);
      rest.see(view);
    },
  };
  const handle = await (plan ? startRun(context, plan, { ...settings, id }) : resumeRun(context, id, settings));
  try {
    if (!plan) for (const decision of retries(handle.view())) handle.decide(decision);
    const signal = options.signal ?? new AbortController().signal;
    const view = await Promise.race([handle.done, rest.come(handle), aborted(signal)]);
    if (view === null) throw cancelled();
    return view;
  } finally {
    await handle.detach();
  }
};

export interface StageRun {
  stage: StageId;
  kind: JourneyKind;
  secrets?: RunOptions["secrets"];
  /** The plan for the nodes that answered. */
  plan: (answers: Answers, nodes: readonly PlanNode[], minimum: number) => Promise<Plan>;
  /** Disks to look at by name. */
  devices?: readonly string[];
  /** Whether an open run of an earlier virtu can be gone on with; by default it can. */
  isUsable?: (view: RunView) => boolean;
}

/** The open run of the stage that an earlier virtu has left, or null. */
async function openRun(walk: Walk, { stage, isUsable }: StageRun): Promise<string | null> {
  const id = walk.learned.runs[stage];
  if (id === undefined) return null;
  const view = await lookAtRun(walk.context, id).catch(() => null);
  if (!view || view.endedAt !== null) return null;
  if (!isUsable || isUsable(view)) return id;
  await cancelRun(walk.context, id, walk.options);
  return null;
}

/** Ends a run on its nodes. One that is over stays as it is. */
export async function cancelRun(
  context: Context,
  id: string,
  options: Pick<RunOptions, "takeLock" | "pace">,
): Promise<void> {
  const { takeLock, pace } = options;
  const handle = await resumeRun(context, id, { takeLock, pace });
  try {
    handle.decide({ do: "cancel" });
    await handle.done;
  } finally {
    await handle.detach();
  }
}

/** Carries the stage's run to its end; its view, or how the stage ends without one. */
export async function carryStage(walk: Walk, run: StageRun): Promise<{ view: RunView; end: StageEnd }> {
  const { context, options, signal } = walk;
  const { stage } = run;
  const open = await openRun(walk, run);
  const work = open === null ? await begin(walk, run) : { id: open, plan: null };
  if (open !== null) walk.say(`run ${open} goes on`);
  const carry = options.carryRun ?? carryAlone;
  const view = await carry(context, work, {
    signal,
    engine: options.engine,
    takeLock: options.takeLock,
    pace: options.pace,
    secrets: run.secrets,
    onNotice: (text) => walk.say(text),
    onView: (now) => options.onRun?.(now, stage),
  });
  await walk.learn({ out: [...new Set([...walk.learned.out, ...view.out])] });
  return { view, end: endOf(view) };
}

async function begin(walk: Walk, run: StageRun): Promise<RunWork> {
  const { plan, learned } = walk;
  const nodes = goodNodes(walk);
  walk.say(`asking ${count(nodes.length, "node")} what they are`);
  const answers = await askNodes(walk.context, nodes, { signal: walk.signal, devices: run.devices });
  const total = plan.nodes.kind === "hosts" ? plan.nodes.names.length : (walk.job?.nodes.length ?? 0);
  const minimum = enough(plan.minimum, total);
  const [first] = answers.failed;
  if (answers.states.size < minimum) {
    throw new VirtuError({
      kind: first?.[1].kind ?? "failed",
      what: `Only ${answers.states.size} of ${count(total, "node")} can be worked on, ${minimum} are wanted`,
      where: first?.[0],
      why: first?.[1].why ?? first?.[1].what,
      hint: first?.[1].hint ?? "Go on when they answer, or lower the minimum in the plan.",
      detail: [...answers.failed].map(([name, error]) => `${name}: ${error.message}`).join("\n") || undefined,
    });
  }
  for (const [name, error] of answers.failed) walk.say(`${name} is left out: ${error.why ?? error.what}`);
  const made = await run.plan(answers, nodes, Math.min(minimum, answers.states.size));
  const id = newRunId(run.kind);
  await walk.learn({
    runs: { ...learned.runs, [run.stage]: id },
    out: [...learned.out, ...answers.failed.keys()],
  });
  return { id, plan: made };
}

function endOf(view: RunView): StageEnd {
  const { changed, steps } = runReport(view);
  const nodes = count(view.plan.nodes.length - view.out.length, "node");
  const out = view.out.length > 0 ? `, without ${view.out.join(", ")}` : "";
  if (view.state === "done") {
    const all = `${count(view.plan.steps.length, "step")} on ${nodes}`;
    return changed ? ended("done", `${all}${out}`) : ended("already", `${all}, all done before${out}`);
  }
  const failed = steps.find(({ state }) => state === "failed");
  const why = failed ? `${failed.node}, ${failed.step}: ${failed.error}` : view.state;
  if (view.state === "needs-you" || view.state === "paused") {
    const hint = `Going on tries it again. Without that node: virtu resume ${view.id} --leave-out ${failed?.node ?? "NODE"}; all of its output: virtu runs ${view.id} --output ${failed?.step ?? "STEP"} ${failed?.node ?? "NODE"}.`;
    return ended("needs-you", why, hint);
  }
  return ended(
    "failed",
    `${view.plan.title}: ${why}`,
    "Going on begins this stage again; what is done already is left.",
  );
}
