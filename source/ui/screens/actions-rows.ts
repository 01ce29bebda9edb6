/** The lines of the action menu: which entries there are, which can be done now, and why the others can't. Pure. */
import type { InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { RequestName } from "../../instances/target.ts";
import { plainLine } from "../../text.ts";
import { bindingsOf, keyName } from "../keys.ts";
import { matches } from "../list.ts";
import { cell, glyph, paint } from "../theme.ts";
import { type ActionEntry, alreadySo, instanceEntries, nodeEntries } from "./action-entries.ts";

export interface ActionLine {
  entry: ActionEntry;
  /** Why it can't be done to any of them now, or null. */
  refusal: string | null;
  /** To how many of them it can be done, when not to all; else empty. */
  note: string;
}

/** What the menu is for. */
export type ActionTargets = { kind: "instances"; rows: readonly InstanceRow[] } | { kind: "node"; node: NodeRow };

/** All entries with what stands in their way; `refuses` as the inventory's, `carries` as the scheduler's. */
export function actionLines(
  targets: ActionTargets,
  refuses: (action: RequestName, key: string) => string | null,
  carries: (key: string) => string | null = () => null,
): ActionLine[] {
  if (targets.kind === "node") {
    const { node } = targets;
    return nodeEntries.map((entry) => ({
      entry,
      refusal: alreadySo(entry, {}, node.roles) ?? (entry.action ? refuses(entry.action, node.key) : null),
      note: "",
    }));
  }
  const { rows } = targets;
  return instanceEntries.map((entry) => {
    if (rows.length === 0) return { entry, refusal: "there is no instance", note: "" };
    if (entry.single && rows.length > 1) return { entry, refusal: "only one at a time", note: "" };
    const reasons = rows.map(
      (row) =>
        alreadySo(entry, row.facts) ??
        (entry.atATime ? carries(row.key) : null) ??
        (entry.action ? refuses(entry.action, row.key) : null),
    );
    // What can be looked at is there also when none can be made now.
    if (entry.id === "snapshots" && reasons[0] !== null && !isNever(reasons[0] ?? ""))
      return { entry, refusal: null, note: "" };
    const able = reasons.filter((reason) => reason === null).length;
    if (able === rows.length) return { entry, refusal: null, note: "" };
    const [first = null] = reasons;
    if (able > 0) return { entry, refusal: null, note: `for ${able} of ${rows.length}` };
    const same = reasons.every((reason) => reason === first);
    return { entry, refusal: same || rows.length === 1 ? first : `none of the ${rows.length}: ${first}`, note: "" };
  });
}

/** A provider that has no such thing at all: `Ganeti has no snapshots`, and not `it is off`. */
function isNever(reason: string): boolean {
  return / (?:has no|does not) /.test(reason);
}

export function filteredLines(lines: readonly ActionLine[], filter: string): ActionLine[] {
  return lines.filter(({ entry, refusal }) =>
    matches(`${entry.group} ${entry.label} ${entry.id} ${refusal ?? ""}`, filter),
  );
}

function keyOf({ key, ownKey }: ActionEntry): string {
  const binding = key ? bindingsOf("instances")[key] : ownKey ? bindingsOf("instance")[ownKey] : undefined;
  return binding?.keys[0] === undefined ? "" : keyName(binding.keys[0]);
}

/** One line in `width` columns; the group only where it begins. */
export function actionLine({ entry, refusal, note }: ActionLine, first: boolean, width: number): string {
  const group = cell(first ? entry.group : "", 11);
  const label = cell(`${entry.label}${entry.dangerous ? ` ${glyph.dangerous}` : ""}`, 27);
  const rest = cell(plainLine(refusal ?? note), Math.max(0, width - 46));
  const able = `${label} ${paint(cell(keyOf(entry), 5), "cyan")} ${paint(rest, "dim")}`;
  return `${paint(group, "bold")} ${refusal === null ? able : paint(`${label} ${cell("", 5)} ${rest}`, "dim")}`;
}
