/** A way as its journal's records make it. Pure. */
import { count } from "../text.ts";
import type { Kept } from "./journal.ts";
import type { JobsBefore } from "./reserve.ts";
import type { DeployRequest } from "./types.ts";
import type { StageId, StageState, StageView, UpPlan, WayState, WayView } from "./up-types.ts";
import { stageIds } from "./up-types.ts";

export interface LearnedDeployment {
  id: string;
  nodes: readonly string[];
  environment: DeployRequest["environment"];
  over: boolean;
}

/** What the stages have found out, for those after them and for the next virtu. */
export interface Learned {
  /** The reservation is about to be sent; with it its job is found again. */
  asked: JobsBefore | null;
  jobId: number | null;
  /** The last deployment: what it puts on which nodes, and whether its outcome was taken over. */
  deployment: LearnedDeployment | null;
  /** Nodes that are up with the environment. */
  deployed: readonly string[];
  /** The last run of a stage. */
  runs: Readonly<Partial<Record<StageId, string>>>;
  /** Nodes that a run has left out, this time. */
  out: readonly string[];
  /** By what root's password is known again; see `passwordMark`. */
  passwordMark: string | null;
  /** The nodes that have the VM manager, and the master with Ganeti. */
  installed: readonly string[];
  master: string | null;
  /** Names of instances that the way has begun to make, and of those that it has made. */
  begun: readonly string[];
  made: readonly string[];
}

export const nothingLearned: Learned = {
  asked: null,
  jobId: null,
  deployment: null,
  deployed: [],
  runs: {},
  out: [],
  passwordMark: null,
  installed: [],
  master: null,
  begun: [],
  made: [],
};

export interface StageEnd {
  state: "done" | "already" | "failed" | "needs-you";
  text: string;
  hint: string | null;
}

export type WayEntry =
  /** The first one, and again whenever the file has changed. `text` is the file's. */
  | { kind: "way"; version: 1; id: string; file: string | null; text: string }
  /** A virtu carries the way from here on. */
  | { kind: "carried"; pid: number; host: string }
  /** All stages are gone through from the first on. */
  | { kind: "pass" }
  | { kind: "begin"; stage: StageId }
  | { kind: "learned"; what: Partial<Learned> }
  | ({ kind: "end"; stage: StageId } & StageEnd)
  /** Stages were taken back. */
  | { kind: "undone"; stages: readonly StageId[] }
  /** `closed`: nothing of it is left, so the same file begins a new way. */
  | { kind: "over"; state: Exclude<WayState, "running" | "interrupted">; closed?: boolean };

export const wayKinds: ReadonlySet<string> = new Set([
  "way",
  "carried",
  "pass",
  "begin",
  "learned",
  "end",
  "undone",
  "over",
] satisfies WayEntry["kind"][]);

export interface StageFacts {
  state: StageState;
  startedAt: number | null;
  endedAt: number | null;
  text: string;
  hint: string | null;
}

export interface WayFacts {
  file: string | null;
  text: string;
  startedAt: number;
  endedAt: number | null;
  over: Exclude<WayState, "running" | "interrupted"> | null;
  closed: boolean;
  /** How often the stages were gone through. */
  passes: number;
  stages: Readonly<Record<StageId, StageFacts>>;
  learned: Learned;
}

const freshStage: StageFacts = { state: "waiting", startedAt: null, endedAt: null, text: "", hint: null };

const freshStages = (): Record<StageId, StageFacts> =>
  Object.fromEntries(stageIds.map((id) => [id, freshStage])) as Record<StageId, StageFacts>;

export const newWay: WayFacts = {
  file: null,
  text: "",
  startedAt: 0,
  endedAt: null,
  over: null,
  closed: false,
  passes: 0,
  stages: freshStages(),
  learned: nothingLearned,
};

/** Facts after one more record. */
export function learnWay(facts: WayFacts, record: Kept<WayEntry>): WayFacts {
  const withStage = (id: StageId, change: Partial<StageFacts>): WayFacts => ({
    ...facts,
    stages: { ...facts.stages, [id]: { ...facts.stages[id], ...change } },
  });
  switch (record.kind) {
    case "way":
      return { ...facts, file: record.file, text: record.text, startedAt: facts.startedAt || record.at };
    case "carried":
      return { ...facts, endedAt: null, over: facts.over, closed: false };
    case "pass":
      return {
        ...facts,
        over: null,
        endedAt: null,
        startedAt: record.at,
        passes: facts.passes + 1,
        stages: freshStages(),
        learned: { ...facts.learned, out: [] },
      };
    case "begin":
      return withStage(record.stage, { ...freshStage, state: "running", startedAt: record.at });
    case "learned":
      return { ...facts, learned: { ...facts.learned, ...record.what } };
    case "end": {
      const { state, text, hint } = record;
      return withStage(record.stage, { state, text, hint, endedAt: record.at });
    }
    case "undone": {
      const stages = { ...facts.stages };
      for (const id of record.stages) stages[id] = { ...freshStage, state: "undone" };
      return { ...facts, stages };
    }
    case "over":
      return { ...facts, over: record.state, closed: record.closed ?? false, endedAt: record.at };
  }
}

export function wayFrom(records: readonly Kept<WayEntry>[]): WayFacts {
  return records.reduce(learnWay, newWay);
}

/** `ganeti on 4 nodes of rennes`. */
export function wayTitle({ nodes, install, deploy }: UpPlan): string {
  const what = install?.provider ?? (deploy ? "deployed" : "configured");
  if (nodes.kind === "job") return `${what} on job ${nodes.jobId} of ${nodes.site}`;
  const many = nodes.kind === "hosts" ? nodes.names.length : nodes.request.nodes;
  return `${what} on ${count(many, "node")}${nodes.kind === "reserve" ? ` of ${nodes.site}` : ""}`;
}

/** @param titles Of the stages that the plan has, in their order. */
export function wayView(
  facts: WayFacts,
  about: { id: string; plan: UpPlan; titles: ReadonlyMap<StageId, string>; carried: boolean },
): WayView {
  const { plan, titles } = about;
  const { learned } = facts;
  return {
    id: about.id,
    title: wayTitle(plan),
    file: facts.file,
    plan,
    state: facts.over ?? (about.carried ? "running" : "interrupted"),
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    stages: [...titles].map(([id, title]): StageView => ({ id, title, ...facts.stages[id] })),
    site: plan.nodes.kind === "hosts" ? null : plan.nodes.site,
    jobId: plan.nodes.kind === "job" ? plan.nodes.jobId : learned.jobId,
    deployment: learned.deployment?.id ?? null,
    runs: learned.runs,
  };
}
