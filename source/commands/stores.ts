/** `virtu stores`, `pool`, `volume` and `network`: where instances keep their disks, and what connects them. */
import type { Command } from "commander";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { StoreAction, Stores, StoreView } from "../instances/stores-types.ts";
import { plainLine } from "../text.ts";
import { type HostOptions, readHosts, reportSilent, withHosts } from "./hosts.ts";
import { confirm, type ExitStatus, exit, reportError, run, type Session, withChange, withJson } from "./run.ts";

const usage = (what: string, where: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

interface Place {
  host: string;
  label: string;
  stores: Stores;
}

/** The places of the hosts that have storage and networks of their own; what could not be read is told, and counted. */
async function placesOf(session: Session, options: HostOptions): Promise<{ places: Place[]; problems: number }> {
  const inventory = await readHosts(session, options);
  try {
    const { problems } = reportSilent(session, inventory);
    const places = inventory.providers().flatMap(({ attachment, stores }) => {
      return stores ? [{ host: attachment.host.name, label: attachment.label, stores }] : [];
    });
    if (places.length === 0 && problems === 0) {
      throw new VirtuError({
        kind: "refused",
        what: "None of these hosts has storage that virtu looks after",
        why: "only that of libvirt, Ganeti and XenServer is",
        hint: "Name a host that runs one of them.",
      });
    }
    return { places, problems };
  } finally {
    inventory.end();
  }
}

/** The body of `virtu stores`. */
export async function listStores(session: Session, options: HostOptions): Promise<ExitStatus> {
  const { places, problems } = await placesOf(session, options);
  const answers = await Promise.all(
    places.map(async ({ host, label, stores }) => {
      try {
        return { host, label, ...(await stores.list({ signal: session.signal, priority: "user" })) };
      } catch (thrown) {
        if (session.signal.aborted) throw thrown;
        return toVirtuError(thrown, "Its storage and networks can't be read");
      }
    }),
  );
  const read = answers.flatMap((answer) => (answer instanceof VirtuError ? [] : [answer]));
  const errors = answers.flatMap((answer) => {
    if (answer instanceof VirtuError) return [answer];
    return answer.problems.map(({ what, why, hint }) => {
      return new VirtuError({ kind: "refused", what: `It did not tell ${what}`, where: answer.host, why, hint });
    });
  });
  for (const error of errors) reportError(error, session.globals.json);
  session.out.result(read, read.flatMap(textOf));
  if (problems + errors.length === 0) return exit.done;
  const known = read.some(({ pools, networks, systems = [] }) => pools.length + networks.length + systems.length > 0);
  return known ? exit.some : exit.failed;
}

const size = (mebibytes: number | null) => (mebibytes === null ? "?" : `${Math.round(mebibytes)} MiB`);
const users = (names: readonly string[]) => (names.length > 0 ? `, used by ${names.join(", ")}` : "");

function textOf({ host, pools, networks, systems = [] }: StoreView & { host: string }): string[] {
  const lines = pools.flatMap((pool) => [
    `${host}: pool ${pool.name}: ${pool.active ? "active" : "not active"}, ${size(pool.freeMiB)} free of ${size(pool.sizeMiB)}, ${pool.target ?? "no directory"}`,
    ...pool.volumes.map(
      ({ name, sizeMiB, takenMiB, usedBy }) => `    ${name}: ${size(sizeMiB)}, takes ${size(takenMiB)}${users(usedBy)}`,
    ),
  ]);
  for (const { name, active, bridge, forward, address, leases, usedBy } of networks) {
    const what = [active ? "active" : "not active", forward ?? "isolated", address, bridge].filter(Boolean);
    lines.push(`${host}: network ${name}: ${what.join(", ")}${users(usedBy)}`);
    for (const lease of leases) {
      lines.push(`    ${lease.address} ${lease.mac} ${lease.instance ?? lease.hostname ?? ""} until ${lease.until}`);
    }
  }
  for (const { name, valid, variants, troubles } of systems) {
    const what = [valid ? "valid" : "not valid", ...variants.map((variant) => `${name}+${variant}`), ...troubles];
    lines.push(`${host}: system ${name}: ${what.join(", ")}`);
  }
  return lines.map(plainLine);
}

/** What an action makes or takes away, for a question. */
const losing: Partial<Record<StoreAction["do"], (action: StoreAction) => string>> = {
  "volume-remove": (action) =>
    "volume" in action ? `the volume ${action.pool}/${action.volume} and all that is in it` : "",
  "pool-remove": (action) => ("pool" in action ? `the pool ${action.pool}; what is in it stays where it is` : ""),
  "network-remove": (action) => ("network" in action ? `the network ${action.network} and its leases` : ""),
};

async function act(session: Session, options: HostOptions, action: StoreAction): Promise<ExitStatus> {
  const { places, problems } = await placesOf(session, options);
  // Why it can't be asked has been told.
  if (places.length === 0 && problems > 0) return exit.failed;
  const [place, ...others] = places;
  if (!place || others.length > 0) {
    throw usage("Name one host", "--host", "What is changed is changed on one host at a time.");
  }
  const { host, stores } = place;
  const commands = stores.preview(action);
  const refusal = stores.refuses(action, await stores.list({ signal: session.signal, priority: "user" }));
  if (session.globals.dryRun) {
    session.out.result({ host, commands, refusal }, refusal === null ? commands : [`nothing would run: ${refusal}`]);
    return exit.done;
  }
  if (refusal !== null) throw new VirtuError({ kind: "refused", what: "Nothing was done", where: host, why: refusal });
  const lost = losing[action.do]?.(action);
  if (lost) await confirm(session, `Remove it on ${host}?`, [lost]);
  const outcome = await stores.act(action, { signal: session.signal, priority: "user" });
  session.out.result({ host, ok: outcome.ok, error: outcome.error }, [
    outcome.ok ? `${host}: done` : `${host}: FAILED`,
  ]);
  if (outcome.ok) return exit.done;
  throw new VirtuError({
    kind: "refused",
    what: "libvirt did not do it",
    where: host,
    why: outcome.error ?? undefined,
    detail: outcome.detail ?? undefined,
  });
}

/** `POOL/VOLUME`. */
function volumeName(word: string): { pool: string; volume: string } {
  const [, pool = "", volume = ""] = /^([^/]+)\/(.+)$/.exec(word) ?? [];
  if (pool === "") throw usage(`"${word}" is no volume`, "POOL/VOLUME", "Like default/web1.qcow2.");
  return { pool, volume };
}

function mebibytesOf(text: string): number {
  const found = /^([1-9]\d*)([MGT]?)$/.exec(text);
  if (!found) throw usage("This is no size", `--size ${text}`, "Like 512M, 10G or 1T; a bare number is MiB.");
  return Number(found[1]) * { "": 1, M: 1, G: 1024, T: 1024 * 1024 }[found[2] as "" | "M" | "G" | "T"];
}

type Body = (word: string, options: Record<string, string>) => StoreAction;

function one(parent: Command, usageLine: string, description: string, make: Body): Command {
  return withChange(withHosts(parent.command(usageLine)))
    .description(description)
    .action((word: string, options: HostOptions & Record<string, string>, command: Command) =>
      run((session) => act(session, options, make(word, options)))(options, command),
    );
}

const verbs = ["start", "stop", "remove"] as const;

function declarePool(program: Command): void {
  const pool = program.command("pool").description("Makes, starts, stops and forgets pools, where volumes are.");
  one(pool, "create <pool>", "Makes a directory a pool that starts with its host.", (name, { directory = "" }) => {
    if (!/^\/\S+$/.test(directory)) throw usage("A pool needs its directory", "--directory", "An absolute path.");
    return { do: "pool-create", pool: name, directory };
  }).requiredOption("--directory <path>", "where its volumes are");
  const what = {
    start: "Starts a pool.",
    stop: "Stops a pool; nothing is lost.",
    remove: "Forgets a pool; its content stays.",
  };
  for (const verb of verbs) {
    one(pool, `${verb} <pool>`, what[verb], (name) => ({ do: `pool-${verb}`, pool: name }));
  }
}

function declareVolume(program: Command): void {
  const volume = program.command("volume").description("Makes and removes volumes, the disks of instances.");
  one(volume, "create <pool/volume>", "Makes an empty volume.", (word, { size: wanted = "", format = "qcow2" }) => {
    if (format !== "qcow2" && format !== "raw") {
      throw usage("A format is qcow2 or raw", `--format ${format}`, "Leave it out for qcow2.");
    }
    return { do: "volume-create", ...volumeName(word), mebibytes: mebibytesOf(wanted), format };
  })
    .requiredOption("--size <size>", "512M, 10G, …")
    .option("--format <format>", "qcow2 or raw", "qcow2");
  one(volume, "remove <pool/volume>", "Removes a volume and what is in it.", (word) => ({
    do: "volume-remove",
    ...volumeName(word),
  }));
}

function declareNetwork(program: Command): void {
  const network = program.command("network").description("Makes, starts, stops and forgets networks of libvirt.");
  one(network, "create <network>", "Makes a network behind address translation, with DHCP.", (name, options) => {
    const { address = "", from = "", to = "" } = options;
    if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(address)) {
      throw usage("It needs an address", "--address", "Like 192.168.100.1/24.");
    }
    for (const [field, value] of Object.entries({ "--from": from, "--to": to })) {
      if (!/^\d+\.\d+\.\d+\.\d+$/.test(value)) throw usage("DHCP needs a range", field, "An address of the network.");
    }
    return { do: "network-create", network: name, address, from, to };
  })
    .requiredOption("--address <address/prefix>", "the host's own in it")
    .requiredOption("--from <address>", "first address of DHCP")
    .requiredOption("--to <address>", "last address of DHCP");
  const what = { start: "Starts a network.", stop: "Stops a network that nobody uses.", remove: "Forgets a network." };
  for (const verb of verbs) {
    one(network, `${verb} <network>`, what[verb], (name) => ({ do: `network-${verb}`, network: name }));
  }
}

/** One of the four words. */
export function declare(program: Command, word: "stores" | "pool" | "volume" | "network"): void {
  if (word === "pool") declarePool(program);
  else if (word === "volume") declareVolume(program);
  else if (word === "network") declareNetwork(program);
  else declareList(program);
}

function declareList(program: Command): void {
  withJson(withHosts(program.command("stores")))
    .description("Lists pools with their volumes, and networks with their leases.")
    .action((options: HostOptions, command: Command) =>
      run((session) => listStores(session, options))(options, command),
    );
}
