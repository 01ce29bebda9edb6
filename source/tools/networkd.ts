/** systemd-networkd's files for a bridge that takes over what an interface was. Files that are there stay as they are. */
import type { BridgeWish } from "./ifupdown.ts";

/** Files of the bridge, by path; they sort before others, and networkd takes the first that matches. */
export function networkdFiles(wish: BridgeWish, sections: readonly string[]): Record<string, string> {
  const { bridge, port, mac } = wish;
  const base = `/etc/systemd/network/05-virtu-${bridge}`;
  return {
    [`${base}.netdev`]: `[NetDev]\nName=${bridge}\nKind=bridge\n${mac === null ? "" : `MACAddress=${mac}\n`}\n[Bridge]\nSTP=no\nForwardDelaySec=0\n`,
    [`${base}-port.network`]: `[Match]\nName=${port}\n\n[Network]\nBridge=${bridge}\n`,
    [`${base}.network`]: `[Match]\nName=${bridge}\n\n${sections.join("\n").trim()}\n`,
  };
}

interface Section {
  name: string;
  lines: string[];
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split("\n")) {
    const name = /^\[([A-Za-z0-9]+)\]\s*$/.exec(line.trim())?.[1];
    if (name !== undefined) sections.push({ name, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

const globs = (pattern: string, name: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  ).test(name);

/**
 * The sections (all but `[Match]` and `[Link]`) of the first file, by file name as networkd sorts them, that matches the
 * interface by name or MAC address; null: none does.
 */
export function sectionsFor(files: Readonly<Record<string, string>>, wish: BridgeWish): string[] | null {
  const sorted = Object.entries(files)
    .map(([path, text]) => ({ name: path.slice(path.lastIndexOf("/") + 1), text }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { text } of sorted) {
    const sections = sectionsOf(text);
    const match = sections.find(({ name }) => name === "Match")?.lines ?? [];
    const values = (key: string) =>
      match.flatMap((line) =>
        line.startsWith(`${key}=`)
          ? line
              .slice(key.length + 1)
              .trim()
              .split(/\s+/)
          : [],
      );
    const byName = values("Name").some((pattern) => globs(pattern, wish.port));
    const byMac = values("MACAddress").some((mac) => mac.toLowerCase() === wish.mac?.toLowerCase());
    if (!byName && !byMac) continue;
    return sections
      .filter(({ name }) => name !== "Match" && name !== "Link")
      .flatMap(({ name, lines }) => [`[${name}]`, ...lines]);
  }
  return null;
}
