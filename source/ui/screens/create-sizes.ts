/** Sizes as people type them, in forms that make instances. Pure. */

const factors: Readonly<Record<string, number>> = { "": 1, M: 1, G: 1024, T: 1024 * 1024 };

/** MiB of `512M`, `2G`, `1.5T` or a bare number of MiB; null when it is no size. */
export function parseSize(text: string): number | null {
  const found = /^(\d+(?:\.\d+)?) ?([MGT]?)(?:i?B)?$/i.exec(text.trim());
  if (!found) return null;
  const size = Number(found[1]) * (factors[(found[2] ?? "").toUpperCase()] ?? 1);
  return size >= 1 ? Math.round(size) : null;
}

/** Sizes with blanks or commas between them; null when one of them is none. */
export function parseSizes(text: string): number[] | null {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const sizes = words.map(parseSize);
  return sizes.every((size) => size !== null) ? sizes : null;
}

/** `name=value` pairs with commas between them; null when one of them is none. */
export function parsePairs(text: string): Record<string, string> | null {
  const pairs: Record<string, string> = {};
  for (const word of text.split(",").map((one) => one.trim())) {
    if (word === "") continue;
    const at = word.indexOf("=");
    if (at < 1) return null;
    pairs[word.slice(0, at)] = word.slice(at + 1);
  }
  return pairs;
}
