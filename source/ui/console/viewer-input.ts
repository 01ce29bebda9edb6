/** What is typed at a console: keys for the guest, commands after the leave key, moving and searching in what was printed. */
import type { Consoles } from "../../console/consoles.ts";
import type { ConsoleSession } from "../../console/session.ts";
import { edit, emptyLine, type Line } from "../editor.ts";
import { KeyDecoder, type KeyEvent } from "../input.ts";
import { type Binding, keymap } from "../keys.ts";
import type { Move } from "../list.ts";
import { controlByte, GuestKeys } from "./guest-keys.ts";
import { type Scroll, scrolled, scrollStart, searched } from "./scroll.ts";
import type { Mode } from "./status.ts";

/** How long a key that leads back waits for a command after it, in milliseconds. */
const commandTime = 1000;
/** How long the beginning of a paste mark is held back. */
const markTime = 40;

/** What the keys work on. */
export interface Shown {
  readonly consoles: Consoles;
  /** The key that leads back, as the keymap names it: `ctrl+]`. */
  readonly leaveKey: string;
  /** The console that is shown. */
  session: ConsoleSession;
  readonly over: boolean;
  show(session: ConsoleSession): void;
  goBack(): void;
  drawSoon(): void;
}

export class ViewerInput {
  readonly keys: GuestKeys;
  /** Where the user reads in what was printed; null: the console as it is now. */
  scroll: Scroll | null = null;
  private mode: Mode["kind"] = "guest";
  private line: Line = emptyLine;
  private commandTimer: NodeJS.Timeout | null = null;
  private markTimer: NodeJS.Timeout | null = null;
  private readonly leaveByte: number;

  constructor(private readonly shown: Shown) {
    this.leaveByte = controlByte(shown.leaveKey) ?? 0x1d;
    this.keys = new GuestKeys(this.leaveByte);
  }

  /** Another console is shown now. */
  reset(): void {
    this.scroll = null;
    this.mode = "guest";
  }

  end(): void {
    for (const timer of [this.commandTimer, this.markTimer]) if (timer) clearTimeout(timer);
  }

  /** True while keys go to the guest, so that its cursor is shown. */
  get isGuests(): boolean {
    return this.mode === "guest" && this.shown.session.view().phase !== "ended";
  }

  /** For the status line. */
  state(): Mode {
    const { scroll, mode } = this;
    if (mode === "search") return { kind: "search", text: this.line.text };
    if (mode !== "scroll" || !scroll) return { kind: mode === "command" ? "command" : "guest" };
    const { top, search, missed } = scroll;
    return { kind: "scroll", top, lines: this.shown.session.screen.lines, search, missed };
  }

  typed(chunk: Buffer): void {
    let rest = chunk;
    if (this.markTimer) clearTimeout(this.markTimer);
    this.markTimer = null;
    while (rest.length > 0 && !this.shown.over) {
      rest = this.isGuests ? this.toGuest(rest) : this.oneKey(rest);
    }
    if (this.keys.pending) this.markTimer = setTimeout(() => this.shown.session.send(this.keys.release()), markTime);
  }

  private toGuest(chunk: Buffer): Buffer {
    const { bytes, left, rest } = this.keys.take(chunk);
    if (bytes.length > 0) this.shown.session.send(bytes);
    if (left) this.command();
    return rest;
  }

  /** The leave key alone leads back after a moment; a key after it is a command. */
  private command(): void {
    this.mode = "command";
    this.commandTimer = setTimeout(() => this.shown.goBack(), commandTime);
    this.shown.drawSoon();
  }

  private oneKey(chunk: Buffer): Buffer {
    const decoder = new KeyDecoder();
    const [key] = [...decoder.feed(chunk.toString("utf8")), ...decoder.timeout()];
    if (!key) return Buffer.alloc(0);
    if (this.commandTimer) clearTimeout(this.commandTimer);
    this.commandTimer = null;
    const { mode } = this;
    if (mode === "command") {
      // Scrolling goes on after it, where it was begun.
      this.mode = this.scroll ? "scroll" : "guest";
      this.commandKey(key);
    } else if (mode === "search") this.searchKey(key);
    else if (mode === "scroll") this.scrollKey(key);
    else this.endedKey(key);
    if (!this.shown.over) this.shown.drawSoon();
    return key.name === "paste" ? Buffer.alloc(0) : chunk.subarray(Buffer.byteLength(key.raw));
  }

  private isLeave(key: KeyEvent): boolean {
    return key.raw === String.fromCharCode(this.leaveByte);
  }

  private commandKey(key: KeyEvent): void {
    const { consoles } = this.shown;
    if (this.isLeave(key)) {
      this.shown.goBack();
      return;
    }
    switch (idOf(keymap.console, key)) {
      case "back":
        this.shown.goBack();
        return;
      case "next":
      case "previous": {
        const other = consoles.beside(this.shown.session.id, key.name === keymap.console.next.keys[0] ? 1 : -1);
        if (other && other !== this.shown.session) this.shown.show(other);
        return;
      }
      case "record":
        consoles.toggleRecording(this.shown.session.id);
        return;
      case "scroll":
        this.beginScroll();
        return;
      case "send":
        this.shown.session.send(Buffer.from([this.leaveByte]));
        return;
      case "help":
        this.mode = "command";
        return;
      case "close":
        void consoles.close(this.shown.session.id);
        this.shown.goBack();
        return;
    }
  }

  private beginScroll(): void {
    this.scroll = scrollStart(this.lines(), this.shown.session.screen.size.rows);
    this.mode = "scroll";
  }

  private lines() {
    const { screen } = this.shown.session;
    return { count: screen.lines, text: (index: number) => screen.lineText(index) };
  }

  private scrollKey(key: KeyEvent): void {
    const { scroll } = this;
    if (!scroll) return;
    const height = this.shown.session.screen.size.rows;
    const move = idOf(keymap.list, key) as Move | null;
    if (move) {
      this.scroll = scrolled(scroll, this.lines(), height, move);
      return;
    }
    switch (idOf(keymap.scrollback, key)) {
      case "search":
        this.line = emptyLine;
        this.mode = "search";
        return;
      case "next":
      case "previous":
        this.scroll = searched(scroll, this.lines(), height, scroll.search, key.name === "n" ? -1 : 1);
        return;
      case "leave":
        this.scroll = null;
        this.mode = "guest";
        return;
      default:
        if (this.isLeave(key)) this.command();
    }
  }

  private searchKey(key: KeyEvent): void {
    const { scroll } = this;
    if (!scroll || key.name === "esc") {
      this.mode = "scroll";
      return;
    }
    if (key.name === "enter") {
      const fresh = { ...scroll, found: null };
      this.scroll = searched(fresh, this.lines(), this.shown.session.screen.size.rows, this.line.text, -1);
      this.mode = "scroll";
      return;
    }
    this.line = edit(this.line, key) ?? this.line;
  }

  private endedKey(key: KeyEvent): void {
    if (this.isLeave(key)) {
      this.shown.goBack();
      return;
    }
    switch (idOf(keymap.consoleEnded, key)) {
      case "again":
        this.shown.consoles.reopen(this.shown.session.id, "attach");
        return;
      case "scroll":
        this.beginScroll();
        return;
      case "back":
        this.shown.goBack();
        return;
      case "close":
        void this.shown.consoles.close(this.shown.session.id);
        this.shown.goBack();
        return;
    }
  }
}

/** The name of the binding that a key belongs to, or null. */
function idOf<B extends Record<string, Binding>>(bindings: B, key: KeyEvent): (keyof B & string) | null {
  for (const [id, { keys }] of Object.entries(bindings)) if (keys.includes(key.name)) return id;
  return null;
}
