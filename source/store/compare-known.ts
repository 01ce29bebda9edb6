/** What is known of comparisons of tools: those kept, the one that is planned, the one under way. Pure. */
import type { ComparisonSummary } from "../journey/compare.ts";
import { notGone } from "../journey/compare-model.ts";
import type { ComparisonPlan } from "../journey/compare-plan.ts";
import type { ComparisonView } from "../journey/compare-types.ts";
import { type Loaded, nothing } from "./loaded.ts";

export interface ComparisonsKnown {
  list: Loaded<readonly ComparisonSummary[]>;
  /** Those that were carried or cleaned up here, as they are now. */
  views: Readonly<Record<string, ComparisonView>>;
  plan: Loaded<ComparisonPlan | null>;
  /** Id of the one that this virtu carries or cleans up now. */
  running: string | null;
}

export const noComparisons: ComparisonsKnown = {
  list: nothing<readonly ComparisonSummary[]>([]),
  views: {},
  plan: nothing<ComparisonPlan | null>(null),
  running: null,
};

export type ComparisonsEvent =
  | { type: "comparisons"; change: Partial<ComparisonsKnown["list"]> }
  | { type: "comparison"; view: ComparisonView }
  | { type: "comparison-plan"; change: Partial<ComparisonsKnown["plan"]> }
  | { type: "comparing"; id: string | null };

export function reduceComparisons(state: ComparisonsKnown, event: ComparisonsEvent): ComparisonsKnown {
  switch (event.type) {
    case "comparisons":
      return { ...state, list: { ...state.list, ...event.change } };
    case "comparison":
      return { ...state, views: { ...state.views, [event.view.id]: event.view } };
    case "comparison-plan":
      return { ...state, plan: { ...state.plan, ...event.change } };
    case "comparing":
      return { ...state, running: event.id };
  }
}

/** A comparison as it is known best. */
export function comparisonOf({ views, list }: ComparisonsKnown, id: string): ComparisonView | null {
  return views[id] ?? list.value.find(({ view }) => view.id === id)?.view ?? null;
}

/** Newest first, as they are known best. `elsewhere`: the process that carries it, where that is another virtu. */
export function comparisonRows(state: ComparisonsKnown): { view: ComparisonView; elsewhere: number | null }[] {
  const listed = state.list.value.map(({ view, pid }) => ({
    view: comparisonOf(state, view.id) ?? view,
    elsewhere: state.running === view.id ? null : pid,
  }));
  const fresh = Object.values(state.views).filter(({ id }) => !listed.some(({ view }) => view.id === id));
  return [...fresh.map((view) => ({ view, elsewhere: null })), ...listed].sort(
    (one, other) => other.view.startedAt - one.view.startedAt,
  );
}

/** Comparisons that nobody carries and that may have left something. */
export function leftComparisons(state: ComparisonsKnown): ComparisonView[] {
  return comparisonRows(state)
    .filter(({ view, elsewhere }) => elsewhere === null && view.id !== state.running && notGone(view).length > 0)
    .map(({ view }) => view);
}
