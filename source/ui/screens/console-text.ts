/** What stands in the way of a console, what can be done about it, and the list of those that are open. Pure. */
import type { ConsoleEnd, ConsoleView, Way } from "../../console/types.ts";
import type { NoConsole } from "../../store/console-work.ts";
import { age, plainLine } from "../../text.ts";
import type { Choice } from "../components/menu.tsx";
import { layout } from "../components/table.tsx";
import { cell, state, type Tone } from "../theme.ts";

export interface Obstacle {
  kind: NoConsole["kind"] | ConsoleEnd["kind"];
  why: string;
  hint: string;
  /** The remote program's own words. */
  detail: string;
  /** How it was tried; null: nothing was tried. */
  way: Way | null;
}

export type ConsoleAnswer = "again" | "anyway" | "take-over" | "start" | "screen" | "shell" | "leave";

/** What can be done, the likeliest first. */
export function consoleChoices(
  { kind }: Pick<Obstacle, "kind">,
  can: { canTakeOver: boolean; hasScreen: boolean; host: string | null },
): Choice<ConsoleAnswer>[] {
  const choices: Choice<ConsoleAnswer>[] = [];
  if (kind === "off") choices.push({ label: "Start it, with the console open from the first line on", value: "start" });
  if (kind === "in-use" && can.canTakeOver) {
    choices.push({ label: "Take it over: whoever has it loses it", value: "take-over" });
  }
  if (kind === "busy") choices.push({ label: "Open it all the same", value: "anyway" });
  if (kind !== "gone" && kind !== "none") choices.push({ label: "Try again", value: "again" });
  if (can.hasScreen) choices.push({ label: "Show its screen", value: "screen" });
  if (can.host !== null) choices.push({ label: `Open a shell on ${plainLine(can.host)}`, value: "shell" });
  choices.push({ label: "Leave it", value: "leave" });
  return choices;
}

export const consoleColumns = (width: number) =>
  layout(
    [
      { title: "CONSOLE", width: 14, grow: 2 },
      { title: "HOST", width: 10, grow: 1 },
      { title: "KIND", width: 6 },
      { title: "STATE", width: 11 },
      { title: "OPEN", width: 6, align: "right" },
      { title: "LAST LINE", width: 16, grow: 4 },
    ],
    width,
  );

function phaseOf({ phase, end, recording, unseen }: ConsoleView): { tone: Tone; word: string } {
  if (phase === "opening") return { tone: "busy", word: "opening" };
  if (phase === "ended")
    return { tone: end?.kind === "lost" ? "bad" : "idle", word: end?.kind === "lost" ? "lost" : "ended" };
  if (recording !== null) return { tone: "good", word: "recording" };
  return { tone: "good", word: unseen ? "open, new" : "open" };
}

/** One console in `width` columns. */
export function consoleRow(view: ConsoleView, width: number, now: number): string {
  const [name, host, kind, status, old, last] = consoleColumns(width).map((column) => column.width);
  const { tone, word } = phaseOf(view);
  const { title, host: through, kind: what } = view.target;
  return [
    cell(plainLine(title), name ?? 0),
    cell(plainLine(through), host ?? 0),
    cell(what, kind ?? 0),
    state(tone, cell(word, (status ?? 2) - 2)),
    cell(age((now - view.openedAt) / 1000), old ?? 0, "right"),
    cell(view.end ? view.end.why : view.lastLine, last ?? 0),
  ].join(" ");
}
