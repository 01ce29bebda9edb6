/** A run under way: starts what may start, carries it, keeps what came of it, and does what the user decides. */
import { setMaxListeners } from "node:events";
import { rm } from "node:fs/promises";
import { reasonOf, toVirtuError, VirtuError } from "../errors.ts";
import { Limiter } from "../ssh/limiter.ts";
import { pause } from "../waiting.ts";
import { type Durations, rememberDurations, usualSteps } from "./estimate.ts";
import type { Entry, Journal } from "./journal.ts";
import type { Decision, Plan, PlanNode, RunHandle, RunState, RunView, Step } from "./plan.ts";
import type { Broadcast } from "./run-broadcast.ts";
import { type Carrier, carryCell, type Live } from "./run-cell.ts";
import { learn, type RunFacts, secondsTaken, valuesFor } from "./run-model.ts";
import { OwnNodes } from "./run-nodes.ts";
import { Outputs } from "./run-outputs.ts";
import { isShown } from "./run-reader.ts";
import { remoteName } from "./run-remote.ts";
import { cellKey, mayGoWithout, nodesIn, schedule } from "./run-schedule.ts";
import { Secrets } from "./run-secrets.ts";
import type { RunFiles } from "./run-store.ts";
import { Teller } from "./run-tell.ts";
import type { RunOptions, RunPace } from "./run-types.ts";
import { Views } from "./run-view.ts";
import type { Context } from "./types.ts";

/** So many nodes are asked at once; what runs on them is followed on all. */
const nodesAtOnce = 64;
/** A cancelled step is waited for so long. */
const stopWithinMs = 20_000;
const stopAgainMs = 2000;
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
  private readonly nodes: OwnNodes;
  private readonly secrets: Secrets;
  private readonly usual: ReadonlyMap<string, number>;
  private readonly views = new Views();
  private readonly over = new AbortController();
  private readonly teller: Teller;
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
    const { options } = parts;
    this.teller = new Teller(() => this.make(), options.onView);
    this.secrets = new Secrets(options.secrets, this.over.signal);
    const signal = options.signal ? AbortSignal.any([this.over.signal, options.signal]) : this.over.signal;
    setMaxListeners(0, signal);
    this.nodes = new OwnNodes(parts.context, parts.broadcast, this.short, {
      run: parts.id,
      take: options.takeLock ?? false,
      signal,
      now: () => this.now(),
    });
    this.usual = usualSteps(this.plan, parts.durations);
    this.outputs = new Outputs(parts.files.out, () => this.teller.changed());
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

  own(node: PlanNode): Promise<void> {
    return this.nodes.own(node);
  }

  async keep(entry: Entry): Promise<void> {
    const { record, kept } = this.parts.journal.append(entry);
    learn(this.facts, record);
    this.teller.changed();
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

  secret(name: string): Promise<string | null> {
    return this.secrets.get(name);
  }

  /** Marks the nodes and starts what may start. Rejects when they belong to another run; a `fresh` run is then forgotten. */
  async begin(fresh: boolean): Promise<void> {
    try {
      await this.nodes.ownAll(nodesIn(this.plan, this.facts.out));
    } catch (thrown) {
      if (fresh) await this.nodes.free(this.plan.nodes, within(unlockWithinMs));
      await this.close();
      if (fresh) await rm(this.parts.files.folder, { recursive: true, force: true });
      throw thrown;
    }
    if (this.facts.cancelled) await this.nodes.stopStarted(this.facts);
    this.advance();
    this.teller.now();
  }

  /** Of a run that is over nothing is left but to look at it. */
  async rest(): Promise<void> {
    this.closing = Promise.resolve();
    await this.parts.journal.close();
    await this.parts.unlock();
    this.teller.now();
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
    const live: Live = { phase: "checking", lost: null, reader: null };
    this.live.set(key, live);
    this.active.set(key, one);
    const tell = (change: Partial<Live>) => {
      if (change.lost !== undefined && (change.lost === null) !== (live.lost === null)) {
        const goesOn = live.phase === "running" ? "; what runs there goes on" : "";
        const how = change.lost === null ? "is back" : `is lost: ${change.lost}${goesOn}`;
        this.parts.options.onNotice?.(`${node.name} ${how}.`);
      }
      Object.assign(live, change);
      this.teller.changed();
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
        this.teller.changed();
        this.later();
      });
  }

  private failed(step: Step, node: PlanNode): void {
    if (step.secret !== null) this.secrets.forget(step.secret);
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
          let over = false;
          const end = ended.then(() => {
            over = true;
          });
          try {
            // One that was just being started may not have been there the first time.
            while (!over && !this.over.signal.aborted) {
              await this.nodes.stop(step.id, node, remote);
              await Promise.race([end, pause(stopAgainMs, this.over.signal)]);
            }
          } catch {
            abort.abort();
          }
        }),
      ),
    ]);
    for (const { abort } of all) abort.abort();
    this.later();
  }

  view(): RunView {
    return this.teller.view();
  }

  private make(): RunView {
    const plan = schedule(this.facts);
    const { id, live, usual } = this;
    const state = this.state(plan.failed.length > 0);
    return this.views.make(this.facts, { id, schedule: plan, live, usual, state, at: this.now() });
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
      await this.nodes.free(this.plan.nodes, within(unlockWithinMs));
      await rememberDurations(this.context, this.plan.kind, secondsTaken(this.facts)).catch(() => undefined);
      await this.close();
    })();
    try {
      await this.closing;
      this.teller.now();
      this.resolve(this.view());
    } catch (thrown) {
      this.reject(toVirtuError(thrown));
    }
  }

  /** What keeps virtu from going on at all: its own disk is full. The nodes are not told; a later virtu finds all again. */
  private fail(thrown: unknown): void {
    if (this.closing) return;
    const error = new VirtuError(
      {
        kind: "failed",
        what: "The run can't be carried on",
        where: this.parts.files.folder,
        why: reasonOf(thrown),
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
    this.teller.end();
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
