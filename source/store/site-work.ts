/** Everything the screen does on a site's frontend: sites, jobs, reservations. One of these for a workspace; it follows the chosen site. */
import { setMaxListeners } from "node:events";
import { toVirtuError } from "../errors.ts";
import type { Job, Site } from "../journey/types.ts";
import { momentText } from "../text.ts";
import { DeployWork } from "./deploy-work.ts";
import { JobWork } from "./job-work.ts";
import type { Journeys } from "./journeys.ts";
import { currentJob, hasEnded, type KnownEvent, secondsLeft } from "./known.ts";
import { Looking } from "./looking.ts";
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
  /** What is asked of OAR: a job, more time, an end. */
  readonly jobs: JobWork;
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private abort = newAbort();
  private readonly looking = new Looking(() => this.refresh(), jobsInterval);
  private refreshing: Promise<void> | null = null;
  /** The end of a job that has been warned of: `JOB:END`. */
  private warned = "";
  private readonly stopListening: () => void;

  constructor(workspace: Workspace, journeys: Journeys) {
    this.workspace = workspace;
    this.journeys = journeys;
    this.deploy = new DeployWork(workspace, journeys, () => this.scope());
    this.jobs = new JobWork(workspace, journeys, this);
    this.stopListening = workspace.store.subscribe(() => this.warnOfEnd());
  }

  private dispatch(event: KnownEvent): void {
    this.workspace.store.dispatch(event);
  }

  scope(): SiteScope | null {
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
    if (this.looking.isOn) void this.refresh();
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
    return this.looking.watch();
  }

  /** Asks the frontend for the jobs now; never rejects. */
  refresh(): Promise<void> {
    if (this.refreshing) return this.refreshing;
    const turn: Promise<void> = this.load().finally(() => {
      // Another site was chosen meanwhile: its own turn goes on.
      if (this.refreshing === turn) this.refreshing = null;
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

  /** Counts all and free nodes of the site; never rejects. `fresh`: an answer of a moment ago will not do, we changed it. */
  async countNodes({ fresh = false } = {}): Promise<void> {
    const scope = this.scope();
    if (!scope || this.workspace.state.free.loading) return;
    const { site, signal } = scope;
    this.dispatch({ type: "free", change: { loading: true } });
    try {
      const value = await this.journeys.freeNodes(this.workspace.context, site, {
        signal,
        ...(fresh && { maxAgeMs: 0 }),
      });
      const at = this.workspace.clock();
      if (!signal.aborted) this.dispatch({ type: "free", change: { value, at, loading: false, error: null } });
    } catch (thrown) {
      if (!signal.aborted) this.dispatch({ type: "free", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Puts one newly known job into the list. */
  known(job: Job): void {
    const others = this.workspace.state.jobs.value.filter(({ jobId }) => jobId !== job.jobId);
    this.dispatch({ type: "jobs", change: { value: [...others, job] } });
  }

  /** Says once that the walltime is nearly over; again after an extension that was not enough. */
  private warnOfEnd(): void {
    const { state } = this.workspace;
    const job = currentJob(state);
    if (job && hasEnded(job) && this.warned.startsWith(`${job.jobId}:`)) {
      this.warned = "";
      this.workspace.notify("warning", `Job ${job.jobId} has ended; its nodes are gone, and what was on them.`, true);
      return;
    }
    const left = secondsLeft(job, state.now);
    if (!job || left === null || left >= endWarning) return;
    const sign = `${job.jobId}:${job.endsAt}`;
    if (this.warned === sign) return;
    this.warned = sign;
    // It stays until it is read: when, not how long that is yet, which the first line counts.
    this.workspace.notify(
      "warning",
      `Job ${job.jobId} ends at ${momentText(job.endsAt ?? 0, state.now / 1000)}: what is on its nodes is lost then. e extends.`,
      true,
    );
  }

  end(): void {
    this.abort.abort();
    this.stopListening();
    this.looking.end();
  }
}
