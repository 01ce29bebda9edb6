/** Actions on instances, a few at a time on each host or cluster, in the order they were asked for. */
import { toVirtuError } from "../errors.ts";
import type { ActionItem, ActionRun, ActOptions, Found } from "./inventory-types.ts";
import { actOn, hostOf, nameOf, type Request, type RequestName, refusalOf, statusOf } from "./target.ts";
import type { Provider, Status } from "./types.ts";

/** What the queue needs of the inventory. */
export interface QueueSurroundings {
  find: (key: string) => Found | null;
  /** Reads the place anew and gives the instance's status then; null when that could not be seen. */
  statusAfter: (provider: Provider, key: string) => Promise<Status | null>;
  /** An item is new or was replaced. */
  onItem: (item: ActionItem) => void;
  parallel: number;
}

interface Task {
  item: ActionItem;
  lane: string;
  limit: number;
  target: Found;
  options: ActOptions;
  finished: () => void;
}

export class ActionQueue {
  private nextItem = 1;
  private nextRun = 1;
  private readonly waiting: Task[] = [];
  private readonly running = new Map<string, number>();
  private readonly busy = new Map<string, ActionItem>();
  private readonly abort = new AbortController();

  constructor(private readonly around: QueueSurroundings) {}

  /** Queued and running items, oldest first. */
  pending(): ActionItem[] {
    return [...this.busy.values()].sort((a, b) => a.id - b.id);
  }

  busyWith(key: string): ActionItem | null {
    return this.busy.get(key) ?? null;
  }

  act(request: Request, keys: readonly string[], options: ActOptions = {}): ActionRun {
    const run = this.nextRun++;
    const items = new Map<number, ActionItem>();
    const finished: Promise<void>[] = [];
    const owners: Task[] = [];
    for (const key of new Set(keys)) {
      const target = this.around.find(key);
      const item = newItem(this.nextItem++, run, request, key, target);
      items.set(item.id, item);
      const refusal = target ? this.refusal(request.do, key, target) : "it is no longer there";
      if (!target || refusal !== null) {
        const failed = { ...item, state: "failed" as const, text: refusal ?? "", error: refusal, endedAt: Date.now() };
        items.set(item.id, { ...failed, statusAfter: target ? item.statusBefore : null });
        this.around.onItem(items.get(item.id) ?? failed);
        continue;
      }
      finished.push(
        new Promise((resolve) => {
          const limit = Math.max(1, options.parallel ?? this.around.parallel);
          const task: Task = { item, lane: target.provider.place, limit, target, options, finished: resolve };
          this.waiting.push(task);
          owners.push(task);
        }),
      );
      this.busy.set(key, item);
      this.around.onItem(item);
    }
    const current = () => [...items.keys()].map((id) => this.current(id, items, owners));
    const cancel = () => {
      for (const task of owners) this.takeBack(task);
    };
    if (options.signal?.aborted) cancel();
    options.signal?.addEventListener("abort", cancel, { once: true });
    const done = Promise.all(finished).then(() => {
      options.signal?.removeEventListener("abort", cancel);
      return current();
    });
    this.pump();
    return { run, items: current, done, cancel };
  }

  private current(id: number, items: Map<number, ActionItem>, owners: readonly Task[]): ActionItem {
    const item = owners.find((task) => task.item.id === id)?.item ?? items.get(id);
    if (!item) throw new RangeError(`no action ${id}`);
    return item;
  }

  refusal(action: RequestName, key: string, target: Found): string | null {
    const busy = this.busy.get(key);
    if (busy) return `a ${busy.action} is ${busy.state === "queued" ? "queued" : "under way"}`;
    return refusalOf(action, target);
  }

  /** Takes back an item that has not started. */
  cancel(id: number): boolean {
    const task = this.waiting.find((other) => other.item.id === id);
    return task ? this.takeBack(task) : false;
  }

  /** Stops following everything; what runs on the hosts goes on there. */
  end(): void {
    for (const task of [...this.waiting]) this.takeBack(task);
    this.abort.abort();
  }

  private takeBack(task: Task): boolean {
    const at = this.waiting.indexOf(task);
    if (at < 0) return false;
    this.waiting.splice(at, 1);
    this.busy.delete(task.item.key);
    const statusAfter = task.item.statusBefore;
    this.change(task, {
      state: "cancelled",
      text: "not started",
      error: "it was taken back",
      statusAfter,
      endedAt: Date.now(),
    });
    task.finished();
    return true;
  }

  private change(task: Task, change: Partial<ActionItem>): void {
    task.item = { ...task.item, ...change };
    if (this.busy.has(task.item.key)) this.busy.set(task.item.key, task.item);
    this.around.onItem(task.item);
  }

  private pump(): void {
    for (const task of [...this.waiting]) {
      const running = this.running.get(task.lane) ?? 0;
      if (running >= task.limit) continue;
      this.waiting.splice(this.waiting.indexOf(task), 1);
      this.running.set(task.lane, running + 1);
      void this.carry(task);
    }
  }

  private async carry(task: Task): Promise<void> {
    const { target, options, item } = task;
    this.change(task, { state: "running", text: "started", startedAt: Date.now() });
    const signals = [this.abort.signal, ...(options.signal ? [options.signal] : [])];
    // A shutdown's limit is the provider's business: it says what becomes of the guest then.
    const limited = options.limitSeconds !== undefined && item.action !== "shutdown";
    const limit = limited ? AbortSignal.timeout((options.limitSeconds ?? 0) * 1000) : null;
    const signal = AbortSignal.any(limit ? [...signals, limit] : signals);
    let ended: Partial<ActionItem>;
    try {
      const outcome = await actOn(item.request, target, {
        signal,
        limitSeconds: options.limitSeconds,
        onEvent: ({ text, job }) => this.change(task, job === undefined ? { text } : { text, job }),
      });
      const state = outcome.ok ? "done" : "failed";
      const text = outcome.error ?? outcome.text ?? "done";
      ended = { state, text, job: outcome.job ?? task.item.job, error: outcome.error, detail: outcome.detail };
    } catch (thrown) {
      const error = toVirtuError(thrown, `The ${item.action} failed`);
      const cancelled = error.kind === "cancelled";
      const text = cancelled
        ? limit?.aborted
          ? `no outcome after ${options.limitSeconds} s; it goes on where it runs`
          : "no longer followed; it goes on where it runs"
        : [error.what, error.why].filter(Boolean).join(": ");
      ended = { state: "failed", text, error: text, detail: error.detail ?? null };
    }
    this.busy.delete(item.key);
    this.change(task, { ...ended, endedAt: Date.now() });
    this.running.set(task.lane, (this.running.get(task.lane) ?? 1) - 1);
    this.pump();
    if (!signals.some((other) => other.aborted)) {
      const statusAfter = await this.around.statusAfter(target.provider, item.key);
      this.change(task, { statusAfter });
    }
    task.finished();
  }
}

function newItem(id: number, run: number, request: Request, key: string, target: Found | null): ActionItem {
  return {
    id,
    run,
    action: request.do,
    request,
    key,
    name: target ? nameOf(target) : key,
    host: target ? hostOf(target) : "",
    state: "queued",
    text: "queued",
    job: null,
    error: null,
    detail: null,
    statusBefore: statusOf(target),
    statusAfter: null,
    queuedAt: Date.now(),
    startedAt: null,
    endedAt: null,
  };
}
