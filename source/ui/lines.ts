/** Long texts of which a screen shows a part. Pure. */

/** Lines that are made when they are shown: of thousands only those that have room. An array of lines is one, too. */
export interface Lines {
  readonly length: number;
  slice(start: number, end: number): readonly string[];
}

/** A line for each of these. */
export function linesOf<T>(items: readonly T[], line: (item: T) => string): Lines {
  return { length: items.length, slice: (start, end) => items.slice(start, end).map(line) };
}

/** The same lines, each of them changed. */
export function changed(lines: Lines, change: (line: string) => string): Lines {
  return { length: lines.length, slice: (start, end) => lines.slice(start, end).map(change) };
}

/** One after the other. */
export function joined(...parts: readonly Lines[]): Lines {
  return {
    length: parts.reduce((sum, { length }) => sum + length, 0),
    slice(start, end) {
      let before = 0;
      return parts.flatMap((part) => {
        const from = before;
        before += part.length;
        return part.slice(Math.max(0, start - from), Math.max(0, end - from));
      });
    },
  };
}
