/** A picture in characters: two points in each cell, the upper one in the letter's colour, the lower one behind it. Pure. */
import { type Picture, scaled } from "../../console/picture.ts";

export type Depth = "true" | "256";

/** The nearest colour of the 6×6×6 cube that terminals with 256 colours have at 16. */
function cube(red: number, green: number, blue: number): number {
  const step = (value: number) => (value < 48 ? 0 : value < 115 ? 1 : Math.min(5, Math.floor((value - 35) / 40)));
  return 16 + 36 * step(red) + 6 * step(green) + step(blue);
}

/** Lines for a terminal, `picture` being one point a column and two a line already. */
export function halfBlocks(picture: Picture, depth: Depth): string[] {
  const { width, height, rgb } = picture;
  const colour = (x: number, y: number) => {
    if (y >= height) return depth === "true" ? "2;0;0;0" : "5;16";
    const at = (y * width + x) * 3;
    const [red = 0, green = 0, blue = 0] = rgb.subarray(at, at + 3);
    return depth === "true" ? `2;${red};${green};${blue}` : `5;${cube(red, green, blue)}`;
  };
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    let before = "";
    for (let x = 0; x < width; x += 1) {
      const codes = `38;${colour(x, y)};48;${colour(x, y + 1)}`;
      if (codes !== before) line += `\u001b[${codes}m`;
      before = codes;
      line += "▀";
    }
    lines.push(`${line}\u001b[0m`);
  }
  return lines;
}

/** The same without half blocks, for terminals that only have letters: one point a cell, twice as high as wide. */
export function wholeCells(picture: Picture, depth: Depth): string[] {
  const lines = scaled(picture, picture.width, Math.max(1, Math.ceil(picture.height / 2)));
  const doubled = new Uint8Array(lines.width * lines.height * 6);
  const row = lines.width * 3;
  for (let y = 0; y < lines.height; y += 1) {
    doubled.set(lines.rgb.subarray(y * row, (y + 1) * row), y * 2 * row);
    doubled.set(lines.rgb.subarray(y * row, (y + 1) * row), (y * 2 + 1) * row);
  }
  return halfBlocks({ width: lines.width, height: lines.height * 2, rgb: doubled }, depth).map((line) =>
    line.replaceAll("▀", " "),
  );
}
