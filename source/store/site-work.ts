/** Everything the screen does on a site's frontend: sites, jobs, reservations. One of these for a workspace; it follows the chosen site. */
import { setMaxListeners } from "node:events";
import { toVirtuError, type VirtuError } from "../errors.ts";
import type { ExtensionLimits } from "../journey/jobs.ts";
import type { Job, ReserveRequest, Site } from "../journey/types.ts";
import { readDuration } from "../journey/walltime.ts";
import { count } from "../text.ts";
import { DeployWork } from "./deploy-work.ts";
import type { Journeys } from "./journeys.ts";
import { currentJob, hasEnded, type KnownEvent, type Reservation, secondsLeft } from "./known.ts";
import type { Workspace } from "./workspace.ts";

/** Milliseconds between two looks at the jobs while somebody looks; one oarstat costs the frontend 0.3 s of CPU. */
const jobsInterval = 4000;
/** Seconds before the end of the walltime when it is said. */
const endWarning = 600;
/** Jobs whose end is asked for in one refresh; each costs the frontend one oarstat. */
const endsAtOnce = 4;

/** A signal that as many requests as a job has nodes may listen to, without a warning. */
function newAbort(): AbortController {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  return abort;
}

/** The chosen site, and what ends everything that belongs to it. */
export interface SiteScope {
  site: Site;
  signal: AbortSignal;
}

export class SiteWork {
  /** Environments, deployments and nodes. */
  readonly deploy: DeployWork;
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private abort = newAbort();
  private watchers = 0;
  private timer: NodeJS.Timeout | null = null;
  private refreshing: Promise<void> | null = null;
  /** The end of a job that has been warned of: `JOB:END`. */
  private warned = "";
  private readonly stopListening: () => void;

  constructor(workspace: Workspace, journeys: Journeys) {
    this.workspace = workspace;
    this.journeys = journeys;
    this.deploy = new DeployWork(workspace, journeys, () => this.scope());
    this.stopListening = workspace.store.subscribe(() => this.warnOfEnd());
  }

  private dispatch(event: KnownEvent): void {
    this.workspace.store.dispatch(event);
  }

  private scope(): SiteScope | null {
    const { site } = this.workspace.state;
    return site ? { site, signal: this.abort.signal } : null;
  }

  /** Works on this site from now on. */
  choose(site: Site): void {
    this.abort.abort();
    this.abort = newAbort();
    this.deploy.reset();
    this.refreshing = null;
    this.dispatch({ type: "site", site });
    this.workspace.store.flush();
    if (this.watchers > 0) void this.refresh();
  }

  /** Adds a site to the settings and works on it. */
  add(site: Site): void {
    const { settings, state } = this.workspace;
    this.dispatch({ type: "sites", sites: [...state.sites.filter(({ name }) => name !== site.name), site] });
    void this.workspace.save(() => settings.addSite(site));
    this.choose(site);
  }

  remove(name: string): void {
    const sites = this.workspace.state.sites.filter((site) => site.name !== name);
    this.dispatch({ type: "sites", sites });
    void this.workspace.save(() => this.workspace.settings.set("sites", [...sites]));
    if (this.workspace.state.site?.name === name) {
      this.abort.abort();
      this.dispatch({ type: "site", site: null });
    }
    this.workspace.store.flush();
  }

  /** The job that the user works with from now on. */
  takeOver(jobId: number | null): void {
    this.dispatch({ type: "job", jobId });
    this.workspace.store.flush();
  }

  /** Somebody looks at the jobs: refresh now and then, until the returned function is called. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) void this.refresh();
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      this.watchers -= 1;
      if (this.watchers === 0 && this.timer) {
        clearTimeout(this.timer);
        this.timer = null;
      }
    };
  }

  /** Asks the frontend for the jobs now; never rejects. */
  refresh(): Promise<void> {
    if (this.refreshing) return this.refreshing;
    const turn: Promise<void> = this.load().finally(() => {
      // Another site was chosen meanwhile: its own turn goes on.
      if (this.refreshing !== turn) return;
      this.refreshing = null;
      if (this.watchers === 0 || this.timer) return;
      this.timer = setTimeout(() => {
        this.timer = null;
        if (this.watchers > 0) void this.refresh();
      }, jobsInterval);
      this.timer.unref();
    });
    this.refreshing = turn;
    return turn;
  }

  private async load(): Promise<void> {
    const scope = this.scope();
    if (!scope) return;
    const { site, signal } = scope;
    const { context, clock } = this.workspace;
    this.dispatch({ type: "jobs", change: { loading: true } });
    // Counting free nodes costs the frontend much more than the jobs: once for a site, and when a form asks for it.
    if (this.workspace.state.free.at === null) void this.countNodes();
    try {
      const jobs = await this.journeys.listJobs(context, site, { signal, priority: "poll" });
      const others = await this.othersThan(jobs, scope);
      if (signal.aborted) return;
      this.dispatch({
        type: "jobs",
        change: { value: [...jobs, ...others], at: clock(), loading: false, error: null },
      });
      if (jobs.some(({ state }) => state === "Running")) void this.deploy.findOnce();
    } catch (thrown) {
      if (!signal.aborted) this.dispatch({ type: "jobs", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Jobs that were known and have left oarstat's list: how they ended is asked once and kept. */
  private async othersThan(jobs: readonly Job[], { site, signal }: SiteScope): Promise<Job[]> {
    const listed = new Set(jobs.map(({ jobId }) => jobId));
    const gone = this.workspace.state.jobs.value.filter(({ jobId }) => !listed.has(jobId));
    let asked = 0;
    const found = gone.map(async (job) => {
      if (hasEnded(job) || asked >= endsAtOnce) return job;
      asked += 1;
      try {
        return await this.journeys.getJob(this.workspace.context, site, job.jobId, { signal, priority: "poll" });
      } catch (thrown) {
        const { kind } = toVirtuError(thrown);
        // OAR may list a job a moment after it gave the number; a link that broke says nothing at all.
        const keep = kind !== "refused" || this.workspace.state.reservation?.jobId === job.jobId;
        return keep ? job : null;
      }
    });
    return (await Promise.all(found)).filter((job) => job !== null);
  }

  /** Counts all and free nodes of the site; never rejects. */
  async countNodes(): Promise<void> {
    const scope = this.scope();
    if (!scope || this.workspace.state.free.loading) return;
    const { site, signal } = scope;
    this.dispatch({ type: "free", change: { loading: true } });
    try {
      const value = await this.journeys.freeNodes(this.workspace.context, site, { signal });
      const at = this.workspace.clock();
      if (!signal.aborted) this.dispatch({ type: "free", change: { value, at, loading: false, error: null } });
    } catch (thrown) {
      if (!signal.aborted) this.dispatch({ type: "free", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Reserves nodes and works with the job; what happens goes into `reservation`. Resolves with the running job, or null. */
  async reserve(request: ReserveRequest): Promise<Job | null> {
    const scope = this.scope();
    if (!scope) return null;
    const { site, signal } = scope;
    const { workspace } = this;
    const sentAt = workspace.clock();
    // One that came later has taken this one's place on the screen.
    const own = () => workspace.state.reservation?.sentAt === sentAt;
    const say = (change: Partial<Reservation>) => {
      const { reservation } = workspace.state;
      if (reservation && own()) this.dispatch({ type: "reservation", reservation: { ...reservation, ...change } });
    };
    const text = `asking ${site.name} for ${count(request.nodes, "node")}`;
    this.dispatch({
      type: "reservation",
      reservation: { request, sentAt, text, notes: [], jobId: null, error: null },
    });
    workspace.store.flush();
    try {
      const job = await this.journeys.reserve(workspace.context, site, request, {
        signal,
        wait: true,
        onEvent: (event) => {
          if (signal.aborted) return;
          if (event.job) this.known(event.job);
          if (event.jobId !== null && own() && workspace.state.jobId !== event.jobId) this.takeOver(event.jobId);
          const isNote = event.kind !== "state" && event.kind !== "submitting";
          const notes = workspace.state.reservation?.notes ?? [];
          say({ text: event.text, jobId: event.jobId, ...(isNote ? { notes: [...notes, event.text] } : {}) });
          workspace.log(event.kind === "warning" ? "warning" : "info", site.name, event.text);
        },
      });
      if (signal.aborted) return null;
      this.known(job);
      say({ jobId: job.jobId, text: `job ${job.jobId} runs` });
      if (own()) this.takeOver(job.jobId);
      workspace.notify("good", `Job ${job.jobId} runs on ${count(job.nodes.length, "node")}.`);
      void this.countNodes();
      return job;
    } catch (thrown) {
      if (signal.aborted) return null;
      const error = this.logged(thrown, site);
      say({ text: error.what, error });
      workspace.store.flush();
      return null;
    }
  }

  /** The refusal has been read; the form is there again. */
  forgetReservation(): void {
    this.dispatch({ type: "reservation", reservation: null });
    this.workspace.store.flush();
  }

  /** An error that a view shows in place; all of it stands in the log as well. */
  private logged(thrown: unknown, site: Site): VirtuError {
    const error = toVirtuError(thrown);
    this.workspace.log(
      "error",
      error.where ?? site.name,
      [error.what, error.why, error.hint].filter(Boolean).join(" · "),
    );
    return error;
  }

  /** Puts one newly known job into the list. */
  private known(job: Job): void {
    const others = this.workspace.state.jobs.value.filter(({ jobId }) => jobId !== job.jobId);
    this.dispatch({ type: "jobs", change: { value: [...others, job] } });
  }

  /** Ends a job; resolves when it has really ended, or after an error that has been shown. */
  async release(jobId: number): Promise<void> {
    const scope = this.scope();
    if (!scope || this.workspace.state.releasing.includes(jobId)) return;
    const { site, signal } = scope;
    this.dispatch({ type: "releasing", jobId, on: true });
    this.workspace.notify("info", `Releasing job ${jobId} …`);
    this.workspace.log("info", site.name, `release job ${jobId}`);
    try {
      const job = await this.journeys.release(this.workspace.context, site, jobId, { signal });
      if (signal.aborted) return;
      this.known(job);
      this.workspace.notify("good", `Job ${jobId} has ended; its nodes are given back.`);
    } catch (thrown) {
      if (!signal.aborted) this.workspace.failed(thrown);
    }
    if (signal.aborted) return;
    this.dispatch({ type: "releasing", jobId, on: false });
    void this.refresh();
    void this.countNodes();
  }

  /** Asks for more walltime (`+0:30`); what came of it goes into `extending`. */
  async extend(jobId: number, amount: string): Promise<void> {
    const scope = this.scope();
    if (!scope) return;
    const { site, signal } = scope;
    const say = (change: { working?: boolean; result?: null; error?: VirtuError | null }) =>
      this.dispatch({ type: "extending", extending: { jobId, working: false, result: null, error: null, ...change } });
    say({ working: true });
    this.workspace.store.flush();
    this.workspace.log("info", site.name, `extend job ${jobId} by ${amount}`);
    try {
      const result = await this.journeys.extend(this.workspace.context, site, jobId, amount, { signal });
      if (signal.aborted) return;
      this.dispatch({ type: "extending", extending: { jobId, working: false, result, error: null } });
      const { granted, pending } = result;
      const text = `job ${jobId}: ${readDuration(granted)} granted, ${readDuration(pending)} not yet`;
      this.workspace.log("info", site.name, text);
    } catch (thrown) {
      if (signal.aborted) return;
      say({ error: this.logged(thrown, site) });
    }
    this.workspace.store.flush();
    void this.refresh();
  }

  /** What the site lets a job be extended by. Rejects with a `VirtuError`. */
  async extensionLimits(jobId: number): Promise<ExtensionLimits | null> {
    const scope = this.scope();
    if (!scope) return null;
    return this.journeys.extensionLimits(this.workspace.context, scope.site, jobId, { signal: scope.signal });
  }

  /** The form of an extension is opened anew. */
  forgetExtension(): void {
    this.dispatch({ type: "extending", extending: null });
    this.workspace.store.flush();
  }

  /** Says once that the walltime is nearly over; again after an extension that was not enough. */
  private warnOfEnd(): void {
    const { state } = this.workspace;
    const job = currentJob(state);
    const left = secondsLeft(job, state.now);
    if (!job || left === null || left >= endWarning) return;
    const sign = `${job.jobId}:${job.endsAt}`;
    if (this.warned === sign) return;
    this.warned = sign;
    const minutes = Math.max(1, Math.round(left / 60));
    this.workspace.notify(
      "warning",
      `Job ${job.jobId} ends in ${minutes} min, and all on its nodes is lost then. e extends it (on Jobs, Nodes).`,
      true,
    );
  }

  end(): void {
    this.abort.abort();
    this.stopListening();
    if (this.timer) clearTimeout(this.timer);
  }
}
