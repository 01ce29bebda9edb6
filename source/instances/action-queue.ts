/** Actions on instances and nodes: a few at a time on each place and host, each followed to its end, in waves where asked. */
import { toVirtuError } from "../errors.ts";
import { newItem, RunRecord, retryOf } from "./action-run.ts";
import type { ActionItem, ActionRun, ActionRunView, ActOptions, Found } from "./inventory-types.ts";
import { Lanes, type LaneTask } from "./lanes.ts";
import { hostLimit, type ParallelSettings, placeLimit } from "./limits.ts";
import { actOn, type Request, type RequestName, refusalOf } from "./target.ts";
import type { Provider, Status } from "./types.ts";
import { runWaves } from "./wave-runner.ts";
import type { Condition } from "./waves.ts";

/** What the queue needs of the inventory. */
export interface QueueSurroundings {
  find: (key: string) => Found | null;
  /** Reads the place anew and gives the instance's status then; null when that could not be seen. */
  statusAfter: (provider: Provider, key: string) => Promise<Status | null>;
  /** Null when the condition came to hold for the instance, or why it did not. Rejects when it was cancelled. */
  check: (condition: Condition, key: string, withinSeconds: number, signal: AbortSignal) => Promise<string | null>;
  /** An item is new or was replaced. */
  onItem: (item: ActionItem) => void;
  /** A run began, ended, or came to another wave. */
  onRun: () => void;
  limits: ParallelSettings;
}

interface Task extends LaneTask {
  id: number;
  key: string;
  target: Found;
  record: RunRecord;
  /** It has ended, or was taken back. */
  over: boolean;
  /** Told of that, from when it may begin. */
  onEnd: () => void;
}

function ignore(): void {}

/** Runs that are kept to be looked at and asked for again. */
const keptRuns = 30;

export class ActionQueue {
  private nextItem = 1;
  private nextRun = 1;
  private readonly lanes = new Lanes<Task>();
  /** Those that have not started, in a lane or in a wave that is still to come. */
  private readonly waiting = new Map<number, Task>();
  private readonly busy = new Map<string, ActionItem>();
  private readonly records = new Map<number, RunRecord>();
  private readonly abort = new AbortController();

  constructor(private readonly around: QueueSurroundings) {}

  /** Queued and running items, oldest first. */
  pending(): ActionItem[] {
    return [...this.busy.values()];
  }

  busyWith(key: string): ActionItem | null {
    return this.busy.get(key) ?? null;
  }

  /** The runs, newest first. */
  runs(): ActionRunView[] {
    return [...this.records.values()].reverse().map((record) => record.view());
  }

  act(request: Request, keys: readonly string[], options: ActOptions = {}): ActionRun {
    const record = new RunRecord(this.nextRun++, request, options);
    this.keep(record);
    const waveOf = new Map(record.waves.flatMap((wave, index) => wave.keys.map((key) => [key, index] as const)));
    const tasks: Task[] = [];
    for (const key of new Set(keys)) {
      const task = this.enter(record, key, waveOf.get(key));
      if (task) tasks.push(task);
    }
    const cancel = () => {
      record.abort.abort();
      for (const task of tasks) this.takeBack(task, "it was taken back");
    };
    if (options.signal?.aborted) cancel();
    options.signal?.addEventListener("abort", cancel, { once: true });
    const done = this.carryRun(record, tasks).then(() => {
      options.signal?.removeEventListener("abort", cancel);
      record.end();
      this.around.onRun();
      return record.items();
    });
    this.around.onRun();
    return { run: record.run, items: () => record.items(), done, cancel };
  }

  /** A new run of what failed in that one; null when nothing did, or it is not known. */
  retry(run: number, options: Pick<ActOptions, "signal"> = {}): ActionRun | null {
    const record = this.records.get(run);
    if (!record?.ended) return null;
    const { keys, waves } = retryOf({ items: record.items(), waves: record.waves });
    if (keys.length === 0) return null;
    const again = { ...record.options, signal: options.signal, ...(waves.length > 0 ? { waves } : {}) };
    return this.act(record.request, keys, again);
  }

  /** Takes back what of that run has not started, waves to come among it; how many that were. */
  cancelRun(run: number): number {
    const record = this.records.get(run);
    record?.abort.abort();
    const own = [...this.waiting.values()].filter((task) => task.run === run);
    return own.filter((task) => this.takeBack(task, "it was taken back")).length;
  }

  private keep(record: RunRecord): void {
    this.records.set(record.run, record);
    for (const [run, old] of this.records) {
      if (this.records.size <= keptRuns) return;
      if (old.ended) this.records.delete(run);
    }
  }

  /** Makes the item of a key: a task that waits, or null when it is refused at once. */
  private enter(record: RunRecord, key: string, wave: number | undefined): Task | null {
    const target = this.around.find(key);
    const item = newItem(this.nextItem++, record, key, target, wave);
    const refusal = target ? this.refusal(record.request.do, key, target) : "it is no longer there";
    if (!target || refusal !== null) {
      const statusAfter = target ? item.statusBefore : null;
      const ended = { state: "failed" as const, text: refusal ?? "", error: refusal, endedAt: Date.now(), statusAfter };
      const failed = { ...item, ...ended };
      record.set(failed);
      this.around.onItem(failed);
      return null;
    }
    const { provider } = target;
    const host = provider.attachment.host.name;
    const { limits } = this.around;
    const asked = record.options.parallel;
    const place = asked === undefined ? placeLimit(limits, provider.name, host) : Math.max(1, asked);
    const task: Task = {
      id: item.id,
      run: record.run,
      place: provider.place,
      host,
      key,
      target,
      record,
      over: false,
      onEnd: ignore,
      limits: { place, host: asked === undefined ? hostLimit(limits, host) : null },
    };
    this.waiting.set(task.id, task);
    record.set(item);
    this.busy.set(key, item);
    this.around.onItem(item);
    return task;
  }

  /** Lets these begin as the limits allow; resolves when all of them have ended. */
  private begin(tasks: readonly Task[]): Promise<void> {
    const begun = tasks.filter(({ over }) => !over);
    return new Promise((resolve) => {
      let left = begun.length;
      if (left === 0) resolve();
      const onEnd = () => {
        left -= 1;
        if (left === 0) resolve();
      };
      for (const task of begun) {
        task.onEnd = onEnd;
        this.lanes.add(task);
      }
      this.pump();
    });
  }

  private async carryRun(record: RunRecord, tasks: readonly Task[]): Promise<void> {
    if (record.waves.length === 0) return this.begin(tasks);
    const known = new Map(tasks.map((task) => [task.key, task]));
    const own = (keys: readonly string[]) => keys.flatMap((key) => known.get(key) ?? []);
    const inWaves = new Set(record.waves.flatMap(({ keys }) => keys));
    await Promise.all([
      this.begin(tasks.filter(({ key }) => !inWaves.has(key))),
      runWaves(record, {
        begin: (keys) => this.begin(own(keys)),
        check: this.around.check,
        signal: AbortSignal.any([this.abort.signal, record.abort.signal]),
        onWave: () => this.around.onRun(),
        takeBack: (keys, why) => {
          for (const task of own(keys)) this.takeBack(task, why);
        },
      }),
    ]);
  }

  refusal(action: RequestName, key: string, target: Found): string | null {
    const busy = this.busy.get(key);
    if (busy) return `a ${busy.action} is ${busy.state === "queued" ? "queued" : "under way"}`;
    return refusalOf(action, target);
  }

  /** Takes back an item that has not started. */
  cancel(id: number): boolean {
    const task = this.waiting.get(id);
    return task ? this.takeBack(task, "it was taken back") : false;
  }

  /** Stops following everything; what runs on the hosts goes on there. */
  end(): void {
    for (const task of [...this.waiting.values()]) this.takeBack(task, "it was taken back");
    this.abort.abort();
  }

  private takeBack(task: Task, error: string): boolean {
    if (!this.waiting.delete(task.id)) return false;
    this.lanes.remove(task);
    this.busy.delete(task.key);
    const statusAfter = task.record.item(task.id)?.statusBefore ?? null;
    this.change(task, { state: "cancelled", text: "not started", error, statusAfter, endedAt: Date.now() });
    finish(task);
    return true;
  }

  private change(task: Task, change: Partial<ActionItem>): ActionItem {
    const before = task.record.item(task.id);
    if (!before) throw new RangeError(`no action ${task.id}`);
    const item = { ...before, ...change };
    task.record.set(item);
    if (this.busy.has(item.key)) this.busy.set(item.key, item);
    this.around.onItem(item);
    return item;
  }

  private pump(): void {
    for (let task = this.lanes.next(); task; task = this.lanes.next()) {
      this.waiting.delete(task.id);
      void this.carry(task);
    }
  }

  private async carry(task: Task): Promise<void> {
    const { target, record } = task;
    const { options, request } = record;
    const item = this.change(task, { state: "running", text: "started", startedAt: Date.now() });
    const signals = [this.abort.signal, ...(options.signal ? [options.signal] : [])];
    // A shutdown's limit is the provider's business: it says what becomes of the guest then.
    const limited = options.limitSeconds !== undefined && item.action !== "shutdown";
    const limit = limited ? AbortSignal.timeout((options.limitSeconds ?? 0) * 1000) : null;
    const signal = AbortSignal.any(limit ? [...signals, limit] : signals);
    let ended: Partial<ActionItem>;
    try {
      const outcome = await actOn(request, target, {
        signal,
        limitSeconds: options.limitSeconds,
        onEvent: ({ text, job }) => this.change(task, job === undefined ? { text } : { text, job }),
      });
      const state = outcome.ok ? "done" : "failed";
      const text = outcome.error ?? outcome.text ?? "done";
      const job = outcome.job ?? record.item(task.id)?.job ?? null;
      const { error, detail, unheard } = outcome;
      ended = { state, text, job, error, detail, ...(unheard ? { unheard } : {}) };
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
    this.lanes.ended(task);
    this.pump();
    if (!signals.some((other) => other.aborted)) {
      const statusAfter = await this.around.statusAfter(target.provider, item.key);
      this.change(task, { statusAfter });
    }
    finish(task);
  }
}

function finish(task: Task): void {
  task.over = true;
  task.onEnd();
}
