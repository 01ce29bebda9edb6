/** The one line that stays under a console. Pure. */
import type { ConsoleView } from "../../console/types.ts";
import { plainLine } from "../../text.ts";
import { shownLine, shownText } from "../ascii.ts";
import { keymap, keyName } from "../keys.ts";
import { cell, paint } from "../theme.ts";

export type Mode =
  | { kind: "guest" }
  /** The leave key was pressed: what follows is ours. */
  | { kind: "command" }
  | { kind: "scroll"; top: number; lines: number; search: string; missed: boolean }
  | { kind: "search"; text: string };

interface Bound {
  readonly keys: readonly string[];
  readonly label: string;
}

const named = (bindings: readonly Bound[]) =>
  bindings.map(({ keys, label }) => `${keyName(keys[0] ?? "")} ${label}`).join("  ");

function guestLine(view: ConsoleView, leave: string, others: number): string {
  const { target, phase, recording, note } = view;
  const parts = [target.title, target.host, target.kind].filter(Boolean).map(plainLine);
  if (phase === "opening") parts.push("opening …");
  parts.push(`${leave} back`);
  if (others > 0) parts.push(`${leave} n next`);
  parts.push(note ?? (recording === null ? "recording off" : "recording"));
  return parts.join(" · ");
}

/** What a console that has ended says: why, and the keys that work on it. */
function endedLine({ target, end }: ConsoleView): string {
  return `${plainLine(target.title)}: ${end?.why ?? "it has ended"} · ${named(Object.values(keymap.consoleEnded))}`;
}

/** The line in exactly `columns` columns, `others`: how many more consoles are open. */
export function statusLine(view: ConsoleView, mode: Mode, leave: string, others: number, columns: number): string {
  const text = () => {
    switch (mode.kind) {
      case "command":
        return `${leave} … ${named(Object.values(keymap.console))}`;
      case "search":
        return `/ ${mode.text}▏  ${keyName("enter")} find  Esc give up`;
      case "scroll": {
        const found = mode.search === "" ? "" : mode.missed ? ` · no line with "${mode.search}"` : ` · ${mode.search}`;
        return `line ${mode.top + 1} of ${mode.lines}${found} · ${named(Object.values(keymap.scrollback))}`;
      }
      case "guest":
        return view.phase === "ended" ? endedLine(view) : guestLine(view, leave, others);
    }
  };
  return paint(cell(shownLine(shownText(` ${text()}`), columns), columns), "inverse");
}
