/** Follows what providers tell of changes: one stream for each place, opened again after a loss, and a wish to read anew after news. */
import { toVirtuError } from "../errors.ts";
import { pause } from "../waiting.ts";
import type { Provider, ProviderEvent } from "./types.ts";

/** News within so many milliseconds lead to one reading: an action of a host tells several things at once. */
const gatherMs = 150;
const firstWaitMs = 1000;
const longestWaitMs = 60_000;

export interface WatchingSurroundings {
  onEvent: (provider: Provider, event: ProviderEvent) => void;
  /** What is known of this place is older than what happened there. */
  onStale: (provider: Provider) => void;
}

interface Followed {
  provider: Provider;
  abort: AbortController;
  live: boolean;
  timer: NodeJS.Timeout | null;
}

export class Watching {
  private readonly followed = new Map<string, Followed>();

  constructor(private readonly around: WatchingSurroundings) {}

  /** Follows exactly these from now on; those that have no events are left out. */
  follow(providers: readonly Provider[]): void {
    const wanted = new Map(providers.map((provider) => [provider.place, provider]));
    for (const [place, one] of this.followed) {
      if (wanted.get(place) !== one.provider) this.forget(place, one);
    }
    for (const [place, provider] of wanted) {
      if (!provider.watch || this.followed.has(place)) continue;
      const one: Followed = { provider, abort: new AbortController(), live: false, timer: null };
      this.followed.set(place, one);
      void this.carry(one);
    }
  }

  /** News of this place arrive now. */
  isLive(place: string): boolean {
    return this.followed.get(place)?.live ?? false;
  }

  stop(): void {
    for (const [place, one] of this.followed) this.forget(place, one);
  }

  private forget(place: string, one: Followed): void {
    one.abort.abort();
    if (one.timer) clearTimeout(one.timer);
    this.followed.delete(place);
  }

  private async carry(one: Followed): Promise<void> {
    const { signal } = one.abort;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await one.provider.watch?.({
          signal,
          onReady: () => {
            one.live = true;
            failures = 0;
            // Between the last reading and now anything can have happened.
            this.stale(one);
          },
          onEvent: (event) => {
            this.around.onEvent(one.provider, event);
            if (event.changes) this.stale(one);
          },
        });
      } catch (thrown) {
        // Refused for good (too old a program, no right): the polling is enough, and it stays at its pace.
        const { kind } = toVirtuError(thrown);
        if (kind !== "connection" && kind !== "timeout" && kind !== "failed") break;
      }
      one.live = false;
      if (signal.aborted) return;
      this.stale(one);
      failures += 1;
      await pause(Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs), signal).catch(() => undefined);
    }
    one.live = false;
  }

  private stale(one: Followed): void {
    if (one.abort.signal.aborted || one.timer) return;
    one.timer = setTimeout(() => {
      one.timer = null;
      this.around.onStale(one.provider);
    }, gatherMs);
  }
}
