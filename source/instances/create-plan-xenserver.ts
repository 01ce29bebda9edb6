/** What a plan must know of XenServer: UUIDs stand for the names of a request, so that it is the same whatever is renamed. Pure. */
import { meantOf, type XeNamed, type XenServerOffers } from "../tools/xe-offers.ts";
import { checkXenServer } from "./create-check-xenserver.ts";
import type { Planning } from "./create-planning.ts";
import type { XenServerRequest } from "./create-types.ts";

function freeMemory({ hosts }: XenServerOffers): number {
  return Math.max(0, ...hosts.filter(({ usable }) => usable).map((host) => host.memoryFreeMiB ?? 0));
}

function resolveXenServer(request: XenServerRequest, offers: XenServerOffers): XenServerRequest {
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

/** xapi chooses the host at the start: mostly the one with the most memory. */
function withoutXenServer(offers: XenServerOffers, request: XenServerRequest): XenServerOffers {
  const most = freeMemory(offers);
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

export const xenServerPlanning: Planning = {
  identified: true,
  check: checkXenServer,
  freeMemory,
  without: withoutXenServer,
  addresses: () => [],
  settle: (request: XenServerRequest, offers: XenServerOffers | null) =>
    offers ? resolveXenServer(request, offers) : request,
  where: () => "",
  shared: () => [],
  files: () => [],
};
