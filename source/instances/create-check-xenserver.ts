/** The checks of a request for a pool of XenServer: template, repositories with their room, networks, memory, media. */
import { meantOf, type OfferedRepository, type XeNamed, type XenServerOffers } from "../tools/xe-offers.ts";
import type { CheckOptions, Report } from "./create-check.ts";
import type { XenServerRequest } from "./create-types.ts";

/** What is meant, or null with the problem reported. */
function known<T extends XeNamed>(field: string, what: string, all: readonly T[], word: string, report: Report) {
  const found = meantOf(all, word);
  if (found === "several") report.add(field, `several ${what} of the pool are called ${word}: give the UUID`);
  else if (found === null) report.add(field, `the pool has no ${what.replace(/ies$/, "y").replace(/s$/, "")} ${word}`);
  return found === "several" ? null : found;
}

export function checkXenServer(
  request: XenServerRequest,
  offers: XenServerOffers,
  options: CheckOptions,
  report: Report,
): void {
  const { memoryMiB, start, iso, location, nics } = request;
  const usable = offers.hosts.filter((host) => host.usable);
  const best = Math.max(0, ...usable.map(({ memoryFreeMiB }) => memoryFreeMiB ?? 0));
  if (start && !options.overcommit && usable.every(({ memoryFreeMiB: free }) => free !== null && free < memoryMiB)) {
    report.add("memory", `no host of the pool has room for ${memoryMiB} MiB: the most that is free is ${best} MiB`);
  }
  if (iso !== null && !offers.isos.includes(iso)) report.add("iso", `no ISO library of the pool has ${iso}`);
  if (iso !== null && location !== null)
    report.add("location", "it installs from an ISO image or from a tree, not both");
  (nics ?? []).forEach(({ network, link }, index) => {
    const field = `nics.${index}`;
    if (link !== null) report.add(field, "a card is on a network of the pool, which has the bridge");
    else if (network === null) report.add(field, "the pool has no network");
    else known(field, "networks", offers.networks, network, report);
  });
  checkDisks(request, offers, options, report);
}

function checkDisks(
  request: XenServerRequest,
  offers: XenServerOffers,
  { overcommit }: CheckOptions,
  report: Report,
): void {
  const template = known("template", "templates", offers.templates, request.template, report);
  const usual = offers.repositories.find(({ isDefault }) => isDefault) ?? null;
  const taken = new Map<string, number>();
  const room = (field: string, repository: OfferedRepository, sizeMiB: number) => {
    const before = taken.get(repository.uuid) ?? 0;
    taken.set(repository.uuid, before + sizeMiB);
    const { freeMiB, name } = repository;
    if (!overcommit && freeMiB !== null && before + sizeMiB > freeMiB) {
      const what = before === 0 ? `${sizeMiB}` : `${before} + ${sizeMiB}`;
      report.add(field, `${name} has ${freeMiB} MiB free, ${what} are wanted`);
    }
  };
  const repositoryOf = (field: string, word: string | null): OfferedRepository | null => {
    if (word !== null) return known(field, "storage repositories", offers.repositories, word, report);
    if (usual === null) report.add(field, "the pool has no default storage repository: name one");
    return usual;
  };
  const own = template?.disksMiB ?? [];
  if (request.repository !== null || own.length > 0) {
    const repository = repositoryOf("repository", request.repository);
    for (const size of own) if (repository) room("repository", repository, size);
  }
  request.disks.forEach(({ sizeMiB, repository: word }, index) => {
    const field = `disks.${index}`;
    if (!(sizeMiB >= 1)) report.add(`${field}.size`, "a disk has at least 1 MiB");
    const repository = repositoryOf(field, word);
    if (repository) room(field, repository, sizeMiB);
  });
}
