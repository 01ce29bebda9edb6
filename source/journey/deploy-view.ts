/** A deployment as the screens and commands see it, from what its directory on the frontend holds. Pure. */
import { VirtuError } from "../errors.ts";
import { type PhaseSeconds, secondsLeft } from "../tools/kadeploy-estimate.ts";
import {
  type DeployLog,
  type DeployMeta,
  outcomeOf,
  progressIn,
  readDeployLine,
  settle,
  startLog,
} from "./deploy-log.ts";
import { fileNames } from "./deploy-script.ts";
import type { RunSnapshot } from "./detached.ts";
import type { RunReader } from "./detached-follow.ts";
import type { Deployment, DeployResult } from "./types.ts";

/** The outcome with the SSH tries in it, as it is noted beside the deployment. */
export interface Noted {
  result: DeployResult;
  /** Why each missing node is missing. */
  reasons: Record<string, string>;
}

/** A deployment's directory, read. */
export interface Known {
  log: DeployLog;
  noted: Noted | null;
}

function parse<T>(text: string | null | undefined, isOne: (value: Partial<T>) => boolean): T | null {
  try {
    const value = JSON.parse(text ?? "null") as Partial<T> | null;
    return value !== null && typeof value === "object" && isOne(value) ? (value as T) : null;
  } catch {
    return null;
  }
}

const isMeta = ({ jobId, nodes, minimum, retries, title }: Partial<DeployMeta>) =>
  typeof jobId === "number" &&
  Array.isArray(nodes) &&
  typeof minimum === "number" &&
  typeof retries === "number" &&
  typeof title === "string";

const isNoted = ({ result, reasons }: Partial<Noted>) =>
  Array.isArray(result?.deployed) &&
  Array.isArray(result.failed) &&
  Array.isArray(result.missing) &&
  typeof reasons === "object";

/** The start of reading a deployment, or null when its directory was not written by this program. */
export function startKnown(snapshot: RunSnapshot): Known | null {
  const meta = parse<DeployMeta>(snapshot.files[fileNames.request], isMeta);
  if (meta === null) return null;
  return {
    log: startLog(meta, Math.round(Date.now() / 1000 - snapshot.hostNow)),
    noted: parse<Noted>(snapshot.files[fileNames.result], isNoted),
  };
}

export const knownReader: RunReader<Known> = {
  start: (snapshot) => {
    const known = startKnown(snapshot);
    if (known) return known;
    throw new VirtuError({
      kind: "unparsed",
      what: `The deployment ${snapshot.id} can't be read`,
      why: "its file of what was asked is not whole",
    });
  },
  line: (known, line, at) => ({ ...known, log: readDeployLine(known.log, line, at) }),
  ended: ({ log, noted }) => log.endedAt !== null || noted !== null,
};

const killed = {
  why: "its script on the frontend was killed, or the frontend was restarted",
  hint: "Kadeploy may carry the deployment on by itself: wait some minutes, then deploy again on the nodes that are not up.",
  detail: null,
};

export interface ViewOptions {
  id: string;
  site: string;
  usual: PhaseSeconds | null;
  /** Its script is gone without an end. */
  vanished?: boolean;
  /** The SSH tries are under way. */
  checking?: boolean;
  nowSeconds?: number;
}

export function viewOf(known: Known, options: ViewOptions): Deployment {
  const { id, site, usual, vanished = false, checking = false, nowSeconds = Date.now() / 1000 } = options;
  const ended = vanished || knownReader.ended(known);
  const log = ended ? settle(known.log) : known.log;
  const { meta } = log;
  const reasons = known.noted?.reasons ?? {};
  const progress = progressIn(log).map((node) => {
    const reason = reasons[node.node];
    return reason === undefined ? node : { ...node, state: "missing" as const, reason };
  });
  const left = ended ? null : secondsLeft(progress, usual, nowSeconds);
  const problem = vanished && log.endedAt === null ? killed : log.refusal;
  const cancelled = log.cancelled;
  return {
    id,
    site,
    jobId: meta.jobId,
    title: meta.title,
    environment: meta.environment,
    nodes: meta.nodes,
    minimum: meta.minimum,
    retries: meta.retries,
    attempt: Math.max(1, log.attempt),
    startedAt: meta.startedAt,
    progress,
    expectedEnd: left === null ? null : Math.round(nowSeconds + left),
    state: checking ? "checking" : !ended ? "running" : cancelled ? "cancelled" : problem ? "failed" : "done",
    result: ended && !checking ? (known.noted?.result ?? { ...outcomeOf(log), attempts: log.attempt }) : null,
    problem: ended ? problem : null,
    log: [...log.log],
  };
}
