/** Everything that is known to the screen, and the pure reducer over what happens. */
import type { ConsoleView } from "../console/types.ts";
import type { VirtuError } from "../errors.ts";
import type { InventoryView } from "../instances/inventory-types.ts";
import type { ScheduledJob } from "../instances/schedule.ts";
import type { Extension, FreeNodes } from "../journey/jobs.ts";
import type { Deployment, DeployRequest, Environment, Job, NodeFacts, ReserveRequest, Site } from "../journey/types.ts";
import type { HostKeyQuestion, SecretQuestion, SessionInfo } from "../ssh/types.ts";
import { type ComparisonsEvent, type ComparisonsKnown, noComparisons, reduceComparisons } from "./compare-known.ts";
import { type InstancesEvent, type InstancesKnown, noInstances, reduceInstances } from "./instance-known.ts";
import { type Loaded, nothing } from "./loaded.ts";
import { type MakingEvent, type MakingKnown, noMaking, reduceMaking } from "./making-known.ts";
import { noRuns, type RunsEvent, type RunsKnown, reduceRuns } from "./run-known.ts";
import { reduceStores, type StoresEvent, type StoresKnown } from "./stores-known.ts";
import { noWays, reduceWays, type WaysEvent, type WaysKnown } from "./way-known.ts";

export { type Loaded, nothing };

export interface LogLine {
  id: number;
  /** Epoch milliseconds. */
  at: number;
  level: "info" | "warning" | "error";
  /** Host, instance or job that it is about. */
  where: string;
  text: string;
}

/** Said once above the last line, until it is dealt with or its time is over. */
export interface Notice {
  tone: "info" | "good" | "warning" | "bad";
  text: string;
  /** Epoch milliseconds when it goes by itself, or null: it stays until a key answers it. */
  until: number | null;
}

/** A reservation that was sent and is followed. */
export interface Reservation {
  request: ReserveRequest;
  /** Epoch milliseconds when it was sent. */
  sentAt: number;
  /** What happens now, one line. */
  text: string;
  /** What the site and OAR said on the way, oldest first: notes of its rules, lost links. */
  notes: readonly string[];
  /** OAR's number for it, once there is one. */
  jobId: number | null;
  /** Refused, or ended before it ran. */
  error: VirtuError | null;
}

/** What a deployment was asked to do, and why it can't be started or followed. */
export interface StartedDeployment {
  request: DeployRequest | null;
  error: VirtuError | null;
}

/** What came of the last request for a longer walltime. */
export interface Extending {
  jobId: number;
  working: boolean;
  /** Seconds; null until it was read back. */
  result: Extension | null;
  error: VirtuError | null;
}

/** What a run needs to go on and nothing keeps. */
export interface RunSecretQuestion {
  /** What the run does: `configure 4 nodes`. */
  title: string;
  /** Name of the secret, as the step names it. */
  name: string;
}

export type Question =
  | { id: number; kind: "secret"; question: SecretQuestion }
  | { id: number; kind: "run-secret"; question: RunSecretQuestion }
  | { id: number; kind: "host-key"; question: HostKeyQuestion };

export interface KnownState {
  sites: readonly Site[];
  site: Site | null;
  /** The job that the user works with, or null. */
  jobId: number | null;
  jobs: Loaded<readonly Job[]>;
  /** Nodes of the site, all and free, by cluster; null until asked. */
  free: Loaded<FreeNodes | null>;
  environments: Loaded<readonly Environment[]>;
  reservation: Reservation | null;
  extending: Extending | null;
  /** Jobs that are being released. */
  releasing: readonly number[];
  /** The deployments that were started from this screen, by id. */
  started: Readonly<Record<string, StartedDeployment>>;
  /** By their directory's name; newest values win. */
  deployments: Readonly<Record<string, Deployment>>;
  /** Deployments that were looked for on the frontend; until then none may be said to be missing. */
  deploymentsAt: number | null;
  /** Facts of nodes, by job number. */
  facts: Readonly<Record<number, Loaded<readonly NodeFacts[]>>>;
  runs: RunsKnown;
  ways: WaysKnown;
  inventory: InventoryView;
  making: MakingKnown;
  comparisons: ComparisonsKnown;
  /** Storage and networks, by the provider's place. */
  stores: StoresKnown;
  consoles: readonly ConsoleView[];
  /** Actions that the hosts keep to be done at a time. */
  scheduled: Loaded<readonly ScheduledJob[]>;
  /** What carries an action at a time, by the host's name; only hosts that have said it. */
  carriers: Readonly<Record<string, "at" | "systemd" | "none">>;
  /** What is known of instances beyond the inventory's rows. */
  instances: InstancesKnown;
  sessions: readonly SessionInfo[];
  log: readonly LogLine[];
  notice: Notice | null;
  /** One that stays until it is answered, while another is shown over it for its time. */
  kept: Notice | null;
  questions: readonly Question[];
  /** Epoch milliseconds, moved once a second: all countdowns read it, so they move together. */
  now: number;
}

/** Lines kept in the log pane. */
export const logLimit = 5000;

export type KnownEvent =
  | { type: "sites"; sites: readonly Site[] }
  | { type: "site"; site: Site | null }
  | { type: "job"; jobId: number | null }
  | { type: "jobs"; change: Partial<Loaded<readonly Job[]>> }
  | { type: "free"; change: Partial<Loaded<FreeNodes | null>> }
  | { type: "environments"; change: Partial<Loaded<readonly Environment[]>> }
  | { type: "reservation"; reservation: Reservation | null }
  | { type: "extending"; extending: Extending | null }
  | { type: "releasing"; jobId: number; on: boolean }
  | { type: "started"; id: string; started: StartedDeployment }
  | { type: "deployment"; deployment: Deployment }
  | { type: "deployments-found"; deployments: readonly Deployment[]; at: number }
  | { type: "facts"; jobId: number; change: Partial<Loaded<readonly NodeFacts[]>> }
  | { type: "inventory"; view: InventoryView }
  | { type: "consoles"; consoles: readonly ConsoleView[] }
  | { type: "carriers"; carriers: KnownState["carriers"] }
  | { type: "scheduled"; change: Partial<Loaded<readonly ScheduledJob[]>> }
  | { type: "sessions"; sessions: readonly SessionInfo[] }
  | { type: "log"; lines: readonly LogLine[] }
  | { type: "notice"; notice: Notice | null }
  /** The notice that waits for an answer needs none any more. */
  | { type: "withdrawn" }
  | { type: "question"; question: Question }
  | { type: "answered"; id: number }
  | { type: "tick"; now: number }
  | ComparisonsEvent
  | InstancesEvent
  | MakingEvent
  | StoresEvent
  | RunsEvent
  | WaysEvent;

export const emptyInventory: InventoryView = { hosts: [], instances: [], nodes: [], pending: [], runs: [] };

export function startState(now: number): KnownState {
  return {
    sites: [],
    site: null,
    jobId: null,
    jobs: nothing([]),
    free: nothing(null),
    environments: nothing([]),
    reservation: null,
    extending: null,
    releasing: [],
    started: {},
    deployments: {},
    deploymentsAt: null,
    facts: {},
    runs: noRuns,
    ways: noWays,
    inventory: emptyInventory,
    making: noMaking,
    comparisons: noComparisons,
    stores: {},
    consoles: [],
    scheduled: nothing([]),
    carriers: {},
    instances: noInstances,
    sessions: [],
    log: [],
    notice: null,
    kept: null,
    questions: [],
    now,
  };
}

export function reduce(state: KnownState, event: KnownEvent): KnownState {
  switch (event.type) {
    case "sites":
      return { ...state, sites: event.sites };
    case "site":
      // What is known belongs to one site: the next one starts with nothing.
      return {
        ...state,
        site: event.site,
        jobId: null,
        jobs: nothing([]),
        free: nothing(null),
        environments: nothing([]),
        reservation: null,
        extending: null,
        releasing: [],
        started: {},
        deployments: {},
        deploymentsAt: null,
        facts: {},
      };
    case "job":
      return { ...state, jobId: event.jobId };
    case "jobs":
      return { ...state, jobs: { ...state.jobs, ...event.change } };
    case "free":
      return { ...state, free: { ...state.free, ...event.change } };
    case "environments":
      return { ...state, environments: { ...state.environments, ...event.change } };
    case "reservation":
      return { ...state, reservation: event.reservation };
    case "extending":
      return { ...state, extending: event.extending };
    case "releasing": {
      const others = state.releasing.filter((jobId) => jobId !== event.jobId);
      return { ...state, releasing: event.on ? [...others, event.jobId] : others };
    }
    case "started":
      return { ...state, started: { ...state.started, [event.id]: event.started } };
    case "deployment":
      return { ...state, deployments: { ...state.deployments, [event.deployment.id]: event.deployment } };
    case "deployments-found": {
      const deployments = { ...state.deployments };
      // One that is followed knows more than a listing does.
      for (const found of event.deployments) deployments[found.id] ??= found;
      return { ...state, deployments, deploymentsAt: event.at };
    }
    case "facts":
      return {
        ...state,
        facts: { ...state.facts, [event.jobId]: { ...(state.facts[event.jobId] ?? nothing([])), ...event.change } },
      };
    case "offers":
    case "lent":
    case "making":
    case "making-event":
    case "making-outcome":
    case "making-over":
      return { ...state, making: reduceMaking(state.making, event) };
    case "comparisons":
    case "comparison":
    case "comparison-plan":
    case "comparing":
      return { ...state, comparisons: reduceComparisons(state.comparisons, event) };
    case "stores":
      return { ...state, stores: reduceStores(state.stores, event) };
    case "inventory":
      return { ...state, inventory: event.view };
    case "consoles":
      return { ...state, consoles: event.consoles };
    case "carriers":
      return { ...state, carriers: { ...state.carriers, ...event.carriers } };
    case "scheduled":
      return { ...state, scheduled: { ...state.scheduled, ...event.change } };
    case "sessions":
      return { ...state, sessions: event.sessions };
    case "log":
      return { ...state, log: [...state.log, ...event.lines].slice(-logLimit) };
    case "withdrawn":
      return { ...state, kept: null, notice: state.notice === state.kept ? null : state.notice };
    case "notice":
      if (event.notice?.until === null) return { ...state, notice: event.notice, kept: event.notice };
      if (event.notice) return { ...state, notice: event.notice };
      return state.notice === state.kept ? { ...state, notice: null, kept: null } : { ...state, notice: state.kept };
    case "question":
      return { ...state, questions: [...state.questions, event.question] };
    case "answered":
      return { ...state, questions: state.questions.filter(({ id }) => id !== event.id) };
    case "tick":
      return {
        ...state,
        now: event.now,
        notice: state.notice?.until && state.notice.until <= event.now ? state.kept : state.notice,
      };
    case "ways":
    case "way":
    case "way-says":
    case "way-password":
    case "way-error":
    case "way-start":
      return { ...state, ways: reduceWays(state.ways, event) };
    case "details":
    case "targets":
    case "provider-jobs":
    case "feed":
      return { ...state, instances: reduceInstances(state.instances, event) };
    default:
      // What happens to runs and ways belongs to no site: they go on when another is chosen.
      return { ...state, runs: reduceRuns(state.runs, event) };
  }
}

/** The job that the user works with, or null. */
export function currentJob(state: KnownState): Job | null {
  return state.jobs.value.find(({ jobId }) => jobId === state.jobId) ?? null;
}

/** The newest deployment of a job, or null. */
export function deploymentOf(state: KnownState, jobId: number): Deployment | null {
  let newest: Deployment | null = null;
  for (const deployment of Object.values(state.deployments)) {
    if (deployment.jobId === jobId && (!newest || deployment.startedAt > newest.startedAt)) newest = deployment;
  }
  return newest;
}

/** True once OAR has said how it ended, or that it has. */
export function hasEnded(job: Job): boolean {
  return job.end !== null || job.state === "Terminated" || job.state === "Error";
}

/** Seconds that a running job has left, or null. */
export function secondsLeft(job: Job | null, now: number): number | null {
  if (!job || job.endsAt === null || job.state !== "Running") return null;
  return Math.max(0, job.endsAt - now / 1000);
}
