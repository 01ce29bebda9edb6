/** The lower half of the parser: characters to words, with their quotes and expansions. */
import type { List, Part, Word } from "./tree.ts";

export class ScriptError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

const ends = new Set([" ", "\t", "\n", ";", "&", "|", "<", ">", "(", ")"]);
const specials = new Set(["@", "*", "#", "?", "-", "$", "!"]);
const operators = [":-", ":=", ":?", ":+", "%%", "##", "-", "=", "?", "+", "%", "#"];

/** Parses the commands of `$(…)`; given by the upper half, which knows lists. */
export type ParseCommands = (reader: WordReader) => List;

export class WordReader {
  position = 0;

  constructor(
    readonly text: string,
    private readonly parseCommands: ParseCommands,
    private readonly firstLine = 1,
  ) {}

  get line(): number {
    let line = this.firstLine;
    for (let index = 0; index < this.position && index < this.text.length; index += 1) {
      if (this.text[index] === "\n") line += 1;
    }
    return line;
  }

  get current(): string {
    return this.text[this.position] ?? "";
  }

  fail(message: string): never {
    throw new ScriptError(message, this.line);
  }

  /** Blanks, comments and continued lines. */
  skipBlanks(): void {
    for (;;) {
      const { current } = this;
      if (current === " " || current === "\t") this.position += 1;
      else if (this.text.startsWith("\\\n", this.position)) this.position += 2;
      else if (current === "#") {
        while (this.position < this.text.length && this.current !== "\n") this.position += 1;
      } else return;
    }
  }

  /** The next word, or null where none begins. */
  word(): Word | null {
    this.skipBlanks();
    if (this.position >= this.text.length || ends.has(this.current)) return null;
    const parts: Word = [];
    if (this.current === "~") this.home(parts);
    this.parts(parts, (character) => ends.has(character), false);
    return parts;
  }

  private home(parts: Word): void {
    const match = /^~([A-Za-z0-9_-]*)(?=[/\s;&|<>()]|$)/.exec(this.text.slice(this.position));
    if (!match) return;
    parts.push({ kind: "home", user: match[1] ?? "" });
    this.position += match[0].length;
  }

  /** Adds parts until a character that ends them, or the end of the text. */
  private parts(parts: Word, isEnd: (character: string) => boolean, insideQuotes: boolean): void {
    let text = "";
    const flush = () => {
      if (text !== "") parts.push({ kind: "text", text, quoted: insideQuotes });
      text = "";
    };
    while (this.position < this.text.length && !isEnd(this.current)) {
      const { current } = this;
      if (current === "\\") {
        flush();
        this.backslash(parts, insideQuotes);
      } else if (current === "'" && !insideQuotes) {
        flush();
        const close = this.text.indexOf("'", this.position + 1);
        if (close < 0) this.fail("Unterminated quoted string");
        parts.push({ kind: "text", text: this.text.slice(this.position + 1, close), quoted: true });
        this.position = close + 1;
      } else if (current === '"') {
        flush();
        this.position += 1;
        const before = parts.length;
        this.parts(parts, (character) => character === '"', true);
        if (this.current !== '"') this.fail("Unterminated quoted string");
        this.position += 1;
        // An empty pair of quotes is still a word.
        if (parts.length === before) parts.push({ kind: "text", text: "", quoted: true });
      } else if (current === "$") {
        const part = this.dollar(insideQuotes);
        if (part) {
          flush();
          parts.push(part);
        } else {
          text += "$";
          this.position += 1;
        }
      } else if (current === "`") {
        flush();
        parts.push(this.backquoted(insideQuotes));
      } else {
        text += current;
        this.position += 1;
      }
    }
    flush();
  }

  private backslash(parts: Word, insideQuotes: boolean): void {
    const next = this.text[this.position + 1];
    this.position += 2;
    if (next === "\n") return;
    if (next === undefined) parts.push({ kind: "text", text: "\\", quoted: true });
    else if (insideQuotes && !'$`"\\'.includes(next)) parts.push({ kind: "text", text: `\\${next}`, quoted: true });
    else parts.push({ kind: "text", text: next, quoted: true });
  }

  private dollar(quoted: boolean): Part | null {
    const rest = this.text.slice(this.position + 1, this.position + 3);
    if (rest === "((") {
      const arithmetic = this.arithmetic(quoted);
      if (arithmetic) return arithmetic;
    }
    if (rest.startsWith("(")) {
      this.position += 2;
      const body = this.parseCommands(this);
      if (this.current !== ")") this.fail('end of file unexpected (expecting ")")');
      this.position += 1;
      return { kind: "commands", body, quoted };
    }
    if (rest.startsWith("{")) return this.braces(quoted);
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(
      this.text.slice(this.position + 1, this.position + 81),
    )?.[0];
    if (name === undefined) return null;
    const long = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.text.slice(this.position + 1))?.[0] ?? name;
    this.position += 1 + long.length;
    return { kind: "variable", name: long, operator: null, operand: [], quoted };
  }

  private arithmetic(quoted: boolean): Part | null {
    const start = this.position;
    this.position += 3;
    let depth = 0;
    const from = this.position;
    while (this.position < this.text.length) {
      const { current } = this;
      if (current === "(") depth += 1;
      else if (current === ")") {
        if (depth === 0) break;
        depth -= 1;
      }
      this.position += 1;
    }
    if (!this.text.startsWith("))", this.position)) {
      // `$((` may also begin a command substitution that holds a subshell.
      this.position = start;
      return null;
    }
    const inner = new WordReader(this.text.slice(from, this.position), this.parseCommands, this.line);
    const expression: Word = [];
    inner.parts(expression, () => false, true);
    this.position += 2;
    return { kind: "arithmetic", expression, quoted };
  }

  private braces(quoted: boolean): Part {
    this.position += 2;
    const rest = this.text.slice(this.position);
    const length = /^#([A-Za-z_][A-Za-z0-9_]*|[0-9@*?$!-])\}/.exec(rest);
    if (length) {
      this.position += length[0].length;
      return { kind: "variable", name: length[1] ?? "", operator: "length", operand: [], quoted };
    }
    const name =
      /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)/.exec(rest)?.[0] ?? (specials.has(rest[0] ?? "") ? rest[0] : undefined);
    if (name === undefined) this.fail("Bad substitution");
    this.position += name.length;
    if (this.current === "}") {
      this.position += 1;
      return { kind: "variable", name, operator: null, operand: [], quoted };
    }
    const operator = operators.find((candidate) => this.text.startsWith(candidate, this.position));
    if (!operator) this.fail("Bad substitution");
    this.position += operator.length;
    const operand: Word = [];
    const isPattern = /[#%]/.test(operator);
    if (this.current === "~" && !quoted) this.home(operand);
    this.parts(operand, (character) => character === "}", quoted && !isPattern);
    if (this.current !== "}") this.fail('Missing "}"');
    this.position += 1;
    return { kind: "variable", name, operator, operand, quoted };
  }

  private backquoted(quoted: boolean): Part {
    let inner = "";
    let index = this.position + 1;
    for (; index < this.text.length && this.text[index] !== "`"; index += 1) {
      const next = this.text[index + 1] ?? "";
      if (this.text[index] === "\\" && (next === "`" || next === "\\" || next === "$" || (quoted && next === '"')))
        index += 1;
      inner += this.text[index];
    }
    if (index >= this.text.length) this.fail("EOF in backquote substitution");
    const reader = new WordReader(inner, this.parseCommands, this.line);
    const body = this.parseCommands(reader);
    this.position = index + 1;
    return { kind: "commands", body, quoted };
  }

  /** The body of a here-document, which knows expansions but no quotes. */
  static hereDocument(text: string, parseCommands: ParseCommands, line: number): Word {
    const reader = new WordReader(text, parseCommands, line);
    const parts: Word = [];
    while (reader.position < text.length) {
      reader.parts(parts, (character) => character === '"', true);
      if (reader.current === '"') {
        parts.push({ kind: "text", text: '"', quoted: true });
        reader.position += 1;
      }
    }
    return parts;
  }
}
