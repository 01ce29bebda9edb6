/** A run under way: starts what may start, carries it, keeps what came of it, and does what the user decides. */
import { setMaxListeners } from "node:events";
import { rm } from "node:fs/promises";
import { toVirtuError, VirtuError } from "../errors.ts";
import { Limiter } from "../ssh/limiter.ts";
import { pause } from "./detached-exec.ts";
import { type Durations, rememberDurations, usualSteps } from "./estimate.ts";
import type { Entry, Journal } from "./journal.ts";
import { lockNode, unlockNode } from "./lock-nodes.ts";
import type { Decision, Plan, PlanNode, RunHandle, RunState, RunView, Step } from "./plan.ts";
import type { Broadcast } from "./run-broadcast.ts";
import { type Carrier, carryCell, type Live } from "./run-cell.ts";
import { learn, type RunFacts, valuesFor } from "./run-model.ts";
import { Outputs } from "./run-outputs.ts";
import { isShown } from "./run-reader.ts";
import { remoteName, stopStep } from "./run-remote.ts";
import { cellKey, mayGoWithout, nodesIn, schedule } from "./run-schedule.ts";
import type { RunFiles } from "./run-store.ts";
import type { RunOptions, RunPace } from "./run-types.ts";
import { Views } from "./run-view.ts";
import type { Context } from "./types.ts";

/** So many nodes are asked at once; what runs on them is followed on all. */
const nodesAtOnce = 64;
const viewEveryMs = 100;
/** A cancelled step is waited for so long. */
const stopWithinMs = 20_000;
/** At the end a node that does not answer keeps its mark, which the next run here takes. */
const unlockWithinMs = 15_000;

const usualPace: RunPace = { backOff: 1000, patience: 60_000, lostPatience: 300_000 };

/** A cell that is being carried. */
interface Active {
  step: Step;
  node: PlanNode;
  abort: AbortController;
  nap: AbortController;
  ended: Promise<void>;
}

export interface RunParts {
  context: Context;
  id: string;
  facts: RunFacts;
  journal: Journal;
  files: RunFiles;
  broadcast: Broadcast;
  durations: Durations;
  unlock: () => Promise<void>;
  options: RunOptions;
}

export class Run implements RunHandle, Carrier {
  readonly id: string;
  readonly context: Context;
  readonly broadcast: Broadcast;
  readonly outputs: Outputs;
  readonly pace: RunPace;
  readonly short = new Limiter(nodesAtOnce);
  readonly done: Promise<RunView>;
  private readonly plan: Plan;
  private readonly facts: RunFacts;
  private readonly active = new Map<string, Active>();
  private readonly live = new Map<string, Live>();
  private readonly owned = new Map<string, Promise<void>>();
  private readonly secrets = new Map<string, Promise<string | null>>();
  private readonly usual: ReadonlyMap<string, number>;
  private readonly views = new Views();
  private readonly over = new AbortController();
  private current: RunView | null = null;
  private timer: NodeJS.Timeout | null = null;
  private planned = false;
  private closing: Promise<void> | null = null;
  private resolve: (view: RunView) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;

  constructor(private readonly parts: RunParts) {
    this.id = parts.id;
    this.context = parts.context;
    this.broadcast = parts.broadcast;
    this.facts = parts.facts;
    this.plan = parts.facts.plan;
    this.pace = { ...usualPace, ...parts.options.pace };
    // As many listen as there are nodes.
    setMaxListeners(0, this.over.signal);
    this.usual = usualSteps(this.plan, parts.durations);
    this.outputs = new Outputs(parts.files.out, () => this.changed());
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits for it hears of it; nobody has to.
    this.done.catch(() => undefined);
  }

  now(): number {
    return this.parts.options.clock?.() ?? Date.now();
  }

  /** Marks the nodes as this run's; those that can't be reached are marked before anything is done there. */
  async lockNodes(): Promise<void> {
    const held: unknown[] = [];
    await Promise.all(
      nodesIn(this.plan, this.facts.out).map(async (node) => {
        try {
          await this.own(node);
        } catch (thrown) {
          const { kind } = toVirtuError(thrown);
          if (kind === "refused" || kind === "cancelled") held.push(thrown);
        }
      }),
    );
    if (held.length === 0) return;
    throw held[0];
  }

  async own(node: PlanNode): Promise<void> {
    let lock = this.owned.get(node.name);
    if (!lock) {
      lock = this.lock(node);
      this.owned.set(node.name, lock);
      lock.catch(() => this.owned.delete(node.name));
    }
    return lock;
  }

  private async lock(node: PlanNode): Promise<void> {
    const signals = [this.over.signal, ...(this.parts.options.signal ? [this.parts.options.signal] : [])];
    const release = await this.short.acquire(this.over.signal);
    try {
      await lockNode(this.context, this.broadcast, node, {
        run: this.id,
        take: this.parts.options.takeLock ?? false,
        signal: AbortSignal.any(signals),
        now: () => this.now(),
      });
    } finally {
      release();
    }
  }

  async keep(entry: Entry): Promise<void> {
    const { record, kept } = this.parts.journal.append(entry);
    learn(this.facts, record);
    this.changed();
    try {
      await kept;
    } catch (thrown) {
      this.fail(thrown);
      throw thrown;
    }
  }

  values(node: string): Map<string, string> {
    return valuesFor(this.facts, node);
  }

  async secret(name: string): Promise<string | null> {
    const { secrets } = this.parts.options;
    if (!secrets) return null;
    let asked = this.secrets.get(name);
    if (!asked) {
      asked = secrets(name, this.over.signal);
      this.secrets.set(name, asked);
      // A wrong one is asked for again when the step is tried again; so is one that nobody gave.
      asked.then(
        (value) => value === null && this.secrets.delete(name),
        () => this.secrets.delete(name),
      );
    }
    return asked;
  }

  /** Marks the nodes and starts what may start. Rejects when they belong to another run; a `fresh` run is then forgotten. */
  async begin(fresh: boolean): Promise<void> {
    try {
      await this.lockNodes();
    } catch (thrown) {
      const limit = within(unlockWithinMs);
      if (fresh) await Promise.allSettled(this.plan.nodes.map((node) => this.unlock(node, limit)));
      await this.close();
      if (fresh) await rm(this.parts.files.folder, { recursive: true, force: true });
      throw thrown;
    }
    if (this.facts.cancelled) await this.stopStarted();
    this.advance();
    this.show();
  }

  /** Of a run that is over nothing is left but to look at it. */
  async rest(): Promise<void> {
    this.closing = Promise.resolve();
    await this.parts.journal.close();
    await this.parts.unlock();
    this.show();
    this.resolve(this.view());
  }

  private later(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.advance();
    });
  }

  private advance(): void {
    if (this.closing) return;
    const { facts } = this;
    const plan = schedule(facts);
    if (!facts.cancelled) {
      for (const { step, node, cell } of plan.ready) {
        // What runs already is followed, paused or not.
        if (facts.paused && cell.state !== "started") continue;
        if (!this.active.has(cellKey(step.id, node.name))) this.carry(step, node);
      }
    }
    if (this.active.size > 0) return;
    if (facts.cancelled) void this.finish("cancelled");
    else if (nodesIn(this.plan, facts.out).length === 0) void this.finish("failed");
    else if (plan.open === 0) void this.finish("done");
  }

  private carry(step: Step, node: PlanNode): void {
    const key = cellKey(step.id, node.name);
    const facts = this.facts.cells.get(step.id)?.get(node.name);
    const cell = step.cells[node.name];
    if (!facts || !cell) return;
    const abort = new AbortController();
    const one: Active = { step, node, abort, nap: new AbortController(), ended: Promise.resolve() };
    const live: Live = { phase: "checking", lost: null, share: null, reader: null };
    this.live.set(key, live);
    this.active.set(key, one);
    const tell = (change: Partial<Live>) => {
      if (change.lost !== undefined && (change.lost === null) !== (live.lost === null)) {
        const how = change.lost === null ? "is back" : `is lost: ${change.lost}; what runs there goes on`;
        this.parts.options.onNotice?.(`${node.name} ${how}.`);
      }
      Object.assign(live, change);
      this.changed();
    };
    const nap = async (ms: number) => {
      one.nap = new AbortController();
      const signal = AbortSignal.any([abort.signal, one.nap.signal]);
      await pause(ms, signal).catch(() => undefined);
    };
    one.ended = carryCell({ run: this, step, node, cell, facts, signal: abort.signal, pause: nap, tell })
      .catch((thrown: unknown) => {
        if (!abort.signal.aborted) this.fail(thrown);
      })
      .finally(() => {
        this.active.delete(key);
        this.live.delete(key);
        if (facts.state === "failed") this.failed(step, node);
        this.changed();
        this.later();
      });
  }

  private failed(step: Step, node: PlanNode): void {
    if (step.secret !== null) this.secrets.delete(step.secret);
    if (this.closing || this.facts.cancelled || !mayGoWithout(this.facts, node.name)) return;
    this.parts.options.onNotice?.(`${node.name} is left out: ${step.title} failed there.`);
    void this.keep({ kind: "decision", decision: { do: "leave-out", nodes: [node.name] }, by: "virtu" }).catch(
      () => undefined,
    );
  }

  decide(decision: Decision): void {
    if (this.closing) return;
    this.keep({ kind: "decision", decision, by: "user" }).catch(() => undefined);
    for (const one of this.active.values()) {
      const named = "nodes" in decision && decision.nodes.includes(one.node.name);
      const here = named && (!("step" in decision) || decision.step === one.step.id);
      if (here && decision.do === "retry") one.nap.abort();
      else if (here) one.abort.abort();
    }
    if (decision.do === "cancel") void this.stop();
    this.later();
  }

  /** Ends what runs on the nodes. A node that can't be told is left; its step ends with its limit. */
  private async stop(): Promise<void> {
    const all = [...this.active.values()];
    await Promise.race([
      pause(stopWithinMs, this.over.signal).catch(() => undefined),
      Promise.all(
        all.map(async ({ step, node, abort, ended }) => {
          const facts = this.facts.cells.get(step.id)?.get(node.name);
          const remote = facts?.state === "started" ? facts.remote : null;
          if (remote === null) return abort.abort();
          try {
            const options = { batch: `${step.id} stop`, signal: this.over.signal, timeoutMs: 10_000 };
            await this.broadcast.exec(node, stopStep(this.id, remote), options);
            await ended;
          } catch {
            abort.abort();
          }
        }),
      ),
    ]);
    for (const { abort } of all) abort.abort();
    this.later();
  }

  /** What a virtu that was cancelling has left running. */
  private async stopStarted(): Promise<void> {
    const started: Promise<unknown>[] = [];
    for (const [step, cells] of this.facts.cells) {
      for (const node of this.plan.nodes) {
        const cell = cells.get(node.name);
        if (cell?.state !== "started" || cell.remote === null) continue;
        const options = { batch: `${step} stop`, signal: this.over.signal, timeoutMs: 10_000 };
        started.push(this.broadcast.exec(node, stopStep(this.id, cell.remote), options));
      }
    }
    await Promise.allSettled(started);
  }

  private changed(): void {
    this.current = null;
    if (this.closing || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.show();
    }, viewEveryMs);
  }

  private show(): void {
    this.current = null;
    const view = this.view();
    this.parts.options.onView?.(view);
  }

  view(): RunView {
    if (this.current) return this.current;
    const plan = schedule(this.facts);
    const { id, live, usual } = this;
    this.current = this.views.make(this.facts, {
      id,
      schedule: plan,
      live,
      usual,
      state: this.state(plan.failed.length > 0),
      at: this.now(),
    });
    return this.current;
  }

  private state(failed: boolean): RunState {
    if (this.facts.over) return this.facts.over;
    if (this.facts.paused) return "paused";
    return this.active.size === 0 && !this.planned && failed ? "needs-you" : "running";
  }

  async output(step: string, node: string, fromLine: number, count: number): Promise<string[]> {
    const found = this.plan.steps.find(({ id }) => id === step);
    const cell = this.facts.cells.get(step)?.get(node);
    if (!found || !cell) return [];
    const range = { from: fromLine, count };
    return this.outputs.read(remoteName(step, cell.tries), node, range, (line) => isShown(found, line));
  }

  /** The end for good: kept, marks taken from the nodes, durations learned. */
  private async finish(state: "done" | "failed" | "cancelled"): Promise<void> {
    if (this.closing) return;
    this.closing = (async () => {
      const { record, kept } = this.parts.journal.append({ kind: "over", state });
      await kept;
      learn(this.facts, record);
      const limit = within(unlockWithinMs);
      await Promise.allSettled(this.plan.nodes.map((node) => this.unlock(node, limit)));
      await rememberDurations(this.context, this.plan.kind, this.taken()).catch(() => undefined);
      await this.close();
    })();
    try {
      await this.closing;
      this.show();
      this.resolve(this.view());
    } catch (thrown) {
      this.reject(toVirtuError(thrown));
    }
  }

  private async unlock(node: PlanNode, signal: AbortSignal): Promise<void> {
    if (this.owned.has(node.name)) await unlockNode(this.broadcast, node, this.id, signal);
  }

  /** Seconds of the scripts that ended well, by step. */
  private taken(): Map<string, number[]> {
    const taken = new Map<string, number[]>();
    for (const [step, cells] of this.facts.cells) {
      const seconds = [...cells.values()].flatMap((cell) => (cell.state === "done" ? (cell.seconds ?? []) : []));
      if (seconds.length > 0) taken.set(step, seconds);
    }
    return taken;
  }

  /** What keeps virtu from going on at all: its own disk is full. The nodes are not told; a later virtu finds all again. */
  private fail(thrown: unknown): void {
    if (this.closing) return;
    const error = new VirtuError(
      {
        kind: "failed",
        what: "The run can't be carried on",
        where: this.parts.files.folder,
        why: toVirtuError(thrown).message,
        hint: `Mend it, then: virtu resume ${this.id}`,
      },
      { cause: thrown },
    );
    this.closing = this.leave();
    this.closing.finally(() => this.reject(error)).catch(() => undefined);
  }

  async detach(): Promise<void> {
    this.closing ??= this.leave();
    await this.closing.catch(() => undefined);
  }

  private async leave(): Promise<void> {
    const all = [...this.active.values()];
    for (const { abort } of all) abort.abort();
    this.over.abort();
    await Promise.all(all.map(({ ended }) => ended));
    await this.close();
  }

  /** Gives back what this process holds. */
  async close(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.over.abort();
    await Promise.allSettled([this.outputs.end(), this.broadcast.end()]);
    await this.parts.journal.close().catch(() => undefined);
    await this.parts.unlock();
  }
}

/** A signal for many nodes. */
function within(ms: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  setMaxListeners(0, signal);
  return signal;
}
