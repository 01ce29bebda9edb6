/**
 * A selector as one line of words, for prompts, waves and plans: `tag=web host=hv1 state=stopped db1 cache-*`. A word
 * without a kind is a name, or a pattern when it holds `*`, `?` or `[`. Pure.
 */
import { VirtuError } from "../errors.ts";
import { isGlob } from "./glob.ts";
import { noSelector, type Selector } from "./selector.ts";

const kinds = {
  name: "names",
  glob: "globs",
  tag: "tags",
  group: "groups",
  host: "hosts",
  provider: "providers",
  state: "states",
} as const satisfies Record<string, keyof Selector>;

type Kind = keyof typeof kinds;

const isKind = (word: string): word is Kind => Object.hasOwn(kinds, word);

/** Reads the words. Throws a usage error for a kind that there is not. */
export function selectorOf(words: readonly string[]): Selector {
  const lists: Record<(typeof kinds)[Kind], string[]> = {
    names: [],
    globs: [],
    tags: [],
    groups: [],
    hosts: [],
    providers: [],
    states: [],
  };
  let all = false;
  for (const word of words) {
    const equals = word.indexOf("=");
    if (word === "all") all = true;
    else if (equals < 0) (isGlob(word) ? lists.globs : lists.names).push(word);
    else {
      const kind = word.slice(0, equals);
      const value = word.slice(equals + 1);
      if (!isKind(kind) || value === "") throw unknown(word, kind);
      lists[kinds[kind]].push(...value.split(",").filter(Boolean));
    }
  }
  return { ...noSelector, ...lists, all };
}

/** The same selector as words again. */
export function selectorText(selector: Selector): string {
  const words = Object.entries(kinds).flatMap(([kind, list]) =>
    selector[list].map((value) => (kind === "name" ? value : `${kind}=${value}`)),
  );
  return [...words, ...(selector.all ? ["all"] : [])].join(" ");
}

function unknown(word: string, kind: string): VirtuError {
  const known = Object.keys(kinds).join("=, ");
  return new VirtuError({
    kind: "usage",
    what: isKind(kind) ? `${word} lacks a value` : `${word} means nothing here`,
    why: `there are names, patterns, ${known}= and all`,
  });
}
