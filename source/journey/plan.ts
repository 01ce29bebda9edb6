/**
 * A journey's plan is data: steps × nodes with every command written out, so that it can be shown before it runs, kept
 * beside the run's journal, and carried on by another virtu. Planners build it from what they asked the nodes; the runner
 * carries it and adds nothing of its own.
 */
import type { HostRef } from "../ssh/types.ts";

export type JourneyKind = "configure" | "install-ganeti" | "install-libvirt" | "take-back";

/** What a step needs before it may start: that step ended well on this node, or on all nodes that are still in. */
export interface Need {
  step: string;
  on: "this-node" | "all-nodes";
}

/** The part of a step that belongs to one node. Lines of POSIX sh, run as root on the node. */
export interface Cell {
  /** Ends 0 when there is nothing to do any more, 1 when there is; anything else is a failure. Changes nothing. */
  check: string | null;
  /** Does it. Idempotent: run again after half of it was done, it ends in the same state. */
  script: string;
  /** Takes it back, where that makes sense. */
  undo: string | null;
}

export interface Step {
  id: string;
  title: string;
  /** Why it is there, one sentence for the preview. */
  why: string;
  /** What it changes on a node, one sentence. */
  changes: string;
  needs: readonly Need[];
  /** By node name; a node without a cell has no part in this step. */
  cells: Readonly<Record<string, Cell>>;
  /**
   * Runs in a session of its own on the node, its output and end in files, and is found again after any loss. False only
   * for steps that take a secret on standard input, which nothing may keep.
   */
  detached: boolean;
  /** Name of a secret that the script reads from standard input. Asked again when a run is resumed before it. */
  secret: string | null;
  /** Seconds after which the step counts as failed; its process is ended. */
  limitSeconds: number;
  /** The output holds apt's machine-readable progress (`pmstatus:` and `dlstatus:` lines of APT::Status-Fd). */
  progress: "apt" | null;
  /** Values that its output gives by lines `#virtu give NAME VALUE`; later scripts see them as `$NAME`. One line each. */
  gives: readonly string[];
  /** The seconds that it takes by experience, when no past run has taught better. */
  usualSeconds: number;
}

export interface PlanNode {
  name: string;
  host: HostRef;
}

export interface Plan {
  kind: JourneyKind;
  /** `install ganeti on 4 nodes`. */
  title: string;
  /** The site and job that the nodes belong to, if any. */
  site: string | null;
  jobId: number | null;
  nodes: readonly PlanNode[];
  /** In an order in which they may run one after the other. */
  steps: readonly Step[];
  /** The run goes on by itself while at least so many nodes are in; below, it stops and asks. */
  minimum: number;
}

/**
 * - `pending`: what it needs has not ended yet; - `checking`, `running`: now; - `already`: its check said so;
 * - `done`: its script ended 0; - `failed`: with its status; - `lost`: virtu can't reach the node, the step itself goes on;
 * - `skipped`: the user said to go on without it; - `left-out`: its node is out of the run; - `blocked`: what it needs failed.
 */
export type CellState =
  | "pending"
  | "checking"
  | "already"
  | "running"
  | "done"
  | "failed"
  | "lost"
  | "skipped"
  | "left-out"
  | "blocked";

export interface CellView {
  state: CellState;
  /** Epoch milliseconds. */
  startedAt: number | null;
  endedAt: number | null;
  /** Exit status, with `failed` and `done`. */
  status: number | null;
  /** How often it was started. */
  tries: number;
  /** One line: why it failed, or what it found (`sda5`). */
  text: string;
  /** From 0 to 1 where the step tells, else null. */
  share: number | null;
  /** Lines of output so far; the lines themselves are read by `output`. */
  lines: number;
}

export type RunState = "running" | "paused" | "needs-you" | "done" | "failed" | "cancelled" | "interrupted";

/** A run as screens and headless output see it. Replaced, never changed in place. */
export interface RunView {
  id: string;
  plan: Plan;
  state: RunState;
  /** Epoch milliseconds. */
  startedAt: number;
  endedAt: number | null;
  /** By step id, then node name. */
  cells: Readonly<Record<string, Readonly<Record<string, CellView>>>>;
  /** Nodes that were left out. */
  out: readonly string[];
  /** Seconds that it will take yet, learned from past runs, or null. */
  secondsLeft: number | null;
  /** Which engine carries broadcast steps. */
  engine: "pool" | "taktuk";
  /** What the user has to decide, with `needs-you`. */
  problem: string | null;
}

/** What the user decides on a failed step; carried out at once and kept in the journal. */
export type Decision =
  | { do: "retry"; step: string; nodes: readonly string[] }
  | { do: "skip"; step: string; nodes: readonly string[] }
  | { do: "leave-out"; nodes: readonly string[] }
  | { do: "pause" }
  | { do: "go-on" }
  | { do: "cancel" };

/** A run under way in this process. */
export interface RunHandle {
  readonly id: string;
  view(): RunView;
  decide(decision: Decision): void;
  /** Output lines of a cell from a line number on, as they were kept in the run's directory. Control sequences removed. */
  output(step: string, node: string, fromLine: number, count: number): Promise<string[]>;
  /** Resolves with the last view once nothing moves any more without the user (done, failed, cancelled). */
  done: Promise<RunView>;
  /** Stops following; what runs on the nodes goes on, and `resumeRun` finds it. */
  detach(): Promise<void>;
}
