/** `virtu scheduled`: what the hosts keep to be done at a time, and what came of it. */
import type { Command } from "commander";
import { verbOf } from "../instances/action-words.ts";
import { hostsAsked, listScheduled, type ScheduledJob } from "../instances/schedule.ts";
import { whenText } from "../instances/when.ts";
import { iso } from "../text.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, reportError, run, type Session, withJson } from "./run.ts";
import { table } from "./table.ts";

export function declare(program: Command): void {
  withJson(withHosts(program.command("scheduled")))
    .description("Lists what the hosts keep to be done at a time.")
    .action((options: HostOptions, command: Command) =>
      run((session) => list(session, command.optsWithGlobals()))(options, command),
    );
}

/** The documented keys of a scheduled action. */
export function scheduledJson(job: ScheduledJob): unknown {
  const { id, host, action, names, state, carrier, results } = job;
  const times = { at: iso(job.at), madeAt: iso(job.madeAt), startedAt: iso(job.startedAt), endedAt: iso(job.endedAt) };
  return { id, host, action, names, state, carrier, ...times, results };
}

async function list(session: Session, options: HostOptions): Promise<ExitStatus> {
  const inventory = await readHosts(session, options);
  try {
    const silent = reportSilent(session, inventory);
    if (silentHosts(inventory).length === inventory.view().hosts.length) return exit.failed;
    const { jobs, problems } = await listScheduled({ pool: session.app.pool, inventory }, session.signal);
    for (const problem of problems) reportError(problem, session.globals.json);
    if (problems.length > 0 && problems.length === hostsAsked(inventory)) return exit.failed;
    const now = Date.now() / 1000;
    session.out.result(
      jobs.map(scheduledJson),
      table(
        ["ID", "HOST", "AT", "STATE", "BY", "ACTION", "INSTANCES"],
        jobs.map((job) => [
          ...[job.id, job.host, whenText(job.at, now, job.clock), job.state, job.carrier],
          ...[job.action === "unknown" ? "?" : verbOf(job.action), job.names.join(",")],
        ]),
      ),
    );
    return silent.problems + problems.length > 0 ? exit.some : exit.done;
  } finally {
    inventory.end();
  }
}
