/** A job as it is shown: state, time, reason, its row. Pure. */
import type { Job } from "../../journey/types.ts";
import { readDuration } from "../../journey/walltime.ts";
import { hasEnded } from "../../store/known.ts";
import { clock, count, plainLine } from "../../text.ts";
import { headerLine, layout } from "../components/table.tsx";
import { cell, paint, state, type Tone } from "../theme.ts";
import { foldNames } from "./node-names.ts";

const running: Record<Job["state"], { tone: Tone; word: string }> = {
  Waiting: { tone: "busy", word: "waiting" },
  Hold: { tone: "paused", word: "on hold" },
  toLaunch: { tone: "busy", word: "starting" },
  toError: { tone: "bad", word: "failing" },
  toAckReservation: { tone: "busy", word: "waiting" },
  Launching: { tone: "busy", word: "starting" },
  Running: { tone: "good", word: "running" },
  Suspended: { tone: "paused", word: "suspended" },
  Resuming: { tone: "busy", word: "resuming" },
  Finishing: { tone: "busy", word: "ending" },
  Terminated: { tone: "idle", word: "ended" },
  Error: { tone: "bad", word: "failed" },
};

/** OAR says `Error` of most ends: the end's own kind tells more. */
const ended: Record<NonNullable<Job["end"]>["kind"], { tone: Tone; word: string }> = {
  finished: { tone: "idle", word: "ended" },
  released: { tone: "idle", word: "released" },
  walltime: { tone: "idle", word: "time over" },
  refused: { tone: "bad", word: "refused" },
  failed: { tone: "bad", word: "failed" },
};

export function jobState(job: Job, releasing = false): { tone: Tone; word: string } {
  if (job.end) return ended[job.end.kind];
  return releasing ? { tone: "busy", word: "releasing" } : running[job.state];
}

/** `17:12`, or with the date when it is not within 18 hours. Epoch seconds. */
export function timeOf(epoch: number, now: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const date = new Date(epoch * 1000);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (Math.abs(epoch - now) <= 18 * 3600) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** Walltime left, or time to the predicted start, as a countdown. `now` in epoch seconds. */
export function jobTime(job: Job, now: number): string {
  if (hasEnded(job)) return job.endsAt === null ? "" : `at ${timeOf(job.endsAt, now)}`;
  if (job.state === "Running") return job.endsAt === null ? "" : `${clock(job.endsAt - now)} left`;
  if (job.predictedStart === null) return job.state === "Waiting" ? "not planned" : "";
  return job.predictedStart > now ? `in ${clock(job.predictedStart - now)}` : "any moment";
}

/**
 * Why a job waits. OAR's message ends with what its scheduler thinks: `R=4,W=2:0:0,… (Karma=0.000,quota_ok)`; that all is
 * well is no reason.
 */
export function queueReason(job: Job): string {
  const reason = /\(([^()]*)\)\s*$/.exec(job.message)?.[1];
  if (reason === undefined) return plainLine(job.message);
  return /quota_ok/.test(reason) ? "its turn, when nodes are free" : plainLine(reason);
}

/** Why it waits, or how it ended. */
export function jobNote(job: Job): string {
  if (job.end) return plainLine(job.end.text);
  if (job.state === "Running") return foldNames(job.nodes);
  if (job.state === "Hold") return `"oarresume ${job.jobId}" on the frontend lets it go`;
  return queueReason(job);
}

const columnsAt = (width: number) =>
  layout(
    [
      { title: "JOB", width: 8, align: "right" },
      { title: "NAME", width: 10, grow: 1 },
      { title: "STATE", width: 11 },
      { title: "NODES", width: 5, align: "right" },
      { title: "TIME", width: 14, align: "right" },
      { title: "WHERE AND WHY", width: 20, grow: 3 },
    ],
    width,
  );

export const jobHeader = (width: number): string => headerLine(columnsAt(width));

export interface JobMarks {
  /** It is the one that the user works with. */
  current: boolean;
  releasing: boolean;
}

/** One row in `width` columns. `now` in epoch seconds. */
export function jobRow(job: Job, { current, releasing }: JobMarks, width: number, now: number): string {
  const [id = 0, name = 0, stateWidth = 0, nodes = 0, time = 0, note = 0] = columnsAt(width).map((one) => one.width);
  const { tone, word } = jobState(job, releasing);
  const number = cell(String(job.jobId), id, "right");
  const timeText = cell(jobTime(job, now), time, "right");
  const short = job.state === "Running" && job.endsAt !== null && job.endsAt - now < 600;
  return [
    current ? paint(number, "bold", "underline") : number,
    cell(job.name ?? "–", name),
    state(tone, cell(word, stateWidth - 2)),
    cell(job.nodes.length === 0 ? "" : String(job.nodes.length), nodes, "right"),
    short ? paint(timeText, "yellow", "bold") : timeText,
    cell(jobNote(job), note),
  ].join(" ");
}

/** What goes with a job that is released, a line for each thing. */
export function releaseLosses(job: Job, deployment: string | null, now: number): string[] {
  const left = job.state === "Running" && job.endsAt !== null ? `, ${clock(job.endsAt - now)} of walltime left` : "";
  const lines = [`job ${job.jobId} ${job.name ?? ""}`.trim() + (left || `, ${jobState(job).word}`)];
  if (job.state !== "Running") return [...lines, "its place in the queue"];
  lines.push(`${count(job.nodes.length, "node")}: ${foldNames(job.nodes)}`);
  lines.push("everything on their disks, and every VM that runs on them");
  if (deployment) lines.push(`the deployment of ${deployment} that is on its way`);
  if (job.subnet) lines.push(`the subnet ${job.subnet}`);
  return lines;
}

/** What came of asking for `asked` more seconds. */
export function extensionText({ granted, pending }: { granted: number; pending: number }): string {
  if (pending <= 0) return `Granted: ${readDuration(granted)} more.`;
  const later = `${readDuration(pending)} still asked for: OAR gives it as soon as nobody else waits for the nodes, or never.`;
  return granted > 0
    ? `Granted so far: ${readDuration(granted)} more. ${later}`
    : `Accepted, nothing granted yet. ${later}`;
}
