/** One Ganeti job from its submission to its outcome, across lost connections: the job goes on, and its number finds it again. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult } from "../ssh/types.ts";
import { type GanetiAccess, parseSubmitted, parseWatchLine, recentJobsCommand, watchCommand } from "../tools/ganeti.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { failureText, furtherJobs, parseResults, resultsCommand } from "../tools/ganeti-jobs.ts";
import { isPassing, pause } from "../waiting.ts";
import { followJob } from "./ganeti-follow.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { ActionEvent, ActionOutcome } from "./types.ts";

/** A job of any kind: what actions and the making of instances have in common. */
export interface GanetiJob {
  /** For errors: `web1.example.org got its start`. */
  what: string;
  submit: (access: GanetiAccess) => Command;
  /** The job's number in the recent jobs, once its submission was lost with the connection. */
  find: (recentJobs: string, withinSeconds: number) => string | null;
  /** It only decides what is to be done, and leaves that to jobs of their own (`gnt-node evacuate`). */
  leavesJobs?: boolean;
  onEvent: ((event: ActionEvent) => void) | undefined;
  signal: AbortSignal | undefined;
}

export interface JobSurroundings {
  master: GanetiMaster;
  /** Cluster, for errors. */
  where: string;
  /** First pause after a loss, in milliseconds; doubles up to 15 s. */
  retryMs: number;
}

/** How often an unreachable master is tried before the job is given up as unknown: two minutes and a half in all. */
const tries = 14;
const submitLimitMs = 60_000;
/** The host's clock and the time that a submission takes are not exact. */
const slackSeconds = 5;

export function runJob(around: JobSurroundings, job: GanetiJob): Promise<ActionOutcome> {
  return new JobRun(around, job).run();
}

interface Ended {
  ok: boolean;
  /** What the gnt-* programs print of a failure. */
  stderr: string;
  /** Jobs that it left behind. */
  further: string[];
}

class JobRun {
  constructor(
    private readonly around: JobSurroundings,
    private readonly job: GanetiJob,
  ) {}

  async run(): Promise<ActionOutcome> {
    const began = Date.now();
    const submitted = await this.attempt(() => this.exec(this.job.submit, { timeoutMs: submitLimitMs }));
    let id: string | null;
    if (submitted === null) {
      this.tell({ text: "the connection broke: looking whether Ganeti has the job" });
      id = await this.findAgain(began);
      if (id === null) return failed("the connection broke before Ganeti had the job; nothing was done", null, null);
    } else {
      const { status, stdout, stderr } = submitted;
      id = parseSubmitted(stdout, stderr);
      if (id === null && status === 0 && /^No instances to evacuate/m.test(stdout + stderr)) {
        return { ok: true, job: null, text: "there was nothing to evacuate", error: null, detail: null };
      }
      if (status !== 0 || id === null) return refused(stderr, null);
    }
    this.tell({ text: `Ganeti job ${id}`, job: id });
    const ended = await this.follow(id);
    if (!ended.ok) return refused(ended.stderr, id);
    return this.followFurther(id, ended.further);
  }

  private async followFurther(id: string, further: readonly string[]): Promise<ActionOutcome> {
    const done: ActionOutcome = { ok: true, job: id, text: `Ganeti job ${id} done`, error: null, detail: null };
    if (further.length === 0) return done;
    this.tell({ text: `Ganeti job ${id} goes on as ${further.join(", ")}`, job: id });
    const outcomes = await Promise.all(further.map(async (child) => ({ child, ended: await this.follow(child) })));
    const bad = outcomes.filter(({ ended }) => !ended.ok);
    if (bad.length === 0) return { ...done, text: `Ganeti jobs ${[id, ...further].join(", ")} done` };
    const whys = bad.map(({ child, ended }) => `job ${child}: ${explainGaneti(ended.stderr).why}`);
    const error = `${bad.length} of ${further.length} jobs failed: ${whys.join("; ")}`;
    return failed(error, id, bad.map(({ ended }) => ended.stderr.trim()).join("\n") || null);
  }

  private tell(event: ActionEvent): void {
    this.job.onEvent?.(event);
  }

  private exec(command: (access: GanetiAccess) => Command, options: ExecOptions = {}): Promise<ExecResult> {
    return this.around.master.run(command, { signal: this.job.signal, ...options });
  }

  /** Null when nobody knows whether it ran. */
  private async attempt(exec: () => Promise<ExecResult>): Promise<ExecResult | null> {
    const result = await exec();
    return result.outcome === "exited" ? result : null;
  }

  /** Asks again and again while the master is out of reach. `what` is for the error when it never comes back. */
  private async persistently<T>(question: () => Promise<T | null>, what: () => VirtuError): Promise<T> {
    let wait = this.around.retryMs;
    for (let n = 0; n < tries; n += 1) {
      try {
        const result = await question();
        if (result !== null) return result;
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
      }
      await pause(wait, this.job.signal);
      wait = Math.min(wait * 2, 15_000);
    }
    throw what();
  }

  private async findAgain(began: number): Promise<string | null> {
    const result = await this.persistently(
      () => this.attempt(() => this.exec(recentJobsCommand)),
      () =>
        new VirtuError({
          kind: "connection",
          what: `Nobody knows whether ${this.job.what}`,
          where: this.around.where,
          why: "the connection broke and did not come back",
          hint: "Look at gnt-job list on the master.",
        }),
    );
    const since = Math.ceil((Date.now() - began) / 1000) + slackSeconds;
    return this.job.find(result.stdout, since);
  }

  private async follow(id: string): Promise<Ended> {
    // After a loss everything is told from the beginning: what was told is not told again.
    let told = 0;
    const counting = () => {
      let line = 0;
      return (message: string) => {
        line += 1;
        if (line <= told) return;
        told = line;
        this.tell({ text: `job ${id}: ${message.replace(/^\* /, "")}`, job: id });
      };
    };
    return this.persistently(
      async () => (await this.followByLuxi(id, counting())) ?? this.followByWatch(id, counting()),
      () =>
        new VirtuError({
          kind: "connection",
          what: `Nobody knows how Ganeti job ${id} ended`,
          where: this.around.where,
          why: "the connection broke and did not come back; the job goes on without it",
          hint: `On the master: gnt-job info ${id}`,
        }),
    );
  }

  private followByLuxi(id: string, onMessage: (message: string) => void): Promise<Ended | null> {
    const { luxi } = this.around.master;
    const { signal } = this.job;
    return luxi.attempt(async () => {
      const { status, results } = await followJob(luxi, id, { signal, onMessage });
      const ok = status === "success";
      return { ok, stderr: ok ? "" : failureText(status, results), further: furtherJobs(results) };
    }, signal);
  }

  private async followByWatch(id: string, onMessage: (message: string) => void): Promise<Ended | null> {
    const watched = await this.attempt(() =>
      this.exec((access) => watchCommand(access, id), {
        onLine: (stream, text) => {
          const message = stream === "stdout" ? parseWatchLine(text) : null;
          if (message !== null) onMessage(message);
        },
      }),
    );
    if (watched === null) return null;
    if (watched.status !== 0) return { ok: false, stderr: watched.stderr, further: [] };
    if (!this.job.leavesJobs) return { ok: true, stderr: "", further: [] };
    const answer = await this.attempt(() => this.exec((access) => resultsCommand(access, id)));
    return answer && { ok: true, stderr: "", further: furtherJobs(parseResults(answer.stdout)) };
  }
}

function failed(error: string, job: string | null, detail: string | null): ActionOutcome {
  return { ok: false, job, text: null, error, detail };
}

function refused(stderr: string, job: string | null): ActionOutcome {
  const { why, hint } = explainGaneti(stderr);
  return failed(hint ? `${why}. ${hint}` : why, job, stderr.trim() || null);
}
