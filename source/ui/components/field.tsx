/** Fields of forms: a line of text, a hidden one, a choice. What is wrong is said beside the field while one types. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { Line } from "../editor.ts";
import { cell, glyph, paint, widthOf } from "../theme.ts";

/** A typed line with its cursor, in `width` columns; scrolls when it is longer. */
export function lineText(line: Line, width: number, focused: boolean, hidden = false): string {
  const text = hidden ? "•".repeat([...line.text].length) : line.text;
  const cursor = hidden ? [...line.text.slice(0, line.cursor)].length : line.cursor;
  const room = Math.max(1, width - 1);
  const start = Math.max(0, cursor - room);
  const visible = text.slice(start, start + room);
  if (!focused) return cell(visible, width);
  const at = cursor - start;
  const under = visible[at] ?? " ";
  const rest = visible.slice(at + 1);
  const used = widthOf(visible.slice(0, at)) + widthOf(under) + widthOf(rest);
  return `${visible.slice(0, at)}${paint(under, "inverse")}${rest}${" ".repeat(Math.max(0, width - used))}`;
}

/** Columns of a form's labels. */
export const labelWidth = 13;
const noteMargin = 2;

/** The column in which the note beside a field begins, counted from 0. `value`: the field's own part. */
export function noteColumn(value: string): number {
  return 1 + labelWidth + widthOf(value) + noteMargin;
}

export interface FieldProps {
  label: string;
  focused: boolean;
  /** The field's own part, already drawn. */
  value: string;
  /** What is wrong with it, or null. */
  error?: string | null;
  /** What it means, when nothing is wrong. */
  help?: string;
}

/** One field on one line: label, value, then what is wrong or what it means. */
export function Field({ label, focused, value, error, help }: FieldProps): ReactNode {
  return (
    <Box>
      <Box flexShrink={0}>
        <Text>{`${focused ? paint(glyph.cursor, "cyan", "bold") : " "}${paint(cell(label, labelWidth), ...(focused ? (["bold"] as const) : []))}`}</Text>
        <Text>{value}</Text>
      </Box>
      <Box marginLeft={noteMargin}>
        <Text wrap="truncate">{error ? paint(`✗ ${error}`, "red") : paint(help ?? "", "dim")}</Text>
      </Box>
    </Box>
  );
}

/** `[ text ]`, wide enough for `width` columns of text. */
export function textBox(line: Line, width: number, focused: boolean, hidden = false): string {
  return `[ ${lineText(line, width, focused, hidden)}]`;
}

/** `‹ choice ›`. */
export function choiceBox(text: string, focused: boolean): string {
  return `‹ ${focused ? paint(text, "bold", "inverse") : text} ›`;
}
