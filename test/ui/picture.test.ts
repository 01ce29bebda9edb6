import { spawnSync } from "node:child_process";
import { inflateSync } from "node:zlib";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import type { Picture } from "../../source/console/picture.ts";
import { iterm, kitty, sixel } from "../../source/ui/picture/graphics.ts";
import { halfBlocks, wholeCells } from "../../source/ui/picture/half-blocks.ts";
import { graphicsOf, isAnswered, questionFor } from "../../source/ui/picture/support.ts";
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
  expect(sixel(tall)).toBe('\u001bPq"1;1;5;7#5;2;0;0;100#210;2;100;0;0#5@!4?$#210}!4~-#210!5@\u001b\\');
});

/** What a terminal makes of sixels, written after DEC's manual (VT330/340, chapter 14) and not after our encoder. */
function unsixel(text: string): { width: number; height: number; points: (readonly number[] | null)[] } {
  const [, body = ""] = /^\u001bPq([\s\S]*)\u001b\\$/.exec(text) ?? [];
  const palette = new Map<number, readonly number[]>();
  let [x, y, colour, width, height] = [0, 0, 0, 0, 0];
  let points: (readonly number[] | null)[] = [];
  const put = (bits: number, count: number) => {
    for (let n = 0; n < count; n += 1, x += 1) {
      for (let bit = 0; bit < 6; bit += 1)
        if (bits & (1 << bit)) points[(y + bit) * width + x] = palette.get(colour) ?? null;
    }
  };
  const token = /"(\d+);(\d+);(\d+);(\d+)|#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|(\$)|(-)/y;
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const found = token.exec(body);
    if (!found) throw new Error(`no sixel at ${at}: ${body.slice(at, at + 20)}`);
    const [, , , columns, rows, number, red, green, blue, count, repeated, once, start, next] = found;
    if (columns) {
      [width, height] = [Number(columns), Number(rows)];
      points = Array.from({ length: width * height }, () => null);
    } else if (number !== undefined) {
      colour = Number(number);
      if (red !== undefined)
        palette.set(
          colour,
          [red, green, blue].map((share) => Math.round((Number(share) * 255) / 100)),
        );
    } else if (count) put((repeated?.charCodeAt(0) ?? 63) - 63, Number(count));
    else if (once) put(once.charCodeAt(0) - 63, 1);
    else if (start) x = 0;
    else if (next) [x, y] = [0, y + 6];
  }
  return { width, height, points };
}

test("sixel: a decoder of its own finds every point, in the nearest shade and nowhere else", () => {
  const { below } = randomOf(6);
  const noise: Picture = { width: 37, height: 20, rgb: Uint8Array.from({ length: 37 * 20 * 3 }, () => below(256)) };
  // A stretch of one colour, for the repeats.
  noise.rgb.fill(255, 37 * 3 * 9, 37 * 3 * 11);
  const { width, height, points } = unsixel(sixel(noise));
  expect([width, height, points.length]).toEqual([37, 20, 37 * 20]);
  points.forEach((point, index) => {
    // Half a step of the palette, and the rounding of percents.
    for (const channel of [0, 1, 2]) {
      expect(Math.abs((point?.[channel] ?? -999) - (noise.rgb[index * 3 + channel] ?? 0))).toBeLessThanOrEqual(28);
    }
  });
});

/** Where a tool that knows sixels is installed: ImageMagick's `convert`, or libsixel's. */
const decoders: readonly [string, readonly string[]][] = [
  ["sixel2png", []],
  ["convert", ["six:-", "png:-"]],
];
const decoder = decoders.find(([program]) => spawnSync(program, ["--version"]).status === 0);

test.skipIf(!decoder)("sixel: another program decodes it to the same picture", () => {
  const [program = "", args = []] = decoder ?? [];
  const tall: Picture = { width: 12, height: 13, rgb: Uint8Array.from(Array(156).fill(red).flat()) };
  tall.rgb.set(blue ?? [], 0);
  const { stdout } = spawnSync(program, [...args], { input: sixel(tall) });
  const { width, height, data, channels, palette } = decode(stdout);
  expect([width, height]).toEqual([12, 13]);
  const at = (x: number, y: number) => {
    const first = (y * width + x) * channels;
    return palette ? palette[data[first] ?? 0]?.slice(0, 3) : [...data.slice(first, first + 3)];
  };
  expect([at(0, 0), at(1, 0), at(11, 12)]).toEqual([blue, red, red]);
});

test("iTerm2: a whole PNG, whose length is told", async () => {
  const text = await iterm(picture, { columns: 10, rows: 4 });
  const [, size, data = ""] = /^\u001b\]1337;File=inline=1;size=(\d+);[^:]*:([A-Za-z0-9+/]+=*)\u0007$/.exec(text) ?? [];
  const png = Buffer.from(data, "base64");
  expect(png.length).toBe(Number(size));
  expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
  expect(png.subarray(12, 16).toString()).toBe("IHDR");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([picture.width, picture.height]);
  expect(png.subarray(-8, -4).toString()).toBe("IEND");
});

test("kitty: pieces but the last are whole base64 groups, and a small picture is one piece", () => {
  const { below } = randomOf(1);
  const noise: Picture = { width: 90, height: 60, rgb: Uint8Array.from({ length: 90 * 60 * 3 }, () => below(256)) };
  const pieces = [...kitty(noise, { columns: 4, rows: 2 }).matchAll(/\u001b_G[^;]*;([^\u001b]*)\u001b\\/g)];
  for (const [, data = ""] of pieces.slice(0, -1)) expect(data.length % 4).toBe(0);
  const small = kitty(picture, { columns: 4, rows: 2 });
  expect(small.match(/\u001b_G/g)).toHaveLength(1);
  expect(small).toContain(",m=0;");
});

describe("what the terminal can show", () => {
  const env = { TERM: "xterm-256color", COLORTERM: "truecolor" };
  const da1 = "\u001b[?62;22c";
  const kittys = `\u001b_Gi=31;OK\u001b\\${da1}`;
  const iterms = `\u001bP>|iTerm2 3.5.0\u001b\\${da1}`;

  test("is taken from its own words", () => {
    expect(graphicsOf(kittys, env)).toEqual({ kind: "kitty" });
    expect(graphicsOf(iterms, env)).toEqual({ kind: "iterm" });
    expect(graphicsOf("\u001b[6;20;10t\u001b[?62;4;22c", env)).toEqual({
      kind: "sixel",
      cell: { width: 10, height: 20 },
    });
    expect([isAnswered("\u001b_Gi=31;OK\u001b\\"), isAnswered(da1)]).toEqual([false, true]);
  });

  test.each<[string, string, NodeJS.ProcessEnv]>([
    ["no answer at all", "", env],
    ["kitty's way refused", `\u001b_Gi=31;ENOTSUPPORTED\u001b\\${da1}`, env],
    ["sixel without the size of a cell, which can't be fitted", "\u001b[?62;4c", env],
    ["14 and 24 are not 4", "\u001b[6;20;10t\u001b[?62;14;24c", env],
    ["iTerm2 by a variable alone, which ssh hands on", da1, { ...env, LC_TERMINAL: "iTerm2" }],
    ["kitty around tmux", kittys, { ...env, TMUX: "/tmp/x" }],
    ["iTerm2 around screen", iterms, { ...env, STY: "1.x" }],
    ["iTerm2 around a tmux that ssh was started in", iterms, { ...env, TERM: "tmux-256color" }],
  ])("is blocks of colour: %s", (_why, answer, own) => {
    expect(graphicsOf(answer, own)).toEqual({ kind: "blocks", depth: "true" });
  });

  test.each<[string | undefined, NodeJS.ProcessEnv, RegExp]>([
    ["xterm-256color", {}, /^\u001b_G.*\u001b\\\u001b\[>q\u001b\[16t\u001b\[c$/],
    // tmux would take it for a title, screen hand it on, the console of Linux print it.
    ["tmux-256color", {}, /^\u001b\[>q\u001b\[16t\u001b\[c$/],
    ["xterm-256color", { STY: "1.x" }, /^\u001b\[>q\u001b\[16t\u001b\[c$/],
    ["linux", {}, /^\u001b\[c$/],
    ["dumb", {}, /^$/],
    [undefined, {}, /^$/],
  ])("is asked of %s %j by what it swallows", (term, own, question) => {
    expect(questionFor({ ...own, ...(term === undefined ? {} : { TERM: term }) })).toMatch(question);
  });
});
