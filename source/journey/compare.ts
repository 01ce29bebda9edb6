/** Carries a comparison: round after round and place after place through the whole life cycle, then takes all of it away. */
import os from "node:os";
import { reasonOf, VirtuError } from "../errors.ts";
import type { CreateRow } from "../instances/create-types.ts";
import { Limiter } from "../ssh/limiter.ts";
import type { HostRef } from "../ssh/types.ts";
import { type TakeOptions, takeAway } from "./compare-clean.ts";
import { countingPool } from "./compare-count.ts";
import { comparisonKinds, lateStart, learn, notGone, phases } from "./compare-model.ts";
import { Life, type LifeOptions } from "./compare-phases.ts";
import { findHosts, type Reach, reachOf } from "./compare-places.ts";
import type { ComparisonPlan, PlannedPlace } from "./compare-plan.ts";
import { comparisonFiles, lookAtComparison, makeComparisonFolder, pruneComparisons } from "./compare-store.ts";
import type { Activity, ComparisonEntry, ComparisonView, MadeNow, Phase } from "./compare-types.ts";
import { Journal } from "./journal.ts";
import { holderOf, takeLocalLock } from "./lock.ts";
import type { Context } from "./types.ts";

export { type ComparisonSummary, listComparisons, lookAtComparison } from "./compare-store.ts";

export interface CompareOptions {
  /** Ends the phases; what was made is taken away all the same. */
  signal?: AbortSignal;
  onView?: (view: ComparisonView) => void;
  lookMs?: number;
  waitMs?: number;
}

/** The journal of a comparison while this process writes it, and the picture that it gives. */
class ComparisonRecord {
  private view: ComparisonView | null = null;
  private readonly now = new Map<string, Activity>();

  private constructor(
    private readonly journal: Journal<ComparisonEntry>,
    private readonly unlock: () => Promise<void>,
    private readonly onView: (view: ComparisonView) => void,
    private live: boolean,
  ) {}

  static async open(
    context: Context,
    id: string,
    onView: (view: ComparisonView) => void,
    live: boolean,
  ): Promise<ComparisonRecord> {
    const files = comparisonFiles(context, id);
    const holder = await holderOf(files.lock);
    if (holder) throw held(id, holder.pid, holder.host);
    await makeComparisonFolder(context, id);
    const unlock = await takeLocalLock(files.lock, id, false);
    try {
      const { journal, records } = await Journal.open<ComparisonEntry>(files.journal, Date.now, comparisonKinds);
      const record = new ComparisonRecord(journal, unlock, onView, live);
      for (const entry of records) record.view = learn(record.view, entry);
      return record;
    } catch (thrown) {
      await unlock();
      throw thrown;
    }
  }

  /** Resolves once it is on disk. */
  async add(entry: ComparisonEntry): Promise<void> {
    const { record, kept } = this.journal.append(entry);
    this.view = learn(this.view, record);
    if (entry.kind === "over") this.live = false;
    this.tell();
    await kept;
  }

  say(activity: Activity | null, name: string): void {
    if (activity) this.now.set(name, activity);
    else this.now.delete(name);
    this.tell();
  }

  current(): ComparisonView {
    if (this.view === null) throw new VirtuError({ kind: "failed", what: "The comparison's journal is empty" });
    return { ...this.view, ...(this.live ? { state: "running" } : {}), now: [...this.now.values()] };
  }

  private tell(): void {
    if (this.view) this.onView(this.current());
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.unlock();
  }
}

function held(id: string, pid: number, host: string): VirtuError {
  const where = host === os.hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  const hint = "Wait for its end, or leave it there with Ctrl-C: it then takes away what it made.";
  return new VirtuError({ kind: "refused", what: `The comparison ${id} is carried by another virtu`, where, hint });
}

/** Carries a plan to its end. Never rejects for what a host says: it is in the view, and so is what was left behind. */
export async function carryComparison(
  context: Context,
  plan: ComparisonPlan,
  options: CompareOptions = {},
): Promise<ComparisonView> {
  const record = await ComparisonRecord.open(context, plan.id, options.onView ?? (() => {}), true);
  try {
    await record.add({ kind: "comparison", version: 1, id: plan.id, setup: plan.setup });
    const carrying = new Carrying(plan, record, options);
    await carrying.rounds();
    const state = options.signal?.aborted ? "cancelled" : "done";
    await record.add({ kind: "over", state });
    await pruneComparisons(context);
    return record.current();
  } finally {
    await record.close();
  }
}

class Carrying {
  private readonly signal: AbortSignal;
  /** What goes on with each instance, by its name. */
  private readonly begun = new Map<string, Activity>();

  constructor(
    private readonly plan: ComparisonPlan,
    private readonly record: ComparisonRecord,
    private readonly options: CompareOptions,
  ) {
    this.signal = options.signal ?? new AbortController().signal;
  }

  /** The places change with each round, so that what drifts on the way there drifts for all of them. */
  async rounds(): Promise<void> {
    const { setup, places } = this.plan;
    for (let round = 1; round <= setup.rounds && !this.signal.aborted; round += 1) {
      const go = (place: PlannedPlace) => this.lives(place, round);
      if (setup.together) await Promise.all(places.map(go));
      else for (const place of places) if (!this.signal.aborted) await go(place);
    }
  }

  /** All instances of a place, phase by phase; then what of them is left is taken away. */
  private async lives(place: PlannedPlace, round: number): Promise<void> {
    const { setup, reach } = this.plan;
    const rows = place.rows.slice((round - 1) * setup.count, round * setup.count);
    const order: readonly Phase[] = place.facts.startsAtOnce ? lateStart : phases;
    const storage = new Limiter(1);
    const turn = (signal?: AbortSignal) => storage.acquire(signal);
    const lives = rows.map((row) => ({ row, life: this.life(place, row, round, turn) }));
    try {
      for (const row of rows) await this.record.add({ kind: "make", ...makeEntry(place, row, round) });
      for (const phase of order) {
        if (this.signal.aborted) return;
        await Promise.all(
          lives.map(async ({ row, life }) => {
            this.tell(place, row.name, round, phase, "");
            const sample = await life.phase(phase);
            this.begun.delete(row.name);
            this.record.say(null, row.name);
            await this.record.add({ kind: "sample", ...sample });
          }),
        );
      }
    } finally {
      const names = new Set(rows.map(({ name }) => name));
      const open = notGone(this.record.current()).filter(({ name }) => names.has(name));
      await clear(this.record, open, reach, this.options);
    }
  }

  private life(place: PlannedPlace, row: CreateRow, round: number, turn: LifeOptions["turn"]): Life {
    const { setup, reach } = this.plan;
    return new Life(place, row, round, {
      ...{ reach, limitSeconds: setup.limitSeconds, signal: this.signal, turn, lookMs: this.options.lookMs },
      onText: (text) => this.tell(place, row.name, round, null, text),
      onMove: (name, to) => this.record.add({ kind: "move", name, to }),
    });
  }

  /** `phase` null: a further word of the one that is under way; a late one of a phase that is over is dropped. */
  private tell(place: PlannedPlace, name: string, round: number, phase: Phase | null, text: string): void {
    const before = this.begun.get(name);
    const fresh = phase && { place: place.facts.id, round, name, phase, text, since: Date.now() };
    const activity = fresh ?? (before ? { ...before, text } : null);
    if (activity === null) return;
    this.begun.set(name, activity);
    this.record.say(activity, name);
  }
}

function makeEntry({ facts, offers }: PlannedPlace, { name, request }: CreateRow, round: number) {
  const media = request.provider === "libvirt" ? request.media : null;
  const path = media?.kind === "import" || media?.kind === "cloud" ? media.image : null;
  const image = path !== null && offers.provider === "libvirt" ? (offers.files.get(path) ?? null) : null;
  return { place: facts.id, round, name, request, image };
}

/** Takes these away at the same time; what can't be is written down with why. Not ended by the user's cancelling. */
async function clear(
  record: ComparisonRecord,
  open: readonly MadeNow[],
  reach: Reach,
  options: Pick<TakeOptions, "waitMs">,
): Promise<void> {
  await Promise.all(
    open.map(async (made) => {
      const { place, round, name } = made;
      const say = (text: string) => record.say({ place, round, name, phase: "clean", text, since: Date.now() }, name);
      say("taking away what is left");
      const left = await takeAway(made, reach, { waitMs: options.waitMs, onText: say }).catch((thrown) => [
        { what: `${name} on ${place}`, why: reasonOf(thrown), how: "virtu compare --clean" },
      ]);
      record.say(null, name);
      await record.add(left.length === 0 ? { kind: "gone", name } : { kind: "left", name, left });
    }),
  );
}

/**
 * Takes away what a comparison has left, by its record: after a crash, or once a host answers again. `cancelled` and
 * `refused` (another virtu carries it) reject; what a host says is in the view.
 */
export async function cleanComparison(
  context: Context,
  id: string,
  options: CompareOptions = {},
): Promise<ComparisonView> {
  const { view: before } = await lookAtComparison(context, id);
  const record = await ComparisonRecord.open(context, id, options.onView ?? (() => {}), false);
  try {
    const { setup } = before;
    const open = notGone(record.current());
    if (open.length > 0) {
      const pool = countingPool(context.pool);
      const hosts = new Map<string, HostRef>(
        [...setup.places.map(({ host }) => host), ...setup.also].map((host) => [host.name, host]),
      );
      const found = await findHosts(pool, [...hosts.values()], { uri: setup.uri, signal: options.signal });
      await clear(record, open, reachOf(pool, found), options);
    }
    if (record.current().endedAt === null) await record.add({ kind: "over", state: "interrupted" });
    return record.current();
  } finally {
    await record.close();
  }
}
