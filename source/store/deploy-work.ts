/** What the screen does to a job's nodes: environments to choose from, deployments, facts. */
import { toVirtuError } from "../errors.ts";
import type { DeployRequest, DeployResult, Environment, Job } from "../journey/types.ts";
import { count } from "../text.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent } from "./known.ts";
import type { SiteScope } from "./site-work.ts";
import type { Workspace } from "./workspace.ts";

export class DeployWork {
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private readonly scope: () => SiteScope | null;
  private followed = new Set<string>();
  private looked = false;

  constructor(workspace: Workspace, journeys: Journeys, scope: () => SiteScope | null) {
    this.workspace = workspace;
    this.journeys = journeys;
    this.scope = scope;
  }

  private dispatch(event: KnownEvent): void {
    this.workspace.store.dispatch(event);
  }

  /** Another site was chosen: nothing of the old one is followed any more. */
  reset(): void {
    this.followed = new Set();
    this.looked = false;
  }

  /** Deployments of running jobs are found again by themselves: after a crash, a closed laptop, on another machine. */
  async findOnce(): Promise<void> {
    const scope = this.scope();
    if (!scope || this.looked) return;
    const { site, signal } = scope;
    this.looked = true;
    try {
      const deployments = await this.journeys.findDeployments(this.workspace.context, site, { signal });
      if (signal.aborted) return;
      this.dispatch({ type: "deployments-found", deployments, at: this.workspace.clock() });
      for (const { id, state } of deployments) if (state === "running" || state === "checking") this.follow(id);
    } catch (thrown) {
      if (signal.aborted) return;
      this.looked = false;
      const error = toVirtuError(thrown);
      this.workspace.log("warning", error.where ?? site.name, `deployments can't be looked for: ${error.message}`);
    }
  }

  /** Reads what can be deployed; never rejects. */
  async loadEnvironments(): Promise<void> {
    const scope = this.scope();
    if (!scope || this.workspace.state.environments.loading) return;
    const { site, signal } = scope;
    this.dispatch({ type: "environments", change: { loading: true, error: null } });
    this.workspace.store.flush();
    try {
      const { environments, problem } = await this.journeys.listEnvironments(this.workspace.context, site, { signal });
      if (signal.aborted) return;
      const at = this.workspace.clock();
      this.dispatch({ type: "environments", change: { value: environments, at, loading: false, error: problem } });
    } catch (thrown) {
      if (signal.aborted) return;
      this.dispatch({ type: "environments", change: { loading: false, error: toVirtuError(thrown) } });
    }
  }

  /** Every version of an environment, newest first. Rejects with a `VirtuError`. */
  versions(environment: Environment): Promise<Environment[]> {
    const scope = this.scope();
    if (!scope) return Promise.resolve([]);
    return this.journeys.environmentVersions(this.workspace.context, scope.site, environment, { signal: scope.signal });
  }

  /** Starts a deployment under this id and follows it; an error goes into `started`. */
  async start(request: DeployRequest, id: string): Promise<void> {
    const scope = this.scope();
    if (!scope) return;
    const { site, signal } = scope;
    this.dispatch({ type: "started", id, started: { request, error: null } });
    this.workspace.store.flush();
    try {
      await this.journeys.startDeployment(this.workspace.context, site, request, { id, signal });
      if (signal.aborted) return;
      this.workspace.log("info", site.name, `deployment ${id} runs on ${count(request.nodes.length, "node")}`);
      this.follow(id);
    } catch (thrown) {
      if (!signal.aborted) this.broken(id, thrown);
    }
  }

  /** Something keeps a deployment from being started or followed: shown where it is watched, and in the log. */
  private broken(id: string, thrown: unknown): void {
    const error = toVirtuError(thrown);
    const request = this.workspace.state.started[id]?.request ?? null;
    this.dispatch({ type: "started", id, started: { request, error } });
    this.workspace.log("error", error.where ?? id, [error.what, error.why, error.hint].filter(Boolean).join(" · "));
    this.workspace.store.flush();
  }

  /** Follows a deployment to its end, once. After an error it can be called again. */
  follow(id: string): void {
    const scope = this.scope();
    if (!scope || this.followed.has(id)) return;
    const { site, signal } = scope;
    this.followed.add(id);
    const before = this.workspace.state.started[id];
    if (before?.error) this.dispatch({ type: "started", id, started: { ...before, error: null } });
    this.journeys
      .followDeployment(this.workspace.context, site, id, {
        signal,
        onUpdate: (deployment) => {
          if (!signal.aborted) this.dispatch({ type: "deployment", deployment });
        },
      })
      .then((result) => {
        if (!signal.aborted) this.ended(id, result);
      })
      .catch((thrown: unknown) => {
        this.followed.delete(id);
        if (!signal.aborted) this.broken(id, thrown);
      });
  }

  private ended(id: string, { deployed, failed, missing }: DeployResult): void {
    const { workspace } = this;
    const bad = failed.length + missing.length;
    const text = `${count(deployed.length, "node")} deployed${bad > 0 ? `, ${bad} not` : ""}.`;
    workspace.notify(bad > 0 ? "warning" : "good", text, bad > 0);
    for (const { node, step, reason } of failed) {
      workspace.log("error", node, `deployment failed${step ? ` in ${step}` : ""}: ${reason}`);
    }
    for (const node of missing) workspace.log("error", node, "deployed neither well nor badly: it is missing");
    // The nodes are new ones now: ask what they are.
    const jobId = workspace.state.deployments[id]?.jobId;
    const job = workspace.state.jobs.value.find((one) => one.jobId === jobId);
    if (job) void this.loadFacts(job);
  }

  /** Cancels a running deployment; its nodes are left as they stand. */
  async cancel(id: string): Promise<void> {
    const scope = this.scope();
    if (!scope) return;
    try {
      await this.journeys.cancelDeployment(this.workspace.context, scope.site, id, { signal: scope.signal });
    } catch (thrown) {
      if (!scope.signal.aborted) this.workspace.failed(thrown);
    }
  }

  /** Asks every node of a job for its facts; never rejects. */
  async loadFacts(job: Job): Promise<void> {
    const scope = this.scope();
    if (!scope || this.workspace.state.facts[job.jobId]?.loading) return;
    const { site, signal } = scope;
    const change = (part: Extract<KnownEvent, { type: "facts" }>["change"]) => {
      if (!signal.aborted) this.dispatch({ type: "facts", jobId: job.jobId, change: part });
    };
    change({ loading: true, error: null });
    this.workspace.store.flush();
    try {
      const value = await this.journeys.nodeFacts(this.workspace.context, site, job, {
        signal,
        onUpdate: (nodes) => change({ value: nodes }),
      });
      change({ value, at: this.workspace.clock(), loading: false });
    } catch (thrown) {
      change({ loading: false, error: toVirtuError(thrown) });
    }
  }

  /** What would deploy the failed and missing nodes of a deployment again, or why it can't be. */
  retryOf(id: string): { request: DeployRequest } | { why: string } {
    const { deployments, started } = this.workspace.state;
    const deployment = deployments[id];
    if (!deployment?.result) return { why: "it has not ended yet" };
    const nodes = [...deployment.result.failed.map(({ node }) => node), ...deployment.result.missing];
    if (nodes.length === 0) return { why: "every node is up" };
    const { jobId, environment, retries } = deployment;
    // One that was found again does not say which key was given: the frontend's own keys are taken then.
    const keyFile = started[id]?.request?.keyFile;
    return { request: { jobId, nodes, environment, keyFile, minimum: nodes.length, retries } };
  }
}
