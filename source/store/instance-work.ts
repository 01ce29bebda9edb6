/**
 * What the screen asks of providers beyond their lists: details of one instance, where it can go, jobs. Also keeps the feed:
 * what providers tell of changes goes into the store from here.
 */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { ActionItem, HostEvent, InventoryView } from "../instances/inventory-types.ts";
import { isUnheard } from "../instances/unheard.ts";
import { plainLine } from "../text.ts";
import type { QueuedJob } from "./instance-known.ts";
import type { KnownEvent } from "./known.ts";
import { Looking } from "./looking.ts";
import type { Workspace } from "./workspace.ts";

/** Actions that have targets to choose from. */
export type MoveName = "migrate" | "move" | "failover";

/** Milliseconds between two looks at the jobs while somebody looks; one list costs the master 0.4 s of CPU at worst. */
const jobsInterval = 4000;

/** Under which the targets of an action are kept. */
export function targetsKey(action: MoveName, key: string): string {
  return `${action} ${key}`;
}

export class InstanceWork {
  private readonly workspace: Workspace;
  private readonly abort = new AbortController();
  /** Instances that somebody looks at alone, with how many do. */
  private readonly looked = new Map<string, number>();
  /** What is being read, and whether something changed meanwhile. */
  private readonly reading = new Map<string, { again: boolean }>();
  /** Who did not hear a shutdown, as the notice says it; by the item's number. */
  private deaf: ReadonlySet<number> = new Set();
  private deafNotice: string | null = null;
  private seen: InventoryView["instances"] = [];
  private readonly lookingAtJobs = new Looking(() => this.readJobs(), jobsInterval);
  private readingJobs: Promise<void> | null = null;
  private readonly stops: (() => void)[];

  constructor(workspace: Workspace) {
    this.workspace = workspace;
    const { inventory } = workspace;
    const onEvent = (event: HostEvent) => this.onEvent(event);
    const onAction = (item: ActionItem) => this.onAction(item);
    inventory.on("event", onEvent);
    inventory.on("action", onAction);
    this.stops = [() => inventory.off("event", onEvent), () => inventory.off("action", onAction)];
  }

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  private onEvent(event: HostEvent): void {
    this.dispatch({
      type: "feed",
      lines: [
        {
          ...event,
          id: this.workspace.nextLine(),
          name: plainLine(event.name),
          text: plainLine(event.text),
          by: event.by === null ? null : plainLine(event.by),
        },
      ],
    });
    if (event.changes && event.key !== null) this.readAgain(event.key);
    if (this.lookingAtJobs.isOn) void this.readJobs();
  }

  private onAction(item: ActionItem): void {
    if (item.endedAt === null) return;
    this.readAgain(item.key);
  }

  /** Says who did not hear a shutdown, until they are dealt with or have gone off; anew only when there are more. */
  see(view: InventoryView): void {
    if (view.instances === this.seen) return;
    this.seen = view.instances;
    // Said when the look after the end has seen them: until then one may be off by now.
    const rows = view.instances.filter((row) => isUnheard(row) && row.action?.statusAfter);
    const now = new Set(rows.map(({ action }) => action?.id ?? 0));
    if (now.size === this.deaf.size && [...now].every((id) => this.deaf.has(id))) return;
    const more = [...now].some((id) => !this.deaf.has(id));
    const standing = this.workspace.state.kept?.text === this.deafNotice;
    this.deaf = now;
    if (now.size === 0) this.leaveUnheard();
    if (now.size === 0 || (!more && !standing)) return;
    const names = rows.slice(0, 2).map(({ name }) => plainLine(name));
    const rest = rows.length > 2 ? ` and ${rows.length - 2} more` : "";
    this.deafNotice = `${names.join(", ")}${rest} did not shut down: f on screen 4 offers what to do.`;
    this.workspace.notify("warning", this.deafNotice, true);
  }

  /** They were dealt with, or are left as they are: the notice has done its work. */
  leaveUnheard(): void {
    this.workspace.withdraw(this.deafNotice);
    this.deafNotice = null;
  }

  /** Reads the details of an instance now, and after each change for as long as it is looked at. Call what it returns to stop. */
  look(key: string): () => void {
    this.looked.set(key, (this.looked.get(key) ?? 0) + 1);
    void this.readDetails(key);
    let looking = true;
    return () => {
      if (!looking) return;
      looking = false;
      const left = (this.looked.get(key) ?? 1) - 1;
      if (left > 0) this.looked.set(key, left);
      else this.looked.delete(key);
    };
  }

  private readAgain(key: string): void {
    if (this.looked.has(key)) void this.readDetails(key);
  }

  /** Reads the details of an instance; what comes of it goes into the store. One reading at a time. Never rejects. */
  async readDetails(key: string): Promise<void> {
    const under = this.reading.get(key);
    if (under) {
      under.again = true;
      return;
    }
    const own = { again: false };
    this.reading.set(key, own);
    this.dispatch({ type: "details", key, change: { loading: true } });
    try {
      const found = this.workspace.inventory.find(key);
      if (found?.kind !== "instance") throw gone();
      const value = await found.provider.details(found.instance, { signal: this.abort.signal, priority: "user" });
      this.dispatch({
        type: "details",
        key,
        change: { value, at: this.workspace.clock(), loading: false, error: null },
      });
    } catch (thrown) {
      const error = toVirtuError(thrown, "Its details can't be read");
      this.dispatch({ type: "details", key, change: { loading: false, error } });
    }
    this.reading.delete(key);
    if (own.again && this.looked.has(key)) await this.readDetails(key);
  }

  /** Asks where an instance can go; what comes of it goes into the store. Never rejects. */
  async readTargets(action: MoveName, key: string): Promise<void> {
    const entry = targetsKey(action, key);
    this.dispatch({ type: "targets", key: entry, change: { loading: true, error: null } });
    try {
      const found = this.workspace.inventory.find(key);
      if (found?.kind !== "instance") throw gone();
      const value = await found.provider.targets(action, found.instance, {
        signal: this.abort.signal,
        priority: "user",
      });
      this.dispatch({
        type: "targets",
        key: entry,
        change: { value, at: this.workspace.clock(), loading: false, error: null },
      });
    } catch (thrown) {
      const error = toVirtuError(thrown, "Where it can go can't be found out");
      this.dispatch({ type: "targets", key: entry, change: { loading: false, error } });
    }
  }

  /** Somebody looks at the jobs: they are read now, with each event and from time to time. Call what it returns to stop. */
  watchJobs(): () => void {
    return this.lookingAtJobs.watch();
  }

  /** Reads the queues of all providers that have one. Never rejects. */
  readJobs(): Promise<void> {
    this.readingJobs ??= this.askJobs().finally(() => {
      this.readingJobs = null;
    });
    return this.readingJobs;
  }

  private async askJobs(): Promise<void> {
    this.dispatch({ type: "provider-jobs", change: { loading: true } });
    const providers = this.workspace.inventory.providers().filter(({ jobs }) => jobs);
    const { signal } = this.abort;
    const answers = await Promise.allSettled(
      providers.map(async ({ jobs, place, cluster, attachment }): Promise<QueuedJob[]> => {
        const list = (await jobs?.list({ signal, priority: "poll" })) ?? [];
        return list.map((job) => ({ ...job, place, where: cluster ?? attachment.host.name }));
      }),
    );
    const value = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const refused = answers.find((answer) => answer.status === "rejected");
    const error = refused ? toVirtuError(refused.reason, "The jobs can't be listed") : null;
    // Where none answered, what was known stays.
    const whole = answers.some(({ status }) => status === "fulfilled") || providers.length === 0;
    const change = whole ? { value, at: this.workspace.clock() } : {};
    this.dispatch({ type: "provider-jobs", change: { ...change, loading: false, error } });
  }

  /** Takes back a job that waits, and reads the queue again; why it can't be is said on the screen. */
  async cancelJob({ place, where, id, summary }: QueuedJob): Promise<void> {
    const provider = this.workspace.inventory.providers().find((other) => other.place === place);
    try {
      if (!provider?.jobs) throw new VirtuError({ kind: "failed", what: "Its queue is gone", where });
      await provider.jobs.cancel(id, { signal: this.abort.signal, priority: "user" });
      this.workspace.log("info", where, `job ${id} taken back: ${summary}`);
      this.workspace.notify("good", `Job ${id} is taken back.`);
    } catch (thrown) {
      this.workspace.failed(thrown);
    }
    await this.readJobs();
  }

  end(): void {
    this.abort.abort();
    this.lookingAtJobs.end();
    for (const stop of this.stops) stop();
  }
}

function gone(): VirtuError {
  return new VirtuError({ kind: "failed", what: "It is no longer there", hint: "Esc goes back to the others." });
}
