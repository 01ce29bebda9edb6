/** `virtu at TIME ACTION …`: an action that the hosts carry out by themselves, at a time. */
import { Command, CommanderError } from "commander";
import { VirtuError } from "../errors.ts";
import { verbOf } from "../instances/action-words.ts";
import type { Inventory } from "../instances/inventory.ts";
import { planSchedule, type SchedulePlan, scheduleAction } from "../instances/schedule.ts";
import { isNodeAction, type Request } from "../instances/target.ts";
import type { Action } from "../instances/types.ts";
import { parseWhen, whenText } from "../instances/when.ts";
import { count } from "../text.ts";
import { declareActions } from "./action-declare.ts";
import { actionCommands } from "./action-table.ts";
import { readHosts, reportSilent, silentHosts } from "./hosts.ts";
import { confirm, type ExitStatus, exit, run, type Session } from "./run.ts";
import { scheduledJson } from "./scheduled.ts";
import { choose, type SelectOptions, selectorOfOptions } from "./selecting.ts";

const details = `
TIME is 19:00 (the next time that it is so), "tomorrow 7:30", "2026-11-26 19:00", +30m or +2h, by your own clock. ACTION and
what follows is the command that would do it now, on instances:

  virtu at 19:00 shutdown --group lab --yes
  virtu at "tomorrow 7:30" start web1 db1 --host hv1

The hosts carry it, by at or a systemd timer: virtu need not stay open, and a reboot changes nothing. virtu scheduled lists
what is kept, virtu unschedule takes it back.`;

export function declare(program: Command): void {
  program
    .command("at")
    .description("Has an action done at a time, by the hosts themselves.")
    .argument("<time>", "when, by your own clock")
    .argument("<action...>", "the command, as it would be given to do it now")
    .addHelpText("after", details)
    .passThroughOptions()
    .action((time: string, words: string[], _options: unknown, command: Command) =>
      parseAction(time, words, command.optsWithGlobals()),
    );
}

/** Reads the words after the time as the commands of the actions do. */
async function parseAction(time: string, words: readonly string[], outer: Record<string, unknown>): Promise<void> {
  const inner = new Command("virtu at TIME").enablePositionalOptions();
  for (const first of new Set(actionCommands.map((entry) => entry.words.split(" ")[0] ?? ""))) {
    declareActions(
      inner,
      first,
      (entry, names, args, command) => {
        const options = { ...outer, ...command.optsWithGlobals() } as SelectOptions & Record<string, unknown>;
        const body = (session: Session) => schedule(session, time, entry.request({ args, options }), names, options);
        return run(body)(options, command);
      },
      false,
    );
  }
  for (const command of [inner, ...inner.commands, ...inner.commands.flatMap(({ commands }) => commands)]) {
    command
      .option("-F, --ssh-config <file>", "ssh configuration file, instead of your own")
      .option("--config <dir>", "directory of settings and state")
      .exitOverride();
  }
  const globals = [
    ...(typeof outer["sshConfig"] === "string" ? ["--ssh-config", outer["sshConfig"]] : []),
    ...(typeof outer["config"] === "string" ? ["--config", outer["config"]] : []),
  ];
  const known = inner.commands.some((command) => command.name() === words[0]);
  if (!known) throw new CommanderError(1, "virtu.unknownCommand", `error: there is no action '${words[0]}'`);
  await inner.parseAsync([...words, ...globals], { from: "user" });
}

async function schedule(
  session: Session,
  time: string,
  request: Request,
  names: readonly string[],
  options: SelectOptions,
): Promise<ExitStatus> {
  const now = Date.now() / 1000;
  const at = parseWhen(time, now);
  const action = instanceAction(request);
  const inventory = await readHosts(session, options);
  try {
    reportSilent(session, inventory);
    if (silentHosts(inventory).length === inventory.view().hosts.length) return exit.failed;
    const { found, unseen } = choose(session, inventory, selectorOfOptions(names, options));
    const keys = found.map(({ key }) => key);
    const plan = planSchedule({ inventory }, action, keys);
    for (const { host, name, reason } of plan.left) session.out.note(`${host}/${name}: left out: ${reason}`);
    for (const name of unseen) session.out.note(`${name}: left out: not on the hosts that answered`);
    const missed = plan.left.length + unseen.length;
    if (plan.jobs.length === 0) {
      throw new VirtuError({ kind: "refused", what: "Nothing is left to be done then", why: plan.left[0]?.reason });
    }
    if (session.globals.dryRun) return preview(session, plan, at, now);
    const number = plan.jobs.reduce((sum, { lines }) => sum + lines.length, 0);
    await confirm(
      session,
      `Have the hosts ${verbOf(action.do)} ${count(number, "instance")} at ${whenText(at, now)}?`,
      plan.jobs.flatMap(({ target, lines }) => lines.map(({ name }) => `${target.name}: ${name}`)),
    );
    return await keepAll(session, inventory, action, plan, at, missed);
  } finally {
    inventory.end();
  }
}

function instanceAction(request: Request): Action {
  if (!isNodeAction(request.do)) return request as Action;
  throw new VirtuError({ kind: "usage", what: "Actions on nodes have no time", why: "they are followed to their end" });
}

function preview(session: Session, plan: SchedulePlan, at: number, now: number): ExitStatus {
  const when = whenText(at, now);
  session.out.result(
    plan.jobs.map(({ target, lines }) => ({
      host: target.name,
      at: new Date(at * 1000).toISOString(),
      commands: lines.map(({ line }) => line.line),
    })),
    plan.jobs.flatMap(({ target, lines }) => lines.map(({ line }) => `${target.name} at ${when}: ${line.line}`)),
  );
  return exit.done;
}

async function keepAll(
  session: Session,
  inventory: Inventory,
  action: Action,
  plan: SchedulePlan,
  at: number,
  missed: number,
): Promise<ExitStatus> {
  const context = { pool: session.app.pool, inventory };
  const outcomes = await scheduleAction(context, action, plan, at, session.signal);
  const now = Date.now() / 1000;
  session.out.result(
    outcomes.map(({ host, names, job, error }) => ({
      ...{ host, names, ok: job !== null, id: job?.id ?? null, carrier: job?.carrier ?? null },
      ...{ job: job && scheduledJson(job), error: error?.toJSON() ?? null },
    })),
    outcomes.map(({ host, names, job, error, clock }) => {
      if (!job) return `${host}: FAILED: ${[error?.what, error?.why, error?.hint].filter(Boolean).join(": ")}`;
      return `${host}: ${job.id} at ${whenText(at, now, clock)}, by ${job.carrier}: ${names.join(", ")}`;
    }),
  );
  for (const { host, clock } of outcomes) {
    const apart = clock ? Math.round(clock.now - now) : 0;
    if (Math.abs(apart) > 60) session.out.note(`${host}: its clock is ${apart} s off yours; it goes by its own`);
  }
  const failed = outcomes.filter(({ job }) => job === null).length;
  if (failed === outcomes.length) return exit.failed;
  return failed + missed > 0 ? exit.some : exit.done;
}
