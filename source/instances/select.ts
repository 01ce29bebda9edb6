/** Which instances a user means by `NAME` or `HOST/NAME`. */
import { VirtuError } from "../errors.ts";
import { distance } from "../meant.ts";
import type { Instance } from "./types.ts";

export interface Selection<T> {
  /** In the order asked for, each once. */
  found: T[];
  /** Words that match nothing while some host gave no answer: they may be there. */
  unseen: string[];
}

type Named = Pick<Instance, "key" | "name" | "host" | "cluster">;

/**
 * Finds what the words name. A full name goes before a short one (`web1` for `web1.example.org`); HOST is a host as it was
 * given, its bare name, or a cluster. Rejects a word that means several, and one that means none; the latter only counts
 * as unseen when `silentHosts` (hosts without an answer) could hold it.
 */
export function select<T extends Named>(
  instances: readonly T[],
  words: readonly string[],
  silentHosts: readonly string[] = [],
  noun: "instance" | "node" = "instance",
): Selection<T> {
  const found = new Map<string, T>();
  const unseen: string[] = [];
  for (const word of words) {
    const matches = candidates(instances, word);
    const [only] = matches;
    if (matches.length > 1) throw ambiguous(word, matches, noun);
    if (only) found.set(only.key, only);
    else if (silentHosts.length > 0) unseen.push(word);
    else throw unknown(instances, word, noun);
  }
  return { found: [...found.values()], unseen };
}

function candidates<T extends Named>(instances: readonly T[], word: string): T[] {
  const plainly = byName(instances, word);
  const slash = word.lastIndexOf("/");
  if (plainly.length > 0 || slash < 1) return plainly;
  const host = word.slice(0, slash);
  return byName(
    instances.filter((instance) => isHost(instance, host)),
    word.slice(slash + 1),
  );
}

function byName<T extends Named>(instances: readonly T[], name: string): T[] {
  const exact = instances.filter((instance) => instance.name === name);
  if (exact.length > 0) return exact;
  // Only names that Ganeti keeps are host names with a domain.
  return instances.filter((instance) => instance.cluster !== null && instance.name.startsWith(`${name}.`));
}

function isHost(instance: Named, host: string): boolean {
  const bare = instance.host.replace(/^[^@]*@/, "");
  return [instance.host, bare, bare.replace(/:\d+$/, ""), instance.cluster].includes(host);
}

function ambiguous(word: string, matches: readonly Named[], noun: string): VirtuError {
  const ways = matches.map((instance) => `${instance.host}/${instance.name}`);
  return new VirtuError({
    kind: "usage",
    what: `${word} means ${matches.length} ${noun}s`,
    where: word,
    why: `there are ${ways.join(", ")}`,
    hint: "Write HOST/NAME, with the full name.",
  });
}

function unknown(instances: readonly Named[], word: string, noun: string): VirtuError {
  const name = word.slice(word.lastIndexOf("/") + 1);
  const near = [...new Set(instances.map((instance) => instance.name))]
    .map((other) => ({ other, apart: Math.min(distance(name, other), distance(name, other.split(".")[0] ?? "")) }))
    .filter(({ other, apart }) => apart <= Math.max(2, name.length / 3) || (name !== "" && other.includes(name)))
    .sort((a, b) => a.apart - b.apart)
    .slice(0, 5)
    .map(({ other }) => other);
  return new VirtuError({
    kind: "usage",
    what: `There is no such ${noun}`,
    where: word,
    why: near.length > 0 ? `the nearest are ${near.join(", ")}` : `none of the ${instances.length} is called so`,
    hint:
      noun === "instance" && /[*?]/.test(name)
        ? `Those that fit a pattern are chosen by --glob '${word}'.`
        : `virtu instances${noun === "node" ? " --nodes" : ""} lists them all.`,
  });
}
