/** A table of text for people. */
import stringWidth from "string-width";
import { plainLine } from "../text.ts";

/** Columns as wide as their widest cell; a column of numbers stands to the right. */
export function table(head: readonly string[], rows: readonly string[][]): string[] {
  const cells = [head, ...rows].map((row) => row.map(plainLine));
  const numeric = head.map((_, index) => rows.length > 0 && rows.every((row) => /^(-|\d+M?)$/.test(row[index] ?? "")));
  const widths = head.map((_, index) => Math.max(...cells.map((row) => stringWidth(row[index] ?? ""))));
  return cells.map((row) =>
    row
      .map((cell, index) => {
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell)));
        return numeric[index] ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd(),
  );
}
