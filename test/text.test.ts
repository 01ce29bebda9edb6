import { describe, expect, test } from "vitest";
import { age, clock, count, iso, plain, plainLine } from "../source/text.ts";

describe("plain", () => {
  test.each([
    ["colours", "\u001b[1;31mred\u001b[0m", "red"],
    ["cursor moves", "a\u001b[2Jb\u001b[10;5Hc", "abc"],
    ["a title, ended by bell", "a\u001b]0;title\u0007b", "ab"],
    ["a title, ended by ST", "a\u001b]0;title\u001b\\b", "ab"],
    ["a clipboard write that never ends", "a\u001b]52;c;AAAA", "a"],
    ["a device control string", "a\u001bPq#0\u001b\\b", "ab"],
    ["8-bit sequences", "a\u009b31mb\u009d0;t\u009cc", "abc"],
    ["charset switches", "a\u001b(0b", "ab"],
    ["a lone escape", "a\u001b", "a"],
    ["backspace, bell, NUL, DEL", "a\u0008b\u0007c\u0000d\u007fe", "abcde"],
    ["a carriage return that would overwrite", "safe\rEVIL", "safeEVIL"],
    ["bidirectional overrides", "a\u202eb\u2066c\u200f", "abc"],
  ])("takes out %s", (_name, dirty, clean) => {
    expect(plain(dirty)).toBe(clean);
  });

  test("keeps text, newlines and the blanks of tabs", () => {
    expect(plain("é 漢\r\n\tx\ny")).toBe("é 漢\n x\ny");
    expect(plainLine("a\nb")).toBe("a b");
  });

  test("what it gives has nothing left to take out", () => {
    const parts = ["\u001b", "[", "]", "0", "m", "\u0007", "\\", "\u009b", "P", "a", ";", "\n"];
    for (let n = 0; n < 2000; n += 1) {
      const text = Array.from({ length: 8 }, (_one, at) => parts[(n * (at * 7 + 3) + at * at) % parts.length]).join("");
      const once = plain(text);
      expect(once).not.toMatch(/[\u001b\u0080-\u009f]/);
      expect(plain(once)).toBe(once);
    }
  });
});

test("times and counts as people read them", () => {
  expect([clock(5), clock(125), clock(3723), clock(-4)]).toEqual(["0:05", "2:05", "1:02:03", "0:00"]);
  expect([age(4), age(725), age(10_900), age(200_000)]).toEqual(["4 s", "12 min", "3 h", "2 d"]);
  expect([count(1, "node"), count(4, "node"), count(2, "entry", "entries")]).toEqual([
    "1 node",
    "4 nodes",
    "2 entries",
  ]);
  expect([iso(0), iso(null)]).toEqual(["1970-01-01T00:00:00Z", null]);
});
