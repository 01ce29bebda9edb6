/** `virtu start`, `shutdown`, `reboot` and `force-off`: one action on named instances, a few at a time on each host. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { ActionItem, InstanceRow, Inventory } from "../instances/inventory.ts";
import { isAlready } from "../instances/rules.ts";
import { select } from "../instances/select.ts";
import type { BasicActionName, Status } from "../instances/types.ts";
import { count } from "../text.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, wholeOption, withHosts } from "./hosts.ts";
import { confirm, type ExitStatus, exit, run, type Session, withChange } from "./run.ts";

interface Options extends HostOptions {
  timeout?: string;
}

/** The documented shape of a result. */
interface Result {
  name: string;
  host: string | null;
  ok: boolean;
  statusBefore: Status | null;
  statusAfter: Status | null;
  job: string | null;
  error: string | null;
}

export function declareAction(program: Command, action: BasicActionName, description: string, timeout: string): void {
  withChange(withHosts(program.command(action)))
    .description(description)
    .argument("<name...>", "instances; HOST/NAME where several hosts have one of that name")
    .option("--timeout <seconds>", timeout)
    .option("--parallel <n>", "actions at once on each host or cluster (default 2)")
    .action((names: string[], options: Options, command: Command) =>
      run((session) => actOnNamed(session, action, names, command.optsWithGlobals()))(options, command),
    );
}

/** The body of the four commands. */
export async function actOnNamed(
  session: Session,
  action: BasicActionName,
  names: string[],
  options: Options,
): Promise<ExitStatus> {
  const limitSeconds = wholeOption("--timeout", options.timeout);
  const inventory = await readHosts(session, options);
  try {
    const silent = silentHosts(inventory);
    reportSilent(session, inventory);
    if (silent.length === inventory.view().hosts.length) return exit.failed;
    const silentNames = silent.map((host) => host.host);
    const { found, unseen } = select(inventory.view().instances, names, silentNames);
    const targets = found.filter((instance) => !isAlready(action, instance));
    if (session.globals.dryRun) return preview(session, inventory, action, found, limitSeconds);
    if (action === "force-off" && targets.length > 0) await confirmLoss(session, targets);

    noteProgress(session, inventory);
    const run = inventory.act(
      { do: action },
      targets.map((instance) => instance.key),
      { limitSeconds, signal: session.signal },
    );
    const items = new Map((await run.done).map((item) => [item.key, item]));
    const results = [
      ...found.map((instance) => resultOf(instance, items.get(instance.key))),
      ...unseen.map((name) => notSeen(name, silentNames)),
    ];
    session.out.result(results, results.map(resultLine));
    if (session.signal.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    const failed = results.filter((result) => !result.ok).length;
    if (failed === 0) return exit.done;
    return failed === results.length ? exit.failed : exit.some;
  } finally {
    inventory.end();
  }
}

/** One line for each new word about an instance; its outcome is a line of the result. */
function noteProgress(session: Session, inventory: Inventory): void {
  const told = new Map<number, string>();
  inventory.on("action", ({ id, host, name, text, state }) => {
    if (state !== "running" || told.get(id) === text) return;
    told.set(id, text);
    session.out.note(`${host}/${name}: ${text}`);
  });
}

function preview(
  session: Session,
  inventory: Inventory,
  action: BasicActionName,
  found: readonly InstanceRow[],
  limitSeconds: number | undefined,
): ExitStatus {
  const results = found.map((instance) => {
    const refusal = inventory.refuses(action, instance.key);
    const [preview] = refusal === null ? inventory.preview({ do: action }, [instance.key], { limitSeconds }) : [];
    return {
      name: instance.name,
      host: instance.host,
      runsOn: preview?.host ?? null,
      commands: preview?.lines ?? [],
      refusal,
    };
  });
  session.out.result(
    results,
    results.flatMap(({ name, host, runsOn, commands, refusal }) =>
      refusal === null
        ? commands.map((line) => `${runsOn}: ${line}`)
        : [`${host}/${name}: nothing would run: ${refusal}`],
    ),
  );
  return exit.done;
}

async function confirmLoss(session: Session, targets: readonly InstanceRow[]): Promise<void> {
  const losses = targets.map(
    (instance) => `${instance.host}/${instance.name} (${instance.statusDetail}): what it has not saved is lost`,
  );
  await confirm(session, `Force off ${count(targets.length, "instance")}?`, losses);
}

function resultOf(instance: InstanceRow, item: ActionItem | undefined): Result {
  const { name, host, status } = instance;
  // Without an item it was already as wanted.
  if (!item) return { name, host, ok: true, statusBefore: status, statusAfter: status, job: null, error: null };
  const { statusBefore, statusAfter, job, error } = item;
  return { name, host, ok: item.state === "done", statusBefore, statusAfter, job, error };
}

function notSeen(name: string, silent: readonly string[]): Result {
  const error = `not on the hosts that answered; ${silent.join(", ")} did not`;
  return { name, host: null, ok: false, statusBefore: null, statusAfter: null, job: null, error };
}

function resultLine({ name, host, ok, statusBefore, statusAfter, job, error }: Result): string {
  const which = host === null ? name : `${host}/${name}`;
  const change = statusBefore === statusAfter ? `${statusAfter}` : `${statusBefore} -> ${statusAfter ?? "not seen"}`;
  const number = job === null ? "" : ` (Ganeti job ${job})`;
  return ok ? `${which}: ok, ${change}${number}` : `${which}: FAILED${number}: ${error}`;
}
