/**
 * What a request leaves to the host is settled by what that host offers, so that the plan which is shown is the one that runs:
 * paths of disks and MAC addresses on Xen, UUIDs for names on XenServer. What can't be settled stays; its check says so.
 */
import { meantOf, type XeNamed, type XenServerOffers } from "../tools/xe-offers.ts";
import { diskName } from "../tools/xl-create.ts";
import type { XenOffers } from "../tools/xl-offers.ts";
import type { NicRequest, XenRequest, XenServerRequest } from "./create-types.ts";

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

export function resolveXenServer(request: XenServerRequest, offers: XenServerOffers): XenServerRequest {
  const uuid = (all: readonly XeNamed[], word: string) => {
    const found = meantOf(all, word);
    return found === null || found === "several" ? word : found.uuid;
  };
  const or = (all: readonly XeNamed[], word: string | null) => (word === null ? null : uuid(all, word));
  const [network = null] = offers.networks.map((one) => one.uuid);
  return {
    ...request,
    template: uuid(offers.templates, request.template),
    repository: or(offers.repositories, request.repository),
    disks: request.disks.map(({ sizeMiB, repository }) => ({
      sizeMiB,
      repository: or(offers.repositories, repository ?? request.repository),
    })),
    nics:
      request.nics?.map((nic) => ({
        ...nic,
        network: nic.network === null ? (nic.link === null ? network : null) : uuid(offers.networks, nic.network),
      })) ?? null,
  };
}
