/** What the text programs share: their options, and the files they read. */
import { FileError, resolvePath } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";
import type { OpenFile } from "../machine/open-file.ts";

export interface Options {
  /** Letters and long names that were given, with their value or "". */
  given: Map<string, string>;
  words: string[];
}

/** Parses options; `withValue` lists the letters and long names that take one. */
export function options(args: readonly string[], withValue = ""): Options {
  const takes = new Set(withValue.split(/[ ,]+/));
  const given = new Map<string, string>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      words.push(...args.slice(index + 1));
      break;
    }
    if (arg.startsWith("--")) {
      const [name = "", ...value] = arg.slice(2).split("=");
      if (value.length > 0) given.set(name, value.join("="));
      else given.set(name, takes.has(name) ? (args[++index] ?? "") : "");
      continue;
    }
    if (!/^-./.test(arg)) {
      words.push(arg);
      continue;
    }
    for (let letter = 1; letter < arg.length; letter += 1) {
      const option = arg[letter] ?? "";
      if (!takes.has(option)) given.set(option, "");
      else {
        given.set(option, arg.slice(letter + 1) || (args[++index] ?? ""));
        break;
      }
    }
  }
  return { given, words };
}

export function fullPath(call: Call, word: string): string {
  return resolvePath(call.process.directory, word);
}

/** Runs something on a file's path; a file's fault is said as the program says it, and gives null. */
export async function attempt<T>(call: Call, before: string, run: () => T): Promise<T | null> {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof FileError)) throw thrown;
    await call.err(`${call.name}: ${before}: ${thrown.message}\n`);
    return null;
  }
}

export interface Source {
  name: string;
  file: OpenFile;
}

/** Opens the files that are named, or standard input; `bad` tells how many could not be opened. */
export async function sources(call: Call, words: readonly string[]): Promise<{ list: Source[]; bad: number }> {
  const list: Source[] = [];
  let bad = 0;
  for (const word of words.length > 0 ? words : ["-"]) {
    if (word === "-") {
      const input = call.process.files.get(0);
      if (input) list.push({ name: "-", file: input.dup() });
      continue;
    }
    try {
      list.push({ name: word, file: call.process.open(word, "read") });
    } catch (thrown) {
      if (!(thrown instanceof FileError)) throw thrown;
      bad += 1;
      const quoted =
        { head: `cannot open '${word}' for reading`, tail: `cannot open '${word}' for reading` }[call.name] ?? word;
      await call.err(`${call.name}: ${quoted}: ${thrown.message}\n`);
    }
  }
  return { list, bad };
}

/** Everything of one source; closes it. */
export async function readAll(call: Call, source: Source): Promise<string> {
  let all = "";
  try {
    for (;;) {
      const piece = await call.process.guard(source.file.read());
      if (piece === null) return all;
      all += piece;
    }
  } finally {
    source.file.close();
  }
}

/** Lines without their newlines; a last empty piece is no line. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
