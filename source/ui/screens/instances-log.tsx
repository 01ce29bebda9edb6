/** What the latest actions report, under the table. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { ActionItem, InstanceRow } from "../../instances/inventory-types.ts";
import type { LogLine } from "../../store/known.ts";
import { count } from "../../text.ts";
import { paint, symbol, toneStyles } from "../theme.ts";
import { logText } from "./log-text.ts";

/** Lines of the log that are shown, without their title. */
export const logLines = 4;

/** The items of the latest `act`, as far as their instances are still there. */
export function latestRun(rows: readonly InstanceRow[]): ActionItem[] {
  let latest: ActionItem[] = [];
  let run = 0;
  for (const { action } of rows) {
    if (!action || action.run < run) continue;
    if (action.run > run) latest = [];
    run = action.run;
    latest.push(action);
  }
  return latest;
}

/** `shut down 3 instances · 1 of 3 · 1 failed · 1 queued, c takes back`. */
export function runText(items: readonly ActionItem[]): string {
  const [first] = items;
  if (!first) return "";
  const number = (state: ActionItem["state"]) => items.filter((item) => item.state === state).length;
  const ended = items.length - number("queued") - number("running");
  const failed = number("failed");
  const queued = number("queued");
  const title = items.length === 1 ? first.name : count(items.length, "instance");
  return [
    `${verbOf(first.action)} ${title}`,
    ended === items.length ? "ended" : `${ended} of ${items.length}`,
    failed > 0 ? paint(`${failed} ${symbol("bad")} failed`, ...toneStyles("bad")) : "",
    number("cancelled") > 0 ? `${number("cancelled")} taken back` : "",
    queued > 0 ? `${queued} queued, c takes back` : "",
    items.length > 1 ? "B shows each" : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The last lines that an action wrote: only those name an instance, as `host/instance`. */
export function actionLines(log: readonly LogLine[], most: number): LogLine[] {
  const lines: LogLine[] = [];
  for (let at = log.length - 1; at >= 0 && lines.length < most; at -= 1) {
    const line = log[at];
    if (line?.where.includes("/")) lines.unshift(line);
  }
  return lines;
}

export function ActionLog({
  items,
  lines,
  width,
}: {
  items: readonly ActionItem[];
  lines: readonly LogLine[];
  width: number;
}): ReactNode {
  return (
    <Box flexDirection="column" flexShrink={0} height={lines.length + 1}>
      <Text wrap="truncate">{` ${runText(items) || paint("what actions report", "dim")}`}</Text>
      {lines.map((line) => (
        <Text key={line.id} wrap="truncate">
          {` ${logText(line, width - 2)}`}
        </Text>
      ))}
    </Box>
  );
}
