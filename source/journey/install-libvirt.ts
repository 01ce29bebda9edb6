/** The plan that makes nodes hosts of libvirt. Pure. */
import { count } from "../text.ts";
import {
  daemonCheck,
  daemonScript,
  groupRightsCheck,
  groupRightsScript,
  libvirtPackages,
  networkCheck,
  networkScript,
  networkUndo,
  poolCheck,
  poolScript,
  poolUndo,
  uriOf,
  worksCheck,
  worksScript,
  xendCheck,
  xendScript,
} from "../tools/libvirt-install.ts";
import type { NodeStates } from "./configure-types.ts";
import type { LibvirtRequest } from "./install-libvirt-types.ts";
import { installSteps, listSteps, nameSteps, stateOf } from "./node-steps.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { cell, type StepDraft, step, stepsOf } from "./plan-steps.ts";

export function planInstallLibvirt(request: LibvirtRequest, states: NodeStates): Plan {
  const nodes = request.nodes.filter(({ name }) => states.has(name));
  const isXen = (node: PlanNode) => stateOf(states, node).virtual.xen === "dom0";
  const drafts = [
    ...nameSteps(nodes, states),
    ...listSteps(nodes),
    ...packageSteps(nodes, states, isXen),
    ...hostSteps(request, nodes, states, (node) => uriOf(isXen(node))),
  ];
  return {
    kind: "install-libvirt",
    title: `install libvirt on ${count(nodes.length, "node")}`,
    site: request.site,
    jobId: request.jobId,
    nodes,
    steps: stepsOf(drafts),
    minimum: request.minimum,
  };
}

/** One step for all; what is installed differs between hosts on Xen and others. */
function packageSteps(nodes: readonly PlanNode[], states: NodeStates, isXen: (node: PlanNode) => boolean): StepDraft[] {
  const common = [...libvirtPackages.base, ...libvirtPackages.network];
  const plain = installSteps(
    nodes.filter((node) => !isXen(node)),
    states,
    [...common, ...libvirtPackages.kvm],
  );
  const onXen = installSteps(nodes.filter(isXen), states, [...common, ...libvirtPackages.xen]);
  return plain.map((draft, index) => ({ ...draft, cells: { ...draft.cells, ...onXen[index]?.cells } }));
}

function hostSteps(
  { users, poolDirectory }: LibvirtRequest,
  nodes: readonly PlanNode[],
  states: NodeStates,
  uri: (node: PlanNode) => string,
): StepDraft[] {
  return [
    step({
      id: "xend",
      title: "Let libvirt reach the old xend",
      why: "This host has the configuration of an xend; its libvirt talks to it over a socket that is off by default.",
      changes: "The line (xend-unix-server yes) in xend's configuration.",
      needs: ["packages"],
      cells: nodes.flatMap((node) => {
        const { xendConfig } = stateOf(states, node).virtual;
        return xendConfig?.endsWith(".sxp") ? [[node.name, cell(xendCheck(xendConfig), xendScript(xendConfig))]] : [];
      }),
    }),
    step({
      id: "daemon",
      title: "Start libvirt",
      why: "Everything else is asked of its daemon.",
      changes: "The service libvirtd, which then starts with the host.",
      needs: ["packages", "xend"],
      usualSeconds: 3,
      cells: nodes.map((node) => [node.name, cell(daemonCheck(uri(node)), daemonScript(uri(node)))]),
    }),
    step({
      id: "network",
      title: "Start the default network",
      why: "Guests reach the outside through it, by address translation, without touching the host's own network.",
      changes: "libvirt's network default on the bridge virbr0, with DHCP.",
      needs: ["daemon"],
      usualSeconds: 2,
      cells: nodes.map((node) => [
        node.name,
        cell(networkCheck(uri(node)), networkScript(uri(node)), networkUndo(uri(node))),
      ]),
    }),
    step({
      id: "pool",
      title: "Start the default storage pool",
      why: "Disks of guests are files in it.",
      changes: `libvirt's pool default in ${poolDirectory}.`,
      needs: ["daemon"],
      cells: nodes.map((node) => [
        node.name,
        cell(poolCheck(uri(node)), poolScript(uri(node), poolDirectory), poolUndo(uri(node))),
      ]),
    }),
    step({
      id: "rights",
      title: "Give accounts the right to use libvirt",
      why: `Without it only root may: ${users.join(", ")}.`,
      changes: "The group libvirt.",
      needs: ["packages"],
      cells:
        users.length === 0
          ? []
          : nodes.map(({ name }) => [name, cell(groupRightsCheck(users), groupRightsScript(users))]),
    }),
    step({
      id: "works",
      title: "See that libvirt works",
      why: "A call that needs the daemon, its driver, the network and the pool.",
      changes: "Nothing.",
      needs: ["daemon", "network", "pool", "rights"],
      cells: nodes.map((node) => [node.name, cell(worksCheck(uri(node)), worksScript(uri(node)))]),
    }),
  ];
}
