/** Shell patterns on names: `*`, `?` and `[a-f]`; a pattern is always compared with the whole name. Pure. */

/** The pattern as a test of names, or null when a bracket of it is never closed. */
export function globOf(pattern: string): RegExp | null {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at] ?? "";
    if (letter === "*") source += ".*";
    else if (letter === "?") source += ".";
    else if (letter === "[") {
      // A bracket right after the opening (or its negation) is one of the letters.
      const end = pattern.indexOf("]", at + (/^\[[!^]/.test(pattern.slice(at)) ? 3 : 2));
      if (end < 0) return null;
      const inside = pattern.slice(at + 1, end);
      const negated = /^[!^]/.test(inside);
      // A minus stays what it is: `a-f` is a range.
      const letters = (negated ? inside.slice(1) : inside).replace(/[\\\]^[]/g, "\\$&");
      source += `[${negated ? "^" : ""}${letters}]`;
      at = end;
    } else source += letter.replace(/[.+^${}()|\]\\/]/, "\\$&");
  }
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return null;
  }
}

export function isGlob(word: string): boolean {
  return /[*?[]/.test(word);
}
