/** Frames for a terminal that shows no more than ASCII: our signs by their twins, what comes from hosts as far as it can be. */
import { unicodeShown, utf8Allowed, widthOf } from "./theme.ts";

/** One column each; what has no twin here stands in the theme or in a chart, which know them themselves. */
const twins: Readonly<Record<string, string>> = {
  "·": ".",
  "…": "~",
  "–": "-",
  "−": "-",
  "×": "x",
  "•": "*",
  "↑": "^",
  "↓": "v",
  "←": "<",
  "→": ">",
  "‹": "<",
  "›": ">",
  "▸": ">",
  "◂": "<",
  "▾": "v",
  "❯": ">",
  "✓": "v",
  "✗": "x",
  "⚠": "!",
  "●": "*",
  "○": "o",
  "◐": "~",
  "‖": "=",
  "─": "-",
  "━": "=",
  "│": "|",
  "▏": "|",
  "■": "#",
  "█": "#",
  "╸": ">",
  "░": ".",
};

const enterKey = "Enter";
/** Corners of boxes, and the wheel that turns while something is waited for. */
const corner = /[\u250c-\u254b\u256d-\u2570]/;
const wheel = /[\u2800-\u28ff]/;

function twinOf(character: string, keepsOthers: boolean): string {
  const twin = twins[character];
  if (twin !== undefined) return twin;
  if (corner.test(character)) return "+";
  if (wheel.test(character)) return "*";
  return keepsOthers ? character : "?".repeat(widthOf(character));
}

/** At most so many columns of a line with styles. */
function cut(line: string, columns: number): string {
  let left = columns;
  let result = "";
  for (const [token] of line.matchAll(/\u001b\[[\d;]*m|./gsu)) {
    if (token.length > 1 && token.startsWith("\u001b")) result += token;
    else {
      left -= widthOf(token);
      if (left >= 0) result += token;
    }
  }
  return result;
}

/**
 * A line of a frame in ASCII, in the columns that it had: the Enter key's name is longer than its sign, and takes what it
 * needs from the next gap. `keepsOthers`: letters of other scripts stay as they are.
 */
export function asciiLine(line: string, columns: number, keepsOthers: boolean): string {
  if (/^[\u0000-\u007f]*$/.test(line)) return line;
  let owed = 0;
  let result = "";
  for (const [token] of line.matchAll(/\u23ce| {3,}|[\u0000-\u007f]|[^\u0000-\u007f\u23ce]+/gu)) {
    if (token === "⏎") {
      owed += enterKey.length - 1;
      result += enterKey;
    } else if (token.startsWith("   ")) {
      const paid = Math.min(owed, token.length - 2);
      owed -= paid;
      result += token.slice(paid);
    } else if (/^[\u0000-\u007f]/.test(token)) result += token;
    else {
      for (const { segment } of new Intl.Segmenter().segment(token)) result += twinOf(segment, keepsOthers);
    }
  }
  return owed > 0 ? cut(result, columns) : result;
}

/** A line of a frame as this terminal can show it. */
export function shownLine(line: string, columns: number): string {
  return unicodeShown ? line : asciiLine(line, columns, utf8Allowed(process.env));
}

/** A text whose columns are counted before it is drawn (the footer). */
export function shownText(text: string): string {
  return unicodeShown ? text : text.replaceAll("⏎", enterKey);
}
