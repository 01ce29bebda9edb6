/** OAR: jobs, their way through the states, and the plan of who gets which nodes when. Dates are real, steps are quick. */
import type { Clock } from "../clock.ts";
import type { Machine } from "../machine/machine.ts";
import type { ScenarioName } from "../options.ts";
import type { OarJob, State, Submission } from "./oar-job.ts";
import { coresOf, Plan, subnetsFor } from "./oar-plan.ts";
import { oarDuration } from "./oar-request.ts";
import { endCommand, startCommand } from "./oar-run.ts";
import type { Node, Testbed } from "./testbed.ts";

const active: readonly State[] = ["toLaunch", "Launching", "Running", "Finishing"];

export class Oar {
  readonly jobs = new Map<number, OarJob>();
  private nextJob = 1874;
  private nextEvent = 1;
  private planned = false;
  private readonly ends = new Map<number, () => void>();

  constructor(
    readonly testbed: Testbed,
    readonly clock: Clock,
    readonly frontend: Machine,
    private readonly hasScenario: (name: ScenarioName) => boolean,
  ) {}

  get isDown(): boolean {
    return this.hasScenario("oar-down");
  }

  event(job: OarJob, type: string, description: string): void {
    job.events.push({ id: this.nextEvent, type, description, date: this.clock.seconds() });
    this.nextEvent += 1;
  }

  /** The job that holds this node now, if any. */
  holder(node: Node): OarJob | undefined {
    return [...this.jobs.values()].find((job) => active.includes(job.state) && job.nodes.includes(node));
  }

  submit(given: Submission): OarJob {
    const { hold, start, ...facts } = given;
    const job: OarJob = {
      ...facts,
      id: this.nextJob,
      state: hold ? "Hold" : "Waiting",
      reservation: start === null ? "None" : "toSchedule",
      submittedAt: this.clock.seconds(),
      startedAt: start ?? 0,
      stoppedAt: 0,
      predicted: null,
      walltime: null,
      granted: 0,
      pending: 0,
      nodes: [],
      subnets: [],
      exitCode: null,
      events: [],
    };
    this.nextJob += 1;
    this.jobs.set(job.id, job);
    if (!hold && start === null) this.planSoon();
    return job;
  }

  /** Says to an advance reservation whether it can be had: null, or why not. */
  decide(job: OarJob): string | null {
    const now = this.clock.seconds();
    const refuse = (why: string) => {
      job.state = "toError";
      this.clock.after(5, () => {
        job.state = "Error";
        job.stoppedAt = this.clock.seconds();
        this.event(job, "SCHEDULER_PRIORITY_UPDATED_STOP", "");
      });
      return why;
    };
    if (job.startedAt < now - 60) return refuse("Reservation too old");
    const plan = this.plan(job);
    const wished = Math.max(job.startedAt, now);
    const nodes = plan.freeAt(job.wanted, wished);
    if (!nodes) {
      const possible = plan.earliest(job.wanted, wished);
      const date = new Date(possible.at * 1000).toISOString().slice(0, 19).replace("T", " ");
      return refuse(`This reservation could run at ${date}`);
    }
    job.reservation = "Scheduled";
    job.walltime = job.wanted.walltime;
    job.predicted = wished;
    job.nodes = nodes;
    this.planSoon();
    return null;
  }

  /** The plan as it stands without this job. */
  private plan(without: OarJob): Plan {
    const plan = new Plan(this.testbed, this.clock.seconds());
    for (const job of this.jobs.values()) {
      if (job === without) continue;
      if (active.includes(job.state))
        plan.hold(job.nodes, job.startedAt || this.clock.seconds(), job.walltime ?? job.wanted.walltime);
      else if (job.state === "Waiting" && job.reservation === "Scheduled")
        plan.hold(job.nodes, job.startedAt, job.wanted.walltime);
    }
    return plan;
  }

  /** OAR's scheduler runs some seconds after something happened. */
  planSoon(): void {
    if (this.planned) return;
    this.planned = true;
    this.clock.after(15, () => {
      this.planned = false;
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isDown) {
      this.planSoon();
      return;
    }
    const now = this.clock.seconds();
    const waiting = [...this.jobs.values()].filter(
      (job) => job.state === "Waiting" && job.reservation !== "toSchedule",
    );
    const plan = new Plan(this.testbed, now);
    for (const job of this.jobs.values()) {
      if (active.includes(job.state)) plan.hold(job.nodes, job.startedAt || now, job.walltime ?? job.wanted.walltime);
    }
    for (const job of waiting.filter(({ reservation }) => reservation === "Scheduled")) {
      plan.hold(job.nodes, job.startedAt, job.wanted.walltime);
      if (job.startedAt <= now) this.launch(job, job.nodes);
      else this.wakeAt(job.startedAt);
    }
    for (const job of waiting.filter(({ reservation }) => reservation === "None")) {
      const { at, nodes } = plan.earliest(job.wanted, now);
      plan.hold(nodes, at, job.wanted.walltime);
      job.predicted = Number.isFinite(at) ? at : null;
      job.walltime = job.wanted.walltime;
      if (at <= now && subnetsFor(this, job.wanted)) this.launch(job, nodes);
      else this.wakeAt(at);
    }
  }

  private readonly wakes = new Set<number>();

  private wakeAt(seconds: number): void {
    if (!Number.isFinite(seconds) || this.wakes.has(seconds)) return;
    this.wakes.add(seconds);
    this.clock.afterReal(seconds * 1000 - this.clock.now() + 20, () => {
      this.wakes.delete(seconds);
      this.planSoon();
    });
  }

  private launch(job: OarJob, nodes: Node[]): void {
    job.state = "toLaunch";
    job.nodes = nodes;
    job.subnets = subnetsFor(this, job.wanted) ?? [];
    job.startedAt = this.clock.seconds();
    job.predicted = job.startedAt;
    job.walltime = job.wanted.walltime;
    this.clock.after(8, () => {
      if (job.state !== "toLaunch") return;
      job.state = "Launching";
      this.clock.after(8, () => {
        if (job.state === "Launching") this.start(job);
      });
    });
  }

  /** Puts a job straight into Running: those that are there when the site opens. */
  start(job: OarJob): void {
    job.state = "Running";
    job.startedAt ||= this.clock.seconds();
    job.predicted = job.startedAt;
    job.walltime ??= job.wanted.walltime;
    // As if one came back late: the walltime is nearly over.
    if (this.hasScenario("job-ends") && job.owner === "jdoe") {
      job.startedAt = Math.min(job.startedAt, this.clock.seconds() - job.walltime + Math.ceil(900 / this.clock.speed));
    }
    this.watchWalltime(job);
    startCommand(this, job, (exitCode) => this.commandEnded(job, exitCode));
  }

  private watchWalltime(job: OarJob): void {
    this.ends.get(job.id)?.();
    const over = (job.startedAt + (job.walltime ?? 0)) * 1000 - this.clock.now();
    this.ends.set(
      job.id,
      this.clock.afterReal(over, () => {
        if (job.state !== "Running") return;
        const now = this.clock.seconds();
        this.event(job, "FRAG_JOB_REQUEST", `User root requested to frag the job ${job.id}`);
        this.event(
          job,
          "WALLTIME",
          `[sarko] Job [${job.id}] from ${job.startedAt} with ${job.walltime}; current time=${now} (Elapsed)`,
        );
        this.finish(job);
      }),
    );
  }

  private commandEnded(job: OarJob, exitCode: number | null): void {
    if (job.state !== "Running") return;
    job.exitCode = exitCode;
    job.state = "Finishing";
    this.clock.after(5, () => this.close(job, "Terminated", "SWITCH_INTO_TERMINATE_STATE"));
  }

  /** Kills a job that has to end. */
  private finish(job: OarJob): void {
    job.state = "Finishing";
    this.event(job, "SEND_KILL_JOB", `[Leon] Send the kill signal to oarexec on 127.0.0.1 for job ${job.id}`);
    endCommand(this, job);
    this.clock.after(25, () => this.close(job, "Error", "SWITCH_INTO_ERROR_STATE"));
  }

  private close(job: OarJob, state: "Terminated" | "Error", event: string): void {
    this.ends.get(job.id)?.();
    this.ends.delete(job.id);
    job.state = state;
    job.stoppedAt = this.clock.seconds();
    job.predicted = null;
    this.event(job, event, `[bipbip ${job.id}] Ask to change the job state`);
    // A node whose job is over goes back to the site's own system.
    for (const node of job.nodes) this.release?.(node);
    this.planSoon();
  }

  /** Told of each node that a job gives back. */
  release: ((node: Node) => void) | null = null;

  /** oardel: null, or "gone" when the job had already been ended. */
  remove(job: OarJob, user: string): "gone" | null {
    const ending = job.events.some(({ type }) => type === "FRAG_JOB_REQUEST");
    if (ending || job.state === "Terminated" || job.state === "Error" || job.state === "Finishing") return "gone";
    this.event(job, "FRAG_JOB_REQUEST", `User ${user} requested to frag the job ${job.id}`);
    const wasActive = active.includes(job.state);
    this.clock.after(20, () => {
      if (job.state === "Running") this.finish(job);
      else {
        if (!wasActive) job.nodes = [];
        this.close(job, "Error", "SWITCH_INTO_ERROR_STATE");
      }
    });
    return null;
  }

  /** How much longer a job could last at most: two hours, as the site has it. */
  static readonly maximumIncrease = 7200;

  /** Takes a request for more (or less) walltime; it is handled some seconds later, perhaps in part. */
  changeWalltime(job: OarJob, seconds: number): void {
    job.pending = seconds;
    this.clock.after(15, () => this.grant(job));
  }

  private grant(job: OarJob): void {
    if (job.state !== "Running" || job.walltime === null || job.pending === 0) return;
    const end = job.startedAt + job.walltime;
    let possible = job.pending;
    if (possible > 0) {
      const plan = this.plan(job);
      possible = Math.min(possible, ...job.nodes.map((node) => plan.freeUntil(node, end) - end));
    }
    if (possible === 0) return;
    job.walltime += possible;
    job.granted += possible;
    job.pending -= possible;
    const sign = (value: number) => (value > 0 ? "+" : value < 0 ? "-" : "") + oarDuration(value);
    this.event(
      job,
      "WALLTIME",
      ` walltime changed: ${oarDuration(job.walltime)} (granted: ${sign(job.granted)}/pending: ${sign(job.pending)})`,
    );
    this.watchWalltime(job);
    this.planSoon();
  }

  /** Ids of everything a job has, cores first. */
  resourceIds(job: OarJob): number[] {
    return [...coresOf(this.testbed, job.nodes), ...job.subnets].map((resource) => resource.id);
  }
}
