import { afterEach, expect, test, vi } from "vitest";
import { bar, cell, colourAllowed, state, symbol, unicodeAllowed, widthOf } from "../../source/ui/theme.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

const bare = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");

test("a cell has exactly its width, whatever is in it", () => {
  const texts = [
    "",
    "web1",
    "a-rather-long-name.lab.example.org",
    "ü-größe",
    "名前がとても長い",
    "😀😀😀",
    "e\u0301e\u0301e\u0301e\u0301",
  ];
  for (const text of texts) {
    for (const width of [1, 2, 3, 5, 8, 40]) {
      expect(widthOf(cell(text, width)), `${text} in ${width}`).toBe(width);
      expect(widthOf(cell(text, width, "right")), `${text} in ${width}`).toBe(width);
    }
  }
  expect(cell("web1", 0)).toBe("");
  expect(cell("web1", 6)).toBe("web1  ");
  expect(cell("web1", 6, "right")).toBe("  web1");
  expect(cell("webserver", 6)).toBe("webse…");
});

test("every state is a symbol and a word", () => {
  expect(bare(state("good", "running"))).toBe("● running");
  expect(
    new Set(["good", "idle", "busy", "bad", "unknown", "paused", "warning"].map((tone) => symbol(tone as "good"))).size,
  ).toBe(7);
});

test("a bar fills as its share does and keeps its width", () => {
  for (const share of [0, 0.01, 0.5, 0.99, 1, 2]) expect(widthOf(bare(bar(share, 20)))).toBe(20);
  expect(bare(bar(0.5, 4))).toBe("━╸──");
});

test("colours follow NO_COLOR, FORCE_COLOR=0 and dumb terminals", () => {
  expect(colourAllowed({ TERM: "xterm" })).toBe(true);
  expect(colourAllowed({ TERM: "xterm", NO_COLOR: "1" })).toBe(false);
  // no-color.org: only a value that is not empty counts.
  expect(colourAllowed({ TERM: "xterm", NO_COLOR: "" })).toBe(true);
  expect(colourAllowed({ TERM: "dumb" })).toBe(false);
  expect(colourAllowed({ TERM: "xterm", FORCE_COLOR: "0" })).toBe(false);
});

test("terminals without UTF-8 get the ASCII twins", async () => {
  expect(unicodeAllowed({ TERM: "xterm", LANG: "de_DE.UTF-8" })).toBe(true);
  expect(unicodeAllowed({ TERM: "xterm", LANG: "C.UTF-8", LC_ALL: "C" })).toBe(false);
  expect(unicodeAllowed({ TERM: "linux", LANG: "C.UTF-8" })).toBe(false);
  vi.stubEnv("LC_ALL", "C");
  vi.stubEnv("NO_COLOR", "1");
  vi.resetModules();
  const plain = await import("../../source/ui/theme.ts");
  expect(plain.state("good", "running")).toBe("* running");
  expect(plain.cell("webserver", 6)).toBe("webse~");
});
