/** `virtu reserve`: reserves nodes, waits until they are there. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import {
  checkRequest,
  hasUsagePolicy,
  policyWarnings,
  type ReserveValues,
  reserve,
  reserveCommand,
} from "../journey/reserve.ts";
import type { ReserveRequest } from "../journey/types.ts";
import { parseWalltime } from "../journey/walltime.ts";
import { jobLines, jobRecord } from "./jobs.ts";
import { exit, reportError, run, withChange, withSite } from "./run.ts";

interface Options extends ReserveValues {
  site: string;
  wait: boolean;
  timeout?: string;
}

/** All wrong options at once. */
function requestOf(options: Options): ReserveRequest {
  const checked = checkRequest(options);
  if ("request" in checked) return checked.request;
  const faults = Object.entries(checked.errors);
  throw new VirtuError({
    kind: "usage",
    what: "The reservation can't be asked for like this",
    where: faults.map(([field]) => `--${field}`).join(", "),
    why: faults.map(([, fault]) => fault).join(" "),
    hint: "virtu reserve --help says what each takes.",
  });
}

/** Milliseconds of `--timeout`: a bare number is seconds. */
function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = /^\d+$/.test(text) ? { seconds: Number(text) } : parseWalltime(text);
  if ("seconds" in parsed) return parsed.seconds * 1000;
  throw new VirtuError({ kind: "usage", what: "--timeout is not a time", where: text, why: parsed.error });
}

export function declare(program: Command): void {
  withChange(withSite(program.command("reserve")))
    .description("Reserves nodes of a site as an OAR deploy job and waits until it runs.")
    .requiredOption("--nodes <n>", "how many nodes")
    .requiredOption("--walltime <time>", "for how long: 2:30, 2h30, 90 min, 1d; a bare number is hours")
    .option("--subnet <prefix>", "a subnet for virtual machines, /16 to /22, or none", "22")
    .option("--cluster <name>", "nodes of this cluster only")
    .option("--properties <sql>", "nodes that satisfy this condition on OAR's properties")
    .option("--queue <name>", "OAR queue")
    .option("--project <name>", "OAR project")
    .option("--name <name>", "the job's name", "virtu")
    .option("--start <date>", '"YYYY-MM-DD HH:MM:SS" in the site\'s time; otherwise as soon as possible')
    .option("--no-wait", "end as soon as the job has a number")
    .option("--timeout <time>", "wait at most so long for its start (seconds, or 10 min); the job stays")
    .addHelpText(
      "after",
      `
With --json: the job as "virtu jobs" gives it. Ctrl-C ends the waiting and leaves the job: "virtu jobs" shows it,
"virtu release" gives it back. The job is passive: it lives until its walltime or its release, whatever becomes of virtu.`,
    )
    .action((options: Options, command: Command) =>
      run(async ({ app, globals, signal, out }) => {
        const request = requestOf(options);
        const limitMs = limitOf(options.timeout);
        const { line } = reserveCommand(request);
        if (globals.dryRun) {
          out.result({ commands: [line] }, [line]);
          return exit.done;
        }
        const site = app.site(options.site);
        if (hasUsagePolicy(site)) for (const hint of policyWarnings(request, Date.now() / 1000)) out.note(hint);
        try {
          const job = await reserve(app, site, request, {
            signal,
            wait: options.wait,
            limitMs,
            onEvent: ({ kind, text }) => out.note(kind === "submitting" ? `${site.name}: ${text}` : text),
          });
          out.result(jobRecord(job), jobLines(job, Date.now() / 1000));
          return exit.done;
        } catch (thrown) {
          // An interrupted command ends without a word; here the job stays, and that must be said.
          if (signal.aborted) reportError(thrown, globals.json);
          throw thrown;
        }
      })(options, command),
    );
}
