/** The user's own public keys, to be installed on deployed nodes. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Full paths of `~/.ssh/*.pub`, by name; none when the directory can't be read. */
export function publicKeys(directory = path.join(homedir(), ".ssh")): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".pub") && !name.endsWith("-cert.pub"))
      .sort()
      .map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}
