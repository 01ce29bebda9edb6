/** What is known of runs: the list from the journals, and those that this virtu carries. */
import type { VirtuError } from "../errors.ts";
import type { Answers } from "../journey/ask-nodes.ts";
import type { PlanNode, RunView } from "../journey/plan.ts";
import type { RunSummary } from "../journey/run-types.ts";
import { type Loaded, nothing } from "./loaded.ts";

/** Nodes that were asked what they are, for a plan. */
export interface NodesAsked {
  /** By what this set of nodes is known again. */
  key: string;
  nodes: readonly PlanNode[];
  /** How many have answered or failed. */
  answered: number;
  /** Whole once `over`; until then only the failures. */
  answers: Answers;
  over: boolean;
  /** Why the question as a whole failed, or null. */
  error: VirtuError | null;
}

export interface RunsKnown {
  /** From the journals, newest first. */
  list: Loaded<readonly RunSummary[]>;
  /** Runs that this virtu carries or has opened, by id; newest values win. */
  views: Readonly<Record<string, RunView>>;
  /** Runs that are being opened. */
  opening: readonly string[];
  /** Why a run can't be carried on, by its id. */
  errors: Readonly<Record<string, VirtuError>>;
  /** Title of the plan whose run is being started, or null. */
  starting: string | null;
  /** Why the last plan could not be started, or null. */
  startError: VirtuError | null;
  /** The nodes of the form that is open, or null. */
  asked: NodesAsked | null;
}

export type RunsEvent =
  | { type: "runs"; change: Partial<Loaded<readonly RunSummary[]>> }
  | { type: "run"; view: RunView }
  | { type: "run-opening"; id: string; on: boolean }
  | { type: "run-error"; id: string; error: VirtuError }
  | { type: "run-start"; title: string | null; error: VirtuError | null }
  | { type: "asked"; asked: NodesAsked | null };

export const noRuns: RunsKnown = {
  list: nothing([]),
  views: {},
  opening: [],
  errors: {},
  starting: null,
  startError: null,
  asked: null,
};

export function reduceRuns(runs: RunsKnown, event: RunsEvent): RunsKnown {
  switch (event.type) {
    case "runs":
      return { ...runs, list: { ...runs.list, ...event.change } };
    case "run":
      return { ...runs, views: { ...runs.views, [event.view.id]: event.view } };
    case "run-opening": {
      const opening = runs.opening.filter((id) => id !== event.id);
      if (!event.on) return { ...runs, opening };
      const { [event.id]: _, ...errors } = runs.errors;
      return { ...runs, opening: [...opening, event.id], errors };
    }
    case "run-error":
      return { ...runs, errors: { ...runs.errors, [event.id]: event.error } };
    case "run-start":
      return { ...runs, starting: event.title, startError: event.error };
    case "asked":
      return { ...runs, asked: event.asked };
  }
}

/** True while the run can still move. */
export const runIsOpen = ({ state }: { state: RunView["state"] }): boolean =>
  state === "running" || state === "paused" || state === "needs-you" || state === "interrupted";
