/**
 * What a descriptor points to. Text inside the site holds one byte a character, so that whatever a user's file or
 * command holds passes through unchanged; `bytes` and `text` are its edges.
 */

/** The file or channel behind it is gone: a writer is ended by SIGPIPE. */
export class BrokenPipe extends Error {}

/** Ordinary text as the site carries it. */
export function bytes(value: string): string {
  return Buffer.from(value, "utf8").toString("latin1");
}

/** An open file, shared by every descriptor that was duplicated from the first; closed with the last of them. */
export abstract class OpenFile {
  /** The terminal that it belongs to. */
  readonly terminal: TerminalControl | null = null;
  private descriptors = 1;
  /** Read but not yet used: `read` takes a line at a time. */
  private ahead = "";

  dup(): this {
    this.descriptors += 1;
    return this;
  }

  close(): void {
    this.descriptors -= 1;
    if (this.descriptors === 0) this.released();
  }

  /** The next piece, or null at the end. */
  async read(): Promise<string | null> {
    if (this.ahead !== "") {
      const piece = this.ahead;
      this.ahead = "";
      return piece;
    }
    return this.take();
  }

  /** A line without its newline; null at the end. `complete` is false for a last line that has none. */
  async readLine(): Promise<{ text: string; complete: boolean } | null> {
    let line = "";
    for (;;) {
      const piece = await this.read();
      if (piece === null) return line === "" ? null : { text: line, complete: false };
      const end = piece.indexOf("\n");
      if (end >= 0) {
        this.ahead = piece.slice(end + 1);
        return { text: line + piece.slice(0, end), complete: true };
      }
      line += piece;
    }
  }

  /** Rejects with `BrokenPipe` when nobody will ever read it. */
  abstract write(text: string): Promise<void>;
  protected abstract take(): Promise<string | null>;
  protected released(): void {}
  /** Calls back when writing has become useless; the function that is returned stops that. */
  onBroken(_call: () => void): () => void {
    return () => {};
  }
  get isTerminal(): boolean {
    return this.terminal !== null;
  }
}

/** What a program can do with its terminal. */
export interface TerminalControl {
  readonly columns: number;
  readonly rows: number;
  /** Keys come one by one and unchanged, and are not echoed. */
  setRaw(on: boolean): void;
  onResize(call: () => void): () => void;
}

export class NullFile extends OpenFile {
  async write(): Promise<void> {}
  protected async take(): Promise<string | null> {
    return null;
  }
}

const capacity = 65_536;

class Pipe {
  chunks: string[] = [];
  size = 0;
  writerGone = false;
  readerGone = false;
  readonly wakeReader = new Set<() => void>();
  readonly wakeWriter = new Set<() => void>();
  readonly broken = new Set<() => void>();

  static wake(waiting: Set<() => void>): void {
    const all = [...waiting];
    waiting.clear();
    for (const call of all) call();
  }
}

class PipeReader extends OpenFile {
  constructor(private readonly pipe: Pipe) {
    super();
  }

  async write(): Promise<void> {
    throw new BrokenPipe("not open for writing");
  }

  protected async take(): Promise<string | null> {
    const { pipe } = this;
    while (pipe.chunks.length === 0) {
      if (pipe.writerGone) return null;
      await new Promise<void>((resolve) => pipe.wakeReader.add(resolve));
    }
    const all = pipe.chunks.join("");
    pipe.chunks = [];
    pipe.size = 0;
    Pipe.wake(pipe.wakeWriter);
    return all;
  }

  protected override released(): void {
    this.pipe.readerGone = true;
    this.pipe.chunks = [];
    Pipe.wake(this.pipe.wakeWriter);
    Pipe.wake(this.pipe.broken);
  }
}

class PipeWriter extends OpenFile {
  constructor(private readonly pipe: Pipe) {
    super();
  }

  async write(text: string): Promise<void> {
    const { pipe } = this;
    if (text === "") return;
    if (pipe.readerGone) throw new BrokenPipe("Broken pipe");
    pipe.chunks.push(text);
    pipe.size += text.length;
    Pipe.wake(pipe.wakeReader);
    while (pipe.size > capacity && !pipe.readerGone) {
      await new Promise<void>((resolve) => pipe.wakeWriter.add(resolve));
    }
  }

  protected async take(): Promise<string | null> {
    return null;
  }

  protected override released(): void {
    this.pipe.writerGone = true;
    Pipe.wake(this.pipe.wakeReader);
  }

  override onBroken(call: () => void): () => void {
    if (this.pipe.readerGone) call();
    else this.pipe.broken.add(call);
    return () => this.pipe.broken.delete(call);
  }
}

/** A pipe's two ends. */
export function makePipe(): { reader: OpenFile; writer: OpenFile } {
  const pipe = new Pipe();
  return { reader: new PipeReader(pipe), writer: new PipeWriter(pipe) };
}

/** A file that gives a text and then its end. */
export function fromText(text: string): OpenFile {
  const { reader, writer } = makePipe();
  // Nobody waits for this write: the whole text stays in the pipe until it is read.
  void writer.write(text);
  writer.close();
  return reader;
}
