/** A picture as the graphics sequences of terminals that have some. Pure, but for PNG's encoder being loaded when needed. */
import { deflateSync } from "node:zlib";
import type { Picture } from "../../console/picture.ts";

export interface Cells {
  columns: number;
  rows: number;
}

/** The number that our picture has in the terminal: sent again it replaces the one before. */
const imageId = 2012;
/** Kitty's protocol takes base64 in pieces of at most so many bytes. */
const pieceSize = 4096;

/** Kitty's graphics protocol: packed points, shown over so many cells; the cursor stays. */
export function kitty({ width, height, rgb }: Picture, { columns, rows }: Cells): string {
  const data = deflateSync(rgb, { level: 1 }).toString("base64");
  const keys = `a=T,f=24,o=z,s=${width},v=${height},i=${imageId},p=1,c=${columns},r=${rows},q=2,C=1`;
  let output = "";
  for (let at = 0; at < data.length; at += pieceSize) {
    const more = at + pieceSize < data.length ? 1 : 0;
    output += `\u001b_G${at === 0 ? `${keys},` : ""}m=${more};${data.slice(at, at + pieceSize)}\u001b\\`;
  }
  return output;
}

/** Takes the picture off the terminal and forgets it there. */
export const kittyRemove = `\u001b_Ga=d,d=I,i=${imageId},q=2\u001b\\`;

/** iTerm2's inline images: a PNG, shown over so many cells. */
export async function iterm({ width, height, rgb }: Picture, { columns, rows }: Cells): Promise<string> {
  const { encode } = await import("fast-png");
  const png = encode({ width, height, data: rgb, channels: 3, depth: 8 }, { zlib: { level: 1 } });
  const keys = `inline=1;size=${png.length};width=${columns};height=${rows};preserveAspectRatio=0`;
  return `\u001b]1337;File=${keys}:${Buffer.from(png).toString("base64")}\u0007`;
}

/** Shades of red, green and blue in sixel's palette: 6×7×6 colours, below the 256 that every sixel terminal has. */
const shades = [6, 7, 6] as const;

/** DEC's sixels: six rows of points in each line of characters, one pass for each colour in it. */
export function sixel({ width, height, rgb }: Picture): string {
  const numbers = new Uint8Array(width * height);
  const used = new Set<number>();
  for (let point = 0; point < numbers.length; point += 1) {
    let number = 0;
    for (const [channel, count] of shades.entries()) {
      number = number * count + Math.round(((rgb[point * 3 + channel] ?? 0) * (count - 1)) / 255);
    }
    numbers[point] = number;
    used.add(number);
  }
  const palette = [...used]
    .sort((a, b) => a - b)
    .map((number) => {
      const blue = number % shades[2];
      const green = Math.floor(number / shades[2]) % shades[1];
      const red = Math.floor(number / (shades[2] * shades[1]));
      const share = (value: number, count: number) => Math.round((value * 100) / (count - 1));
      return `#${number};2;${share(red, shades[0])};${share(green, shades[1])};${share(blue, shades[2])}`;
    });
  const bands: string[] = [];
  for (let top = 0; top < height; top += 6) bands.push(band(numbers, width, height, top));
  // No step down after the last one: at the terminal's foot it would scroll.
  const body = bands.join("-");
  // Raster attributes: points as high as wide, and the size.
  return `\u001bPq"1;1;${width};${height}${palette.join("")}${body}\u001b\\`;
}

function band(numbers: Uint8Array, width: number, height: number, top: number): string {
  const passes = new Map<number, Uint8Array>();
  for (let row = 0; row < 6 && top + row < height; row += 1) {
    for (let x = 0; x < width; x += 1) {
      const number = numbers[(top + row) * width + x] ?? 0;
      let pass = passes.get(number);
      if (!pass) {
        pass = new Uint8Array(width);
        passes.set(number, pass);
      }
      pass[x] = (pass[x] ?? 0) | (1 << row);
    }
  }
  return [...passes].map(([number, pass]) => `#${number}${packed(pass)}`).join("$");
}

/** Sixel characters, equal ones in a row as `!COUNT`. */
function packed(pass: Uint8Array): string {
  let text = "";
  for (let x = 0; x < pass.length; ) {
    let end = x + 1;
    while (end < pass.length && pass[end] === pass[x]) end += 1;
    const letter = String.fromCharCode(63 + (pass[x] ?? 0));
    text += end - x > 3 ? `!${end - x}${letter}` : letter.repeat(end - x);
    x = end;
  }
  return text;
}
