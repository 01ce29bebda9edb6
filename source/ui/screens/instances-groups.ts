/** Instances in groups with what each of them adds up to; a group can be closed. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { count, natural, plainLine } from "../../text.ts";
import { cell, glyph, paint } from "../theme.ts";
import { mebibytes, nodeText } from "./instances-rows.ts";
import { statusCounts } from "./instances-select.ts";
import { noLook, type UsageLook } from "./instances-usage.ts";

export const groupings = ["host", "node", "provider", "tag", "status"] as const;
export type GroupBy = (typeof groupings)[number];

export function isGrouping(word: string): word is GroupBy {
  return (groupings as readonly string[]).includes(word);
}

export interface Group {
  kind: "group";
  /** Unique among all items of a list. */
  key: string;
  title: string;
  rows: readonly InstanceRow[];
  closed: boolean;
}

export interface Member {
  kind: "instance";
  /** Unique among all items of a list: an instance with two tags stands in both groups. */
  key: string;
  row: InstanceRow;
}

export type Item = Group | Member;

/** The tags of an instance, whichever provider keeps them. */
export function tagsOf({ facts }: InstanceRow): string[] {
  const tags = facts["tags"];
  return typeof tags === "string" && tags !== "" ? tags.split(",").map((tag) => tag.trim()) : [];
}

const titles: Record<GroupBy, (row: InstanceRow) => string[]> = {
  host: ({ host }) => [host],
  node: (row) => [nodeText(row)],
  provider: ({ provider }) => [provider],
  tag: (row) => {
    const tags = tagsOf(row);
    return tags.length > 0 ? tags : ["without a tag"];
  },
  status: ({ status }) => [status],
};

/** The rows as they are, each in its group; groups by their titles. */
export function grouped(rows: readonly InstanceRow[], by: GroupBy | null, closed: ReadonlySet<string>): Item[] {
  if (by === null) return rows.map((row) => ({ kind: "instance", key: row.key, row }));
  const groups = new Map<string, InstanceRow[]>();
  for (const row of rows) {
    for (const title of titles[by](row)) {
      const group = groups.get(title);
      if (group) group.push(row);
      else groups.set(title, [row]);
    }
  }
  return [...groups]
    .sort(([one], [other]) => natural(one, other))
    .flatMap(([title, members]): Item[] => {
      const key = `group ${by} ${title}`;
      const isClosed = closed.has(key);
      const group: Group = { kind: "group", key, title, rows: members, closed: isClosed };
      if (isClosed) return [group];
      return [group, ...members.map((row): Member => ({ kind: "instance", key: `${key} ${row.key}`, row }))];
    });
}

/** What a group adds up to: instances by state, vCPUs, memory given, and what is used of both where that is known. */
export function groupLine(group: Group, width: number, look: UsageLook = noLook): string {
  const vcpus = group.rows.reduce((sum, row) => sum + (row.vcpus ?? 0), 0);
  const memory = group.rows.reduce((sum, row) => sum + (row.memoryMiB ?? 0), 0);
  let used: number | null = null;
  let busy: number | null = null;
  for (const { key, vcpus: own } of group.rows) {
    const rates = look.rates(key);
    if (rates?.memoryMiB != null) used = (used ?? 0) + rates.memoryMiB;
    if (rates?.cpu != null) busy = (busy ?? 0) + (rates.cpu / 100) * (own ?? 1);
  }
  const sums = [
    count(group.rows.length, "instance"),
    `${busy === null ? "" : `${busy.toFixed(1)} of `}${count(vcpus, "vCPU")}`,
    `${used === null ? "" : `${mebibytes(used)} of `}${mebibytes(memory) || "0M"}`,
  ].join(" · ");
  const sign = group.closed ? glyph.crumb : glyph.open;
  const title = cell(`${sign} ${plainLine(group.title)}`, Math.min(Math.max(18, Math.floor(width / 3)), width));
  const rest = cell(sums, Math.max(0, width - title.length - 1));
  const counts = `  ${statusCounts(group.rows, false)}`;
  const plain = `${paint(title, "bold")} ${rest.trimEnd()}`;
  const room = width - title.length - 1 - rest.trimEnd().length;
  return room > 24 ? `${plain}${counts}` : plain;
}
