/** Asking a frontend's OAR: one round trip, and what its refusals to answer mean. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecResult, Pool, Priority } from "../ssh/types.ts";
import { type JobsQuery, jobs as jobsCommand } from "../tools/oar.ts";
import { type JobsAnswer, parseJobs } from "../tools/oar-jobs.ts";
import { type Context, frontendOf, type Site } from "./types.ts";

export interface AskOptions {
  signal?: AbortSignal;
  priority?: Priority;
}

/** Milliseconds. OAR's tools answer in half a second; a loaded server takes several. */
const answerLimit = 60_000;

/** What was learned about a frontend, kept as long as the pool lives. */
interface Memory {
  /** Its Perl has no JSON module. */
  text: boolean;
  /** A running job's subnet never changes. */
  subnets: Map<number, string | null>;
}

const memories = new WeakMap<Pool, Map<string, Memory>>();

function memoryOf(context: Context, site: Site): Memory {
  const bySite = memories.get(context.pool) ?? new Map<string, Memory>();
  memories.set(context.pool, bySite);
  const memory = bySite.get(site.frontend) ?? { text: false, subnets: new Map() };
  bySite.set(site.frontend, memory);
  return memory;
}

/** Runs an OAR command on the frontend. Rejects when the link fails or OAR is not there at all; else read the result. */
export async function ask(
  context: Context,
  site: Site,
  command: Command,
  options: AskOptions & { timeoutMs?: number; what: string },
): Promise<ExecResult> {
  const { signal, priority, timeoutMs = answerLimit, what } = options;
  const result = await context.pool.exec(frontendOf(site), command, { signal, priority, timeoutMs });
  const problem = noAnswer(site, result, what);
  if (problem) throw problem;
  return result;
}

/**
 * The error for a result that is no answer of OAR: lost, timed out, no OAR here, database down. null when it is one.
 * `connection` and `timeout` may pass; the same question can be asked again.
 */
export function noAnswer(site: Site, result: ExecResult, what: string): VirtuError | null {
  const where = site.name;
  if (result.outcome === "lost" || result.outcome === "signalled") {
    const why =
      result.outcome === "lost" ? "the connection broke before the answer" : `it was ended by ${result.signal}`;
    return new VirtuError({ kind: "connection", what, where, why, hint: "Try again." });
  }
  if (result.outcome === "timeout") {
    return new VirtuError({
      kind: "timeout",
      what,
      where,
      why: "OAR did not answer in time",
      hint: "Its server may be overloaded. Try again later.",
      detail: result.stderr || undefined,
    });
  }
  const notFound = /(?:^|[\s:])(oar\w+): (?:command )?not found/m.exec(result.stderr)?.[1];
  if (result.status === 127 || notFound) {
    return new VirtuError({
      kind: "failed",
      what,
      where,
      why: `this frontend has no OAR${notFound ? ` (${notFound} is not found)` : ""}`,
      hint: "Check the site's frontend: it must be the host where oarsub works.",
      detail: result.stderr,
    });
  }
  if (result.status === 25 || /DB connection error/.test(result.stderr)) {
    return new VirtuError({
      kind: "connection",
      what,
      where,
      why: "OAR's database does not answer",
      hint: "Only the site's administrators can mend that. Jobs that run go on running.",
      detail: result.stderr,
    });
  }
  return null;
}

/** The job numbers that OAR can have. Anything else is the user's mistake and goes nowhere. */
export function checkJobId(jobId: number): void {
  if (Number.isSafeInteger(jobId) && jobId > 0) return;
  throw new VirtuError({
    kind: "usage",
    what: "A job's number is a whole number above 0",
    where: String(jobId),
    hint: "The list of your jobs shows their numbers.",
  });
}

/** Jobs (all of the user's that are alive, or one by its number) with the frontend's clock, in one round trip. */
export async function askJobs(
  context: Context,
  site: Site,
  options: AskOptions & { jobId?: number; what?: string },
): Promise<JobsAnswer> {
  if (options.jobId !== undefined) checkJobId(options.jobId);
  const memory = memoryOf(context, site);
  const query: JobsQuery = { jobId: options.jobId, known: [...memory.subnets.keys()], text: memory.text };
  const usual = options.jobId === undefined ? "The jobs can't be listed" : `Job ${options.jobId} can't be looked up`;
  const what = options.what ?? usual;
  const result = await ask(context, site, jobsCommand(query), { ...options, what });
  if (!memory.text && /No Perl JSON module/.test(result.stdout + result.stderr)) {
    memory.text = true;
    return askJobs(context, site, options);
  }
  if (result.status !== 0) {
    throw new VirtuError({
      kind: "failed",
      what,
      where: site.name,
      why: `oarstat ended with status ${result.status}`,
      detail: result.stderr || result.stdout,
    });
  }
  const answer = parseJobs(result.stdout);
  const alive = new Set(answer.jobs.map(({ jobId }) => jobId));
  if (options.jobId === undefined) {
    for (const jobId of memory.subnets.keys()) if (!alive.has(jobId)) memory.subnets.delete(jobId);
  }
  for (const job of answer.jobs) {
    if (answer.told.includes(job.jobId)) memory.subnets.set(job.jobId, job.subnet);
    else job.subnet = memory.subnets.get(job.jobId) ?? null;
  }
  return answer;
}
