/** The exact command that will run, in a box that says where; wrapped so that it can be copied as it stands. */
import { Text } from "ink";
import type { ReactNode } from "react";
import { plainLine } from "../../text.ts";
import { cell, glyph, paint, widthOf } from "../theme.ts";

const indent = "       ";

/** Words of a shell line; what is quoted stays one word. */
function words(line: string): string[] {
  return line.match(/(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+/g) ?? [line];
}

/** A command in lines of `width` columns: broken between words, each broken line ends with a backslash. */
export function wrapCommand(line: string, width: number): string[] {
  const result: string[] = [];
  let current = "";
  for (const word of words(line)) {
    const longer = current === "" ? word : `${current}${current.endsWith(" ") ? "" : " "}${word}`;
    // Two columns are kept for the backslash.
    if (current.trim() === "" || widthOf(longer) <= width - 2) {
      current = longer;
      continue;
    }
    result.push(`${current} \\`);
    current = `${widthOf(word) + indent.length <= width - 2 ? indent : "  "}${word}`;
  }
  result.push(current);
  // A word longer than the box goes on in the next line without any mark: there is no place where a shell lets it break.
  return result.flatMap((text) => {
    const parts: string[] = [];
    for (let rest = text; ; rest = rest.slice(width)) {
      if (widthOf(rest) <= width) return [...parts, rest];
      parts.push(rest.slice(0, width));
    }
  });
}

/** The box as lines of exactly `columns` columns. At most `limit` lines of commands; `whole` says how to get at all of them. */
export function commandBox(
  title: string,
  commands: readonly string[],
  columns: number,
  limit = 6,
  whole = "",
): string[] {
  const inner = columns - 4;
  const [corner, top, side] = glyph.line === "─" ? (["┌┐└┘", "─", "│"] as const) : (["++++", "-", "|"] as const);
  const all = commands.flatMap((line) => wrapCommand(plainLine(line), inner));
  const rest = `${glyph.more} ${all.length - limit + 1} more${whole && `: ${whole}`}`;
  const lines = all.length > limit ? [...all.slice(0, limit - 1), rest] : all;
  const head = ` ${title} `.slice(0, columns - 2);
  return [
    `${corner[0]}${head}${top.repeat(Math.max(0, columns - 2 - widthOf(head)))}${corner[1]}`,
    ...lines.map((line) => `${side} ${paint(cell(line, inner), "bold")} ${side}`),
    `${corner[2]}${top.repeat(columns - 2)}${corner[3]}`,
  ];
}

export function CommandBox({
  title,
  commands,
  columns,
  limit,
}: {
  title: string;
  commands: readonly string[];
  columns: number;
  limit?: number;
}): ReactNode {
  return <Text wrap="truncate">{commandBox(title, commands, columns, limit).join("\n")}</Text>;
}
