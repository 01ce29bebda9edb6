/** The plan that turns nodes into a Ganeti cluster. Pure: it knows of the nodes what they were asked. */

import { sh } from "../ssh/command.ts";
import { count } from "../text.ts";
import { bridgeCheck, bridgeScript, findBridge, keepCheck, keepScript } from "../tools/bridge.ts";
import {
  ganetiPackages,
  kernelLinksCheck,
  kernelLinksScript,
  kernelLinksUndo,
  storageCheck,
  storageScript,
} from "../tools/ganeti-install.ts";
import { hostsBlock, namesOf } from "../tools/hosts-file.ts";
import { groupCheck, groupScript } from "../tools/lvm.ts";
import { blockCheck, blockScript, blockUndo } from "../tools/marked-block.ts";
import type { NodeStates } from "./configure-types.ts";
import { aloneAddress, bridgeOf, ganetiProblems } from "./install-ganeti-check.ts";
import { clusterSteps } from "./install-ganeti-cluster.ts";
import type { GanetiRequest, PlanProblem } from "./install-ganeti-types.ts";
import { fullNameOf, installSteps, listSteps, nameSteps, stateOf } from "./node-steps.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { cell, type StepDraft, step, stepsOf } from "./plan-steps.ts";

export { bridgeOf } from "./install-ganeti-check.ts";

/** The plan, or every reason why there is none. */
export function planInstallGaneti(request: GanetiRequest, states: NodeStates): Plan | { problems: PlanProblem[] } {
  const nodes = request.nodes.filter(({ name }) => states.has(name));
  const problems = ganetiProblems(request, nodes, states);
  if (problems.length > 0) return { problems };
  const drafts = [
    ...nameSteps(nodes, states),
    clusterNameStep(request, nodes, states),
    ...listSteps(nodes),
    ...packageSteps(request, nodes, states),
    kernelStep(request, nodes),
    ...storageSteps(request, nodes),
    ...bridgeSteps(request, nodes, states),
    ...clusterSteps(request, nodes, states),
  ];
  return {
    kind: "install-ganeti",
    title: `install ganeti on ${count(nodes.length, "node")}`,
    site: request.site,
    jobId: request.jobId,
    nodes,
    steps: stepsOf(drafts),
    minimum: request.minimum,
  };
}

function clusterNameStep(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft {
  const address = request.clusterAddress ?? aloneAddress;
  const own = nodes.flatMap((node) => namesOf(fullNameOf(node, states), node.name));
  const names = namesOf(request.clusterName).filter((name) => !own.includes(name));
  const block = hostsBlock("cluster", names.length > 0 ? [{ address, names }] : []);
  return step({
    id: "cluster-name",
    title: "Write the cluster's name into /etc/hosts",
    why: "Ganeti looks its own name up before it does anything.",
    changes: `A marked block in /etc/hosts with ${request.clusterName}.`,
    needs: ["hosts"],
    cells:
      block.lines.length === 0
        ? []
        : nodes.map(({ name }) => [name, cell(blockCheck(block), blockScript(block), blockUndo(block))]),
  });
}

/** Packages for what was chosen. */
export function ganetiPackagesFor({
  hypervisors,
  storage,
  systems,
}: Pick<GanetiRequest, "hypervisors" | "systems"> & { storage: Pick<GanetiRequest["storage"], "kind"> }): string[] {
  return [
    ...ganetiPackages.base,
    ...(storage.kind === "lvm" ? ganetiPackages.lvm : []),
    ...(hypervisors.includes("kvm") ? ganetiPackages.kvm : []),
    ...(hypervisors.some((one) => one.startsWith("xen")) ? ganetiPackages.xen : []),
    ...(hypervisors.includes("xen-hvm") ? ganetiPackages.xenHvm : []),
    ...systems.flatMap((system) => ganetiPackages[system]),
  ];
}

function packageSteps(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
  return installSteps(nodes, states, ganetiPackagesFor(request));
}

function kernelStep({ hypervisors }: GanetiRequest, nodes: readonly PlanNode[]): StepDraft {
  return step({
    id: "kernel-links",
    title: "Link the kernel that Xen guests boot",
    why: "Ganeti refuses a cluster whose guest kernel is missing.",
    changes: "Links /boot/vmlinuz-3-xenU and /boot/initrd-3-xenU.",
    needs: ["packages"],
    cells: hypervisors.some((one) => one.startsWith("xen"))
      ? nodes.map(({ name }) => [name, cell(kernelLinksCheck(), kernelLinksScript(), kernelLinksUndo())])
      : [],
  });
}

function storageSteps({ storage }: GanetiRequest, nodes: readonly PlanNode[]): StepDraft[] {
  return [
    step({
      id: "volume-group",
      title: storage.kind === "lvm" ? `Make the volume group ${storage.group}` : "Make the volume group",
      why: "Instances get logical volumes of it as disks.",
      changes: "The chosen disk, whose content is lost.",
      needs: ["packages"],
      limitSeconds: 300,
      usualSeconds: 2,
      cells:
        storage.kind !== "lvm"
          ? []
          : nodes.map(({ name }) => {
              const device = storage.disks[name];
              const script = device
                ? groupScript(storage.group, device, storage.erase.includes(`${name}:${device}`))
                : sh`echo ${`the volume group ${storage.group} was here and is gone`} >&2; exit 1`;
              return [name, cell(groupCheck(storage.group), script)];
            }),
    }),
    step({
      id: "file-storage",
      title: "Allow disks as files",
      why: "Ganeti takes a directory only when a file on every node allows it, before the cluster is made.",
      changes: "The directory, and /etc/ganeti/file-storage-paths.",
      needs: ["packages"],
      cells:
        storage.kind !== "file"
          ? []
          : nodes.map(({ name }) => [name, cell(storageCheck(storage.directory), storageScript(storage.directory))]),
    }),
  ];
}

function bridgeSteps(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
  const bridge = bridgeOf(request);
  const found = nodes.map((node) => ({ node, finding: findBridge(stateOf(states, node), bridge) }));
  const gone = sh`echo ${`the bridge ${bridge} was here and is gone`} >&2; exit 1`;
  const addressOf = (node: PlanNode) => stateOf(states, node).address ?? "";
  return [
    step({
      id: "bridge",
      title: `Make the bridge ${bridge}`,
      why: "Instances reach the network through it. It takes the node's own address over; the node goes back by itself unless virtu reaches it again.",
      changes: "The network's configuration files, saved before, and the interfaces.",
      needs: ["packages"],
      limitSeconds: 180,
      usualSeconds: 4,
      cells: found.map(({ node, finding }) => [
        node.name,
        cell(
          bridgeCheck(bridge, addressOf(node)),
          finding.kind === "change" ? bridgeScript(bridge, finding.change) : gone,
        ),
      ]),
    }),
    step({
      id: "bridge-keep",
      title: `Keep the bridge ${bridge}`,
      why: "virtu reached the node again over the bridge, so nothing has to be undone.",
      changes: "Ends the timer on the node and removes what was saved.",
      needs: ["bridge"],
      limitSeconds: 180,
      cells: found.map(({ node, finding }) => [
        node.name,
        cell(keepCheck(bridge, addressOf(node)), finding.kind === "change" ? keepScript(bridge, finding.change) : gone),
      ]),
    }),
  ];
}
