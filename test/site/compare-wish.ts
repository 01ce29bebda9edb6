import { usualSizes } from "../../source/journey/compare-defaults.ts";
import type { ComparisonWish } from "../../source/journey/compare-plan.ts";

/** Everything as it is usual, on these hosts. */
export function wishFor(hosts: readonly string[], own: Partial<ComparisonWish> = {}): ComparisonWish {
  return {
    ...{ hosts: hosts.map((name) => ({ name })), on: [], also: [], uri: null, files: [], sizes: usualSizes },
    ...{ rounds: 1, count: 1, together: false, limitSeconds: 60, ready: null, ...own },
  };
}
