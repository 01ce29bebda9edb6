/** What is known of instances that are being made: what hosts offer, and how each of them goes. Pure. */
import type { Offers } from "../instances/create-check.ts";
import type { CreateEvent, CreateOutcome, CreatePlan } from "../instances/create-types.ts";
import { type Loaded, nothing } from "./loaded.ts";

/** One instance on its way. */
export interface MakingRow {
  name: string;
  host: string;
  where: string;
  /** The newest word of it; null: it waits for its turn. */
  event: CreateEvent | null;
  outcome: CreateOutcome | null;
}

/** Addresses that a job lends, as the file of an instance takes them. */
export interface LentAddresses {
  jobId: number;
  subnet: string;
  addresses: { range: string; prefix?: number; gateway?: string; dns?: string[] };
}

export interface MakingKnown {
  /** Of the site's running jobs. */
  lent: readonly LentAddresses[];
  /** By the provider's place. */
  offers: Readonly<Record<string, Loaded<Offers | null>>>;
  /** Of the newest making. */
  rows: readonly MakingRow[];
  /** Epoch milliseconds; null: nothing was made yet. */
  startedAt: number | null;
  running: boolean;
}

export const noMaking: MakingKnown = { lent: [], offers: {}, rows: [], startedAt: null, running: false };

export type MakingEvent =
  | { type: "offers"; place: string; change: Partial<Loaded<Offers | null>> }
  | { type: "lent"; lent: readonly LentAddresses[] }
  | { type: "making"; plan: CreatePlan; at: number }
  | { type: "making-event"; event: CreateEvent }
  | { type: "making-outcome"; outcome: CreateOutcome }
  | { type: "making-over" };

export function reduceMaking(state: MakingKnown, event: MakingEvent): MakingKnown {
  const change = (name: string, host: string, own: Partial<MakingRow>): MakingKnown => ({
    ...state,
    rows: state.rows.map((row) => (row.name === name && row.host === host ? { ...row, ...own } : row)),
  });
  switch (event.type) {
    case "offers": {
      const before = state.offers[event.place] ?? nothing<Offers | null>(null);
      return { ...state, offers: { ...state.offers, [event.place]: { ...before, ...event.change } } };
    }
    case "lent":
      return { ...state, lent: event.lent };
    case "making":
      return {
        ...state,
        rows: event.plan.rows.map(({ name, host, where }) => ({ name, host, where, event: null, outcome: null })),
        startedAt: event.at,
        running: true,
      };
    case "making-event":
      return change(event.event.name, event.event.host, { event: event.event });
    case "making-outcome":
      return change(event.outcome.name, event.outcome.host, { outcome: event.outcome });
    case "making-over":
      return { ...state, running: false };
  }
}
