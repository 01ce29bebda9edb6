/** What all screens of a single instance have in common: its details kept current, and its latest action in a line. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { doingOf, shortVerbOf } from "../../instances/action-words.ts";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { InstanceDetails } from "../../instances/types.ts";
import { type Loaded, nothing } from "../../store/loaded.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Problem } from "../components/problem.tsx";
import { useKnown, useUi } from "../hooks.ts";
import { cell, glyph, paint, symbol, toneStyles } from "../theme.ts";
import { isPending } from "./instances-rows.ts";

const unread: Loaded<InstanceDetails | null> = nothing(null);

export interface OneInstance {
  row: InstanceRow | undefined;
  details: Loaded<InstanceDetails | null>;
  reload: () => void;
}

/** The instance with this key and its details, read now and after each change while the view is there. */
export function useOneInstance(key: string): OneInstance {
  const { inventory, instances } = useUi().workspace;
  const row = useKnown((known) => known.inventory.instances.find((one) => one.key === key));
  const details = useKnown((known) => known.instances.details[key] ?? unread);
  const there = row !== undefined;
  useEffect(() => inventory.watch(), [inventory]);
  useEffect(() => (there ? instances.look(key) : undefined), [instances, key, there]);
  return { row, details, reload: () => void instances.readDetails(key) };
}

/** The rows with these keys, in the table's order by name. */
export function rowsOf(all: readonly InstanceRow[], keys: readonly string[]): InstanceRow[] {
  const wanted = new Set(keys);
  return all.filter(({ key }) => wanted.has(key));
}

/** What is done with it now or how that ended, in exactly `width` columns; empty when nothing was done. */
export function latestAction(row: InstanceRow, width: number): string {
  const { action } = row;
  if (!action || width < 10) return "";
  const job = action.job === null ? "" : ` (job ${action.job})`;
  if (isPending(action)) {
    const text = `${action.state === "queued" ? "queued" : doingOf(action.action)}${job}: ${plainLine(action.text)}`;
    return paint(`${symbol("busy")} ${cell(text, width - 2)}`, ...toneStyles("busy"));
  }
  const verb = shortVerbOf(action.action);
  if (action.state === "done") {
    const said = action.text === "done" ? "" : `: ${plainLine(action.text)}`;
    return `${paint(glyph.done, "green")} ${cell(`${verb}${job}: done${said}`, width - 2)}`;
  }
  if (action.state === "cancelled") return cell(`${verb}: taken back`, width);
  return paint(
    `${symbol("bad")} ${cell(`${verb} failed${job}: ${plainLine(action.error ?? action.text)}`, width - 2)}`,
    "red",
  );
}

/** The line above a single instance's screen: which one, where, what happens with it. */
export function OneInstanceTitle({ row, text }: { row: InstanceRow; text: string }): ReactNode {
  const { size } = useUi();
  const title = ` ${plainLine(row.name)} · ${text}`;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{paint(title, "bold")}</Text>
      <Text wrap="truncate">{` ${latestAction(row, size.columns - 2)}`}</Text>
    </Box>
  );
}

/** What stands where the details are not there: being read, or why they can't be, and on which host. */
export function NoDetails({ one, lines }: { one: OneInstance; lines: number }): ReactNode {
  const { row, details } = one;
  if (!row) return <Text dimColor> This instance is gone. Esc goes back to the others.</Text>;
  if (!details.error) return <Busy text={`asking ${plainLine(row.host)} about ${plainLine(row.name)}`} />;
  return (
    <Box flexDirection="column">
      <Problem error={details.error} lines={lines} />
      <Text dimColor> R asks again.</Text>
    </Box>
  );
}
