/** What the user has to know of the hosts, one line each, and why a table has no rows. Pure. */
import type { HostView } from "../../instances/inventory-types.ts";
import { count, plainLine } from "../../text.ts";
import { cell, paint, symbol, type Tone, toneStyles, widthOf } from "../theme.ts";

export interface TroubleLine {
  tone: Tone;
  /** Cut when it is too long. */
  text: string;
  /** What to do, never cut. */
  hint: string;
}

/** The line in at most `width` columns. */
export function troubleText({ tone, text, hint }: TroubleLine, width: number): string {
  const room = width - 4 - hint.length;
  const head = widthOf(text) > room ? cell(text, room) : text;
  return paint(`${symbol(tone)} ${head}; ${hint}`, ...toneStyles(tone));
}

/** `14:02`, or with the day when it was another one. */
export function timeOf(at: number, now: number): string {
  const [day, time] = new Date(at).toLocaleString("sv").split(" ");
  const short = (time ?? "").slice(0, 5);
  return day === new Date(now).toLocaleDateString("sv") ? short : `${day} ${short}`;
}

/** Why a host shows nothing new, without its name. */
export function hostReason({ error }: Pick<HostView, "error">): string {
  return error ? plainLine([error.what, error.why].filter(Boolean).join(": ")) : "";
}

/** One line for each host that needs a look, worst first, at most `room` lines. */
export function troubleLines(hosts: readonly HostView[], now: number, room: number): TroubleLine[] {
  const lines: TroubleLine[] = [];
  const hint = "H tells more";
  for (const host of hosts) {
    if (host.state === "error") lines.push({ tone: "bad", text: `${host.host}: ${hostReason(host)}`, hint });
    if (host.state === "stale") {
      const since = host.seenAt === null ? "" : ` since ${timeOf(host.seenAt, now)}`;
      lines.push({ tone: "bad", text: `${host.host}: not answering${since}: ${hostReason(host)}`, hint });
    }
  }
  for (const host of hosts) {
    // A host that failed altogether has said its reason already.
    if (host.state !== "ok") continue;
    for (const problem of host.problems) {
      lines.push({ tone: "warning", text: `${host.host}: ${hostReason({ error: problem })}`, hint });
    }
    for (const { node, since } of host.late) {
      lines.push({
        tone: "warning",
        text: `${plainLine(node)}: not answering in time since ${timeOf(since, now)}`,
        hint,
      });
    }
  }
  if (lines.length <= room) return lines;
  const rest = lines.length - room + 1;
  return [
    ...lines.slice(0, room - 1),
    { tone: "bad", text: `and ${count(rest, "more trouble", "more troubles")}`, hint: "H shows all" },
  ];
}

export interface EmptyReason {
  text: string;
  hint: string;
  /** Something is on its way. */
  busy: boolean;
}

/** Why there is no instance to show, and what to do. */
export function emptyReason(hosts: readonly HostView[]): EmptyReason {
  if (hosts.length === 0) {
    return { text: "No host yet.", hint: "H adds one whose instances are shown.", busy: false };
  }
  const waiting = hosts.filter(({ state }) => state === "discovering");
  if (waiting.length > 0) {
    const names = waiting.map(({ host }) => host).join(", ");
    return { text: `Asking ${names} what runs there …`, hint: "", busy: true };
  }
  const answering = hosts.filter(({ state }) => state === "ok" || state === "stale");
  if (answering.length === 0) {
    return {
      text: hosts.length === 1 ? "The host can't be used." : `None of ${hosts.length} hosts can be used.`,
      hint: "H shows why, and what to do.",
      busy: false,
    };
  }
  const found = answering.flatMap(({ host, providers }) =>
    providers.filter(({ sharedWith }) => sharedWith === null).map(({ name }) => `${name} on ${host}`),
  );
  return {
    text: `${found.join(", ") || count(answering.length, "host")}: no instance there yet.`,
    hint: "What is made there appears here by itself.",
    busy: false,
  };
}
