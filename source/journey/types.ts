/** What is reserved and deployed, as every layer above the tools speaks of it. Times are epoch seconds. */
import type { HostRef, Pool } from "../ssh/types.ts";

export interface Site {
  /** The user's name for it: `rennes`. */
  name: string;
  /** The frontend, as ssh knows it: `[user@]host[:port]` or an alias. */
  frontend: string;
  /** Gateway to go through when the ssh configuration names none. */
  gateway?: string;
  /** Another folder with `.env` images beside `~/image`. */
  imageFolder?: string;
}

/** What a journey needs to do anything at all. */
export interface Context {
  pool: Pool;
  /** Our own state directory: job host keys, deployments under way. */
  stateDir: string;
  /** Above so many nodes TakTuk carries runs by itself; absent: 64. */
  taktukAbove?: number;
  /** Seconds that TakTuk gives one connection; absent: 10. */
  taktukConnectSeconds?: number;
}

/** The frontend of a site, as the pool takes it. */
export function frontendOf(site: Site): HostRef {
  return { name: site.frontend, via: site.gateway ? { name: site.gateway } : undefined };
}

export interface ReserveRequest {
  nodes: number;
  walltimeSeconds: number;
  /** Prefix length of the subnet (22), or null for none. */
  subnet: number | null;
  cluster?: string;
  /** An SQL condition over OAR's properties. */
  properties?: string;
  queue?: string;
  project?: string;
  /** Job name, `virtu` by default. */
  name: string;
  /** `YYYY-MM-DD HH:MM:SS` in the frontend's time zone; absent: as soon as possible. */
  start?: string;
}

/** OAR's own words for a job's state. */
export type JobState =
  | "Waiting"
  | "Hold"
  | "toLaunch"
  | "toError"
  | "toAckReservation"
  | "Launching"
  | "Running"
  | "Suspended"
  | "Resuming"
  | "Finishing"
  | "Terminated"
  | "Error";

/** How a job ended; OAR says `Error` for most of these. */
export interface JobEnd {
  kind: "finished" | "released" | "walltime" | "refused" | "failed";
  /** One line for the user. */
  text: string;
}

export interface Job {
  jobId: number;
  state: JobState;
  name: string | null;
  owner: string;
  queue: string;
  types: string[];
  command: string;
  /** Unique host names, sorted naturally. */
  nodes: string[];
  /** `10.144.0.0/22`, once known. */
  subnet: string | null;
  walltimeSeconds: number | null;
  submittedAt: number | null;
  predictedStart: number | null;
  startedAt: number | null;
  /** Planned end while it runs, real end after. */
  endsAt: number | null;
  /** OAR's message: karma, quota, why it waits. */
  message: string;
  end: JobEnd | null;
}

export interface Environment {
  kind: "environment" | "image";
  name: string;
  version: string | null;
  arch: string | null;
  user: string | null;
  description: string;
  /** Path on the frontend, for an image. */
  file: string | null;
  /** Why it can't be deployed, when that is known beforehand (an image file of 2012). */
  problem: string | null;
}

/** One of Kadeploy's three phases. */
export type MacroStep = "boot-mini-os" | "copy-image" | "boot-new";
export type PhaseState = "pending" | "running" | "done" | "failed";

export interface NodeProgress {
  node: string;
  phases: Record<MacroStep, { state: PhaseState; seconds: number | null; startedAt: number | null }>;
  /** Kadeploy's own word for what it does now. */
  microStep: string | null;
  state: "pending" | "running" | "deployed" | "failed" | "missing";
  /** Why, with `failed` and `missing`. */
  reason: string | null;
}

export interface DeployRequest {
  jobId: number;
  nodes: string[];
  environment: { kind: "environment"; name: string; version?: string; user?: string } | { kind: "image"; file: string };
  /** Local public key file; absent: the frontend's `~/.ssh/authorized_keys`. */
  keyFile?: string;
  /** Number of nodes that must be up at the end. */
  minimum: number;
  /** How often failed nodes are tried again (0: never). */
  retries: number;
}

export interface FailedNode {
  node: string;
  step: string | null;
  reason: string;
}

export interface DeployResult {
  deployed: string[];
  failed: FailedNode[];
  /** Asked for, but neither deployed nor failed: in use by another deployment, or never answered by SSH. */
  missing: string[];
  attempts: number;
}

/** A deployment on its way or ended, enough to draw it and to find it again after a loss. */
export interface Deployment {
  /** Name of its directory on the frontend. */
  id: string;
  site: string;
  jobId: number;
  title: string;
  environment: DeployRequest["environment"];
  nodes: string[];
  minimum: number;
  retries: number;
  attempt: number;
  startedAt: number;
  progress: NodeProgress[];
  /** Estimated epoch second of the end, or null. */
  expectedEnd: number | null;
  state: "running" | "checking" | "done" | "cancelled" | "failed";
  result: DeployResult | null;
  /** What stopped it as a whole (refused, killed, cancelled), with what to do; null while it runs and when it ran to its end. */
  problem: { why: string; hint: string | null; detail: string | null } | null;
  /** Last output lines of kadeploy3, newest last, bounded. */
  log: string[];
}

export interface NodeFacts {
  name: string;
  /** reserved: not asked yet or not deployed; reachable: SSH as root answers; unreachable: it does not. */
  state: "reserved" | "deploying" | "deployed" | "failed" | "reachable" | "unreachable";
  reason: string | null;
  address: string | null;
  kernel: string | null;
  os: string | null;
  cpus: number | null;
  memoryMiB: number | null;
  disks: { name: string; sizeGiB: number }[];
  uptimeSeconds: number | null;
}
