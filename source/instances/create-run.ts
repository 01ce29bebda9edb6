/** Carries a plan out: a few instances at once on each host, each on its own. One that fails leaves the others alone. */
import { toVirtuError } from "../errors.ts";
import { Limiter } from "../ssh/limiter.ts";
import type { Pool } from "../ssh/types.ts";
import { createInstance } from "./create.ts";
import type { Offers } from "./create-check.ts";
import { type MakerOptions, makerOf } from "./create-maker.ts";
import type { CreatePlace } from "./create-plan.ts";
import { awaitReady } from "./create-ready.ts";
import type { CreateEvent, CreateOutcome, CreatePlan, CreateRow, ReadyWanted } from "./create-types.ts";
import type { Provider } from "./types.ts";

/** A provider with what it offers. */
export interface ProviderPlace extends CreatePlace {
  provider: Provider;
  /** Instances at once there, where nobody says how many. */
  parallel: number;
}

/** Puts a provider and its offers together for a plan. */
export async function placeOf(provider: Provider, offers: Offers): Promise<ProviderPlace> {
  const maker = await makerOf(provider);
  const host = provider.attachment.host.name;
  return { host, provider, offers, parallel: maker.parallel, lines: (request) => maker.lines(request, offers) };
}

export interface RunCreateOptions {
  pool: Pool;
  places: readonly ProviderPlace[];
  ready: ReadyWanted | null;
  /** Instances at once on each host or cluster (default: as each place has it). */
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
      const lanes = options.parallel ?? place.parallel;
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
  turn: MakerOptions["turn"],
): Promise<CreateOutcome> {
  const { pool, signal, onEvent, ready } = options;
  const { name, host, request } = row;
  if (signal?.aborted) return notMade(row, "cancelled before it began");
  const began = performance.now();
  try {
    const { offers, provider } = place;
    const outcome = await createInstance(provider, request, { pool, signal, onEvent, turn, offers });
    outcome.address ??= row.address;
    if (!outcome.ok || ready === null || !request.start) return outcome;
    const found = await awaitReady(provider, request, ready, {
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
