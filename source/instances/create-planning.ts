/**
 * What a plan must know of each kind of provider: what its requests take of a place, and what it settles. Pure, by what was
 * offered alone, so that the plan that is shown is the one that runs. A further kind is one more entry.
 */

import type { CheckOptions, Offers, Report } from "./create-check.ts";
import { ganetiPlanning } from "./create-plan-ganeti.ts";
import { libvirtPlanning } from "./create-plan-libvirt.ts";
import { xenPlanning } from "./create-plan-xen.ts";
import { xenServerPlanning } from "./create-plan-xenserver.ts";
import type { CreateProblem, CreateRequest, StaticNetwork } from "./create-types.ts";
import type { ProviderName } from "./types.ts";

/** Asked for requests and offers of its own kind alone. */
export interface Planning {
  /** Its requests bear a UUID of ours. */
  readonly identified: boolean;
  /** What stands in the way, beside what is checked for all kinds. */
  check(request: CreateRequest, offers: Offers, options: CheckOptions, report: Report): void;
  /** MiB that the next instance could have. */
  freeMemory(offers: Offers): number;
  /** The offers as they are once the request is made; names and cards are counted for all kinds. */
  without(offers: Offers, request: CreateRequest): Offers;
  /** Addresses that the place knows to be taken. */
  addresses(offers: Offers): readonly string[];
  /**
   * What the request leaves to the host, settled by what that offers (null: another kind's); `network` is the address that
   * the instance is given.
   */
  settle(request: CreateRequest, offers: Offers | null, network: StaticNetwork | null): CreateRequest;
  /** Where it will run, as far as that is known: empty. */
  where(request: CreateRequest, offers: Offers | null): string;
  /** What several instances made so would have to share. */
  shared(template: Omit<CreateRequest, "name">): CreateProblem[];
  /** Every file of the host whose presence matters, those among them that must not be there yet. */
  files(request: CreateRequest): string[];
}

const kinds: Readonly<Record<ProviderName, Planning>> = {
  ganeti: ganetiPlanning,
  libvirt: libvirtPlanning,
  xen: xenPlanning,
  xenserver: xenServerPlanning,
};

/** By the kind that a request, its template or the offers of a place name. */
export function planningOf({ provider }: { provider: ProviderName }): Planning {
  return kinds[provider];
}
