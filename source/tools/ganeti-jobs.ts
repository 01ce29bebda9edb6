/** Ganeti's jobs: their states, what they do and to whom, and how one that failed says why. */
import { type Command, sh } from "../ssh/command.ts";
import { type GanetiAccess, gnt } from "./ganeti.ts";
import { epochSeconds, type LogEntry, logEntries } from "./luxi.ts";
import { parsePython } from "./python-literal.ts";

export interface GanetiJobRecord {
  id: string;
  /** queued, waiting, canceling, running, canceled, success or error. */
  status: string;
  /** `INSTANCE_SHUTDOWN(web1.example.org)`; several operations are joined by commas. */
  summary: string;
  /** Epoch seconds. */
  received: number | null;
  ended: number | null;
  /** One entry for each operation. */
  results: unknown[];
  operations: Record<string, unknown>[];
  log: LogEntry[];
}

/** The log comes last: it can hold any character. */
export const jobFields = ["id", "status", "summary", "received_ts", "end_ts", "opresult", "ops", "oplog"] as const;

type JobField = (typeof jobFields)[number];

/** gnt-job prints these as they are, the others as Python does. */
const plainFields: ReadonlySet<JobField> = new Set(["id", "status", "summary"]);

/** The unit separator: no text of a job holds it. */
const separator = "\x1f";

/** The newest jobs, oldest first. */
export function jobsCommand(access: GanetiAccess, count: number): Command {
  const words = ["list", "--no-headers", `--separator=${separator}`, "-o", jobFields.join(",")];
  return sh`out=$(${gnt(access, "gnt-job", words)}) || exit; printf '%s\\n' "$out" | tail -n ${count}`;
}

/** What `jobsCommand` printed; lines that are no jobs are left out. */
export function parseJobs(stdout: string): GanetiJobRecord[] {
  return stdout.split("\n").flatMap((line) => {
    const values = line.split(separator);
    if (values.length !== jobFields.length) return [];
    const cells = jobFields.map((field, index) => {
      const text = values[index] ?? "";
      return [field, plainFields.has(field) ? text : parsePython(text)];
    });
    return jobRecord(Object.fromEntries(cells) as Record<JobField, unknown>) ?? [];
  });
}

/** A job of values as LUXI gives them; null for one that does not exist. */
export function jobRecord(row: Record<JobField, unknown>): GanetiJobRecord | null {
  const { id, status, summary } = row;
  if (typeof status !== "string" || (typeof id !== "number" && !/^\d+$/.test(String(id)))) return null;
  return {
    id: String(id),
    status,
    summary: Array.isArray(summary) ? summary.join(",") : String(summary),
    received: epochSeconds(row.received_ts),
    ended: epochSeconds(row.end_ts),
    results: listOf(row.opresult),
    operations: listOf(row.ops).filter(isObject),
    log: listOf(row.oplog).flatMap(logEntries),
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isOver(status: string): boolean {
  return status === "success" || status === "error" || status === "canceled";
}

/** It can still be taken back: nothing of it was done yet. */
export function isCancellable(status: string): boolean {
  return status === "queued" || status === "waiting";
}

/** The results of one job's operations, for `furtherJobs`. */
export function resultsCommand(access: GanetiAccess, id: string): Command {
  return gnt(access, "gnt-job", ["list", "--no-headers", "-o", "opresult", id]);
}

export function parseResults(stdout: string): unknown[] {
  return listOf(parsePython(stdout.trim()));
}

/** Jobs that a job left to be done by others, as `gnt-node evacuate` does: `[{"jobs": [[true, 20], [true, 21]]}]`. */
export function furtherJobs(results: readonly unknown[]): string[] {
  return results
    .filter(isObject)
    .flatMap((result) => listOf(result["jobs"]))
    .flatMap((job) => (Array.isArray(job) && job[0] === true ? [String(job[1])] : []));
}

/**
 * Why a job failed, as the gnt-* programs print it. `results`: `[["OpPrereqError", ["text", "wrong_state"]]]`,
 * `[["OpExecError", ["text"]]]`.
 */
export function failureText(status: string, results: readonly unknown[]): string {
  const found = results.findLast((result) => Array.isArray(result) && typeof result[0] === "string");
  const [name = "", words] = (found ?? []) as [string?, unknown?];
  const [text = "", type] = listOf(words).map(String);
  if (name === "OpPrereqError") {
    const typed = type === undefined ? "" : `error type: ${type}, error details:\n`;
    return `Failure: prerequisites not met for this operation:\n${typed}${text}`;
  }
  if (name === "OpExecError") return `Failure: command execution error:\n${text}`;
  if (status === "canceled") return "Unhandled Ganeti error: Job was canceled";
  return `Unhandled Ganeti error: ${text || status}`;
}

/** Full name of the instance or node that a job is about, or null. Not every summary names it (tags, renaming). */
export function subjectOf({ summary, operations }: GanetiJobRecord): string | null {
  const [operation] = operations;
  for (const field of ["instance_name", "node_name", "name"]) {
    const name = operation?.[field];
    if (typeof name === "string" && name !== "") return name;
  }
  return /^(?:INSTANCE|NODE)_\w+\(([^()]+)\)/.exec(summary)?.[1] ?? null;
}

/**
 * Who asked for a job, as far as Ganeti writes it down: the program, and the reason that was given with `--reason`.
 * `[["gnt:client:gnt-instance", "shutdown", NANOSECONDS], ["gnt:user", "maintenance", …], …]`
 */
export function originOf({ operations }: GanetiJobRecord): { program: string | null; reason: string | null } {
  const trail = listOf(operations[0]?.["reason"]).filter((entry): entry is unknown[] => Array.isArray(entry));
  const source = trail.map(([from]) => String(from)).find((from) => /^gnt:(?:client|library|watcher)/.test(from));
  const reason = trail.find(([from, text]) => from === "gnt:user" && String(text).trim() !== "")?.[1];
  return { program: programOf(source ?? ""), reason: reason === undefined ? null : String(reason) };
}

function programOf(source: string): string | null {
  if (source.startsWith("gnt:watcher") || source.includes("watcher")) return "ganeti-watcher";
  if (source.startsWith("gnt:library:rlib2")) return "RAPI";
  return /^gnt:client:([\w-]+)/.exec(source)?.[1] ?? null;
}

export function cancelCommand(access: GanetiAccess, id: string): Command {
  return gnt(access, "gnt-job", ["cancel", id]);
}
