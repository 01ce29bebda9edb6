/** What is typed into the reservation form or given on the command line, checked field by field before anything is sent. */
import type { ReserveRequest } from "./types.ts";
import { parseWalltime } from "./walltime.ts";

/** As typed; absent and empty mean the default. */
export interface ReserveValues {
  nodes: string;
  walltime: string;
  /** `22`, `/22` or `none`; 22 by default. */
  subnet?: string;
  cluster?: string;
  properties?: string;
  queue?: string;
  project?: string;
  name?: string;
  /** `YYYY-MM-DD HH:MM[:SS]` in the frontend's time zone; empty: as soon as possible. */
  start?: string;
}

export type ReserveField = keyof ReserveValues;
export type ReserveErrors = Partial<Record<ReserveField, string>>;
export type CheckedRequest = { request: ReserveRequest } | { errors: ReserveErrors };

const word = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const wordRule = "letters, digits, dots, dashes and underscores only";

/** Every field's fault at once, as sentences; or the request. */
export function checkRequest(values: ReserveValues): CheckedRequest {
  const errors: ReserveErrors = {};
  const typed = (field: ReserveField) => values[field]?.trim() ?? "";
  const named = (field: "cluster" | "queue" | "project" | "name", noun: string) => {
    const text = typed(field);
    if (text !== "" && !word.test(text)) errors[field] = `A ${noun} has ${wordRule}.`;
    return text || undefined;
  };
  const nodes = typed("nodes");
  if (!/^\d+$/.test(nodes)) errors.nodes = nodes === "" ? "How many nodes?" : "A whole number of nodes.";
  else if (Number(nodes) < 1) errors.nodes = "At least one node.";
  else if (Number(nodes) > 100_000) errors.nodes = "No site has so many nodes.";
  const walltime = parseWalltime(typed("walltime"));
  if ("error" in walltime) errors.walltime = walltime.error;
  const subnet = parseSubnet(typed("subnet"));
  if (subnet === undefined) errors.subnet = "A subnet is /16 to /22, or none.";
  const properties = typed("properties") || undefined;
  const wrong = properties && faultOf(properties);
  if (wrong) errors.properties = wrong;
  const start = parseStart(typed("start"));
  if (typeof start === "object") errors.start = start.error;
  const request: ReserveRequest = {
    nodes: Number(nodes),
    walltimeSeconds: "seconds" in walltime ? walltime.seconds : 0,
    subnet: subnet ?? null,
    cluster: named("cluster", "cluster's name"),
    properties,
    queue: named("queue", "queue's name"),
    project: named("project", "project's name"),
    name: named("name", "job's name") ?? "virtu",
    start: typeof start === "string" ? start : undefined,
  };
  return Object.keys(errors).length > 0 ? { errors } : { request };
}

/** OAR's resources are `slash_16` to `slash_22`. undefined: not one of them. */
function parseSubnet(text: string): number | null | undefined {
  if (/^(none|no|-)$/i.test(text)) return null;
  const length = text === "" ? 22 : Number(text.replace(/^\//, ""));
  return Number.isInteger(length) && length >= 16 && length <= 22 ? length : undefined;
}

/** What OAR would refuse with a database error, or misread; null when nothing is seen. */
function faultOf(sql: string): string | null {
  if (/[\r\n]/.test(sql)) return "A condition is one line.";
  if (/[{}]/.test(sql)) return "Braces belong to OAR's own syntax; a condition can't hold them.";
  const outside = sql.replace(/'(?:[^']|'')*'/g, "''");
  if (/'/.test(outside.replaceAll("''", ""))) return "A quote is not closed.";
  if (/"/.test(outside)) return "Text stands in single quotes: cluster='paravance'.";
  if (/;|--|\/\*/.test(outside)) return "One condition only, without ; or comments.";
  let depth = 0;
  for (const character of outside) {
    depth += character === "(" ? 1 : character === ")" ? -1 : 0;
    if (depth < 0) break;
  }
  if (depth !== 0) return depth > 0 ? "A parenthesis is not closed." : "A parenthesis is closed that was not opened.";
  if (!/[=<>]|\b(in|like|is|between|not)\b/i.test(outside)) return "A condition compares something: memnode > 100000.";
  return null;
}

/** OAR's own form of the date; undefined when empty. Whether it has passed only the frontend's clock knows. */
function parseStart(text: string): string | undefined | { error: string } {
  if (text === "") return undefined;
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})[ T]+(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text);
  if (!parts) return { error: "Write the start as 2026-03-02 19:00, in the site's time." };
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  const real =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hours <= 23 && minutes <= 59 && seconds <= 59;
  if (!real) return { error: "There is no such day or hour." };
  return date.toISOString().slice(0, 19).replace("T", " ");
}
