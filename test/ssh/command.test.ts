import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { quote, sh } from "../../source/ssh/command.ts";

const run = (line: string) => execFileSync("/bin/sh", ["-c", line], { encoding: "utf8" });

const hard = [
  "",
  " ",
  "a b",
  "it's",
  "'",
  "''",
  '"',
  "$HOME `id` $(id)",
  "\\",
  "\\'",
  "a\nb",
  "\t",
  "*?[a-z]",
  "~root",
  "#no comment",
  "a=b",
  "-n",
  "--",
  "!x",
  "{a,b}",
  "; rm -rf /",
  "é ü 漢 🙂",
  "\u001b[31m",
];

/** Words from a fixed sequence, so that a failure can be repeated. */
function* randomWords(total: number): Generator<string> {
  const alphabet = [..."ab '\"\\$`*?~#;&|<>()[]{}!=\n\té"];
  let state = 12_345;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  for (let n = 0; n < total; n += 1) {
    yield Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join("");
  }
}

test("a real shell reads every word back unchanged", () => {
  const words = [...hard, ...randomWords(300)];
  expect(run(sh`printf '%s\\0' ${words}`.line).split("\0").slice(0, -1)).toEqual(words);
});

test("a word can't become an assignment in front of a command", () => {
  expect(quote("PATH=/evil")).toBe("'PATH=/evil'");
});

test("keeps plain words bare, and inserts numbers, lists and commands", () => {
  const inner = sh`ls ${["a", "b c"]}`;
  expect(sh`cd ${"/tmp/x"} && ${inner} | head -n ${3}`.line).toBe("cd /tmp/x && ls a 'b c' | head -n 3");
});

test("refuses what no command line can carry", () => {
  expect(() => sh`echo ${"a\0b"}`).toThrow(RangeError);
});
