/** Asks a provider what it offers to new instances: one round trip. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { ganetiOffersCommand, parseGanetiOffers } from "../tools/ganeti-offers.ts";
import { offersCommand, parseOffers } from "../tools/libvirt-offers.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeOffers, xeOffersCommand } from "../tools/xe-offers.ts";
import { explainXl, nothingAnswers, storeHangs } from "../tools/xl-errors.ts";
import { parseXenOffers, xenOffersCommand } from "../tools/xl-offers.ts";
import type { Offers } from "./create-check.ts";
import { ask } from "./exec.ts";
import { GanetiProvider } from "./ganeti.ts";
import type { Provider } from "./types.ts";
import { XenProvider } from "./xen.ts";
import { XenServerProvider } from "./xenserver.ts";

export type { GanetiOffers, OfferedNode } from "../tools/ganeti-offers.ts";
export type { LibvirtOffers, OfferedNetwork, OfferedPool } from "../tools/libvirt-offers.ts";
export type { XenServerOffers } from "../tools/xe-offers.ts";
export { mountOf, type XenOffers } from "../tools/xl-offers.ts";

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
  if (provider instanceof XenProvider) return askXen(pool, provider, options);
  if (provider instanceof XenServerProvider) return askXenServer(pool, provider, options);
  if (provider.name !== "libvirt") {
    throw new VirtuError({ kind: "usage", what: `Nothing can be made on ${provider.name}`, where });
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

async function askXen(pool: Pool, xen: XenProvider, { signal, files = [] }: AskOffersOptions): Promise<Offers> {
  const command = xenOffersCommand(xen.access, files);
  const more = { priority: "user", timeoutMs: limitMs, signal } as const;
  const { stdout, stderr } = await ask(pool, xen.target, command, "asking what the host offers", more);
  const offers = parseXenOffers(stdout);
  if (offers !== null && !("failed" in offers)) return offers;
  const late = offers !== null && (offers.status === 124 || offers.status === 137);
  const silent = offers?.failed === "list" ? storeHangs : nothingAnswers;
  throw new VirtuError({
    ...{ kind: late ? "timeout" : "refused", what: "The host did not say what it offers", where: xen.target.name },
    ...(late ? silent : explainXl(stderr, offers?.status)),
    detail: stderr.trim() || undefined,
  });
}

async function askXenServer(pool: Pool, xenServer: XenServerProvider, { signal }: AskOffersOptions): Promise<Offers> {
  const command = xeOffersCommand(xenServer.access);
  const more = { priority: "user", timeoutMs: limitMs, signal } as const;
  const { stdout, stderr } = await ask(pool, xenServer.target, command, "asking what the pool offers", more);
  const offers = parseXeOffers(stdout);
  if (offers !== null) return offers;
  throw new VirtuError({
    ...{ kind: "refused", what: "The pool did not say what it offers", where: xenServer.target.name },
    ...explainXe(stderr),
    detail: stderr.trim() || undefined,
  });
}
