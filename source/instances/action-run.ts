/** One request on many instances: its items, its waves, and a picture of both that only changes with them. */
import type { ActionItem, ActionRunView, ActOptions, Found, WaveView } from "./inventory-types.ts";
import { hostOf, nameOf, type Request, statusOf } from "./target.ts";
import type { Wave } from "./waves.ts";

export class RunRecord {
  private readonly current = new Map<number, ActionItem>();
  private waveViews: WaveView[];
  private endedAt: number | null = null;
  private drawn: ActionRunView | null = null;
  /** Ends what is asked between waves. */
  readonly abort = new AbortController();
  readonly startedAt = Date.now();

  constructor(
    readonly run: number,
    readonly request: Request,
    readonly options: ActOptions,
  ) {
    this.waveViews = (options.waves ?? []).map(({ title, until }) => ({ title, until, state: "waiting", text: "" }));
  }

  get waves(): readonly Wave[] {
    return this.options.waves ?? [];
  }

  set(item: ActionItem): void {
    this.current.set(item.id, item);
    this.drawn = null;
  }

  /** In the order asked for. */
  items(): ActionItem[] {
    return [...this.current.values()];
  }

  item(id: number): ActionItem | null {
    return this.current.get(id) ?? null;
  }

  setWave(index: number, change: Partial<WaveView>): void {
    this.waveViews = this.waveViews.map((wave, at) => (at === index ? { ...wave, ...change } : wave));
    this.drawn = null;
  }

  end(): void {
    this.endedAt = Date.now();
    this.drawn = null;
  }

  get ended(): boolean {
    return this.endedAt !== null;
  }

  view(): ActionRunView {
    this.drawn ??= {
      run: this.run,
      request: this.request,
      items: this.items(),
      waves: this.waveViews,
      startedAt: this.startedAt,
      endedAt: this.endedAt,
    };
    return this.drawn;
  }
}

/**
 * What to ask for again: the instances where it failed. In a run of waves also those that were never begun because of
 * that, in their waves, whose other instances are asked the conditions as before.
 */
export function retryOf({ items, waves }: { items: readonly ActionItem[]; waves: readonly Wave[] }): {
  keys: string[];
  waves: Wave[];
} {
  const again = new Set(
    items
      .filter(({ state }) => state === "failed" || (waves.length > 0 && state === "cancelled"))
      .map(({ key }) => key),
  );
  const others = (wave: Wave) => [...wave.also, ...wave.keys.filter((key) => !again.has(key))];
  return {
    keys: [...again],
    waves: waves.map((wave) => ({ ...wave, keys: wave.keys.filter((key) => again.has(key)), also: others(wave) })),
  };
}

/** The item of an instance or node that waits; `wave`: the index of its wave, where the run has waves. */
export function newItem(
  id: number,
  { run, request, waves }: RunRecord,
  key: string,
  target: Found | null,
  wave: number | undefined,
): ActionItem {
  const before = wave === undefined || wave === 0 ? undefined : waves[wave - 1];
  const item: ActionItem = {
    id,
    run,
    action: request.do,
    request,
    key,
    name: target ? nameOf(target) : key,
    host: target ? hostOf(target) : "",
    state: "queued",
    text: before ? `waits for ${before.title}` : "queued",
    job: null,
    error: null,
    detail: null,
    statusBefore: statusOf(target),
    statusAfter: null,
    queuedAt: Date.now(),
    startedAt: null,
    endedAt: null,
  };
  if (wave !== undefined) item.wave = wave;
  return item;
}
