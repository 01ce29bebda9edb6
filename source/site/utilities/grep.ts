/** grep: lines that match. */
import type { Call } from "../machine/machine.ts";
import { linesOf, options, readAll, sources } from "./input.ts";
import { basic } from "./text.ts";

function expression(patterns: readonly string[], given: ReadonlyMap<string, string>): RegExp {
  const each = patterns.map((pattern) =>
    given.has("F") ? pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : basic(pattern, given.has("E")),
  );
  let source = `(?:${each.join("|")})`;
  if (given.has("x")) source = `^${source}$`;
  else if (given.has("w")) source = `(?<!\\w)${source}(?!\\w)`;
  return new RegExp(source, given.has("i") ? "i" : "");
}

export async function grep(call: Call): Promise<number> {
  const { given, words } = options(call.args, "e f m A B C");
  const pattern = given.get("e") ?? words.shift();
  if (pattern === undefined) {
    await call.err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
    return 2;
  }
  const wanted = expression(pattern.split("\n"), given);
  const limit = given.has("m") ? Number(given.get("m")) : Number.POSITIVE_INFINITY;
  const silent = given.has("s") ? { ...call, err: async () => {} } : call;
  const { list, bad } = await sources(silent, words);
  const named = (list.length > 1 || given.has("H")) && !given.has("h");
  let found = false;
  for (const source of list) {
    const shown = source.name === "-" ? "(standard input)" : source.name;
    let count = 0;
    const lines = linesOf(await readAll(call, source));
    for (const [index, line] of lines.entries()) {
      if (wanted.test(line) === given.has("v")) continue;
      count += 1;
      found = true;
      if (given.has("q")) return 0;
      if (!given.has("c") && !given.has("l")) {
        const text = given.has("o") ? (wanted.exec(line)?.[0] ?? "") : line;
        await call.out(`${named ? `${shown}:` : ""}${given.has("n") ? `${index + 1}:` : ""}${text}\n`);
      }
      if (count >= limit) break;
    }
    if (given.has("c")) await call.out(`${named ? `${shown}:` : ""}${count}\n`);
    if (given.has("l") && count > 0) await call.out(`${shown}\n`);
  }
  return bad > 0 ? 2 : found ? 0 : 1;
}
