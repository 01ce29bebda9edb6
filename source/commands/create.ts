/** `virtu create`: instances from flags or a file, one or many, on the hosts that are named. */

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { toVirtuError, VirtuError } from "../errors.ts";
import { type CreateData, type Wanted, wantedOf } from "../instances/create-file.ts";
import { createSchema } from "../instances/create-file-schema.ts";
import { askOffers } from "../instances/create-offers.ts";
import { type AddressPlan, checkBatch, filesOf, planCreate } from "../instances/create-plan.ts";
import { type ProviderPlace, placeOf, runCreate } from "../instances/create-run.ts";
import type { CreateEvent, CreateOutcome, CreatePlan, CreateRequest } from "../instances/create-types.ts";
import { discover } from "../instances/discover.ts";
import type { Provider } from "../instances/types.ts";
import { jobAddresses } from "../journey/job-addresses.ts";
import { writeLocal } from "../local-file.ts";
import { fieldName, fileText, misfitsOf } from "../schema.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { type CreateFlags, flagsData, withCreateFlags } from "./create-flags.ts";
import { readDataFile } from "./data-file.ts";
import { type HostOptions, hostNames, wholeOption, withHosts } from "./hosts.ts";
import { jobNumber } from "./release.ts";
import { type ExitStatus, exit, reportError, run, type Session, withChange } from "./run.ts";

interface Options extends HostOptions, CreateFlags {
  file?: string;
  save?: string;
  check?: boolean;
}

/** What the file says, and over it what the flags say. */
function wantedData(name: string | undefined, options: Options): CreateData {
  const given = flagsData(name, options);
  const read = options.file === undefined ? null : readDataFile(options.file, createSchema, Object.keys(given));
  const file = (read ?? {}) as Record<string, unknown>;
  // Some flags mean another field on each provider.
  const flags = file["provider"] === undefined ? given : flagsData(name, options, file["provider"]);
  const data: Record<string, unknown> = { ...file, ...flags };
  data["provider"] ??= "os" in data || "diskTemplate" in data ? "ganeti" : "libvirt";
  const faults = misfitsOf(data, createSchema);
  const [first] = faults;
  if (!first) return data as unknown as CreateData;
  const lines = faults.map(({ at, text }) => `${fieldName(at) || "create"}: ${text}`);
  throw new VirtuError({
    ...{ kind: "usage", what: "This can't be made", where: fieldName(first.at) || undefined, why: first.text },
    hint: "virtu create --help and docs/create.schema.json say what goes where.",
    detail: faults.length > 1 ? lines.join("\n") : undefined,
  });
}

/** Those of a job; what the flags say of its network counts more. */
async function addressesOf(
  { app, signal }: Session,
  { batch }: Wanted,
  flags: CreateFlags,
): Promise<AddressPlan | null> {
  const { job, site, gateway, dns, prefix } = flags;
  if (job === undefined) return batch.addresses;
  const refuse = (what: string, hint: string) => new VirtuError({ kind: "usage", what, where: "--job", hint });
  if (site === undefined) throw refuse("The job's site is not named", "Add --site SITE.");
  if (batch.addresses !== null) throw refuse("A job and a range of addresses exclude each other", "Give one of them.");
  const lent = await jobAddresses(app, app.site(site), jobNumber(job), { signal, priority: "user" });
  return {
    range: lent.range,
    taken: [],
    prefixLength: wholeOption("--prefix", prefix) ?? lent.prefixLength,
    gateway: gateway ?? lent.gateway,
    dns: dns ?? lent.dns,
  };
}

async function findPlaces(
  session: Session,
  wanted: Wanted,
  options: Options,
): Promise<{ places: ProviderPlace[]; silent: number }> {
  const { pool, settings } = session.app;
  const named = hostNames(options.host ?? (wanted.hosts.length > 0 ? wanted.hosts : settings.get("hosts")));
  if (named.length === 0) {
    throw new VirtuError({ kind: "usage", what: "No host is named", where: "--host", hint: "Add --host HOST." });
  }
  const { template } = wanted.batch;
  const files = filesOf({ ...template, name: "", uuid: "" } as CreateRequest);
  const uri = options.uri ?? (settings.get("libvirtUri") || undefined);
  const known = named.map((name) => ({ name }));
  const { signal } = session;
  const found = await Promise.all(
    known.map(async (host): Promise<ProviderPlace | null> => {
      try {
        const { providers, problems } = await discover(pool, host, { uri, known, signal, priority: "user" });
        const provider = providers.find(({ name }) => name === template.provider);
        if (!provider) throw problems[0] ?? noProvider(host.name, template.provider, providers);
        session.out.note(`${host.name}: asking what it offers`);
        return placeOf(provider, await askOffers(pool, provider, { signal, files }));
      } catch (thrown) {
        const error = toVirtuError(thrown);
        if (error.kind === "cancelled") throw error;
        reportError(error, session.globals.json);
        return null;
      }
    }),
  );
  const all = found.filter((place) => place !== null);
  // Two nodes of one cluster are one place.
  const places = all.filter(
    (place, index) => all.findIndex((one) => one.provider.place === place.provider.place) === index,
  );
  return { places, silent: found.length - all.length };
}

function noProvider(host: string, wanted: string, there: readonly Provider[]): VirtuError {
  const names = there.map(({ name }) => name).join(" and ");
  const why = names === "" ? `nothing that virtu knows runs there` : `it runs ${names}`;
  return new VirtuError({ kind: "refused", what: `There is no ${wanted}`, where: host, why });
}

function planLines({ rows }: CreatePlan): string[] {
  return rows.flatMap(({ name, host, where, address, commands, problems }) => [
    [`${host}/${name}`, where, address].filter(Boolean).join("  "),
    ...problems.map(({ field, text }) => `  ! ${field}: ${text}`),
    ...commands.map((command) => `  ${command.host}: ${command.line}`),
  ]);
}

function refuse(plan: CreatePlan): void {
  const bad = plan.rows.filter(({ problems }) => problems.length > 0);
  const [first] = bad;
  if (!first) return;
  const lines = bad.flatMap(({ name, host, problems }) =>
    problems.map(({ field, text }) => `${host}/${name}: ${field}: ${text}`),
  );
  const [problem] = first.problems;
  throw new VirtuError({
    ...{ kind: "usage", what: `${count(bad.length, "instance")} of ${plan.rows.length} can't be made so` },
    where: `${first.host}/${first.name}`,
    why: `${problem?.field}: ${problem?.text}`,
    hint: "Nothing was made. Change it, or add --no-check to let the host decide.",
    detail: lines.length > 1 ? lines.join("\n") : undefined,
  });
}

/** One line for each new word about an instance; its outcome is a line of the result. */
function teller(session: Session): (event: CreateEvent) => void {
  const told = new Map<string, string>();
  return ({ host, name, step, text }) => {
    const key = `${host}/${name}`;
    if (step === "done" || step === "failed" || told.get(key) === text) return;
    told.set(key, text);
    session.out.note(`${key}: ${text}`);
  };
}

function outcomeLine(outcome: CreateOutcome): string {
  const { host, name, ok, ready, node, address, error, notes, cleanedUp, leftBehind, seconds } = outcome;
  const where = [node && `on ${node}`, address && `at ${address}`].filter(Boolean).join(" ");
  const head = ok ? (ready === false ? "not ready" : ready ? "ready" : "made") : "failed";
  return [
    `${host}/${name}: ${[head, where].filter(Boolean).join(" ")} (${Math.round(seconds)} s)${error ? `: ${error}` : ""}`,
    ...notes.map((note) => `  note: ${note}`),
    ...cleanedUp.map((what) => `  taken away: ${what}`),
    ...leftBehind.map((what) => `  left behind: ${what}`),
  ].join("\n");
}

/** The body of `virtu create`. */
export async function create(session: Session, name: string | undefined, options: Options): Promise<ExitStatus> {
  const data = wantedData(name, options);
  const wanted = wantedOf(data);
  const [problem] = checkBatch(wanted.batch);
  if (problem)
    throw new VirtuError({ kind: "usage", what: "This can't be made", where: problem.field, why: problem.text });
  if (options.save !== undefined) {
    await writeLocal(options.save, fileText(data), { over: true, mode: 0o600, kind: "usage" });
  }
  wanted.batch.addresses = await addressesOf(session, wanted, options);
  const { places, silent } = await findPlaces(session, wanted, options);
  if (places.length === 0) return exit.failed;
  const plan = planCreate(wanted.batch, places, randomUUID);
  if (session.globals.dryRun) {
    session.out.result(plan, planLines(plan));
    return plan.rows.some(({ problems }) => problems.length > 0) ? exit.usage : exit.done;
  }
  if (options.check !== false) refuse(plan);
  const outcomes = await runCreate(plan, {
    ...{ pool: session.app.pool, places, ready: wanted.ready, signal: session.signal, onEvent: teller(session) },
    parallel: wholeOption("--parallel", options.parallel),
  });
  session.out.result(outcomes, outcomes.map(outcomeLine));
  if (session.signal.aborted) throw cancelled();
  const failed = outcomes.filter(({ ok, ready }) => !ok || ready === false).length;
  if (failed > 0) return failed === outcomes.length ? exit.failed : exit.some;
  return silent > 0 ? exit.some : exit.done;
}

const told = `
With several hosts each instance goes to the one with the most memory free. What stands in the way is told before anything
is made, field by field. One that fails leaves the others alone, and takes away what it had made.
With --json: [{name, host, provider, ok, ready, node, address, job, notes, error, detail, cleanedUp, leftBehind, seconds}].`;

export function declare(program: Command): void {
  const command = withChange(withHosts(program.command("create")))
    .description(
      "Makes instances: from an ISO, the network, an image or a cloud image on libvirt; on Ganeti by its OS definitions; on Xen by a kernel, pygrub or an ISO; on XenServer from a template.",
    )
    .argument("[name]", "its name; with --count a pattern like web-{n}")
    .option("-f, --file <file>", "what to make, as YAML (schema: docs/create.schema.json); - is standard input")
    .option("--save <file>", "write what the flags and the file say together, for -f")
    .option("--no-check", "make it although something seems to stand in the way: the host decides")
    .option("--parallel <n>", "instances at once on each host or cluster (default 2; Ganeti 4)");
  withCreateFlags(command)
    .addHelpText("after", told)
    .action((name: string | undefined, options: Options, own: Command) =>
      run((session) => create(session, name, own.optsWithGlobals()))(options, own),
    );
}
