/** A way's stages as lines. Pure. Times are epoch milliseconds. */
import { stageWord } from "../../journey/up-report.ts";
import type { StageState, StageView, WayState, WayView } from "../../journey/up-types.ts";
import { clock, plainLine } from "../../text.ts";
import { cell, state, type Tone } from "../theme.ts";

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

/** One stage in `width` columns. `saying`: what it does now. */
export function stageRow(stage: StageView, saying: string | null, width: number, now: number): string {
  const word = stage.state === "running" ? "working" : stageWord(stage.state);
  const until = stage.endedAt ?? (stage.state === "running" ? now : null);
  const time = stage.startedAt === null || until === null ? "" : clock((until - stage.startedAt) / 1000);
  const text = plainLine(stage.state === "running" ? (saying ?? "") : stage.text);
  const rest = width - stateWidth - titleWidth - timeWidth - 3;
  return [
    state(tones[stage.state], cell(word, stateWidth - 2)),
    cell(stage.title, titleWidth),
    cell(time, timeWidth, "right"),
    cell(text, Math.max(0, rest)),
  ].join(" ");
}
