/** Beside the table where there is room, else below it: what is known of the instance under the cursor. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Rates } from "../../monitor/rates.ts";
import { plainLine } from "../../text.ts";
import { TextLines } from "../components/text-lines.tsx";
import { useKnown } from "../hooks.ts";
import { cell, paint } from "../theme.ts";
import { bytesText } from "./chart-text.ts";
import { instanceLines } from "./instance-lines.ts";
import { type Group, groupSums } from "./instances-groups.ts";
import { mebibytes } from "./instances-rows.ts";
import { countStatuses, statusText } from "./instances-select.ts";
import type { UsageLook } from "./instances-usage.ts";

/** From so many columns on there is room beside the table. */
const wide = 120;

/** What the pane takes of the screen: columns beside the table, or lines below it. */
export function paneLines({ columns, rows }: { columns: number; rows: number }): { width: number; height: number } {
  if (columns >= wide) return { width: Math.min(70, Math.floor(columns * 0.36)), height: 0 };
  return { width: 0, height: Math.max(5, Math.floor(rows / 4)) };
}

const label = (name: string) => paint(cell(name, 10), "dim");

/** What it uses now, and who says so; `gap`: why some of it is not known. `names`: columns for the names of the lines. */
export function usageLines(rates: Rates | null, gap: string | undefined, names = 10): string[] {
  const label = (name: string) => paint(cell(name, names), "dim");
  const missing =
    gap === undefined ? [] : [`${label(rates ? "not known" : "usage")} ${rates ? "" : "– "}${plainLine(gap)}`];
  if (!rates) return missing;
  const { cpu, memory, memoryMiB, memorySource, diskRead, diskWrite, netIn, netOut } = rates;
  const lines: string[] = [];
  if (cpu !== null) lines.push(`${label("CPU")} ${Math.round(cpu)} % of its vCPUs`);
  if (memoryMiB !== null) {
    const who = memorySource === "balloon" ? "the guest's own count" : "what its process holds on the host";
    const share = memory === null ? "" : `, ${Math.round(memory)} %`;
    lines.push(`${label("memory")} ${mebibytes(memoryMiB)}${share} (${who})`);
  }
  const pair = (name: string, words: readonly [string, string], one: number | null, other: number | null) => {
    if (one === null && other === null) return;
    lines.push(`${label(name)} ${bytesText(one ?? 0)} ${words[0]}, ${bytesText(other ?? 0)} ${words[1]}`);
  };
  pair("disks", ["read", "written"], diskRead, diskWrite);
  pair("network", ["in", "out"], netIn, netOut);
  return [...lines, ...missing];
}

export interface DetailsProps {
  /** Null: the cursor is on no instance. */
  row: InstanceRow | null;
  /** The group that it is on instead. */
  group?: Group | null;
  width: number;
  height: number;
  look: UsageLook;
}

/** What a group adds up to, and who in it uses the most. */
export function groupLines({ rows, closed }: Group, look: UsageLook): string[] {
  const { vcpus, memory, used, busy } = groupSums(rows, look);
  const ranked = rows
    .map((row) => ({ name: plainLine(row.name), cpu: look.rates(row.key)?.cpu ?? null }))
    .filter((one): one is { name: string; cpu: number } => one.cpu !== null)
    .sort((one, other) => other.cpu - one.cpu);
  const most = ranked.slice(0, 3).map(({ name, cpu }) => `${name} ${Math.round(cpu)} %`);
  return [
    `${label("instances")} ${statusText(countStatuses(rows))}`,
    `${label("vCPUs")} ${vcpus}${busy === null ? "" : `, ${busy.toFixed(1)} of them busy`}`,
    `${label("memory")} ${mebibytes(memory) || "0M"} given${used === null ? "" : `, ${mebibytes(used)} used`}`,
    ...(most.length > 0 ? [`${label("busiest")} ${most.join(" · ")}`] : []),
    paint(
      closed
        ? "→ opens the group; an action on it is one on all of it"
        : "← closes the group; an action on it is one on all of it",
      "dim",
    ),
  ];
}

export function InstanceDetailsPane({ row, group = null, width, height, look }: DetailsProps): ReactNode {
  const now = useKnown((known) => known.now);
  const rates = row ? look.rates(row.key) : null;
  const lines = row
    ? [
        ...usageLines(rates, row.usageGap),
        ...instanceLines(row, { details: null, previews: [], feed: [] }, now, width - 2).slice(1),
      ]
    : group
      ? groupLines(group, look)
      : [paint("no instance under the cursor", "dim")];
  const title = cell(plainLine(row?.name ?? group?.title ?? "details"), width - 4).trimEnd();
  const room = height - 1;
  const shown = lines.slice(0, room);
  if (lines.length > room) shown[room - 1] = paint("… d shows all", "dim");
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Text wrap="truncate">{paint(`─ ${title} ${"─".repeat(Math.max(0, width - title.length - 4))}`, "dim")}</Text>
      <TextLines lines={shown} before=" " />
    </Box>
  );
}
