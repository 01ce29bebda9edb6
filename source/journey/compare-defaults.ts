/** What is made on a place where nobody says otherwise: the smallest thing that goes through the whole life cycle. Pure. */
import type { Offers } from "../instances/create-check.ts";
import type { CreateTemplate } from "../instances/create-plan.ts";
import type { GanetiRequest } from "../instances/create-types.ts";
import type { GanetiOffers } from "../tools/ganeti-offers.ts";
import type { LibvirtOffers } from "../tools/libvirt-offers.ts";
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

/** Null: nothing is made there by itself, it has to be described. */
export function usualTemplate(offers: Offers, sizes: Sizes): CreateTemplate | null {
  if (offers.provider === "ganeti") return ganetiTemplate(offers, sizes);
  if (offers.provider === "libvirt") return libvirtTemplate(offers, sizes);
  return null;
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
  if (request.provider !== "libvirt") return power;
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
