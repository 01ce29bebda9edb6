/** Guests that did not hear a clean shutdown: its time limit has run out, and they run on. */
import { sh } from "../ssh/command.ts";
import type { ActionItem, InstanceRow } from "./inventory-types.ts";

/** Seconds that a second, longer wait for a clean shutdown takes. */
export const longerWaitSeconds = 300;

/** Its latest action was a shutdown that it did not hear, and it has not gone off by itself since. */
export function isUnheard({ action, status }: Pick<InstanceRow, "action" | "status">): boolean {
  return action?.unheard === true && action.state === "failed" && status !== "stopped";
}

/** Those of a run that did not hear it, as far as nothing else was done to them since. */
export function unheardOf(items: readonly ActionItem[], rows: readonly InstanceRow[]): InstanceRow[] {
  const own = new Set(items.filter(({ unheard }) => unheard).map(({ id }) => id));
  return own.size === 0 ? [] : rows.filter((row) => isUnheard(row) && own.has(row.action?.id ?? 0));
}

/** The commands to go on with, as they can be pasted into a shell: by force, or by asking once more. */
export function unheardCommands(
  rows: readonly Pick<InstanceRow, "host" | "name">[],
  uri?: string,
): { force: string; longer: string } {
  const hosts = [...new Set(rows.map(({ host }) => host))].join(",");
  const where = sh`--host ${hosts}${uri === undefined ? sh`` : sh` --uri ${uri}`}`;
  const names = rows.map(({ host, name }) => `${host}/${name}`);
  return {
    force: sh`virtu force-off ${where} ${names}`.line,
    longer: sh`virtu shutdown --timeout ${longerWaitSeconds} ${where} ${names}`.line,
  };
}
