/** `virtu ganeti-jobs`: the queues of the clusters; a job that waits can be taken back. */
import type { Command } from "commander";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Inventory } from "../instances/inventory.ts";
import type { Provider, ProviderJob } from "../instances/types.ts";
import { iso } from "../text.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, withHosts } from "./hosts.ts";
import { confirm, type ExitStatus, exit, reportError, run, type Session, withChange, withJson } from "./run.ts";
import { table } from "./table.ts";

export function declare(program: Command): void {
  const parent = program.command("ganeti-jobs").description("Lists the jobs of Ganeti clusters, or takes one back.");
  withJson(withHosts(parent.command("list", { isDefault: true })))
    .description("Lists the jobs, newest first.")
    .action((options: HostOptions, command: Command) =>
      run((session) => list(session, command.optsWithGlobals()))(options, command),
    );
  withChange(withHosts(parent.command("cancel")))
    .description("Takes back a job that waits.")
    .argument("<id>", "the job's number; CLUSTER/NUMBER where several clusters are read")
    .action((id: string, options: HostOptions, command: Command) =>
      run((session) => cancel(session, id, command.optsWithGlobals()))(options, command),
    );
}

async function withJobs(
  session: Session,
  options: HostOptions,
  body: (found: { provider: Provider; job: ProviderJob }[]) => Promise<void>,
): Promise<ExitStatus> {
  const inventory: Inventory = await readHosts(session, options);
  try {
    const silent = reportSilent(session, inventory);
    if (silentHosts(inventory).length === inventory.view().hosts.length) return exit.failed;
    const asking = { signal: session.signal, priority: "user" } as const;
    let failed = 0;
    const queues = inventory.providers().filter(({ jobs }) => jobs);
    const found = await Promise.all(
      queues.map(async (provider) => {
        try {
          return ((await provider.jobs?.list(asking)) ?? []).map((job) => ({ provider, job }));
        } catch (thrown) {
          if (session.signal.aborted) throw thrown;
          reportError(toVirtuError(thrown, "Its jobs can't be listed"), session.globals.json);
          failed += 1;
          return [];
        }
      }),
    );
    // The others' jobs are worth as much.
    if (failed > 0 && failed === queues.length) return exit.failed;
    await body(found.flat());
    return silent.problems + failed > 0 ? exit.some : exit.done;
  } finally {
    inventory.end();
  }
}

function list(session: Session, options: HostOptions): Promise<ExitStatus> {
  return withJobs(session, options, async (found) => {
    session.out.result(
      found.map(({ provider, job }) => ({ cluster: provider.cluster, ...job, at: iso(job.at) })),
      table(
        ["CLUSTER", "JOB", "STATE", "AT", "SUMMARY"],
        found.map(({ provider, job }) => [provider.cluster ?? "-", job.id, job.state, iso(job.at) ?? "-", job.summary]),
      ),
    );
  });
}

function cancel(session: Session, word: string, options: HostOptions): Promise<ExitStatus> {
  return withJobs(session, options, async (found) => {
    const slash = word.lastIndexOf("/");
    const [cluster, id] = slash < 0 ? [null, word] : [word.slice(0, slash), word.slice(slash + 1)];
    const matches = found.filter(({ provider, job }) => job.id === id && (!cluster || provider.cluster === cluster));
    const [match] = matches;
    if (!match || matches.length > 1) {
      const what = match ? `${matches.length} clusters have a job ${id}` : `There is no job ${id}`;
      const hint = match ? "Write CLUSTER/NUMBER." : "virtu ganeti-jobs lists them.";
      throw new VirtuError({ kind: "usage", what, where: word, hint });
    }
    const { provider, job } = match;
    const shown = { cluster: provider.cluster, ...job, at: iso(job.at) };
    if (session.globals.dryRun) {
      session.out.result(shown, [
        `${provider.cluster}: job ${job.id} (${job.summary}, ${job.state}) would be taken back`,
      ]);
      return;
    }
    await confirm(session, `Take back job ${job.id}?`, [`${job.summary} (${job.state})`]);
    await provider.jobs?.cancel(job.id, { signal: session.signal, priority: "user" });
    session.out.result(shown, [`job ${job.id} of ${provider.cluster} was taken back`]);
  });
}
