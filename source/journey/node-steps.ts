/** Steps that several journeys begin with: names, time, package lists, packages. Pure. */
import { sh } from "../ssh/command.ts";
import {
  candidatesCheck,
  listsCheck,
  listsScript,
  ownSourcesFile,
  packagesCheck,
  packagesScript,
  parseSources,
  releaseSources,
  repairCheck,
  repairScript,
} from "../tools/apt.ts";
import { clockCheck, clockScript, hostNameCheck, hostNameScript, isNoName } from "../tools/host-setup.ts";
import { hostsBlock, namesOf } from "../tools/hosts-file.ts";
import { blockCheck, blockScript, blockUndo } from "../tools/marked-block.ts";
import type { NodeState } from "../tools/node-state.ts";
import { fileScript, inTurn } from "../tools/own-file.ts";
import type { NodeStates } from "./configure-types.ts";
import type { PlanNode } from "./plan.ts";
import { cell, type StepDraft, step } from "./plan-steps.ts";

/** A clock that is off by more than this is set; apt and TLS bear less than an hour, Ganeti's verify complains from 150 s on. */
const clockToleranceSeconds = 30;

/** The state of a node that is in the plan. */
export function stateOf(states: NodeStates, node: PlanNode): NodeState {
  const state = states.get(node.name);
  if (!state) throw new RangeError(`nothing is known of ${node.name}`);
  return state;
}

/** The name that a node has, or gets when it has none of its own. */
export function fullNameOf(node: PlanNode, states: NodeStates): string {
  const state = stateOf(states, node);
  const own = state.fullName ?? state.hostname;
  if (isNoName(own)) return node.name;
  return own;
}

/** Host name, /etc/hosts and clock, as every journey begins. */
export function nameSteps(nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
  const nameless = nodes.filter((node) => isNoName(stateOf(states, node).hostname));
  const slow = nodes.filter((node) => Math.abs(stateOf(states, node).clockAheadSeconds) > clockToleranceSeconds);
  return [
    step({
      id: "host-name",
      title: "Give the node its name",
      why: "The image gave it none, and daemons know one another by name.",
      changes: "The host name and /etc/hostname.",
      cells: nameless.map((node) => [
        node.name,
        cell(hostNameCheck(fullNameOf(node, states)), hostNameScript(fullNameOf(node, states))),
      ]),
    }),
    hostsStep(nodes, states),
    step({
      id: "clock",
      title: "Set the clock",
      why: "It is off by more than half a minute; package signatures and cluster daemons need the same time everywhere.",
      changes: "The system clock; the time service is switched on where there is one.",
      cells: slow.map((node) => {
        const { clockAheadSeconds, askedAt } = stateOf(states, node);
        return [node.name, cell(clockCheck(askedAt), clockScript(clockAheadSeconds, askedAt))];
      }),
    }),
  ];
}

/** /etc/hosts with the nodes, the same in every journey, so that the second one finds it done. */
function hostsStep(nodes: readonly PlanNode[], states: NodeStates): StepDraft {
  const entries = nodes.flatMap((node) => {
    const { address } = stateOf(states, node);
    return address === null ? [] : [{ address, names: namesOf(fullNameOf(node, states), node.name) }];
  });
  const block = hostsBlock("nodes", entries);
  return step({
    id: "hosts",
    title: "Write the nodes' names into /etc/hosts",
    why: "Each node has to find every other, and itself, by name at its real address and not at 127.0.1.1.",
    changes: "A marked block in /etc/hosts; the nodes' names leave other lines.",
    cells:
      entries.length === 0
        ? []
        : nodes.map(({ name }) => [name, cell(blockCheck(block), blockScript(block), blockUndo(block))]),
  });
}

/** Repair and lists, as every journey that installs packages begins. */
export function listSteps(nodes: readonly PlanNode[]): StepDraft[] {
  return [
    step({
      id: "repair",
      title: "Finish interrupted installations",
      why: "apt refuses to do anything while a package is half installed.",
      changes: "Packages that were left unpacked or half configured.",
      progress: "apt",
      limitSeconds: 1800,
      usualSeconds: 2,
      cells: nodes.map(({ name }) => [name, cell(repairCheck(), repairScript())]),
    }),
    step({
      id: "lists",
      title: "Fetch the package lists",
      why: "apt must know the newest versions, and where they are.",
      changes: "apt's lists in /var/lib/apt/lists.",
      needs: ["repair", "clock", "hosts"],
      progress: "apt",
      limitSeconds: 1800,
      usualSeconds: 15,
      cells: nodes.map(({ name }) => [name, cell(listsCheck(), listsScript())]),
    }),
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
