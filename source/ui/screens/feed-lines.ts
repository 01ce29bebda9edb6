/** What happened, as one list: what hosts tell of changes, and what virtu itself did and met. Pure. */
import type { FeedLine } from "../../store/instance-known.ts";
import type { LogLine } from "../../store/known.ts";
import { cell, glyph, paint, type Style, symbol, widthOf } from "../theme.ts";
import { logText } from "./log-text.ts";

export type Happening = { kind: "event"; id: number; line: FeedLine } | { kind: "log"; id: number; line: LogLine };

/** Which of them are shown. */
export type FeedView = "all" | "events" | "log";

export const feedViews: readonly FeedView[] = ["all", "events", "log"];

export const feedWords: Record<FeedView, string> = {
  all: "all that happened",
  events: "what the hosts tell",
  log: "what virtu did",
};

/** Both lists as one, in the order in which virtu came to know them: the clocks of hosts differ. */
export function happenings(feed: readonly FeedLine[], log: readonly LogLine[], view: FeedView): Happening[] {
  const events = view === "log" ? [] : feed;
  const lines = view === "events" ? [] : log;
  const result: Happening[] = [];
  let [one, other] = [0, 0];
  while (one < events.length || other < lines.length) {
    const event = events[one];
    const line = lines[other];
    if (event && (!line || event.id < line.id)) {
      result.push({ kind: "event", id: event.id, line: event });
      one += 1;
    } else if (line) {
      result.push({ kind: "log", id: line.id, line });
      other += 1;
    }
  }
  return result;
}

/** Where it happened: cluster or host, and what it is about. */
function whereOf({ cluster, host, name }: FeedLine): string {
  return `${cluster ?? host}/${name}`;
}

/** Everything that the filter looks at. */
export function happeningText(one: Happening): string {
  if (one.kind === "log") return `${one.line.level} ${one.line.where} ${one.line.text}`;
  return `${one.line.provider} ${whereOf(one.line)} ${one.line.host} ${one.line.text} ${one.line.by ?? ""}`;
}

const changed: Style[] = ["cyan"];
const progress: Style[] = ["dim"];

/** One line in `width` columns: when, where, what, by whom. What changes nothing (progress) stands back. */
export function happeningRow(one: Happening, width: number): string {
  if (one.kind === "log") return logText(one.line, width);
  const { at, text, by, changes } = one.line;
  const time = new Date(at).toTimeString().slice(0, 8);
  const who = by === null ? "" : ` ${glyph.none} by ${by}`;
  const head = `${time} ${symbol("note")} ${cell(whereOf(one.line), 22)} `;
  const room = Math.max(0, width - widthOf(head));
  // What happened goes first; by whom is said in any case, in a few columns at least.
  const least = Math.min(widthOf(who), 14);
  const shown = cell(text, Math.min(widthOf(text), Math.max(0, room - least)));
  const named = cell(who, Math.min(widthOf(who), Math.max(0, room - widthOf(shown))));
  return paint(cell(`${head}${shown}${named}`, width), ...(changes ? changed : progress));
}
