/** Reads the XML that programs write (libvirt's definitions): elements, attributes, text. No DTD, no validation. */

export interface XmlElement {
  /** As written, with its prefix: `virtu:tag`. */
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  text: string;
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? all;
    const code = Number.parseInt(hex ?? decimal ?? "", hex === undefined ? 10 : 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** A text as it stands between tags or in an attribute. */
export function encodeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => {
    const name = Object.keys(entities).find((key) => entities[key] === character);
    return `&${name};`;
  });
}

const token =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s>]+)\s*>|<([^\s/>!]+)((?:\s+[^\s=>/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/g;

/** The root element, or null when the text is no well-formed document. */
export function parseXml(source: string): XmlElement | null {
  interface Open extends XmlElement {
    children: XmlElement[];
  }
  const open: Open[] = [];
  let root: XmlElement | null = null;
  let at = 0;
  for (const found of source.matchAll(token)) {
    if (found.index !== at) return null;
    at += found[0].length;
    const [, cdata, closed, opened, attributes = "", empty, text] = found;
    const top = open.at(-1);
    if (cdata !== undefined || text !== undefined) {
      if (top) top.text += cdata ?? decode(text ?? "");
      else if (text?.trim()) return null;
    } else if (closed !== undefined) {
      if (open.pop()?.name !== closed) return null;
    } else if (opened !== undefined) {
      const element: Open = {
        name: opened,
        attributes: Object.fromEntries(
          [...attributes.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key = "", double, single]) => [
            key,
            decode(double ?? single ?? ""),
          ]),
        ),
        children: [],
        text: "",
      };
      if (top) top.children.push(element);
      else if (root) return null;
      else root = element;
      if (!empty) open.push(element);
    }
  }
  return at === source.length && open.length === 0 ? root : null;
}

/** Its children of that name. */
export function all(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The first element on that way down: `find(domain, "os", "type")`. */
export function find(element: XmlElement | undefined, ...way: readonly string[]): XmlElement | undefined {
  return way.reduce<XmlElement | undefined>((from, name) => all(from, name)[0], element);
}
