/** Reserving nodes: submit once, whatever the link does, then follow the job until it runs. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecResult } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { submit } from "../tools/oar.ts";
import type { OarJob } from "../tools/oar-jobs.ts";
import { parseSubmission } from "../tools/oar-submit.ts";
import { isPassing, type Pause, pause } from "../waiting.ts";
import { type FollowOptions, followJob, goOn, type ReserveEvent } from "./job-follow.ts";
import { getJob } from "./jobs.ts";
import { askJobs, noAnswer } from "./jobs-ask.ts";
import { refusalOf } from "./reserve-refusal.ts";
import { type Context, frontendOf, type Job, type ReserveRequest, type Site } from "./types.ts";

export { describeJob, type FollowOptions, followJob, type ReserveEvent } from "./job-follow.ts";
export {
  type CheckedRequest,
  checkRequest,
  type ReserveErrors,
  type ReserveField,
  type ReserveValues,
} from "./reserve-form.ts";
export { hasUsagePolicy, policyWarnings } from "./reserve-policy.ts";

/** The user's jobs before a reservation was sent, by which the one that it made is known. */
export interface JobsBefore {
  jobs: readonly number[];
  /** Epoch seconds, by the frontend's clock. */
  now: number;
}

export interface ReserveOptions extends FollowOptions {
  /** Called, and waited for, right before the request is sent: who notes this finds its job again after any loss. */
  onSubmit?: (before: JobsBefore) => Promise<void>;
  /** Wait until the job runs (the default); else give it as soon as OAR has a number for it. */
  wait?: boolean;
}

/** The exact line that runs on the frontend. */
export function reserveCommand(request: ReserveRequest): Command {
  return submit(request);
}

/** Milliseconds. A plain submission takes a second; a reservation waits for the scheduler, which may take its minute. */
const submitLimit = 60_000;
const reservationLimit = 240_000;

/**
 * Submits the request and gives the running job (or, without `wait`, the waiting one). It is never submitted twice: when
 * the link breaks on the way, the job is looked for among those that were not there before. Once it is sent, the signal
 * ends the waiting only; nothing here ever releases a job. Rejects with `VirtuError`; refusals carry OAR's own text.
 */
export async function reserve(
  context: Context,
  site: Site,
  request: ReserveRequest,
  options: ReserveOptions = {},
): Promise<Job> {
  const { signal, onEvent, wait = true, pause: sleep = pause } = options;
  const tell = (kind: ReserveEvent["kind"], text: string, jobId: number | null = null) =>
    onEvent?.({ kind, text, jobId, job: null });
  // Looking first tells an OAR that can't answer before oarsub is there to hang, and which jobs are not this one.
  const known = await askJobs(context, site, { signal, priority: "user", what: "The reservation can't be made" });
  const before = { jobs: known.jobs.map((job) => job.jobId), now: known.now };
  await options.onSubmit?.(before);
  const command = reserveCommand(request);
  tell("submitting", command.line);
  const result = await context.pool.exec(frontendOf(site), command, {
    priority: "user",
    timeoutMs: request.start ? reservationLimit : submitLimit,
  });
  const submission = parseSubmission(result.stdout, result.stderr, result.outcome === "exited" ? result.status : null);
  for (const note of submission.notes) tell("note", plainLine(note), submission.jobId);
  const broken = result.outcome !== "exited";
  const problem = broken ? null : noAnswer(site, result, "The reservation can't be made");
  if (problem) throw problem;
  const refused = refusalOf(site, request, submission, broken ? null : result.status);
  if (refused) throw refused;
  let { jobId } = submission;
  if (jobId === null) {
    tell("link", `${brokenText(result)}; looking for the job before anything else`);
    jobId = await findSubmitted(context, site, request, before, result, { sleep, signal, tell });
  }
  tell("submitted", `OAR has taken it as job ${jobId}`, jobId);
  if (submission.serverDown) {
    tell(
      "warning",
      `OAR's server does not answer: job ${jobId} is queued and starts when the server is back. Release it if you don't want that`,
      jobId,
    );
  }
  if (wait) return await followJob(context, site, jobId, options);
  return await lookAt(context, site, jobId, sleep, signal);
}

function brokenText(result: ExecResult): string {
  if (result.outcome === "timeout") return "oarsub did not end in its time";
  if (result.outcome === "lost") return "the link broke while oarsub ran";
  return `oarsub was ended by ${result.signal}`;
}

interface Search {
  sleep: Pause;
  signal: AbortSignal | undefined;
  tell: (kind: ReserveEvent["kind"], text: string, jobId?: number | null) => void;
}

/** How often to look for a job whose number was not heard: oarsub goes on by itself for some seconds without its link. */
const looks = 6;
/** How often a look may fail before the search ends. */
const failuresAllowed = 8;

async function findSubmitted(
  context: Context,
  site: Site,
  request: ReserveRequest,
  before: JobsBefore,
  result: ExecResult,
  { sleep, signal, tell }: Search,
): Promise<number> {
  let failures = 0;
  let last: VirtuError | null = null;
  for (let look = 0; look < looks; ) {
    try {
      const now = await askJobs(context, site, { signal, priority: "user" });
      const [found, ...others] = now.jobs.filter((job) => isNew(job, request, before));
      if (found && others.length > 0) {
        tell(
          "warning",
          `more jobs like it came at the same time: ${others.map(({ jobId }) => jobId).join(", ")}`,
          found.jobId,
        );
      }
      if (found) return found.jobId;
      look += 1;
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
      last = thrown;
      failures += 1;
      if (failures >= failuresAllowed) break;
    }
    await sleep(Math.min(10_000, 1500 * (failures + 1)), signal);
  }
  const reached = failures < failuresAllowed;
  throw new VirtuError({
    kind: result.outcome === "timeout" ? "timeout" : "connection",
    what: "Nobody knows whether the nodes are reserved",
    where: site.name,
    why: reached
      ? `${brokenText(result)}, and OAR shows no such job yet`
      : `${brokenText(result)}, and ${last?.why ?? "the frontend does not answer"}`,
    hint: `oarsub may still be trying on the frontend. Look at your jobs ("virtu jobs --site ${site.name}") before you reserve again.`,
    detail: `${result.stdout}${result.stderr}`.trim() || undefined,
  });
}

/**
 * The job that a request has made whose sender came to its end before it heard the number; null: OAR shows none. oarsub may
 * go on for some seconds without its sender.
 */
export async function findReserved(
  context: Context,
  site: Site,
  request: ReserveRequest,
  before: JobsBefore,
  options: { signal?: AbortSignal } = {},
): Promise<number | null> {
  const { jobs } = await askJobs(context, site, { ...options, priority: "user" });
  return jobs.find((job) => isNew(job, request, before))?.jobId ?? null;
}

/** Whether a job is the one that this request made: not there before, and the same words on oarsub's line. */
function isNew(job: OarJob, request: ReserveRequest, before: JobsBefore): boolean {
  if (before.jobs.includes(job.jobId)) return false;
  if (job.submittedAt !== null && job.submittedAt < before.now - 1) return false;
  // OAR keeps the line with its quotes gone.
  const bare = (line: string) =>
    line
      .replace(/['"\\]/g, "")
      .replace(/^\S*oarsub/, "oarsub")
      .trim();
  return job.name === request.name && bare(job.initialRequest) === bare(reserveCommand(request).line);
}

/** The job right after its submission; a link that breaks here must not hide its number. */
async function lookAt(context: Context, site: Site, jobId: number, sleep: Pause, signal?: AbortSignal): Promise<Job> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await getJob(context, site, jobId, { signal, priority: "user" });
    } catch (thrown) {
      if (attempt < 4 && isPassing(thrown)) {
        await sleep(1500 * attempt, signal);
        continue;
      }
      const error = thrown instanceof VirtuError ? thrown : null;
      throw new VirtuError({
        kind: error?.kind ?? "failed",
        what: `Job ${jobId} is submitted, but can't be looked up`,
        where: site.name,
        why: error?.why ?? error?.what,
        hint: goOn(site, jobId),
        detail: error?.detail,
      });
    }
  }
}
