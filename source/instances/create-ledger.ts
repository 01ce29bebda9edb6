/** What Xen's two kinds of hosts have left once a request of the same plan is made: memory, room, and what is taken. Pure. */

import type { XenServerOffers } from "../tools/xe-offers.ts";
import { targetOf } from "../tools/xl-create.ts";
import { mountOf, type XenOffers } from "../tools/xl-offers.ts";
import type { XenRequest, XenServerRequest } from "./create-types.ts";

export function withoutXen(offers: XenOffers, request: XenRequest): XenOffers {
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

/** xapi chooses the host at the start: mostly the one with the most memory. */
export function withoutXenServer(offers: XenServerOffers, request: XenServerRequest, most: number): XenServerOffers {
  const target = offers.hosts.find(({ usable, memoryFreeMiB }) => usable && memoryFreeMiB === most);
  const hosts = offers.hosts.map((host) =>
    host === target && host.memoryFreeMiB !== null
      ? { ...host, memoryFreeMiB: host.memoryFreeMiB - request.memoryMiB }
      : host,
  );
  const own = offers.templates.find(({ uuid }) => uuid === request.template)?.disksMiB ?? [];
  const repositories = offers.repositories.map((repository) => {
    const holds = (word: string | null) => (word === null ? repository.isDefault : word === repository.uuid);
    const added = request.disks.flatMap((disk) => (holds(disk.repository) ? [disk.sizeMiB] : []));
    const used = [...(holds(request.repository) ? own : []), ...added].reduce((sum, size) => sum + size, 0);
    return { ...repository, freeMiB: repository.freeMiB === null ? null : repository.freeMiB - used };
  });
  return { ...offers, hosts, repositories };
}
