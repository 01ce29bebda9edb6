/** What starting, resuming and listing runs takes and gives. */
import type { JourneyKind, RunState, RunView } from "./plan.ts";

export interface RunOptions {
  /** Id of a run that is started, for who has noted it before; by default a new one. */
  id?: string;
  /** Which engine carries broadcast steps; `auto` (default) chooses by the number of nodes. */
  engine?: "pool" | "taktuk" | "auto";
  /** Asked for the secret of a step, once for all nodes; null: nobody is there, or the user gave none. Never kept. */
  secrets?: (name: string, signal: AbortSignal) => Promise<string | null>;
  /** Told of every change, at most ten times a second; the last view always comes. */
  onView?: (view: RunView) => void;
  /** What happens besides, a sentence at a time: links lost and back, nodes left out by themselves. */
  onNotice?: (text: string) => void;
  /** Take nodes that another run has locked. */
  takeLock?: boolean;
  /** Ends the wait for locks and first contact; a run under way is left with `detach`. */
  signal?: AbortSignal;
  /** Epoch milliseconds. */
  clock?: () => number;
  /** Pauses in milliseconds; for tests. */
  pace?: Partial<RunPace>;
}

export interface RunPace {
  /** First pause before a lost node is tried again; it doubles up to 15 s. */
  backOff: number;
  /** A node on which nothing has started yet fails after so long without an answer. */
  patience: number;
  /** A node whose step has started fails after so long without an answer, once the step's own limit has passed. */
  lostPatience: number;
}

/** A run as its journal tells it. */
export interface RunSummary {
  id: string;
  kind: JourneyKind;
  title: string;
  site: string | null;
  jobId: number | null;
  /** `interrupted`: not at its end, and no virtu carries it now. */
  state: RunState;
  nodes: readonly string[];
  /** Nodes that were left out. */
  out: readonly string[];
  /** Epoch milliseconds. */
  startedAt: number;
  endedAt: number | null;
  /** Cells that have ended well or were skipped, and all of those that are still in. */
  progress: { ended: number; of: number };
  /** The process that carries it now, on this machine. */
  pid: number | null;
}
