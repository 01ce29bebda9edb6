/** What the screen does with ways from nothing to instances: starts, carries on by itself, takes back. One of these for a workspace. */
import { toVirtuError, type VirtuError } from "../errors.ts";
import type { Site } from "../journey/types.ts";
import type { UpOptions, UpSource, UpWhat } from "../journey/up.ts";
import type { Undoing } from "../journey/up-down.ts";
import type { WayView } from "../journey/up-types.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent } from "./known.ts";
import type { Workspace } from "./workspace.ts";

const isOpen = ({ state }: WayView) => state === "running" || state === "interrupted";

export class WayWork {
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private readonly abort = new AbortController();
  /** Ways that are carried here now, and their ends. */
  private readonly carried = new Set<string>();
  private readonly ends = new Set<Promise<void>>();

  constructor(workspace: Workspace, journeys: Journeys) {
    this.workspace = workspace;
    this.journeys = journeys;
  }

  private dispatch(event: KnownEvent): void {
    if (!this.abort.signal.aborted) this.workspace.store.dispatch(event);
  }

  /** Reads the journals now; never rejects. */
  async refresh(): Promise<void> {
    this.dispatch({ type: "ways", change: { loading: true } });
    try {
      const value = await this.journeys.listWays(this.workspace.context);
      this.dispatch({ type: "ways", change: { value, at: this.workspace.clock(), loading: false, error: null } });
    } catch (thrown) {
      this.dispatch({ type: "ways", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /**
   * Ways that nobody carries any more (virtu was killed, the machine went down) go on by themselves. Gives the runs that
   * belong to ways which are open, here or elsewhere: nobody else carries those. Never rejects.
   */
  async carryOn(): Promise<ReadonlySet<string>> {
    await this.refresh();
    const open = this.workspace.state.ways.list.value.filter(({ view }) => isOpen(view));
    for (const { view, pid } of open) {
      if (pid !== null) continue;
      this.workspace.log("info", view.id, `${view.title} was interrupted: it goes on`);
      this.workspace.notify("info", `${view.title} was interrupted and goes on now.`);
      void this.open(view.id);
    }
    return new Set(open.flatMap(({ view }) => Object.values(view.runs)));
  }

  private siteNamed(name: string): Site {
    return this.workspace.state.sites.find((site) => site.name === name) ?? { name, frontend: name };
  }

  /** What a plan's text, file or way stands for. Rejects with a `VirtuError`. */
  read(what: UpWhat): Promise<UpSource> {
    return this.journeys.readSource(this.workspace.context, what);
  }

  /** Starts a plan; resolves with the way's id, or null after an error that is in `startError`. */
  async start(what: UpWhat): Promise<string | null> {
    if (this.workspace.state.ways.starting) return null;
    this.dispatch({ type: "way-start", starting: true, error: null });
    this.workspace.store.flush();
    try {
      const source = await this.read(what);
      const { nodes } = source.plan;
      // What it does on the site is watched there.
      if (nodes.kind !== "hosts" && this.workspace.state.site?.name !== nodes.site) {
        this.workspace.site.choose(this.siteNamed(nodes.site));
      }
      const id = await this.carry(source);
      this.dispatch({ type: "way-start", starting: false, error: null });
      this.workspace.store.flush();
      return id;
    } catch (thrown) {
      this.dispatch({ type: "way-start", starting: false, error: this.logged(thrown, "virtu") });
      this.workspace.store.flush();
      return null;
    }
  }

  /** The last refusal to start has been read. */
  forgetStart(): void {
    if (this.workspace.state.ways.startError === null) return;
    this.dispatch({ type: "way-start", starting: false, error: null });
    this.workspace.store.flush();
  }

  /** Goes on with a way, or through it once more; an error goes into `errors`. */
  async open(id: string): Promise<void> {
    if (this.carried.has(id)) return;
    this.dispatch({ type: "way-error", id, error: null });
    try {
      await this.carry(await this.read({ way: id }));
    } catch (thrown) {
      this.dispatch({ type: "way-error", id, error: this.logged(thrown, id) });
    }
    this.workspace.store.flush();
  }

  private logged(thrown: unknown, where: string): VirtuError {
    const error = toVirtuError(thrown);
    this.workspace.log("error", error.where ?? where, [error.what, error.why, error.hint].filter(Boolean).join(" · "));
    return error;
  }

  /** Resolves with the id once the way is carried; how it ends is told as it happens. */
  private carry(source: UpSource): Promise<string> {
    return new Promise((resolve, reject) => {
      let id: string | null = null;
      const onView = (view: WayView) => {
        this.see(view);
        if (id !== null) return;
        id = view.id;
        this.carried.add(id);
        resolve(view.id);
      };
      const ended = this.journeys
        .carryWay(
          this.workspace.context,
          source,
          this.options(source, () => id ?? "", onView),
        )
        .then((view) => this.over(view))
        .catch((thrown: unknown) => {
          if (this.abort.signal.aborted) return;
          if (id === null) reject(thrown);
          else this.dispatch({ type: "way-error", id, error: this.logged(thrown, id) });
        })
        .finally(() => {
          if (id !== null) this.carried.delete(id);
          this.ends.delete(ended);
          void this.refresh();
        });
      this.ends.add(ended);
    });
  }

  private see(view: WayView): void {
    this.dispatch({ type: "way", view });
    this.workspace.store.flush();
  }

  private over(view: WayView): void {
    this.see(view);
    const { workspace } = this;
    const bad = view.stages.find(({ state }) => state === "failed" || state === "needs-you");
    if (bad) workspace.notify("bad", `${view.title}: ${bad.title}: ${bad.text}`, true);
    else if (view.state === "done") workspace.notify("good", `${view.title}: done.`);
    workspace.log(bad ? "error" : "info", view.title, bad ? `${bad.title}: ${bad.text}` : view.state);
  }

  private options(source: UpSource, id: () => string, onView: (view: WayView) => void): UpOptions {
    const { workspace } = this;
    const { nodes } = source.plan;
    const isHere = () => nodes.kind !== "hosts" && workspace.state.site?.name === nodes.site;
    return {
      signal: this.abort.signal,
      site: (name) => this.siteNamed(name),
      onView,
      onNote: (text, stage) => {
        this.dispatch({ type: "way-says", id: id(), stage, text });
        workspace.log("info", id(), text);
      },
      onJob: (job) => {
        if (!isHere()) return;
        workspace.site.known(job);
        if (workspace.state.jobId !== job.jobId) workspace.site.takeOver(job.jobId);
      },
      onDeployment: (deployment) => this.dispatch({ type: "deployment", deployment }),
      carryRun: workspace.runs.carry,
      password: (_from, signal) =>
        workspace.questions.runSecret({ title: "the nodes' configuration", name: "root-password" }, signal),
      onPassword: (password) => this.dispatch({ type: "way-password", id: id(), password }),
    };
  }

  /** What taking a way back would do now. Rejects with a `VirtuError`. */
  async planDown(id: string): Promise<{ source: UpSource; undoing: Undoing }> {
    const source = await this.read({ way: id });
    const options = {
      ...this.options(
        source,
        () => id,
        () => undefined,
      ),
      keepJob: false,
    };
    return { source, undoing: await this.journeys.planDown(this.workspace.context, source, options) };
  }

  /** Takes a way back; never rejects. */
  async down(source: UpSource, undoing: Undoing): Promise<void> {
    const id = source.id ?? "";
    const options = {
      ...this.options(
        source,
        () => id,
        (view) => this.see(view),
      ),
      keepJob: false,
    };
    this.dispatch({ type: "way-error", id, error: null });
    try {
      const view = await this.journeys.downWay(this.workspace.context, source, undoing, options);
      this.see(view);
      this.workspace.notify("good", `${view.title}: taken back.`);
      void this.workspace.site.refresh();
    } catch (thrown) {
      if (!this.abort.signal.aborted) this.dispatch({ type: "way-error", id, error: this.logged(thrown, id) });
    }
    await this.refresh();
    this.workspace.store.flush();
  }

  /** Stops following. What runs goes on, and the ways are found again. */
  async end(): Promise<void> {
    this.abort.abort();
    await Promise.allSettled(this.ends);
  }
}
