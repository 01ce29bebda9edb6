/** The output files of a run: written together a few times a second, read whenever somebody looks. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { plain } from "../text.ts";
import { OutputFile, type OutputReader } from "./run-output.ts";

const flushEveryMs = 150;
/** So many files that nothing writes to are kept open for readers. */
const openForReading = 16;

export class Outputs {
  private readonly writing = new Map<string, OutputFile>();
  private readonly reading = new Map<string, Promise<OutputFile>>();
  private readonly dirty = new Set<OutputFile>();
  private timer: NodeJS.Timeout | null = null;
  private over = false;

  /** `onWritten`: lines of some file have been read and written. */
  constructor(
    private readonly folder: string,
    private readonly onWritten: () => void,
  ) {}

  private file(remote: string, node: string): string {
    return path.join(this.folder, remote, encodeURIComponent(node).replace(/^\./, "%2E"));
  }

  /** Opens the file that a start on a node writes to; its reader is given what is there already. */
  async open(remote: string, node: string, reader: OutputReader): Promise<OutputFile> {
    const file = this.file(remote, node);
    await this.forget(file);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const output = await OutputFile.open(file, reader);
    this.writing.set(file, output);
    return output;
  }

  /** Something was pushed to it. `soon`: not only with the next of the regular times. */
  changed(output: OutputFile, soon: boolean): void {
    this.dirty.add(output);
    if (soon) setImmediate(() => this.flush(output));
    this.timer ??= setTimeout(() => {
      this.timer = null;
      for (const each of [...this.dirty]) this.flush(each);
    }, flushEveryMs);
  }

  private flush(output: OutputFile): void {
    if (!this.dirty.delete(output)) return;
    // Whoever follows the step hears of a full disk when it ends.
    output.flush().catch(() => undefined);
    this.onWritten();
  }

  /** Everything is on disk, and nothing more will come. Rejects when the disk took it not. */
  async close(remote: string, node: string): Promise<void> {
    const file = this.file(remote, node);
    const output = this.writing.get(file);
    this.writing.delete(file);
    if (!output) return;
    this.dirty.delete(output);
    await output.close(true);
  }

  /** Shown lines, made safe to show; none where nothing was kept. */
  async read(remote: string, node: string, range: Range, isShown: OutputReader): Promise<string[]> {
    const file = this.file(remote, node);
    const open = this.writing.get(file);
    if (open) return lines(Promise.resolve(open), range, isShown);
    let kept = this.reading.get(file);
    if (!kept) {
      kept = OutputFile.open(file, isShown, "r");
      // Nobody would close it any more.
      if (this.over) {
        const once = kept;
        return lines(once, range, isShown).finally(async () => (await once.catch(() => null))?.close(false));
      }
      this.reading.set(file, kept);
      kept.catch(() => this.reading.delete(file));
      const [oldest] = this.reading.keys();
      if (this.reading.size > openForReading && oldest !== undefined) await this.forget(oldest);
    }
    return lines(kept, range, isShown);
  }

  private async forget(file: string): Promise<void> {
    const kept = this.reading.get(file);
    this.reading.delete(file);
    await (await kept?.catch(() => null))?.close(false);
  }

  /** Writes what has come and closes all. */
  async end(): Promise<void> {
    this.over = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.dirty.clear();
    const files = [...this.writing.values()];
    this.writing.clear();
    await Promise.allSettled(files.map((file) => file.close(true)));
    for (const file of [...this.reading.keys()]) await this.forget(file).catch(() => undefined);
  }
}

interface Range {
  from: number;
  count: number;
}

async function lines(file: Promise<OutputFile>, { from, count }: Range, isShown: OutputReader): Promise<string[]> {
  try {
    return (await (await file).read(from, count, isShown)).map(plain);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}
