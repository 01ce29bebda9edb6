/** Turns bytes as they arrive into lines and into a bounded text. */
import { StringDecoder } from "node:string_decoder";

/** Splits at LF or CRLF; a character cut in two by a packet is put together again. */
export class LineSplitter {
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    this.take(this.decoder.write(chunk));
  }

  /** Gives a last line that has no newline. */
  end(): void {
    this.take(this.decoder.end());
    if (this.rest !== "") this.onLine(this.rest);
    this.rest = "";
  }

  private take(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

/** Keeps the first `limit` bytes. */
export class Collector {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  truncated = false;

  constructor(private readonly limit: number) {}

  push(chunk: Buffer): void {
    const room = this.limit - this.size;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.chunks.push(kept);
    this.size += kept.length;
  }

  text(): string {
    const decoder = new StringDecoder("utf8");
    const text = decoder.write(Buffer.concat(this.chunks));
    // A character that the limit cut in two is left out.
    return this.truncated ? text : text + decoder.end();
  }
}

/** One stream of a command: its bounded text, and its lines for whoever listens. */
export class Output {
  private readonly collector: Collector;
  private readonly splitter: LineSplitter | null;

  constructor(limit: number, onLine: ((line: string) => void) | undefined) {
    this.collector = new Collector(limit);
    this.splitter = onLine ? new LineSplitter(onLine) : null;
  }

  get truncated(): boolean {
    return this.collector.truncated;
  }

  push(chunk: Buffer): void {
    this.collector.push(chunk);
    this.splitter?.push(chunk);
  }

  end(): void {
    this.splitter?.end();
  }

  text(): string {
    return this.collector.text();
  }
}
