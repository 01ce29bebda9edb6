import { expect, test } from "vitest";
import { edit, emptyLine, type Line, lineOf } from "../../source/ui/editor.ts";
import { KeyDecoder } from "../../source/ui/input.ts";
import { randomOf } from "../random.ts";

/** The line after these bytes; `|` shows the cursor. */
function typed(bytes: string, start: Line = emptyLine): string {
  const line = new KeyDecoder().feed(bytes).reduce((before, key) => edit(before, key) ?? before, start);
  return `${line.text.slice(0, line.cursor)}|${line.text.slice(line.cursor)}`;
}

test("types, moves and deletes by characters, not by code units", () => {
  expect(typed("né😀")).toBe("né😀|");
  expect(typed("a😀b\x1b[D\x1b[D\x7f")).toBe("|😀b");
  expect(typed("a😀b\x1b[D\x1b[D\x1b[3~")).toBe("a|b");
  expect(typed("\x1b[D\x7f\x1b[3~x\x1b[C")).toBe("x|");
});

test("knows the keys of a shell's line", () => {
  expect(typed("one two\x01>")).toBe(">|one two");
  expect(typed("one two\x01\x05<")).toBe("one two<|");
  expect(typed("one two\x17")).toBe("one |");
  expect(typed("one two \x17\x17")).toBe("|");
  expect(typed("one two\x1b[D\x1b[D\x0b")).toBe("one t|");
  expect(typed("one two\x1b[D\x1b[D\x15")).toBe("|wo");
});

test("a pasted text becomes one line without control characters", () => {
  expect(typed("\x1b[200~two\r\nlines\t\x07end\x1b[201~")).toBe("two lines end|");
});

test("says which keys mean nothing to it", () => {
  for (const bytes of ["\r", "\t", "\x03", "\x1b[A", "\x1bx"]) {
    for (const key of new KeyDecoder().feed(bytes)) expect(edit(lineOf("x"), key), bytes).toBeNull();
  }
});

test("the cursor never stands inside a character", () => {
  const keys = ["a", "é", "😀", "\x1b[D", "\x1b[C", "\x7f", "\x1b[3~", "\x01", "\x05", "\x17", " "];
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = randomOf(seed);
    const decoder = new KeyDecoder();
    let line = emptyLine;
    for (let step = 0; step < 30; step += 1) {
      for (const key of decoder.feed(random.pick(keys))) line = edit(line, key) ?? line;
      expect(line.cursor).toBeGreaterThanOrEqual(0);
      expect(line.cursor).toBeLessThanOrEqual(line.text.length);
      expect(line.text.slice(0, line.cursor)).not.toMatch(/[\ud800-\udbff]$/);
    }
  }
});
