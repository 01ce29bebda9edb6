/** A run as it is shown: its line, its counts, its share, why a step failed. Pure. Times are epoch milliseconds. */
import type { CellState, CellView, RunState, RunView, Step } from "../../journey/plan.ts";
import type { RunSummary } from "../../journey/run-types.ts";
import { clock, count, plainLine } from "../../text.ts";
import { bar, cell, glyph, paint, state, type Tone, widthOf } from "../theme.ts";
import { shortNames } from "./node-names.ts";
import { isOver, isTrouble, looks, secondsOf, worstFirst } from "./run-cell.ts";

const states: Record<RunState, { tone: Tone; word: string }> = {
  running: { tone: "busy", word: "running" },
  paused: { tone: "paused", word: "paused" },
  "needs-you": { tone: "warning", word: "needs you" },
  done: { tone: "good", word: "done" },
  failed: { tone: "bad", word: "failed" },
  cancelled: { tone: "idle", word: "cancelled" },
  interrupted: { tone: "unknown", word: "interrupted" },
};

export const runState = (run: { state: RunState }): { tone: Tone; word: string } => states[run.state];

/** A step's cells by node, in the plan's order; nodes without a part in it are left out. */
export function cellsOf(run: RunView, step: Step): { node: string; view: CellView }[] {
  const views = run.cells[step.id] ?? {};
  return run.plan.nodes.flatMap(({ name }) => {
    const view = views[name];
    return view && step.cells[name] ? [{ node: name, view }] : [];
  });
}

/** How much of a cell is done, 0 to 1. */
function cellShare(view: CellView, step: Step, now: number): number {
  if (isOver(view)) return 1;
  if (view.state !== "running" && view.state !== "lost") return 0;
  if (view.share !== null) return view.share;
  return Math.min(0.95, (secondsOf(view, now) ?? 0) / Math.max(1, step.usualSeconds));
}

/** How much of a step is done on all its nodes, 0 to 1. */
export function stepShare(run: RunView, step: Step, now: number): number {
  const cells = cellsOf(run, step);
  if (cells.length === 0) return 1;
  return cells.reduce((sum, { view }) => sum + cellShare(view, step, now), 0) / cells.length;
}

/** How much of the run is done, 0 to 1; steps count by the time that they usually take. */
export function runShare(run: RunView, now: number): number {
  if (run.state === "done") return 1;
  let done = 0;
  let all = 0;
  for (const step of run.plan.steps) {
    const weight = Math.max(1, step.usualSeconds) * cellsOf(run, step).length;
    all += weight;
    done += weight * stepShare(run, step, now);
  }
  return all === 0 ? 0 : Math.min(0.99, done / all);
}

/** Number of the furthest step under way, from 1; while none is, of the first that is not over on every node. */
export function stepNumber(run: RunView): number {
  const busy = run.plan.steps.findLastIndex((step) =>
    cellsOf(run, step).some(({ view }) => view.state === "running" || view.state === "checking"),
  );
  if (busy >= 0) return busy + 1;
  const index = run.plan.steps.findIndex((step) => cellsOf(run, step).some(({ view }) => !isOver(view)));
  return index < 0 ? run.plan.steps.length : index + 1;
}

/** `~4 min left`; empty while nobody can tell. */
export function leftText(seconds: number | null): string {
  if (seconds === null) return "";
  return seconds < 60 ? "<1 min left" : `~${Math.round(seconds / 60)} min left`;
}

/** The first line in `width` columns: what, which step, how long, how long yet, the bar. */
export function runLine(run: RunView, width: number, now: number): string {
  const barWidth = Math.max(8, Math.min(40, Math.floor(width / 8)));
  const share = runShare(run, now);
  const tail = ` ${bar(share, barWidth)} ${cell(`${Math.floor(share * 100)} %`, 5, "right")}`;
  const { tone, word } = runState(run);
  const steps = run.plan.steps.length;
  const open = run.state === "running" || run.state === "paused" || run.state === "needs-you";
  const parts = [
    plainLine(run.plan.title),
    open ? `step ${stepNumber(run)} of ${steps}` : count(steps, "step"),
    clock(((run.endedAt ?? now) - run.startedAt) / 1000),
    run.state === "running" ? leftText(run.secondsLeft) : "",
  ].filter(Boolean);
  const lead = run.state === "running" ? "" : `${state(tone, word)} · `;
  const leadWidth = run.state === "running" ? 0 : widthOf(word) + 5;
  return `${lead}${paint(cell(parts.join(" · "), Math.max(8, width - leadWidth - barWidth - 7)), "bold")}${tail}`;
}

/** How many cells of a step are in each state, worst first. */
export function countStates(cells: readonly { view: CellView }[]): [CellState, number][] {
  const counts = new Map<CellState, number>();
  for (const { view } of cells) counts.set(view.state, (counts.get(view.state) ?? 0) + 1);
  return worstFirst.flatMap((name) => {
    const number = counts.get(name);
    return number ? [[name, number] as [CellState, number]] : [];
  });
}

/** `3 ✗ failed  12 ◐ running  185 ✓ done`, in exactly `width` columns; the words of the best go first when room is short. */
export function countsText(counts: readonly [CellState, number][], width: number): string {
  const part = ([name, number]: [CellState, number], words: boolean) => {
    const { symbol: sign, word } = looks[name];
    return `${number} ${sign}${words || name === "already" ? ` ${word}` : ""}`;
  };
  for (let worded = counts.length; worded >= 0; worded -= 1) {
    const texts = counts.map((entry, index) => part(entry, index < worded));
    const used = widthOf(texts.join("  "));
    if (used > width && worded > 0) continue;
    if (used > width) return cell(texts.join("  "), width);
    const coloured = texts.map((text, index) =>
      paint(text, ...looks[(counts[index] as [CellState, number])[0]].styles),
    );
    return coloured.join("  ") + " ".repeat(width - used);
  }
  return " ".repeat(width);
}

/** Cells that stand still, in the order of steps and nodes. */
export function troubles(run: RunView): { step: Step; node: string; view: CellView }[] {
  return run.plan.steps.flatMap((step) =>
    cellsOf(run, step)
      .filter(({ view }) => isTrouble(view))
      .map((found) => ({ step, ...found })),
  );
}

/** `paravance-30 · packages · ✗ exit 100 · 0:31 · 2nd try`. */
export function cellTitle(run: RunView, step: Step, node: string, now: number, lines = true): string {
  const [short = node] = shortNames([node]);
  const view = run.cells[step.id]?.[node];
  if (!view || !step.cells[node]) return `${short} · ${plainLine(step.title)} · has no part in it`;
  const seconds = secondsOf(view, now);
  const { symbol: sign, word } = looks[view.state];
  return [
    short,
    plainLine(step.title),
    `${sign} ${view.state === "failed" && view.status !== null ? `exit ${view.status}` : word}`,
    seconds === null ? "" : clock(seconds),
    view.tries > 1 ? `try ${view.tries}` : "",
    lines && view.lines > 0 ? count(view.lines, "line") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Why a cell stands as it does, one line; empty when there is nothing to say. */
export function cellReason(view: CellView | undefined): string {
  return view && (isTrouble(view) || view.state === "blocked") ? plainLine(view.text) : "";
}

/** What stands still and what to do, one line; null when nothing does. */
export function troubleLine(run: RunView): string | null {
  const found = troubles(run);
  const first = found[0];
  if (!first) return run.problem && run.state !== "done" ? plainLine(run.problem) : null;
  const lost = found.filter(({ view }) => view.state === "lost").length;
  const nodes = new Set(found.map(({ node }) => node)).size;
  if (lost === found.length) {
    return `${count(nodes, "node")} can't be reached; what runs there goes on and is found again.`;
  }
  const many =
    found.length > 1
      ? "n next · r retry · R all of the step · s skip · o leave out"
      : "n goes there · r retry · s skip · o leave it out";
  return `${count(nodes, "node")} ${nodes === 1 ? "stands" : "stand"} still: ${many}`;
}

/** How much of a listed run is done, 0 to 1. */
export function summaryShare({ state: now, progress }: RunSummary): number {
  if (now === "done") return 1;
  return progress.of === 0 ? 0 : progress.ended / progress.of;
}

const corners = glyph.line === "─" ? (["┌┐└┘", "│"] as const) : (["++++", "|"] as const);

/** Lines in a frame of exactly `columns` columns and `rows` rows (both lines of the frame included). */
export function boxLines(title: string, lines: readonly string[], columns: number, rows: number): string[] {
  const [corner, side] = corners;
  const inner = columns - 4;
  const head = cell(` ${title} `, Math.min(widthOf(title) + 2, columns - 2));
  return [
    `${corner[0]}${head}${glyph.line.repeat(Math.max(0, columns - 2 - widthOf(head)))}${corner[1]}`,
    ...Array.from(
      { length: Math.max(0, rows - 2) },
      (_, index) => `${side} ${cell(lines[index] ?? "", inner)} ${side}`,
    ),
    `${corner[2]}${glyph.line.repeat(columns - 2)}${corner[3]}`,
  ];
}
