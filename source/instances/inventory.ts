/** Every instance of every host, kept current while somebody looks, and the actions on them. */
import { EventEmitter } from "node:events";
import type { HostRef } from "../ssh/types.ts";
import { ActionQueue } from "./action-queue.ts";
import { holds } from "./conditions.ts";
import { HostEntry, type PlaceRecord, type Surroundings } from "./host-entry.ts";
import { InventoryRows } from "./inventory-rows.ts";
import type {
  ActionItem,
  ActionRun,
  ActOptions,
  Found,
  Inventory,
  InventoryEvents,
  InventoryOptions,
  InventoryView,
  WatchOptions,
} from "./inventory-types.ts";
import { limitsOf } from "./limits.ts";
import { indexOf } from "./snapshot-index.ts";
import { previewOf, type Request, type RequestName } from "./target.ts";
import type { Provider, ProviderOptions, Status } from "./types.ts";
import { Watchers } from "./watchers.ts";
import { Watching } from "./watching.ts";
import type { Condition } from "./waves.ts";

export type * from "./inventory-types.ts";

export function createInventory(options: InventoryOptions): Inventory {
  return new HostInventory(options);
}

class HostInventory extends EventEmitter<InventoryEvents> implements Inventory {
  private readonly hosts = new Map<string, HostEntry>();
  private readonly named: HostRef[] = [];
  private readonly places = new Map<string, PlaceRecord>();
  /** The latest item of each instance, until the next action on it. */
  private readonly outcomes = new Map<string, ActionItem>();
  private readonly rows = new InventoryRows((key) => this.outcomes.get(key) ?? null);
  private readonly queue: ActionQueue;
  private readonly around: Surroundings;
  private readonly intervalMs: number;
  private readonly watchedIntervalMs: number;
  private readonly watching: Watching;
  private readonly watchers = new Watchers();
  private ended = false;
  private drawn: InventoryView | null = null;
  private telling = false;

  constructor(options: InventoryOptions) {
    super();
    this.intervalMs = options.intervalMs ?? 4000;
    this.watchedIntervalMs = Math.max(this.intervalMs, options.watchedIntervalMs ?? 30_000);
    this.watching = new Watching({
      onEvent: (provider, event) => {
        const { host } = provider.attachment;
        this.emit("event", { ...event, host: host.name, provider: provider.name, cluster: provider.cluster });
      },
      onStale: (provider) => {
        const entry = this.reaching(provider.place, null) ?? this.hosts.get(provider.attachment.host.name);
        if (entry && this.interval(entry) !== null) this.poll(entry, { fresh: true, follows: true });
      },
    });
    this.around = {
      pool: options.pool,
      uri: options.uri,
      known: this.named,
      places: this.places,
      shownBy: (place, asking) => this.shownBy(place, asking),
    };
    this.queue = new ActionQueue({
      limits: options.limits ?? limitsOf(),
      check: (condition, key, withinSeconds, signal) => this.check(condition, key, withinSeconds, signal),
      onRun: () => this.changed(),
      find: (key) => this.find(key),
      statusAfter: (provider, key) => this.statusAfter(provider, key),
      onItem: (item) => {
        // An action that was refused because another one is under way does not hide that one.
        const busy = this.queue.busyWith(item.key);
        if (!busy || busy.id === item.id) {
          this.outcomes.set(item.key, item);
          this.rows.touch(item.key);
        }
        this.changed();
        this.emit("action", item);
      },
    });
    for (const host of options.hosts) this.addHost(host);
  }

  view(): InventoryView {
    this.drawn ??= {
      hosts: [...this.hosts.values()].map((entry) => ({ ...entry.view(), live: this.isLive(entry) })),
      ...this.rows.of([...this.places.values()]),
      pending: this.queue.pending(),
      runs: this.queue.runs(),
    };
    return this.drawn;
  }

  /** An action on thousands changes the picture as many times within one turn: that is told once. */
  private changed(): void {
    this.drawn = null;
    if (this.telling) return;
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      if (!this.ended) this.emit("change");
    });
  }

  watch(options: WatchOptions = {}): () => void {
    const stop = this.watchers.add(options);
    for (const entry of this.hosts.values()) {
      if (!entry.timer && !entry.refreshing) this.poll(entry);
      // Sooner, if need be; a host that failed keeps the time of its next try.
      else if (entry.failures === 0) this.schedule(entry);
    }
    return () => {
      if (!stop()) return;
      for (const entry of this.hosts.values()) if (this.interval(entry) === null) entry.stop();
      if (this.watchers.none) this.watching.stop();
    };
  }

  /** Asks a host that somebody looks at. */
  private poll(entry: HostEntry, how: { fresh?: boolean; follows?: boolean } = {}): void {
    if (this.interval(entry) === null) return;
    entry.stop();
    void this.refreshEntry(entry, { priority: "poll", ...how });
  }

  private async refreshEntry(
    entry: HostEntry,
    options: ProviderOptions & { fresh?: boolean; follows?: boolean },
  ): Promise<void> {
    const usageWithinMs = this.watchers.usageWithinMs(entry.ref.name, this.usual(entry));
    const refreshed = entry.refresh({ ...(usageWithinMs !== null && { usageWithinMs }), ...options });
    this.changed();
    await refreshed;
    if (this.ended || this.hosts.get(entry.ref.name) !== entry) return;
    this.schedule(entry);
    this.changed();
  }

  private schedule(entry: HostEntry): void {
    entry.stop();
    const interval = this.interval(entry);
    // One that is being asked is scheduled when it has answered.
    if (interval === null || entry.refreshing) return;
    this.watching.follow(this.providers());
    const wait = entry.waitMs(interval);
    if (entry.failures > 0) entry.retryAt = Date.now() + wait;
    entry.timer = setTimeout(() => this.poll(entry), wait);
  }

  private usual(entry: HostEntry): number {
    return this.isLive(entry) ? this.liveInterval(entry) : this.intervalMs;
  }

  /** Null: nobody looks at this host. */
  private interval(entry: HostEntry): number | null {
    return this.watchers.everyMs(entry.ref.name, this.usual(entry));
  }

  private liveInterval(entry: HostEntry): number {
    const unseen = this.shownOn(entry).map(({ unseenMs }) => unseenMs ?? this.watchedIntervalMs);
    return Math.max(this.intervalMs, Math.min(this.watchedIntervalMs, ...unseen));
  }

  private shownOn(entry: HostEntry): Provider[] {
    return (entry.discovery?.providers ?? []).filter(({ place }) => this.shownBy(place, entry) === null);
  }

  /** Everything that this host shows is told of as it changes. */
  private isLive(entry: HostEntry): boolean {
    const shown = this.shownOn(entry);
    return entry.error === null && shown.length > 0 && shown.every(({ place }) => this.watching.isLive(place));
  }

  async refresh(
    hosts?: readonly string[],
    { signal, usage = false }: { signal?: AbortSignal; usage?: boolean } = {},
  ): Promise<void> {
    const entries = [...this.hosts.values()].filter((entry) => !hosts || hosts.includes(entry.ref.name));
    const how = { priority: "user", fresh: true, signal, ...(usage && { usageWithinMs: 0 }) } as const;
    await Promise.all(entries.map((entry) => this.refreshEntry(entry, how)));
  }

  addHost(host: HostRef): void {
    if (this.hosts.has(host.name)) return;
    const entry = new HostEntry(host, this.around);
    this.hosts.set(host.name, entry);
    this.named.push(host);
    if (this.interval(entry) !== null) this.poll(entry);
    else this.changed();
  }

  removeHost(name: string): void {
    const entry = this.hosts.get(name);
    if (!entry) return;
    entry.end();
    this.hosts.delete(name);
    this.named.splice(this.named.indexOf(entry.ref), 1);
    const left = new Set<string>();
    for (const other of this.hosts.values()) {
      for (const provider of other.discovery?.providers ?? []) left.add(provider.place);
    }
    // A cluster that another host reaches too stays, and is from now on read through that one.
    for (const [place, record] of this.places) {
      if (record.provider.attachment.host.name === name && !left.has(place)) this.places.delete(place);
    }
    this.changed();
  }

  /**
   * Who shows a place that several hosts reach: the first of those that answer, one that is the master itself before one
   * that only leads there.
   */
  private shownBy(place: string, asking: HostEntry): string | null {
    const best = this.reaching(place, asking);
    return best && best !== asking ? best.ref.name : null;
  }

  /** The host through which a place is shown: one that works, and rather the place itself than a way to it. */
  private reaching(place: string, asking: HostEntry | null): HostEntry | null {
    const ways = [...this.hosts.values()].flatMap((entry) => {
      const provider = entry.discovery?.providers.find((other) => other.place === place);
      return provider && (entry === asking || entry.error === null) ? [{ entry, provider }] : [];
    });
    const best = ways.find(({ provider }) => provider.target.name === provider.attachment.host.name) ?? ways[0];
    return best?.entry ?? null;
  }

  find(key: string): Found | null {
    for (const [place, { provider, snapshot }] of this.places) {
      // Thousands of keys are looked for at once, among many places.
      if (!key.startsWith(place)) continue;
      const { instances, nodes } = indexOf(snapshot);
      const instance = instances.get(key);
      if (instance) return { kind: "instance", provider, instance };
      const node = nodes.get(key);
      if (node) return { kind: "node", provider, node };
    }
    return null;
  }

  providers(): readonly Provider[] {
    return [...this.places.values()].map(({ provider }) => provider);
  }

  private async statusAfter(provider: Provider, key: string): Promise<Status | null> {
    const began = Date.now();
    // A second look, because a link that broke just now is often back at once.
    for (let look = 0; look < 2 && !this.ended; look += 1) {
      // Not always the host that its rows came from: while hosts are found out, the first to answer shows a cluster.
      const shown = this.places.get(provider.place)?.provider ?? provider;
      const entry = this.reaching(provider.place, null) ?? this.hosts.get(shown.attachment.host.name);
      if (!entry) return null;
      await this.refreshEntry(entry, { priority: "user", fresh: true, follows: true });
      const record = this.places.get(provider.place);
      if (record && !record.stale && record.seenAt >= began) {
        return indexOf(record.snapshot).instances.get(key)?.status ?? null;
      }
    }
    return null;
  }

  private async check(
    condition: Condition,
    key: string,
    withinSeconds: number,
    signal: AbortSignal,
  ): Promise<string | null> {
    const found = this.find(key);
    if (found?.kind !== "instance") return "it is no longer there";
    const { provider, instance } = found;
    const status = () => this.statusAfter(provider, key);
    return holds(condition, { pool: this.around.pool, provider, instance, status, withinSeconds, signal });
  }

  refuses(action: RequestName, key: string): string | null {
    const found = this.find(key);
    return found ? this.queue.refusal(action, key, found) : "it is no longer there";
  }

  preview(request: Request, keys: readonly string[], options: ActOptions = {}) {
    return keys.flatMap((key) => {
      const found = this.find(key);
      return found ? [{ key, host: found.provider.target.name, lines: previewOf(request, found, options) }] : [];
    });
  }

  act(request: Request, keys: readonly string[], options?: ActOptions): ActionRun {
    return this.queue.act(request, keys, options);
  }

  cancel(itemId: number): boolean {
    return this.queue.cancel(itemId);
  }

  cancelRun(run: number): number {
    return this.queue.cancelRun(run);
  }

  retry(run: number, options?: Pick<ActOptions, "signal">): ActionRun | null {
    return this.queue.retry(run, options);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.queue.end();
    this.watching.stop();
    for (const entry of this.hosts.values()) entry.end();
  }
}
