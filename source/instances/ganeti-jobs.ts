/** A cluster's job queue: what anybody had it do, and what waits and can be taken back. */
import { VirtuError } from "../errors.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { cancelCommand, failureText, type GanetiJobRecord, isCancellable, subjectOf } from "../tools/ganeti-jobs.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { GanetiReader } from "./ganeti-read.ts";
import type { ProviderJob, ProviderJobs, ProviderOptions } from "./types.ts";

/** Older ones are left to `gnt-job list`. */
const shown = 50;

export class GanetiJobs implements ProviderJobs {
  constructor(
    private readonly master: GanetiMaster,
    private readonly reader: GanetiReader,
  ) {}

  async list(options: ProviderOptions): Promise<ProviderJob[]> {
    const jobs = await this.reader.jobs(shown, options);
    return jobs.reverse().map(jobOf);
  }

  async cancel(id: string, options: ProviderOptions): Promise<void> {
    const { status, stdout, stderr } = await this.master.ask(
      (access) => cancelCommand(access, id),
      `cancelling job ${id}`,
      { priority: "user", ...options },
    );
    if (status === 0) return;
    const text = stdout.trim() || stderr.trim();
    throw new VirtuError({
      kind: "refused",
      what: `Ganeti job ${id} was not cancelled`,
      where: this.master.target.name,
      ...whyNot(stdout, stderr),
      detail: text || undefined,
    });
  }
}

/** gnt-job says on stdout what became of each number. */
function whyNot(stdout: string, stderr: string): { why: string; hint?: string } {
  if (/no longer waiting/i.test(stdout)) return { why: "it runs already: only a job that waits can be taken back" };
  if (/exited before/.test(stdout)) return { why: "it was over before it could be taken back" };
  if (/not found in queue/.test(stdout)) return { why: "it is over, or there is no such job" };
  return explainGaneti(stderr || stdout);
}

function jobOf(job: GanetiJobRecord): ProviderJob {
  const log = job.log.map(({ text }) => text);
  const subject = subjectOf(job);
  const bad = job.status === "error" || job.status === "canceled";
  return {
    id: job.id,
    state: job.status,
    // Jobs on tags and renamings do not say whose they are.
    summary: subject !== null && !job.summary.includes(subject) ? `${job.summary}(${subject})` : job.summary,
    at: job.ended ?? job.received,
    cancellable: isCancellable(job.status),
    log: bad ? [...log, explainGaneti(failureText(job.status, job.results)).why] : log,
  };
}
