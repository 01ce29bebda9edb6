/** A run as screens see it: what the journal says, and what happens at this moment. */
import { type Progress, secondsLeft } from "./estimate.ts";
import type { CellState, CellView, RunState, RunView, Step } from "./plan.ts";
import type { Live } from "./run-cell.ts";
import { type CellFacts, isEndedWell, type RunFacts } from "./run-model.ts";
import { cellKey, problemOf, type Schedule } from "./run-schedule.ts";

export interface Now {
  id: string;
  schedule: Schedule;
  live: ReadonlyMap<string, Live>;
  usual: ReadonlyMap<string, number>;
  state: RunState;
  at: number;
}

function cellState(facts: RunFacts, step: string, node: string, cell: CellFacts, now: Now): CellState {
  const key = cellKey(step, node);
  const live = now.live.get(key);
  if (live) return live.lost !== null ? "lost" : live.phase;
  const { state } = cell;
  if (state !== "pending" && state !== "started") return state;
  if (facts.out.has(node)) return "left-out";
  if (state === "started") return now.state === "interrupted" ? "lost" : "running";
  return now.schedule.blocked.has(key) ? "blocked" : "pending";
}

/** Views of one run, one after the other; what has not changed stays the same object. */
export class Views {
  private cells: RunView["cells"] = {};

  make(facts: RunFacts, now: Now): RunView {
    const cells: Record<string, Readonly<Record<string, CellView>>> = {};
    for (const step of facts.plan.steps) cells[step.id] = this.stepView(facts, step, now);
    this.cells = cells;
    return {
      id: now.id,
      plan: facts.plan,
      state: now.state,
      startedAt: facts.startedAt,
      endedAt: facts.endedAt,
      cells,
      out: [...facts.out],
      secondsLeft: facts.over ? null : Math.round(secondsLeft(facts.plan, now.usual, progressIn(facts, now))),
      engine: facts.engine,
      problem: now.state === "needs-you" ? problemOf(facts, now.schedule.failed) : null,
    };
  }

  private stepView(facts: RunFacts, step: Step, now: Now): Readonly<Record<string, CellView>> {
    const before = this.cells[step.id] ?? {};
    const here: Record<string, CellView> = {};
    let changed = false;
    for (const [node, cell] of facts.cells.get(step.id) ?? []) {
      const view = this.cellView(facts, step.id, node, cell, now, before[node]);
      changed ||= view !== before[node];
      here[node] = view;
    }
    return changed ? here : before;
  }

  private cellView(
    facts: RunFacts,
    step: string,
    node: string,
    cell: CellFacts,
    now: Now,
    before: CellView | undefined,
  ): CellView {
    const live = now.live.get(cellKey(step, node));
    const state = cellState(facts, step, node, cell, now);
    const view: CellView = {
      state,
      startedAt: cell.startedAt,
      endedAt: cell.endedAt,
      status: cell.status,
      tries: cell.tries,
      text: live?.lost ?? cell.text,
      share: live?.reader ? live.reader.share : null,
      lines: live?.reader?.shown ?? cell.lines,
    };
    const same = before && (Object.keys(view) as (keyof CellView)[]).every((name) => view[name] === before[name]);
    return same ? before : view;
  }
}

function progressIn(facts: RunFacts, now: Now): (step: string, node: string) => Progress {
  return (step, node) => {
    const cell = facts.cells.get(step)?.get(node);
    if (!cell || facts.out.has(node) || isEndedWell(cell)) return { state: "part" };
    if (cell.state !== "started") return { state: "waits" };
    const share = now.live.get(cellKey(step, node))?.reader?.share ?? null;
    return { state: "runs", seconds: Math.max(0, now.at - (cell.startedAt ?? now.at)) / 1000, share };
  };
}

/** How far a run is: cells that ended well, and all of those that are in. */
export function progressOf(facts: RunFacts): { ended: number; of: number } {
  let endedWell = 0;
  let of = 0;
  for (const cells of facts.cells.values()) {
    for (const [node, cell] of cells) {
      if (facts.out.has(node)) continue;
      of += 1;
      if (isEndedWell(cell)) endedWell += 1;
    }
  }
  return { ended: endedWell, of };
}
