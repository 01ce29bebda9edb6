/** Something that is fetched, and how that goes. */
import type { VirtuError } from "../errors.ts";

/** Something fetched: the last good value stays while it is fetched again or can't be. */
export interface Loaded<T> {
  value: T;
  /** Epoch milliseconds of the last good answer, or null. */
  at: number | null;
  loading: boolean;
  error: VirtuError | null;
}

export function nothing<T>(value: T): Loaded<T> {
  return { value, at: null, loading: false, error: null };
}
