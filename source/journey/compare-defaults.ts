/** What is made on a place where nobody says otherwise: the smallest thing that goes through the whole life cycle. Pure. */
import type { Offers } from "../instances/create-check.ts";
import type { CreateTemplate } from "../instances/create-plan.ts";
import type { GanetiRequest } from "../instances/create-types.ts";
import type { GanetiOffers } from "../tools/ganeti-offers.ts";
import type { LibvirtOffers } from "../tools/libvirt-offers.ts";
import type { XenServerOffers } from "../tools/xe-offers.ts";
import type { XenOffers } from "../tools/xl-offers.ts";
import type { Sizes } from "./compare-types.ts";

export const usualSizes: Sizes = { memoryMiB: 256, vcpus: 1, diskMiB: 1024, image: null, os: null };

/** DRBD can migrate with what every cluster of two nodes has; the others in the order of what they need. */
function ganetiTemplate(offers: GanetiOffers, sizes: Sizes): CreateTemplate {
  const nodes = offers.nodes.filter(({ usable }) => usable).map(({ name }) => name);
  const order = [...(nodes.length > 1 ? ["drbd"] : []), "plain", "file", "sharedfile", "diskless"];
  const diskTemplate = order.find((one) => offers.diskTemplates.includes(one)) ?? offers.diskTemplates[0] ?? "plain";
  const second = diskTemplate === "drbd" ? (nodes[1] ?? null) : null;
  const placement: GanetiRequest["placement"] =
    offers.allocator === null
      ? { kind: "node", primary: nodes[0] ?? "", secondary: second }
      : { kind: "allocator", name: null };
  const noop = offers.systems.find((name) => name.split("+")[0] === "noop");
  return {
    ...{ provider: "ganeti", memoryMiB: sizes.memoryMiB, vcpus: sizes.vcpus, start: false, install: true },
    ...{ os: sizes.os ?? noop ?? offers.systems[0] ?? "", osParameters: {}, diskTemplate, placement, nics: null },
    ...{ disksMiB: diskTemplate === "diskless" ? [] : [sizes.diskMiB], hypervisor: null, hypervisorParameters: {} },
    ...{ backendParameters: {}, nameCheck: false, ipCheck: false, tags: [] },
  };
}

function libvirtTemplate(offers: LibvirtOffers, sizes: Sizes): CreateTemplate {
  const active = offers.pools.filter((pool) => pool.active).map(({ name }) => name);
  const pool = active.includes("default") ? "default" : (active[0] ?? "default");
  const network =
    offers.networks.find((one) => one.active && one.name === "default") ?? offers.networks.find((one) => one.active);
  const { image } = sizes;
  return {
    ...{ provider: "libvirt", memoryMiB: sizes.memoryMiB, vcpus: sizes.vcpus, start: false },
    media: image === null ? { kind: "none" } : { kind: "import", image, copy: { pool, volume: null, sizeMiB: null } },
    disks: image === null ? [{ kind: "new", pool, volume: null, sizeMiB: sizes.diskMiB, format: "qcow2" }] : [],
    nics: network ? [{ network: network.name, link: null, mac: null, ip: null }] : [],
    ...{ osinfo: null, arch: null, machine: null, firmware: null, virtType: null, graphics: "none" },
  };
}

/** Only a guest with firmware of its own needs no kernel of dom0's. */
function xenTemplate(offers: XenOffers, sizes: Sizes): CreateTemplate | null {
  if (!offers.types.includes("hvm")) return null;
  const [bridge] = offers.bridges;
  return {
    ...{ provider: "xen", memoryMiB: sizes.memoryMiB, vcpus: sizes.vcpus, start: false, type: "hvm" },
    ...{ boot: { kind: "disk" }, graphics: "none" },
    disks: [{ kind: "file", path: null, directory: null, sizeMiB: sizes.diskMiB, image: null }],
    nics: bridge === undefined ? [] : [{ network: null, link: bridge, mac: null, ip: null }],
  };
}

/** The template that brings nothing. */
function xenServerTemplate(offers: XenServerOffers, sizes: Sizes): CreateTemplate | null {
  const template = offers.templates.find(({ name }) => name === "Other install media");
  if (!template) return null;
  return {
    ...{ provider: "xenserver", memoryMiB: sizes.memoryMiB, vcpus: sizes.vcpus, start: false },
    ...{ template: template.name, repository: null, disks: [{ sizeMiB: sizes.diskMiB, repository: null }] },
    ...{ nics: null, iso: null, location: null, note: "", tags: [] },
  };
}

/** Null: nothing is made there by itself, it has to be described. */
export function usualTemplate(offers: Offers, sizes: Sizes): CreateTemplate | null {
  switch (offers.provider) {
    case "ganeti":
      return ganetiTemplate(offers, sizes);
    case "libvirt":
      return libvirtTemplate(offers, sizes);
    case "xen":
      return xenTemplate(offers, sizes);
    case "xenserver":
      return xenServerTemplate(offers, sizes);
  }
}

/** An installation begins with its start; everything else is made and left off, so that its start is seen alone. */
export function startsAtOnce(template: CreateTemplate): boolean {
  if (template.provider !== "libvirt") return false;
  const { kind } = template.media;
  return kind === "iso" || kind === "location" || kind === "pxe" || kind === "cloud";
}

/** What is made, one line for people. */
export function whatText(request: CreateTemplate): string {
  const power = `${request.memoryMiB} MiB, ${request.vcpus} vCPU`;
  if (request.provider === "ganeti") {
    const { os, install, diskTemplate, disksMiB } = request;
    const system = install ? `its system ${os} is installed` : `nothing is installed (${os})`;
    const disks = disksMiB.length === 0 ? diskTemplate : `${disksMiB.join(" and ")} MiB ${diskTemplate}`;
    return `${system}, ${disks}, ${power}`;
  }
  if (request.provider === "xenserver") return `the template ${request.template}, ${power}`;
  if (request.provider === "xen") {
    const { boot, disks } = request;
    const sizes = disks.flatMap((disk) => (disk.kind === "path" ? [] : [`${disk.sizeMiB} MiB`]));
    const copied = disks.flatMap((disk) => (disk.kind === "path" ? [] : (disk.image ?? [])));
    if (copied.length > 0) return `${request.type}, a copy of ${copied.join(" and ")}, ${power}`;
    if (boot.kind !== "disk") return `${request.type}, booted by ${boot.kind}, ${power}`;
    return `${request.type}, an empty disk of ${sizes.join(" and ")} that nothing boots from, ${power}`;
  }
  const { media, disks } = request;
  const sizes = disks.flatMap((disk) => (disk.kind === "new" ? [`${disk.sizeMiB} MiB`] : []));
  const empty =
    sizes.length > 0 ? `an empty disk of ${sizes.join(" and ")} that nothing boots from` : "no disk of its own";
  const from: Readonly<Record<typeof media.kind, string>> = {
    iso: "installed from an ISO",
    location: "installed from a tree",
    pxe: "booted from the network",
    import: media.kind === "import" ? `${media.copy ? "a copy of" : "in place:"} ${media.image}` : "",
    cloud: media.kind === "cloud" ? `a copy of ${media.image} with cloud-init` : "",
    none: empty,
  };
  return `${from[media.kind]}, ${power}`;
}
