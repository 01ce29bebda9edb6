/** Everything the screen does on a site's frontend: jobs, deployments, nodes. One of these for a workspace; it follows the chosen site. */
import { toVirtuError } from "../errors.ts";
import {
  cancelDeployment,
  findDeployments,
  followDeployment,
  newDeploymentId,
  startDeployment,
} from "../journey/deploy.ts";
import { environmentVersions, listEnvironments } from "../journey/environments.ts";
import { extend, freeNodes, listJobs, release } from "../journey/jobs.ts";
import { nodeFacts } from "../journey/nodes.ts";
import { reserve } from "../journey/reserve.ts";
import type { DeployRequest, Environment, Job, ReserveRequest, Site } from "../journey/types.ts";
import { count } from "../text.ts";
import { deploymentOf, type KnownEvent } from "./known.ts";
import type { Workspace } from "./workspace.ts";

/** Milliseconds between two looks at the jobs while somebody looks; one oarstat costs the frontend 0.3 s of CPU. */
const jobsInterval = 4000;

export class SiteWork {
  private readonly workspace: Workspace;
  /** Ends everything that belongs to the chosen site. */
  private abort = new AbortController();
  private watchers = 0;
  private timer: NodeJS.Timeout | null = null;
  private refreshing: Promise<void> | null = null;
  private readonly followed = new Set<string>();

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  private dispatch(event: KnownEvent): void {
    this.workspace.store.dispatch(event);
  }

  /** The chosen site, or an error that says to choose one. */
  private get site(): Site | null {
    return this.workspace.state.site;
  }

  /** Works on this site from now on. */
  choose(site: Site): void {
    this.abort.abort();
    this.abort = new AbortController();
    this.followed.clear();
    this.refreshing = null;
    this.dispatch({ type: "site", site });
    this.workspace.store.flush();
    if (this.watchers > 0) void this.refresh();
  }

  /** Adds a site to the settings and works on it. */
  add(site: Site): void {
    const { settings, state } = this.workspace;
    this.dispatch({ type: "sites", sites: [...state.sites.filter(({ name }) => name !== site.name), site] });
    this.workspace.save(() => settings.addSite(site));
    this.choose(site);
  }

  remove(name: string): void {
    const sites = this.workspace.state.sites.filter((site) => site.name !== name);
    this.dispatch({ type: "sites", sites });
    this.workspace.save(() => this.workspace.settings.set("sites", [...sites]));
    if (this.site?.name === name) this.dispatch({ type: "site", site: null });
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

  /** Asks the frontend for jobs and free nodes now; never rejects. */
  refresh(): Promise<void> {
    this.refreshing ??= this.load().finally(() => {
      this.refreshing = null;
      if (this.watchers > 0 && !this.timer) {
        this.timer = setTimeout(() => {
          this.timer = null;
          if (this.watchers > 0) void this.refresh();
        }, jobsInterval);
        this.timer.unref();
      }
    });
    return this.refreshing;
  }

  private async load(): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return;
    const { context, clock } = this.workspace;
    this.dispatch({ type: "jobs", change: { loading: true } });
    // Counting free nodes costs the frontend much more than the jobs: once for a site, and when a form asks for it.
    if (this.workspace.state.free.at === null) void this.countNodes();
    try {
      const jobs = await listJobs(context, site, { signal, priority: "poll" });
      if (signal.aborted) return;
      // Jobs that have ended leave the list of oarstat: keep what is known of their end.
      const ended = this.workspace.state.jobs.value.filter(
        (job) => job.end !== null && !jobs.some(({ jobId }) => jobId === job.jobId),
      );
      this.dispatch({ type: "jobs", change: { value: [...jobs, ...ended], at: clock(), loading: false, error: null } });
      this.followRunning(jobs);
    } catch (thrown) {
      if (!signal.aborted) this.dispatch({ type: "jobs", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Counts all and free nodes of the site; never rejects. */
  async countNodes(): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site || this.workspace.state.free.loading) return;
    this.dispatch({ type: "free", change: { loading: true } });
    try {
      const value = await freeNodes(this.workspace.context, site, { signal });
      const at = this.workspace.clock();
      if (!signal.aborted) this.dispatch({ type: "free", change: { value, at, loading: false, error: null } });
    } catch (thrown) {
      if (!signal.aborted) this.dispatch({ type: "free", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Deployments of running jobs are found again by themselves: after a crash, a closed laptop, on another machine. */
  private followRunning(jobs: readonly Job[]): void {
    if (this.workspace.state.deploymentsAt !== null || !jobs.some(({ state }) => state === "Running")) return;
    void this.findDeployments();
  }

  async findDeployments(): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return;
    try {
      const deployments = await findDeployments(this.workspace.context, site, { signal });
      if (signal.aborted) return;
      this.dispatch({ type: "deployments-found", deployments, at: this.workspace.clock() });
      for (const { id, state } of deployments) if (state === "running" || state === "checking") this.follow(id);
    } catch (thrown) {
      if (!signal.aborted) this.workspace.failed(thrown);
    }
  }

  /** Reserves nodes and works with the job; what happens goes into `reservation`. Resolves with the running job, or null. */
  async reserve(request: ReserveRequest): Promise<Job | null> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return null;
    const say = (text: string, jobId: number | null = this.workspace.state.reservation?.jobId ?? null) => {
      this.dispatch({ type: "reservation", reservation: { text, jobId, error: null, done: false } });
    };
    say(`asking ${site.name} for ${count(request.nodes, "node")}`, null);
    try {
      const job = await reserve(this.workspace.context, site, request, {
        signal,
        wait: true,
        onEvent: (event) => {
          if (signal.aborted) return;
          if (event.job) {
            this.known(event.job);
            if (this.workspace.state.jobId !== event.job.jobId) this.takeOver(event.job.jobId);
          }
          say(event.text, event.job?.jobId ?? null);
          this.workspace.log("info", site.name, event.text);
        },
      });
      if (signal.aborted) return null;
      this.known(job);
      this.dispatch({ type: "reservation", reservation: null });
      this.workspace.notify("good", `Job ${job.jobId} runs on ${count(job.nodes.length, "node")}.`);
      return job;
    } catch (thrown) {
      if (signal.aborted) return null;
      const error = this.workspace.failed(thrown);
      const jobId = this.workspace.state.reservation?.jobId ?? null;
      this.dispatch({ type: "reservation", reservation: { text: error.what, jobId, error, done: true } });
      return null;
    }
  }

  /** Puts one newly known job into the list. */
  private known(job: Job): void {
    const others = this.workspace.state.jobs.value.filter(({ jobId }) => jobId !== job.jobId);
    this.dispatch({ type: "jobs", change: { value: [...others, job] } });
  }

  async release(jobId: number): Promise<void> {
    await this.onJob(jobId, "release", async (site, signal) => {
      this.workspace.notify("info", `Releasing job ${jobId} …`);
      const job = await release(this.workspace.context, site, jobId, { signal });
      this.known(job);
      this.workspace.notify("good", `Job ${jobId} has ended; its nodes are given back.`);
    });
  }

  /** `amount` as `+0:30:00`. */
  async extend(jobId: number, amount: string): Promise<void> {
    await this.onJob(jobId, "extend", async (site, signal) => {
      const { granted, pending, walltime } = await extend(this.workspace.context, site, jobId, amount, { signal });
      const all = `Job ${jobId}: walltime ${walltime}, granted so far ${granted}`;
      this.workspace.notify(pending ? "warning" : "good", pending ? `${all}; still asked for: ${pending}` : `${all}.`);
    });
  }

  private async onJob(
    jobId: number,
    what: string,
    action: (site: Site, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return;
    this.workspace.log("info", site.name, `${what} job ${jobId}`);
    try {
      await action(site, signal);
    } catch (thrown) {
      if (!signal.aborted) this.workspace.failed(thrown);
    }
    if (!signal.aborted) void this.refresh();
  }

  async loadEnvironments(): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return;
    this.dispatch({ type: "environments", change: { loading: true, error: null } });
    try {
      const { environments, problem } = await listEnvironments(this.workspace.context, site, { signal });
      if (signal.aborted) return;
      const at = this.workspace.clock();
      this.dispatch({ type: "environments", change: { value: environments, at, loading: false, error: problem } });
    } catch (thrown) {
      if (signal.aborted) return;
      this.dispatch({ type: "environments", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Rejects with a `VirtuError`. */
  versions(environment: Environment): Promise<Environment[]> {
    if (!this.site) return Promise.resolve([]);
    return environmentVersions(this.workspace.context, this.site, environment, { signal: this.abort.signal });
  }

  /** Starts a deployment and follows it. Gives its id, or null after an error that has been shown. */
  async deploy(request: DeployRequest, id = newDeploymentId(request.jobId)): Promise<string | null> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site) return null;
    try {
      const started = await startDeployment(this.workspace.context, site, request, { id, signal });
      this.workspace.log("info", site.name, `deployment ${started} runs on ${count(request.nodes.length, "node")}`);
      this.follow(started);
      return started;
    } catch (thrown) {
      if (!signal.aborted) this.workspace.failed(thrown);
      return null;
    }
  }

  private follow(id: string): void {
    const { site } = this;
    const { signal } = this.abort;
    if (!site || this.followed.has(id)) return;
    this.followed.add(id);
    const { context } = this.workspace;
    followDeployment(context, site, id, {
      signal,
      onUpdate: (deployment) => {
        if (!signal.aborted) this.dispatch({ type: "deployment", deployment });
      },
    })
      .then((result) => {
        if (signal.aborted) return;
        const bad = result.failed.length + result.missing.length;
        const good = count(result.deployed.length, "node");
        this.workspace.notify(
          bad > 0 ? "warning" : "good",
          `${good} deployed${bad > 0 ? `, ${bad} not` : ""}.`,
          bad > 0,
        );
        for (const { node, step, reason } of result.failed) {
          this.workspace.log("error", node, `deployment failed${step ? ` in ${step}` : ""}: ${reason}`);
        }
        for (const node of result.missing)
          this.workspace.log("error", node, "deployed neither well nor badly: it is missing");
      })
      .catch((thrown: unknown) => {
        this.followed.delete(id);
        if (!signal.aborted) this.workspace.failed(thrown);
      });
  }

  async cancelDeployment(id: string): Promise<void> {
    const { site } = this;
    if (!site) return;
    try {
      await cancelDeployment(this.workspace.context, site, id, { signal: this.abort.signal });
    } catch (thrown) {
      this.workspace.failed(thrown);
    }
  }

  /** Asks every node of a job for its facts. */
  async loadFacts(job: Job): Promise<void> {
    const { site } = this;
    const { signal } = this.abort;
    if (!site || this.workspace.state.facts[job.jobId]?.loading) return;
    const change = (part: Extract<KnownEvent, { type: "facts" }>["change"]) => {
      if (!signal.aborted) this.dispatch({ type: "facts", jobId: job.jobId, change: part });
    };
    change({ loading: true, error: null });
    try {
      const value = await nodeFacts(this.workspace.context, site, job, {
        signal,
        onUpdate: (nodes) => change({ value: nodes }),
      });
      change({ value, at: this.workspace.clock(), loading: false });
    } catch (thrown) {
      change({ loading: false, error: toVirtuError(thrown) });
    }
  }

  /** The request that deploys the failed and missing nodes of a deployment again, or null when there are none. */
  retryRequest(id: string): { nodes: string[] } | null {
    const result = this.workspace.state.deployments[id]?.result;
    if (!result) return null;
    const nodes = [...result.failed.map(({ node }) => node), ...result.missing];
    return nodes.length > 0 ? { nodes } : null;
  }

  newestDeployment(jobId: number): string | null {
    return deploymentOf(this.workspace.state, jobId)?.id ?? null;
  }

  end(): void {
    this.abort.abort();
    if (this.timer) clearTimeout(this.timer);
  }
}
