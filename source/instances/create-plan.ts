/**
 * Many instances at once: names by a pattern, addresses from a range, spread over hosts by what is free there. The plan is
 * data: it is shown before it runs, with everything that stands in its way. Pure.
 */
import { addressOfMac, macOf, rangeOf, siteNetwork, usableAddresses } from "../tools/subnet-addresses.ts";
import { checkCreate, type Offers } from "./create-check.ts";
import { withoutXen, withoutXenServer } from "./create-ledger.ts";
import { resolveXen, resolveXenServer } from "./create-resolve.ts";
import type { CommandLine, CreatePlan, CreateProblem, CreateRequest, CreateRow } from "./create-types.ts";

/** What an instance is to be, without what tells it from its neighbours. */
export type CreateTemplate<T extends CreateRequest = CreateRequest> = T extends CreateRequest
  ? Omit<T, "name" | "uuid">
  : never;

export interface AddressPlan {
  /** `10.144.0.0/22`, or `10.144.0.5-10.144.0.40`. */
  range: string;
  /** null: the site's, where it is one of Grid'5000's subnets. */
  prefixLength: number | null;
  gateway: string | null;
  dns: readonly string[];
  /** In use, beside what the hosts know. */
  taken: readonly string[];
}

export interface CreateBatch {
  template: CreateTemplate;
  /** `web-{n}`: {n} is the number, as wide as the last one; `{n:3}` is three digits wide. One instance needs none. */
  pattern: string;
  count: number;
  /** The first number. */
  from: number;
  addresses: AddressPlan | null;
  overcommit: boolean;
}

/** A host or cluster on which instances may be made. */
export interface CreatePlace {
  /** As the user named it. */
  host: string;
  offers: Offers;
  /** What would run for a request there. */
  lines: (request: CreateRequest) => CommandLine[];
}

/** The names of a batch. A pattern without a number gets one when there are several. */
export function namesOf({ pattern, count, from }: Pick<CreateBatch, "pattern" | "count" | "from">): string[] {
  const whole = count > 1 && !/\{n(?::\d+)?\}/.test(pattern) ? `${pattern}-{n}` : pattern;
  const width = String(from + count - 1).length;
  return Array.from({ length: count }, (_, index) =>
    whole.replaceAll(/\{n(?::(\d+))?\}/g, (_all, wanted?: string) =>
      String(from + index).padStart(Math.min(Number(wanted ?? width), 10), "0"),
    ),
  );
}

/** What is left to give on a place, once earlier instances of the plan are counted. */
function freeMemory(offers: Offers): number {
  if (offers.provider === "libvirt" || offers.provider === "xen") return offers.memoryFreeMiB ?? 0;
  if (offers.provider === "xenserver") {
    return Math.max(0, ...offers.hosts.filter(({ usable }) => usable).map((host) => host.memoryFreeMiB ?? 0));
  }
  return Math.max(0, ...offers.nodes.filter(({ usable }) => usable).map((node) => node.memoryFreeMiB ?? 0));
}

/** The offers as they are once the request is made: its name and cards are taken, its memory and room are gone. */
function without(offers: Offers, request: CreateRequest): Offers {
  const macs = [...offers.macs, ...(request.nics ?? []).flatMap(({ mac }) => mac?.toLowerCase() ?? [])];
  const names = [...offers.names, request.name];
  if (offers.provider === "libvirt" && request.provider === "libvirt") {
    const { media } = request;
    const copy = media.kind === "import" || media.kind === "cloud" ? media.copy : null;
    const image = media.kind === "import" || media.kind === "cloud" ? offers.files.get(media.image) : null;
    const copied = copy === null ? 0 : Math.max(copy.sizeMiB ?? 0, (image?.virtualBytes ?? 0) / 1024 ** 2);
    const pools = offers.pools.map((pool) => {
      const made = request.disks.flatMap((disk) =>
        disk.kind === "new" && disk.pool === pool.name ? [disk.sizeMiB] : [],
      );
      const used = made.reduce((sum, size) => sum + size, copy?.pool === pool.name ? Math.ceil(copied) : 0);
      return { ...pool, availableMiB: pool.availableMiB === null ? null : pool.availableMiB - used };
    });
    const memoryFreeMiB = offers.memoryFreeMiB === null ? null : offers.memoryFreeMiB - request.memoryMiB;
    return { ...offers, macs, names, pools, memoryFreeMiB };
  }
  if (offers.provider === "ganeti" && request.provider === "ganeti") {
    const { placement } = request;
    const ips = [...offers.ips, ...(request.nics ?? []).flatMap(({ ip }) => ip ?? [])];
    // Where the allocator puts it nobody knows beforehand: mostly on the node with the most memory.
    const most = freeMemory(offers);
    const target =
      placement.kind === "node"
        ? offers.nodes.find(({ name }) => name === placement.primary || name.startsWith(`${placement.primary}.`))
        : offers.nodes.find(({ usable, memoryFreeMiB }) => usable && memoryFreeMiB === most);
    const nodes = offers.nodes.map((node) =>
      node === target && node.memoryFreeMiB !== null
        ? { ...node, memoryFreeMiB: node.memoryFreeMiB - request.memoryMiB }
        : node,
    );
    return { ...offers, macs, names, ips, nodes };
  }
  if (offers.provider === "xen" && request.provider === "xen") {
    return { ...withoutXen(offers, request), macs, names };
  }
  if (offers.provider === "xenserver" && request.provider === "xenserver") {
    return { ...withoutXenServer(offers, request, freeMemory(offers)), macs, names };
  }
  return offers;
}

function addressesFor({ addresses, count }: CreateBatch, places: readonly CreatePlace[]): (string | null)[] {
  if (addresses === null) return Array.from({ length: count }, () => null);
  // libvirt knows no addresses of its instances; by the rule their cards tell them.
  const known = places.flatMap(({ offers }) => [
    ...(offers.provider === "ganeti" ? offers.ips : []),
    ...offers.macs.flatMap((mac) => addressOfMac(mac) ?? []),
  ]);
  const gateway = addresses.gateway ?? siteNetwork(addresses.range.split(/[/-]/)[0] ?? "")?.gateway;
  const taken = new Set([...known, ...addresses.taken, ...(gateway ? [gateway] : [])]);
  const found: (string | null)[] = usableAddresses(addresses.range, count, taken);
  while (found.length < count) found.push(null);
  return found;
}

/** The template with its name, and its address on the first card: its MAC address by the rule, cloud-init's network. */
function requestFor(
  batch: CreateBatch,
  name: string,
  address: string | null,
  uuid: string,
  offers: Offers,
): CreateRequest {
  const { template, addresses } = batch;
  const withCard = <T extends NonNullable<CreateRequest["nics"]>>(nics: T | null): T | null => {
    if (address === null) return nics;
    const [first = { network: null, link: null, mac: null, ip: null }, ...others] = nics ?? [];
    return [{ ...first, ip: address, mac: first.mac ?? macOf(address) }, ...others] as unknown as T;
  };
  if (template.provider === "ganeti") return { ...template, name, nics: withCard(template.nics) };
  if (template.provider === "xenserver") {
    const request = { ...template, name, uuid, nics: withCard(template.nics) };
    return offers.provider === "xenserver" ? resolveXenServer(request, offers) : request;
  }
  if (template.provider === "xen") {
    const request = { ...template, name, uuid, nics: withCard(template.nics) ?? [] };
    return offers.provider === "xen" ? resolveXen(request, offers) : request;
  }
  const nics = withCard(template.nics) ?? [];
  const { media } = template;
  if (media.kind !== "cloud") return { ...template, name, uuid, nics };
  const { cloudInit } = media;
  const site = address === null ? null : siteNetwork(address);
  const length = addresses?.prefixLength ?? site?.prefixLength ?? 24;
  const network =
    address === null
      ? cloudInit.network
      : {
          address: `${address}/${length}`,
          gateway: addresses?.gateway ?? site?.gateway ?? null,
          dns: addresses?.dns ?? [],
        };
  const hostname = cloudInit.hostname ?? name;
  return { ...template, name, uuid, nics, media: { ...media, cloudInit: { ...cloudInit, hostname, network } } };
}

function whereOf(request: CreateRequest, offers: Offers): string {
  if (request.provider !== "ganeti") return "";
  const { placement } = request;
  if (placement.kind === "node") return [placement.primary, placement.secondary].filter(Boolean).join(":");
  return `by ${placement.name ?? (offers.provider === "ganeti" ? offers.allocator : null) ?? "the allocator"}`;
}

/** Disks that are there already, or have a name: there is one of each, and several instances can't have it. */
function sharesDisks(template: CreateTemplate): boolean {
  if (template.provider === "libvirt") {
    return template.disks.some((disk) => disk.kind !== "new" || disk.volume !== null);
  }
  if (template.provider !== "xen") return false;
  return template.disks.some(
    (disk) => disk.kind === "path" || (disk.kind === "file" ? disk.path : disk.volume) !== null,
  );
}

/** Problems of the batch itself, before any host is asked. */
export function checkBatch(batch: CreateBatch): CreateProblem[] {
  const problems: CreateProblem[] = [];
  const { addresses, count } = batch;
  if (!Number.isInteger(count) || count < 1 || count > 1000) problems.push({ field: "count", text: "1 to 1000" });
  if (addresses !== null && rangeOf(addresses.range) === null) {
    problems.push({ field: "addresses", text: `"${addresses.range}" is neither 10.0.0.0/22 nor 10.0.0.5-10.0.0.40` });
  }
  if (count > 1 && sharesDisks(batch.template)) {
    problems.push({ field: "disks", text: "several instances can't share a disk: leave its name to be chosen" });
  }
  const media = batch.template.provider === "libvirt" ? batch.template.media : null;
  const image = media?.kind === "import" || media?.kind === "cloud" ? media : null;
  if (count > 1 && image !== null && (image.copy === null || image.copy.volume !== null)) {
    problems.push({ field: "media", text: "several instances need a copy of the image each, with a name of its own" });
  }
  return problems;
}

/**
 * One row for each instance, on the place with the most free memory at that point. `uuids` gives as many as are asked for,
 * so that the plan that was shown is the one that runs.
 */
export function planCreate(batch: CreateBatch, places: readonly CreatePlace[], uuid: () => string): CreatePlan {
  const ledger = places.map((place) => ({ place, offers: place.offers }));
  const addresses = addressesFor(batch, places);
  const rows = namesOf(batch).map((name, index): CreateRow => {
    const best = ledger.reduce((one, other) => (freeMemory(other.offers) > freeMemory(one.offers) ? other : one));
    const address = addresses[index] ?? null;
    const request = requestFor(batch, name, address, uuid(), best.offers);
    const problems = checkCreate(request, best.offers, { overcommit: batch.overcommit });
    // A name is taken wherever it is: two hosts with one name each are a trap of their own.
    const elsewhere = places.find(({ host, offers }) => host !== best.place.host && offers.names.includes(name));
    if (elsewhere) problems.push({ field: "name", text: `there is a ${name} on ${elsewhere.host}` });
    if (batch.addresses !== null && address === null) {
      problems.push({ field: "addresses", text: `${batch.addresses.range} has no free address left` });
    }
    const row: CreateRow = {
      ...{ name, host: best.place.host, provider: request.provider, request, where: whereOf(request, best.offers) },
      ...{ address, commands: best.place.lines(request), problems },
    };
    best.offers = without(best.offers, request);
    return row;
  });
  return { rows };
}
