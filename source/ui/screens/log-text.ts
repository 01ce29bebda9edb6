/** One line of the log. Pure. */
import type { LogLine } from "../../store/known.ts";
import { cell, paint, type Style } from "../theme.ts";

const styles: Record<LogLine["level"], Style[]> = { info: [], warning: ["yellow"], error: ["red"] };
const words: Record<LogLine["level"], string> = { info: " ", warning: "!", error: "✗" };

/** Time, level, where, what, in `width` columns. */
export function logText({ at, level, where, text }: LogLine, width: number): string {
  const time = new Date(at).toTimeString().slice(0, 8);
  return paint(cell(`${time} ${words[level]} ${cell(where, 22)} ${text}`, width), ...styles[level]);
}
