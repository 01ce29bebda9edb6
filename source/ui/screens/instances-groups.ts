/** Instances in groups with what each of them adds up to; a group can be closed. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { count, natural, plainLine } from "../../text.ts";
import { cell, glyph, paint, widthOf } from "../theme.ts";
import { mebibytes, nodeText } from "./instances-rows.ts";
import { countStatuses, statusText } from "./instances-select.ts";
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

/** A list of items. Where nothing is grouped an item is made when it is asked for: there are as many as there are rows. */
export interface Items {
  keys: readonly string[];
  at: (index: number) => Item | null;
}

/** The rows as they are, or each in its group. */
export function itemsOf(rows: readonly InstanceRow[], by: GroupBy | null, closed: ReadonlySet<string>): Items {
  if (by !== null) {
    const items = grouped(rows, by, closed);
    return { keys: items.map(({ key }) => key), at: (index) => items[index] ?? null };
  }
  const at = (index: number): Item | null => {
    const row = rows[index];
    return row ? { kind: "instance", key: row.key, row } : null;
  };
  return { keys: rows.map(({ key }) => key), at };
}

/** The rows, each in its group; groups by their titles. */
export function grouped(rows: readonly InstanceRow[], by: GroupBy, closed: ReadonlySet<string>): Item[] {
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

export interface GroupSums {
  vcpus: number;
  /** MiB. */
  memory: number;
  /** MiB that are used, and CPUs that are busy, as far as that is known; null: of none. */
  used: number | null;
  busy: number | null;
}

export function groupSums(rows: readonly InstanceRow[], look: UsageLook): GroupSums {
  const sums: GroupSums = { vcpus: 0, memory: 0, used: null, busy: null };
  for (const { key, vcpus, memoryMiB } of rows) {
    const rates = look.rates(key);
    sums.vcpus += vcpus ?? 0;
    sums.memory += memoryMiB ?? 0;
    if (rates?.memoryMiB != null) sums.used = (sums.used ?? 0) + rates.memoryMiB;
    if (rates?.cpu != null) sums.busy = (sums.busy ?? 0) + (rates.cpu / 100) * (vcpus ?? 1);
  }
  return sums;
}

/**
 * What a group adds up to: instances by state, vCPUs, memory given, and what is used of both where that is known. Where not
 * all has room, the states go without their number of all, then the last sums go.
 */
export function groupLine(group: Group, width: number, look: UsageLook = noLook): string {
  const { vcpus, memory, used, busy } = groupSums(group.rows, look);
  const sign = group.closed ? glyph.crumb : glyph.open;
  const title = cell(`${sign} ${plainLine(group.title)}`, Math.min(Math.max(18, Math.floor(width / 4)), width));
  const states = statusText(countStatuses(group.rows), false);
  const sums = [
    `${busy === null ? "" : `${busy.toFixed(1)} of `}${count(vcpus, "vCPU")}`,
    `${used === null ? "" : `${mebibytes(used)} of `}${mebibytes(memory) || "0M"}`,
  ];
  const whole = [count(group.rows.length, "instance"), states, ...sums].join(" · ");
  const room = width - widthOf(title) - 1;
  const fitting = [whole, [states, ...sums].join(" · "), [states, sums[0]].join(" · "), states];
  const shown = fitting.find((text) => widthOf(text) <= room) ?? "";
  return `${paint(title, "bold")} ${shown}`;
}
