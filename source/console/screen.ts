/**
 * The terminal that the remote side writes to. Nothing that a guest prints reaches the user's terminal by itself: it is
 * drawn here, in memory, and what is shown are the cells that came of it. Titles, clipboard, palette and whatever else a
 * sequence may ask of a terminal end here; questions (where is the cursor?) are answered for this screen.
 */
import xterm from "@xterm/headless";
import { plainLine } from "../text.ts";
import { type PaintedLine, paintLine } from "./cells.ts";
import type { Size } from "./types.ts";

/** What the user's terminal has to do so that its keys are those that the guest asked for. */
export interface GuestModes {
  applicationCursor: boolean;
  applicationKeypad: boolean;
  bracketedPaste: boolean;
  mouse: "none" | "x10" | "vt200" | "drag" | "any";
  /** The guest reads mouse reports in SGR's form (DECSET 1006). */
  mouseSgr: boolean;
}

/** Lines that have left the screen and are kept, for each console. */
export const historyLimit = 5000;

export class GuestScreen {
  /** What the screen answers to the guest's questions. */
  onAnswer: (text: string) => void = () => {};
  private readonly term: xterm.Terminal;
  private readonly cell: xterm.IBufferCell;
  private cursorShown = true;
  private sgrMouse = false;

  constructor({ columns, rows }: Size) {
    this.term = new xterm.Terminal({
      cols: Math.max(2, columns),
      rows: Math.max(1, rows),
      scrollback: historyLimit,
      allowProposedApi: true,
      logLevel: "off",
    });
    this.cell = this.term.buffer.active.getNullCell();
    this.term.onData((answer) => this.onAnswer(answer));
    // Two modes that the emulator keeps to itself. False: it goes on with the sequence as always.
    const { parser } = this.term;
    const mode = (on: boolean) => (params: (number | number[])[]) => {
      if (params.includes(25)) this.cursorShown = on;
      if (params.includes(1006)) this.sgrMouse = on;
      return false;
    };
    parser.registerCsiHandler({ prefix: "?", final: "h" }, mode(true));
    parser.registerCsiHandler({ prefix: "?", final: "l" }, mode(false));
    const reset = () => {
      this.cursorShown = true;
      this.sgrMouse = false;
      return false;
    };
    parser.registerEscHandler({ final: "c" }, reset);
    parser.registerCsiHandler({ intermediates: "!", final: "p" }, reset);
  }

  get size(): Size {
    return { columns: this.term.cols, rows: this.term.rows };
  }

  /** Resolves when all of it is on the screen. Long output is worked through in slices, so that keys come between. */
  write(data: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.term.write(data, resolve));
  }

  resize({ columns, rows }: Size): void {
    this.term.resize(Math.max(2, columns), Math.max(1, rows));
  }

  get modes(): GuestModes {
    const { applicationCursorKeysMode, applicationKeypadMode, bracketedPasteMode, mouseTrackingMode } = this.term.modes;
    return {
      applicationCursor: applicationCursorKeysMode,
      applicationKeypad: applicationKeypadMode,
      bracketedPaste: bracketedPasteMode,
      mouse: mouseTrackingMode,
      mouseSgr: this.sgrMouse,
    };
  }

  /** The guest is in the middle of a picture that it wants shown as a whole (DECSET 2026). */
  get holdsBack(): boolean {
    return this.term.modes.synchronizedOutputMode;
  }

  /** Column and row from 0; null when the guest hides it. */
  get cursor(): { column: number; row: number } | null {
    const { cursorX, cursorY } = this.term.buffer.active;
    return this.cursorShown ? { column: Math.min(cursorX, this.term.cols - 1), row: cursorY } : null;
  }

  /** A row of the screen, from 0. */
  row(row: number): PaintedLine {
    const buffer = this.term.buffer.active;
    return this.paint(buffer, buffer.baseY + row);
  }

  /** Lines of the scrollback with those of the screen under them. A full-screen program leaves them as they are. */
  get lines(): number {
    const { normal } = this.term.buffer;
    return normal.baseY + this.term.rows;
  }

  /** A line of the scrollback, from 0, the oldest. */
  line(index: number): PaintedLine {
    return this.paint(this.term.buffer.normal, index);
  }

  /** The same without styles. */
  lineText(index: number): string {
    return plainLine(this.term.buffer.normal.getLine(index)?.translateToString(true) ?? "");
  }

  /** The last row with text on it. */
  lastText(): string {
    const { active } = this.term.buffer;
    for (let row = this.term.rows - 1; row >= 0; row -= 1) {
      const text = plainLine(active.getLine(active.baseY + row)?.translateToString(true) ?? "").trim();
      if (text !== "") return text;
    }
    return "";
  }

  /** Draws the screen as it is on an empty terminal of its size. */
  snapshot(): string {
    const { rows } = this.size;
    let text = "\u001b[H\u001b[2J";
    for (let row = 0; row < rows; row += 1) text += `\u001b[${row + 1};1H${this.row(row).text}`;
    const { cursorX, cursorY } = this.term.buffer.active;
    return `${text}\u001b[${cursorY + 1};${cursorX + 1}H${this.cursorShown ? "" : "\u001b[?25l"}`;
  }

  end(): void {
    this.term.dispose();
  }

  private paint(buffer: xterm.IBuffer, index: number): PaintedLine {
    const line = buffer.getLine(index);
    return line ? paintLine(line, this.term.cols, this.cell) : { text: "", width: 0 };
  }
}
