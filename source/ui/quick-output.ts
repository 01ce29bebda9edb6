/**
 * Puts a frame together from what Ink's boxes write, line by line. Ink 6.8 makes an object of every cell of the screen for
 * each frame and takes every line apart for that; as long as nothing lies over anything else, lines can be joined as they
 * are. The bundle lets Ink's own way do only the frames that this can't.
 */
import widthOf from "./width.ts";

export interface WriteOperation {
  type: "write";
  x: number;
  y: number;
  text: string;
  transformers: readonly ((line: string, index: number) => string)[];
}

export interface ClipOperation {
  type: "clip";
  clip: { x1?: number; x2?: number; y1?: number; y2?: number };
}

export type Operation = WriteOperation | ClipOperation | { type: "unclip" };

interface Segment {
  x: number;
  end: number;
  line: string;
}

/** The lines of a write that its box lets through, with the row of the first; null when one of them would have to be cut. */
function visible(
  { x, y, text }: WriteOperation,
  clip: ClipOperation["clip"] | undefined,
): { y: number; lines: string[] } | null {
  const lines = text.split("\n");
  if (!clip) return { y, lines };
  if (clip.x1 !== undefined && clip.x2 !== undefined) {
    const width = Math.max(...lines.map((line) => widthOf(line)));
    if (x + width < clip.x1 || x > clip.x2) return { y, lines: [] };
    if (x < clip.x1 || x + width > clip.x2) return null;
  }
  if (clip.y1 === undefined || clip.y2 === undefined) return { y, lines };
  if (y + lines.length < clip.y1 || y > clip.y2) return { y, lines: [] };
  const from = Math.max(0, clip.y1 - y);
  const to = Math.min(lines.length, clip.y2 - y);
  return { y: Math.max(y, clip.y1), lines: lines.slice(from, to) };
}

/** The frame, `height` lines joined by newlines and without blanks at their ends; null when it needs Ink's own way. */
export function quickOutput(operations: readonly Operation[], height: number): string | null {
  const rows: Segment[][] = Array.from({ length: height }, () => []);
  const clips: ClipOperation["clip"][] = [];
  for (const operation of operations) {
    if (operation.type === "clip") clips.push(operation.clip);
    if (operation.type === "unclip") clips.pop();
    if (operation.type !== "write") continue;
    const shown = visible(operation, clips[clips.length - 1]);
    if (!shown) return null;
    for (const [index, text] of shown.lines.entries()) {
      const row = rows[shown.y + index];
      if (!row) continue;
      const line = operation.transformers.reduce((before, transform) => transform(before, index), text);
      const end = operation.x + widthOf(line);
      // The sides of a frame end with an empty line, which lies over its lower edge and covers nothing.
      if (end > operation.x) row.push({ x: operation.x, end, line });
    }
  }
  const lines: string[] = [];
  for (const row of rows) {
    if (row.length > 1) row.sort((one, other) => one.x - other.x);
    let line = "";
    let column = 0;
    for (const segment of row) {
      if (segment.x < column) return null;
      line += " ".repeat(segment.x - column) + segment.line;
      column = segment.end;
    }
    lines.push(line.trimEnd());
  }
  return lines.join("\n");
}
