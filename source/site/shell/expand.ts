/** Words to fields: variables, commands, arithmetic, splitting, file names. */
import { evaluate } from "./arithmetic.ts";
import { hasWildcard, matches, type Piece, trim } from "./pattern.ts";
import type { List, Part, Word } from "./tree.ts";

/** What expansion needs to know and do of the shell. */
export interface Environment {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  positional: readonly string[];
  home(user: string): string | null;
  capture(body: List): Promise<string>;
  /** Names in a directory, or null when it can't be read. */
  names(directory: string): string[] | null;
  unsetIsError: boolean;
}

/** Ends the script, with a message: `${v:?text}`, division by zero. */
export class ExpansionError extends Error {}

class Fields {
  readonly all: Piece[][] = [];
  private current: Piece[] | null = null;

  add(text: string, quoted: boolean): void {
    if (text === "" && !quoted) return;
    this.current ??= [];
    this.current.push({ text, quoted });
  }

  end(): void {
    if (this.current) this.all.push(this.current);
    this.current = null;
  }

  /** An unquoted result: cut at the characters of IFS. */
  split(text: string, separators: string): void {
    if (separators === "") {
      this.add(text, false);
      return;
    }
    const blanks = [...separators].filter((character) => " \t\n".includes(character)).join("");
    let index = 0;
    const skipBlanks = () => {
      while (index < text.length && blanks.includes(text[index] ?? "")) index += 1;
    };
    if (text !== "" && blanks.includes(text[0] ?? "")) this.end();
    skipBlanks();
    while (index < text.length) {
      let next = index;
      while (next < text.length && !separators.includes(text[next] ?? "")) next += 1;
      if (next > index) this.add(text.slice(index, next), false);
      if (next >= text.length) return;
      index = next;
      // A separator that is no blank ends a field even when nothing stands before it.
      const hard = !blanks.includes(text[index] ?? "");
      if (hard) this.current ??= [];
      this.end();
      if (hard) index += 1;
      skipBlanks();
      if (
        !hard &&
        index < text.length &&
        separators.includes(text[index] ?? "") &&
        !blanks.includes(text[index] ?? "")
      ) {
        index += 1;
        skipBlanks();
      }
    }
  }
}

function ifs(shell: Environment): string {
  return shell.get("IFS") ?? " \t\n";
}

function joined(shell: Environment): string {
  return shell.positional.join(ifs(shell).slice(0, 1));
}

async function value(shell: Environment, part: Extract<Part, { kind: "variable" }>): Promise<string> {
  const raw = part.name === "@" || part.name === "*" ? joined(shell) : shell.get(part.name);
  const missing = raw === undefined || (part.operator?.startsWith(":") === true && raw === "");
  switch (part.operator?.replace(":", "")) {
    case undefined:
      if (raw === undefined && shell.unsetIsError) throw new ExpansionError(`${part.name}: parameter not set`);
      return raw ?? "";
    case "length":
      return String((raw ?? "").length);
    case "-":
      return missing ? await expandText(shell, part.operand) : raw;
    case "+":
      return missing ? "" : await expandText(shell, part.operand);
    case "=": {
      if (!missing) return raw;
      const given = await expandText(shell, part.operand);
      shell.set(part.name, given);
      return given;
    }
    case "?":
      if (!missing) return raw;
      throw new ExpansionError(`${part.name}: ${(await expandText(shell, part.operand)) || "parameter not set"}`);
    default:
      return trim(raw ?? "", part.operator ?? "", await expandPattern(shell, part.operand));
  }
}

async function addPart(shell: Environment, fields: Fields, part: Part, splitting: boolean): Promise<void> {
  const put = (text: string, quoted: boolean) => {
    if (quoted || !splitting) fields.add(text, quoted);
    else fields.split(text, ifs(shell));
  };
  switch (part.kind) {
    case "text":
      fields.add(part.text, part.quoted);
      return;
    case "home":
      fields.add(shell.home(part.user) ?? `~${part.user}`, true);
      return;
    case "commands":
      put((await shell.capture(part.body)).replace(/\n+$/, ""), part.quoted);
      return;
    case "arithmetic": {
      const text = await expandText(shell, part.expression);
      try {
        const variables = { get: (name: string) => shell.get(name) ?? "", set: shell.set.bind(shell) };
        put(String(evaluate(text, variables)), part.quoted);
      } catch (thrown) {
        throw new ExpansionError(thrown instanceof Error ? thrown.message : String(thrown));
      }
      return;
    }
    case "variable":
      if (part.operator === null && splitting && (part.name === "@" || (part.name === "*" && !part.quoted))) {
        shell.positional.forEach((argument, index) => {
          if (index > 0) fields.end();
          put(argument, part.quoted);
        });
        return;
      }
      // The operand's own quotes count: ${v:-"a b"} is one field.
      if (part.operator !== null && !part.quoted && splitting && /^:?[-+]$/.test(part.operator)) {
        const raw = shell.get(part.name);
        const missing = raw === undefined || (part.operator.startsWith(":") && raw === "");
        if (missing === part.operator.endsWith("-")) {
          for (const inner of part.operand) {
            if (inner.kind === "text" && !inner.quoted) fields.split(inner.text, ifs(shell));
            else await addPart(shell, fields, inner, true);
          }
          return;
        }
      }
      put(await value(shell, part), part.quoted);
  }
}

/** One word without splitting or file names: assignments, redirections, `case`. */
export async function expandText(shell: Environment, word: Word): Promise<string> {
  return (await expandPattern(shell, word)).map((piece) => piece.text).join("");
}

/** One word as a pattern: what was quoted stands for itself. */
export async function expandPattern(shell: Environment, word: Word): Promise<Piece[]> {
  const fields = new Fields();
  for (const part of word) await addPart(shell, fields, part, false);
  fields.end();
  return fields.all.flat();
}

/** Words to arguments. */
export async function expandWords(shell: Environment, words: readonly Word[], directory: string): Promise<string[]> {
  const results: string[] = [];
  for (const word of words) {
    const fields = new Fields();
    for (const part of word) await addPart(shell, fields, part, true);
    fields.end();
    for (const field of fields.all) results.push(...fileNames(shell, field, directory));
  }
  return results;
}

function fileNames(shell: Environment, field: Piece[], directory: string): string[] {
  const literal = field.map((piece) => piece.text).join("");
  if (!hasWildcard(field)) return [literal];
  const found = glob(shell, segments(field), directory, literal.startsWith("/") ? "/" : "");
  return found.length > 0 ? found.sort() : [literal];
}

/** A field cut at its slashes. */
function segments(field: Piece[]): Piece[][] {
  const all: Piece[][] = [[]];
  for (const { text, quoted } of field) {
    text.split("/").forEach((part, index) => {
      if (index > 0) all.push([]);
      if (part !== "") all.at(-1)?.push({ text: part, quoted });
    });
  }
  return all.filter((segment, index) => segment.length > 0 || index === all.length - 1);
}

function glob(shell: Environment, rest: Piece[][], directory: string, prefix: string): string[] {
  const [segment, ...after] = rest;
  if (!segment) return [];
  const literal = segment.map((piece) => piece.text).join("");
  const base = prefix.startsWith("/") ? prefix : `${directory}/${prefix}`;
  if (!hasWildcard(segment)) {
    if (after.length > 0) return glob(shell, after, directory, `${prefix}${literal}/`);
    if (literal === "") return shell.names(base) ? [prefix] : [];
    return shell.names(base)?.includes(literal) ? [prefix + literal] : [];
  }
  const names = (shell.names(base) ?? []).filter(
    (name) => (literal.startsWith(".") || !name.startsWith(".")) && matches(segment, name),
  );
  if (after.length === 0) return names.map((name) => prefix + name);
  return names.flatMap((name) => glob(shell, after, directory, `${prefix}${name}/`));
}
