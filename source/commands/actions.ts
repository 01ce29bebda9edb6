/** Every action as a command: on instances that are named or chosen, or on nodes; a few at a time, each one answered for. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { verbOf } from "../instances/action-words.ts";
import type { ActionItem, ActOptions, InstanceRow, Inventory, NodeRow } from "../instances/inventory.ts";
import { lossGroups, severityOf } from "../instances/losses.ts";
import { isAlready } from "../instances/rules.ts";
import { summaryFile } from "../instances/run-summary.ts";
import { select } from "../instances/select.ts";
import { isNodeAction, type Request } from "../instances/target.ts";
import type { ActionName, Status } from "../instances/types.ts";
import { isUnheard, unheardCommands } from "../instances/unheard.ts";
import { FileTaken, writeLocal } from "../local-file.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { declareActions } from "./action-declare.ts";
import { chooseWaves } from "./action-waves.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, wholeOption } from "./hosts.ts";
import { confirm, type ExitStatus, exit, run, type Session } from "./run.ts";
import { choose, type SelectOptions, selectorOfOptions } from "./selecting.ts";

export interface ActingOptions extends SelectOptions {
  timeout?: string;
  parallel?: string;
  summary?: string;
  wave?: string[];
  goOn?: boolean;
}

/** The documented shape of a result. `status…` is null for a node. */
interface Result {
  name: string;
  host: string | null;
  ok: boolean;
  statusBefore: Status | null;
  statusAfter: Status | null;
  job: string | null;
  error: string | null;
  /** After a shutdown that was not heard: the command that forces it off. */
  next?: string;
  /** What more there is to say of one that worked. */
  text: string | null;
}

/** Says nothing that the other fields do not. */
const plainEnd = /^(?:done|Ganeti jobs? [\d, ]+ done)$/;

/** What an action is done to, and what is not acted on but answered for. */
interface Targets {
  rows: readonly (InstanceRow | NodeRow)[];
  /** Chosen by a rule, not by name: who refuses is left out, and more is asked. */
  byRule: boolean;
  unseen: readonly string[];
  waves: ActOptions["waves"];
}

export function declare(program: Command, word: string): void {
  declareActions(program, word, (entry, names, args, command) => {
    const options = command.optsWithGlobals() as ActingOptions & Record<string, unknown>;
    return run((session) => actOn(session, entry.request({ args, options }), names, options))(options, command);
  });
}

/** The body of all these commands. */
export async function actOn(
  session: Session,
  request: Request,
  names: readonly string[],
  options: ActingOptions,
): Promise<ExitStatus> {
  const acting: ActOptions = {
    limitSeconds: wholeOption("--timeout", options.timeout),
    parallel: wholeOption("--parallel", options.parallel),
    signal: session.signal,
  };
  const inventory = await readHosts(session, options);
  try {
    const silent = silentHosts(inventory);
    reportSilent(session, inventory);
    if (silent.length === inventory.view().hosts.length) return exit.failed;
    const targets = targetsOf(session, inventory, request, names, options);
    if (session.globals.dryRun) return preview(session, inventory, request, targets, acting);
    const refusals = new Map(targets.rows.map(({ key }) => [key, inventory.refuses(request.do, key)]));
    const wanted = targets.rows.filter((row) => {
      const already = "status" in row && !isNodeAction(request.do) && isAlready(request.do, row);
      return !already && (!targets.byRule || refusals.get(row.key) === null);
    });
    await askBefore(session, request, wanted, targets.byRule);
    noteProgress(session, inventory);
    const keys = wanted.map(({ key }) => key);
    const waves = targets.waves?.map((wave) => ({
      ...wave,
      keys: wave.keys.filter((key) => keys.includes(key)),
      also: wave.keys.filter((key) => !keys.includes(key) && refusals.get(key) !== undefined),
    }));
    const onFailure = options.goOn ? "go-on" : "stop";
    const started = inventory.act(request, keys, { ...acting, waves, onFailure });
    const items = new Map((await started.done).map((item) => [item.key, item]));
    await keepSummary(session, inventory, started.run, options.summary);
    return report(
      session,
      request,
      targets,
      items,
      refusals,
      silent.map(({ host }) => host),
      options.uri,
    );
  } finally {
    inventory.end();
  }
}

function targetsOf(
  session: Session,
  inventory: Inventory,
  request: Request,
  names: readonly string[],
  options: ActingOptions,
): Targets {
  if (isNodeAction(request.do)) {
    const silent = silentHosts(inventory).map(({ host }) => host);
    const { found, unseen } = select(inventory.view().nodes, names, silent, "node");
    return { rows: found, unseen, byRule: false, waves: undefined };
  }
  if (options.wave) return chooseWaves(session, inventory, options.wave, names, options);
  const { found, unseen, byRule } = choose(session, inventory, selectorOfOptions(names, options));
  if (found.length === 0 && unseen.length === 0) {
    throw new VirtuError({
      kind: "usage",
      what: "No instance is like that",
      why: `none of the ${inventory.view().instances.length} that were read passes all of the rules`,
      hint: "virtu instances takes the same options and lists what they mean.",
    });
  }
  return { rows: found, unseen, byRule, waves: undefined };
}

/** One line for each new word about an instance; its outcome is a line of the result. */
function noteProgress(session: Session, inventory: Inventory): void {
  const told = new Map<number, string>();
  inventory.on("action", ({ id, host, name, text, state }) => {
    if (state !== "running" || told.get(id) === text) return;
    told.set(id, text);
    session.out.note(`${host}/${name}: ${text}`);
  });
  const waves: string[] = [];
  inventory.on("change", () => {
    for (const [index, { title, state, text }] of inventory.view().runs[0]?.waves.entries() ?? []) {
      const line = `wave ${index + 1} (${title}): ${text || state}`;
      if (state === "waiting" || waves[index] === line) continue;
      waves[index] = line;
      session.out.note(line);
    }
  });
}

function preview(
  session: Session,
  inventory: Inventory,
  request: Request,
  targets: Targets,
  acting: ActOptions,
): ExitStatus {
  const waveOf = (key: string) => targets.waves?.findIndex(({ keys }) => keys.includes(key)) ?? -1;
  const results = targets.rows.map(({ key, name, host }) => {
    const refusal = inventory.refuses(request.do, key);
    const [shown] = refusal === null ? inventory.preview(request, [key], acting) : [];
    const wave = waveOf(key);
    return {
      ...{ name, host, runsOn: shown?.host ?? null, commands: shown?.lines ?? [], refusal },
      ...(wave < 0 ? {} : { wave: wave + 1 }),
    };
  });
  session.out.result(
    results,
    results.flatMap(({ name, host, runsOn, commands, refusal, wave }) => {
      const order = wave === undefined ? "" : `wave ${wave}, `;
      return refusal === null
        ? commands.map((line) => `${order}${runsOn}: ${line}`)
        : [`${order}${host}/${name}: nothing would run: ${refusal}`];
    }),
  );
  return exit.done;
}

/** Asks before something is lost; before more than was named is stopped; before a removal for its name. */
async function askBefore(
  session: Session,
  request: Request,
  rows: readonly (InstanceRow | NodeRow)[],
  byRule: boolean,
): Promise<void> {
  const severity = severityOf(request);
  const asks = severity === "loses" || (severity === "interrupts" && (byRule || isNodeAction(request.do)));
  if (rows.length === 0 || !asks) return;
  const [only] = rows;
  const verb = verbOf(request.do);
  const noun = isNodeAction(request.do) ? "node" : "instance";
  const what = rows.length === 1 && only ? only.name : count(rows.length, noun);
  const instances = rows.filter((row): row is InstanceRow => "status" in row);
  const losses = isNodeAction(request.do)
    ? rows.map(({ host, name }) => `${host}/${name}`)
    : lossGroups(request, instances).flatMap(({ loss, instances: members }) =>
        members.map((row) => `${row.host}/${row.name} (${row.statusDetail})${loss && `: ${loss}`}`),
      );
  const typed = request.do === "remove" ? (rows.length === 1 && only ? only.name : `remove ${rows.length}`) : undefined;
  await confirm(session, `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${what}?`, losses, typed);
}

async function keepSummary(session: Session, inventory: Inventory, run: number, file: string | undefined) {
  const view = inventory.view().runs.find((one) => one.run === run);
  if (file === undefined || !view) return;
  const save = (over: boolean) => writeLocal(file, summaryFile(view, file), { what: "The summary", over });
  const saved = await save(session.globals.yes).catch(async (thrown) => {
    if (!(thrown instanceof FileTaken)) throw thrown;
    await confirm(session, `Overwrite ${file}?`, [`${file} is there already`]);
    return save(true);
  });
  session.out.note(`the summary is in ${saved}`);
}

function report(
  session: Session,
  request: Request,
  { rows, unseen, byRule }: Targets,
  items: ReadonlyMap<string, ActionItem>,
  refusals: ReadonlyMap<string, string | null>,
  silent: readonly string[],
  uri: string | undefined,
): ExitStatus {
  let failed = 0;
  const results: Result[] = rows.map((row) => {
    const item = items.get(row.key);
    const { name, host } = row;
    if (item) {
      const { statusBefore, statusAfter, job, error } = item;
      if (item.state !== "done") failed += 1;
      const ok = item.state === "done";
      const text = ok && !plainEnd.test(item.text) ? item.text : null;
      const next = isUnheard({ action: item, status: statusAfter ?? "unknown" })
        ? { next: unheardCommands([row], uri).force }
        : {};
      return { name, host, ok, statusBefore, statusAfter, job, error, text, ...next };
    }
    const status = "status" in row ? row.status : null;
    const already = status !== null && isAlready(request.do as ActionName, { status });
    const error = already || !byRule ? null : `left out: ${refusals.get(row.key) ?? "it refuses"}`;
    return { name, host, ok: error === null, statusBefore: status, statusAfter: status, job: null, error, text: null };
  });
  for (const name of unseen) {
    const error = `not on the hosts that answered; ${silent.join(", ")} did not`;
    const nothing = { statusBefore: null, statusAfter: null, job: null, text: null };
    results.push({ name, host: null, ok: false, error, ...nothing });
    failed += 1;
  }
  session.out.result(results, results.map(resultLine));
  const deaf = rows.filter((_, index) => results[index]?.next !== undefined);
  if (deaf.length > 0) {
    const { force, longer } = unheardCommands(deaf, uri);
    session.out.note(`${count(deaf.length, "instance")} did not hear the shutdown. By force:\n  ${force}`);
    session.out.note(`Once more, with a longer wait:\n  ${longer}`);
  }
  if (session.signal.aborted) throw cancelled();
  if (failed === 0) return exit.done;
  return failed === results.length ? exit.failed : exit.some;
}

function resultLine({ name, host, ok, statusBefore, statusAfter, job, error, text }: Result): string {
  const which = host === null ? name : `${host}/${name}`;
  const change = statusBefore === statusAfter ? statusAfter : `${statusBefore} -> ${statusAfter ?? "not seen"}`;
  const number = job === null ? "" : ` (Ganeti job ${job})`;
  if (ok) return `${which}: ok${change === null ? "" : `, ${change}`}${number}${text === null ? "" : `; ${text}`}`;
  return error?.startsWith("left out: ") ? `${which}: ${error}` : `${which}: FAILED${number}: ${error}`;
}

/** Names of hosts, for callers that only read. */
export type { HostOptions };
