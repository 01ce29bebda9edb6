/** A run for people and programs without a screen: what has happened between two views, and how it ended. Pure. */
import { clock, count } from "../text.ts";
import type { CellState, CellView, RunView } from "./plan.ts";

/** One change of one cell. */
export interface RunEvent {
  /** ISO 8601. */
  time: string;
  step: string;
  node: string;
  state: CellState;
  status: number | null;
  /** Why it failed or is lost, or what it found. */
  text: string;
}

/** The end of a cell, in the words of the headless interface. */
export interface CellEnd {
  step: string;
  node: string;
  state: "done" | "already" | "failed" | "skipped" | "cancelled";
  seconds: number | null;
  error: string | null;
}

export interface RunReport {
  run: string;
  state: RunView["state"];
  /** Everything is done on all nodes. */
  ok: boolean;
  /** Some step did something. */
  changed: boolean;
  /** Nodes that were left out. */
  out: readonly string[];
  problem: string | null;
  steps: CellEnd[];
}

const quiet = new Set<CellState>(["pending", "checking"]);

function* cellsOf(view: RunView): Generator<[step: string, node: string, cell: CellView]> {
  for (const step of view.plan.steps) {
    for (const [node, cell] of Object.entries(view.cells[step.id] ?? {})) yield [step.id, node, cell];
  }
}

/** Gives the changes since the last view, each time it is called with a newer one. */
export function runNews(now: () => number = Date.now): (view: RunView) => RunEvent[] {
  let before: RunView | null = null;
  return (view) => {
    const time = new Date(now()).toISOString();
    const events: RunEvent[] = [];
    for (const [step, node, cell] of cellsOf(view)) {
      const known = before?.cells[step]?.[node]?.state ?? "pending";
      // What had ended before is no news when a run is resumed, but for what it waits.
      const old = before === null && cell.state !== "running" && cell.state !== "failed";
      if (cell.state === known || quiet.has(cell.state) || old) continue;
      events.push({ time, step, node, state: cell.state, status: cell.status, text: cell.text });
    }
    before = view;
    return events;
  };
}

export function secondsOf({ startedAt, endedAt }: CellView): number | null {
  return startedAt === null || endedAt === null ? null : Math.max(0, Math.round((endedAt - startedAt) / 1000));
}

const words: Partial<Record<CellState, string>> = { already: "nothing to do", "left-out": "left out", lost: "lost" };

/** An event as a line. */
export function eventLine(view: RunView, event: RunEvent): string {
  const since = clock((Date.parse(event.time) - view.startedAt) / 1000);
  const title = view.plan.steps.find(({ id }) => id === event.step)?.title ?? event.step;
  const cell = view.cells[event.step]?.[event.node];
  const seconds = event.state === "done" && cell ? secondsOf(cell) : null;
  const how = `${words[event.state] ?? event.state}${seconds === null ? "" : ` in ${clock(seconds)}`}`;
  return `${since}  ${event.node}  ${title}: ${how}${event.text === "" ? "" : `: ${event.text}`}`;
}

function endOf(view: RunView, cell: CellView): CellEnd["state"] {
  if (cell.state === "done" || cell.state === "already" || cell.state === "failed" || cell.state === "skipped")
    return cell.state;
  return view.state !== "cancelled" && cell.state === "left-out" ? "skipped" : "cancelled";
}

export function runReport(view: RunView): RunReport {
  const steps: CellEnd[] = [];
  for (const [step, node, cell] of cellsOf(view)) {
    const state = endOf(view, cell);
    steps.push({ step, node, state, seconds: secondsOf(cell), error: state === "failed" ? cell.text : null });
  }
  return {
    run: view.id,
    state: view.state,
    ok: view.state === "done" && view.out.length === 0,
    changed: steps.some(({ state }) => state === "done"),
    out: view.out,
    problem: view.problem,
    steps,
  };
}

/** How a run has gone, in a few lines. */
export function reportLines(view: RunView): string[] {
  const { steps, changed } = runReport(view);
  const failed = steps.filter(({ state }) => state === "failed");
  const endedAt = view.endedAt ?? Date.now();
  const lines = [`${view.plan.title}: ${stateText(view, changed)} after ${clock((endedAt - view.startedAt) / 1000)}`];
  if (view.out.length > 0) lines.push(`  left out: ${view.out.join(", ")}`);
  for (const { step, node, error } of failed) lines.push(`  ${node}  ${step} failed: ${error}`);
  if (view.state === "needs-you") lines.push(...nextLines(view, failed));
  return lines;
}

function stateText(view: RunView, changed: boolean): string {
  switch (view.state) {
    case "done": {
      const nodes = count(view.plan.nodes.length - view.out.length, "node");
      return changed ? `done on ${nodes}` : `nothing to do on ${nodes}`;
    }
    case "needs-you":
      return "waits for your decision";
    case "interrupted":
      return "was interrupted";
    case "failed":
      return "no node is left";
    default:
      return view.state;
  }
}

function nextLines(view: RunView, failed: readonly CellEnd[]): string[] {
  const [first] = failed;
  if (!first) return [];
  const resume = `virtu resume ${view.id}`;
  return [
    `  try again:       ${resume} --retry ${first.step}`,
    `  leave node out:  ${resume} --leave-out ${first.node}`,
    `  see all of it:   virtu runs ${view.id} --output ${first.step} ${first.node}`,
  ];
}

/** Whether some node has come to its end although the run has not. */
export function someNodeIsThrough(view: RunView): boolean {
  return view.plan.nodes.some(({ name }) => {
    if (view.out.includes(name)) return false;
    return view.plan.steps.every(({ id }) => {
      const cell = view.cells[id]?.[name];
      return !cell || ["done", "already", "skipped"].includes(cell.state);
    });
  });
}
