import stringWidth from "string-width";
import { expect, test } from "vitest";
// Ink's own way, which the bundle replaces for most frames.
import InkOutput from "../../node_modules/ink/build/output.js";
import { type Operation, quickOutput } from "../../source/ui/quick-output.ts";
import width from "../../source/ui/width.ts";
import { randomOf } from "../random.ts";

const styles = /\u001b\[[\d;]*m/g;
const trimmed = (frame: string) =>
  frame
    .replace(styles, "")
    .split("\n")
    .map((line) => line.trimEnd());

function inkOutput(operations: readonly Operation[], columns: number, rows: number): string {
  const output = new InkOutput({ width: columns, height: rows });
  for (const operation of operations) {
    if (operation.type === "clip") output.clip(operation.clip as Parameters<typeof output.clip>[0]);
    else if (operation.type === "unclip") output.unclip();
    else output.write(operation.x, operation.y, operation.text, { transformers: [...operation.transformers] });
  }
  return output.get().output;
}

const write = (x: number, y: number, text: string): Operation => ({ type: "write", x, y, text, transformers: [] });

test("joins what stands side by side and keeps its colours", () => {
  const frame = quickOutput(
    [write(3, 1, "\u001b[31mred\u001b[39m"), write(0, 1, "│"), write(8, 1, "│"), write(0, 0, "┌")],
    3,
  );
  expect(frame).toBe("┌\n│  \u001b[31mred\u001b[39m  │\n");
});

test("leaves to Ink what lies over something else, or is cut on its side", () => {
  expect(quickOutput([write(0, 0, "below"), write(2, 0, "over")], 1)).toBeNull();
  const clip: Operation = { type: "clip", clip: { x1: 0, x2: 4, y1: 0, y2: 2 } };
  expect(quickOutput([clip, write(0, 0, "too long")], 1)).toBeNull();
});

test("takes on a frame as Ink writes it: its sides end with an empty line on its lower edge", () => {
  const frame = [write(0, 0, "╭──╮"), write(0, 1, "│\n"), write(3, 1, "│\n"), write(0, 2, "╰──╯"), write(1, 1, "in")];
  expect(quickOutput(frame, 3)).toBe("╭──╮\n│in│\n╰──╯");
});

test("draws what Ink draws, for any boxes that it takes on", () => {
  const texts = [
    "web1",
    "● running",
    "\u001b[1mbold\u001b[22m rest",
    "名前",
    "one\ntwo\nthree",
    " ",
    "x".repeat(12),
    "😀!",
  ];
  let quick = 0;
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = randomOf(seed);
    const operations: Operation[] = [];
    for (let box = random.below(8); box >= 0; box -= 1) {
      const clipped = random.below(3) === 0;
      if (clipped) {
        const [x1, y1] = [random.below(10), random.below(4)];
        const sideways = random.below(2) === 0 ? { x1, x2: x1 + 5 + random.below(30) } : {};
        operations.push({ type: "clip", clip: { ...sideways, y1, y2: y1 + random.below(6) } });
      }
      const transformers = random.below(3) === 0 ? [(line: string) => `\u001b[2m${line}\u001b[22m`] : [];
      operations.push({
        ...(write(random.below(40), random.below(8), random.pick(texts)) as Operation & { type: "write" }),
        transformers,
      });
      if (clipped) operations.push({ type: "unclip" });
    }
    const frame = quickOutput(operations, 8);
    if (frame === null) continue;
    quick += 1;
    expect(trimmed(frame), `seed ${seed}`).toEqual(trimmed(inkOutput(operations, 60, 8)));
  }
  // Otherwise nothing was tested.
  expect(quick).toBeGreaterThan(100);
});

test("counts columns as string-width does, character by character and in any company", () => {
  const all: string[] = [];
  for (let code = 0x20; code < 0x3100; code += 1) all.push(String.fromCharCode(code));
  for (const character of all)
    expect(width(character), character.codePointAt(0)?.toString(16)).toBe(stringWidth(character));
  const company = [
    ...all.filter((_, index) => index % 7 === 0),
    "\u0301",
    "\u200d",
    "\ufe0f",
    "😀",
    "❯",
    "●",
    "⚠",
    "\u001b[31m",
  ];
  for (let seed = 1; seed <= 2000; seed += 1) {
    const random = randomOf(seed);
    const text = Array.from({ length: 1 + random.below(5) }, () => random.pick(company)).join("");
    expect(width(text), JSON.stringify(text)).toBe(stringWidth(text));
  }
});
