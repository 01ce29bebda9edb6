/** One picture as what is written to the terminal, fitted into an area of cells. */
import { fitted, type Picture, scaled } from "../../console/picture.ts";
import { unicodeAllowed } from "../theme.ts";
import { type Cells, iterm, kitty, sixel } from "./graphics.ts";
import { halfBlocks, wholeCells } from "./half-blocks.ts";
import type { Graphics } from "./support.ts";

/** A cell is about twice as high as wide where the terminal does not say. */
const cellShape = { width: 1, height: 2 };
/** More points than this are not sent: nobody sees them in a terminal. */
const mostPoints = { width: 1600, height: 1200 };

/** The picture from the upper left corner on, in at most `area`; the cursor may be left anywhere. */
export async function pictureText(picture: Picture, area: Cells, graphics: Graphics): Promise<string> {
  const shape = graphics.kind === "sixel" ? graphics.cell : cellShape;
  const most = { width: area.columns * shape.width, height: area.rows * shape.height };
  const size = fitted(picture, most);
  if (graphics.kind === "blocks") {
    const small = scaled(picture, size.width, size.height);
    const draw = unicodeAllowed(process.env) ? halfBlocks : wholeCells;
    return draw(small, graphics.depth)
      .map((line, index) => `\u001b[${index + 1};1H${line}\u001b[K`)
      .join("");
  }
  if (graphics.kind === "sixel") return `\u001b[1;1H${sixel(scaled(picture, size.width, size.height))}`;
  const cells = { columns: Math.ceil(size.width), rows: Math.ceil(size.height / shape.height) };
  const sent =
    picture.width > mostPoints.width || picture.height > mostPoints.height ? fitted(picture, mostPoints) : picture;
  const points = scaled(picture, sent.width, sent.height);
  return `\u001b[1;1H${graphics.kind === "kitty" ? kitty(points, cells) : await iterm(points, cells)}`;
}
