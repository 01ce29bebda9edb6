import { expect, test } from "vitest";
import { KeyDecoder } from "../../source/ui/input.ts";
import { randomOf } from "../random.ts";

const names = (chunks: readonly string[]) => {
  const decoder = new KeyDecoder();
  return chunks.flatMap((chunk) => decoder.feed(chunk)).map(({ name }) => name);
};

test("names keys as people do", () => {
  expect(names(["aA \r\t\x7f\x03\x1a\0é😀"])).toEqual([
    "a",
    "A",
    "space",
    "enter",
    "tab",
    "backspace",
    "ctrl+c",
    "ctrl+z",
    "ctrl+space",
    "é",
    "😀",
  ]);
  expect(names(["\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[Z\x1b[1;5C\x1bOP\x1bx"])).toEqual([
    "up",
    "down",
    "pgup",
    "pgdn",
    "home",
    "end",
    "shift+tab",
    "ctrl+right",
    "f1",
    "alt+x",
  ]);
  expect(names(["\x1b[97;5u"])).toEqual(["unknown"]);
});

test("writes what was typed or pasted, and nothing for other keys", () => {
  const texts = new KeyDecoder().feed("x \x1b[A\x1b[200~two\rlines\x1b[A\x1b[201~\r").map(({ text }) => text);
  expect(texts).toEqual(["x", " ", null, "two\rlines\x1b[A", null]);
});

test("a paste never becomes keys, wherever its marks are cut", () => {
  const whole = "a\x1b[200~q\x1b[201x\r\x1b[201~b";
  for (let first = 1; first < whole.length - 1; first += 1) {
    for (let second = first + 1; second < whole.length; second += 1) {
      const decoder = new KeyDecoder();
      const chunks = [whole.slice(0, first), whole.slice(first, second), whole.slice(second)];
      const events = chunks.flatMap((chunk) => decoder.feed(chunk));
      expect(events.map(({ name, text }) => [name, text])).toEqual([
        ["a", "a"],
        ["paste", "q\x1b[201x\r"],
        ["b", "b"],
      ]);
    }
  }
});

test("an escape that nothing follows is Esc only when its time is over", () => {
  const decoder = new KeyDecoder();
  expect(decoder.feed("\x1b")).toEqual([]);
  expect(decoder.pending).toBe(true);
  expect(decoder.timeout().map(({ name }) => name)).toEqual(["esc"]);
  expect(decoder.pending).toBe(false);
  expect(decoder.timeout()).toEqual([]);
  // A sequence that began and did not end: Esc, and what was typed after it.
  decoder.feed("\x1b[");
  expect(decoder.timeout().map(({ name }) => name)).toEqual(["esc", "["]);
  expect(names(["\x1b\x1b[A"])).toEqual(["esc", "up"]);
});

test("a pause in the middle of a paste loses nothing of it", () => {
  const decoder = new KeyDecoder();
  expect(decoder.feed("\x1b[200~one")).toEqual([]);
  expect(decoder.pending).toBe(false);
  expect(decoder.timeout()).toEqual([]);
  expect(decoder.feed(" two\x1b[201~").map(({ text }) => text)).toEqual(["one two"]);
});

test("any way of cutting the same bytes gives the same keys", () => {
  const parts = [
    "a",
    "Z",
    " ",
    "\r",
    "é",
    "😀",
    "\x03",
    "\x7f",
    "\x1b[A",
    "\x1bOB",
    "\x1b[5~",
    "\x1b[1;5D",
    "\x1bx",
    "\x1b\x1b[C",
    "\x1b[200~p\x1b[Aq\x1b[201~",
  ];
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomOf(seed);
    const characters = [...Array.from({ length: 1 + random.below(12) }, () => random.pick(parts)).join("")];
    const chunks: string[] = [];
    while (characters.length > 0) chunks.push(characters.splice(0, 1 + random.below(6)).join(""));
    const whole = new KeyDecoder();
    const cut = new KeyDecoder();
    const events = chunks.flatMap((chunk) => cut.feed(chunk));
    expect([...events, ...cut.timeout()], JSON.stringify(chunks)).toEqual([
      ...whole.feed(chunks.join("")),
      ...whole.timeout(),
    ]);
  }
});

test("what a terminal says of itself is no key, whole or in pieces; the letters in it mean nothing", () => {
  const names = (...chunks: string[]) => {
    const decoder = new KeyDecoder();
    return chunks
      .flatMap((chunk) => decoder.feed(chunk))
      .concat(decoder.timeout())
      .map(({ name }) => name);
  };
  const late = "\u001b_Gi=31;EINVAL: no quota\u001b\\\u001bP>|XTerm(379)\u001b\\\u001b[6;20;10t\u001b[?62;22c";
  expect(names(`${late}q`)).toEqual(["unknown", "unknown", "unknown", "unknown", "q"]);
  expect(names(late.slice(0, 14), `${late.slice(14)}o`)).toEqual(["unknown", "unknown", "unknown", "unknown", "o"]);
  expect(names("\u001b]11;rgb:0000/0000/0000\u0007x")).toEqual(["unknown", "x"]);
  expect(names("\u001b_Gi=31;OK")).toEqual(["unknown"]);
  // With the Alt key down these are still keys.
  expect(names("\u001bP", "a")).toEqual(["alt+P", "a"]);
  expect(names("\u001b]")).toEqual(["alt+]"]);
});
