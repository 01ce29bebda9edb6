/** A recording of what a console shows, as asciinema's asciicast v2: a header, then one JSON list a line. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from "node:fs";
import path from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { Size } from "./types.ts";

/** Bytes that may wait for a slow disk before the recording is given up. */
const waitingLimit = 8 * 1024 * 1024;

/** `web1-2026-11-25T03-15-00.cast`: a name that every file system takes. */
export function recordingName(title: string, at: Date): string {
  const safe = title.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^\.+/, "") || "console";
  return `${safe}-${at.toISOString().slice(0, 19).replaceAll(":", "-")}.cast`;
}

export interface RecordingOptions {
  file: string;
  title: string;
  size: Size;
  /** What the screen shows at the start. */
  start: string;
  /** The recording broke off; the console goes on. */
  onBroken: (why: string) => void;
  clock?: () => number;
  /** Opens the file, for tests of what goes wrong with it. */
  open?: (file: string) => number;
}

/** What a console shows may be secret: nobody else reads it, and nothing that is there is written over. */
const openNew = (file: string): number => openSync(file, "wx", 0o600);

/** Writes as things happen; throws when the file can't be made. What goes wrong with it later ends the recording, and nothing else. */
export class Recording {
  readonly file: string;
  private readonly stream: WriteStream;
  private readonly decoder = new StringDecoder("utf8");
  private readonly clock: () => number;
  private readonly startedAt: number;
  private open = true;

  constructor(private readonly options: RecordingOptions) {
    this.file = options.file;
    this.clock = options.clock ?? Date.now;
    this.startedAt = this.clock();
    mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 });
    this.stream = createWriteStream("", { fd: (options.open ?? openNew)(options.file) });
    this.stream.on("error", ({ message }) => this.breakOff(message));
    const { columns, rows } = options.size;
    const header = { version: 2, width: columns, height: rows, timestamp: Math.floor(this.startedAt / 1000) };
    this.line({ ...header, title: options.title, env: { TERM: "xterm-256color" } });
    if (options.start !== "") this.event("o", options.start);
  }

  output(bytes: Uint8Array): void {
    const text = this.decoder.write(Buffer.from(bytes));
    if (text !== "") this.event("o", text);
  }

  resize({ columns, rows }: Size): void {
    this.event("r", `${columns}x${rows}`);
  }

  /** Resolves when all of it is in the file, or when it can't be. */
  end(): Promise<void> {
    if (!this.open) return Promise.resolve();
    this.open = false;
    return new Promise((resolve) => {
      this.stream.once("close", resolve);
      this.stream.end();
    });
  }

  private event(code: "o" | "r", data: string): void {
    this.line([(this.clock() - this.startedAt) / 1000, code, data]);
  }

  private line(value: unknown): void {
    if (!this.open) return;
    this.stream.write(`${JSON.stringify(value)}\n`);
    if (this.stream.writableLength > waitingLimit) this.breakOff("the disk is too slow for what the console prints");
  }

  private breakOff(why: string): void {
    if (!this.open) return;
    this.open = false;
    this.stream.destroy();
    this.options.onBroken(why);
  }
}
