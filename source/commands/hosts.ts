/** What the commands about instances share: which hosts, reading them, and saying which could not be read. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { createInventory, type HostView, type Inventory } from "../instances/inventory.ts";
import { limitsOf } from "../instances/limits.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { collect, reportError, type Session } from "./run.ts";

export interface HostOptions {
  host?: string[];
  uri?: string;
  parallel?: string;
}

export function withHosts(command: Command): Command {
  return command
    .option(
      "--host <host>",
      "a host that ssh knows; repeatable, or a,b,c (default: the hosts of the settings)",
      collect,
    )
    .option("--uri <uri>", "libvirt connection URI on the hosts (default: the one of the settings, qemu:///system)");
}

/** `a,b` and repeated options as one list, each host once. */
export function hostNames(values: readonly string[]): string[] {
  const names = values.flatMap((value) => value.split(",")).map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ""))];
}

/** A whole number of an option, at least 1. */
export function wholeOption(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(value)) return Number(value);
  throw new VirtuError({
    kind: "usage",
    what: `${name} takes a whole number from 1`,
    where: name,
    why: `it was given ${JSON.stringify(value)}`,
  });
}

/** Opens the inventory of the hosts that are meant and reads it once; `usage` as for `Inventory.refresh`. */
export async function readHosts(session: Session, options: HostOptions, usage = false): Promise<Inventory> {
  const { settings, pool } = session.app;
  const names = hostNames(options.host ?? settings.get("hosts"));
  if (names.length === 0) {
    throw new VirtuError({
      kind: "usage",
      what: "No host is named",
      where: "--host",
      hint: "Add --host HOST (repeatable), or add hosts to the settings.",
    });
  }
  const inventory = createInventory({
    pool,
    hosts: names.map((name) => ({ name })),
    // qemu:///system is tried everywhere; one that is named is wanted where it is missing, too.
    uri: options.uri ?? (settings.get("libvirtUri") || undefined),
    limits: limitsOf(settings.get("parallel")),
  });
  await inventory.refresh(undefined, { signal: session.signal, usage });
  if (session.signal.aborted) throw cancelled();
  return inventory;
}

/** Hosts that gave no answer at all. */
export function silentHosts(inventory: Inventory): HostView[] {
  return inventory.view().hosts.filter((host) => host.state !== "ok");
}

/** Prints why hosts or providers on them could not be read; how many of each. */
export function reportSilent(session: Session, inventory: Inventory): { hosts: number; problems: number } {
  const problems = inventory.view().hosts.flatMap((host) => {
    if (host.state === "ok") return host.problems;
    return host.error ? [host.error] : [];
  });
  for (const problem of problems) reportError(problem, session.globals.json);
  for (const host of inventory.view().hosts) {
    for (const note of host.notes) session.out.note(`${host.host}: ${note}`);
  }
  const hosts = silentHosts(inventory).length;
  const all = inventory.view().hosts.length;
  if (hosts > 0 && all > 1) session.out.note(`${count(hosts, "host")} of ${all} could not be read`);
  return { hosts, problems: problems.length };
}
