/** The plan that turns nodes into a Ganeti cluster. Pure: it knows of the nodes what they were asked. */

import { sh } from "../ssh/command.ts";
import { count } from "../text.ts";
import {
  candidatesCheck,
  listsScript,
  ownSourcesFile,
  packagesCheck,
  packagesScript,
  parseSources,
  releaseSources,
} from "../tools/apt.ts";
import { bridgeCheck, bridgeScript, findBridge, keepCheck, keepScript } from "../tools/bridge.ts";
import {
  addNodesCheck,
  addNodesScript,
  type ClusterWish,
  ganetiPackages,
  initCheck,
  initScript,
  initUndo,
  joinedCheck,
  joinedScript,
  kernelLinksCheck,
  kernelLinksScript,
  kernelLinksUndo,
  letMasterInCheck,
  letMasterInScript,
  masterKeyCheck,
  masterKeyScript,
  storageCheck,
  storageScript,
  verifyCheck,
  verifyScript,
} from "../tools/ganeti-install.ts";
import { hostsBlock, namesOf } from "../tools/hosts-file.ts";
import { groupCheck, groupScript } from "../tools/lvm.ts";
import { blockCheck, blockScript, blockUndo } from "../tools/marked-block.ts";
import type { NodeState } from "../tools/node-state.ts";
import { fileScript, inTurn } from "../tools/own-file.ts";
import { fullNameOf, listSteps, nameSteps, stateOf } from "./configure.ts";
import type { NodeStates } from "./configure-types.ts";
import { aloneAddress, bridgeOf, ganetiProblems } from "./install-ganeti-check.ts";
import type { GanetiRequest, PlanProblem } from "./install-ganeti-types.ts";
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
    ends: "nodes",
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
export function ganetiPackagesFor({ hypervisors, storage, systems }: GanetiRequest): string[] {
  return [
    ...ganetiPackages.base,
    ...(storage.kind === "lvm" ? ganetiPackages.lvm : []),
    ...(hypervisors.includes("kvm") ? ganetiPackages.kvm : []),
    ...(hypervisors.some((one) => one.startsWith("xen")) ? ganetiPackages.xen : []),
    ...systems.flatMap((system) => ganetiPackages[system]),
  ];
}

/** Packages, and sources of the node's own release where its own have none of them. */
export function installSteps(nodes: readonly PlanNode[], states: NodeStates, packages: readonly string[]): StepDraft[] {
  return [
    step({
      id: "sources",
      title: "Name package sources that have what is needed",
      why: "Only where the node's own sources lack one of the packages.",
      changes: `${ownSourcesFile}, with the node's own release.`,
      needs: ["lists"],
      progress: "apt",
      limitSeconds: 1800,
      cells: nodes.map((node) => [
        node.name,
        cell(candidatesCheck(packages), sourcesScript(stateOf(states, node), packages)),
      ]),
    }),
    step({
      id: "packages",
      title: "Install the packages",
      why: "What the daemons need, without what they only recommend.",
      changes: `Packages: ${packages.join(" ")}.`,
      needs: ["sources"],
      progress: "apt",
      limitSeconds: 3600,
      usualSeconds: 60,
      cells: nodes.map(({ name }) => [name, cell(packagesCheck(packages), packagesScript(packages))]),
    }),
  ];
}

function sourcesScript(state: NodeState, packages: readonly string[]) {
  const text = releaseSources(state.system.codename, parseSources(state.sources));
  // The lists may be older than what the sources have by now.
  const again = sh`${inTurn([listsScript()])}
if (${candidatesCheck(packages)}
); then exit 0; fi`;
  if (text === null) {
    const why = `no source of this node has all of these packages: ${packages.join(" ")}`;
    return sh`${again}
echo ${why} >&2; echo ${`name an archive of ${state.system.pretty} in /etc/apt/sources.list.d`} >&2; exit 1`;
  }
  return sh`${again}
${inTurn([fileScript(ownSourcesFile, text), listsScript()])}
${candidatesCheck(packages)}`;
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

function clusterSteps(request: GanetiRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
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
      needs: [
        "host-name",
        "hosts",
        "cluster-name",
        "clock",
        "packages",
        "kernel-links",
        "volume-group",
        "file-storage",
        "bridge-keep",
      ],
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
      needs: [
        "all:master-key",
        "host-name",
        "hosts",
        "cluster-name",
        "clock",
        "packages",
        "kernel-links",
        "volume-group",
        "file-storage",
        "bridge-keep",
      ],
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
