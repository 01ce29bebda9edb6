/** A way for people and programs without a screen: what happens, and how it ended. */
import { clock, count, iso } from "../text.ts";
import { lookAtRun } from "./run.ts";
import { type CellEnd, runReport } from "./run-report.ts";
import type { Context } from "./types.ts";
import type { StageId, StageState, StageView, WayState, WayView } from "./up-types.ts";

/** One change of a stage, or what it says on its way. */
export interface WayEvent {
  /** ISO 8601. */
  time: string;
  stage: StageId;
  state: StageState;
  text: string;
}

export interface StageEndReport {
  stage: StageId;
  state: StageState;
  seconds: number | null;
  text: string;
  /** Why, with `failed` and `needs-you`. */
  error: string | null;
  hint: string | null;
  /** The run that did it, as `virtu runs` takes it. */
  run: string | null;
}

export interface WayReport {
  run: string;
  file: string | null;
  state: WayState;
  ok: boolean;
  /** Some stage did something this time. */
  changed: boolean;
  job: { site: string; jobId: number } | null;
  stages: StageEndReport[];
  /** Steps of the stages that are runs, with the stage before the name: `install/packages`. */
  steps: CellEnd[];
}

/** Gives the stages that have changed since the last view, each time it is called with a newer one. */
export function wayNews(now: () => number = Date.now): (view: WayView) => WayEvent[] {
  let before: WayView | null = null;
  return (view) => {
    const time = new Date(now()).toISOString();
    const changed = view.stages.filter(
      ({ state }, index) => state !== "waiting" && state !== (before?.stages[index]?.state ?? "waiting"),
    );
    const first = before === null;
    before = view;
    // What had ended before is no news when a way is gone on with.
    return first ? [] : changed.map(({ id, state, text }) => ({ time, stage: id, state, text }));
  };
}

export function stageSeconds({ startedAt, endedAt }: StageView): number | null {
  return startedAt === null || endedAt === null ? null : Math.max(0, Math.round((endedAt - startedAt) / 1000));
}

const isBad = (state: StageState) => state === "failed" || state === "needs-you";

export async function wayReport(context: Pick<Context, "stateDir">, view: WayView): Promise<WayReport> {
  const steps: CellEnd[] = [];
  const stages = view.stages.map((stage): StageEndReport => {
    const { id, state, text, hint } = stage;
    const run = state === "waiting" ? null : (view.runs[id] ?? null);
    return { stage: id, state, seconds: stageSeconds(stage), text, error: isBad(state) ? text : null, hint, run };
  });
  for (const { stage, run } of stages) {
    if (run === null) continue;
    // A run that was pruned is left out.
    const seen = await lookAtRun(context, run).catch(() => null);
    if (seen) steps.push(...runReport(seen).steps.map((end) => ({ ...end, step: `${stage}/${end.step}` })));
  }
  const { site, jobId } = view;
  return {
    run: view.id,
    file: view.file,
    state: view.state,
    ok: view.state === "done",
    changed: view.stages.some(({ state }) => state === "done"),
    job: site !== null && jobId !== null ? { site, jobId } : null,
    stages,
    steps,
  };
}

const words: Readonly<Record<StageState, string>> = {
  waiting: "not begun",
  running: "…",
  "needs-you": "needs you",
  done: "done",
  already: "nothing to do",
  failed: "failed",
  undone: "taken back",
};

export function stageWord(state: StageState): string {
  return words[state];
}

/** A stage in a line. */
export function stageLine(stage: StageView): string {
  const { title, state, text } = stage;
  const seconds = stageSeconds(stage);
  const time = seconds === null || state === "already" ? "" : ` in ${clock(seconds)}`;
  return `${title}: ${words[state]}${time}${text === "" ? "" : ` · ${text}`}`;
}

/** How a way has gone, in a few lines. */
export function wayLines(view: WayView): string[] {
  const bad = view.stages.find(({ state }) => isBad(state));
  const changed = view.stages.some(({ state }) => state === "done");
  const ended = view.state === "done" ? (changed ? "done" : "nothing to do") : view.state.replace("-", " ");
  const time = view.endedAt === null ? "" : ` after ${clock((view.endedAt - view.startedAt) / 1000)}`;
  const lines = [`${view.title}: ${ended}${time}`, ...view.stages.map((stage) => `  ${stageLine(stage)}`)];
  if (bad?.hint) lines.push(`  do: ${bad.hint}`);
  const again = view.file === null ? `virtu resume ${view.id}` : `virtu up ${view.file}`;
  if (view.state === "failed" || view.state === "needs-you" || view.state === "interrupted") {
    lines.push(`  go on:      ${again}`, `  take back:  virtu down ${view.file ?? view.id}`);
  }
  return lines;
}

/** A way in one line of a list. */
export function wayLine(view: WayView): string {
  const ended = view.stages.filter(({ state }) => state === "done" || state === "already").length;
  const started = iso(Math.round(view.startedAt / 1000));
  return `${view.id}  ${view.state.padEnd(11)}  ${ended}/${view.stages.length}  ${started}  ${view.title}, ${count(view.plan.instances.length, "instance")}`;
}
