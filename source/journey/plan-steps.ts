/** Building steps of a plan with what most of them have in common. */
import type { Command } from "../ssh/command.ts";
import type { Cell, Need, Step } from "./plan.ts";

export interface StepDraft extends Omit<Step, "needs"> {
  /** `STEP`: on the same node; `all:STEP`: on all nodes that are still in. Steps that the plan has not are passed over. */
  needs: readonly string[];
}

type Optional = "needs" | "detached" | "secret" | "limitSeconds" | "progress" | "gives" | "usualSeconds";

export function step(
  draft: Omit<StepDraft, Optional | "cells"> &
    Partial<Pick<StepDraft, Optional>> & { cells: readonly (readonly [node: string, cell: Cell])[] },
): StepDraft {
  return {
    needs: [],
    // What takes a secret may leave no trace in files.
    detached: (draft.secret ?? null) === null,
    secret: null,
    limitSeconds: 120,
    progress: null,
    gives: [],
    usualSeconds: 1,
    ...draft,
    cells: Object.fromEntries(draft.cells),
  };
}

export function cell(check: Command | null, script: Command, undo: Command | null = null): Cell {
  return { check: check?.line ?? null, script: script.line, undo: undo?.line ?? null };
}

/** The steps that have anything to do, with their needs among these. */
export function stepsOf(drafts: readonly StepDraft[]): Step[] {
  const kept = drafts.filter(({ cells }) => Object.keys(cells).length > 0);
  const ids = new Set(kept.map(({ id }) => id));
  return kept.map(({ needs, ...rest }) => ({
    ...rest,
    needs: needs.flatMap((need): Need[] => {
      const [, all, id = ""] = /^(all:)?(.*)$/.exec(need) ?? [];
      return ids.has(id) ? [{ step: id, on: all ? "all-nodes" : "this-node" }] : [];
    }),
  }));
}
