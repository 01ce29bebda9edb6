/** One Ganeti job from its submission to its outcome, across lost connections: the job goes on, and its number finds it again. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult } from "../ssh/types.ts";
import { type GanetiAccess, parseSubmitted, parseWatchLine, recentJobsCommand } from "../tools/ganeti.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { isPassing, pause } from "./exec.ts";
import type { ActionEvent, ActionOutcome } from "./types.ts";

export interface JobSteps {
  /** What is done, for errors: `web1.example.org got its start`. */
  what: string;
  /** The job's number in the recent jobs, once its submission was lost with the connection. */
  find: (recentJobs: string, withinSeconds: number) => string | null;
  /** Cluster, for errors. */
  where: string;
  /** First pause after a loss, in milliseconds; doubles up to 15 s. */
  retryMs: number;
  access: () => GanetiAccess;
  submit: () => Command;
  watch: (job: string) => Command;
  exec: (command: () => Command, options?: ExecOptions) => Promise<ExecResult>;
  onEvent: (event: ActionEvent) => void;
  signal: AbortSignal | undefined;
}

/** How often an unreachable master is tried before the job is given up as unknown: two minutes and a half in all. */
const tries = 14;
const submitLimitMs = 60_000;
/** The host's clock and the time that a submission takes are not exact. */
const slackSeconds = 5;

export async function runJob(steps: JobSteps): Promise<ActionOutcome> {
  const began = Date.now();
  const submitted = await attempt(() => steps.exec(steps.submit, { timeoutMs: submitLimitMs }));
  let job: string | null;
  if (submitted === null) {
    steps.onEvent({ text: "the connection broke: looking whether Ganeti has the job" });
    job = await findAgain(steps, began);
    if (job === null) {
      return {
        ok: false,
        job: null,
        text: null,
        error: "the connection broke before Ganeti had the job; nothing was done",
        detail: null,
      };
    }
  } else {
    job = parseSubmitted(submitted.stdout, submitted.stderr);
    if (submitted.status !== 0 || job === null) return refused(submitted.stderr, null);
  }
  steps.onEvent({ text: `Ganeti job ${job}`, job });
  return follow(steps, job);
}

/** Null when nobody knows whether it ran. */
async function attempt(exec: () => Promise<ExecResult>): Promise<ExecResult | null> {
  const result = await exec();
  return result.outcome === "exited" ? result : null;
}

/** Asks again and again while the master is out of reach. `what` is for the error when it never comes back. */
async function persistently(
  steps: JobSteps,
  exec: () => Promise<ExecResult>,
  what: () => VirtuError,
): Promise<ExecResult> {
  let wait = steps.retryMs;
  for (let n = 0; n < tries; n += 1) {
    try {
      const result = await attempt(exec);
      if (result) return result;
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
    }
    await pause(wait, steps.signal);
    wait = Math.min(wait * 2, 15_000);
  }
  throw what();
}

async function findAgain(steps: JobSteps, began: number): Promise<string | null> {
  const result = await persistently(
    steps,
    () => steps.exec(() => recentJobsCommand(steps.access())),
    () =>
      new VirtuError({
        kind: "connection",
        what: `Nobody knows whether ${steps.what}`,
        where: steps.where,
        why: "the connection broke and did not come back",
        hint: "Look at gnt-job list on the master.",
      }),
  );
  const since = Math.ceil((Date.now() - began) / 1000) + slackSeconds;
  return steps.find(result.stdout, since);
}

async function follow(steps: JobSteps, job: string): Promise<ActionOutcome> {
  // After a loss `watch` prints everything from the beginning: what was told is not told again.
  let told = 0;
  const watchOnce = () => {
    let line = 0;
    return steps.exec(() => steps.watch(job), {
      onLine: (stream, text) => {
        const message = stream === "stdout" ? parseWatchLine(text) : null;
        if (message === null) return;
        line += 1;
        if (line <= told) return;
        told = line;
        steps.onEvent({ text: `Ganeti job ${job}: ${message}`, job });
      },
    });
  };
  const watched = await persistently(
    steps,
    watchOnce,
    () =>
      new VirtuError({
        kind: "connection",
        what: `Nobody knows how Ganeti job ${job} ended`,
        where: steps.where,
        why: "the connection broke and did not come back; the job goes on without it",
        hint: `On the master: gnt-job info ${job}`,
      }),
  );
  if (watched.status === 0) return { ok: true, job, text: `Ganeti job ${job} done`, error: null, detail: null };
  return refused(watched.stderr, job);
}

function refused(stderr: string, job: string | null): ActionOutcome {
  const { why, hint } = explainGaneti(stderr);
  return { ok: false, job, text: null, error: hint ? `${why}. ${hint}` : why, detail: stderr.trim() || null };
}
