/** echo and printf, as dash has them. */
import type { Call } from "../machine/machine.ts";

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** Backslash escapes; `stopped` when `\c` ended the output. */
function unescaped(text: string, zeroOctal: boolean): { text: string; stopped: boolean } {
  let result = "";
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? "";
    if (character !== "\\") {
      result += character;
      continue;
    }
    const rest = text.slice(index + 1);
    const octal = (zeroOctal ? /^0[0-7]{0,3}/ : /^[0-7]{1,3}/).exec(rest)?.[0];
    if (octal !== undefined) {
      result += String.fromCharCode(Number.parseInt(octal, 8) & 255);
      index += octal.length;
      continue;
    }
    const next = rest[0] ?? "";
    if (next === "c" && zeroOctal) return { text: result, stopped: true };
    const known = escapes[next];
    if (known === undefined) result += "\\";
    else {
      result += known;
      index += 1;
    }
  }
  return { text: result, stopped: false };
}

async function echo({ args, out }: Call): Promise<number> {
  const silent = args[0] === "-n";
  const { text, stopped } = unescaped((silent ? args.slice(1) : args).join(" "), true);
  await out(text + (silent || stopped ? "" : "\n"));
  return 0;
}

const conversion = /%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?([diouxXcsb%eEfgG])/y;

interface Formatted {
  text: string;
  stopped: boolean;
  faults: string[];
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (flags.includes("0") && /^-?[\da-fA-F.]+$/.test(text)) {
    const sign = text.startsWith("-") ? "-" : "";
    return sign + text.slice(sign.length).padStart(width - sign.length, "0");
  }
  return text.padStart(width);
}

function wholeNumber(word: string, faults: string[]): number {
  if (/^["']/.test(word)) return word.charCodeAt(1) || 0;
  if (word === "") return 0;
  const value = /^-?0[0-7]+$/.test(word) ? Number.parseInt(word, 8) : Number(word);
  if (Number.isInteger(value)) return value;
  faults.push(`printf: ${word}: expected numeric value`);
  return Number.parseInt(word, 10) || 0;
}

/** One pass of the format over the arguments; takes those it uses out of `args`. */
function formatOnce(format: string, args: string[]): Formatted {
  const done: Formatted = { text: "", stopped: false, faults: [] };
  for (let index = 0; index < format.length; ) {
    if (format[index] === "%") {
      conversion.lastIndex = index;
      const match = conversion.exec(format);
      if (match) {
        index += match[0].length;
        const [, flags = "", widthText, precisionText, kind = ""] = match;
        if (kind === "%") {
          done.text += "%";
          continue;
        }
        const width = widthText === "*" ? Number(args.shift() ?? 0) : Number(widthText ?? 0);
        const precision =
          precisionText === undefined ? null : Number(precisionText === "*" ? args.shift() : precisionText);
        const word = args.shift() ?? "";
        let text = word;
        if (kind === "b") {
          const raw = unescaped(word, true);
          done.stopped = raw.stopped;
          text = raw.text;
        } else if (kind === "c") text = word.slice(0, 1);
        else if ("eEfgG".includes(kind)) text = Number(word).toFixed(precision ?? 6);
        else if (kind !== "s") {
          const value = wholeNumber(word, done.faults);
          const base = kind === "o" ? 8 : kind.toLowerCase() === "x" ? 16 : 10;
          text = value.toString(base);
          if (kind === "X") text = text.toUpperCase();
          if (precision !== null) text = text.padStart(precision, "0");
          if (flags.includes("+") && value >= 0) text = `+${text}`;
        }
        if ("sb".includes(kind) && precision !== null) text = text.slice(0, precision);
        done.text += pad(text, "sbc".includes(kind) ? flags.replace("0", "") : flags, width);
        if (done.stopped) return done;
        continue;
      }
    }
    let end = format.indexOf("%", index + 1);
    if (end < 0) end = format.length;
    done.text += unescaped(format.slice(index, end), false).text;
    index = end;
  }
  return done;
}

async function printf({ args, out, err }: Call): Promise<number> {
  const words = args[0] === "--" ? args.slice(1) : [...args];
  const format = words.shift();
  if (format === undefined) {
    await err("sh: 1: printf: usage: printf format [arg ...]\n");
    return 2;
  }
  let status = 0;
  do {
    const before = words.length;
    const { text, stopped, faults } = formatOnce(format, words);
    await out(text);
    for (const fault of faults) {
      status = 1;
      await err(`sh: 1: ${fault}\n`);
    }
    if (stopped || words.length === before) break;
  } while (words.length > 0);
  return status;
}

export const printing = { echo, printf };
