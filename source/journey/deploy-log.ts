/** What a deployment's output on the frontend says: attempts of kadeploy3, marked by the script that runs them. Pure. */
import type { KadeployOutcome, KadeployState } from "../tools/kadeploy-progress.ts";
import { advance, conclude, progressOf, startKadeploy } from "../tools/kadeploy-progress.ts";
import type { DeployRequest, FailedNode, NodeProgress } from "./types.ts";

/** What was asked for, as it is kept beside the deployment. */
export interface DeployMeta {
  site: string;
  jobId: number;
  title: string;
  nodes: string[];
  environment: DeployRequest["environment"];
  minimum: number;
  retries: number;
  startedAt: number;
}

export interface DeployLog {
  readonly meta: DeployMeta;
  /** Seconds to add to the frontend's clock to have ours. */
  readonly skew: number;
  readonly attempt: number;
  readonly run: KadeployState | null;
  /** Last known progress of each node that is in no running attempt. */
  readonly settled: ReadonlyMap<string, NodeProgress>;
  readonly failed: ReadonlyMap<string, FailedNode>;
  /** Nodes that kadeploy3 wrote to, in any attempt: their host keys are new. */
  readonly touched: ReadonlySet<string>;
  readonly refusal: KadeployOutcome["refusal"];
  /** Somebody pressed Ctrl-C at kadeploy3, this program or another. */
  readonly cancelled: boolean;
  readonly lists: { into: "ok" | "ko" | null; ok: readonly string[]; ko: readonly string[]; status: number | null };
  readonly endedAt: number | null;
  readonly log: readonly string[];
}

const logLines = 400;
const noLists = { into: null, ok: [], ko: [], status: null } as const;

export function startLog(meta: DeployMeta, skew: number): DeployLog {
  return {
    meta,
    skew,
    attempt: 0,
    run: null,
    settled: new Map(progressOf(startKadeploy(meta.nodes, meta.startedAt)).map((node) => [node.node, node])),
    failed: new Map(),
    touched: new Set(),
    refusal: null,
    cancelled: false,
    lists: noLists,
    endedAt: null,
    log: [],
  };
}

/** All nodes asked for, in that order. */
export function progressIn(log: DeployLog): NodeProgress[] {
  const now = new Map(log.settled);
  if (log.run) for (const node of progressOf(log.run)) now.set(node.node, node);
  return [...now.values()];
}

/** Takes one line of `output`. `atSeconds` as in `advance`. */
export function readDeployLine(log: DeployLog, line: string, atSeconds: number | null): DeployLog {
  const mark = /^#virtu (\w+) ?(\d*) ?(\d*) ?(\d*)$/.exec(line);
  if (mark) return readMark(log, mark[1] ?? "", mark.slice(2).map(Number));
  if (log.lists.into) {
    const { into } = log.lists;
    if (line.trim() === "") return log;
    return { ...log, lists: { ...log.lists, [into]: [...log.lists[into], line.trim()] } };
  }
  return {
    ...log,
    run: log.run && advance(log.run, line, atSeconds),
    log: line === "" ? log.log : [...log.log.slice(1 - logLines), line],
  };
}

/** The marks: `attempt N TIME`, `status N STATUS TIME`, `ok`, `ko` (lists follow), `tried N`, `end TIME`. */
function readMark(log: DeployLog, word: string, numbers: number[]): DeployLog {
  const [first = 0, second = 0] = numbers;
  switch (word) {
    case "attempt": {
      const nodes = first === 1 ? log.meta.nodes : [...log.failed.keys()];
      return { ...log, attempt: first, run: startKadeploy(nodes, second + log.skew), lists: noLists };
    }
    case "status":
      return { ...log, lists: { ...noLists, status: second } };
    case "ok":
    case "ko":
      return { ...log, lists: { ...log.lists, into: word } };
    case "tried":
      return settle(log);
    case "end":
      return { ...settle(log), endedAt: first + log.skew };
    default:
      return log;
  }
}

/** Ends the attempt under way, if there is one: by its lists, or by what is known when the script itself was killed. */
export function settle(log: DeployLog): DeployLog {
  if (!log.run) return log;
  const { state, outcome } = conclude(log.run, log.lists);
  const settled = new Map(log.settled);
  const touched = new Set(log.touched);
  const failed = new Map(outcome.failed.map((node) => [node.node, node]));
  for (const node of progressOf(state)) {
    const begun = Object.values(node.phases).some((phase) => phase.state !== "pending");
    const before = log.failed.get(node.node);
    if (begun) touched.add(node.node);
    // A further attempt that never began takes nothing from what the last one has found out.
    if (!begun && node.state === "missing" && before) failed.set(node.node, before);
    else settled.set(node.node, node);
  }
  return {
    ...log,
    run: null,
    settled,
    touched,
    failed,
    refusal: outcome.refusal,
    cancelled: state.cancelled,
    lists: noLists,
  };
}

/** Who is up, failed, missing, as far as Kadeploy says. Only after the end. */
export function outcomeOf(log: DeployLog): { deployed: string[]; failed: FailedNode[]; missing: string[] } {
  const nodes = progressIn(log);
  const failed = nodes
    .filter(({ state }) => state === "failed")
    .map(({ node, microStep, reason }) => log.failed.get(node) ?? { node, step: microStep, reason: reason ?? "" });
  return {
    deployed: nodes.filter(({ state }) => state === "deployed").map(({ node }) => node),
    failed,
    missing: nodes.filter(({ state }) => state !== "deployed" && state !== "failed").map(({ node }) => node),
  };
}
