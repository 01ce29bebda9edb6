/**
 * The journal of a run: one JSON record a line, appended and synced to disk before what it announces is done. It alone says
 * how far a run has come. It never holds a secret: scripts get those on standard input, and values that scripts give are kept.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { VirtuError } from "../errors.ts";
import type { Decision } from "./plan.ts";

/** Values that a step has given, by name. */
export type Gives = Readonly<Record<string, string>>;

/** What is known of some ends only. */
export interface EndFacts {
  /** The node can't be asked any more: the script may have ended well, or run yet. */
  unknown: boolean;
  /** What the script took. */
  seconds: number;
  /** Shown lines of its output. */
  lines: number;
}

interface OfCell {
  step: string;
  node: string;
}

export type Entry =
  /** The first one. */
  | { kind: "run"; version: 1; id: string }
  /** A virtu carries the run from here on. */
  | { kind: "carried"; pid: number; host: string; engine: "pool" | "taktuk" }
  /** The check said that there is nothing to do. */
  | (OfCell & { kind: "already"; text: string; gives: Gives })
  /** A script is about to be started, under this name on the node; null: not detached. */
  | (OfCell & { kind: "start"; try: number; remote: string | null })
  /** That start never came to run a line, and never will. */
  | (OfCell & { kind: "void"; remote: string })
  /** How it ended. */
  | (OfCell & { kind: "end"; ok: boolean; status: number | null; text: string; gives: Gives } & Partial<EndFacts>)
  /** `by`: the user, or virtu within the plan's minimum. */
  | { kind: "decision"; decision: Decision; by: "user" | "virtu" }
  /** Nothing moves any more, for good. */
  | { kind: "over"; state: "done" | "failed" | "cancelled" };

/** What is said in a journal, by its kind. */
interface Kind {
  kind: string;
}

/** An entry as it is kept. `at`: epoch milliseconds. */
export type Kept<E extends Kind> = E & { at: number };
export type JournalRecord = Kept<Entry>;

const runKinds: ReadonlySet<string> = new Set([
  "run",
  "carried",
  "already",
  "start",
  "void",
  "end",
  "decision",
  "over",
]);

function parse<E extends Kind>(line: string, kinds: ReadonlySet<string>): Kept<E> | null {
  try {
    const value = JSON.parse(line) as Kept<E> | null;
    return typeof value === "object" && value !== null && typeof value.at === "number" && kinds.has(value.kind)
      ? value
      : null;
  } catch {
    return null;
  }
}

/**
 * The whole records of a journal's text, and how many bytes they take: a last line cut off by a crash is left out.
 * @param kinds Those that there may be; a run's by default.
 */
export function parseJournal<E extends Kind = Entry>(
  text: string,
  file: string,
  kinds: ReadonlySet<string> = runKinds,
): { records: Kept<E>[]; bytes: number } {
  const lines = text.split("\n");
  // What follows the last newline was never finished.
  lines.pop();
  const records: Kept<E>[] = [];
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    const record = parse<E>(line, kinds);
    if (!record) {
      if (index === lines.length - 1) break;
      throw new VirtuError({
        kind: "failed",
        what: "A run's journal is damaged",
        where: `${file}:${index + 1}`,
        why: "the line is no record of this program",
        hint: "Look at the nodes by hand; virtu does not guess what has run.",
      });
    }
    records.push(record);
    bytes += Buffer.byteLength(line) + 1;
  }
  return { records, bytes };
}

/** Reads a journal without writing to it. */
export async function readJournal<E extends Kind = Entry>(
  file: string,
  kinds: ReadonlySet<string> = runKinds,
): Promise<Kept<E>[]> {
  return parseJournal<E>(await readFile(file, "utf8"), file, kinds).records;
}

/** A journal open for writing. Records that come while others are being synced share the next sync. */
export class Journal<E extends Kind = Entry> {
  private waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  private writing: Promise<void> | null = null;

  private constructor(
    private readonly handle: FileHandle,
    private end: number,
    private readonly now: () => number,
  ) {}

  /** Opens or makes the file, and cuts off what a crash has left half written. */
  static async open<E extends Kind = Entry>(
    file: string,
    now: () => number,
    kinds: ReadonlySet<string> = runKinds,
  ): Promise<{ journal: Journal<E>; records: Kept<E>[] }> {
    const handle = await open(file, "a+", 0o600);
    try {
      const { records, bytes } = parseJournal<E>(await handle.readFile("utf8"), file, kinds);
      await handle.truncate(bytes);
      return { journal: new Journal<E>(handle, bytes, now), records };
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  /** The record as it is kept, and a promise that resolves once it is on disk. Order is that of the calls. */
  append(entry: E): { record: Kept<E>; kept: Promise<void> } {
    const record = { at: this.now(), ...entry };
    const kept = new Promise<void>((resolve, reject) => {
      this.waiting.push({ line: `${JSON.stringify(record)}\n`, resolve, reject });
    });
    this.writing ??= this.write();
    return { record, kept };
  }

  private async write(): Promise<void> {
    // Whoever appends in the same moment joins the first sync.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      try {
        const bytes = Buffer.from(group.map(({ line }) => line).join(""));
        await this.handle.appendFile(bytes);
        await this.handle.datasync();
        this.end += bytes.length;
        for (const { resolve } of group) resolve();
      } catch (thrown) {
        // Half a record in the middle would spoil the rest.
        await this.handle.truncate(this.end).catch(() => undefined);
        for (const { reject } of group) reject(thrown);
      }
    }
    this.writing = null;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.handle.close();
  }
}
