/** Why a cluster can't be made as asked, as far as the nodes' answers tell. Nothing is changed to find out. */
import { findBridge } from "../tools/bridge.ts";
import { diskRefusal, smallestGroupBytes } from "../tools/disks.ts";
import { isNoName } from "../tools/host-setup.ts";
import { isAddress } from "../tools/network.ts";
import type { NodeState } from "../tools/node-state.ts";
import type { NodeStates } from "./configure-types.ts";
import type { GanetiRequest, PlanProblem } from "./install-ganeti-types.ts";
import type { PlanNode } from "./plan.ts";

/** Ganeti, its emulator and what they need take 0.5 GB; the rest is room to unpack. */
const neededBytes = 1.2 * 10 ** 9;

/**
 * Address of a cluster of one node to which nobody gave one: of the range that is never routed. The node's own can't be it:
 * Ganeti takes any answer from there, a refusal too, for a cluster that is there already.
 */
export const aloneAddress = "169.254.77.1";

/** Bridge for instances when the user names none: Ganeti's old default for Xen. */
export function bridgeOf({ bridge, hypervisors }: Pick<GanetiRequest, "bridge" | "hypervisors">): string {
  return bridge ?? (hypervisors.some((one) => one.startsWith("xen")) ? "xen-br0" : "br0");
}

const problem = (field: PlanProblem["field"], node: string | null, text: string, hint: string | null = null) => ({
  field,
  node,
  text,
  hint,
});

export function ganetiProblems(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): PlanProblem[] {
  return [...clusterProblems(request, nodes, states), ...nodes.flatMap((node) => nodeProblems(request, node, states))];
}

function clusterProblems(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): PlanProblem[] {
  const found: PlanProblem[] = [];
  const { clusterName, clusterAddress, master } = request;
  if (nodes.length === 0) return [problem("nodes", null, "no node answered", "Look at why below.")];
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(clusterName)) {
    found.push(problem("clusterName", null, `${clusterName || "an empty text"} is no host name`));
  }
  if (!nodes.some(({ name }) => name === master)) {
    found.push(problem("master", master, "the master is not among the nodes that answered"));
  }
  if (request.hypervisors.length === 0) found.push(problem("hypervisors", null, "no hypervisor is chosen"));
  // An interface's name has at most 15 bytes, in the kernel.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(bridgeOf(request))) {
    found.push(
      problem("bridge", null, `${bridgeOf(request)} is no name for a bridge`, "At most 15 letters and digits."),
    );
  }
  const addresses = new Map(nodes.map(({ name }) => [states.get(name)?.address, name]));
  if (clusterAddress === null) {
    if (nodes.length > 1) {
      const hint = "Give an address of the nodes' network, or of the job's subnet, that nobody uses.";
      found.push(problem("clusterAddress", null, "a cluster of several nodes needs an address of its own", hint));
    }
  } else if (!isAddress(clusterAddress)) {
    found.push(problem("clusterAddress", null, `${clusterAddress} is no IPv4 address`));
  } else if (addresses.has(clusterAddress)) {
    found.push(problem("clusterAddress", null, `${clusterAddress} is the address of ${addresses.get(clusterAddress)}`));
  }
  const byFullName = new Map<string, string>();
  for (const { name } of nodes) {
    const own = states.get(name)?.fullName ?? states.get(name)?.hostname ?? name;
    const other = byFullName.get(own);
    if (!isNoName(own) && other !== undefined) {
      found.push(problem("nodes", name, `it has the same host name as ${other}: ${own}`, "Give each its own first."));
    }
    byFullName.set(own, name);
    if (nodes.length > 1 && (own === clusterName || own.split(".")[0] === clusterName)) {
      found.push(problem("clusterName", name, `the cluster can't have the name of a node, ${own}`));
    }
  }
  return found;
}

function nodeProblems(request: GanetiRequest, { name }: PlanNode, states: NodeStates): PlanProblem[] {
  const state = states.get(name);
  if (!state) return [];
  const { system, ganeti, virtual } = state;
  const found: PlanProblem[] = [];
  const add = (field: PlanProblem["field"], text: string, hint: string | null = null) =>
    found.push(problem(field, name, text, hint));
  if (system.architecture === "") add("nodes", "it has no dpkg: only Debian and its relatives can be set up");
  else if (system.id === "debian" && /^\d+$/.test(system.version) && Number(system.version) < 12) {
    add("nodes", `it runs ${system.pretty}`, "Deploy Debian 12 or 13.");
  }
  if (ganeti && ganeti.cluster !== request.clusterName) {
    add("nodes", `it belongs to the cluster ${ganeti.cluster} already`, "Deploy it anew, or use that name.");
  }
  if (state.address === null) add("nodes", "it has no IPv4 address");
  const free = state.freeBytes["/"];
  if (!state.packages["ganeti"] && free !== undefined && free < neededBytes) {
    add("nodes", `only ${Math.round(free / 10 ** 6)} MB are free on /`, "Ganeti and its emulator need 1200 MB.");
  }
  if (request.hypervisors.some((one) => one.startsWith("xen")) && virtual.xen !== "dom0") {
    add("hypervisors", "it is not booted on Xen", "Choose kvm, or boot it on Xen first (package xen-system-amd64).");
  }
  const bridge = findBridge(state, bridgeOf(request));
  if (bridge.kind === "problem") add("bridge", bridge.text, bridge.hint);
  found.push(...storageProblems(request, name, state));
  return found;
}

function storageProblems({ storage }: GanetiRequest, node: string, state: NodeState): PlanProblem[] {
  if (storage.kind === "file" && !/^\/[^\s]+$/.test(storage.directory)) {
    return [problem("storage", node, `${storage.directory} is no absolute path`)];
  }
  if (storage.kind !== "lvm") return [];
  if (!/^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/.test(storage.group)) {
    return [problem("storage", node, `${storage.group} is no name for a volume group`)];
  }
  const group = state.groups?.find(({ name }) => name === storage.group);
  if (group) {
    const gib = (group.bytes / 2 ** 30).toFixed(1);
    if (group.bytes >= smallestGroupBytes) return [];
    return [problem("storage", node, `its volume group ${group.name} has ${gib} GiB, Ganeti wants 20`)];
  }
  const device = storage.disks[node];
  if (device === undefined) return [problem("storage", node, "no disk is chosen for its volume group")];
  const disk = state.disks.find(({ path }) => path === device);
  if (!disk) return [problem("storage", node, `it has no disk ${device}`)];
  const refusal = diskRefusal(disk, storage.erase.includes(`${node}:${device}`));
  return refusal ? [problem("storage", node, refusal.text, refusal.hint)] : [];
}
