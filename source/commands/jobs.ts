/** `virtu jobs`: the user's jobs on a site. */
import type { Command } from "commander";
import { listJobs } from "../journey/jobs.ts";
import { describeJob } from "../journey/reserve.ts";
import type { Job } from "../journey/types.ts";
import { readDuration } from "../journey/walltime.ts";
import { iso, plainLine } from "../text.ts";
import { exit, run, withJson, withSite } from "./run.ts";

/**
 * A job as `--json` gives it, here and in `virtu reserve`; these keys stay. Times are ISO 8601 in UTC or null, `walltime`
 * is in seconds.
 */
export function jobRecord(job: Job): Record<string, unknown> {
  return {
    jobId: job.jobId,
    state: job.state,
    name: job.name,
    command: job.command,
    nodes: job.nodes,
    subnet: job.subnet,
    submittedAt: iso(job.submittedAt),
    predictedStart: iso(job.predictedStart),
    startedAt: iso(job.startedAt),
    endsAt: iso(job.endsAt),
    walltime: job.walltimeSeconds,
    owner: job.owner,
    queue: job.queue,
    types: job.types,
    message: job.message,
    end: job.end,
  };
}

/** A job for people: what it does, then its nodes and subnet. */
export function jobLines(job: Job, now: number): string[] {
  const name = job.name ? `  (${plainLine(job.name)})` : "";
  const lines = [`${describeJob(job, now)}${name}`];
  if (job.state === "Running" && job.endsAt !== null)
    lines[0] += `, ${readDuration(Math.max(0, job.endsAt - now))} left`;
  if (job.nodes.length > 0) lines.push(`  nodes   ${job.nodes.map(plainLine).join(" ")}`);
  if (job.subnet) lines.push(`  subnet  ${job.subnet}`);
  return lines;
}

export function declare(program: Command): void {
  withJson(withSite(program.command("jobs")))
    .description("Lists your jobs on a site that have not ended.")
    .addHelpText(
      "after",
      `
With --json: a list of {jobId, state, name, command, nodes, subnet, submittedAt, predictedStart, startedAt, endsAt,
walltime, owner, queue, types, message, end}; times in UTC, walltime in seconds, state in OAR's words, empty without jobs.`,
    )
    .action((options: { site: string }, command: Command) =>
      run(async ({ app, signal, out }) => {
        const jobs = await listJobs(app, app.site(options.site), { signal, priority: "user" });
        const now = Date.now() / 1000;
        const lines = jobs.flatMap((job) => jobLines(job, now));
        out.result(jobs.map(jobRecord), lines.length > 0 ? lines : ["no jobs"]);
        return exit.done;
      })(options, command),
    );
}
