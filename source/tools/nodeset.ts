/**
 * Folded node sets, as Kadeploy, OAR and clush write them: `dahu-[1-3,5].grenoble.grid5000.fr`, several groups joined by
 * commas or blanks. Pure.
 */
import { natural } from "../text.ts";

/** No testbed has that many nodes; a wrong or hostile range must not fill the memory. */
const mostNodes = 100_000;

/** Order of host names as people count: `dahu-2` before `dahu-10`. */
export function byName(a: string, b: string): number {
  return natural(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `1-3,5` as its numbers, with leading zeros kept (`01-03`); what is no range stays as it is. */
function* members(list: string): Generator<string> {
  for (const item of list.split(",")) {
    const range = /^\s*(\d+)-(\d+)\s*$/.exec(item);
    if (!range) {
      yield item.trim();
      continue;
    }
    const [, from = "", to = ""] = range;
    const width = from.startsWith("0") ? from.length : 0;
    for (let n = Number(from); n <= Number(to); n += 1) yield String(n).padStart(width, "0");
  }
}

function unfoldGroup(group: string, found: string[]): void {
  const bracket = /\[([^[\]]*)\]/.exec(group);
  if (!bracket) {
    if (group !== "" && found.length < mostNodes) found.push(group);
    return;
  }
  const before = group.slice(0, bracket.index);
  const after = group.slice(bracket.index + bracket[0].length);
  for (const member of members(bracket[1] ?? "")) {
    if (found.length >= mostNodes) return;
    unfoldGroup(`${before}${member}${after}`, found);
  }
}

/** Every name of a folded set, in the order written, each once. */
export function unfold(folded: string): string[] {
  const found: string[] = [];
  // Commas and blanks separate groups, except inside brackets.
  for (const group of folded.match(/(?:\[[^\]]*\]|[^\s,[])+/g) ?? []) unfoldGroup(group, found);
  return [...new Set(found)];
}

/**
 * The names among `known` that a folded set of Kadeploy means. More forgiving than `unfold`: 3.1 prints several groups
 * as a Ruby array, which is glued together (`a-1.siteb-2.site`) or written `["a-1.site", "b-2.site"]`.
 */
export function unfoldAmong(folded: string, known: readonly string[]): string[] {
  const set = new Set(known);
  const exact = unfold(folded).filter((name) => set.has(name));
  if (exact.length > 0) return exact;
  let text = folded.replace(/"/g, "").replace(/^\[(?!\d)(.*)\]$/, "$1");
  const domains = new Set(
    known.map((name) => name.slice(name.indexOf("."))).filter((domain) => domain.startsWith(".")),
  );
  for (const domain of domains) text = text.replaceAll(domain, `${domain},`);
  return unfold(text).filter((name) => set.has(name));
}

/** Names folded into groups, sorted: `dahu-[1-3,5].grenoble.grid5000.fr,troll-1.grenoble.grid5000.fr`. */
export function fold(names: Iterable<string>): string {
  const groups = new Map<string, { head: string; tail: string; numbers: string[] }>();
  for (const name of [...new Set(names)].sort(byName)) {
    // The number is the last one of the first label.
    const parts = /^([^.]*?)(\d+)(\D*(?:\..*)?)$/.exec(name);
    const [, head = name, number = "", tail = ""] = parts ?? [];
    const key = `${head}\n${tail}`;
    const group = groups.get(key);
    if (group) group.numbers.push(number);
    else groups.set(key, { head, tail, numbers: [number] });
  }
  return [...groups.values()]
    .map(({ head, tail, numbers }) =>
      numbers.length === 1 ? `${head}${numbers[0]}${tail}` : `${head}[${ranges(numbers)}]${tail}`,
    )
    .join(",");
}

function ranges(numbers: readonly string[]): string {
  const runs: { first: string; last: string }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    const next = run && String(Number(run.last) + 1).padStart(run.last.startsWith("0") ? run.last.length : 0, "0");
    if (run && next === number) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(",");
}
