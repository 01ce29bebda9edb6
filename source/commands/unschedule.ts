/** `virtu unschedule`: takes back what hosts were to do at a time. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { verbOf } from "../instances/action-words.ts";
import { cancelScheduled, listScheduled } from "../instances/schedule.ts";
import { whenText } from "../instances/when.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, reportError, run, type Session, withChange } from "./run.ts";
import { scheduledJson } from "./scheduled.ts";

export function declare(program: Command): void {
  withChange(withHosts(program.command("unschedule")))
    .description("Takes back what a host was to do at a time.")
    .argument("<id...>", "as virtu scheduled lists them")
    .action((ids: string[], options: HostOptions, command: Command) =>
      run((session) => takeBack(session, ids, command.optsWithGlobals()))(options, command),
    );
}

async function takeBack(session: Session, ids: readonly string[], options: HostOptions): Promise<ExitStatus> {
  const inventory = await readHosts(session, options);
  try {
    reportSilent(session, inventory);
    const silent = silentHosts(inventory).map(({ host }) => host);
    if (silent.length === inventory.view().hosts.length) return exit.failed;
    const context = { pool: session.app.pool, inventory };
    const { jobs, problems } = await listScheduled(context, session.signal);
    for (const problem of problems) reportError(problem, session.globals.json);
    const found = ids.map((id) => {
      const job = jobs.find((one) => one.id === id);
      if (job) return job;
      const hint = "virtu scheduled lists them.";
      const unread = [...silent, ...problems.flatMap(({ where }) => where ?? [])];
      const why = unread.length > 0 ? `it may be on ${unread.join(", ")}, which did not answer` : undefined;
      throw new VirtuError({ kind: "usage", what: "No host keeps such an action", where: id, why, hint });
    });
    const now = Date.now() / 1000;
    const results: { id: string; host: string; ok: boolean; error: string | null; line: string }[] = [];
    for (const job of found) {
      const { id, host, at, action, names } = job;
      const verb = action === "unknown" ? "?" : verbOf(action);
      const what = `${host}: ${id} (${verb} ${names.join(", ")} at ${whenText(at, now, job.clock)})`;
      if (session.globals.dryRun) {
        results.push({ id, host, ok: true, error: null, line: `${what} would be taken back` });
        continue;
      }
      try {
        await cancelScheduled(context, job, session.signal);
        results.push({ id, host, ok: true, error: null, line: `${what} was taken back` });
      } catch (thrown) {
        const { message } = thrown as Error;
        results.push({ id, host, ok: false, error: message, line: `${what}: FAILED: ${message}` });
      }
    }
    session.out.result(
      session.globals.dryRun ? found.map(scheduledJson) : results.map(({ line: _, ...result }) => result),
      results.map(({ line }) => line),
    );
    const failed = results.filter(({ ok }) => !ok).length;
    if (failed === 0) return exit.done;
    return failed === results.length ? exit.failed : exit.some;
  } finally {
    inventory.end();
  }
}
