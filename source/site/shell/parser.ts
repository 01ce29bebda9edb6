/** Script to tree, for the part of POSIX sh that the site knows. Errors are worded as dash words them. */

import { asAssignment } from "./assignment.ts";
import type { AndOr, Command, List, Pipeline, Redirection, Word } from "./tree.ts";
import { plainText } from "./tree.ts";
import { WordReader } from "./words.ts";

const reserved = new Set([
  "if",
  "then",
  "else",
  "elif",
  "fi",
  "do",
  "done",
  "case",
  "esac",
  "while",
  "until",
  "for",
  "in",
  "{",
  "}",
  "!",
]);
/** Words that end a list; what begins with one belongs to the command around it. */
const closers = new Set(["then", "else", "elif", "fi", "do", "done", "esac", "}"]);

interface PendingHere {
  redirection: Redirection;
  delimiter: string;
  quoted: boolean;
  stripTabs: boolean;
}

export function parse(script: string): List {
  const parser = new Parser(new WordReader(script, (reader) => new Parser(reader).list()));
  const list = parser.list();
  parser.expectEnd();
  return list;
}

class Parser {
  private readonly pendingHere: PendingHere[] = [];

  constructor(private readonly reader: WordReader) {}

  expectEnd(): void {
    const operator = this.operator();
    if (operator !== null) this.unexpected(operator);
    const word = this.peekReserved();
    if (word !== null) this.unexpected(word);
  }

  private unexpected(what: string, expecting?: string): never {
    const shown = what === "\n" ? "newline" : what === "" ? "end of file" : `"${what}"`;
    this.reader.fail(`${shown} unexpected${expecting ? ` (expecting "${expecting}")` : ""}`);
  }

  /** The operator at this place without taking it; null for a word, "" at the end. */
  private operator(): string | null {
    const { reader } = this;
    reader.skipBlanks();
    if (reader.position >= reader.text.length) return null;
    const found = [
      "&&",
      "||",
      ";;",
      ";",
      "&",
      "|",
      "(",
      ")",
      "\n",
      "<<-",
      "<<",
      "<&",
      "<>",
      ">>",
      ">&",
      ">|",
      "<",
      ">",
    ].find((candidate) => reader.text.startsWith(candidate, reader.position));
    return found ?? null;
  }

  private take(operator: string): boolean {
    if (this.operator() !== operator) return false;
    this.reader.position += operator.length;
    if (operator === "\n") this.readHereDocuments();
    return true;
  }

  private skipNewlines(): void {
    while (this.take("\n"));
  }

  /** The plain word at this place without taking it. */
  private peekWord(): string | null {
    const { reader } = this;
    reader.skipBlanks();
    return (
      /^[A-Za-z0-9_{}!.+/-]+(?=[\s;&|<>()]|$)/.exec(reader.text.slice(reader.position, reader.position + 256))?.[0] ??
      null
    );
  }

  private peekReserved(): string | null {
    const word = this.peekWord();
    return word !== null && reserved.has(word) ? word : null;
  }

  private takeWord(word: string): boolean {
    if (this.peekWord() !== word) return false;
    this.reader.position += word.length;
    return true;
  }

  private expectWord(word: string): void {
    this.skipNewlines();
    if (!this.takeWord(word)) this.unexpected(this.operator() ?? this.peekWord() ?? "", word);
  }

  list(): List {
    const items: AndOr[] = [];
    for (;;) {
      this.skipNewlines();
      const operator = this.operator();
      if (this.reader.position >= this.reader.text.length || operator === ")" || operator === ";;") break;
      const word = this.peekReserved();
      if (word !== null && closers.has(word)) break;
      items.push(this.andOr());
      const next = this.operator();
      if (next === ";" || next === "&") this.take(next);
      else if (next !== "\n") break;
    }
    if (this.reader.position >= this.reader.text.length) this.readHereDocuments();
    return { items };
  }

  /** A list that must hold something. */
  private body(closer?: string): List {
    const list = this.list();
    const atEnd = this.reader.position >= this.reader.text.length;
    if (list.items.length === 0) this.unexpected(this.operator() ?? this.peekWord() ?? "", atEnd ? closer : undefined);
    return list;
  }

  private andOr(): AndOr {
    const start = this.reader.position;
    const first = this.pipeline();
    const rest: AndOr["rest"] = [];
    for (;;) {
      const operator = this.operator();
      if (operator !== "&&" && operator !== "||") break;
      this.take(operator);
      this.skipNewlines();
      rest.push({ operator, pipeline: this.pipeline() });
    }
    const source = this.reader.text.slice(start, this.reader.position).trim();
    return { first, rest, background: this.operator() === "&", source };
  }

  private pipeline(): Pipeline {
    let negated = false;
    while (this.takeWord("!")) negated = !negated;
    const commands = [this.command()];
    while (this.operator() === "|") {
      this.take("|");
      this.skipNewlines();
      commands.push(this.command());
    }
    return { negated, commands };
  }

  private command(): Command {
    const compound = this.compound();
    if (compound) {
      compound.redirections = this.redirections();
      return compound;
    }
    return this.simple();
  }

  private compound(): Command | null {
    if (this.operator() === "(") {
      this.take("(");
      const body = this.body();
      if (!this.take(")")) this.unexpected(this.operator() ?? this.peekWord() ?? "", ")");
      return { kind: "subshell", body, redirections: [] };
    }
    const word = this.peekReserved();
    if (word === null) return null;
    switch (word) {
      case "{": {
        this.takeWord("{");
        const body = this.body("}");
        this.expectWord("}");
        return { kind: "group", body, redirections: [] };
      }
      case "if":
        return this.conditional();
      case "while":
      case "until": {
        this.takeWord(word);
        const condition = this.body();
        this.expectWord("do");
        const body = this.body("done");
        this.expectWord("done");
        return { kind: "while", until: word === "until", condition, body, redirections: [] };
      }
      case "for":
        return this.loop();
      case "case":
        return this.selection();
      default:
        return this.unexpected(word);
    }
  }

  private conditional(): Command {
    const branches: { condition: List; body: List }[] = [];
    let otherwise: List | null = null;
    this.takeWord("if");
    do {
      const condition = this.body();
      this.expectWord("then");
      branches.push({ condition, body: this.body("fi") });
      this.skipNewlines();
    } while (this.takeWord("elif"));
    if (this.takeWord("else")) otherwise = this.body("fi");
    this.expectWord("fi");
    return { kind: "if", branches, otherwise, redirections: [] };
  }

  private loop(): Command {
    this.takeWord("for");
    const name = this.peekWord();
    if (name === null || !/^[A-Za-z_]\w*$/.test(name)) this.reader.fail("Bad for loop variable");
    this.takeWord(name);
    this.skipNewlines();
    let words: Word[] | null = null;
    if (this.takeWord("in")) {
      words = [];
      for (let word = this.reader.word(); word; word = this.reader.word()) words.push(word);
    }
    this.take(";");
    this.expectWord("do");
    const body = this.body("done");
    this.expectWord("done");
    return { kind: "for", name, words, body, redirections: [] };
  }

  private selection(): Command {
    this.takeWord("case");
    const word = this.reader.word();
    if (!word) this.unexpected(this.operator() ?? "");
    this.expectWord("in");
    const items: { patterns: Word[]; body: List }[] = [];
    for (;;) {
      this.skipNewlines();
      if (this.takeWord("esac")) break;
      this.take("(");
      const patterns: Word[] = [];
      do {
        const pattern = this.reader.word();
        if (!pattern) this.unexpected(this.operator() ?? "", "esac");
        patterns.push(pattern);
      } while (this.take("|"));
      if (!this.take(")")) this.unexpected(this.operator() ?? this.peekWord() ?? "", ")");
      items.push({ patterns, body: this.list() });
      if (!this.take(";;")) {
        this.expectWord("esac");
        break;
      }
    }
    return { kind: "case", word, items, redirections: [] };
  }

  private redirections(): Redirection[] {
    const all: Redirection[] = [];
    for (let one = this.redirection(); one; one = this.redirection()) all.push(one);
    return all;
  }

  private redirection(): Redirection | null {
    const { reader } = this;
    reader.skipBlanks();
    const match = /^([0-9]*)(<<-|<<|<&|<>|>>|>&|>\||<|>)/.exec(
      reader.text.slice(reader.position, reader.position + 16),
    );
    if (!match) return null;
    const [all, number = "", operator = ""] = match;
    reader.position += all.length;
    const descriptor = number === "" ? (operator.startsWith("<") ? 0 : 1) : Number(number);
    const target = reader.word();
    if (!target) this.unexpected(this.operator() ?? "");
    if (!operator.startsWith("<<")) return { descriptor, operator: operator as Redirection["operator"], target };
    const redirection: Redirection = { descriptor, operator: "here", target: [] };
    const quoted = target.some((part) => part.kind === "text" && part.quoted);
    const delimiter = target.map((part) => (part.kind === "text" ? part.text : "")).join("");
    this.pendingHere.push({ redirection, delimiter, quoted, stripTabs: operator === "<<-" });
    return redirection;
  }

  /** Reads the bodies that stand after the line just ended. */
  private readHereDocuments(): void {
    const { reader } = this;
    for (const here of this.pendingHere.splice(0)) {
      let body = "";
      const line = reader.line;
      for (;;) {
        if (reader.position >= reader.text.length) break;
        const end = reader.text.indexOf("\n", reader.position);
        const stop = end < 0 ? reader.text.length : end;
        let text = reader.text.slice(reader.position, stop);
        reader.position = end < 0 ? stop : stop + 1;
        if (here.stripTabs) text = text.replace(/^\t+/, "");
        if (text === here.delimiter) break;
        body += `${text}\n`;
      }
      here.redirection.target = here.quoted
        ? [{ kind: "text", text: body, quoted: true }]
        : WordReader.hereDocument(body, (inner) => new Parser(inner).list(), line);
    }
  }

  private simple(): Command {
    const assignments: Extract<Command, { kind: "simple" }>["assignments"] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const redirection = this.redirection();
      if (redirection) {
        redirections.push(redirection);
        continue;
      }
      const word = this.reader.word();
      if (!word) break;
      const assignment = words.length === 0 ? asAssignment(word) : null;
      if (assignment) assignments.push(assignment);
      else words.push(word);
      const name = words.length === 1 && assignments.length === 0 ? plainText(words[0] ?? []) : null;
      if (name !== null && /^[A-Za-z_]\w*$/.test(name) && this.operator() === "(") return this.definition(name);
    }
    if (assignments.length + words.length + redirections.length === 0) {
      this.unexpected(this.operator() ?? this.peekWord() ?? "");
    }
    return { kind: "simple", assignments, words, redirections };
  }

  private definition(name: string): Command {
    this.take("(");
    if (!this.take(")")) this.unexpected(this.operator() ?? this.peekWord() ?? "", ")");
    this.skipNewlines();
    return { kind: "function", name, body: this.command(), redirections: [] };
  }
}
