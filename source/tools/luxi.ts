/**
 * LUXI, the protocol of Ganeti's own clients: JSON over a Unix socket on the master, every message ended by the byte 3.
 * Nothing starts on the node for it (a gnt-* call costs 0.2 s of Python). Source: Ganeti's lib/rpc/transport.py and
 * lib/luxi.py; measured on 3.0.2 and 3.1.0~rc2, which ignore the request's `version`: it is left out.
 */
import type { Cells } from "./ganeti.ts";

/** Readable by root and by members of Ganeti's admin group; there only while the host is the master. */
export const luxiSocket = "/var/run/ganeti/socket/ganeti-query";

const end = 3;

export function luxiRequest(method: string, args: readonly unknown[]): Buffer {
  return Buffer.concat([Buffer.from(JSON.stringify({ method, args })), Buffer.from([end])]);
}

/** Cuts a stream of bytes into whole messages. */
export class LuxiFrames {
  private rest: Buffer[] = [];

  push(chunk: Buffer): string[] {
    const messages: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(end); at >= 0; at = chunk.indexOf(end, from)) {
      messages.push(Buffer.concat([...this.rest, chunk.subarray(from, at)]).toString("utf8"));
      this.rest = [];
      from = at + 1;
    }
    if (from < chunk.length) this.rest.push(chunk.subarray(from));
    return messages;
  }
}

export type LuxiReply = { ok: true; result: unknown } | { ok: false; text: string };

/** Null: no LUXI reply at all. An error is a text, or a class with its arguments: `["JobLost", ["Can't load job file"]]`. */
export function parseLuxiReply(message: string): LuxiReply | null {
  let reply: unknown;
  try {
    reply = JSON.parse(message);
  } catch {
    return null;
  }
  if (typeof reply !== "object" || reply === null || !("success" in reply) || !("result" in reply)) return null;
  if (reply.success === true) return { ok: true, result: reply.result };
  const { result } = reply;
  if (Array.isArray(result) && Array.isArray(result[1])) return { ok: false, text: result[1].map(String).join(" ") };
  return { ok: false, text: String(result) };
}

/** The values of a `Query`, row by row; a value that Ganeti has not (cell status 1 to 4) is null. Null: of another form. */
export function luxiRows<F extends string>(result: unknown, fields: readonly F[]): Record<F, unknown>[] | null {
  const rows = typeof result === "object" && result !== null && "data" in result ? result.data : null;
  if (!Array.isArray(rows)) return null;
  const whole = rows.every((row) => Array.isArray(row) && row.length === fields.length && row.every(isCell));
  if (!whole) return null;
  return (rows as [number, unknown][][]).map(
    (row) =>
      Object.fromEntries(
        fields.map((field, index) => [field, row[index]?.[0] === 0 ? row[index]?.[1] : null]),
      ) as Record<F, unknown>,
  );
}

function isCell(cell: unknown): cell is [number, unknown] {
  return Array.isArray(cell) && cell.length === 2 && typeof cell[0] === "number";
}

/** The same rows as texts, each as `gnt-* list --separator=| --units=m` prints it in UTC. */
export function luxiCells<F extends string>(result: unknown, fields: readonly F[]): Cells<F>[] | null {
  const rows = luxiRows(result, fields);
  return rows?.map((row) => mapValues(row, (field, value) => cellText(field, value))) ?? null;
}

function mapValues<F extends string>(row: Record<F, unknown>, text: (field: F, value: unknown) => string | null) {
  const entries = Object.entries(row) as [F, unknown][];
  return Object.fromEntries(entries.map(([field, value]) => [field, text(field, value)])) as unknown as Cells<F>;
}

function cellText(field: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value ? "Y" : "N";
  if (Array.isArray(value)) return value.map((item) => (item === null ? "None" : String(item))).join(",");
  if (typeof value === "number" && /^[cm]time$/.test(field)) {
    return new Date(Math.floor(value) * 1000).toISOString().slice(0, 19).replace("T", " ");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export interface JobChange {
  /** The values of the fields that were asked for, in their order; given back with the next question. */
  values: unknown[];
  /** The newest entry of the log that was given, for the next question. */
  serial: number | null;
  messages: string[];
}

/** What `WaitForJobChange` answers; null: nothing changed within its time. Undefined: of another form. */
export function parseJobChange(result: unknown): JobChange | null | undefined {
  if (result === "nochange" || result === null) return null;
  if (!Array.isArray(result) || !Array.isArray(result[0])) return undefined;
  const entries = logEntries(result[1]);
  return {
    values: result[0],
    serial: entries.at(-1)?.serial ?? null,
    messages: entries.map(({ text }) => text),
  };
}

export interface LogEntry {
  serial: number;
  /** Epoch milliseconds. */
  at: number;
  text: string;
}

/** Entries `[serial, [seconds, microseconds], kind, text]` of an operation's log; what is no text is left out. */
export function logEntries(log: unknown): LogEntry[] {
  if (!Array.isArray(log)) return [];
  return log.flatMap((entry) => {
    if (!Array.isArray(entry) || typeof entry[0] !== "number" || typeof entry[3] !== "string") return [];
    const [serial, at, , text] = entry;
    return [{ serial, at: (epochSeconds(at) ?? 0) * 1000, text: text.replace(/^\s*- /, "").trim() }];
  });
}

/** `[seconds, microseconds]`, as Ganeti keeps every moment of a job. */
export function epochSeconds(pair: unknown): number | null {
  if (!Array.isArray(pair) || typeof pair[0] !== "number" || typeof pair[1] !== "number") return null;
  return pair[0] + pair[1] / 1e6;
}
