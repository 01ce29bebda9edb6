/** What is asked of a provider for an instance of a plan. Pure. */
import { randomUUID } from "node:crypto";
import { VirtuError } from "../errors.ts";
import type { CreateRequest, NicRequest } from "../instances/create-types.ts";
import { readStorage } from "./install-ganeti-choose.ts";
import type { UpInstance, UpPlan } from "./up-types.ts";

/** What an installation makes instances with. */
export interface Making {
  provider: "ganeti" | "libvirt";
  /** Ganeti's disk template, for those that have disks. */
  template: "plain" | "file" | "diskless";
  /** Ganeti's OS definition for those that name none. */
  system: string;
}

/** Of a plan; null: it installs nothing. */
export function makingOf({ install }: UpPlan): Making | null {
  if (install?.provider !== "ganeti") return install && { provider: "libvirt", template: "file", system: "" };
  const kind = readStorage({ storage: install.storage, group: install.group, disks: install.disks })?.kind ?? "file";
  const [system = "noop"] = install.systems;
  return {
    provider: "ganeti",
    template: kind === "lvm" ? "plain" : kind,
    system: system === "debootstrap" ? "debootstrap+default" : system,
  };
}

/** The node of that name, also without its domain. */
export function nodeNamed(names: readonly string[], word: string): string | null {
  return names.find((name) => name === word) ?? names.find((name) => name.split(".")[0] === word) ?? null;
}

/** What would be made on nodes of these names. */
export function requestsOf(plan: UpPlan, names: readonly string[]): CreateRequest[] {
  const making = makingOf(plan);
  if (!making) return [];
  return plan.instances.map((instance, index) => requestFor(making, instance, { names, index, again: false }));
}

export function noNode(instance: string, node: string, names: readonly string[]): VirtuError {
  return new VirtuError({
    kind: "usage",
    what: `There is no node ${node} for ${instance}`,
    where: "instances",
    hint: `There are ${names.join(", ")}.`,
  });
}

function nicsOf({ network, bridge }: UpInstance): NicRequest[] | null {
  return network === null && bridge === null ? null : [{ network, link: bridge, mac: null, ip: null }];
}

export interface About {
  /** The cluster's nodes. */
  names: readonly string[];
  /** Which one it is: those that name no node go on one after the other. */
  index: number;
  /** It was begun before and came to nothing: what it may have left is not touched. */
  again: boolean;
}

export function requestFor(making: Making, instance: UpInstance, { names, index, again }: About): CreateRequest {
  const { name, memoryMiB, vcpus, start, image } = instance;
  const disks = instance.disksGiB.map((gib) => Math.round(gib * 1024));
  const common = { name, memoryMiB, vcpus, start };
  if (making.provider === "ganeti") return ganetiRequest(making, instance, disks, { names, index });
  const volume = (number: number) => (again ? `${name}-${Date.now().toString(36)}-${number}` : null);
  const [first = null, ...others] = disks;
  return {
    provider: "libvirt",
    ...common,
    uuid: randomUUID(),
    media:
      image === null
        ? { kind: "none" }
        : { kind: "import", image, copy: { pool: "default", volume: volume(0), sizeMiB: first } },
    osinfo: null,
    disks: (image === null ? disks : others).map((sizeMiB, number) => ({
      kind: "new",
      pool: "default",
      volume: volume(number + 1),
      sizeMiB,
      format: "qcow2",
    })),
    nics: nicsOf(instance) ?? [{ network: "default", link: null, mac: null, ip: null }],
    arch: null,
    machine: null,
    firmware: null,
    virtType: null,
    graphics: "none",
  };
}

function ganetiRequest(
  { template, system }: Making,
  instance: UpInstance,
  disks: readonly number[],
  { names, index }: Pick<About, "names" | "index">,
): CreateRequest {
  const { name, memoryMiB, vcpus, start, os, node } = instance;
  const primary = node === null ? names[index % Math.max(1, names.length)] : nodeNamed(names, node);
  if (!primary) throw noNode(name, node ?? "", names);
  return {
    provider: "ganeti",
    name,
    memoryMiB,
    vcpus,
    start,
    os: os ?? system,
    install: true,
    osParameters: {},
    diskTemplate: disks.length === 0 ? "diskless" : template,
    disksMiB: template === "diskless" ? [] : disks,
    placement: { kind: "node", primary, secondary: null },
    nics: nicsOf(instance),
    hypervisor: null,
    hypervisorParameters: {},
    backendParameters: {},
    // No name service knows what was just thought of.
    nameCheck: false,
    ipCheck: false,
    tags: [],
  };
}
