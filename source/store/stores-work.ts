/** Pools, volumes and networks for the screen: read while somebody looks, changed by one action after another. */
import { toVirtuError } from "../errors.ts";
import type { StoreAction } from "../instances/stores-types.ts";
import type { Provider } from "../instances/types.ts";
import type { KnownEvent } from "./known.ts";
import { Looking } from "./looking.ts";
import type { Workspace } from "./workspace.ts";

/** Milliseconds between two looks round while somebody looks; each place is asked at its own pace. */
const lookEveryMs = 15_000;

export class StoresWork {
  private readonly abort = new AbortController();
  private readonly looking = new Looking(() => this.refreshDue(), lookEveryMs);

  constructor(private readonly workspace: Workspace) {}

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  /** The providers that have storage and networks to look after, by host. */
  providers(): readonly Provider[] {
    const found = this.workspace.inventory.providers().filter(({ stores }) => stores);
    return found.sort((one, other) => (one.attachment.host.name < other.attachment.host.name ? -1 : 1));
  }

  /** Somebody looks: all of it is read now, and now and then again. Call what it returns to stop. */
  watch(): () => void {
    return this.looking.watch();
  }

  /** Reads the places whose answer is old enough; never rejects. */
  private async refreshDue(): Promise<void> {
    const now = this.workspace.clock();
    const due = this.providers().filter(({ place, stores }) => {
      const at = this.workspace.state.stores[place]?.at ?? null;
      return stores && (at === null || now - at >= stores.everyMs - lookEveryMs / 2);
    });
    await this.refresh(due.map(({ place }) => place));
  }

  /** Reads these places (default all) now; never rejects. */
  async refresh(places?: readonly string[]): Promise<void> {
    const wanted = this.providers().filter(({ place }) => places?.includes(place) ?? true);
    await Promise.all(wanted.map((provider) => this.read(provider)));
    this.workspace.store.flush();
  }

  private async read({ place, stores }: Provider): Promise<void> {
    if (!stores) return;
    this.dispatch({ type: "stores", place, change: { loading: true } });
    try {
      const value = await stores.list({ signal: this.abort.signal, priority: "user" });
      const at = this.workspace.clock();
      this.dispatch({ type: "stores", place, change: { value, at, loading: false, error: null } });
    } catch (thrown) {
      this.dispatch({ type: "stores", place, change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  private provider(place: string): Provider | undefined {
    return this.providers().find((one) => one.place === place);
  }

  /** Null, or why that can't or must not be done, by what was read last. */
  refuses(place: string, action: StoreAction): string | null {
    const view = this.workspace.state.stores[place]?.value;
    const stores = this.provider(place)?.stores;
    return view && stores ? stores.refuses(action, view) : "the host has not said yet what it has";
  }

  preview(place: string, action: StoreAction): string[] {
    return this.provider(place)?.stores?.preview(action) ?? [];
  }

  /** Does it and reads anew. True when it was done; what went wrong is said. */
  async act(place: string, action: StoreAction): Promise<boolean> {
    const provider = this.provider(place);
    if (!provider?.stores) return false;
    const host = provider.attachment.host.name;
    const about = "pool" in action ? action.pool : action.network;
    const what = `${action.do.replace("-", " ")} ${"volume" in action ? `${about}/${action.volume}` : about}`;
    try {
      const outcome = await provider.stores.act(action, { signal: this.abort.signal, priority: "user" });
      const text = outcome.ok ? `${what}: done` : `${what} failed: ${outcome.error}`;
      this.workspace.log(outcome.ok ? "info" : "error", host, text);
      this.workspace.notify(outcome.ok ? "good" : "bad", `${host}: ${text}`);
      return outcome.ok;
    } catch (thrown) {
      this.workspace.failed(thrown);
      return false;
    } finally {
      await this.refresh([place]);
    }
  }

  end(): void {
    this.abort.abort();
    this.looking.end();
  }
}
