/** Actions at a time, for the screen: what the hosts keep, keeping more, taking back. */
import { toVirtuError } from "../errors.ts";
import { verbOf } from "../instances/action-words.ts";
import {
  cancelScheduled,
  carriersOf,
  listScheduled,
  noCarrier,
  planSchedule,
  type ScheduledJob,
  type ScheduleOutcome,
  type SchedulePlan,
  scheduleAction,
} from "../instances/schedule.ts";
import type { Action } from "../instances/types.ts";
import { whenText } from "../instances/when.ts";
import type { HostRef } from "../ssh/types.ts";
import { Looking } from "./looking.ts";
import type { Workspace } from "./workspace.ts";

/** Milliseconds between two looks while somebody looks. */
const lookEveryMs = 10_000;

export class ScheduleWork {
  private readonly abort = new AbortController();
  /** Hosts that were asked what they have, and have something. */
  private readonly asked = new Set<string>();
  private readonly looking = new Looking(() => this.refresh(), lookEveryMs);

  constructor(private readonly workspace: Workspace) {}

  private get context() {
    return { pool: this.workspace.context.pool, inventory: this.workspace.inventory };
  }

  /** Somebody looks at the list: it is read now and then now and again. Call what it returns to stop. */
  watch(): () => void {
    return this.looking.watch();
  }

  async refresh(): Promise<void> {
    const { store, clock } = this.workspace;
    const { jobs, problems } = await listScheduled(this.context, this.abort.signal);
    if (this.abort.signal.aborted) return;
    store.dispatch({ type: "scheduled", change: { value: jobs, at: clock(), error: problems[0] ?? null } });
  }

  /** Asks the hosts of these instances what carries an action at a time there, once for each host. Never rejects. */
  async askCarriers(keys: readonly string[]): Promise<void> {
    const { store, inventory, context } = this.workspace;
    const targets = new Map<string, HostRef>();
    for (const key of keys) {
      const target = inventory.find(key)?.provider.target;
      if (target && !this.asked.has(target.name)) targets.set(target.name, target);
    }
    if (targets.size === 0) return;
    for (const name of targets.keys()) this.asked.add(name);
    const carriers = await carriersOf(context.pool, [...targets.values()], this.abort.signal);
    // Who gave no answer is asked again the next time, and so is who has nothing: it may be installed meanwhile.
    for (const name of targets.keys()) if ((carriers[name] ?? "none") === "none") this.asked.delete(name);
    if (!this.abort.signal.aborted) store.dispatch({ type: "carriers", carriers });
  }

  /** Null, or why nothing can be kept for this instance; null also where its host has not said it yet. */
  refuses(key: string): string | null {
    const name = this.workspace.inventory.find(key)?.provider.target.name;
    return name !== undefined && this.workspace.state.carriers[name] === "none" ? noCarrier(name) : null;
  }

  /** What would be kept where, and who is left out: to be shown before it is done. */
  plan(action: Action, keys: readonly string[]): SchedulePlan {
    const { carriers } = this.workspace.state;
    const unable = new Set(Object.keys(carriers).filter((name) => carriers[name] === "none"));
    return planSchedule(this.context, action, keys, unable);
  }

  /** Keeps it on the hosts for that time (epoch seconds); what each host said is in the log, and a failure in a notice. */
  async schedule(action: Action, plan: SchedulePlan, at: number): Promise<ScheduleOutcome[]> {
    const outcomes = await scheduleAction(this.context, action, plan, at, this.abort.signal);
    const now = this.workspace.clock() / 1000;
    for (const { host, job, error, names, clock } of outcomes) {
      if (error) this.workspace.failed(error);
      else if (job) {
        const text = `${verbOf(action.do)} ${names.join(", ")} at ${whenText(at, now, clock)}, by ${job.carrier}`;
        this.workspace.log("info", host, text);
      }
    }
    const kept = outcomes.filter(({ job }) => job !== null);
    if (kept.length === outcomes.length && kept.length > 0) {
      this.workspace.notify("good", `Kept by ${kept.map(({ host }) => host).join(", ")}: T on the instances lists it.`);
    }
    void this.refresh();
    return outcomes;
  }

  async cancel(job: ScheduledJob): Promise<void> {
    try {
      await cancelScheduled(this.context, job, this.abort.signal);
      this.workspace.log("info", job.host, `scheduled job ${job.id} (${job.names.join(", ")}) was taken back`);
    } catch (thrown) {
      this.workspace.failed(toVirtuError(thrown));
    }
    await this.refresh();
  }

  end(): void {
    this.abort.abort();
    this.looking.end();
  }
}
