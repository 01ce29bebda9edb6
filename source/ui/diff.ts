/** What a change does to a text, line by line. Pure. */

export interface DiffLine {
  kind: "same" | "gone" | "new";
  text: string;
}

/** Cells of the comparison at most; two texts that differ more are shown as one replaced by the other. */
const cellLimit = 4_000_000;

/** All lines of both texts, in order; what is gone stands before what is new in its place. */
export function diffLines(before: string, after: string): DiffLine[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let end = 0;
  while (
    end < old.length - start &&
    end < fresh.length - start &&
    old[old.length - 1 - end] === fresh[fresh.length - 1 - end]
  ) {
    end += 1;
  }
  const same = (texts: readonly string[]): DiffLine[] => texts.map((text) => ({ kind: "same", text }));
  return [
    ...same(old.slice(0, start)),
    ...between(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)),
    ...same(old.slice(old.length - end)),
  ];
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** By the longest common subsequence. */
function between(old: readonly string[], fresh: readonly string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ kind: "gone", text });
  const added = (text: string): DiffLine => ({ kind: "new", text });
  const width = fresh.length + 1;
  if (old.length * fresh.length > cellLimit) return [...old.map(gone), ...fresh.map(added)];
  // lengths[i * width + j]: of the longest common part of old[i…] and fresh[j…].
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const result: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [one, other] = [old[i], fresh[j]];
    if (one !== undefined && one === other) {
      result.push({ kind: "same", text: one });
      i += 1;
      j += 1;
    } else if (one !== undefined && (other === undefined || at(i + 1, j) >= at(i, j + 1))) {
      result.push(gone(one));
      i += 1;
    } else if (other !== undefined) {
      result.push(added(other));
      j += 1;
    }
  }
  return result;
}

/** A line of a diff that is shown, or the mark of lines that are left out. */
export type DiffPart = DiffLine | { kind: "gap"; lines: number };

/** Only what changed, with `context` lines around it. Empty when nothing changed. */
export function diffParts(lines: readonly DiffLine[], context = 3): DiffPart[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === "same") return;
    for (let other = index - context; other <= index + context; other += 1) near.add(other);
  });
  const parts: DiffPart[] = [];
  let hidden = 0;
  lines.forEach((line, index) => {
    if (!near.has(index)) {
      hidden += 1;
      return;
    }
    if (hidden > 0) parts.push({ kind: "gap", lines: hidden });
    hidden = 0;
    parts.push(line);
  });
  if (hidden > 0 && parts.length > 0) parts.push({ kind: "gap", lines: hidden });
  return parts;
}
