/** What stands beside the fields of the five steps: what the host has, and what of it is in use. Pure. */
import type { Offers } from "../../instances/create-check.ts";
import type { XenOffers, XenServerOffers } from "../../instances/create-offers.ts";
import { mountOf } from "../../instances/create-offers.ts";
import { namesOf } from "../../instances/create-plan.ts";
import { plainLine } from "../../text.ts";
import type { Values } from "../components/form.tsx";
import { disksIn } from "./create-disks.ts";
import { parseSize } from "./create-sizes.ts";
import { mebibytes } from "./instances-rows.ts";

const of = (values: Values, id: string): string => values[id] ?? "";

function common(values: Values): Record<string, string> {
  const memory = parseSize(of(values, "memory"));
  const number = Number(of(values, "count"));
  const names = number > 1 && number <= 1000 ? namesOf({ pattern: of(values, "name"), count: number, from: 1 }) : [];
  return {
    memory: memory === null ? "" : `${memory.toLocaleString("en")} MiB`,
    count: names.length > 1 ? `${names[0]} … ${names.at(-1)}` : "more than one: {n} in the name is the number",
  };
}

export function meaningsOf(values: Values, offers: Offers): Record<string, string> {
  const meanings = common(values);
  if (offers.provider === "libvirt") {
    const { memoryFreeMiB: free, memoryMiB: all, cpus, cpusInUse } = offers;
    if (free !== null) meanings["memory"] = `the host has ${mebibytes(free)} free of ${mebibytes(all)}`;
    if (cpus !== null) meanings["vcpus"] = `the host has ${cpus}; ${cpusInUse} are given to running ones`;
    const suffixes = disksIn(values);
    for (const id of ["copyPool", ...suffixes.map((suffix) => `pool${suffix}`)]) {
      const pool = offers.pools.find(({ name }) => name === of(values, id));
      if (pool && pool.availableMiB !== null) {
        meanings[id] = `${mebibytes(pool.availableMiB)} free of ${mebibytes(pool.capacityMiB)}`;
      }
    }
    for (const suffix of suffixes) {
      const [, pool, volume] = /^([^/]*)\/(.*)$/s.exec(of(values, `volume${suffix}`)) ?? [];
      const volumes = offers.pools.find(({ name }) => name === pool)?.volumes;
      meanings[`volume${suffix}`] = plainLine(volumes?.find(({ name }) => name === volume)?.path ?? "");
    }
    const network = offers.networks.find(({ name }) => `network ${name}` === of(values, "network"));
    if (network) meanings["network"] = [network.forward ?? "isolated", network.address].filter(Boolean).join(", ");
    if (!offers.hasVirtInstall) meanings["media"] = "virt-install is not there: apt-get install virtinst";
    return meanings;
  }
  if (offers.provider === "xen") return { ...meanings, ...xenMeanings(values, offers) };
  if (offers.provider === "xenserver") return { ...meanings, ...xenServerMeanings(values, offers) };
  const usable = offers.nodes.filter((node) => node.usable);
  const most = Math.max(0, ...usable.map(({ memoryFreeMiB }) => memoryFreeMiB ?? 0));
  meanings["memory"] = `the most that a node has free is ${mebibytes(most)}`;
  const cpus = Math.max(0, ...usable.map((node) => node.cpus ?? 0));
  if (cpus > 0) meanings["vcpus"] = `the largest node has ${cpus}`;
  const free = usable.flatMap(({ diskFreeMiB }) => diskFreeMiB ?? []);
  if (free.length > 0) meanings["template"] = `the most that a node has free is ${mebibytes(Math.max(...free))}`;
  const node = usable.find(({ name }) => name === of(values, "primary"));
  if (node) {
    const disk = node.diskFreeMiB === null ? "" : `, ${mebibytes(node.diskFreeMiB)} of disk`;
    meanings["primary"] = `${mebibytes(node.memoryFreeMiB) || "?"} of memory free${disk}`;
  }
  return meanings;
}

function xenMeanings(values: Values, offers: XenOffers): Record<string, string> {
  const { memoryFreeMiB: free, memoryMiB: all, cpus, balloons, mounts, groups } = offers;
  const more = balloons ? "; dom0 gives of its own" : "";
  const meanings: Record<string, string> = {};
  if (free !== null) meanings["memory"] = `Xen has ${mebibytes(free)} free of ${mebibytes(all)}${more}`;
  if (cpus !== null) meanings["vcpus"] = `the host has ${cpus}`;
  for (const suffix of disksIn(values)) {
    const mount = mountOf(mounts, of(values, `directory${suffix}`));
    if (mount) meanings[`directory${suffix}`] = `${mebibytes(mount.freeMiB)} free`;
    const group = groups.find(({ name }) => name === of(values, `group${suffix}`));
    if (group) meanings[`group${suffix}`] = `${mebibytes(group.freeMiB)} free`;
  }
  return meanings;
}

function xenServerMeanings(values: Values, offers: XenServerOffers): Record<string, string> {
  const { hosts, repositories, templates } = offers;
  const most = Math.max(0, ...hosts.map(({ usable, memoryFreeMiB }) => (usable ? (memoryFreeMiB ?? 0) : 0)));
  const chosen = of(values, "repository");
  const repository = repositories.find(({ uuid, isDefault }) => (chosen === "" ? isDefault : uuid === chosen));
  const template = templates.find(({ uuid }) => uuid === of(values, "template"));
  const disks = template?.disksMiB ?? null;
  const own = disks === null ? "its disks are copied" : `disks: ${disks.map(mebibytes).join(", ") || "none"}`;
  return {
    memory: `the most that a host has free is ${mebibytes(most)}`,
    ...(template ? { template: own } : {}),
    ...(repository && repository.freeMiB !== null ? { repository: `${mebibytes(repository.freeMiB)} free` } : {}),
  };
}
