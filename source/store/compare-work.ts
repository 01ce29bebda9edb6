/** Compares tools for the screen: plans, carries one comparison at a time, takes back, cleans up, writes files. */
import { toVirtuError } from "../errors.ts";
import { notGone } from "../journey/compare-model.ts";
import type { ComparisonWish } from "../journey/compare-plan.ts";
import type { ComparisonView } from "../journey/compare-types.ts";
import { count } from "../text.ts";
import { leftComparisons } from "./compare-known.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent } from "./known.ts";
import type { Workspace } from "./workspace.ts";

export class CompareWork {
  private readonly abort = new AbortController();
  private run: AbortController | null = null;
  private planning: AbortController | null = null;
  /** The comparison or cleaning under way, to its end. */
  private ending: Promise<void> = Promise.resolve();
  private told = false;

  constructor(
    private readonly workspace: Workspace,
    private readonly journeys: Journeys,
  ) {}

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  /** Reads what is kept; says once what an earlier virtu has left. Never rejects. */
  async refresh(): Promise<void> {
    this.dispatch({ type: "comparisons", change: { loading: true } });
    try {
      const value = await this.journeys.listComparisons(this.workspace.context);
      const at = this.workspace.clock();
      this.dispatch({ type: "comparisons", change: { value, at, loading: false, error: null } });
      const left = leftComparisons(this.workspace.state.comparisons).filter(({ state }) => state === "interrupted");
      if (this.told || left.length === 0 || this.abort.signal.aborted) return;
      this.told = true;
      const instances = count(left.flatMap(notGone).length, "instance");
      this.workspace.notify("warning", `A comparison was broken off: ${instances} may be left. See Compare tools.`);
    } catch (thrown) {
      this.dispatch({ type: "comparisons", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Asks the places; what comes of it is in the known plan. Another question ends this one. */
  async plan(wish: ComparisonWish): Promise<void> {
    this.planning?.abort();
    const planning = new AbortController();
    this.planning = planning;
    this.dispatch({ type: "comparison-plan", change: { value: null, loading: true, error: null } });
    this.workspace.store.flush();
    try {
      const signal = AbortSignal.any([planning.signal, this.abort.signal]);
      const value = await this.journeys.planComparison(this.workspace.context, wish, signal);
      if (planning.signal.aborted) return;
      this.dispatch({ type: "comparison-plan", change: { value, at: this.workspace.clock(), loading: false } });
    } catch (thrown) {
      if (planning.signal.aborted) return;
      this.dispatch({ type: "comparison-plan", change: { loading: false, error: toVirtuError(thrown) } });
    }
    this.workspace.store.flush();
  }

  /** Carries the plan; its id, or null while another is under way or there is none. */
  start(): string | null {
    const { plan, running } = this.workspace.state.comparisons;
    if (running !== null || plan.value === null) return null;
    const { value } = plan;
    this.dispatch({ type: "comparison-plan", change: { value: null } });
    this.carry(value.id, "The comparison is done, and all that it made is gone.", (run, onView) =>
      this.journeys.carryComparison(this.workspace.context, value, { signal: run.signal, onView }),
    );
    return value.id;
  }

  /** Takes away what one has left. */
  clean(id: string): void {
    if (this.workspace.state.comparisons.running !== null) return;
    this.carry(id, "All that the comparison had left is gone.", (run, onView) =>
      this.journeys.cleanComparison(this.workspace.context, id, { signal: run.signal, onView }),
    );
  }

  private carry(
    id: string,
    good: string,
    work: (run: AbortController, onView: (view: ComparisonView) => void) => Promise<ComparisonView>,
  ): void {
    const run = new AbortController();
    this.run = run;
    this.dispatch({ type: "comparing", id });
    this.workspace.store.flush();
    this.ending = (async () => {
      try {
        const view = await work(run, (now) => this.dispatch({ type: "comparison", view: now }));
        this.dispatch({ type: "comparison", view });
        this.tell(view, run.signal.aborted ? "Taken back: all that it made is gone." : good);
      } catch (thrown) {
        if (!this.abort.signal.aborted) this.workspace.failed(thrown);
      }
      this.run = null;
      this.dispatch({ type: "comparing", id: null });
      await this.refresh();
      const { inventory } = this.workspace;
      if (!this.abort.signal.aborted) void inventory.refresh();
    })();
  }

  private tell(view: ComparisonView, good: string): void {
    if (this.abort.signal.aborted) return;
    const left = notGone(view).length;
    if (left > 0) this.workspace.notify("bad", `${count(left, "instance")} of the comparison could not be taken away.`);
    else this.workspace.notify("good", good);
  }

  /** Ends the phases of the one under way; what it made is taken away. */
  cancel(): void {
    this.run?.abort();
  }

  /** What is under way is taken back; resolves when all that it made is gone, or is written down as left. */
  async end(): Promise<void> {
    this.abort.abort();
    this.cancel();
    await this.ending;
  }
}
