/** Why a job ended. OAR says `Error` for a job that was deleted, that ran out of time, or that failed; only its events tell. */
import type { Job, JobEnd } from "../journey/types.ts";

export interface JobEvent {
  /** OAR's word: `FRAG_JOB_REQUEST`, `WALLTIME`… */
  type: string;
  description: string;
  /** Epoch seconds. */
  at: number | null;
}

/** Events that belong to every end, or say nothing about it. */
const bookkeeping = new Set([
  "SEND_KILL_JOB",
  "SWITCH_INTO_ERROR_STATE",
  "SWITCH_INTO_TERMINATE_STATE",
  "FRAG_JOB_REQUEST",
  "WALLTIME",
  "REDUCE_RESERVATION_WALLTIME",
  "RESUBMIT_JOB_AUTOMATICALLY",
]);

/** The number under which OAR put a job in again, after a fault of its own. */
export function resubmittedAs(jobId: number, events: readonly JobEvent[]): number | null {
  const event = events.find(({ type }) => type === "RESUBMIT_JOB_AUTOMATICALLY");
  const found = event && /(\d+)\s*=>\s*(\d+)/.exec(event.description);
  return found && Number(found[1]) === jobId ? Number(found[2]) : null;
}

type Ended = Pick<Job, "jobId" | "state" | "owner" | "startedAt" | "message"> & {
  events: readonly JobEvent[];
  reservation: string;
  resubmittedAs: number | null;
};

/** `exitCode` is a wait status as OAR keeps it (1792 is exit 7), null when the command did not end by itself. */
export function jobEnd(job: Ended, exitCode: number | null): JobEnd | null {
  if (job.state === "Terminated") return { kind: "finished", text: finished(exitCode) };
  if (job.state !== "Error" && job.state !== "toError") return null;
  if (job.resubmittedAs !== null) {
    const why = fault(job.events);
    return { kind: "failed", text: `OAR put it in again as job ${job.resubmittedAs}${why ? `: ${why}` : ""}` };
  }
  const released = job.events.findIndex((event) => deletedBy(event) !== null && deletedBy(event) !== "root");
  // oarwalltime logs an event of the same type; only the elapsed one is an end.
  const elapsed = job.events.findIndex(({ type, description }) => type === "WALLTIME" && /elapsed/i.test(description));
  if (elapsed >= 0 && (released < 0 || elapsed < released)) {
    return { kind: "walltime", text: "its walltime was over" };
  }
  if (released >= 0) {
    const by = deletedBy(job.events[released] ?? { type: "", description: "", at: null });
    return { kind: "released", text: by === job.owner ? "you released it" : `${by} released it` };
  }
  const why = fault(job.events);
  if (why) return { kind: "failed", text: why };
  if (job.events.some((event) => deletedBy(event) === "root")) {
    return { kind: "released", text: "the administrators or OAR itself released it" };
  }
  if (job.reservation !== "None" && job.startedAt === null) {
    // Its message then is the scheduler's answer: "Reservation too old", "This reservation could run at …".
    return {
      kind: "refused",
      text: `OAR could not give the reservation at that time${job.message ? ` (${job.message})` : ""}`,
    };
  }
  return { kind: "failed", text: "OAR gives no reason" };
}

function deletedBy(event: JobEvent): string | null {
  if (event.type !== "FRAG_JOB_REQUEST") return null;
  return /^User (\S+) requested/.exec(event.description)?.[1] ?? "root";
}

function finished(exitCode: number | null): string {
  if (exitCode === null || exitCode === 0) return "its command ended";
  const signal = exitCode & 0x7f;
  return signal !== 0 ? `its command was ended by signal ${signal}` : `its command ended with status ${exitCode >> 8}`;
}

/** The first event that tells of a fault, in the words of the user; null when there is none. */
function fault(events: readonly JobEvent[]): string | null {
  const event = events.find(({ type }) => !bookkeeping.has(type));
  if (!event) return null;
  const folder = /working directory (\S+)/.exec(event.description)?.[1];
  if (event.type === "WORKING_DIRECTORY")
    return `the folder ${folder ?? "it was submitted from"} can't be entered there`;
  if (event.type === "EXIT_VALUE_OAREXEC")
    return "OAR could not start it: its server does not reach the host that runs deploy jobs";
  if (event.type === "CPUSET_ERROR") return "OAR could not prepare its nodes and suspects them now";
  return `${event.type}: ${event.description}`;
}
