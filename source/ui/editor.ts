/** One line of text that is being typed, as a pure reducer over keys. */
import type { KeyEvent } from "./input.ts";

export interface Line {
  text: string;
  /** In UTF-16 units, always on a character's border. */
  cursor: number;
}

export const emptyLine: Line = { text: "", cursor: 0 };

export function lineOf(text: string): Line {
  return { text, cursor: text.length };
}

function before(line: Line): number {
  const point = [...line.text.slice(0, line.cursor)].pop();
  return line.cursor - (point?.length ?? 0);
}

function after(line: Line): number {
  const point = [...line.text.slice(line.cursor)][0];
  return line.cursor + (point?.length ?? 0);
}

/** The line after a key, or null when the key means nothing to it. */
export function edit(line: Line, key: KeyEvent): Line | null {
  if (key.text !== null) {
    const text = key.text.replace(/[\r\n\t]+/g, " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
    return {
      text: line.text.slice(0, line.cursor) + text + line.text.slice(line.cursor),
      cursor: line.cursor + text.length,
    };
  }
  switch (key.name) {
    case "backspace": {
      const from = before(line);
      return { text: line.text.slice(0, from) + line.text.slice(line.cursor), cursor: from };
    }
    case "delete":
      return { text: line.text.slice(0, line.cursor) + line.text.slice(after(line)), cursor: line.cursor };
    case "left":
      return { ...line, cursor: before(line) };
    case "right":
      return { ...line, cursor: after(line) };
    case "home":
    case "ctrl+a":
      return { ...line, cursor: 0 };
    case "end":
    case "ctrl+e":
      return { ...line, cursor: line.text.length };
    case "ctrl+u":
      return { text: line.text.slice(line.cursor), cursor: 0 };
    case "ctrl+k":
      return { text: line.text.slice(0, line.cursor), cursor: line.cursor };
    case "ctrl+w": {
      const head = line.text.slice(0, line.cursor).replace(/\S*\s*$/, "");
      return { text: head + line.text.slice(line.cursor), cursor: head.length };
    }
    default:
      return null;
  }
}

/**
 * The line of a list that filters as one types. `/` opens the filter of every other list: a hand that types it first means
 * no text by it.
 */
export function editFilter(line: Line, key: KeyEvent): Line | null {
  return line.text === "" && key.text === "/" ? line : edit(line, key);
}
