/** Reads the answer to the `jobs` command of `oar.ts`: oarstat in JSON or text, of either naming generation. */
import { VirtuError } from "../errors.ts";
import type { Job, JobState } from "../journey/types.ts";
import { natural } from "../text.ts";
import { marks } from "./oar.ts";
import { type JobEvent, jobEnd, resubmittedAs } from "./oar-end.ts";
import { parseJobText } from "./oar-job-text.ts";
import { subnetOf } from "./oar-nodes.ts";

/** A job with what OAR knows beyond what is shown. */
export interface OarJob extends Job {
  /** An advance reservation: asked for a date. */
  reservation: "None" | "toSchedule" | "Scheduled";
  /** The oarsub line as it was typed, without quotes; empty for other users' jobs. */
  initialRequest: string;
  /** OAR put the same job in again under this number. */
  resubmittedAs: number | null;
  events: JobEvent[];
}

export interface JobsAnswer {
  /** The frontend's clock, epoch seconds. */
  now: number;
  /** By job number, ascending. */
  jobs: OarJob[];
  /** Jobs whose resources were told in this answer (their subnet is then known, or known to be none). */
  told: number[];
}

const states: readonly string[] = [
  "Waiting",
  "Hold",
  "toLaunch",
  "toError",
  "toAckReservation",
  "Launching",
  "Running",
  "Suspended",
  "Resuming",
  "Finishing",
  "Terminated",
  "Error",
] satisfies JobState[];

/** States that a job does not leave any more. */
export function hasEnded(state: JobState): boolean {
  return state === "Terminated" || state === "Error";
}

/** A job as OAR tells it, its keys in lower case without underscores: both naming generations then agree. */
export type Fields = Record<string, unknown>;

function unparsed(why: string, came: string): VirtuError {
  return new VirtuError({
    kind: "unparsed",
    what: "oarstat printed what virtu can't read",
    why,
    hint: "Run oarstat -f -J -u on the frontend and look; if it looks well, this OAR is one that virtu does not know.",
    detail: came.slice(0, 2000),
  });
}

/**
 * No job at all is an empty answer, never an error: oarstat prints nothing and ends with 0 for an unknown number too.
 * Throws `unparsed` with what came.
 */
export function parseJobs(stdout: string): JobsAnswer {
  const resources = new Map<number, string[]>();
  const body: string[] = [];
  let now: number | null = null;
  let into = body;
  for (const line of stdout.split("\n")) {
    const mark = /^(.*) (\d+)==$/.exec(line);
    if (mark?.[1] === marks.now.line) now = Number(mark[2]);
    else if (mark?.[1] === marks.resources.line) {
      into = [];
      resources.set(Number(mark[2]), into);
    } else into.push(line);
  }
  if (now === null) throw unparsed("its answer does not begin with the frontend's clock", stdout);
  const jobs = parseBody(body.join("\n")).map((fields) => {
    const job = toJob(fields);
    const rows = resources.get(job.jobId);
    return rows ? { ...job, subnet: subnetOf(rows.join("\n")) } : job;
  });
  return { now, jobs: jobs.sort((a, b) => a.jobId - b.jobId), told: [...resources.keys()] };
}

function parseBody(body: string): Fields[] {
  const text = body.trim();
  if (text === "" || text === "{}" || text === "[]") return [];
  if (/^Job_Id:/m.test(text) && !text.startsWith("{")) return parseJobText(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw unparsed(thrown instanceof Error ? thrown.message : String(thrown), body);
  }
  if (typeof value !== "object" || value === null) throw unparsed("it is no list of jobs", body);
  return Object.entries(value).map(([id, job]: [string, unknown]) => {
    if (typeof job !== "object" || job === null) throw unparsed(`job ${id} is no object`, body);
    return { jobid: Array.isArray(value) ? undefined : Number(id), ...normalise(job) };
  });
}

function normalise(record: object): Fields {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key.replaceAll("_", "").toLowerCase(), value]),
  );
}

function toJob(fields: Fields): OarJob {
  const jobId = whole(fields["jobid"]) ?? whole(fields["id"]);
  const state = text(fields["state"]);
  if (jobId === null || jobId <= 0) throw unparsed("a job has no number", JSON.stringify(fields, null, 1));
  if (!state || !states.includes(state)) {
    throw unparsed(
      `job ${jobId} is in a state that OAR 2 does not have: ${state || "none"}`,
      JSON.stringify(fields, null, 1),
    );
  }
  const events = eventsOf(fields["events"]);
  const start = instant(fields["starttime"]);
  const stop = instant(fields["stoptime"]);
  const seconds = whole(fields["walltime"]);
  const nodes = nodesOf(fields["assignednetworkaddress"] ?? fields["assignedhostnames"] ?? fields["networkaddress"]);
  const before = ["Waiting", "Hold", "toLaunch", "toAckReservation"].includes(state);
  // A refused reservation is given a start of its own although it never ran; only resources show that it did.
  const ran = !before && (!["Error", "toError"].includes(state) || nodes.length > 0);
  const startedAt = ran ? start : null;
  const ended = state === "Terminated" || state === "Error";
  const job: OarJob = {
    jobId,
    state: state as JobState,
    name: text(fields["name"]) || text(fields["jobname"]) || null,
    owner: text(fields["owner"]) || text(fields["jobuser"]) || text(fields["user"]) || "",
    queue: text(fields["queue"]) || "",
    types: typesOf(fields["types"]),
    command: text(fields["command"]) || "",
    nodes,
    subnet: null,
    walltimeSeconds: seconds,
    submittedAt: instant(fields["submissiontime"]),
    predictedStart: before ? (instant(fields["scheduledstart"]) ?? start) : null,
    startedAt,
    endsAt: ended ? stop : startedAt !== null && seconds !== null ? startedAt + seconds : null,
    message: text(fields["message"]) || "",
    end: null,
    reservation:
      fields["reservation"] === "Scheduled" || fields["reservation"] === "toSchedule" ? fields["reservation"] : "None",
    initialRequest: text(fields["initialrequest"]) || "",
    resubmittedAs: resubmittedAs(jobId, events),
    events,
  };
  const end = jobEnd(job, whole(fields["exitcode"]));
  // A reservation that was never given ends, for OAR, at the start it was asked for.
  return { ...job, end, endsAt: end?.kind === "refused" ? null : job.endsAt };
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function whole(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? Math.trunc(value) : null;
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : null;
}

/** Epoch seconds; OAR writes 0 for "never". */
function instant(value: unknown): number | null {
  const seconds = whole(value);
  return seconds !== null && seconds > 0 ? seconds : null;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string" && item !== "") : [];
}

function typesOf(value: unknown): string[] {
  return [...new Set(strings(value))];
}

/** Unique names in natural order; a subnet counts as a resource with an empty name. */
function nodesOf(value: unknown): string[] {
  return [...new Set(strings(value))].sort(natural);
}

/** In the order they happened. */
function eventsOf(value: unknown): JobEvent[] {
  if (!Array.isArray(value)) return [];
  const events = value
    .filter((event): event is object => typeof event === "object" && event !== null)
    .map((event) => normalise(event))
    .map((event, index) => ({
      type: text(event["type"]) ?? "",
      description: (text(event["description"]) ?? "").trim(),
      at: instant(event["date"]),
      order: whole(event["eventid"]) ?? index,
    }));
  return events.sort((a, b) => a.order - b.order).map(({ type, description, at }) => ({ type, description, at }));
}
