/** Ganeti's words for states and roles. */
import type { Status } from "../instances/types.ts";

/**
 * Ganeti's instance status as one of ours. Seen: running, ADMIN_down, ADMIN_offline, USER_down, ERROR_down, ERROR_up,
 * ERROR_wrongnode, ERROR_nodedown, ERROR_nodeoffline.
 */
export function statusOf(word: string | null): Status {
  if (word === "running") return "running";
  if (word === null) return "unknown";
  if (/^(ADMIN|USER)_/.test(word)) return "stopped";
  if (word.startsWith("ERROR_")) return "error";
  return "unknown";
}

const roles: Record<string, string> = {
  M: "master",
  C: "candidate",
  R: "regular",
  D: "drained",
  O: "offline",
};

/** The letter of `gnt-node list -o role`, spelt out. */
export function roleOf(letter: string | null): string[] {
  return letter === null ? [] : [roles[letter] ?? letter];
}
