/** Puts rows on the terminal by writing only those that changed, then the cursor. */
import type { GuestModes } from "../../console/screen.ts";
import { guestModesOff } from "../terminal.ts";

export interface Row {
  /** With its styles; no style is in force at its beginning and end. */
  text: string;
  width: number;
}

export interface Cursor {
  column: number;
  row: number;
}

const syncStart = "\u001b[?2026h";
const syncEnd = "\u001b[?2026l";
const hide = "\u001b[?25l";
const show = "\u001b[?25h";
const mouseModes = { none: "", x10: "9", vt200: "1000", drag: "1002", any: "1003" } as const;

/** The sequences for the modes that a guest may ask of the user's terminal: which bytes keys and mouse send. */
function modeCodes({ applicationCursor, applicationKeypad, mouse, mouseSgr }: GuestModes): string {
  const cursor = applicationCursor ? "\u001b[?1h" : "";
  const keypad = applicationKeypad ? "\u001b=" : "";
  const reports = mouse === "none" ? "" : `\u001b[?${mouseModes[mouse]}h${mouseSgr ? "\u001b[?1006h" : ""}`;
  return `${guestModesOff}${cursor}${keypad}${reports}`;
}

export class FramePainter {
  private shown: string[] = [];
  private modes = "";
  private place = "";

  /** What stands on the terminal is not known any more. */
  forget(): void {
    this.shown = [];
    this.place = "";
  }

  /** Puts the terminal's modes back. */
  leave(): string {
    this.forget();
    this.modes = "";
    return `${guestModesOff}\u001b[0m${hide}`;
  }

  /** What brings these rows onto the terminal; empty when nothing changed. */
  draw(rows: readonly Row[], cursor: Cursor | null, modes: GuestModes, columns: number): string {
    let lines = "";
    for (const [index, { text, width }] of rows.entries()) {
      // Erased after it is written; but a row that is full leaves the cursor on its last cell, which that would take.
      const line = width < columns ? `${text}\u001b[K` : text;
      if (this.shown[index] === line) continue;
      this.shown[index] = line;
      lines += `\u001b[${index + 1};1H${line}`;
    }
    this.shown.length = rows.length;
    const place = cursor ? `\u001b[${cursor.row + 1};${cursor.column + 1}H${show}` : hide;
    const codes = modeCodes(modes);
    const output = `${codes === this.modes ? "" : codes}${lines === "" ? "" : hide + lines}${
      lines === "" && place === this.place ? "" : place
    }`;
    this.modes = codes;
    this.place = place;
    return output === "" ? "" : `${syncStart}${output}${syncEnd}`;
  }
}
