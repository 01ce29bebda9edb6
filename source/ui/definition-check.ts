/** Whether an edited definition can be read at all, before it is sent to a host. The provider's own check comes after. Pure. */
import { parseDocument } from "yaml";

/** What is wrong, with its line where one is known (`line 12: …`); null: it can be read. */
export function definitionProblem(text: string, language: "xml" | "yaml" | "text"): string | null {
  if (text.trim() === "") return "it is empty";
  if (language === "xml") return xmlProblem(text);
  if (language === "yaml") return parseDocument(text).errors[0]?.message.split("\n")[0] ?? null;
  return null;
}

const markup = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<![^>]*>|<[^<>]*>|</g;
const element = /^<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>$/;

/** Whether tags are whole, nested and closed, and there is one root; entities and names are left to libvirt. */
function xmlProblem(text: string): string | null {
  const lineOf = (at: number) => text.slice(0, at).split("\n").length;
  const open: { name: string; at: number }[] = [];
  let roots = 0;
  for (const match of text.matchAll(markup)) {
    const [part] = match;
    if (/^<[!?]/.test(part)) continue;
    const found = element.exec(part);
    const line = lineOf(match.index);
    if (!found) return `line ${line}: ${part.split("\n")[0]?.slice(0, 40)} is no whole tag`;
    const [, closing, name = "", , empty] = found;
    if (closing) {
      const last = open.pop();
      if (!last) return `line ${line}: </${name}> closes nothing`;
      if (last.name !== name)
        return `line ${line}: </${name}> stands where </${last.name}> of line ${lineOf(last.at)} is awaited`;
      continue;
    }
    if (open.length === 0) roots += 1;
    if (roots > 1) return `line ${line}: <${name}> stands outside of the first element`;
    if (!empty) open.push({ name, at: match.index });
  }
  const left = open.pop();
  if (left) return `line ${lineOf(left.at)}: <${left.name}> is never closed`;
  return roots === 0 ? "it holds no element" : null;
}
