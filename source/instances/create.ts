/** Makes one instance where a provider was found, whatever its kind, and says how it ended. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { makeOnGaneti } from "./create-ganeti.ts";
import { type LibvirtPlace, type Made, type MakeOptions, makeOnLibvirt } from "./create-libvirt.ts";
import type { CreateEvent, CreateOutcome, CreateRequest } from "./create-types.ts";
import { makeOnXen } from "./create-xen.ts";
import { makeOnXenServer } from "./create-xenserver.ts";
import { GanetiProvider } from "./ganeti.ts";
import type { Provider } from "./types.ts";
import { XenProvider } from "./xen.ts";
import { XenServerProvider } from "./xenserver.ts";

export interface CreateOptions {
  pool: Pool;
  signal?: AbortSignal;
  onEvent?: (event: CreateEvent) => void;
  /** One at a time on a libvirt host's storage, where several are made there. */
  turn?: LibvirtPlace["turn"];
  /** First pause before a libvirt host is asked again (default 1000 ms). */
  retryMs?: number;
  /** Ganeti's version where it is known: `3.0.2`. */
  version?: string | null;
}

/**
 * Makes an instance. Never rejects for what the provider says or because it can't be reached: the outcome says what
 * failed, what was cleaned up after it and what could not be. Rejects for a request of another provider (`usage`).
 */
export async function createInstance(
  provider: Provider,
  request: CreateRequest,
  options: CreateOptions,
): Promise<CreateOutcome> {
  const began = performance.now();
  const host = provider.attachment.host.name;
  const { name } = request;
  const make: MakeOptions = {
    signal: options.signal,
    onStep: (step, text, more) => options.onEvent?.({ name, host, step, text, ...more }),
  };
  const made = await makeOn(provider, request, options, make);
  const outcome: CreateOutcome = {
    ...{ name, host, provider: provider.name, ok: made.ok, ready: null, node: made.node },
    ...{ address: addressOf(request), job: made.job, notes: made.notes, error: made.error, detail: made.detail },
    ...{ cleanedUp: made.cleanedUp, leftBehind: made.leftBehind },
    seconds: (performance.now() - began) / 1000,
  };
  options.onEvent?.({ name, host, step: made.ok ? "done" : "failed", text: made.error ?? "made" });
  return outcome;
}

function makeOn(provider: Provider, request: CreateRequest, options: CreateOptions, make: MakeOptions): Promise<Made> {
  if (request.provider === "ganeti" && provider instanceof GanetiProvider) {
    return makeOnGaneti(provider, request, options.version ?? null, make);
  }
  if (request.provider === "libvirt" && provider.name === "libvirt") {
    const { host, label } = provider.attachment;
    const { pool, turn, retryMs } = options;
    return makeOnLibvirt({ pool, host, uri: label, turn, retryMs }, request, make);
  }
  const { pool } = options;
  if (request.provider === "xen" && provider instanceof XenProvider) {
    return makeOnXen({ pool, host: provider.target, access: provider.access }, request, make);
  }
  if (request.provider === "xenserver" && provider instanceof XenServerProvider) {
    return makeOnXenServer({ pool, host: provider.target, access: provider.access }, request, make);
  }
  throw new VirtuError({
    kind: "usage",
    what: `${request.name} can't be made by ${provider.name}`,
    where: provider.attachment.host.name,
    why: `it is described for ${request.provider}`,
  });
}

/** The address that a request gives its instance, without a prefix length. */
export function addressOf(request: CreateRequest): string | null {
  const ip = request.nics?.find((nic) => nic.ip !== null)?.ip ?? null;
  return ip?.replace(/\/\d+$/, "") ?? null;
}
