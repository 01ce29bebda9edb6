/** Names of nodes as people read them: without the domain that all share, and folded. Pure. */
import { natural } from "../../text.ts";

interface Group {
  numbers: number[];
  /** As written, with leading zeros. */
  texts: Map<number, string>;
}

/** Names without the domain, when what is left still tells them apart. */
export function shortNames(names: readonly string[]): string[] {
  const short = names.map((name) => name.split(".")[0] ?? name);
  return new Set(short).size === new Set(names).size ? short : [...names];
}

/** `paravance-[11-12,30], parasilo-4`: names short and folded, each group once. */
export function foldNames(names: readonly string[]): string {
  const groups = new Map<string, Group>();
  const single: string[] = [];
  for (const name of [...shortNames(names)].sort(natural)) {
    const parts = /^(.*?)(\d+)$/.exec(name);
    if (!parts) {
      single.push(name);
      continue;
    }
    const [, head = "", digits = ""] = parts;
    const group: Group = groups.get(head) ?? { numbers: [], texts: new Map() };
    group.numbers.push(Number(digits));
    group.texts.set(Number(digits), digits);
    groups.set(head, group);
  }
  const folded = [...groups].map(([head, { numbers, texts }]) => {
    const text = (n: number) => texts.get(n) ?? String(n);
    const ranges: [number, number][] = [];
    for (const n of numbers.sort((a, b) => a - b)) {
      const last = ranges[ranges.length - 1];
      if (last && n === last[1] + 1) last[1] = n;
      else ranges.push([n, n]);
    }
    const list = ranges.map(([from, to]) => (from === to ? text(from) : `${text(from)}-${text(to)}`));
    return numbers.length === 1 ? `${head}${list[0]}` : `${head}[${list.join(",")}]`;
  });
  return [...folded, ...single].join(", ");
}
