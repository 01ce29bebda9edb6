/** `virtu instances`: every instance, or every node, of the hosts named. */
import type { Command } from "commander";
import { choosesSomething } from "../instances/selector.ts";
import type { HostNode, Instance } from "../instances/types.ts";
import { readHosts, reportSilent, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { choose, type SelectOptions, selectorOfOptions, withSelectors } from "./selecting.ts";
import { table } from "./table.ts";

interface Options extends SelectOptions {
  nodes?: boolean;
}

export function declare(program: Command): void {
  withJson(withSelectors(withHosts(program.command("instances"))))
    .description("Lists the instances of hosts, whatever VM manager runs there.")
    .option("--nodes", "list the nodes that carry them instead, with their disk and memory in MiB")
    .action((options: Options, command: Command) =>
      run((session) => listInstances(session, command.optsWithGlobals()))(options, command),
    );
}

/** The body of `virtu instances`. */
export async function listInstances(session: Session, options: Options): Promise<ExitStatus> {
  const inventory = await readHosts(session, options);
  const { instances, nodes, hosts } = inventory.view();
  const silent = reportSilent(session, inventory);
  const selector = selectorOfOptions([], options);
  const shown = choosesSomething(selector) ? choose(session, inventory, selector).found : instances;
  inventory.end();
  if (silent.hosts === hosts.length) return exit.failed;
  if (options.nodes) session.out.result(nodes.map(nodeJson), table(nodeHead, nodes.map(nodeCells)));
  else session.out.result(shown.map(instanceJson), table(instanceHead, shown.map(instanceCells)));
  return silent.problems > 0 ? exit.some : exit.done;
}

/** The documented keys, and what more the provider knows under `facts`. */
function instanceJson(instance: Instance): Instance {
  const { key, name, id, provider, cluster, host, node, status, statusDetail, vcpus, memoryMiB, facts } = instance;
  return { name, id, provider, cluster, host, node, status, statusDetail, vcpus, memoryMiB, key, facts };
}

function nodeJson(node: HostNode): Omit<HostNode, "key"> {
  const { name, provider, cluster, host, roles, diskTotal, diskFree, memoryTotal, memoryNode, memoryFree } = node;
  const { primaryInstances, secondaryInstances } = node;
  return {
    name,
    provider,
    cluster,
    host,
    roles,
    diskTotal,
    diskFree,
    memoryTotal,
    memoryNode,
    memoryFree,
    primaryInstances,
    secondaryInstances,
  };
}

const instanceHead = ["NAME", "STATUS", "PROVIDER", "NODE", "VCPU", "MEMORY", "HOST"];

function instanceCells(instance: Instance): string[] {
  const { name, status, statusDetail, provider, node, vcpus, memoryMiB, host } = instance;
  const detail = statusDetail.startsWith(status) ? statusDetail : `${status} (${statusDetail})`;
  return [name, detail, provider, node ?? "-", number(vcpus), memoryMiB === null ? "-" : `${memoryMiB}M`, host];
}

// The names of Ganeti's own node table.
const nodeHead = ["NODE", "ROLE", "DTotal", "DFree", "MTotal", "MNode", "MFree", "Pinst", "Sinst", "WHERE"];

function nodeCells(node: HostNode): string[] {
  const sizes = [node.diskTotal, node.diskFree, node.memoryTotal, node.memoryNode, node.memoryFree];
  const counts = [node.primaryInstances, node.secondaryInstances];
  return [node.name, node.roles.join(",") || "-", ...[...sizes, ...counts].map(number), node.cluster ?? node.host];
}

const number = (value: number | null) => (value === null ? "-" : String(value));
