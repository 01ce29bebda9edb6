/** What is known of ways from nothing to instances: the list from the journals, and those that this virtu carries. */
import type { VirtuError } from "../errors.ts";
import type { WaySummary } from "../journey/up.ts";
import type { StageId, WayView } from "../journey/up-types.ts";
import { type Loaded, nothing } from "./loaded.ts";

export interface WaysKnown {
  /** From the journals, newest first. */
  list: Loaded<readonly WaySummary[]>;
  /** Ways that this virtu carries or has carried, by id. */
  views: Readonly<Record<string, WayView>>;
  /** What a way says now, and of which of its stages. */
  saying: Readonly<Record<string, { stage: StageId; text: string }>>;
  /** Root's password that a way has made; on the screen alone, and only until it is closed. */
  passwords: Readonly<Record<string, string>>;
  /** Why a way can't be carried on or taken back, by its id. */
  errors: Readonly<Record<string, VirtuError>>;
  /** A way is being started. */
  starting: boolean;
  /** Why the last one could not be started. */
  startError: VirtuError | null;
}

export type WaysEvent =
  | { type: "ways"; change: Partial<Loaded<readonly WaySummary[]>> }
  | { type: "way"; view: WayView }
  | { type: "way-says"; id: string; stage: StageId; text: string }
  | { type: "way-password"; id: string; password: string }
  | { type: "way-error"; id: string; error: VirtuError | null }
  | { type: "way-start"; starting: boolean; error: VirtuError | null };

export const noWays: WaysKnown = {
  list: nothing([]),
  views: {},
  saying: {},
  passwords: {},
  errors: {},
  starting: false,
  startError: null,
};

export function reduceWays(ways: WaysKnown, event: WaysEvent): WaysKnown {
  switch (event.type) {
    case "ways":
      return { ...ways, list: { ...ways.list, ...event.change } };
    case "way":
      return { ...ways, views: { ...ways.views, [event.view.id]: event.view } };
    case "way-says": {
      const { id, stage, text } = event;
      return { ...ways, saying: { ...ways.saying, [id]: { stage, text } } };
    }
    case "way-password":
      return { ...ways, passwords: { ...ways.passwords, [event.id]: event.password } };
    case "way-error": {
      const { [event.id]: _, ...errors } = ways.errors;
      return { ...ways, errors: event.error ? { ...errors, [event.id]: event.error } : errors };
    }
    case "way-start":
      return { ...ways, starting: event.starting, startError: event.error };
  }
}

/** A way by its id: what is carried here is newer than its journal's summary. */
export function wayOf({ views, list }: WaysKnown, id: string): WayView | null {
  return views[id] ?? list.value.find(({ view }) => view.id === id)?.view ?? null;
}
