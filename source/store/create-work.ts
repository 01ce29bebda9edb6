/** Makes instances for the screen: asks what hosts offer, carries a plan out, tells how each instance goes. */
import { toVirtuError } from "../errors.ts";
import type { ProviderPlace } from "../instances/create-run.ts";
import type { CreatePlan, ReadyWanted } from "../instances/create-types.ts";
import type { Provider } from "../instances/types.ts";
import { count } from "../text.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent } from "./known.ts";
import type { LentAddresses } from "./making-known.ts";
import type { Workspace } from "./workspace.ts";

export class CreateWork {
  private readonly abort = new AbortController();
  private run: AbortController | null = null;
  private readonly asking = new Map<string, string>();
  /** As they last answered. */
  private readonly places = new Map<string, ProviderPlace>();

  constructor(
    private readonly workspace: Workspace,
    private readonly journeys: Pick<Journeys, "jobAddresses">,
  ) {}

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  /** The providers on which instances can be made. */
  providers(): readonly Provider[] {
    return this.workspace.inventory.providers();
  }

  private provider(place: string): Provider | undefined {
    return this.providers().find((one) => one.place === place);
  }

  /** Asks a place what it offers, and whether it has these files; the same question is asked once. */
  async ask(place: string, files: readonly string[]): Promise<void> {
    const provider = this.provider(place);
    const question = JSON.stringify([...files].sort());
    if (!provider || this.asking.get(place) === question) return;
    this.asking.set(place, question);
    this.dispatch({ type: "offers", place, change: { loading: true } });
    try {
      const { pool } = this.workspace.context;
      const [{ askOffers }, { placeOf }] = await Promise.all([
        import("../instances/create-offers.ts"),
        import("../instances/create-run.ts"),
      ]);
      const value = await askOffers(pool, provider, { signal: this.abort.signal, files });
      const answered = await placeOf(provider, value);
      // A later question has more files in it: its answer is the one that counts.
      if (this.asking.get(place) !== question) return;
      this.places.set(place, answered);
      this.dispatch({
        type: "offers",
        place,
        change: { value, at: this.workspace.clock(), loading: false, error: null },
      });
    } catch (thrown) {
      if (this.asking.get(place) !== question) return;
      this.asking.delete(place);
      this.dispatch({ type: "offers", place, change: { loading: false, error: toVirtuError(thrown) } });
    }
    this.workspace.store.flush();
  }

  /** Asks which addresses the site's running jobs lend. A job that does not say lends none. Never rejects. */
  async askAddresses(): Promise<void> {
    const { site, jobs } = this.workspace.state;
    if (!site) return;
    const lent = await Promise.all(
      jobs.value.map(async ({ jobId, state, subnet }): Promise<LentAddresses[]> => {
        if (state !== "Running" || subnet === null) return [];
        try {
          const { signal } = this.abort;
          const found = await this.journeys.jobAddresses(this.workspace.context, site, jobId, { signal });
          const { range, prefixLength, gateway, dns } = found;
          const around = {
            ...(prefixLength === null ? {} : { prefix: prefixLength }),
            ...(gateway === null ? {} : { gateway }),
            ...(dns.length > 0 ? { dns: [...dns] } : {}),
          };
          return [{ jobId, subnet, addresses: { range, ...around } }];
        } catch {
          return [];
        }
      }),
    );
    this.dispatch({ type: "lent", lent: lent.flat() });
  }

  /** Asks anew: what was offered may be gone. */
  forget(place: string): void {
    this.asking.delete(place);
  }

  /** A provider with what it offers; null while nothing is known of it. */
  offered(place: string): ProviderPlace | null {
    const provider = this.provider(place);
    const answered = this.places.get(place);
    // The host may have been found anew since.
    return provider && answered ? { ...answered, provider } : null;
  }

  /** Carries a plan out. One at a time: false while another is under way. */
  start(plan: CreatePlan, places: readonly ProviderPlace[], ready: ReadyWanted | null): boolean {
    if (this.workspace.state.making.running) return false;
    this.dispatch({ type: "making", plan, at: this.workspace.clock() });
    this.workspace.store.flush();
    void this.carry(plan, places, ready);
    return true;
  }

  private async carry(plan: CreatePlan, places: readonly ProviderPlace[], ready: ReadyWanted | null): Promise<void> {
    const run = new AbortController();
    this.run = run;
    const { runCreate } = await import("../instances/create-run.ts");
    const outcomes = await runCreate(plan, {
      pool: this.workspace.context.pool,
      places,
      ready,
      signal: AbortSignal.any([run.signal, this.abort.signal]),
      onEvent: (event) => this.dispatch({ type: "making-event", event }),
      onOutcome: (outcome) => {
        const { host, name, ok, error } = outcome;
        this.workspace.log(ok ? "info" : "error", `${host}/${name}`, error ?? "made");
        this.dispatch({ type: "making-outcome", outcome });
      },
    });
    this.run = null;
    if (this.abort.signal.aborted) return;
    this.dispatch({ type: "making-over" });
    const bad = outcomes.filter(({ ok, error }) => !ok || error !== null).length;
    const made = count(outcomes.length - bad, "instance");
    this.workspace.notify(bad > 0 ? "warning" : "good", bad > 0 ? `${made} made, ${bad} failed.` : `${made} made.`);
    for (const { provider } of places) this.forget(provider.place);
    void this.workspace.inventory.refresh([...new Set(plan.rows.map(({ host }) => host))]);
  }

  /** Begins no more; what is under way is ended where that can be done, and cleaned up. */
  cancel(): void {
    this.run?.abort();
  }

  end(): void {
    this.abort.abort();
  }
}
