/** The form that makes a Ganeti cluster: its fields, the request it stands for, what is wrong with it. Pure. */
import type { NodeStates } from "../../journey/configure-types.ts";
import type { GanetiHypervisor, GanetiRequest, PlanProblem } from "../../journey/install-ganeti-types.ts";
import type { Targets } from "../../store/targets.ts";
import { count } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";
import { parseMinimum } from "./deploy-text.ts";
import { chosenDisks, diskChoices, diskMeaning, erasedDisks } from "./install-disks.ts";
import { shortNames } from "./node-names.ts";

const of = (values: Values, id: string): string => values[id] ?? "";

/** An address of the job's subnet for the cluster: its first one; empty without a subnet. */
export function clusterAddressIn(subnet: string | null): string {
  const parts = /^(\d+\.\d+\.\d+)\.(\d+)\/\d+$/.exec(subnet ?? "");
  return parts ? `${parts[1]}.${Number(parts[2]) + 1}` : "";
}

const hypervisors: readonly { value: string; label: string }[] = [
  { value: "kvm", label: "kvm" },
  { value: "xen-pvm", label: "xen-pvm" },
  { value: "xen-hvm", label: "xen-hvm" },
  { value: "fake", label: "fake: nothing is started" },
  { value: "kvm,fake", label: "kvm, and fake beside it" },
];

/** The hypervisor that the nodes look made for. */
export function likelyHypervisor(states: NodeStates): GanetiHypervisor {
  const all = [...states.values()];
  if (all.every(({ virtual }) => virtual.xen === "dom0")) return "xen-pvm";
  return all.every(({ virtual }) => virtual.kvm) ? "kvm" : "fake";
}

export function ganetiFields(states: NodeStates, subnet: string | null): FormField[] {
  const names = [...states.keys()];
  const short = shortNames(names);
  const lvm = (values: Values) => values["storage"] === "lvm";
  return [
    { id: "name", label: "Cluster name", kind: "text", width: 26, initial: "cluster1" },
    { id: "address", label: "Its address", kind: "text", width: 16, initial: clusterAddressIn(subnet) },
    {
      id: "master",
      label: "Master",
      kind: "choice",
      choices: names.map((name, index) => ({ value: name, label: short[index] ?? name })),
    },
    { id: "hypervisor", label: "Hypervisor", kind: "choice", choices: hypervisors, initial: likelyHypervisor(states) },
    {
      id: "storage",
      label: "Storage",
      kind: "choice",
      choices: [
        { value: "lvm", label: "LVM volume group" },
        { value: "file", label: "files" },
        { value: "diskless", label: "none: diskless" },
      ],
    },
    { id: "group", label: "  its name", kind: "text", width: 16, initial: "xenvg", shown: lvm },
    { id: "disk", label: "  on disk", kind: "choice", choices: diskChoices(states), shown: lvm },
    {
      id: "directory",
      label: "  directory",
      kind: "text",
      width: 30,
      initial: "/srv/ganeti/file-storage",
      shown: (values) => values["storage"] === "file",
    },
    { id: "bridge", label: "Bridge", kind: "text", width: 16 },
    {
      id: "systems",
      label: "Systems",
      kind: "choice",
      choices: [
        { value: "noop,debootstrap", label: "OS definitions: noop and debootstrap" },
        { value: "noop", label: "noop" },
        { value: "debootstrap", label: "debootstrap" },
      ],
    },
    { id: "minimum", label: "Enough when", kind: "text", width: 7, initial: "100%" },
  ];
}

/** The request that the form stands for, with every chosen disk's content given up; what that means is asked later. */
export function ganetiRequest(values: Values, targets: Targets, states: NodeStates): GanetiRequest {
  const nodes = targets.nodes.filter(({ name }) => states.has(name));
  const minimum = parseMinimum(of(values, "minimum"), nodes.length);
  const group = of(values, "group") || "xenvg";
  const chosen = chosenDisks(states, group, of(values, "disk"));
  const storage: GanetiRequest["storage"] =
    of(values, "storage") === "lvm"
      ? {
          kind: "lvm",
          group,
          disks: Object.fromEntries([...chosen].map(([name, { path }]) => [name, path])),
          erase: erasedDisks(chosen).erase,
        }
      : of(values, "storage") === "file"
        ? { kind: "file", directory: of(values, "directory") }
        : { kind: "diskless" };
  return {
    site: targets.site,
    jobId: targets.jobId,
    nodes,
    minimum: "minimum" in minimum ? minimum.minimum : nodes.length,
    clusterName: of(values, "name"),
    clusterAddress: of(values, "address") || null,
    master: of(values, "master"),
    hypervisors: of(values, "hypervisor").split(",") as GanetiHypervisor[],
    storage,
    bridge: of(values, "bridge") || null,
    systems: of(values, "systems").split(",") as ("noop" | "debootstrap")[],
  };
}

/** Which field shows a problem; null: it is about the nodes and stands under the form. */
function fieldOf({ field }: PlanProblem, values: Values): string | null {
  const fields: Partial<Record<PlanProblem["field"], string>> = {
    clusterName: "name",
    clusterAddress: "address",
    master: "master",
    hypervisors: "hypervisor",
    bridge: "bridge",
    systems: "systems",
    minimum: "minimum",
    storage: of(values, "storage") === "lvm" ? "disk" : "directory",
  };
  return fields[field] ?? null;
}

const sayable = ({ node, text }: PlanProblem) => (node === null ? text : `${shortNames([node])[0] ?? node}: ${text}`);

/** Problems beside their fields, the first of each with the number of the others. */
export function ganetiErrors(
  values: Values,
  problems: readonly PlanProblem[],
  nodes: number,
): Record<string, string | null> {
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const errors: Record<string, string | null> = { minimum: "error" in minimum ? minimum.error : null };
  const counts: Record<string, number> = {};
  for (const problem of problems) {
    const field = fieldOf(problem, values);
    // What is not typed yet is said when one tries to go on.
    if (field === null || ((field === "name" || field === "address") && of(values, field) === "")) continue;
    counts[field] = (counts[field] ?? 0) + 1;
    errors[field] ??= sayable(problem);
  }
  for (const [field, number] of Object.entries(counts)) if (number > 1) errors[field] += ` (and ${number - 1} more)`;
  return errors;
}

/** Problems that belong to no field, a line each, with what to do. */
export function nodeProblems(values: Values, problems: readonly PlanProblem[]): string[] {
  return problems
    .filter((problem) => fieldOf(problem, values) === null)
    .map((problem) => [sayable(problem), problem.hint].filter(Boolean).join(". "));
}

/** What keeps the form from going on although no field is wrong as typed; or null. */
export function ganetiMissing(problems: readonly PlanProblem[]): string | null {
  const [first] = problems;
  return first ? [sayable(first), first.hint].filter(Boolean).join(". ") : null;
}

export function ganetiMeanings(
  values: Values,
  states: NodeStates,
  bridge: string,
  problems: readonly PlanProblem[],
): Record<string, string> {
  const nodes = states.size;
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const group = of(values, "group") || "xenvg";
  const hint = (field: PlanProblem["field"]) => problems.find((problem) => problem.field === field)?.hint ?? "";
  return {
    name: hint("clusterName") || "gets a line in /etc/hosts of every node",
    address:
      of(values, "address") === ""
        ? nodes > 1
          ? "one that nobody uses, of the nodes' network"
          : "empty: the node's own"
        : "nobody else may use it",
    hypervisor: of(values, "hypervisor").startsWith("kvm") ? "/dev/kvm is needed" : "",
    group: "made if it is not there",
    disk: diskMeaning(states, group, of(values, "disk")),
    bridge:
      of(values, "bridge") === "" ? `empty: ${bridge}` : "made with the node's own address; undone if it cuts us off",
    minimum: "minimum" in minimum ? `goes on alone while ${minimum.minimum} of ${count(nodes, "node")} are in` : "",
  };
}
