/**
 * Actions at a time, carried by the hosts themselves: virtu need not stay open. What is kept is listed from the hosts, so
 * that it is found again from anywhere. One job for each host, its instances one after the other.
 */
import { randomUUID } from "node:crypto";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import {
  carrierCommand,
  dropCommand,
  type HostClock,
  type JobLine,
  jobScript,
  keepCommand,
  listCommand,
  parseCarrier,
  parseClock,
  parseKeep,
  parseKept,
} from "../tools/at.ts";
import { verbOf } from "./action-words.ts";
import { ask } from "./exec.ts";
import type { Inventory } from "./inventory-types.ts";
import { markerOf, type ScheduledJob, scheduledOf } from "./scheduled-job.ts";
import type { Action, Provider } from "./types.ts";

export type { ScheduledJob, ScheduledState } from "./scheduled-job.ts";

export interface ScheduleContext {
  pool: Pool;
  inventory: Inventory;
}

/** What would be kept on a host. */
export interface PlannedJob {
  target: HostRef;
  lines: readonly JobLine[];
}

export interface SchedulePlan {
  jobs: readonly PlannedJob[];
  /** Instances that are not part of it, and why. */
  left: readonly { key: string; name: string; host: string; reason: string }[];
}

/** What came of it on a host. */
export interface ScheduleOutcome {
  host: string;
  names: readonly string[];
  job: ScheduledJob | null;
  error: VirtuError | null;
  /** Its clock; null when it did not answer. */
  clock: HostClock | null;
}

const limitMs = 30_000;
/** For a change: systemd reads all of its units anew for it, twice, and a busy host takes its time. */
const changeLimitMs = 90_000;

/** Why nothing can be kept on this host. */
export function noCarrier(host: string): string {
  return `${host} has neither at nor systemd to carry it: install at`;
}

/**
 * Which hosts would carry what, and who is left out: also those of hosts that are known to carry nothing (`unable`, by name).
 * What the state of an instance forbids now may be right then.
 */
export function planSchedule(
  { inventory }: Pick<ScheduleContext, "inventory">,
  action: Action,
  keys: readonly string[],
  unable: ReadonlySet<string> = new Set(),
): SchedulePlan {
  const jobs = new Map<string, { target: HostRef; lines: JobLine[] }>();
  const left: SchedulePlan["left"][number][] = [];
  for (const key of new Set(keys)) {
    const found = inventory.find(key);
    if (found?.kind !== "instance") {
      left.push({ key, name: key, host: "", reason: "it is no longer there" });
      continue;
    }
    const { provider, instance } = found;
    if (unable.has(provider.target.name)) {
      left.push({ key, name: instance.name, host: instance.host, reason: noCarrier(provider.target.name) });
      continue;
    }
    const line = provider.unattended(action, instance);
    if (!line) {
      const reason = `${verbOf(action.do)} takes more than one command: virtu must be open for it`;
      left.push({ key, name: instance.name, host: instance.host, reason });
      continue;
    }
    const job = jobs.get(provider.target.name) ?? { target: provider.target, lines: [] };
    job.lines.push({ name: instance.name, line });
    jobs.set(provider.target.name, job);
  }
  return { jobs: [...jobs.values()], left };
}

/** Keeps the action on the hosts for that time (epoch seconds, taken by the minute). Never rejects: each host has its outcome. */
export function scheduleAction(
  context: ScheduleContext,
  action: Action,
  plan: SchedulePlan,
  at: number,
  signal?: AbortSignal,
): Promise<ScheduleOutcome[]> {
  return Promise.all(plan.jobs.map((job) => keep(context.pool, action, job, at, signal)));
}

async function keep(
  pool: Pool,
  action: Action,
  { target, lines }: PlannedJob,
  at: number,
  signal: AbortSignal | undefined,
): Promise<ScheduleOutcome> {
  const id = randomUUID().slice(0, 8);
  const names = lines.map(({ name }) => name);
  const marker = markerOf({ at, madeAt: Math.floor(Date.now() / 1000), action: action.do, names });
  const outcome = { host: target.name, names, job: null, clock: null };
  try {
    const answer = await ask(pool, target, keepCommand(id, at, marker), "keeping the job", {
      stdin: jobScript(id, lines),
      signal,
      priority: "user",
      timeoutMs: changeLimitMs,
    });
    const clock = parseClock(answer.stdout);
    const kept = parseKeep(answer.stdout);
    if (kept && "carrier" in kept) {
      const job = { id, marker, carrier: kept.carrier, waits: true, startedAt: null, endedAt: null, results: [] };
      return { ...outcome, clock, error: null, job: scheduledOf(target.name, job, clock) };
    }
    return { ...outcome, clock, error: refusal(target, kept?.refused ?? answer.stderr, kept !== null) };
  } catch (thrown) {
    return { ...outcome, error: toVirtuError(thrown, "The job could not be kept") };
  }
}

function refusal(target: HostRef, said: string, understood: boolean): VirtuError {
  const detail = said.trim() || undefined;
  if (understood && said === "") {
    return new VirtuError({
      kind: "refused",
      what: "Nothing there can carry an action at a time",
      where: target.name,
      why: "neither atd nor systemd runs there, or this account may use neither",
      hint: "Install and start at there (apt-get install at), or log in as root for a systemd timer.",
    });
  }
  return new VirtuError({
    kind: "refused",
    what: "The host did not take the action",
    where: target.name,
    why: /permission/i.test(said)
      ? "this account may not use at (/etc/at.allow, /etc/at.deny)"
      : detail?.split("\n")[0],
    detail,
  });
}

/** Which of these hosts can carry an action at a time, by their names; one that gave no answer is left out. Never rejects. */
export async function carriersOf(
  pool: Pool,
  targets: readonly HostRef[],
  signal?: AbortSignal,
): Promise<Record<string, "at" | "systemd" | "none">> {
  const found: Record<string, "at" | "systemd" | "none"> = {};
  const look = async (target: HostRef) => {
    try {
      const options = { signal, priority: "user", timeoutMs: limitMs } as const;
      const { stdout } = await ask(pool, target, carrierCommand(), "asking what carries an action at a time", options);
      const carrier = parseCarrier(stdout);
      if (carrier) found[target.name] = carrier;
    } catch {
      // Whoever wants it kept there is told then why the host can't be reached.
    }
  };
  await Promise.all(targets.map(look));
  return found;
}

/** The hosts that commands of the inventory's providers run on, each once. */
function targetsOf(inventory: Inventory): HostRef[] {
  const providers: readonly Provider[] = inventory.providers();
  return [...new Map(providers.map(({ target }) => [target.name, target])).values()];
}

/** How many hosts are asked what they keep. */
export function hostsAsked(inventory: Inventory): number {
  return targetsOf(inventory).length;
}

/** What the hosts keep, the next first; what is over after it, the latest first. Hosts that gave no answer are `problems`. */
export async function listScheduled(
  { pool, inventory }: ScheduleContext,
  signal?: AbortSignal,
): Promise<{ jobs: ScheduledJob[]; problems: VirtuError[] }> {
  const jobs: ScheduledJob[] = [];
  const problems: VirtuError[] = [];
  const look = async (target: HostRef) => {
    try {
      const options = { signal, priority: "user", timeoutMs: limitMs } as const;
      const { stdout } = await ask(pool, target, listCommand(), "reading what is scheduled", options);
      const clock = parseClock(stdout);
      jobs.push(...parseKept(stdout).map((kept) => scheduledOf(target.name, kept, clock)));
    } catch (thrown) {
      problems.push(toVirtuError(thrown, "What is scheduled could not be read"));
    }
  };
  await Promise.all(targetsOf(inventory).map(look));
  const open = ({ state }: ScheduledJob) => state === "waiting" || state === "running";
  jobs.sort((one, other) => {
    if (open(one) !== open(other)) return open(one) ? -1 : 1;
    return open(one) ? one.at - other.at : other.at - one.at;
  });
  return { jobs, problems };
}

/**
 * Takes a job back, or removes the record of one that is over. Rejects with a `VirtuError` when it has begun, is not there
 * or its host does not answer.
 */
export async function cancelScheduled(
  { pool, inventory }: ScheduleContext,
  job: Pick<ScheduledJob, "id" | "host">,
  signal?: AbortSignal,
): Promise<void> {
  const target = targetsOf(inventory).find(({ name }) => name === job.host) ?? { name: job.host };
  const options = { signal, priority: "user", timeoutMs: changeLimitMs } as const;
  const { stdout, stderr } = await ask(pool, target, dropCommand(job.id), "taking the job back", options);
  if (/^@@(gone|over)$/m.test(stdout)) return;
  const begun = /^@@begun$/m.test(stdout);
  throw new VirtuError({
    kind: "refused",
    what: begun ? "It has begun already" : "The job could not be taken back",
    where: job.host,
    why: /^@@missing$/m.test(stdout) ? `there is no job ${job.id}` : undefined,
    detail: stderr.trim() || undefined,
  });
}
