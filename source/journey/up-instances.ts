/** The way's last stage: the first instances. What is there already by its name is left as it is. */
import { randomUUID } from "node:crypto";
import { VirtuError } from "../errors.ts";
import { createInstance } from "../instances/create.ts";
import type { CreateRequest, NicRequest } from "../instances/create-types.ts";
import { discover } from "../instances/discover.ts";
import type { Provider, Snapshot } from "../instances/types.ts";
import { count } from "../text.ts";
import { readStorage } from "./install-ganeti-choose.ts";
import type { PlanNode } from "./plan.ts";
import { installedNodes, nodeNamed } from "./up-install.ts";
import type { StageEnd } from "./up-model.ts";
import { ended, type Stage, type Walk } from "./up-stage.ts";
import type { UpGaneti, UpInstance, UpPlan } from "./up-types.ts";

export const instancesStage: Stage = {
  id: "instances",
  title: "Make the first instances",
  isIn: ({ instances }) => instances.length > 0,
  carry: makeInstances,
};

/** A host that makes instances, and what it has. */
interface Maker {
  node: PlanNode;
  provider: Provider;
  snapshot: Snapshot;
}

/** What would be made on nodes of these names. */
export function requestsOf(plan: UpPlan, names: readonly string[]): CreateRequest[] {
  return plan.instances.map((instance) => requestFor(plan, names, instance, false));
}

async function makeInstances(walk: Walk): Promise<StageEnd> {
  const { plan } = walk;
  const makers = await findMakers(walk);
  const has = (name: string) => makers.some(({ snapshot }) => snapshot.instances.some((one) => one.name === name));
  const missing = plan.instances.filter(({ name }) => !has(name));
  const before = plan.instances.length - missing.length;
  if (missing.length === 0) return ended("already", `all of ${count(before, "instance")} are there`);
  const failed: string[] = [];
  // One after the other: a host's storage is slower by many at once, and a failure names itself.
  for (const [index, instance] of missing.entries()) {
    walk.say(`${instance.name}, ${index + 1} of ${missing.length}`);
    const why = await makeOne(walk, makers, instance);
    if (why !== null) failed.push(`${instance.name}: ${why}`);
  }
  const made = missing.length - failed.length;
  const text = `${made} made${before > 0 ? `, ${before} there before` : ""}`;
  if (failed.length === 0) return ended("done", `${text}: ${plan.instances.map(({ name }) => name).join(", ")}`);
  return ended("failed", `${text}; ${failed.join("; ")}`, "Going on tries those again; what is made stays.");
}

/** Ganeti: the master alone. libvirt: every node. */
async function findMakers(walk: Walk): Promise<Maker[]> {
  const { plan, learned, context, signal } = walk;
  const nodes = installedNodes(walk).filter(
    ({ name }) => plan.install?.provider !== "ganeti" || name === learned.master,
  );
  return Promise.all(
    nodes.map(async (node) => {
      const { providers, problems } = await discover(context.pool, node.host, { signal, priority: "user" });
      const provider = providers.find(({ name }) => name === plan.install?.provider);
      if (provider) return { node, provider, snapshot: await provider.list({ signal, priority: "user" }) };
      throw (
        problems[0] ??
        new VirtuError({
          kind: "failed",
          what: "No instance can be made there",
          where: node.name,
          why: `no ${plan.install?.provider} answers`,
        })
      );
    }),
  );
}

/** Null, or why it was not made. */
async function makeOne(walk: Walk, makers: readonly Maker[], instance: UpInstance): Promise<string | null> {
  const { plan, context, signal, learned } = walk;
  const maker = makerFor(plan, makers, instance);
  const names = maker.snapshot.nodes.filter(({ roles }) => !roles.includes("offline")).map(({ name }) => name);
  const request = requestFor(plan, names, instance, learned.begun.includes(instance.name));
  // Noted before: after a kill nobody could tell what is left of it.
  await walk.learn({ begun: [...new Set([...learned.begun, instance.name])] });
  const outcome = await createInstance(maker.provider, request, {
    pool: context.pool,
    signal,
    onEvent: ({ text }) => walk.say(`${instance.name}: ${text}`),
  });
  for (const note of outcome.notes) walk.say(`${instance.name}: ${note}`);
  if (!outcome.ok) {
    if (signal.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    // An earlier virtu may have been killed while it was made: then its job came to its end meanwhile.
    const now = await maker.provider.list({ signal, priority: "user" });
    if (!now.instances.some(({ name }) => name === instance.name)) {
      const left = outcome.leftBehind.length > 0 ? ` (left behind: ${outcome.leftBehind.join(", ")})` : "";
      return `${outcome.error ?? "it was not made"}${left}`;
    }
  }
  await walk.learn({ made: [...new Set([...walk.learned.made, instance.name])] });
  return null;
}

/** Where an instance is made: the node that it names, else the one with the fewest. */
function makerFor(plan: UpPlan, makers: readonly Maker[], { name, node }: UpInstance): Maker {
  const [first] = makers;
  if (!first) throw new VirtuError({ kind: "failed", what: "No node can make instances" });
  if (plan.install?.provider === "ganeti") return first;
  if (node === null) {
    const index = plan.instances.findIndex((one) => one.name === name);
    return makers[index % makers.length] ?? first;
  }
  const names = makers.map((maker) => maker.node.name);
  const found = makers.find((maker) => maker.node.name === nodeNamed(names, node));
  if (found) return found;
  throw noNode(name, node, names);
}

function noNode(instance: string, node: string, names: readonly string[]): VirtuError {
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

/**
 * @param names The cluster's nodes.
 * @param again It was begun before and came to nothing: what it may have left is not touched.
 */
function requestFor(plan: UpPlan, names: readonly string[], instance: UpInstance, again: boolean): CreateRequest {
  const { name, memoryMiB, vcpus, start, image } = instance;
  const disks = instance.disksGiB.map((gib) => Math.round(gib * 1024));
  const common = { name, memoryMiB, vcpus, start };
  if (plan.install?.provider === "ganeti") return ganetiRequest(plan, plan.install, names, { ...instance, disks });
  const volume = (index: number) => (again ? `${name}-${Date.now().toString(36)}-${index}` : null);
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
    disks: (image === null ? disks : others).map((sizeMiB, index) => ({
      kind: "new",
      pool: "default",
      volume: volume(index + 1),
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
  plan: UpPlan,
  install: UpGaneti,
  names: readonly string[],
  instance: UpInstance & { disks: readonly number[] },
): CreateRequest {
  const { name, memoryMiB, vcpus, start, disks, os, node } = instance;
  const index = plan.instances.findIndex((one) => one.name === name);
  const primary = node === null ? names[index % Math.max(1, names.length)] : nodeNamed(names, node);
  if (!primary) throw noNode(name, node ?? "", names);
  const kind = readStorage({ storage: install.storage, group: install.group, disks: install.disks })?.kind ?? "file";
  const template = kind === "lvm" ? "plain" : kind;
  const [system = "noop"] = install.systems;
  return {
    provider: "ganeti",
    name,
    memoryMiB,
    vcpus,
    start,
    os: os ?? (system === "debootstrap" ? "debootstrap+default" : system),
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
