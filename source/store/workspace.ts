/**
 * What the screen works with: the store, and the only place where the screen starts anything. A view calls a method; the
 * method calls a journey or the inventory; what comes of it goes into the store as events.
 */
import { reasonOf, toVirtuError, VirtuError } from "../errors.ts";
import { createInventory } from "../instances/inventory.ts";
import type { Inventory } from "../instances/inventory-types.ts";
import { limitsOf } from "../instances/limits.ts";
import type { Context, Site } from "../journey/types.ts";
import type { Settings } from "../settings.ts";
import type { Asker, HostKeyQuestion, HostRef, SecretQuestion } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { CompareWork } from "./compare-work.ts";
import { ConsoleWork } from "./console-work.ts";
import { CreateWork } from "./create-work.ts";
import { InstanceWork } from "./instance-work.ts";
import { followInventory } from "./inventory-news.ts";
import { type Journeys, realJourneys } from "./journeys.ts";
import {
  type KnownEvent,
  type KnownState,
  type LogLine,
  type Notice,
  type Question,
  type RunSecretQuestion,
  reduce,
  startState,
} from "./known.ts";
import { MonitorWork } from "./monitor-work.ts";
import { RunWork } from "./run-work.ts";
import { ScheduleWork } from "./schedule-work.ts";
import { SiteWork } from "./site-work.ts";
import { createStore, type Store } from "./store.ts";
import { StoresWork } from "./stores-work.ts";
import { WayWork } from "./way-work.ts";

export type { KnownState } from "./known.ts";

/** How long a notice that needs no answer stays, in milliseconds. */
const noticeTime = 6000;

export interface WorkspaceOptions {
  context: Context;
  settings: Settings;
  questions: Questions;
  /** Site to start on. */
  site?: Site | null;
  /** Hosts whose instances are shown; by default those of the settings. */
  hosts?: readonly string[];
  clock?: () => number;
  /** Others than the real ones, for tests. */
  journeys?: Partial<Journeys>;
  inventory?: Inventory;
}

/**
 * The pool's questions to the user. It exists before the pool (which needs somebody to ask) and the workspace (which
 * needs the pool): until a screen is there to ask on, a question waits.
 */
export class Questions implements Asker {
  onAsk: (question: Question) => void = () => {};
  onGone: (id: number) => void = () => {};
  private readonly waiting = new Map<number, { question: Question; answer: (value: unknown) => void }>();
  private next = 1;

  secret(question: SecretQuestion, signal: AbortSignal): Promise<string | null> {
    return this.ask<string | null>((id) => ({ id, kind: "secret", question }), null, signal);
  }

  hostKey(question: HostKeyQuestion, signal: AbortSignal): Promise<"once" | "always" | "no"> {
    return this.ask<"once" | "always" | "no">((id) => ({ id, kind: "host-key", question }), "no", signal);
  }

  /** A secret that a run needs; null: the user gives none. */
  runSecret(question: RunSecretQuestion, signal: AbortSignal): Promise<string | null> {
    return this.ask<string | null>((id) => ({ id, kind: "run-secret", question }), null, signal);
  }

  /** The answer of the user; null or "no" is a refusal. */
  answer(id: number, value: string | null): void {
    const entry = this.waiting.get(id);
    if (!entry) return;
    this.waiting.delete(id);
    entry.answer(value);
    this.onGone(id);
  }

  private ask<T>(make: (id: number) => Question, refusal: T, signal: AbortSignal): Promise<T> {
    return new Promise((resolve) => {
      const id = this.next;
      this.next += 1;
      const question = make(id);
      this.waiting.set(id, { question, answer: (value) => resolve(value as T) });
      signal.addEventListener("abort", () => {
        if (!this.waiting.delete(id)) return;
        resolve(refusal);
        this.onGone(id);
      });
      this.onAsk(question);
    });
  }

  /** Asks again what was asked before there was a screen. */
  replay(): void {
    for (const { question } of this.waiting.values()) this.onAsk(question);
  }
}

export class Workspace {
  readonly store: Store<KnownState, KnownEvent>;
  readonly context: Context;
  readonly settings: Settings;
  readonly inventory: Inventory;
  readonly site: SiteWork;
  readonly runs: RunWork;
  readonly consoles: ConsoleWork;
  readonly monitor: MonitorWork;
  readonly making: CreateWork;
  readonly comparing: CompareWork;
  readonly stores: StoresWork;
  readonly ways: WayWork;
  readonly schedule: ScheduleWork;
  readonly instances: InstanceWork;
  readonly questions: Questions;
  readonly clock: () => number;
  private readonly ticker: NodeJS.Timeout;
  private readonly stops: (() => void)[] = [];
  private lastLog = 0;
  private readonly hostNames: Set<string>;

  constructor(options: WorkspaceOptions) {
    this.clock = options.clock ?? Date.now;
    this.context = options.context;
    this.settings = options.settings;
    this.questions = options.questions;
    this.store = createStore<KnownState, KnownEvent>(reduce, startState(this.clock()));
    const { pool } = this.context;

    this.hostNames = new Set(options.hosts?.length ? options.hosts : this.settings.get("hosts"));
    this.inventory =
      options.inventory ??
      createInventory({
        pool,
        hosts: [...this.hostNames].map((name) => ({ name })),
        // Asked for by name, a host without libvirt is trouble; not asked for, it is not.
        uri: this.settings.get("libvirtUri") || undefined,
        limits: limitsOf(this.settings.get("parallel")),
        intervalMs: this.settings.get("refreshSeconds") * 1000,
      });
    this.monitor = new MonitorWork(this, this.settings.get("thresholds"));
    this.schedule = new ScheduleWork(this);
    this.instances = new InstanceWork(this);
    this.stops.push(followInventory(this));
    this.listenToPool();
    const journeys = { ...realJourneys, ...options.journeys };
    this.making = new CreateWork(this, journeys);
    this.comparing = new CompareWork(this, journeys);
    this.stores = new StoresWork(this);
    this.site = new SiteWork(this, journeys);
    this.runs = new RunWork(this, journeys);
    this.ways = new WayWork(this, journeys);
    this.consoles = new ConsoleWork(this);
    this.store.dispatch({ type: "sites", sites: this.settings.get("sites") });
    const first = options.site ?? this.settings.get("sites")[0] ?? null;
    if (first) this.site.choose(first);

    this.questions.onAsk = (question) => {
      this.store.dispatch({ type: "question", question });
      this.store.flush();
    };
    this.questions.onGone = (id) => {
      this.store.dispatch({ type: "answered", id });
      this.store.flush();
    };
    this.questions.replay();
    this.ticker = setInterval(() => this.store.dispatch({ type: "tick", now: this.clock() }), 1000);
    this.ticker.unref();
    if (this.settings.problem) this.failed(this.settings.problem);
    this.store.flush();
    void this.carryOn();
  }

  /** Ways first: their runs are theirs to carry. */
  private async carryOn(): Promise<void> {
    void this.comparing.refresh();
    await this.runs.carryOn(await this.ways.carryOn());
  }

  private listenToPool(): void {
    const { pool } = this.context;
    const onChange = () => this.store.dispatch({ type: "sessions", sessions: pool.sessions() });
    const onLog = (line: { host: string; text: string; level: LogLine["level"] }) =>
      this.log(line.level, line.host, line.text);
    pool.on("change", onChange);
    pool.on("log", onLog);
    this.stops.push(
      () => pool.off("change", onChange),
      () => pool.off("log", onLog),
    );
    onChange();
  }

  get state(): KnownState {
    return this.store.get();
  }

  /** The number of the next line of log and feed: both count together, so that they can be shown as one. */
  nextLine(): number {
    this.lastLog += 1;
    return this.lastLog;
  }

  log(level: LogLine["level"], where: string, text: string): void {
    this.logAll([{ level, where, text }]);
  }

  /** Several lines at once: a copy of the log for each of thousands would take longer than a key may. */
  logAll(entries: readonly Pick<LogLine, "level" | "where" | "text">[]): void {
    const lines = entries.map(({ level, where, text }) => ({
      id: this.nextLine(),
      at: this.clock(),
      level,
      where: plainLine(where),
      text: plainLine(text),
    }));
    this.store.dispatch({ type: "log", lines });
  }

  /** Says something above the last line; `keep` until a key answers it. */
  notify(tone: Notice["tone"], text: string, keep = false): void {
    this.store.dispatch({
      type: "notice",
      notice: { tone, text: plainLine(text), until: keep ? null : this.clock() + noticeTime },
    });
    this.store.flush();
  }

  /** An error that no view of its own shows: one line above the last one, all of it in the log. */
  failed(thrown: unknown): VirtuError {
    const error = toVirtuError(thrown);
    if (error.kind === "cancelled") return error;
    this.log("error", error.where ?? "virtu", [error.what, error.why, error.hint].filter(Boolean).join(" · "));
    for (const line of error.detail?.trimEnd().split("\n") ?? []) this.log("error", error.where ?? "virtu", line);
    this.notify("bad", `${error.where ? `${error.where}: ` : ""}${error.what}${error.why ? `: ${error.why}` : ""}`);
    return error;
  }

  /** The notice has been read. */
  dismiss(): void {
    this.store.dispatch({ type: "notice", notice: null });
    this.store.flush();
  }

  /** A notice that waits for an answer needs none any more; another one stays. */
  withdraw(text: string | null): void {
    if (text === null || this.state.kept?.text !== text) return;
    this.store.dispatch({ type: "withdrawn" });
    this.store.flush();
  }

  hosts(): readonly string[] {
    return [...this.hostNames];
  }

  /** Shows this host's instances from now on; kept in the settings. */
  addHost(name: string): void {
    if (this.hostNames.has(name)) return;
    this.hostNames.add(name);
    this.inventory.addHost({ name });
    this.saveHosts();
  }

  /** Shows the instances of these hosts from now on, as they are reached in a job; a job's nodes are not kept in the settings. */
  showHosts(hosts: readonly HostRef[]): void {
    for (const host of hosts) {
      if (host.via === undefined && host.knownHostsFile === undefined) this.addHost(host.name);
      else this.inventory.addHost(host);
    }
  }

  removeHost(name: string): void {
    if (!this.hostNames.delete(name)) return;
    this.inventory.removeHost(name);
    this.saveHosts();
  }

  private saveHosts(): void {
    void this.save(() => this.settings.set("hosts", [...this.hostNames]));
  }

  /** Writes settings; a full disk or a read-only home is said, and what was chosen stays in force for this time. */
  async save(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (thrown) {
      this.failed(
        new VirtuError({
          kind: "failed",
          what: "The settings can't be saved",
          where: this.settings.file,
          why: reasonOf(thrown),
          hint: "It is in force until you leave; free the disk or make the file writable to keep it.",
        }),
      );
    }
  }

  /** Stops polling and following. What runs on the hosts goes on. The pool is its owner's to end, after this. */
  async end(): Promise<void> {
    clearInterval(this.ticker);
    this.site.end();
    this.monitor.end();
    this.making.end();
    this.stores.end();
    this.schedule.end();
    this.instances.end();
    this.inventory.end();
    await this.consoles.end();
    for (const stop of this.stops) stop();
    await this.ways.end();
    await this.runs.end();
    await this.comparing.end();
  }
}
