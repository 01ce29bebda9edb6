/** What is known of the storage and networks of hosts. Pure. */
import type { StoreView } from "../instances/stores-types.ts";
import { type Loaded, nothing } from "./loaded.ts";

export type StoresKnown = Readonly<Record<string, Loaded<StoreView | null>>>;

export type StoresEvent = { type: "stores"; place: string; change: Partial<Loaded<StoreView | null>> };

export function reduceStores(state: StoresKnown, { place, change }: StoresEvent): StoresKnown {
  return { ...state, [place]: { ...(state[place] ?? nothing<StoreView | null>(null)), ...change } };
}
