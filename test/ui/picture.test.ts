import { inflateSync } from "node:zlib";
import { decode } from "fast-png";
import { expect, test } from "vitest";
import type { Picture } from "../../source/console/picture.ts";
import { iterm, kitty, sixel } from "../../source/ui/picture/graphics.ts";
import { halfBlocks, wholeCells } from "../../source/ui/picture/half-blocks.ts";
import { graphicsOf, isAnswered } from "../../source/ui/picture/support.ts";
import { randomOf } from "../random.ts";

const [red, blue, white] = [
  [255, 0, 0],
  [0, 0, 255],
  [255, 255, 255],
];
/** Red over blue, then white over white twice. */
const picture: Picture = { width: 3, height: 2, rgb: Uint8Array.from([red, white, white, blue, white, white].flat()) };

test("half blocks: the upper point in the letter's colour, the lower one behind it, equal ones once", () => {
  expect(halfBlocks(picture, "true")).toEqual([
    "\u001b[38;2;255;0;0;48;2;0;0;255m▀\u001b[38;2;255;255;255;48;2;255;255;255m▀▀\u001b[0m",
  ]);
  expect(halfBlocks(picture, "256")).toEqual(["\u001b[38;5;196;48;5;21m▀\u001b[38;5;231;48;5;231m▀▀\u001b[0m"]);
  // A last row that is alone has darkness under it.
  expect(halfBlocks({ ...picture, height: 1, rgb: picture.rgb.subarray(0, 9) }, "256")[0]).toContain(
    "38;5;196;48;5;16",
  );
});

test("without half blocks a cell has one colour", () => {
  expect(wholeCells(picture, "true")[0]?.replace(/\u001b\[[\d;]*m/g, "")).toBe("   ");
  expect(wholeCells(picture, "true")[0]).toContain("48;2;127;0;127");
});

test("kitty: the points come back out of its pieces, none longer than it takes", () => {
  const { below } = randomOf(2012);
  const noise: Picture = {
    width: 100,
    height: 60,
    rgb: Uint8Array.from({ length: 18_000 }, () => below(256)),
  };
  const text = kitty(noise, { columns: 40, rows: 12 });
  const pieces = [...text.matchAll(/\u001b_G([^;]*);([^\u001b]*)\u001b\\/g)];
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces[0]?.[1]).toMatch(/a=T,f=24,o=z,s=100,v=60,.*c=40,r=12,q=2,C=1,m=1/);
  expect(pieces.slice(1).map(([, keys]) => keys)).toEqual([...Array(pieces.length - 2).fill("m=1"), "m=0"]);
  for (const [, , data = ""] of pieces) expect(data.length).toBeLessThanOrEqual(4096);
  const data = Buffer.from(pieces.map(([, , part]) => part).join(""), "base64");
  expect(Uint8Array.from(inflateSync(data))).toEqual(noise.rgb);
});

test("iTerm2: a PNG of the picture over so many cells", async () => {
  const text = await iterm(picture, { columns: 10, rows: 4 });
  const [, data = ""] =
    /^\u001b\]1337;File=inline=1;size=\d+;width=10;height=4;preserveAspectRatio=0:(.*)\u0007$/.exec(text) ?? [];
  expect(Uint8Array.from(decode(Buffer.from(data, "base64")).data)).toEqual(picture.rgb);
});

test("sixel: size, palette in percent, each colour's points in its own pass", () => {
  const tall: Picture = { width: 5, height: 7, rgb: Uint8Array.from(Array(35).fill(red).flat()) };
  tall.rgb.set(blue ?? [], 0);
  // Red is 5·42, blue 5. One blue point above 34 red ones, in two bands of six rows and one.
  expect(sixel(tall)).toBe('\u001bPq"1;1;5;7#5;2;0;0;100#210;2;100;0;0#5@!4?$#210}!4~-#210!5@-\u001b\\');
});

test("takes the terminal at its word, and nothing for granted", () => {
  const env = { COLORTERM: "truecolor" };
  const da1 = "\u001b[?62;22c";
  expect(graphicsOf(`\u001b_Gi=31;OK\u001b\\${da1}`, env)).toEqual({ kind: "kitty" });
  expect(graphicsOf(`\u001b_Gi=31;ENOTSUPPORTED\u001b\\${da1}`, env)).toEqual({ kind: "blocks", depth: "true" });
  expect(graphicsOf("\u001b[6;20;10t\u001b[?62;4;22c", env)).toEqual({
    kind: "sixel",
    cell: { width: 10, height: 20 },
  });
  // Sixel without the size of a cell can't be fitted; 14 and 24 are not 4.
  expect(graphicsOf("\u001b[?62;4c", env).kind).toBe("blocks");
  expect(graphicsOf("\u001b[6;20;10t\u001b[?62;14;24c", env).kind).toBe("blocks");
  expect(graphicsOf(da1, { ...env, TERM_PROGRAM: "iTerm.app" })).toEqual({ kind: "iterm" });
  expect(graphicsOf(da1, { ...env, TERM_PROGRAM: "iTerm.app", TMUX: "/tmp/x" }).kind).toBe("blocks");
  expect(graphicsOf("", {})).toEqual({ kind: "blocks", depth: "256" });
  expect([isAnswered("\u001b_Gi=31;OK\u001b\\"), isAnswered(da1)]).toEqual([false, true]);
});
