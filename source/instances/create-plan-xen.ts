/**
 * What a plan must know of Xen. What a request leaves to the host is settled by what that offers: paths of disks, bridges and
 * MAC addresses. What can't be settled stays; its check says so. Pure.
 */
import { diskName, targetOf } from "../tools/xl-create.ts";
import { mountOf, type XenOffers } from "../tools/xl-offers.ts";
import { checkXen, xenFiles } from "./create-check-xen.ts";
import type { Planning } from "./create-planning.ts";
import { sharedDisks } from "./create-shared.ts";
import type { NicRequest, XenRequest } from "./create-types.ts";

/** A MAC address of Xen's own range (00:16:3e) that follows from the domain's UUID: other starts, same card. */
export function xenMac(uuid: string, index: number): string {
  const hex = uuid.replaceAll("-", "");
  const number = (Number.parseInt(hex.slice(-6), 16) + index) % 0x1000000;
  const bytes = number.toString(16).padStart(6, "0").match(/../g) ?? [];
  return ["00", "16", "3e", ...bytes].join(":");
}

export function resolveXen(request: XenRequest, offers: XenOffers): XenRequest {
  const { name, uuid } = request;
  let made = 0;
  const disks = request.disks.map((disk) => {
    if (disk.kind === "path") return disk;
    const own = diskName(name, made++);
    if (disk.kind === "volume") return { ...disk, volume: disk.volume ?? own };
    return { ...disk, path: disk.path ?? `${(disk.directory ?? offers.directory).replace(/\/$/, "")}/${own}.img` };
  });
  const nics = request.nics.map(
    (nic, index): NicRequest => ({
      ...nic,
      link: nic.link ?? (nic.network === null ? (offers.bridges[0] ?? null) : null),
      mac: nic.mac ?? xenMac(uuid, index),
    }),
  );
  return { ...request, disks, nics };
}

function withoutXen(offers: XenOffers, request: XenRequest): XenOffers {
  const usedDisks = new Map(offers.usedDisks);
  const mounts = offers.mounts.map((mount) => ({ ...mount }));
  const groups = offers.groups.map((group) => ({ ...group, volumes: [...group.volumes] }));
  for (const disk of request.disks) {
    usedDisks.set(targetOf(disk), request.name);
    if (disk.kind === "file") {
      const mount = mountOf(mounts, targetOf(disk));
      if (mount) mount.freeMiB -= disk.sizeMiB;
    }
    const group = disk.kind === "volume" ? groups.find(({ name }) => name === disk.group) : undefined;
    if (group && disk.kind === "volume") {
      group.freeMiB -= disk.sizeMiB;
      group.volumes.push(disk.volume ?? "");
    }
  }
  const memoryFreeMiB = offers.memoryFreeMiB === null ? null : offers.memoryFreeMiB - request.memoryMiB;
  return { ...offers, usedDisks, mounts, groups, memoryFreeMiB };
}

export const xenPlanning: Planning = {
  identified: true,
  check: checkXen,
  freeMemory: ({ memoryFreeMiB }: XenOffers) => memoryFreeMiB ?? 0,
  without: withoutXen,
  addresses: () => [],
  settle: (request: XenRequest, offers: XenOffers | null) => (offers ? resolveXen(request, offers) : request),
  where: () => "",
  shared: ({ disks }: Omit<XenRequest, "name">) =>
    sharedDisks(
      disks.some((disk) => disk.kind === "path" || (disk.kind === "file" ? disk.path : disk.volume) !== null),
    ),
  files(request: XenRequest) {
    const fresh = request.disks.flatMap((disk) => (disk.kind === "file" && disk.path !== null ? [disk.path] : []));
    return [...xenFiles(request).map(({ path }) => path), ...fresh];
  },
};
