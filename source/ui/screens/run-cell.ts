/** One step on one node as it is shown: symbol, word or time, bar. Pure. Times are epoch milliseconds. */
import type { CellState, CellView } from "../../journey/plan.ts";
import { clock, plainLine } from "../../text.ts";
import { bar, cell, glyph, paint, type Style, symbol, toneStyles } from "../theme.ts";

const plainDash = glyph.line === "-" ? "-" : "–";

interface Look {
  symbol: string;
  word: string;
  styles: Style[];
}

/** From what needs the user first to what is well. */
export const worstFirst: readonly CellState[] = [
  "failed",
  "lost",
  "running",
  "checking",
  "blocked",
  "pending",
  "left-out",
  "skipped",
  "done",
  "already",
];

export const looks: Record<CellState, Look> = {
  failed: { symbol: symbol("bad"), word: "failed", styles: toneStyles("bad") },
  lost: { symbol: symbol("unknown"), word: "lost", styles: ["yellow", "bold"] },
  running: { symbol: symbol("busy"), word: "running", styles: toneStyles("busy") },
  checking: { symbol: symbol("busy"), word: "check", styles: toneStyles("busy") },
  blocked: { symbol: glyph.none, word: "blocked", styles: ["dim"] },
  pending: { symbol: glyph.none, word: "waiting", styles: ["dim"] },
  "left-out": { symbol: plainDash, word: "left out", styles: ["dim"] },
  skipped: { symbol: plainDash, word: "skipped", styles: ["yellow"] },
  done: { symbol: glyph.done, word: "done", styles: ["green"] },
  already: { symbol: glyph.done, word: "already", styles: ["green"] },
};

/** Nothing of it will move any more by itself, and nothing has to. */
export const isOver = ({ state }: CellView): boolean =>
  state === "done" || state === "already" || state === "skipped" || state === "left-out";

/** It stands still until somebody decides, or until the node is reached again. */
export const isTrouble = ({ state }: CellView): boolean => state === "failed" || state === "lost";

/** Seconds that it took, or has taken until now; null: it has not begun. */
export function secondsOf(view: CellView, now: number): number | null {
  if (view.startedAt === null) return null;
  return Math.max(0, ((view.endedAt ?? now) - view.startedAt) / 1000);
}

/** A cell's words without its symbol: `1:12`, `already`, `exit 100`, `sda5`. */
function cellWords(view: CellView, now: number, width: number): string {
  const seconds = secondsOf(view, now);
  const time = seconds === null ? "" : clock(seconds);
  const found = plainLine(view.text);
  switch (view.state) {
    case "failed":
      return view.status === null ? "failed" : `exit ${view.status}`;
    case "lost":
      return `lost ${time}`.trimEnd();
    case "running":
      return time || "running";
    case "done":
    case "already": {
      const usual = view.state === "already" ? "already" : time || "done";
      // What it found says more than how long it took, if it has room.
      return found !== "" && found.length <= width - 2 ? found : usual;
    }
    case "pending":
    case "blocked":
      return view.state === "blocked" ? "blocked" : "";
    default:
      return looks[view.state].word;
  }
}

/** A cell in exactly `width` columns; a node without a part in the step shows a dash. */
export function cellText(view: CellView | undefined, width: number, now: number, selected = false): string {
  const end = (text: string, ...styles: Style[]) => paint(text, ...(selected ? (["inverse"] as const) : []), ...styles);
  if (!view) return end(cell(plainDash, width), "dim");
  const { symbol: sign, styles } = looks[view.state];
  if (view.state === "running" && view.share !== null && width >= 8) {
    const share = Math.max(0, Math.min(1, view.share));
    const percent = cell(`${Math.floor(share * 100)}%`, 4, "right");
    const strip = bar(share, width - 7);
    return `${end(`${sign} `, ...styles)}${selected ? paint(strip, "underline") : strip}${end(`${percent} `, ...styles)}`;
  }
  const words = cellWords(view, now, width);
  return end(cell(`${sign}${words === "" ? "" : ` ${words}`}`, width), ...styles);
}
