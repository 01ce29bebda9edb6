/** Cells of the virtual screen as text that a terminal can be given: styles and characters, nothing else. Pure. */
import type { IBufferCell, IBufferLine } from "@xterm/headless";
import { plainLine } from "../text.ts";

export interface PaintedLine {
  /** Characters with SGR codes; it begins and ends with no style in force. */
  text: string;
  /** Columns that it takes; the rest of the row is empty. */
  width: number;
}

/** Characters that every terminal counts as one column: Latin letters, frames and blocks. */
const oneColumn = /^[\u00a1-\u00ac\u00ae-\u02ff\u2500-\u259f]$/;

function colour(cell: IBufferCell, ground: "fore" | "back"): string {
  const fore = ground === "fore";
  const value = fore ? cell.getFgColor() : cell.getBgColor();
  if (fore ? cell.isFgRGB() : cell.isBgRGB()) {
    return `;${fore ? 38 : 48};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`;
  }
  if (!(fore ? cell.isFgPalette() : cell.isBgPalette())) return "";
  if (value < 8) return `;${(fore ? 30 : 40) + value}`;
  if (value < 16) return `;${(fore ? 90 : 100) + value - 8}`;
  return `;${fore ? 38 : 48};5;${value}`;
}

/** SGR parameters of a cell, each after a semicolon; empty for the terminal's own style. */
function style(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return "";
  let codes = "";
  if (cell.isBold()) codes += ";1";
  if (cell.isDim()) codes += ";2";
  if (cell.isItalic()) codes += ";3";
  if (cell.isUnderline()) codes += ";4";
  if (cell.isBlink()) codes += ";5";
  if (cell.isInverse()) codes += ";7";
  if (cell.isInvisible()) codes += ";8";
  if (cell.isStrikethrough()) codes += ";9";
  if (cell.isOverline()) codes += ";53";
  return codes + colour(cell, "fore") + colour(cell, "back");
}

/**
 * One row. After a character on whose width terminals differ the cursor is set to its column, so that the rest of the
 * row stands where the guest put it. `cell` is only a place to read into.
 */
export function paintLine(line: IBufferLine, columns: number, cell: IBufferCell): PaintedLine {
  let end = Math.min(columns, line.length);
  while (end > 0) {
    const last = line.getCell(end - 1, cell);
    if (last && (last.getChars().trim() !== "" || last.getWidth() !== 1 || style(last) !== "")) break;
    end -= 1;
  }
  let text = "";
  let before = "";
  for (let column = 0; column < end; column += 1) {
    const one = line.getCell(column, cell);
    if (!one || one.getWidth() === 0) continue;
    const codes = style(one);
    if (codes !== before) text += `\u001b[0${codes}m`;
    before = codes;
    const characters = one.getChars();
    const code = one.getCode();
    if (characters.length <= 1 && code < 0x7f) {
      text += code < 0x20 ? " " : characters;
      continue;
    }
    const shown = plainLine(characters);
    const width = one.getWidth();
    text += shown === "" ? " ".repeat(width) : shown;
    if (shown !== "" && !oneColumn.test(shown) && column + width < columns) text += `\u001b[${column + width + 1}G`;
  }
  if (before !== "") text += "\u001b[0m";
  return { text, width: end };
}
