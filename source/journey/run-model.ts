/** A run as its journal's records make it. */
import type { Gives, JournalRecord } from "./journal.ts";
import type { Decision, Plan } from "./plan.ts";

/** What is known of a cell for good; what happens at this moment is with whoever carries it. */
export interface CellFacts {
  state: "pending" | "already" | "started" | "done" | "failed" | "skipped";
  startedAt: number | null;
  endedAt: number | null;
  status: number | null;
  tries: number;
  text: string;
  /** Name of the last start on the node; null: none, or not detached. */
  remote: string | null;
  /** The last start may have run, and nobody knows how it ended: to be looked at before another. */
  unknown: boolean;
  gives: Gives;
  /** What the script took, where it said so. */
  seconds: number | null;
  /** Shown lines of its output. */
  lines: number;
}

export interface RunFacts {
  readonly plan: Plan;
  startedAt: number;
  endedAt: number | null;
  over: "done" | "failed" | "cancelled" | null;
  paused: boolean;
  cancelled: boolean;
  engine: "pool" | "taktuk";
  readonly out: Set<string>;
  /** By step id, then node name. */
  readonly cells: ReadonlyMap<string, ReadonlyMap<string, CellFacts>>;
}

const fresh = (): CellFacts => ({
  state: "pending",
  startedAt: null,
  endedAt: null,
  status: null,
  tries: 0,
  text: "",
  remote: null,
  unknown: false,
  gives: {},
  seconds: null,
  lines: 0,
});

export function newFacts(plan: Plan): RunFacts {
  return {
    plan,
    startedAt: 0,
    endedAt: null,
    over: null,
    paused: false,
    cancelled: false,
    engine: "pool",
    out: new Set(),
    cells: new Map(
      plan.steps.map((step) => [
        step.id,
        new Map(plan.nodes.filter(({ name }) => step.cells[name]).map(({ name }) => [name, fresh()])),
      ]),
    ),
  };
}

export function isEndedWell({ state }: Pick<CellFacts, "state">): boolean {
  return state === "done" || state === "already" || state === "skipped";
}

/** Takes a record into the facts. */
export function learn(facts: RunFacts, record: JournalRecord): void {
  switch (record.kind) {
    case "run":
      facts.startedAt = record.at;
      return;
    case "carried":
      facts.engine = record.engine;
      facts.endedAt = null;
      return;
    case "decision":
      decide(facts, record.decision);
      return;
    case "over":
      facts.over = record.state;
      facts.endedAt = record.at;
      return;
    default:
  }
  const cell = facts.cells.get(record.step)?.get(record.node);
  if (!cell) return;
  switch (record.kind) {
    case "already":
      Object.assign(cell, {
        state: "already",
        endedAt: record.at,
        startedAt: cell.startedAt ?? record.at,
        unknown: false,
      });
      Object.assign(cell, { text: record.text, gives: record.gives, status: null });
      return;
    case "start":
      Object.assign(cell, { state: "started", startedAt: record.at, endedAt: null, tries: record.try, text: "" });
      Object.assign(cell, { remote: record.remote, unknown: true, status: null });
      return;
    case "void":
      Object.assign(cell, { state: "pending", remote: null, unknown: false });
      return;
    case "end":
      Object.assign(cell, { state: record.ok ? "done" : "failed", endedAt: record.at, status: record.status });
      Object.assign(cell, { text: record.text, gives: record.gives, unknown: record.unknown ?? false });
      Object.assign(cell, { seconds: record.seconds ?? null, lines: record.lines ?? 0 });
  }
}

function decide(facts: RunFacts, decision: Decision): void {
  switch (decision.do) {
    case "retry":
      for (const node of decision.nodes) {
        const cell = facts.cells.get(decision.step)?.get(node);
        facts.out.delete(node);
        if (cell?.state === "failed" || cell?.state === "skipped") cell.state = cell.unknown ? "started" : "pending";
      }
      return;
    case "skip":
      for (const node of decision.nodes) {
        const cell = facts.cells.get(decision.step)?.get(node);
        if (cell && !isEndedWell(cell)) cell.state = "skipped";
      }
      return;
    case "leave-out":
      for (const node of decision.nodes) facts.out.add(node);
      return;
    case "pause":
      facts.paused = true;
      return;
    case "go-on":
      facts.paused = false;
      return;
    case "cancel":
      facts.cancelled = true;
  }
}

export function factsFrom(plan: Plan, records: readonly JournalRecord[]): RunFacts {
  const facts = newFacts(plan);
  for (const record of records) learn(facts, record);
  return facts;
}

/**
 * Values for a script on a node, from all steps that come before: the node's own where it gave one, else that of the
 * first node in the plan that did (the master's key, for all).
 */
export function valuesFor(facts: RunFacts, node: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const cells of facts.cells.values()) {
    const own = cells.get(node);
    for (const cell of [...[...cells.values()].reverse(), ...(own ? [own] : [])]) {
      for (const [name, value] of Object.entries(cell.gives)) values.set(name, value);
    }
  }
  return values;
}

/** Seconds of the scripts that ended well, by step. */
export function secondsTaken(facts: RunFacts): Map<string, number[]> {
  const taken = new Map<string, number[]>();
  for (const [step, cells] of facts.cells) {
    const seconds = [...cells.values()].flatMap((cell) => (cell.state === "done" ? (cell.seconds ?? []) : []));
    if (seconds.length > 0) taken.set(step, seconds);
  }
  return taken;
}
