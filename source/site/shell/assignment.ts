/** Words that are assignments. */
import type { Assignment, Word } from "./tree.ts";

/** `name=value`, its value with a home directory at its begin; null for any other word. */
export function asAssignment(word: Word): Assignment | null {
  const [first, ...rest] = word;
  if (first?.kind !== "text" || first.quoted) return null;
  const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(first.text);
  if (!match) return null;
  const [, name = "", begin = ""] = match;
  const home = /^~([A-Za-z0-9_-]*)(?=\/|$)/.exec(begin);
  const value: Word = home
    ? [
        { kind: "home", user: home[1] ?? "" },
        { kind: "text", text: begin.slice(home[0].length), quoted: false },
      ]
    : begin === ""
      ? []
      : [{ kind: "text", text: begin, quoted: false }];
  return { name, value: [...value, ...rest] };
}
