/** Carries a plan out: a few instances at once on each host, each on its own. One that fails leaves the others alone. */
import { toVirtuError } from "../errors.ts";
import { Limiter } from "../ssh/limiter.ts";
import type { Pool } from "../ssh/types.ts";
import { addCommand } from "../tools/ganeti-create.ts";
import { createInstance } from "./create.ts";
import type { Offers } from "./create-check.ts";
import type { LibvirtPlace } from "./create-libvirt.ts";
import { libvirtSteps, stepLine } from "./create-libvirt-steps.ts";
import type { CreatePlace } from "./create-plan.ts";
import { awaitReady } from "./create-ready.ts";
import type {
  CommandLine,
  CreateEvent,
  CreateOutcome,
  CreatePlan,
  CreateRequest,
  CreateRow,
  ReadyWanted,
} from "./create-types.ts";
import { xenSteps } from "./create-xen.ts";
import { xeCreateLines } from "./create-xenserver.ts";
import { GanetiProvider } from "./ganeti.ts";
import type { Provider } from "./types.ts";
import { XenProvider } from "./xen.ts";
import { XenServerProvider } from "./xenserver.ts";

/** A provider with what it offers. */
export interface ProviderPlace extends CreatePlace {
  provider: Provider;
}

/** Puts a provider and its offers together for a plan. */
export function placeOf(provider: Provider, offers: Offers): ProviderPlace {
  const host = provider.attachment.host.name;
  return { host, provider, offers, lines: (request) => linesOf(provider, offers, request) };
}

function linesOf(provider: Provider, offers: Offers, request: CreateRequest): CommandLine[] {
  if (request.provider === "ganeti" && provider instanceof GanetiProvider && offers.provider === "ganeti") {
    const { target, command } = provider.describe((access) => addCommand(access, request, offers.version));
    return [{ host: target.name, line: command.line }];
  }
  if (request.provider === "libvirt" && offers.provider === "libvirt") {
    const { host, label } = provider.attachment;
    const { media } = request;
    const facts = media.kind === "import" || media.kind === "cloud" ? (offers.files.get(media.image) ?? null) : null;
    // Without its image it can't be made at all: its problem says so.
    if (facts === null && (media.kind === "cloud" || (media.kind === "import" && media.copy !== null))) return [];
    return libvirtSteps(label, request, facts).map((step) => ({ host: host.name, line: stepLine(step) }));
  }
  const host = provider.target.name;
  if (request.provider === "xen" && provider instanceof XenProvider) {
    return xenSteps(provider.access, request).map(({ command }) => ({ host, line: command.line }));
  }
  if (request.provider === "xenserver" && provider instanceof XenServerProvider) {
    return xeCreateLines(provider.access, request).map((line) => ({ host, line }));
  }
  return [];
}

export interface RunCreateOptions {
  pool: Pool;
  places: readonly ProviderPlace[];
  ready: ReadyWanted | null;
  /** Instances at once on each host or cluster (default 2 on a host, 4 on a cluster, whose jobs queue up anyway). */
  parallel?: number;
  signal?: AbortSignal;
  onEvent?: (event: CreateEvent) => void;
  onOutcome?: (outcome: CreateOutcome) => void;
}

/** The outcome of each row, in the plan's order. Never rejects: what went wrong is in the outcomes. */
export async function runCreate(plan: CreatePlan, options: RunCreateOptions): Promise<CreateOutcome[]> {
  const outcomes = new Map<CreateRow, CreateOutcome>();
  await Promise.all(
    options.places.map(async (place) => {
      const rows = plan.rows.filter(({ host }) => host === place.host);
      const lanes = options.parallel ?? (place.provider.name === "ganeti" ? 4 : 2);
      const next = rows[Symbol.iterator]();
      const storage = new Limiter(1);
      const turn = (signal?: AbortSignal) => storage.acquire(signal);
      const lane = async () => {
        for (const row of next) {
          const outcome = await makeRow(row, place, options, turn);
          outcomes.set(row, outcome);
          options.onOutcome?.(outcome);
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    }),
  );
  return plan.rows.flatMap((row) => outcomes.get(row) ?? []);
}

async function makeRow(
  row: CreateRow,
  place: ProviderPlace,
  options: RunCreateOptions,
  turn: LibvirtPlace["turn"],
): Promise<CreateOutcome> {
  const { pool, signal, onEvent, ready } = options;
  const { name, host, request } = row;
  if (signal?.aborted) return notMade(row, "cancelled before it began");
  const began = performance.now();
  try {
    const version = place.offers.provider === "ganeti" ? place.offers.version : null;
    const outcome = await createInstance(place.provider, request, { pool, signal, onEvent, turn, version });
    outcome.address ??= row.address;
    if (!outcome.ok || ready === null || !request.start) return outcome;
    const found = await awaitReady(place.provider, request, ready, {
      ...{ pool, signal, address: outcome.address },
      onText: (text) => onEvent?.({ name, host, step: "waiting", text }),
    });
    onEvent?.({ name, host, step: found.ready ? "done" : "failed", text: found.text });
    const seconds = (performance.now() - began) / 1000;
    const rest = found.ready
      ? { notes: [...outcome.notes, found.text] }
      : { error: `made, and not ready: ${found.text}` };
    return { ...outcome, ready: found.ready, address: found.address ?? outcome.address, seconds, ...rest };
  } catch (thrown) {
    const error = toVirtuError(thrown);
    return notMade(row, [error.what, error.why].filter(Boolean).join(": "));
  }
}

function notMade({ name, host, provider, address }: CreateRow, error: string): CreateOutcome {
  return {
    ...{ name, host, provider, address, ok: false, ready: null, node: null, job: null, notes: [], error, detail: null },
    ...{ cleanedUp: [], leftBehind: [], seconds: 0 },
  };
}
