/** Reads ssh configuration files ourselves, for machines that have no ssh client to ask. */
import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import SSHConfig from "ssh-config";
import { VirtuError } from "../errors.ts";
import type { NamedHost } from "./host-name.ts";
import type { Directives } from "./host-options.ts";

/** Files of an Include word; wildcards are followed in its last part only. */
function included(word: string, folder: string): string[] {
  const unquoted = word.replace(/^"(.*)"$/, "$1");
  const home = unquoted.startsWith("~/") ? path.join(os.homedir(), unquoted.slice(2)) : unquoted;
  const full = path.resolve(folder, home);
  const last = path.basename(full);
  if (!/[*?]/.test(last)) return [full];
  const source = last
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const pattern = new RegExp(`^${source}$`);
  try {
    const names = readdirSync(path.dirname(full)).filter((name) => pattern.test(name) && !name.startsWith("."));
    return names.sort().map((name) => path.join(path.dirname(full), name));
  } catch {
    return [];
  }
}

/** A file's text with its Include lines replaced by what they name; one that is missing is empty, as for ssh. */
function spliced(file: string, folder: string, depth: number): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return "";
  }
  return text.replace(/^[ \t]*include(?:[ \t]*=[ \t]*|[ \t]+)(.+)$/gim, (_line, words: string) => {
    if (depth >= 16) return "";
    const names = words.match(/"[^"]*"|\S+/g) ?? [];
    const files = names.flatMap((word) => included(word, folder));
    return files.map((name) => spliced(name, folder, depth + 1)).join("\n");
  });
}

/**
 * What the files say about a host; the first value counts, identity files add up. `Match exec` is not run, and a `Match`
 * by host is not applied: only an ssh client gets those right.
 */
export function readConfig(files: readonly string[], named: NamedHost): Directives {
  const directives: Directives = new Map();
  for (const file of files) {
    const folder = file.startsWith("/etc/") ? path.dirname(file) : path.join(os.homedir(), ".ssh");
    let computed: Record<string, string | string[]>;
    try {
      // A Match could run commands; without ssh we only follow Host.
      const parsed = SSHConfig.parse(spliced(file, folder, 0));
      computed = parsed.compute({ Host: named.host }) as Record<string, string | string[]>;
    } catch (thrown) {
      throw new VirtuError({
        kind: "usage",
        what: "The ssh configuration file can't be understood",
        where: file,
        why: thrown instanceof Error ? thrown.message : String(thrown),
        hint: "Mend it, or choose another with -F FILE.",
      });
    }
    for (const [name, value] of Object.entries(computed)) {
      const key = name.toLowerCase();
      if (key === "host" || key === "match") continue;
      const values = Array.isArray(value) ? value : [value];
      const earlier = directives.get(key);
      if (!earlier) directives.set(key, [...values]);
      else if (key === "identityfile") earlier.push(...values);
    }
  }
  const hostname = directives.get("hostname")?.[0];
  if (hostname !== undefined) {
    directives.set("hostname", [hostname.replaceAll("%h", named.host).replaceAll("%%", "%")]);
  }
  return directives;
}
