/**
 * Puts whole frames on the terminal by writing only the lines that changed, each at its place. Ink's own writer can't
 * draw the last line without clearing the screen (and the user's scrollback), and in 6.8 its incremental mode is one line
 * off whenever a frame is lower than the screen; so Ink draws into a stream of ours that takes each frame as one write.
 */
import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";
import { shownLine } from "./ascii.ts";
import { widthOf } from "./theme.ts";

const syncStart = "\u001b[?2026h";
const syncEnd = "\u001b[?2026l";
/** A line that is equal to none. */
const unknown = "\u0000";
const hideCursor = "\u001b[?25l";

const styles = /\u001b\[[\d;]*m/g;

/** What turns the lines that stand on the screen into the wanted ones; empty when nothing changed. */
export function difference(before: readonly string[], after: readonly string[], columns: number): string {
  let output = "";
  const rows = Math.max(before.length, after.length);
  for (let row = 0; row < rows; row += 1) {
    const line = after[row] ?? "";
    if (before[row] === line) continue;
    // Erased after it is written, so that nothing blinks; but a line that fills its row leaves the cursor on its last
    // cell, which erasing would take.
    const erase = widthOf(line.replace(styles, "")) < columns ? "\u001b[0m\u001b[K" : "";
    output += `\u001b[${row + 1};1H\u001b[0m${line}${erase}`;
  }
  return output === "" ? "" : `${syncStart}${output}\u001b[0m${syncEnd}`;
}

export interface Painter {
  /** What Ink writes to (with its `debug` option, which makes one write of each frame; also where CI is set). */
  readonly stream: WriteStream;
  /** Forgets what stands on the screen and draws all of it again; without a clear, so that nothing flickers. */
  repaint(): void;
  /** Draws from now on. */
  start(): void;
  /** Draws no more: the screen belongs to somebody else. */
  stop(): void;
}

export function createPainter(output: WriteStream): Painter {
  let shown: string[] = [];
  let wanted: string[] = [];
  /** Size of the terminal that `wanted` was made for. */
  let madeFor = "";
  const size = () => `${output.columns}×${output.rows}`;
  let drawing = false;
  let waiting = false;
  let queued = false;

  const flush = (): void => {
    queued = false;
    // A frame that was made for a larger terminal would wrap and scroll; the one for this size is on its way.
    if (!drawing || waiting || madeFor !== size()) return;
    const bytes = difference(shown, wanted, output.columns || 80);
    shown = wanted;
    if (bytes === "" || output.write(bytes)) return;
    // The line is slower than we draw: frames in between are never sent, only the newest one.
    waiting = true;
    output.once("drain", () => {
      waiting = false;
      flush();
    });
  };

  const stream = new Writable({
    decodeStrings: false,
    write(frame: string | Buffer, _encoding, done) {
      wanted = String(frame)
        .split("\n")
        .map((line) => shownLine(line, output.columns || 80));
      madeFor = size();
      // A new screen says which keys it has when it is there, which draws the footer anew at once: one frame, not two.
      if (!queued) setImmediate(flush);
      queued = true;
      done();
    },
  });
  Object.defineProperties(stream, {
    columns: { get: () => output.columns || 80 },
    rows: { get: () => output.rows || 24 },
  });
  Object.assign(stream, { isTTY: true });

  const repaint = (): void => {
    // Nobody knows what stands on any line: all of them are written, or erased, with the next frame.
    shown = Array.from({ length: output.rows || 24 }, () => unknown);
    if (drawing) output.write(hideCursor);
    flush();
  };
  return {
    stream: stream as unknown as WriteStream,
    repaint,
    start() {
      drawing = true;
      repaint();
    },
    stop() {
      drawing = false;
    },
  };
}
