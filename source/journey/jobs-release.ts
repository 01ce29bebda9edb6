/** Releasing a job: asked by oardel, done when OAR says that it has ended. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import { remove } from "../tools/oar.ts";
import { parseRemoval } from "../tools/oar-change.ts";
import { hasEnded, type OarJob } from "../tools/oar-jobs.ts";
import { isPassing, type Pause, pause } from "../waiting.ts";
import { type AskOptions, ask, askJobs, checkJobId } from "./jobs-ask.ts";
import { knownJob, shown, unknownJob } from "./jobs-look.ts";
import type { Context, Job, JobState, Site } from "./types.ts";

export interface ReleaseOptions extends AskOptions {
  /** How long to wait for the end after it is registered; milliseconds, a minute and a half by default. */
  limitMs?: number;
  /** Called with each state on the way. */
  onState?: (job: Pick<Job, "jobId" | "state">) => void;
  pause?: Pause;
}

/** Milliseconds between two looks. */
const every = 1500;
/** Looks between two requests. */
const nudgeEvery = 15;

/** The exact commands, for `--dry-run` and summaries. */
export function releaseCommands(jobId: number): Command[] {
  checkJobId(jobId);
  return [remove(jobId)];
}

/**
 * Ends a job and waits until it really has; gives the ended job. A job that has ended before is no error. Aborting stops
 * the waiting, not the release. A link lost on the way is looked after: the job's own state tells whether the request
 * arrived.
 */
export async function release(context: Context, site: Site, jobId: number, options: ReleaseOptions = {}): Promise<Job> {
  const { limitMs = 90_000, onState, pause: sleep = pause, ...asked } = options;
  const what = `Job ${jobId} can't be released`;
  // oardel tries for ever when OAR's database is away, and calls an unknown job somebody else's; oarstat does neither.
  checkJobId(jobId);
  const known = (await askJobs(context, site, { priority: "user", ...asked, jobId, what })).jobs.find(
    (job) => job.jobId === jobId,
  );
  if (!known) throw unknownJob(site, jobId);
  if (hasEnded(known.state)) {
    onState?.({ jobId, state: known.state });
    return shown(known);
  }
  const outcome = await request(context, site, jobId, asked, what, sleep);
  if (outcome === "not-yours") throw notYours(site, known, what);
  // Registered with a server that does not run, it ends only when somebody starts the server.
  const looks = Math.max(1, Math.ceil((outcome === "server-down" ? Math.min(limitMs, 6000) : limitMs) / every));
  let last: JobState | null = null;
  for (let look = 0; look < looks; look += 1) {
    const job = await lookOnce(context, site, jobId, asked);
    if (job) {
      if (job.state !== last) onState?.({ jobId, state: job.state });
      last = job.state;
      if (hasEnded(job.state)) return shown(job);
    }
    // A server that was started again has the request, but carries it out only when the next one comes.
    if (look % nudgeEvery === nudgeEvery - 1) await request(context, site, jobId, asked, what, sleep);
    await sleep(every, options.signal).catch((thrown) => {
      throw interrupted(site, jobId, thrown);
    });
  }
  const down = outcome === "server-down";
  throw new VirtuError({
    kind: down ? "failed" : "timeout",
    what: `Job ${jobId} is to be released, but has not ended yet`,
    where: site.name,
    why: down ? "OAR's server does not run" : `OAR still says ${last ?? "nothing"}`,
    hint: down
      ? "Release it again when the server is back: it may start the job before it reads the request."
      : "It should end by itself; look at the list of your jobs in a minute.",
  });
}

function interrupted(site: Site, jobId: number, cause: unknown): VirtuError {
  return new VirtuError(
    {
      kind: "cancelled",
      what: `virtu no longer waits for the end of job ${jobId}; its release is with OAR and goes on`,
      where: site.name,
    },
    { cause },
  );
}

async function request(
  context: Context,
  site: Site,
  jobId: number,
  options: AskOptions,
  what: string,
  sleep: Pause,
): Promise<ReturnType<typeof parseRemoval>["outcome"]> {
  const command = releaseCommands(jobId)[0] as Command;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await ask(context, site, command, { priority: "user", ...options, what });
      const { outcome } = parseRemoval(result.stdout, result.stderr, result.status);
      if (outcome !== "other") return outcome;
      throw new VirtuError({
        kind: "refused",
        what,
        where: site.name,
        why: `oardel ended with status ${result.status}`,
        detail: `${result.stdout}${result.stderr}`,
      });
    } catch (thrown) {
      // oardel twice does no harm: the second says "already". One that hangs would only hang again.
      if (!isPassing(thrown) || thrown.kind === "timeout" || attempt >= 3) throw thrown;
      await sleep(2000 * attempt, options.signal);
    }
  }
}

/** The job now, or null when the link fails at this moment. */
async function lookOnce(context: Context, site: Site, jobId: number, options: AskOptions): Promise<OarJob | null> {
  try {
    return await knownJob(context, site, jobId, options);
  } catch (thrown) {
    if (isPassing(thrown)) return null;
    throw thrown;
  }
}

function notYours(site: Site, job: OarJob, what: string): VirtuError {
  return new VirtuError({
    kind: "refused",
    what,
    where: site.name,
    why: `it is ${job.owner || "somebody else"}'s, not yours`,
    hint: "Only its owner or the site's administrators can release it.",
  });
}
