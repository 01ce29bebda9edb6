/** What is asked of OAR from the screen: a job, more time for one, its end. What comes of it goes into the store. */
import { toVirtuError, type VirtuError } from "../errors.ts";
import type { ExtensionLimits } from "../journey/jobs.ts";
import type { Job, ReserveRequest, Site } from "../journey/types.ts";
import { readDuration } from "../journey/walltime.ts";
import { count } from "../text.ts";
import type { Journeys } from "./journeys.ts";
import type { KnownEvent, Reservation } from "./known.ts";
import type { SiteWork } from "./site-work.ts";
import type { Workspace } from "./workspace.ts";

export class JobWork {
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private readonly site: SiteWork;

  constructor(workspace: Workspace, journeys: Journeys, site: SiteWork) {
    this.workspace = workspace;
    this.journeys = journeys;
    this.site = site;
  }

  private dispatch(event: KnownEvent): void {
    this.workspace.store.dispatch(event);
  }

  /** Reserves nodes and works with the job; what happens goes into `reservation`. Resolves with the running job, or null. */
  async reserve(request: ReserveRequest): Promise<Job | null> {
    const scope = this.site.scope();
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
          if (event.job) this.site.known(event.job);
          if (event.jobId !== null && own() && workspace.state.jobId !== event.jobId) this.site.takeOver(event.jobId);
          const isNote = event.kind !== "state" && event.kind !== "submitting";
          const notes = workspace.state.reservation?.notes ?? [];
          say({ text: event.text, jobId: event.jobId, ...(isNote ? { notes: [...notes, event.text] } : {}) });
          workspace.log(event.kind === "warning" ? "warning" : "info", site.name, event.text);
        },
      });
      if (signal.aborted) return null;
      this.site.known(job);
      say({ jobId: job.jobId, text: `job ${job.jobId} runs` });
      if (own()) this.site.takeOver(job.jobId);
      workspace.notify("good", `Job ${job.jobId} runs on ${count(job.nodes.length, "node")}.`);
      void this.site.countNodes({ fresh: true });
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

  /** Ends a job; resolves when it has really ended, or after an error that has been shown. */
  async release(jobId: number): Promise<void> {
    const scope = this.site.scope();
    if (!scope || this.workspace.state.releasing.includes(jobId)) return;
    const { site, signal } = scope;
    this.dispatch({ type: "releasing", jobId, on: true });
    this.workspace.notify("info", `Releasing job ${jobId} …`);
    this.workspace.log("info", site.name, `release job ${jobId}`);
    try {
      const job = await this.journeys.release(this.workspace.context, site, jobId, { signal });
      if (signal.aborted) return;
      this.site.known(job);
      this.workspace.notify("good", `Job ${jobId} has ended; its nodes are given back.`);
    } catch (thrown) {
      if (!signal.aborted) this.workspace.failed(thrown);
    }
    if (signal.aborted) return;
    this.dispatch({ type: "releasing", jobId, on: false });
    void this.site.refresh();
    void this.site.countNodes({ fresh: true });
  }

  /** Asks for more walltime (`+0:30`); what came of it goes into `extending`. */
  async extend(jobId: number, amount: string): Promise<void> {
    const scope = this.site.scope();
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
    void this.site.refresh();
  }

  /** What the site lets a job be extended by. Rejects with a `VirtuError`. */
  async extensionLimits(jobId: number): Promise<ExtensionLimits | null> {
    const scope = this.site.scope();
    if (!scope) return null;
    return this.journeys.extensionLimits(this.workspace.context, scope.site, jobId, { signal: scope.signal });
  }

  /** The form of an extension is opened anew. */
  forgetExtension(): void {
    this.dispatch({ type: "extending", extending: null });
    this.workspace.store.flush();
  }
}
