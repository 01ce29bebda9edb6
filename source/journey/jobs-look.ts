/** One job by its number, with what OAR knows beyond what is shown. */
import { VirtuError } from "../errors.ts";
import type { OarJob } from "../tools/oar-jobs.ts";
import { type AskOptions, askJobs } from "./jobs-ask.ts";
import type { Context, Job, Site } from "./types.ts";

/** What the layers above see of a job, without OAR's inner facts. */
export function shown(job: OarJob): Job {
  const { reservation: _, initialRequest: _2, resubmittedAs: _3, events: _4, ...rest } = job;
  return rest;
}

/** As `getJob`, with OAR's inner facts. For this folder. */
export async function knownJob(context: Context, site: Site, jobId: number, options: AskOptions): Promise<OarJob> {
  const job = (await askJobs(context, site, { ...options, jobId })).jobs.find((other) => other.jobId === jobId);
  if (job) return job;
  throw unknownJob(site, jobId);
}

export function unknownJob(site: Site, jobId: number): VirtuError {
  return new VirtuError({
    kind: "refused",
    what: `There is no job ${jobId}`,
    where: site.name,
    why: "OAR knows none of that number here",
    hint: "Each site counts its own jobs; look at the list of yours.",
  });
}
