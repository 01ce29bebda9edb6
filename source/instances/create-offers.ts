/** Asks a provider what it offers to new instances: one round trip. */
import type { Pool } from "../ssh/types.ts";
import type { Offers } from "./create-check.ts";
import { type AskOffersOptions, makerOf } from "./create-maker.ts";
import type { Provider } from "./types.ts";

export type { GanetiOffers, OfferedNode } from "../tools/ganeti-offers.ts";
export type { LibvirtOffers, OfferedNetwork, OfferedPool } from "../tools/libvirt-offers.ts";
export type { XenServerOffers } from "../tools/xe-offers.ts";
export { mountOf, type XenOffers } from "../tools/xl-offers.ts";

/** Rejects with a `VirtuError`: `usage` where nothing can be made through this provider, else why it gave no answer. */
export async function askOffers(pool: Pool, provider: Provider, options: AskOffersOptions = {}): Promise<Offers> {
  const maker = await makerOf(provider);
  return maker.offers(pool, options);
}
