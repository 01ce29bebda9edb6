/** gnt-node remove and gnt-cluster destroy: how a cluster comes to its end. */
import type { Call } from "../machine/machine.ts";
import { asctime } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti } from "../world/ganeti.ts";
import { fault } from "./ganeti-fault.ts";

async function refuse(call: Call, type: string, text: string): Promise<number> {
  await call.err(fault(type, text));
  return 1;
}

export async function removeNode(call: Call, ganeti: Ganeti, clusters: Clusters): Promise<number> {
  const [word = ""] = options(call.args.slice(1)).words;
  const index = ganeti.nodes.findIndex(({ name }) => name === word || name.startsWith(`${word}.`));
  const node = ganeti.nodes[index];
  if (!node) return refuse(call, "unknown_entity", `Node name ${word} not found`);
  if (index === 0) {
    return refuse(call, "wrong_state", "Node is the master node, failover to another node is required");
  }
  const carried = ganeti.instances.find((one) => one.node === node || one.secondary === node);
  if (carried) {
    return refuse(call, "wrong_input", `Instance ${carried.name} is still running on the node, please remove first`);
  }
  await call.process.work(4);
  ganeti.nodes.splice(index, 1);
  const machine = clusters.systemAt(node.address)?.machine;
  if (machine) clusters.leave(machine);
  clusters.writeFiles(ganeti);
  await call.out(`${asctime(call.machine.clock.now())}  - INFO: Readding the SSH keys of the other nodes\n`);
  return 0;
}

export async function destroyCluster(call: Call, ganeti: Ganeti, clusters: Clusters): Promise<number> {
  const { given } = options(call.args.slice(1));
  if (!given.has("yes-do-it")) {
    await call.err(
      "Destroying a cluster is irreversible. If you really want destroy this cluster, supply the --yes-do-it option.\n",
    );
    return 1;
  }
  const others = ganeti.nodes.length - 1;
  if (others > 0) return refuse(call, "wrong_input", `There are still ${others} node(s) in this cluster.`);
  if (ganeti.instances.length > 0) {
    return refuse(call, "wrong_input", `There are still ${ganeti.instances.length} instance(s) in this cluster.`);
  }
  await call.process.work(5);
  clusters.leave(call.machine);
  return 0;
}
