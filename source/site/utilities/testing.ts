/** test and [. */
import { resolvePath } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";

class BadTest extends Error {}

function number(word: string): number {
  if (!/^\s*[-+]?\d+\s*$/.test(word)) throw new BadTest(`Illegal number: ${word}`);
  return Number(word);
}

const comparisons: Readonly<Record<string, (left: string, right: string) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "-eq": (a, b) => number(a) === number(b),
  "-ne": (a, b) => number(a) !== number(b),
  "-lt": (a, b) => number(a) < number(b),
  "-le": (a, b) => number(a) <= number(b),
  "-gt": (a, b) => number(a) > number(b),
  "-ge": (a, b) => number(a) >= number(b),
};

class Test {
  private index = 0;

  constructor(
    private readonly words: readonly string[],
    private readonly call: Call,
  ) {}

  run(): boolean {
    if (this.words.length === 0) return false;
    const result = this.or();
    if (this.index < this.words.length) throw new BadTest(`${this.words[this.index]}: unexpected operator`);
    return result;
  }

  private or(): boolean {
    let left = this.and();
    while (this.words[this.index] === "-o") {
      this.index += 1;
      const right = this.and();
      left = left || right;
    }
    return left;
  }

  private and(): boolean {
    let left = this.not();
    while (this.words[this.index] === "-a") {
      this.index += 1;
      const right = this.not();
      left = left && right;
    }
    return left;
  }

  private not(): boolean {
    if (
      this.words[this.index] === "!" &&
      this.words.length - this.index > 1 &&
      !comparisons[this.words[this.index + 1] ?? ""]
    ) {
      this.index += 1;
      return !this.not();
    }
    return this.primary();
  }

  private primary(): boolean {
    const first = this.words[this.index];
    if (first === undefined) throw new BadTest("argument expected");
    const compare = comparisons[this.words[this.index + 1] ?? ""];
    const third = this.words[this.index + 2];
    if (compare && third !== undefined) {
      this.index += 3;
      return compare(first, third);
    }
    if (first === "(" && this.words.length - this.index > 1) {
      this.index += 1;
      const inner = this.or();
      if (this.words[this.index] !== ")") throw new BadTest("closing paren expected");
      this.index += 1;
      return inner;
    }
    const second = this.words[this.index + 1];
    if (/^-[a-zA-Z]$/.test(first) && second !== undefined) {
      this.index += 2;
      return this.unary(first, second);
    }
    this.index += 1;
    return first !== "";
  }

  private unary(operator: string, word: string): boolean {
    if (operator === "-z") return word === "";
    if (operator === "-n") return word !== "";
    const { process, machine } = this.call;
    if (operator === "-t") return process.files.get(Number(word))?.isTerminal === true;
    const entry = machine.files.find(resolvePath(process.directory, word));
    switch (operator) {
      case "-e":
        return entry !== null;
      case "-f":
        return entry?.kind === "file";
      case "-d":
        return entry?.kind === "directory";
      case "-c":
        return entry?.kind === "device" && !entry.block;
      case "-s":
        return (
          (entry?.kind === "file" && (entry.made ? entry.made() : entry.content) !== "") || entry?.kind === "directory"
        );
      case "-r":
      case "-w":
        return entry !== null && (process.user === "root" || entry.owner === process.user || (entry.mode & 0o6) !== 0);
      case "-x":
        return (
          (entry !== null && (entry.kind === "directory" || (entry.mode & 0o111) !== 0)) ||
          (word.startsWith("/") && machine.lookUp(word, undefined) !== null)
        );
      case "-h":
      case "-L":
        return machine.files.look(resolvePath(process.directory, word))?.kind === "link";
      case "-b":
        return entry?.kind === "device" && entry.block === true;
      case "-p":
      case "-S":
        return false;
      default:
        throw new BadTest(`${operator}: unexpected operator`);
    }
  }
}

async function evaluate(call: Call, words: readonly string[]): Promise<number> {
  try {
    return new Test(words, call).run() ? 0 : 1;
  } catch (thrown) {
    if (!(thrown instanceof BadTest)) throw thrown;
    await call.err(`sh: 1: ${call.name}: ${thrown.message}\n`);
    return 2;
  }
}

export const testing = {
  test: (call: Call): Promise<number> => evaluate(call, call.args),
  "[": async (call: Call): Promise<number> => {
    if (call.args.at(-1) === "]") return evaluate(call, call.args.slice(0, -1));
    await call.err("sh: 1: [: missing ]\n");
    return 2;
  },
};
