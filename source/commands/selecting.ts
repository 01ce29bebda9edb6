/** The options that choose instances, the same for every command that takes several. */
import type { Command } from "commander";
import type { InstanceRow, Inventory } from "../instances/inventory.ts";
import type { Selection } from "../instances/select.ts";
import { isByRule, noSelector, type Selector, selectBy } from "../instances/selector.ts";
import { type HostOptions, hostNames, silentHosts } from "./hosts.ts";
import { collect, type Session } from "./run.ts";

export interface SelectOptions extends HostOptions {
  glob?: string[];
  tag?: string[];
  group?: string[];
  provider?: string[];
  state?: string[];
  all?: boolean;
}

/** `--glob`, `--tag`, …: all kinds that are given must hold, of one kind any. `--host` says which hosts are read. */
export function withSelectors(command: Command): Command {
  return command
    .option("--glob <pattern>", "those whose name, or HOST/NAME, fits: web*, hv1/db?; repeatable", collect)
    .option("--tag <tag>", "those with this tag; repeatable, or a,b", collect)
    .option("--group <group>", "those of a group of the settings; repeatable", collect)
    .option("--provider <provider>", "those of ganeti, libvirt, xen or xenserver; repeatable", collect)
    .option("--state <state>", "those that are running, stopped, paused, error or unknown; repeatable", collect)
    .option("--all", "all of the hosts that are read");
}

export function selectorOfOptions(names: readonly string[], options: SelectOptions): Selector {
  const words = (values: string[] | undefined) => hostNames(values ?? []);
  return {
    ...noSelector,
    names,
    // A pattern may hold a comma.
    globs: options.glob ?? [],
    tags: words(options.tag),
    groups: words(options.group),
    providers: words(options.provider),
    states: words(options.state),
    all: options.all === true,
  };
}

export interface Chosen extends Selection<InstanceRow> {
  byRule: boolean;
}

/** What a selector means in an inventory that was read. */
export function choose(session: Session, inventory: Inventory, selector: Selector): Chosen {
  const silent = silentHosts(inventory).map(({ host }) => host);
  const { instances } = inventory.view();
  const groups = session.app.settings.get("groups");
  return { ...selectBy(instances, selector, { groups, silentHosts: silent }), byRule: isByRule(selector) };
}
