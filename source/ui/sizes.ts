/** Sizes as people type them. Pure. */

const units: Readonly<Record<string, number>> = {
  "": 1,
  m: 1,
  mib: 1,
  mb: 1,
  g: 1024,
  gib: 1024,
  gb: 1024,
  t: 1024 ** 2,
  tib: 1024 ** 2,
  tb: 1024 ** 2,
};

/** `512`, `512M`, `2G`, `1.5 GiB`: MiB, rounded; powers of two, as every provider counts. */
export function parseSize(text: string): { mebibytes: number } | { error: string } {
  const found = /^(\d+(?:[.,]\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = units[found?.[2]?.toLowerCase() ?? "?"];
  if (!found || factor === undefined) return { error: "a size such as 512M or 2G" };
  const mebibytes = Math.round(Number(found[1]?.replace(",", ".")) * factor);
  return mebibytes > 0 ? { mebibytes } : { error: "more than nothing" };
}
