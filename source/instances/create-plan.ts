/**
 * Many instances at once: names by a pattern, addresses from a range, spread over hosts by what is free there. The plan is
 * data: it is shown before it runs, with everything that stands in its way. Pure.
 */
import { addressOfMac, macOf, rangeOf, siteNetwork, usableAddresses } from "../tools/subnet-addresses.ts";
import { checkCreate, type Offers } from "./create-check.ts";
import { planningOf } from "./create-planning.ts";
import type { CommandLine, CreatePlan, CreateProblem, CreateRequest, CreateRow, NicRequest } from "./create-types.ts";

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

/** MiB that the next instance could have on a place. */
const freeMemory = (offers: Offers): number => planningOf(offers).freeMemory(offers);

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

/** Every file of the host whose presence matters to a request, those among them that must not be there yet. */
export function filesOf(request: CreateRequest): string[] {
  return [...new Set(planningOf(request).files(request))];
}

/** The offers as they are once the request is made: its name and cards are taken, its memory and room are gone. */
function without(offers: Offers, request: CreateRequest): Offers {
  if (offers.provider !== request.provider) return offers;
  const macs = [...offers.macs, ...(request.nics ?? []).flatMap(({ mac }) => mac?.toLowerCase() ?? [])];
  return { ...planningOf(offers).without(offers, request), macs, names: [...offers.names, request.name] };
}

function addressesFor({ addresses, count }: CreateBatch, places: readonly CreatePlace[]): (string | null)[] {
  if (addresses === null) return Array.from({ length: count }, () => null);
  // libvirt knows no addresses of its instances; by the rule their cards tell them.
  const known = places.flatMap(({ offers }) => [
    ...planningOf(offers).addresses(offers),
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
  { template, addresses }: CreateBatch,
  name: string,
  address: string | null,
  uuid: string,
  offers: Offers | null,
): CreateRequest {
  const withCard = (nics: readonly NicRequest[] | null): readonly NicRequest[] | null => {
    if (address === null) return nics;
    const [first = { network: null, link: null, mac: null, ip: null }, ...others] = nics ?? [];
    return [{ ...first, ip: address, mac: first.mac ?? macOf(address) }, ...others];
  };
  const planning = planningOf(template);
  const identity = planning.identified ? { name, uuid } : { name };
  const request = { ...template, ...identity, nics: withCard(template.nics) } as CreateRequest;
  const site = address === null ? null : siteNetwork(address);
  const length = addresses?.prefixLength ?? site?.prefixLength ?? 24;
  const gateway = addresses?.gateway ?? site?.gateway ?? null;
  const network = address === null ? null : { address: `${address}/${length}`, gateway, dns: addresses?.dns ?? [] };
  return planning.settle(request, offers, network);
}

/** Problems of the batch itself, before any host is asked. */
export function checkBatch(batch: CreateBatch): CreateProblem[] {
  const problems: CreateProblem[] = [];
  const { addresses, count } = batch;
  if (!Number.isInteger(count) || count < 1 || count > 1000) problems.push({ field: "count", text: "1 to 1000" });
  if (addresses !== null && rangeOf(addresses.range) === null) {
    problems.push({ field: "addresses", text: `"${addresses.range}" is neither 10.0.0.0/22 nor 10.0.0.5-10.0.0.40` });
  }
  if (count > 1) problems.push(...planningOf(batch.template).shared(batch.template));
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
    // A place of another kind is refused by the check.
    const own = best.offers.provider === batch.template.provider ? best.offers : null;
    const address = addresses[index] ?? null;
    const request = requestFor(batch, name, address, uuid(), own);
    const problems = checkCreate(request, best.offers, { overcommit: batch.overcommit });
    // A name is taken wherever it is: two hosts with one name each are a trap of their own.
    const elsewhere = places.find(({ host, offers }) => host !== best.place.host && offers.names.includes(name));
    if (elsewhere) problems.push({ field: "name", text: `there is a ${name} on ${elsewhere.host}` });
    if (batch.addresses !== null && address === null) {
      problems.push({ field: "addresses", text: `${batch.addresses.range} has no free address left` });
    }
    const row: CreateRow = {
      ...{ name, host: best.place.host, provider: request.provider, request },
      where: planningOf(request).where(request, own),
      ...{ address, commands: best.place.lines(request), problems },
    };
    best.offers = without(best.offers, request);
    return row;
  });
  return { rows };
}
