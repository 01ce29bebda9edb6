/** `virtu extend`: asks for a longer walltime and tells what was granted. */
import type { Command } from "commander";
import { extend, extendCommands } from "../journey/jobs.ts";
import { readDuration } from "../journey/walltime.ts";
import { jobNumber } from "./release.ts";
import { exit, run, withChange, withSite } from "./run.ts";

export function declare(program: Command): void {
  withChange(withSite(program.command("extend")))
    .description("Asks OAR for a longer walltime of a running job.")
    .argument("<job>", "the job's number")
    .argument("<time>", "how much more: +0:30:00, +0:30, 30 min")
    .addHelpText(
      "after",
      `
With --json: {jobId, walltime, granted, pending} in seconds: the walltime now in force, what this request was given, and
what is still asked for; OAR may grant that later, when nobody else waits for the nodes.
Exit status 0 when all of it is granted, 3 when some is pending.`,
    )
    .action((job: string, time: string, options: { site: string }, command: Command) =>
      run(async ({ app, globals, signal, out }) => {
        const jobId = jobNumber(job);
        const lines = extendCommands(jobId, time).map(({ line }) => line);
        if (globals.dryRun) {
          out.result({ commands: lines }, lines);
          return exit.done;
        }
        const extension = await extend(app, app.site(options.site), jobId, time, { signal });
        const { walltime, granted, pending } = extension;
        const still = pending > 0 ? `; ${readDuration(pending)} asked for and not granted yet` : "";
        const given = granted > 0 ? `${readDuration(granted)} more granted` : "nothing granted yet";
        out.result(extension, [`job ${jobId}: walltime ${readDuration(walltime)}, ${given}${still}`]);
        return pending > 0 ? exit.some : exit.done;
      })(options, command),
    );
}
