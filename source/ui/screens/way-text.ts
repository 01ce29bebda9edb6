/** A way's stages as lines. Pure. Times are epoch milliseconds. */
import type { RunView } from "../../journey/plan.ts";
import type { Deployment } from "../../journey/types.ts";
import { stageWord } from "../../journey/up-report.ts";
import type { StageState, StageView, WayState, WayView } from "../../journey/up-types.ts";
import { clock, count, plainLine } from "../../text.ts";
import { cell, state, type Tone } from "../theme.ts";
import { stepNumber, troubles } from "./run-text.ts";

const tones: Readonly<Record<StageState, Tone>> = {
  waiting: "idle",
  running: "busy",
  "needs-you": "warning",
  done: "good",
  already: "good",
  failed: "bad",
  undone: "idle",
};

const ways: Readonly<Record<WayState, { tone: Tone; word: string }>> = {
  running: { tone: "busy", word: "under way" },
  "needs-you": { tone: "warning", word: "needs you" },
  done: { tone: "good", word: "done" },
  failed: { tone: "bad", word: "failed" },
  cancelled: { tone: "idle", word: "cancelled" },
  interrupted: { tone: "unknown", word: "interrupted" },
  undone: { tone: "idle", word: "taken back" },
};

export const wayState = (view: Pick<WayView, "state">): { tone: Tone; word: string } => ways[view.state];

const stateWidth = 15;
const titleWidth = 24;
const timeWidth = 7;

/** What a stage that is under way does now, by the run or the deployment that it stands for. */
export interface Underway {
  /** A run that nobody goes on with by itself. */
  waits: boolean;
  text: string;
}

export function underwayOf(run: RunView | undefined, deployment: Deployment | undefined): Underway | null {
  if (run?.state === "needs-you") {
    const nodes = new Set(troubles(run).map(({ node }) => node)).size;
    return { waits: true, text: `⏎: ${count(nodes, "node")} ${nodes === 1 ? "stands" : "stand"} still` };
  }
  if (run?.state === "paused") return { waits: true, text: "⏎: paused, p there goes on" };
  if (run?.state === "running") return { waits: false, text: `step ${stepNumber(run)} of ${run.plan.steps.length}` };
  if (deployment?.state === "running" || deployment?.state === "checking") {
    const up = deployment.progress.filter(({ state: one }) => one === "deployed").length;
    return { waits: false, text: `${up} of ${count(deployment.nodes.length, "node")} up with ${deployment.title}` };
  }
  return null;
}

/** One stage in `width` columns. `saying`: what it says, where nothing better is known of what it does now. */
export function stageRow(
  found: StageView,
  saying: string | null,
  width: number,
  now: number,
  underway: Underway | null = null,
): string {
  const stage: StageView = underway?.waits ? { ...found, state: "needs-you", text: underway.text } : found;
  const word = stage.state === "running" ? "working" : stageWord(stage.state);
  const until = stage.endedAt ?? (found.state === "running" ? now : null);
  const time = stage.startedAt === null || until === null ? "" : clock((until - stage.startedAt) / 1000);
  const text = plainLine(stage.state === "running" ? (underway?.text ?? saying ?? "") : stage.text);
  const rest = width - stateWidth - titleWidth - timeWidth - 3;
  return [
    state(tones[stage.state], cell(word, stateWidth - 2)),
    cell(stage.title, titleWidth),
    cell(time, timeWidth, "right"),
    cell(text, Math.max(0, rest)),
  ].join(" ");
}
