/**
 * Shows a console on the whole terminal but its last line, and sends every key to the guest but one. What is drawn are
 * the cells of the console's own screen: no byte of the guest reaches the terminal by itself.
 */
import type { Consoles } from "../../console/consoles.ts";
import type { ConsoleSession } from "../../console/session.ts";
import type { Size } from "../../console/types.ts";
import { keyName } from "../keys.ts";
import { paint } from "../theme.ts";
import { FramePainter, type Row } from "./frame-painter.ts";
import { guestSize } from "./size.ts";
import { statusLine } from "./status.ts";
import { type Shown, ViewerInput } from "./viewer-input.ts";

/** Milliseconds between two frames. */
const frameTime = 16;
/** How long a guest may hold back a picture that it draws as a whole. */
const holdTime = 150;

export interface ViewerOutput extends Size {
  write(text: string): boolean;
  on(event: "resize" | "drain", listener: () => void): unknown;
  off(event: "resize" | "drain", listener: () => void): unknown;
}

/** Gives all that is typed to somebody until the function that it returns is called. */
export type Lend = (onBytes: (bytes: Buffer) => void) => () => void;

/** A terminal in somebody else's hands. */
export interface Borrowed {
  output: ViewerOutput;
  lend: Lend;
  /** Aborted when the screen has to come back: somebody asks the user something. */
  signal: AbortSignal;
}

export interface ViewerOptions extends Borrowed {
  consoles: Consoles;
  /** The key that leads back, as the keymap names it: `ctrl+]`. */
  leaveKey: string;
}

export interface ViewerEnd {
  /** The console that was shown last. */
  id: number;
  /** The user went back; or it ended and there is nothing to look at: why is in its view. */
  why: "back" | "ended";
}

/** Shows this console, and others that the user goes to, until the user goes back or it has come to nothing. */
export function viewConsole(session: ConsoleSession, options: ViewerOptions): Promise<ViewerEnd> {
  return new Promise((resolve) => new Viewer(session, options, resolve).begin());
}

class Viewer implements Shown {
  readonly consoles: Consoles;
  readonly leaveKey: string;
  over = false;
  private readonly input: ViewerInput;
  private readonly painter = new FramePainter();
  private giveBack = () => {};
  private frame: NodeJS.Timeout | null = null;
  private lastFrame = 0;
  private heldSince = 0;
  private blocked = false;

  constructor(
    public session: ConsoleSession,
    private readonly options: ViewerOptions,
    private readonly onEnd: (end: ViewerEnd) => void,
  ) {
    this.consoles = options.consoles;
    this.leaveKey = options.leaveKey;
    this.input = new ViewerInput(this);
  }

  begin(): void {
    const { output, lend, signal } = this.options;
    signal.addEventListener("abort", this.goBack, { once: true });
    output.write("\u001b[0m\u001b[2J");
    output.on("resize", this.onResize);
    output.on("drain", this.onDrain);
    this.consoles.on("change", this.onChange);
    this.giveBack = lend((bytes) => this.input.typed(bytes));
    this.show(this.session);
  }

  show(session: ConsoleSession): void {
    this.session.off("drawn", this.drawSoon);
    this.session.watch(false);
    this.session = session;
    this.input.reset();
    session.on("drawn", this.drawSoon);
    session.watch(true);
    this.fit();
    this.onChange();
  }

  readonly goBack = (): void => this.end("back");

  private end(why: ViewerEnd["why"]): void {
    if (this.over) return;
    this.over = true;
    const { output } = this.options;
    if (this.frame) clearTimeout(this.frame);
    this.input.end();
    this.options.signal.removeEventListener("abort", this.goBack);
    output.off("resize", this.onResize);
    output.off("drain", this.onDrain);
    this.consoles.off("change", this.onChange);
    this.session.off("drawn", this.drawSoon);
    this.session.watch(false);
    this.giveBack();
    output.write(this.painter.leave());
    this.onEnd({ id: this.session.id, why });
  }

  private get size(): Size {
    const { columns, rows } = this.options.output;
    return { columns: columns || 80, rows: rows || 24 };
  }

  private fit(): void {
    this.session.resize(guestSize(this.size));
    this.painter.forget();
  }

  private readonly onResize = (): void => {
    this.fit();
    this.options.output.write("\u001b[2J");
    this.drawSoon();
  };

  private readonly onDrain = (): void => {
    if (!this.blocked) return;
    this.blocked = false;
    this.drawSoon();
  };

  private readonly onChange = (): void => {
    const { phase, end, target } = this.session.view();
    // A refusal is for a dialog, an ordinary end of a shell for the list; the last words of a guest are for reading.
    const readable = end?.kind === "lost" || (end?.kind === "over" && target.kind === "serial");
    if (phase === "ended" && !readable) this.end("ended");
    else this.drawSoon();
  };

  readonly drawSoon = (): void => {
    if (this.frame || this.over || this.blocked) return;
    this.frame = setTimeout(() => this.draw(), Math.max(0, this.lastFrame + frameTime - performance.now()));
  };

  private draw(): void {
    this.frame = null;
    const { screen } = this.session;
    this.lastFrame = performance.now();
    if (screen.holdsBack && this.input.isGuests) {
      this.heldSince ||= this.lastFrame;
      if (this.lastFrame - this.heldSince < holdTime) {
        this.drawSoon();
        return;
      }
    }
    this.heldSince = 0;
    const { columns } = this.size;
    const { modes } = screen;
    this.input.keys.marksPastes = modes.bracketedPaste;
    const others = this.consoles.views().length - 1;
    const status = statusLine(this.session.view(), this.input.state(), keyName(this.leaveKey), others, columns);
    const rows = [...this.rows(), { text: status, width: columns }];
    const text = this.painter.draw(rows, this.input.isGuests ? screen.cursor : null, modes, columns);
    if (text !== "" && !this.options.output.write(text)) this.blocked = true;
  }

  private rows(): Row[] {
    const { screen } = this.session;
    const { scroll } = this.input;
    return Array.from({ length: screen.size.rows }, (_, row) => {
      if (!scroll) return screen.row(row);
      const index = scroll.top + row;
      const line = screen.line(index);
      return index === scroll.found ? { ...line, text: paint(screen.lineText(index), "inverse") } : line;
    });
  }
}
