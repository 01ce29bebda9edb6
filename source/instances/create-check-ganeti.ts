/** The checks of a Ganeti request: OS, disks, placement, memory, hypervisor. */
import type { GanetiOffers, OfferedNode } from "../tools/ganeti-offers.ts";
import type { CheckOptions, Report } from "./create-check.ts";
import type { GanetiRequest } from "./create-types.ts";

/** Both as they were written: Ganeti takes a node's name without its domain. */
export function findNode(nodes: readonly OfferedNode[], name: string): OfferedNode | undefined {
  return nodes.find((node) => node.name === name) ?? nodes.find((node) => node.name.startsWith(`${name}.`));
}

const onDisk: ReadonlySet<string> = new Set(["plain", "drbd"]);

export function checkGaneti(request: GanetiRequest, offers: GanetiOffers, options: CheckOptions, report: Report): void {
  const { os, diskTemplate, disksMiB, hypervisor, nics } = request;
  if (os === "") report.add("os", "it needs an OS definition");
  else if (offers.systems.length > 0 && !isSystem(os, offers.systems)) {
    report.add("os", `the cluster has ${offers.systems.join(", ")}, and no ${os}`);
  }
  if (!offers.diskTemplates.includes(diskTemplate)) {
    report.add("diskTemplate", `the cluster allows ${offers.diskTemplates.join(", ")}, and not ${diskTemplate}`);
  }
  if (diskTemplate === "diskless" && disksMiB.length > 0) report.add("disks", "diskless instances have no disks");
  if (diskTemplate !== "diskless" && disksMiB.length === 0) report.add("disks", `with ${diskTemplate} it needs a disk`);
  if (hypervisor !== null && !offers.hypervisors.includes(hypervisor)) {
    report.add("hypervisor", `the cluster has ${offers.hypervisors.join(", ")}, and no ${hypervisor}`);
  }
  (nics ?? []).forEach(({ network, ip }, index) => {
    if (network !== null && !offers.networks.some(({ name }) => name === network)) {
      report.add(`nics.${index}.network`, `the cluster has no network ${network}`);
    }
    if (ip !== null && offers.ips.includes(ip)) report.add(`nics.${index}.ip`, `${ip} is in use`);
  });
  checkPolicy(request, offers, report);
  checkPlace(request, offers, options, report);
}

/** `debootstrap+default`; an OS whose variants are listed may be named with another one (checked by Ganeti). */
function isSystem(os: string, systems: readonly string[]): boolean {
  return systems.includes(os) || systems.some((name) => name.split("+")[0] === os.split("+")[0] && os.includes("+"));
}

function checkPolicy({ memoryMiB, vcpus, disksMiB }: GanetiRequest, { policy }: GanetiOffers, report: Report): void {
  const within = (field: string, value: number, range: [number, number] | null, unit: string) => {
    if (range !== null && (value < range[0] || value > range[1])) {
      report.add(field, `the cluster's policy allows ${range[0]} to ${range[1]}${unit}`);
    }
  };
  within("memory", memoryMiB, policy.memoryMiB, " MiB");
  within("vcpus", vcpus, policy.vcpus, "");
  disksMiB.forEach((size, index) => {
    within(`disks.${index}`, size, policy.diskMiB, " MiB");
  });
}

function checkPlace(request: GanetiRequest, offers: GanetiOffers, { overcommit }: CheckOptions, report: Report): void {
  const { placement, diskTemplate, disksMiB, memoryMiB, start } = request;
  const usable = offers.nodes.filter((node) => node.usable);
  const disk = onDisk.has(diskTemplate) ? disksMiB.reduce((sum, size) => sum + size, 0) : 0;
  const lacks = (node: OfferedNode): string | null => {
    const { memoryFreeMiB: memory, diskFreeMiB } = node;
    if (start && memory !== null && memoryMiB > memory) return `${node.name} has ${memory} MiB of memory free`;
    if (disk > 0 && diskFreeMiB !== null && disk > diskFreeMiB)
      return `${node.name} has ${diskFreeMiB} MiB of disk free`;
    return null;
  };
  const needsTwo = diskTemplate === "drbd";
  if (placement.kind === "allocator") {
    if (placement.name === null && offers.allocator === null) report.add("allocator", "the cluster has no default one");
    if (!overcommit && !usable.some((node) => lacks(node) === null)) {
      const best = Math.max(0, ...usable.map((node) => node.memoryFreeMiB ?? 0));
      report.add("memory", `no node has room for ${memoryMiB} MiB: the most that is free is ${best} MiB`);
    }
    return;
  }
  const { primary, secondary } = placement;
  if (needsTwo !== (secondary !== null)) {
    report.add("node", needsTwo ? "drbd needs a secondary node" : `${diskTemplate} has no secondary node`);
  }
  for (const name of [primary, secondary]) {
    if (name === null) continue;
    const node = findNode(offers.nodes, name);
    const lack = node && name === primary && !overcommit ? lacks(node) : null;
    if (!node) report.add("node", `the cluster has no node ${name}`);
    else if (!node.usable) report.add("node", `${node.name} takes no instances now`);
    else if (lack !== null) report.add(lack.includes("memory") ? "memory" : "disks", lack);
  }
  if (secondary !== null && findNode(offers.nodes, primary) === findNode(offers.nodes, secondary)) {
    report.add("node", "primary and secondary must be two nodes");
  }
}
