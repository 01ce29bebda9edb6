/** Following a job until it runs, one look at a time, through lost links and numbers that change. */
import { VirtuError } from "../errors.ts";
import { count, momentText, plainLine } from "../text.ts";
import { hasEnded, type JobsAnswer, type OarJob } from "../tools/oar-jobs.ts";
import { cancelled, isPassing, type Pause, pause } from "../waiting.ts";
import { askJobs } from "./jobs-ask.ts";
import { shown } from "./jobs-look.ts";
import type { Context, Job, Site } from "./types.ts";
import { readDuration } from "./walltime.ts";

export interface ReserveEvent {
  kind:
    | "submitting"
    /** OAR gave a number. */
    | "submitted"
    /** What the site's rules changed or said. */
    | "note"
    /** State, predicted start or message changed. */
    | "state"
    | "warning"
    /** OAR put the job in again under another number, which is followed from now on. */
    | "resubmitted"
    /** The link broke, or is back; the job does not care. */
    | "link";
  /** One line for the user. */
  text: string;
  jobId: number | null;
  /** The job as last seen. */
  job: Job | null;
}

export interface FollowOptions {
  signal?: AbortSignal;
  onEvent?: (event: ReserveEvent) => void;
  /** Milliseconds after which waiting ends; the job stays. Without it as long as it takes. */
  limitMs?: number;
  pause?: Pause;
}

/**
 * Waits until a job runs and gives it. Rejects when it ends before (`refused` or `failed`, with the reason), when the limit
 * is over (`timeout`) or the signal comes (`cancelled`): the job stays in both cases, and the hint says how to go on.
 */
export async function followJob(
  context: Context,
  site: Site,
  jobId: number,
  options: FollowOptions = {},
): Promise<Job> {
  const { signal, onEvent, limitMs = Number.POSITIVE_INFINITY, pause: sleep = pause } = options;
  const begun = Date.now();
  let id = jobId;
  let last: OarJob | null = null;
  let said = "";
  let late = false;
  let failures = 0;
  let missing = 0;
  const tell = (kind: ReserveEvent["kind"], text: string) =>
    onEvent?.({ kind, text, jobId: id, job: last ? shown(last) : null });
  for (let look = 0; ; look += 1) {
    let answer: JobsAnswer | null = null;
    try {
      if (signal?.aborted) throw cancelled();
      answer = await askJobs(context, site, { signal, jobId: id });
      if (failures > 0) tell("link", `${site.name} answers again`);
      failures = 0;
    } catch (thrown) {
      if (thrown instanceof VirtuError && thrown.kind === "cancelled") throw left(site, id);
      if (!isPassing(thrown)) throw thrown;
      failures += 1;
      if (failures === 1)
        tell("link", `${plainLine(thrown.why ?? thrown.what)}; job ${id} is not touched by that, looking again`);
    }
    const job = answer?.jobs.find((other) => other.jobId === id) ?? null;
    // An empty answer means that there is no such job, even while a loaded server still writes it down.
    if (answer && !job && ++missing >= 3) throw vanished(site, id);
    if (answer && job) {
      last = job;
      if (job.resubmittedAs !== null) {
        const next = job.resubmittedAs;
        tell("resubmitted", `OAR put job ${id} in again as job ${next}: ${plainLine(job.message)}`);
        id = next;
        continue;
      }
      const text = describeJob(job, answer.now);
      const key = `${job.state} ${job.predictedStart === null ? "" : Math.round(job.predictedStart / 60)} ${job.message}`;
      if (key !== said) tell("state", text);
      said = key;
      if (job.state === "Running") return shown(job);
      if (hasEnded(job.state)) throw endedEarly(site, job);
      if (!late && isLate(job, answer.now)) {
        late = true;
        tell("warning", `the start of job ${id} has come; OAR starts a reservation up to a minute late, its end stays`);
      }
    }
    if (Date.now() - begun >= limitMs) throw overdue(site, id, last, limitMs);
    try {
      await sleep(interval(look, failures, last, answer), signal);
    } catch {
      throw left(site, id);
    }
  }
}

/** Milliseconds to the next look: one oarstat costs the frontend a third of a second. */
function interval(look: number, failures: number, job: OarJob | null, answer: JobsAnswer | null): number {
  if (failures > 0) return Math.min(15_000, 1000 * 2 ** Math.min(failures, 4));
  const ahead = job?.predictedStart != null && answer ? job.predictedStart - answer.now : 0;
  if (ahead > 600) return 15_000;
  return look < 30 ? 1500 : 4000;
}

function isLate(job: OarJob, now: number): boolean {
  return (
    job.reservation !== "None" && job.state === "Waiting" && job.predictedStart !== null && now > job.predictedStart
  );
}

/** What a job does now, in a line: its wait with the predicted start, or its run with its end. `now` in epoch seconds. */
export function describeJob(job: Job, now: number): string {
  const name = `job ${job.jobId}`;
  switch (job.state) {
    case "Waiting":
    case "toAckReservation": {
      // OAR's message ends with what its scheduler thinks: (Karma=0.000,quota_ok).
      const reason = /\(([^()]*)\)\s*$/.exec(job.message)?.[1] ?? "";
      const why = reason && !/quota_ok/.test(reason) ? ` (${plainLine(reason)})` : "";
      if (job.predictedStart === null) return `${name} waits${why}; OAR has not planned its start yet`;
      const ahead = job.predictedStart - now;
      const when = ahead > 90 ? `, in ${readDuration(Math.round(ahead / 60) * 60)}` : "";
      return `${name} waits${why}; it should start at ${momentText(job.predictedStart, now)}${when}`;
    }
    case "Hold":
      return `${name} is on hold; "oarresume ${job.jobId}" on the frontend lets it go`;
    case "toLaunch":
    case "Launching":
      return `${name} is being started`;
    case "Running": {
      const until = job.endsAt === null ? "" : ` until ${momentText(job.endsAt, now)}`;
      return `${name} runs on ${count(job.nodes.length, "node")}${until}`;
    }
    case "Suspended":
    case "Resuming":
      return `${name} is suspended`;
    case "Finishing":
      return `${name} is ending`;
    default:
      return `${name} has ended${job.end ? `: ${plainLine(job.end.text)}` : ""}`;
  }
}

/** How to go on with a job that was left. */
export function goOn(site: Site, jobId: number): string {
  return `It goes on by itself. See it with "virtu jobs --site ${site.name}", give it back with "virtu release --site ${site.name} ${jobId}".`;
}

function left(site: Site, jobId: number): VirtuError {
  return new VirtuError({
    kind: "cancelled",
    what: `virtu no longer waits for job ${jobId}; the job stays`,
    where: site.name,
    hint: goOn(site, jobId),
  });
}

function overdue(site: Site, jobId: number, job: OarJob | null, limitMs: number): VirtuError {
  return new VirtuError({
    kind: "timeout",
    what: `Job ${jobId} did not start within ${readDuration(limitMs / 1000)}; it stays`,
    where: site.name,
    why: job ? `OAR says ${job.state}` : "OAR did not answer",
    hint: goOn(site, jobId),
  });
}

function vanished(site: Site, jobId: number): VirtuError {
  return new VirtuError({
    kind: "failed",
    what: `Job ${jobId} is gone`,
    where: site.name,
    why: "OAR no longer knows its number",
    hint: "Look at the list of your jobs, then reserve again.",
  });
}

function endedEarly(site: Site, job: OarJob): VirtuError {
  const ran = job.startedAt !== null;
  const kind = job.end?.kind;
  return new VirtuError({
    kind: kind === "refused" ? "refused" : "failed",
    what: ran ? `Job ${job.jobId} has ended already` : `Job ${job.jobId} ended before it ran`,
    where: site.name,
    why: plainLine(job.end?.text ?? `OAR says ${job.state}`),
    hint: kind === "failed" ? "Try again; if it stays so, tell the site's administrators." : "Reserve again.",
    detail: job.events.map(({ type, description }) => `${type}: ${description}`).join("\n") || undefined,
  });
}
