/**
 * The output of a step on a node, kept in a file on the user's machine, line for line as it is on the node: so many lines
 * here mean that the node is asked for the next. What is not for people (progress, marks) is kept too and left out when it
 * is read. Memory holds one place in the file for every so many lines.
 */
import { type FileHandle, open } from "node:fs/promises";

/** A place in the file is remembered for every so many shown lines. */
const indexEvery = 256;
const chunkBytes = 64 << 10;

/** Takes a line of the node; tells whether people see it. */
export type OutputReader = (line: string) => boolean;

export class OutputFile {
  /** Lines of the node that are in the file. */
  lines = 0;
  /** Those of them that people see. */
  shown = 0;
  private bytes = 0;
  private readonly places: number[] = [];
  private waiting: string[] = [];
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown = null;

  private constructor(
    private readonly handle: FileHandle,
    private readonly reader: OutputReader,
  ) {}

  /** Opens or makes the file. The reader is given every line: first those that are there, then those that come. */
  static async open(file: string, reader: OutputReader, mode: "a+" | "r" = "a+"): Promise<OutputFile> {
    const handle = await open(file, mode, 0o600);
    const output = new OutputFile(handle, reader);
    try {
      await eachLine(handle, 0, (line, bytes) => {
        output.take(line, bytes);
        return true;
      });
      // A line that a crash has cut is asked for again.
      if (mode === "a+") await handle.truncate(output.bytes);
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
    return output;
  }

  private take(line: string, bytes: number): void {
    if (this.reader(line)) {
      if (this.shown % indexEvery === 0) this.places.push(this.bytes);
      this.shown += 1;
    }
    this.lines += 1;
    this.bytes += bytes;
  }

  /** A line as it came; in the file with the next `flush`. */
  push(line: string): void {
    this.waiting.push(line);
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** After a lost link: the last line may have been cut, and is asked for again. */
  dropLast(): void {
    this.waiting.pop();
  }

  /** Reads and writes what has come. Rejects when the disk took it not. */
  async flush(): Promise<void> {
    const lines = this.waiting;
    this.waiting = [];
    if (lines.length > 0) {
      const bytes = Buffer.from(`${lines.join("\n")}\n`);
      for (const line of lines) this.take(line, Buffer.byteLength(line) + 1);
      this.writing = this.writing.then(async () => {
        if (this.failure === null) await this.handle.appendFile(bytes);
      });
      this.writing = this.writing.catch((thrown) => {
        this.failure ??= thrown;
      });
    }
    await this.writing;
    if (this.failure !== null) throw this.failure;
  }

  /** Shown lines from a number on (0: the first). `isShown` has no memory, unlike the reader. */
  async read(from: number, count: number, isShown: (line: string) => boolean): Promise<string[]> {
    await this.writing;
    const start = Math.max(0, from);
    const place = this.places[Math.floor(start / indexEvery)];
    const found: string[] = [];
    if (place === undefined || count <= 0) return found;
    let number = Math.floor(start / indexEvery) * indexEvery;
    await eachLine(this.handle, place, (line) => {
      if (!isShown(line)) return true;
      if (number >= start) found.push(line);
      number += 1;
      return found.length < count;
    });
    return found;
  }

  async close(sync: boolean): Promise<void> {
    try {
      await this.flush();
      if (sync) await this.handle.datasync();
    } finally {
      await this.handle.close();
    }
  }
}

/** Whole lines of a file from a byte on, until `take` gives false. */
async function eachLine(
  handle: FileHandle,
  from: number,
  take: (line: string, bytes: number) => boolean,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let position = from; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    const piece = buffer.subarray(0, bytesRead);
    const text = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    let start = 0;
    for (let end = text.indexOf(10, start); end >= 0; end = text.indexOf(10, start)) {
      if (!take(text.toString("utf8", start, end), end + 1 - start)) return;
      start = end + 1;
    }
    rest = text.subarray(start);
  }
}
