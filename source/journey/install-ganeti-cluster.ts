/** The steps that make one cluster of prepared nodes: what the master does, and what the others do. Pure. */
import {
  addNodesCheck,
  addNodesScript,
  type ClusterWish,
  initCheck,
  initScript,
  initUndo,
  joinedCheck,
  joinedScript,
  letMasterInCheck,
  letMasterInScript,
  masterKeyCheck,
  masterKeyScript,
  verifyCheck,
  verifyScript,
} from "../tools/ganeti-install.ts";
import type { NodeState } from "../tools/node-state.ts";
import type { NodeStates } from "./configure-types.ts";
import { bridgeOf } from "./install-ganeti-check.ts";
import type { GanetiRequest } from "./install-ganeti-types.ts";
import { fullNameOf, stateOf } from "./node-steps.ts";
import type { PlanNode } from "./plan.ts";
import { cell, type StepDraft, step } from "./plan-steps.ts";

/** What each node has done before it is of a cluster. */
const prepared = [
  ...["host-name", "hosts", "cluster-name", "clock", "packages", "kernel-links"],
  ...["volume-group", "file-storage", "bridge-keep"],
];

/** What the cluster is to be, from the request and what its nodes have. */
function wishOf(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): ClusterWish {
  const { storage } = request;
  const all = (has: (state: NodeState) => boolean) => nodes.every((node) => has(stateOf(states, node)));
  return {
    name: request.clusterName,
    hypervisors: request.hypervisors,
    templates:
      storage.kind === "lvm" ? ["plain", "diskless"] : storage.kind === "file" ? ["file", "diskless"] : ["diskless"],
    group: storage.kind === "lvm" ? storage.group : null,
    fileDirectory: storage.kind === "file" ? storage.directory : null,
    bridge: bridgeOf(request),
    vhostNet: all(({ virtual }) => virtual.vhostNet),
    kvm: all(({ virtual }) => virtual.kvm),
  };
}

export function clusterSteps(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
  const { master } = request;
  const others = nodes.filter(({ name }) => name !== master);
  const names = others.map((node) => fullNameOf(node, states));
  const wish = wishOf(request, nodes, states);
  const slow =
    request.hypervisors.includes("kvm") && !wish.kvm
      ? " Without /dev/kvm everywhere, guests are emulated: slowly."
      : "";
  return [
    step({
      id: "init",
      title: `Make the cluster ${request.clusterName}`,
      why: `The master holds the configuration; the others join it.${slow}`,
      changes: "Ganeti's configuration and daemons, an RSA key for root, authorized_keys.",
      needs: prepared,
      limitSeconds: 900,
      usualSeconds: 15,
      cells: [[master, cell(initCheck(request.clusterName), initScript(wish), initUndo())]],
    }),
    step({
      id: "master-key",
      title: "Read the master's key",
      why: "The other nodes have to let the master in before it can add them.",
      changes: "Nothing.",
      needs: ["init"],
      gives: ["MASTER_KEY"],
      cells: others.length === 0 ? [] : [[master, cell(masterKeyCheck(), masterKeyScript())]],
    }),
    step({
      id: "let-master-in",
      title: "Let the master in",
      why: "gnt-node add logs in as root and would ask for a password.",
      changes: "A line in /root/.ssh/authorized_keys.",
      needs: ["all:master-key", ...prepared],
      cells: others.map(({ name }) => [name, cell(letMasterInCheck(), letMasterInScript())]),
    }),
    step({
      id: "add-nodes",
      title: "Add the nodes",
      why: "One after the other, on the master: Ganeti locks the cluster for each.",
      changes:
        "Ganeti's daemons, keys and certificates on the nodes; their RSA and ECDSA host keys become the master's.",
      needs: ["init", "all:let-master-in"],
      limitSeconds: 300 + 120 * others.length,
      usualSeconds: 8 * others.length,
      cells: others.length === 0 ? [] : [[master, cell(addNodesCheck(names), addNodesScript(names))]],
    }),
    step({
      id: "joined",
      title: "See that the node belongs to the cluster",
      why: "Each node says by itself that it knows its cluster.",
      changes: "Nothing.",
      needs: ["all:add-nodes"],
      cells: others.map((node) => {
        const name = fullNameOf(node, states);
        return [node.name, cell(joinedCheck(name), joinedScript(name))];
      }),
    }),
    step({
      id: "verify",
      title: "Verify the cluster",
      why: "Ganeti checks itself: every finding is explained.",
      changes: "Nothing.",
      needs: ["init", "add-nodes", "all:joined"],
      limitSeconds: 900,
      usualSeconds: 6,
      cells: [[master, cell(verifyCheck(), verifyScript())]],
    }),
  ];
}
