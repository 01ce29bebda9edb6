/** /etc/hosts of nodes that must know one another. */
import type { Block } from "./marked-block.ts";

export interface HostEntry {
  address: string;
  /** Full name first; each once. */
  names: readonly string[];
}

/** A host's names, the full one first, without repeats. */
export function namesOf(full: string, ...others: readonly string[]): string[] {
  const short = full.split(".")[0] ?? full;
  return [...new Set([full, short, ...others].filter((name) => name !== "" && name !== "localhost"))];
}

/**
 * The block with these hosts. Debian's installer gives a node's own name to 127.0.1.1, which would have a daemon listen
 * where nobody else comes; so the names of the block are taken out of every other line.
 */
export function hostsBlock(name: string, entries: readonly HostEntry[], file = "/etc/hosts"): Block {
  return {
    file,
    name,
    mode: "644",
    lines: entries.map(({ address, names }) => `${address} ${names.join(" ")}`),
    ownNames: entries.flatMap(({ names }) => names),
  };
}
