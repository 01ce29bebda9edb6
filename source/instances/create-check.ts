/** What stands in the way of a request, field by field, by what the host offers. Pure: no question is asked here. */
import type { GanetiOffers } from "../tools/ganeti-offers.ts";
import type { LibvirtOffers } from "../tools/libvirt-offers.ts";
import type { XenServerOffers } from "../tools/xe-offers.ts";
import type { XenOffers } from "../tools/xl-offers.ts";
import { planningOf } from "./create-planning.ts";
import type { CreateProblem, CreateRequest, NicRequest } from "./create-types.ts";

export type Offers = GanetiOffers | LibvirtOffers | XenOffers | XenServerOffers;

export interface CheckOptions {
  /** Memory and room may be promised more than once. */
  overcommit?: boolean;
}

/** Every problem of the request there; empty when it can be made. */
export function checkCreate(request: CreateRequest, offers: Offers, options: CheckOptions = {}): CreateProblem[] {
  const report = new Report();
  if (request.provider !== offers.provider) {
    report.add("provider", `that host runs ${offers.provider}, this is for ${request.provider}`);
    return report.problems;
  }
  checkName(request.name, offers.names, report);
  if (!Number.isInteger(request.memoryMiB) || request.memoryMiB < 1)
    report.add("memory", "memory is a whole number of MiB");
  if (!Number.isInteger(request.vcpus) || request.vcpus < 1) report.add("vcpus", "an instance has at least one CPU");
  for (const [index, nic] of (request.nics ?? []).entries()) checkMac(nic, index, offers, report);
  planningOf(request).check(request, offers, options, report);
  return report.problems;
}

export class Report {
  readonly problems: CreateProblem[] = [];
  add(field: string, text: string): void {
    this.problems.push({ field, text });
  }
}

/** What all providers and their guests' files take: no slash, blank, quote or leading dash. */
function checkName(name: string, names: readonly string[], report: Report): void {
  if (name === "") report.add("name", "it needs a name");
  else if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)) {
    report.add("name", `"${name}": letters, digits, dots, dashes and underscores, and no dash or dot first`);
  } else if (names.includes(name)) report.add("name", `there is a ${name} already`);
}

function checkMac({ mac, link, network }: NicRequest, index: number, { macs }: Offers, report: Report): void {
  const field = `nics.${index}`;
  if (link !== null && network !== null) report.add(field, "a card is on a network or on a bridge, not on both");
  if (mac === null) return;
  if (!/^(?:[\da-f]{2}:){5}[\da-f]{2}$/i.test(mac)) report.add(`${field}.mac`, `"${mac}" is no MAC address`);
  else if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) {
    report.add(`${field}.mac`, `${mac} belongs to groups: its second digit must be even`);
  } else if (macs.includes(mac.toLowerCase())) report.add(`${field}.mac`, `${mac} is in use`);
}
