/** `virtu release`: ends a job and waits until it has really ended. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { getJob, release, releaseCommands } from "../journey/jobs.ts";
import type { Job } from "../journey/types.ts";
import { count, plainLine } from "../text.ts";
import { confirm, exit, reportError, run, withChange, withSite } from "./run.ts";

/** A job's number from the command line. */
export function jobNumber(text: string): number {
  const jobId = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (jobId > 0) return jobId;
  throw new VirtuError({
    kind: "usage",
    what: "A job's number is a whole number above 0",
    where: text,
    hint: '"virtu jobs" shows the numbers of yours.',
  });
}

/** What goes with the job, for the question. */
function losses(job: Job): string[] {
  if (job.nodes.length === 0) return [`${plainLine(job.name ?? "it")}: its place in the queue`];
  return [`${count(job.nodes.length, "node")} with all that is on them: ${job.nodes.map(plainLine).join(" ")}`];
}

export function declare(program: Command): void {
  withChange(withSite(program.command("release")))
    .description("Ends a job and gives its nodes back; waits until it has really ended.")
    .argument("<job>", "the job's number")
    .addHelpText(
      "after",
      "\nWith --json: {jobId, state, end}; end tells how it ended. A job that has ended already is no error.",
    )
    .action((job: string, options: { site: string }, command: Command) =>
      run(async (session) => {
        const { app, globals, signal, out } = session;
        const jobId = jobNumber(job);
        const site = app.site(options.site);
        const lines = releaseCommands(jobId).map(({ line }) => line);
        if (globals.dryRun) {
          out.result({ commands: lines }, lines);
          return exit.done;
        }
        if (!globals.yes) {
          const known = await getJob(app, site, jobId, { signal, priority: "user" });
          if (known.end === null) await confirm(session, `Release job ${jobId}?`, losses(known));
        }
        try {
          const ended = await release(app, site, jobId, {
            signal,
            onState: ({ state }) => out.note(`job ${jobId}: ${state}`),
          });
          const { state, end } = ended;
          out.result({ jobId, state, end }, [`job ${jobId} has ended${end ? `: ${plainLine(end.text)}` : ""}`]);
          return exit.done;
        } catch (thrown) {
          // Only the waiting was interrupted: the request is with OAR.
          if (signal.aborted) reportError(thrown, globals.json);
          throw thrown;
        }
      })(options, command),
    );
}
