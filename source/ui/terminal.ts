/**
 * The terminal itself: alternate screen, raw keys, bracketed paste, size, handing it over to another program, and giving
 * it back as it was after any kind of end. Ink 6.8 does none of these.
 */
import { PassThrough } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { ReadStream, WriteStream } from "node:tty";
import { KeyDecoder, type KeyEvent } from "./input.ts";

const enter = "\u001b[?1049h\u001b[?2004h\u001b[H\u001b[2J";
/** What a guest's console may have asked of the terminal: mouse reports, other cursor and keypad keys. */
export const guestModesOff = "\u001b[?9l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?1l\u001b>";
const leave = `${guestModesOff}\u001b[?2004l\u001b[?25h\u001b[0m\u001b[?1049l`;
/** How long an escape may wait for the rest of its sequence, in milliseconds. Slow links need more than 10. */
const escapeWait = 40;

export interface Terminal {
  /** What Ink reads: keys that nobody above Ink has taken. */
  readonly inkInput: ReadStream;
  readonly output: WriteStream;
  onKey: (event: KeyEvent) => void;
  /** Hands a key on to Ink's own components. */
  passToInk(event: KeyEvent): void;
  open(): void;
  /** Gives every byte that is typed to somebody else until the function that it returns is called. */
  lend(onBytes: (bytes: Buffer) => void): () => void;
  /** Leaves the alternate screen and raw mode; safe to call more than once. */
  restore(): void;
}

/** A stream that Ink takes for a terminal's input; raw mode is ours, not Ink's. */
function inkStdin(): ReadStream & PassThrough {
  const stream = new PassThrough({ encoding: "utf8" });
  return Object.assign(stream, {
    isTTY: true as const,
    isRaw: true,
    setRawMode: () => stream,
    ref: () => stream,
    unref: () => stream,
  }) as unknown as ReadStream & PassThrough;
}

export function createTerminal(input: ReadStream, output: WriteStream): Terminal {
  const forInk = inkStdin();
  const decoder = new KeyDecoder();
  const characters = new StringDecoder("utf8");
  let borrower: ((bytes: Buffer) => void) | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isOpen = false;

  const emit = (events: KeyEvent[]): void => {
    for (const event of events) terminal.onKey(event);
  };
  const onData = (chunk: Buffer): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (borrower) {
      borrower(chunk);
      return;
    }
    emit(decoder.feed(characters.write(chunk)));
    if (decoder.pending) timer = setTimeout(() => emit(decoder.timeout()), escapeWait);
  };
  const onExit = (): void => terminal.restore();

  const terminal: Terminal = {
    inkInput: forInk,
    output,
    onKey: () => {},
    passToInk: (event) => {
      if (event.name !== "paste" && event.name !== "unknown") forInk.write(event.raw);
    },
    open() {
      if (isOpen) return;
      isOpen = true;
      output.write(enter);
      input.setRawMode(true);
      input.on("data", onData);
      input.resume();
      // `exit` comes after every way out, crashes included, and only synchronous writes still work there.
      process.on("exit", onExit);
    },
    lend(onBytes) {
      borrower = onBytes;
      return () => {
        borrower = null;
      };
    },
    restore() {
      if (!isOpen) return;
      isOpen = false;
      if (timer) clearTimeout(timer);
      input.off("data", onData);
      input.setRawMode(false);
      input.pause();
      output.write(leave);
      process.off("exit", onExit);
    },
  };
  return terminal;
}
