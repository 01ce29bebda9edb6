/** Makes one instance where a provider was found, whatever its kind, and says how it ended. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import type { Offers } from "./create-check.ts";
import { type MakerOptions, makerOf } from "./create-maker.ts";
import type { CreateEvent, CreateOutcome, CreateRequest } from "./create-types.ts";
import type { Provider } from "./types.ts";

export interface CreateOptions {
  pool: Pool;
  signal?: AbortSignal;
  onEvent?: (event: CreateEvent) => void;
  /** One at a time on a host's storage, where several are made there. */
  turn?: MakerOptions["turn"];
  /** First pause before a host is asked again (default 1000 ms). */
  retryMs?: number;
  /** What the place offered, where it was asked. */
  offers?: Offers;
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
  if (request.provider !== provider.name) {
    const why = `it is described for ${request.provider}`;
    throw new VirtuError({ kind: "usage", what: `${name} can't be made by ${provider.name}`, where: host, why });
  }
  const { onEvent, ...more } = options;
  const maker = await makerOf(provider);
  const made = await maker.make(request, {
    ...more,
    onStep: (step, text, how) => onEvent?.({ name, host, step, text, ...how }),
  });
  const outcome: CreateOutcome = {
    ...{ name, host, provider: provider.name, ok: made.ok, ready: null, node: made.node },
    ...{ address: addressOf(request), job: made.job, notes: made.notes, error: made.error, detail: made.detail },
    ...{ cleanedUp: made.cleanedUp, leftBehind: made.leftBehind },
    seconds: (performance.now() - began) / 1000,
  };
  options.onEvent?.({ name, host, step: made.ok ? "done" : "failed", text: made.error ?? "made" });
  return outcome;
}

/** The address that a request gives its instance, without a prefix length. */
export function addressOf(request: CreateRequest): string | null {
  const ip = request.nics?.find((nic) => nic.ip !== null)?.ip ?? null;
  return ip?.replace(/\/\d+$/, "") ?? null;
}
