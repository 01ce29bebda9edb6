/** Reads `oarstat -f` as text, for frontends whose Perl has no JSON module. Its dates are taken for UTC. */
import type { Fields } from "./oar-jobs.ts";

/** One record a job, with the keys and values that the JSON form would have. */
export function parseJobText(text: string): Fields[] {
  return text
    .split(/^(?=Job_Id:)/m)
    .filter((block) => block.trim() !== "")
    .map(parseBlock);
}

function parseBlock(block: string): Fields {
  const fields: Fields = {};
  const events: { type: string; description: string; date: number | null }[] = [];
  for (const line of block.split("\n")) {
    const id = /^Job_Id:\s*(\d+)/.exec(line);
    const pair = /^ {4}(\w+) = ?(.*)$/.exec(line);
    const event = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)> ([A-Z_]+):\s*(.*)$/.exec(line);
    if (id) fields["jobid"] = Number(id[1]);
    else if (pair?.[1]) fields[pair[1].replaceAll("_", "").toLowerCase()] = readValue(pair[1], (pair[2] ?? "").trim());
    else if (event) events.push({ date: epoch(event[1] ?? ""), type: event[2] ?? "", description: event[3] ?? "" });
  }
  // A job's events come as plain lines after their key.
  fields["events"] = events;
  return fields;
}

function readValue(key: string, value: string): unknown {
  if (/time$/i.test(key) && key.toLowerCase() !== "walltime") return epoch(value);
  if (/^scheduled_?start$/i.test(key)) return epoch(value);
  if (key === "walltime") {
    const parts = /^(\d+):(\d+):(\d+)$/.exec(value);
    return parts ? Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3]) : null;
  }
  if (key === "assigned_hostnames" || key === "assigned_network_address") return value.split("+");
  if (key === "types") return value.split(/[+,]\s*/);
  if (key === "exit_code") return /^\d+/.exec(value)?.[0] ?? null;
  return value;
}

/** Epoch seconds of `2026-11-22 10:34:15` in UTC, or null (`no prediction`). */
function epoch(value: string): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(value);
  if (!parts) return null;
  const [, year, month, day, hours, minutes, seconds] = parts.map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hours, minutes, seconds);
  return at / 1000;
}
