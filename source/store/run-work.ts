/** What the screen does with runs: starts, opens, carries on by itself, decides, reads output. One of these for a workspace. */
import { toVirtuError, type VirtuError } from "../errors.ts";
import type { Secrets } from "../journey/configure-choice.ts";
import { jobKeyPair } from "../journey/configure-keys.ts";
import { keyPairSecret, userKeySecret } from "../journey/configure-types.ts";
import type { Decision, Plan, RunHandle, RunView } from "../journey/plan.ts";
import { aborted } from "../journey/run-rest.ts";
import type { RunOptions, RunSummary } from "../journey/run-types.ts";
import type { RunCarrier } from "../journey/up-run.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent } from "./known.ts";
import { Looking } from "./looking.ts";
import { NodeAsking } from "./node-asking.ts";
import { runIsOpen } from "./run-known.ts";
import type { Workspace } from "./workspace.ts";

/** Milliseconds between two looks at the journals while somebody looks; longer where reading them takes long. */
const listInterval = 4000;
/** The share of the time that reading the journals may take: plans of many nodes are large. */
const listShare = 0.05;

/** What a run is for. */
type RunOf = Pick<Plan, "title" | "site" | "jobId">;

const sayable = (error: VirtuError) => [error.what, error.why, error.hint].filter(Boolean).join(" · ");

export class RunWork {
  /** What nodes say of themselves, for the forms. */
  readonly asking: NodeAsking;
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private readonly abort = new AbortController();
  private readonly handles = new Map<string, RunHandle>();
  /** The state that was last said of a run. */
  private readonly said = new Map<string, RunView["state"]>();
  private readonly looking = new Looking(
    () => this.refresh(),
    (tookMs) => Math.max(listInterval, tookMs / listShare),
  );
  private refreshing: Promise<void> | null = null;

  constructor(workspace: Workspace, journeys: Journeys) {
    this.workspace = workspace;
    this.journeys = journeys;
    this.asking = new NodeAsking(workspace, journeys);
  }

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  /**
   * Runs that nobody carries any more (virtu was killed, the machine went down) go on by themselves. Never rejects.
   * @param others Runs that somebody else here carries.
   */
  async carryOn(others: ReadonlySet<string> = new Set()): Promise<void> {
    await this.refresh();
    const left = this.workspace.state.runs.list.value.filter(
      (run) => runIsOpen(run) && run.pid === null && !others.has(run.id),
    );
    await Promise.all(
      left.map(async ({ id, title }) => {
        this.workspace.log("info", id, `${title} was interrupted: it goes on`);
        const opened = await this.open(id);
        if (opened) this.workspace.notify("info", `${title} was interrupted and goes on now.`);
      }),
    );
  }

  /** Somebody looks at the runs: read the journals now and then, until the returned function is called. */
  watch(): () => void {
    return this.looking.watch();
  }

  /** Reads the journals now; never rejects. */
  refresh(): Promise<void> {
    this.refreshing ??= this.load().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async load(): Promise<void> {
    this.dispatch({ type: "runs", change: { loading: true } });
    try {
      void this.workspace.ways.refresh();
      const value = await this.journeys.listRuns(this.workspace.context);
      this.dispatch({ type: "runs", change: { value, at: this.workspace.clock(), loading: false, error: null } });
    } catch (thrown) {
      this.dispatch({ type: "runs", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** A secret of a run: given in its form, kept here (the job's own key pair), or asked for now. */
  private async secret(of: RunOf, given: Secrets, name: string, signal: AbortSignal): Promise<string | null> {
    const value = given[name];
    if (value !== undefined) return value;
    if (name === keyPairSecret) return (await jobKeyPair(this.workspace.context, of.site, of.jobId)).privateKey;
    // The user's own key can't be typed: a new run takes its file again.
    if (name === userKeySecret) return null;
    return this.workspace.questions.runSecret({ title: of.title, name }, signal);
  }

  private options(of: () => RunOf, secrets: Secrets): RunOptions {
    const title = () => of().title;
    return {
      signal: this.abort.signal,
      secrets: (name, signal) => this.secret(of(), secrets, name, signal),
      onView: (view) => this.see(view),
      onNotice: (text) => {
        if (!this.abort.signal.aborted) this.workspace.log("info", title(), text);
      },
    };
  }

  /** A new view of a run; what needs the user is said once. */
  private see(view: RunView): void {
    if (this.abort.signal.aborted) return;
    this.dispatch({ type: "run", view });
    if (this.said.get(view.id) === view.state) return;
    const before = this.said.get(view.id);
    this.said.set(view.id, view.state);
    const { title } = view.plan;
    if (view.state === "needs-you") {
      this.workspace.notify("warning", `${title}: ${view.problem ?? "it stands still and needs you"}`, true);
      this.workspace.log("warning", title, view.problem ?? "it stands still and needs you");
    }
    // One that was opened after its end has nothing new to say.
    if (before === undefined) return;
    if (view.state === "done") {
      const out = view.out.length > 0 ? `, ${count(view.out.length, "node")} left out` : "";
      this.workspace.notify(out ? "warning" : "good", `${title}: done${out}.`);
    }
    if (view.state === "failed") this.workspace.notify("bad", `${title} failed: ${view.problem ?? ""}`, true);
    if (view.state === "done" || view.state === "failed" || view.state === "cancelled") {
      this.workspace.log(view.state === "done" ? "info" : "warning", title, view.state);
      void this.refresh();
    }
  }

  private take(handle: RunHandle): void {
    this.handles.set(handle.id, handle);
    this.see(handle.view());
    handle.done.then(
      (view) => this.see(view),
      (thrown: unknown) => this.broken(handle.id, thrown),
    );
    this.workspace.store.flush();
  }

  private broken(id: string, thrown: unknown): void {
    if (this.abort.signal.aborted) return;
    const error = toVirtuError(thrown);
    this.dispatch({ type: "run-error", id, error });
    this.workspace.log("error", error.where ?? id, sayable(error));
    this.workspace.store.flush();
  }

  /** Starts a plan; resolves with the run's id, or null after an error that is in `startError`. */
  async start(
    plan: Plan,
    secrets: Secrets,
    options: Pick<RunOptions, "takeLock" | "engine"> = {},
  ): Promise<string | null> {
    if (this.workspace.state.runs.starting !== null) return null;
    this.dispatch({ type: "run-start", title: plan.title, error: null });
    this.workspace.store.flush();
    try {
      const run = { ...this.options(() => plan, secrets), ...options };
      const handle = await this.journeys.startRun(this.workspace.context, plan, run);
      this.workspace.log("info", plan.title, `run ${handle.id} has started`);
      this.dispatch({ type: "run-start", title: null, error: null });
      this.take(handle);
      void this.refresh();
      return handle.id;
    } catch (thrown) {
      const error = toVirtuError(thrown);
      this.dispatch({ type: "run-start", title: null, error });
      this.workspace.log("error", error.where ?? plan.title, sayable(error));
      this.workspace.store.flush();
      return null;
    }
  }

  /** Carries a run of a way like any other here: on its own screen the user decides. Resolves at its end. */
  readonly carry: RunCarrier = async (context, { id, plan }, options) => {
    const own = this.options(() => plan ?? this.summary(id) ?? { title: id, site: null, jobId: null }, {});
    const settings: RunOptions = {
      ...own,
      ...options,
      secrets: options.secrets ?? own.secrets,
      onView: (view) => {
        this.see(view);
        options.onView?.(view);
      },
    };
    // Opened on its screen before, it is this process that has it.
    const known = this.handles.get(id);
    const handle =
      known ??
      (await (plan
        ? this.journeys.startRun(context, plan, { ...settings, id })
        : this.journeys.resumeRun(context, id, settings)));
    if (!known) this.take(handle);
    void this.refresh();
    const view = await Promise.race([handle.done, aborted(options.signal ?? this.abort.signal)]);
    if (view === null) throw cancelled();
    return view;
  };

  /** The last refusal to start has been read. */
  forgetStart(): void {
    if (this.workspace.state.runs.startError === null) return;
    this.dispatch({ type: "run-start", title: null, error: null });
    this.workspace.store.flush();
  }

  /** Opens a run of this machine, carrying it on if it is not at its end. True when it is open; an error goes into `errors`. */
  async open(id: string, options: Pick<RunOptions, "takeLock"> = {}): Promise<boolean> {
    if (this.handles.has(id)) return true;
    if (this.workspace.state.runs.opening.includes(id)) return false;
    this.dispatch({ type: "run-opening", id, on: true });
    this.workspace.store.flush();
    const of = () => this.summary(id) ?? { title: id, site: null, jobId: null };
    try {
      const handle = await this.journeys.resumeRun(this.workspace.context, id, {
        ...this.options(of, {}),
        ...options,
      });
      this.dispatch({ type: "run-opening", id, on: false });
      this.take(handle);
      return true;
    } catch (thrown) {
      this.dispatch({ type: "run-opening", id, on: false });
      this.broken(id, thrown);
      return false;
    }
  }

  private summary(id: string): RunSummary | undefined {
    return this.workspace.state.runs.list.value.find((run) => run.id === id);
  }

  decide(id: string, decision: Decision): void {
    const handle = this.handles.get(id);
    if (!handle) return;
    handle.decide(decision);
    this.see(handle.view());
    this.workspace.store.flush();
  }

  /** Output lines of a cell, as they were kept; none when the run is not open here. Rejects when they can't be read. */
  async output(id: string, step: string, node: string, fromLine: number, lines: number): Promise<string[]> {
    return (await this.handles.get(id)?.output(step, node, fromLine, lines)) ?? [];
  }

  /** Stops following. What runs on the nodes goes on and is found again. */
  async end(): Promise<void> {
    this.abort.abort();
    this.asking.end();
    this.looking.end();
    await Promise.allSettled([...this.handles.values()].map((handle) => handle.detach()));
  }
}
