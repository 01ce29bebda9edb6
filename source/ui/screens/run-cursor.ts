/** The cursor of the matrix: a step and a node. Until it is moved it stays where the run needs somebody, or works. */
import type { CellState, RunView } from "../../journey/plan.ts";
import { useRemembered } from "../hooks.ts";
import { type ListState, listStart, type Move, moved, viewOf } from "../list.ts";
import { cellsOf, troubles } from "./run-text.ts";

export interface CursorState {
  rows: ListState;
  columns: ListState;
  /** The user has not moved it yet. */
  own: boolean;
}

const start: CursorState = { rows: listStart, columns: listStart, own: false };

/** Where one would look: the first failure, else what works now (a lost node comes back by itself), else the end. */
export function placeOf(run: RunView): { step: string; node: string } | null {
  const trouble = troubles(run).find(({ view }) => view.state === "failed");
  if (trouble) return { step: trouble.step.id, node: trouble.node };
  const waits: readonly CellState[] = ["pending", "lost"];
  for (const wanted of [["running", "checking"] as readonly CellState[], waits]) {
    for (const step of run.plan.steps) {
      const found = cellsOf(run, step).find(({ view }) => wanted.includes(view.state));
      if (found) return { step: step.id, node: found.node };
    }
  }
  const last = run.plan.steps[run.plan.steps.length - 1];
  const node = run.plan.nodes[0]?.name;
  return last && node !== undefined ? { step: last.id, node } : null;
}

/** The next trouble after a cell, by steps and then nodes, round and round. */
export function nextTrouble(
  run: RunView,
  step: string | null,
  node: string | null,
): { step: string; node: string } | null {
  const all = troubles(run);
  const stepAt = run.plan.steps.findIndex(({ id }) => id === step);
  const nodeAt = run.plan.nodes.findIndex(({ name }) => name === node);
  const place = (one: (typeof all)[number]) =>
    run.plan.steps.indexOf(one.step) * run.plan.nodes.length +
    run.plan.nodes.findIndex(({ name }) => name === one.node);
  const here = stepAt * run.plan.nodes.length + nodeAt;
  const found = all.find((one) => place(one) > here) ?? all[0];
  return found ? { step: found.step.id, node: found.node } : null;
}

export interface Cursor {
  step: string | null;
  node: string | null;
  /** First step and first node that are shown. */
  rowOffset: number;
  columnOffset: number;
  row: number;
  moveRows: (move: Move) => void;
  moveColumns: (by: "left" | "right") => void;
  goTo: (place: { step: string; node: string }) => void;
}

/** The cursor of a run in a window of so many steps and nodes. */
export function useCursor(run: RunView, height: number, fit: number): Cursor {
  const [state, setState] = useRemembered<CursorState>(`run:${run.id}:cursor`, start);
  const steps = run.plan.steps.map(({ id }) => id);
  const nodes = run.plan.nodes.map(({ name }) => name);
  const at = (list: ListState, keys: readonly string[], key: string | undefined): ListState =>
    key === undefined ? list : { ...list, key, index: Math.max(0, keys.indexOf(key)) };
  const settle = (before: CursorState): CursorState => {
    if (before.own) return before;
    const place = placeOf(run);
    return { ...before, rows: at(before.rows, steps, place?.step), columns: at(before.columns, nodes, place?.node) };
  };
  const { rows, columns } = settle(state);
  const rowView = viewOf(rows, steps, height);
  const columnView = viewOf(columns, nodes, fit);
  return {
    step: steps[rowView.index] ?? null,
    node: nodes[columnView.index] ?? null,
    row: rowView.index,
    rowOffset: rowView.offset,
    columnOffset: columnView.offset,
    moveRows: (move) =>
      setState((before) => {
        const now = settle(before);
        return { ...now, own: true, rows: moved(now.rows, steps, height, move) };
      }),
    moveColumns: (by) =>
      setState((before) => {
        const now = settle(before);
        return { ...now, own: true, columns: moved(now.columns, nodes, fit, by === "left" ? "up" : "down") };
      }),
    goTo: ({ step, node }) =>
      setState((before) => ({
        own: true,
        rows: at(before.rows, steps, step),
        columns: at(before.columns, nodes, node),
      })),
  };
}
