/** Shell patterns: `*`, `?`, `[…]`, with quoted characters standing for themselves. */

export interface Piece {
  text: string;
  quoted: boolean;
}

const special = /[.*+?^${}()|[\]\\/-]/g;

function escaped(text: string): string {
  return text.replace(special, "\\$&");
}

/** The pattern as the source of a regular expression; `shortest` makes `*` take as little as it can. */
export function patternSource(pieces: readonly Piece[], shortest = false): string {
  let source = "";
  for (const { text, quoted } of pieces) {
    if (quoted) {
      source += escaped(text);
      continue;
    }
    for (let index = 0; index < text.length; index += 1) {
      const character = text[index] ?? "";
      if (character === "*") source += shortest ? "[\\s\\S]*?" : "[\\s\\S]*";
      else if (character === "?") source += "[\\s\\S]";
      else if (character === "[") {
        const match = /^\[([!^]?)(\]?[^\]]*)\]/.exec(text.slice(index));
        if (match) {
          const inner = (match[2] ?? "")
            .replace(/\[:digit:\]?/g, "0-9")
            .replace(/\[:alpha:\]?/g, "A-Za-z")
            .replace(/\[:space:\]?/g, " \\t\\n")
            .replace(/[\\\]]/g, "\\$&");
          source += `[${match[1] ? "^" : ""}${inner}]`;
          index += match[0].length - 1;
        } else source += "\\[";
      } else source += escaped(character);
    }
  }
  return source;
}

export function matches(pieces: readonly Piece[], text: string): boolean {
  return new RegExp(`^${patternSource(pieces)}$`).test(text);
}

export function hasWildcard(pieces: readonly Piece[]): boolean {
  return pieces.some(({ text, quoted }) => !quoted && /[*?[]/.test(text));
}

/** Removes the shortest or longest prefix or suffix that matches: `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}`. */
export function trim(value: string, operator: string, pieces: readonly Piece[]): string {
  const pattern = new RegExp(`^(?:${patternSource(pieces)})$`);
  const longest = operator.length === 2;
  const lengths = [...Array(value.length + 1).keys()];
  if (longest) lengths.reverse();
  for (const length of lengths) {
    const part = operator.startsWith("#") ? value.slice(0, length) : value.slice(value.length - length);
    if (!pattern.test(part)) continue;
    return operator.startsWith("#") ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}
