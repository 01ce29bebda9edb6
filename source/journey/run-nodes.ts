/** The nodes of a run: marked as its own, once each and before anything is done there; freed at its end. */
import { toVirtuError } from "../errors.ts";
import type { Limiter } from "../ssh/limiter.ts";
import { type LockOptions, lockNode, unlockNode } from "./lock-nodes.ts";
import type { PlanNode } from "./plan.ts";
import type { Broadcast } from "./run-broadcast.ts";
import type { RunFacts } from "./run-model.ts";
import { stopStep } from "./run-remote.ts";
import type { Context } from "./types.ts";

/** Milliseconds that a node has to answer what is asked in passing. */
const passingMs = 10_000;

export class OwnNodes {
  private readonly owned = new Map<string, Promise<void>>();

  constructor(
    private readonly context: Context,
    private readonly broadcast: Broadcast,
    private readonly short: Limiter,
    private readonly options: LockOptions,
  ) {}

  /** Marks a node; asked again after a failure, it tries again. */
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
    const release = await this.short.acquire(this.options.signal);
    try {
      await lockNode(this.context, this.broadcast, node, this.options);
    } finally {
      release();
    }
  }

  /** Marks those that can be reached; rejects when one belongs to another run. */
  async ownAll(nodes: readonly PlanNode[]): Promise<void> {
    const held: unknown[] = [];
    await Promise.all(
      nodes.map(async (node) => {
        try {
          await this.own(node);
        } catch (thrown) {
          const { kind } = toVirtuError(thrown);
          if (kind === "refused" || kind === "cancelled") held.push(thrown);
        }
      }),
    );
    if (held.length > 0) throw held[0];
  }

  /** Takes the marks away. A node that does not answer keeps its mark; the next run of this machine takes it. */
  async free(nodes: readonly PlanNode[], signal: AbortSignal): Promise<void> {
    const own = nodes.filter(({ name }) => this.owned.has(name));
    await Promise.allSettled(own.map((node) => unlockNode(this.broadcast, node, this.options.run, signal)));
  }

  /** Ends what a step runs on a node. Rejects when the node can't be told. */
  async stop(step: string, node: PlanNode, remote: string): Promise<void> {
    const options = { batch: `${step} stop`, signal: this.options.signal, timeoutMs: passingMs };
    await this.broadcast.exec(node, stopStep(this.options.run, remote), options);
  }

  /** Ends what a virtu that was cancelling has left running. */
  async stopStarted(facts: RunFacts): Promise<void> {
    const started: Promise<void>[] = [];
    for (const [step, cells] of facts.cells) {
      for (const node of facts.plan.nodes) {
        const cell = cells.get(node.name);
        if (cell?.state === "started" && cell.remote !== null) started.push(this.stop(step, node, cell.remote));
      }
    }
    await Promise.allSettled(started);
  }
}
