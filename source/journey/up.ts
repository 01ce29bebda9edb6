/**
 * A way from nothing to instances, carried stage by stage. Its journal is the only truth: whoever carries it on begins at the
 * stage that had not ended, and each stage finds by itself what is done. A way that has come to its end is gone through once
 * more from the first stage on: every stage says that there is nothing to do, or does what is missing.
 */
import { readFile } from "node:fs/promises";
import os from "node:os";
import { toVirtuError, VirtuError } from "../errors.ts";
import { cancelled } from "../waiting.ts";
import { newRunId } from "./detached.ts";
import { Journal } from "./journal.ts";
import { holderOf, takeLocalLock } from "./lock.ts";
import { lookAtRun } from "./run.ts";
import type { Context, Job } from "./types.ts";
import { checkUpPlan } from "./up-file.ts";
import {
  type Learned,
  learnWay,
  type StageEnd,
  type WayEntry,
  type WayFacts,
  wayFrom,
  wayKinds,
  wayView,
} from "./up-model.ts";
import { cancelRun } from "./up-run.ts";
import { failedBy, type Stage, type UpOptions, type Walk } from "./up-stage.ts";
import { stagesOf, titlesOf } from "./up-stages.ts";
import { fileOf, makeWayFolder, pruneWays, readWay, wayFiles, wayIds, wayOfFile } from "./up-store.ts";
import type { StageId, UpPlan, WayState, WayView } from "./up-types.ts";

export type { UpOptions } from "./up-stage.ts";

/** What to carry: a plan's file, a plan's text that stands in no file, or a way by its id. */
export type UpWhat = { file: string } | { text: string } | { way: string };

/** What the way is made of, read before anything is written or sent. */
export interface UpSource {
  /** null: it is begun. */
  id: string | null;
  file: string | null;
  text: string;
  plan: UpPlan;
}

/** Rejects as `usage` when the file can't be read, is no plan, or there is no such way. */
export async function readSource(context: Pick<Context, "stateDir">, what: UpWhat): Promise<UpSource> {
  if ("text" in what) return { id: null, file: null, text: what.text, plan: checkUpPlan(what.text, "plan") };
  if ("file" in what) {
    const file = await fileOf(what.file);
    const text = await readFile(file, "utf8").catch((thrown: unknown) => {
      const why = toVirtuError(thrown).why;
      throw new VirtuError({ kind: "usage", what: "The plan can't be read", where: what.file, why });
    });
    return { id: await wayOfFile(context, file), file, text, plan: checkUpPlan(text, what.file) };
  }
  const { file, text } = await readWay(context, what.way);
  // The file as it is now, as when it is named; without it as it was.
  const now = file === null ? text : await readFile(file, "utf8").catch(() => text);
  return { id: what.way, file, text: now, plan: checkUpPlan(now, file ?? what.way) };
}

/** A way that is open for carrying it on, or for taking it back. */
export class OpenWay {
  facts: WayFacts;
  private constructor(
    readonly context: Context,
    readonly id: string,
    readonly plan: UpPlan,
    private readonly journal: Journal<WayEntry>,
    private readonly unlock: () => Promise<void>,
    private readonly onView: ((view: WayView) => void) | undefined,
    facts: WayFacts,
  ) {
    this.facts = facts;
  }

  /** Takes the way for this process. Rejects as `refused` when another virtu has it. */
  static async open(
    context: Context,
    source: UpSource,
    options: Pick<UpOptions, "onView" | "takeLock" | "clock">,
  ): Promise<OpenWay> {
    const now = options.clock ?? Date.now;
    const id = source.id ?? newRunId("up", new Date(now()));
    const files = wayFiles(context, id);
    await makeWayFolder(files);
    const unlock = await takeLocalLock(files.lock, id, options.takeLock ?? false);
    try {
      const { journal, records } = await Journal.open<WayEntry>(files.journal, now, wayKinds);
      const way = new OpenWay(context, id, source.plan, journal, unlock, options.onView, wayFrom(records));
      const { file, text } = source;
      if (way.facts.text !== text || way.facts.file !== file)
        await way.keep({ kind: "way", version: 1, id, file, text });
      await way.keep({ kind: "carried", pid: process.pid, host: os.hostname() });
      void pruneWays(context);
      return way;
    } catch (thrown) {
      await unlock();
      throw thrown;
    }
  }

  /** On disk when it resolves; known at once. */
  async keep(entry: WayEntry): Promise<void> {
    const { record, kept } = this.journal.append(entry);
    this.facts = learnWay(this.facts, record);
    this.onView?.(this.view());
    await kept;
  }

  view(): WayView {
    return wayView(this.facts, { id: this.id, plan: this.plan, titles: titlesOf(this.plan), carried: true });
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.unlock();
  }
}

/** What the stages of one carrying share. */
class Carrying implements Walk {
  job: Job | null = null;
  private stage: StageId = "reserve";

  constructor(
    private readonly way: OpenWay,
    readonly options: UpOptions,
    readonly signal: AbortSignal,
  ) {}

  get context(): Context {
    return this.way.context;
  }

  get id(): string {
    return this.way.id;
  }

  get plan(): UpPlan {
    return this.way.plan;
  }

  get learned(): Learned {
    return this.way.facts.learned;
  }

  readonly learn = (what: Partial<Learned>): Promise<void> => {
    const kept = this.way.keep({ kind: "learned", what });
    // Who does not wait for it hears of a full disk with the next record.
    kept.catch(() => undefined);
    return kept;
  };

  readonly say = (text: string): void => {
    this.options.onNote?.(text, this.stage);
  };

  /** Carries one stage; how it ended is in the journal when it resolves. */
  async carry(stage: Stage): Promise<StageEnd> {
    this.stage = stage.id;
    const before = this.way.facts.stages[stage.id];
    await this.way.keep({ kind: "begin", stage: stage.id });
    let end: StageEnd;
    try {
      end = await stage.carry(this);
    } catch (thrown) {
      // Left, not ended: the next virtu begins here.
      if (this.signal.aborted) throw cancelled();
      end = failedBy(toVirtuError(thrown));
    }
    // What this pass has done stays done, though it was found done when it was looked at again.
    if (end.state === "already" && before.state === "done") end = { ...end, state: "done" };
    await this.way.keep({ kind: "end", stage: stage.id, ...end });
    return end;
  }
}

const endedWell = new Set(["done", "already"]);

/**
 * Carries a way to its end, or to the stage that fails or needs somebody; gives its last view. Rejects before anything is
 * done when the plan can't be read (`usage`) or another virtu has the way (`refused`), and as `cancelled` when the signal
 * comes: what runs then goes on, and the way is found again.
 */
export async function carryWay(context: Context, source: UpSource, options: UpOptions): Promise<WayView> {
  const signal = options.signal ?? new AbortController().signal;
  const way = await OpenWay.open(context, source, options);
  try {
    const walk = new Carrying(way, options, signal);
    if (way.facts.passes === 0 || way.facts.over !== null) await way.keep({ kind: "pass" });
    let state: Exclude<WayState, "running" | "interrupted"> = "done";
    for (const stage of stagesOf(way.plan)) {
      if (signal.aborted) throw cancelled();
      if (endedWell.has(way.facts.stages[stage.id].state) && !stage.always) continue;
      const end = await walk.carry(stage);
      if (end.state === "failed" || end.state === "needs-you") {
        state = end.state;
        break;
      }
    }
    await way.keep({ kind: "over", state });
    return way.view();
  } finally {
    await way.close();
  }
}

/** A way as its journal tells it, without carrying it on; `usage` when there is none of that id. */
export async function lookAtWay(context: Pick<Context, "stateDir">, id: string): Promise<WayView> {
  const facts = await readWay(context, id);
  const plan = checkUpPlan(facts.text, facts.file ?? id);
  const holder = facts.over === null ? await holderOf(wayFiles(context, id).lock) : null;
  return wayView(facts, { id, plan, titles: titlesOf(plan), carried: holder !== null });
}

export interface WaySummary {
  view: WayView;
  /** The process that carries it now, on this machine. */
  pid: number | null;
}

/** The ways of this machine, newest first. A damaged one is left out. */
export async function listWays(context: Pick<Context, "stateDir">): Promise<WaySummary[]> {
  const ids = (await wayIds(context)).reverse();
  const found = await Promise.all(
    ids.map(async (id) => {
      const view = await lookAtWay(context, id).catch(() => null);
      const holder = view?.state === "running" ? await holderOf(wayFiles(context, id).lock) : null;
      return view && { view, pid: holder?.pid ?? null };
    }),
  );
  return found.filter((one) => one !== null);
}

/** Runs of a way that have not come to their end. */
export async function openRuns(context: Pick<Context, "stateDir">, { runs }: Learned): Promise<string[]> {
  const open: string[] = [];
  for (const id of Object.values(runs)) {
    const view = await lookAtRun(context, id).catch(() => null);
    if (view?.endedAt === null) open.push(id);
  }
  return open;
}

/** Ends a way for good: what it has made stays, and is taken back by `downWay`. */
export async function cancelWay(
  context: Context,
  source: UpSource,
  options: Pick<UpOptions, "takeLock">,
): Promise<WayView> {
  const way = await OpenWay.open(context, source, options);
  try {
    for (const id of await openRuns(context, way.facts.learned)) await cancelRun(context, id, options);
    await way.keep({ kind: "over", state: "cancelled" });
    return way.view();
  } finally {
    await way.close();
  }
}
