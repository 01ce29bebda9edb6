/** One host of the inventory: what was found on it, how its last refresh went, when the next one is due. */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { pause } from "../waiting.ts";
import { discover } from "./discover.ts";
import type { HostState, HostView } from "./inventory-types.ts";
import type { Discovery, Late, Provider, ProviderOptions, Snapshot } from "./types.ts";

/** What one place (a cluster, a host's URI) showed last. */
export interface PlaceRecord {
  provider: Provider;
  snapshot: Snapshot;
  seenAt: number;
  stale: boolean;
}

/** What a host needs of the inventory around it. */
export interface Surroundings {
  pool: Pool;
  uri: string | undefined;
  /** All hosts that the user named, now and later. */
  known: readonly HostRef[];
  places: Map<string, PlaceRecord>;
  /** The host that shows this place instead of the one that asks, or null. */
  shownBy: (place: string, asking: HostEntry) => string | null;
  /** Something of a place is known anew. */
  changed: () => void;
}

/** When a row was seen, and whether that is older than it should be: its host, or the node behind it, does not answer. */
export function seenOf(
  record: Pick<PlaceRecord, "seenAt" | "stale">,
  row: { late?: Late },
): { seenAt: number; stale: boolean } {
  return { seenAt: row.late?.seenAt ?? record.seenAt, stale: record.stale || row.late !== undefined };
}

const longestWaitMs = 60_000;

/**
 * Looks that follow what happens (an action's end, an event) come as quickly as it happens. Between two of them a host rests
 * for twice the time that one takes, up to this long: a list of thousands costs it, and this machine, work of its own.
 */
const longestRestMs = 3000;

export class HostEntry {
  discovery: Discovery | null = null;
  error: VirtuError | null = null;
  problems: readonly VirtuError[] = [];
  seenAt: number | null = null;
  tookMs: number | null = null;
  failures = 0;
  retryAt: number | null = null;
  timer: NodeJS.Timeout | null = null;
  /** Resolves when what the last refresh did not wait for has come, or a newer one has begun to show it. */
  rest: Promise<unknown> = Promise.resolve();
  /** Epoch milliseconds at which the last refresh ended, well or not. */
  private answeredAt = 0;
  private discoveredAt = 0;
  private lookAgain = false;
  /** The refresh under way, and the one that waits for its end. */
  private current: Promise<void> | null = null;
  /** Epoch milliseconds until which looks that follow what happens have time. */
  private restsUntil = 0;
  private following: Promise<void> | null = null;
  private readonly abort = new AbortController();

  constructor(
    readonly ref: HostRef,
    private readonly around: Surroundings,
  ) {}

  get state(): HostState {
    if (this.error) return this.seenAt === null ? "error" : "stale";
    return this.seenAt === null ? "discovering" : "ok";
  }

  /**
   * Refreshes. A refresh under way began before the caller's question and may not know its answer: with `fresh` another
   * one follows it, shared by everybody who asks meanwhile. `follows`: it follows what happens, and the host may rest first.
   */
  refresh(options: ProviderOptions & { fresh?: boolean; follows?: boolean }): Promise<void> {
    if (options.follows && this.following) return this.following;
    const rest = options.follows ? this.restsUntil - Date.now() : 0;
    if (!this.current && rest <= 0) {
      const began = Date.now();
      this.current = this.run(options).finally(() => {
        this.current = null;
        const now = Date.now();
        if (options.follows) this.restsUntil = now + Math.min(2 * (now - began), longestRestMs);
      });
      return this.current;
    }
    if (this.current && !options.fresh) return this.current;
    this.following ??= (this.current ?? pause(rest, this.abort.signal).catch(() => undefined)).then(() => {
      this.following = null;
      return this.refresh(options);
    });
    return this.following;
  }

  get refreshing(): boolean {
    return this.current !== null;
  }

  private async run({ signal, priority, usageWithinMs }: ProviderOptions): Promise<void> {
    const { pool, uri, known } = this.around;
    const options = {
      priority,
      signal: signal ? AbortSignal.any([signal, this.abort.signal]) : this.abort.signal,
      ...(usageWithinMs !== undefined && { usageWithinMs }),
    };
    const began = performance.now();
    try {
      if (this.mustDiscover()) {
        this.discovery = await discover(pool, this.ref, { ...options, uri, known });
        this.discoveredAt = Date.now();
        this.lookAgain = false;
        this.forgetGone();
      }
      const { providers, problems } = this.discovery ?? { providers: [], problems: [] };
      if (providers.length === 0) throw problems[0] ?? nothingThere(this.ref);
      const answers = await Promise.all(providers.map((provider) => this.list(provider, options)));
      this.rest = Promise.all(providers.map((provider) => this.follow(provider)));
      const failures = answers.filter((failure) => failure !== null);
      this.problems = [...problems, ...failures];
      const first = failures[0];
      if (first && failures.length === providers.length) throw first;
      this.error = null;
      this.failures = 0;
      this.seenAt = Date.now();
      this.tookMs = Math.round(performance.now() - began);
    } catch (thrown) {
      const error = toVirtuError(thrown, "The host could not be read");
      // Whoever cancelled knows; the host is not to blame.
      if (error.kind === "cancelled") return;
      this.error = error;
      this.failures += 1;
      for (const provider of this.discovery?.providers ?? []) this.markStale(provider);
    } finally {
      this.answeredAt = Date.now();
    }
  }

  /** What was found stays found; what could not be used is tried again now and then. */
  private mustDiscover(): boolean {
    if (!this.discovery || this.discovery.providers.length === 0 || this.lookAgain) return true;
    return this.discovery.problems.length > 0 && Date.now() - this.discoveredAt > longestWaitMs;
  }

  /** What is no longer there takes its rows with it. A provider that only can't be used now keeps them, as stale. */
  private forgetGone(): void {
    const { providers, problems } = this.discovery ?? { providers: [], problems: [] };
    if (problems.length > 0) return;
    for (const [place, { provider }] of this.around.places) {
      const ours = provider.attachment.host.name === this.ref.name;
      if (ours && !providers.some((other) => other.place === place)) this.around.places.delete(place);
    }
  }

  /** Null, or why the provider gave no list. */
  private async list(provider: Provider, options: ProviderOptions): Promise<VirtuError | null> {
    const { places, shownBy } = this.around;
    if (shownBy(provider.place, this) !== null) return null;
    try {
      const snapshot = await provider.list({ ...options, parts: true });
      places.set(provider.place, { provider, snapshot, seenAt: Date.now(), stale: false });
      // Another provider of this host may take longer.
      this.around.changed();
      return null;
    } catch (thrown) {
      const error = toVirtuError(thrown, "The instances could not be read");
      if (error.kind === "cancelled") throw error;
      this.markStale(provider);
      // The provider may have gone, or the cluster changed: look again what is there.
      if (error.kind !== "connection" && error.kind !== "timeout") this.lookAgain = true;
      return error;
    }
  }

  /** Takes what is late as it comes, as long as there is no newer list. */
  private async follow(provider: Provider): Promise<void> {
    const { places, changed } = this.around;
    const { place } = provider;
    for (let record = places.get(place); record?.provider === provider && record.snapshot.rest; ) {
      const snapshot = await record.snapshot.rest();
      if (places.get(place) !== record) return;
      record = { ...record, snapshot };
      places.set(place, record);
      changed();
    }
  }

  private markStale(provider: Provider): void {
    const record = this.around.places.get(provider.place);
    if (record?.provider === provider || record?.provider.attachment.host.name === this.ref.name) record.stale = true;
  }

  /** Milliseconds until the next refresh: the interval since the last one, or doubled from now on for each failure. */
  waitMs(intervalMs: number): number {
    if (this.failures > 0) return Math.min(intervalMs * 2 ** this.failures, Math.max(longestWaitMs, intervalMs));
    return Math.max(0, intervalMs - (Date.now() - this.answeredAt));
  }

  view(): Omit<HostView, "live"> {
    const providers = this.discovery?.providers ?? [];
    const { places, shownBy } = this.around;
    return {
      host: this.ref.name,
      state: this.state,
      providers: providers.map((provider) => ({
        name: provider.name,
        label: provider.attachment.label,
        cluster: provider.cluster,
        sharedWith: shownBy(provider.place, this),
      })),
      seenAt: this.seenAt,
      error: this.error,
      problems: this.problems,
      notes: providers.flatMap((provider) => {
        const record = places.get(provider.place);
        return record?.provider === provider ? record.snapshot.notes : [];
      }),
      late: providers.flatMap((provider) => {
        const record = places.get(provider.place);
        return record?.provider === provider ? lateIn(record.snapshot) : [];
      }),
      retryAt: this.retryAt,
      refreshing: this.refreshing,
      tookMs: this.tookMs,
    };
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.retryAt = null;
  }

  end(): void {
    this.stop();
    this.abort.abort();
  }
}

/** Each node that is late once. */
function lateIn({ instances, nodes }: Snapshot): Late[] {
  const late = [...instances, ...nodes].flatMap((row) => (row.late ? [[row.late.node, row.late] as const] : []));
  return [...new Map(late).values()];
}

function nothingThere(host: HostRef): VirtuError {
  return new VirtuError({
    kind: "refused",
    what: "No VM manager was found",
    where: host.name,
    why: "the host answers, and runs neither Ganeti nor libvirt",
    hint: "Install one there, or leave the host out.",
  });
}
