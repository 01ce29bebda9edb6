/** Node names folded as Kadeploy prints them: `dahu-[1-3,7].site`, several groups joined by a comma and a blank. */

export function fold(names: readonly string[]): string {
  const groups = new Map<string, { before: string; after: string; numbers: number[] }>();
  const plain: string[] = [];
  for (const name of names) {
    const match = /^([^.]*?-)(\d+)(\..*)?$/.exec(name);
    if (!match) {
      plain.push(name);
      continue;
    }
    const [, before = "", number = "", after = ""] = match;
    const group = groups.get(before + after) ?? { before, after, numbers: [] };
    group.numbers.push(Number(number));
    groups.set(before + after, group);
  }
  const folded = [...groups.values()].map(({ before, after, numbers }) => {
    const sorted = [...new Set(numbers)].sort((a, b) => a - b);
    if (sorted.length === 1) return `${before}${sorted[0]}${after}`;
    const ranges: { from: number; to: number }[] = [];
    for (const number of sorted) {
      const last = ranges.at(-1);
      if (last?.to === number - 1) last.to = number;
      else ranges.push({ from: number, to: number });
    }
    return `${before}[${ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(",")}]${after}`;
  });
  return [...folded, ...plain].join(", ");
}

/** `dahu-[1-3].site` to its names; any other word stands for itself. */
export function unfold(word: string): string[] {
  const match = /^(.*)\[([\d,-]+)\](.*)$/.exec(word);
  if (!match) return [word];
  const [, before = "", list = "", after = ""] = match;
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => `${before}${from + index}${after}`);
  });
}
