/** Asks a provider what it offers to new instances: one round trip. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { ganetiOffersCommand, parseGanetiOffers } from "../tools/ganeti-offers.ts";
import { offersCommand, parseOffers } from "../tools/libvirt-offers.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import type { Offers } from "./create-check.ts";
import { ask } from "./exec.ts";
import { GanetiProvider } from "./ganeti.ts";
import type { Provider } from "./types.ts";

export type { GanetiOffers, OfferedNode } from "../tools/ganeti-offers.ts";
export type { LibvirtOffers, OfferedNetwork, OfferedPool } from "../tools/libvirt-offers.ts";

/** `gnt-os list` is a job, virt-install is Python, and a loaded host takes its time. */
const limitMs = 90_000;

export interface AskOffersOptions {
  signal?: AbortSignal;
  /** Absolute paths on the host whose presence and kind are asked, too. */
  files?: readonly string[];
}

/** Rejects with a `VirtuError`: `usage` where nothing can be made through this provider, else why it gave no answer. */
export async function askOffers(pool: Pool, provider: Provider, options: AskOffersOptions = {}): Promise<Offers> {
  const { signal, files = [] } = options;
  const where = provider.attachment.host.name;
  if (provider instanceof GanetiProvider) {
    const { stdout, stderr } = await provider.run(ganetiOffersCommand, { timeoutMs: limitMs, signal });
    const offers = parseGanetiOffers(stdout);
    if (offers !== null) return offers;
    throw new VirtuError({
      ...{ kind: "refused", what: "The cluster did not say what it offers", where },
      ...explainGaneti(stderr),
      detail: stderr.trim() || undefined,
    });
  }
  if (provider.name !== "libvirt") {
    throw new VirtuError({ kind: "usage", what: `Nothing can be made on ${provider.name} yet`, where });
  }
  const { host, label } = provider.attachment;
  const command = offersCommand(label, files);
  const { stdout, stderr } = await ask(pool, host, command, "asking what the host offers", {
    ...{ priority: "user", timeoutMs: limitMs, signal },
  });
  const offers = parseOffers(stdout);
  if (offers !== null) return offers;
  throw new VirtuError({
    ...{ kind: "refused", what: "The host did not say what it offers", where },
    ...explainVirsh(stderr),
    detail: stderr.trim() || undefined,
  });
}
