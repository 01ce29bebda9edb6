/** Programs that read text and print some of it. */
import type { Call, Program } from "../machine/machine.ts";
import { grep } from "./grep.ts";
import { attempt, linesOf, options, readAll, sources } from "./input.ts";
import { tail } from "./tail.ts";

async function cat(call: Call): Promise<number> {
  const { words } = options(call.args);
  let status = 0;
  for (const word of words.length > 0 ? words : ["-"]) {
    const { list, bad } = await sources(call, [word]);
    if (bad > 0) status = 1;
    for (const { file } of list) {
      try {
        for (;;) {
          const piece = await call.process.guard(file.read());
          if (piece === null) break;
          await call.out(piece);
        }
      } finally {
        file.close();
      }
    }
  }
  return status;
}

async function head(call: Call): Promise<number> {
  const plain = call.args.map((arg) => arg.replace(/^-(\d+)$/, "-n$1"));
  const { given, words } = options(plain, "n c lines bytes");
  const { list, bad } = await sources(call, words);
  const bytes = given.get("c") ?? given.get("bytes");
  const count = Number(bytes ?? given.get("n") ?? given.get("lines") ?? 10);
  for (const [index, source] of list.entries()) {
    if (list.length > 1) await call.out(`${index > 0 ? "\n" : ""}==> ${source.name} <==\n`);
    if (bytes !== undefined || count < 0) {
      const text = await readAll(call, source);
      if (bytes !== undefined) await call.out(count < 0 ? text.slice(0, count) : text.slice(0, count));
      else
        await call.out(
          linesOf(text)
            .slice(0, count)
            .map((line) => `${line}\n`)
            .join(""),
        );
      continue;
    }
    for (let taken = 0; taken < count; taken += 1) {
      const line = await call.process.guard(source.file.readLine());
      if (!line) break;
      await call.out(line.text + (line.complete ? "\n" : ""));
    }
    source.file.close();
  }
  return bad > 0 ? 1 : 0;
}

async function wc(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const { list, bad } = await sources(call, words);
  const all = !["l", "w", "c", "m"].some((letter) => given.has(letter));
  const rows: { counts: number[]; name: string }[] = [];
  for (const source of list) {
    const text = await readAll(call, source);
    const counts = [
      ["l", text.split("\n").length - 1],
      ["w", text.split(/\s+/).filter(Boolean).length],
      ["c", text.length],
    ] as const;
    const chosen = counts.filter(([letter]) => all || given.has(letter) || (letter === "c" && given.has("m")));
    rows.push({ counts: chosen.map(([, count]) => count), name: source.name === "-" ? "" : source.name });
  }
  if (rows.length > 1) {
    const first = rows[0]?.counts ?? [];
    rows.push({
      counts: first.map((_, column) => rows.reduce((sum, row) => sum + (row.counts[column] ?? 0), 0)),
      name: "total",
    });
  }
  const single = rows.length === 1 && rows[0]?.counts.length === 1;
  const fromInput = rows.some((row) => row.name === "");
  const width = single
    ? 1
    : fromInput
      ? 7
      : Math.max(...rows.flatMap((row) => row.counts.map((count) => String(count).length)));
  for (const { counts, name } of rows) {
    await call.out(`${counts.map((count) => String(count).padStart(width)).join(" ")}${name ? ` ${name}` : ""}\n`);
  }
  return bad > 0 ? 1 : 0;
}

async function gather(call: Call, words: readonly string[]): Promise<{ lines: string[]; bad: number }> {
  const { list, bad } = await sources(call, words);
  const lines: string[] = [];
  for (const source of list) lines.push(...linesOf(await readAll(call, source)));
  return { lines, bad };
}

async function sort(call: Call): Promise<number> {
  const { given, words } = options(call.args, "k t");
  const { lines, bad } = await gather(call, words);
  const field = Number(/^\d+/.exec(given.get("k") ?? "")?.[0] ?? 0);
  const keyOf = (line: string) => (field > 0 ? (line.split(given.get("t") ?? /\s+/)[field - 1] ?? "") : line);
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const numeric = given.has("n") || (given.get("k") ?? "").includes("n");
  const compare = (a: string, b: string) => {
    if (numeric) {
      const difference = (Number.parseFloat(keyOf(a)) || 0) - (Number.parseFloat(keyOf(b)) || 0);
      if (difference !== 0) return difference;
    } else if (given.has("V")) {
      const difference = new Intl.Collator("en", { numeric: true }).compare(keyOf(a), keyOf(b));
      if (difference !== 0) return difference;
    }
    return byText(keyOf(a), keyOf(b)) || byText(a, b);
  };
  lines.sort(compare);
  if (given.has("r")) lines.reverse();
  const kept = given.has("u") ? lines.filter((line, index) => index === 0 || line !== lines[index - 1]) : lines;
  await call.out(kept.map((line) => `${line}\n`).join(""));
  return bad > 0 ? 2 : 0;
}

async function uniq(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const { lines, bad } = await gather(call, words);
  const groups: { line: string; count: number }[] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.line === line) last.count += 1;
    else groups.push({ line, count: 1 });
  }
  const prefix = (count: number) => (given.has("c") ? `${String(count).padStart(7)} ` : "");
  const kept = groups.filter(({ count }) => (given.has("d") ? count > 1 : given.has("u") ? count === 1 : true));
  await call.out(kept.map(({ line, count }) => `${prefix(count)}${line}\n`).join(""));
  return bad > 0 ? 1 : 0;
}

/** Only `sed -n 'A,Bp'` and its likes (`$`, one line, `A,Bd` and `Aq` without -n), and `s` with a plain pattern. */
async function sed(call: Call): Promise<number> {
  const { given, words } = options(call.args, "e");
  const script = given.get("e") ?? words.shift() ?? "";
  const quiet = given.has("n");
  const { lines, bad } = await gather(call, words);
  const substitute = /^s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gp]*)$/.exec(script);
  if (substitute) {
    const [, , pattern = "", replacement = "", flags = ""] = substitute;
    const expression = new RegExp(basic(pattern, given.has("E") || given.has("r")), flags.replace("p", ""));
    const put = replacement
      .replace(/\$/g, "$$$$")
      .replace(/(^|[^\\])&/g, "$1$$&")
      .replace(/\\(\d)/g, "$$$1")
      .replace(/\\(.)/g, "$1");
    const changed = lines.flatMap((line) => {
      const isPrinted = flags.includes("p") && line.search(expression) >= 0;
      const text = `${line.replace(expression, put)}\n`;
      return [...(quiet ? [] : [text]), ...(isPrinted ? [text] : [])];
    });
    await call.out(changed.join(""));
    return bad > 0 ? 2 : 0;
  }
  const match = /^(\d+|\$)(?:,(\d+|\$))?([pdq])$/.exec(script.replace(/\s/g, ""));
  if (!match) {
    await call.err(`sed: -e expression #1, char ${script.length}: unknown command: \`${script}'\n`);
    return 1;
  }
  const at = (word: string | undefined) => (word === "$" ? lines.length : Number(word));
  const [, from, to, what] = match;
  const first = at(from);
  const last = Math.max(first, at(to ?? from));
  const inside = (number: number) => number >= first && number <= last;
  let printed: string[];
  if (what === "q") printed = lines.slice(0, first);
  else if (what === "d") printed = lines.filter((_, index) => !inside(index + 1));
  else printed = lines.flatMap((line, index) => [...(quiet ? [] : [line]), ...(inside(index + 1) ? [line] : [])]);
  await call.out(printed.map((line) => `${line}\n`).join(""));
  return bad > 0 ? 2 : 0;
}

/** A basic (or extended) regular expression as JavaScript has it. */
export function basic(pattern: string, extended: boolean): string {
  const classes = pattern
    .replace(/\[:digit:\]/g, "0-9")
    .replace(/\[:alnum:\]/g, "A-Za-z0-9")
    .replace(/\[:space:\]/g, "\\s");
  if (extended) return classes;
  return classes.replace(
    /\\([(){}|+?])|([(){}|+?])/g,
    (_all, escaped?: string, bare?: string) => escaped ?? `\\${bare}`,
  );
}

async function cut(call: Call): Promise<number> {
  const { given, words } = options(call.args, "d f c b");
  const { lines, bad } = await gather(call, words);
  const wanted = given.get("f") ?? given.get("c") ?? given.get("b") ?? "1";
  const ranges = wanted.split(",").map((range) => {
    const [from = "", to] = range.split("-");
    return { from: Number(from || 1), to: to === undefined ? Number(from) : Number(to || Number.MAX_SAFE_INTEGER) };
  });
  const inside = (position: number) => ranges.some(({ from, to }) => position >= from && position <= to);
  const separator = given.get("d") ?? "\t";
  const output = lines.flatMap((line) => {
    if (!given.has("f")) return [[...line].filter((_, index) => inside(index + 1)).join("")];
    if (!line.includes(separator)) return given.has("s") ? [] : [line];
    return [
      line
        .split(separator)
        .filter((_, index) => inside(index + 1))
        .join(separator),
    ];
  });
  await call.out(output.map((line) => `${line}\n`).join(""));
  return bad > 0 ? 1 : 0;
}

function characterSet(text: string): string {
  const plain = text
    .replace(/\[:upper:\]/g, "A-Z")
    .replace(/\[:lower:\]/g, "a-z")
    .replace(/\[:digit:\]/g, "0-9")
    .replace(/\[:space:\]/g, " \t\n\r\f\v")
    .replace(
      /\\([nrt0\\])/g,
      (_all, letter: string) => ({ n: "\n", r: "\r", t: "\t", "0": "\0", "\\": "\\" })[letter] ?? letter,
    );
  return plain.replace(/([\s\S])-([\s\S])/g, (_all, from: string, to: string) => {
    let range = "";
    for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code += 1) range += String.fromCharCode(code);
    return range;
  });
}

async function tr(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const from = characterSet(words[0] ?? "");
  const to = characterSet(words[1] ?? "");
  const complement = given.has("c");
  const hit = (character: string) => from.includes(character) !== complement;
  const squeezed = given.has("d") ? to : to || from;
  let last = "";
  for (;;) {
    const piece = await call.process.read();
    if (piece === null) return 0;
    let output = "";
    for (const character of piece) {
      if (hit(character) && given.has("d")) continue;
      const index = from.indexOf(character);
      const mapped =
        !hit(character) || to === "" || given.has("d")
          ? character
          : complement
            ? to.slice(-1)
            : (to[index] ?? to.slice(-1));
      const isSqueezed = given.has("s") && mapped === last && squeezed.includes(mapped);
      if (!isSqueezed) output += mapped;
      last = mapped;
    }
    await call.out(output);
  }
}

async function tee(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const how = given.has("a") ? "append" : "write";
  const files = [];
  for (const word of words) {
    const file = await attempt(call, word, () => call.process.open(word, how));
    if (file) files.push(file);
  }
  for (;;) {
    const piece = await call.process.read();
    if (piece === null) break;
    for (const file of files) await file.write(piece);
    await call.out(piece);
  }
  for (const file of files) file.close();
  return files.length === words.length ? 0 : 1;
}

async function seq(call: Call): Promise<number> {
  const numbers = call.args.map(Number);
  const [first = 1, step = 1, last = 1] =
    numbers.length === 1 ? [1, 1, numbers[0]] : numbers.length === 2 ? [numbers[0], 1, numbers[1]] : numbers;
  let text = "";
  for (let value = first; step > 0 ? value <= last : value >= last; value += step) text += `${value}\n`;
  await call.out(text);
  return 0;
}

async function yes(call: Call): Promise<number> {
  for (;;) await call.out(`${call.args.join(" ") || "y"}\n`);
}

export const texts = { cat, head, tail, wc, sort, uniq, grep, sed, cut, tr, tee, seq, yes } satisfies Record<
  string,
  Program
>;
