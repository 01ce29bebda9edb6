/** Columns of the instance table: how wide each has to be for these instances, and which of them have room. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Column } from "../components/table.tsx";
import { glyph, type Style, widthOf } from "../theme.ts";
import { memoryText, moreText, nodeText, placeText } from "./instances-rows.ts";
import { cpuText, diskText, netText, noLook, type UsageLook, usedText } from "./instances-usage.ts";
import { hotStyles } from "./nodes-usage.ts";

export type ColumnId =
  | "name"
  | "status"
  | "on"
  | "cpu"
  | "vcpu"
  | "used"
  | "memory"
  | "disk"
  | "net"
  | "where"
  | "tags"
  | "autostart"
  | "os"
  | "id"
  | "more";

export interface TableColumn extends Column {
  id: ColumnId;
  /** The cell of an instance; of the status only its usual width, the row makes it. */
  text: (row: InstanceRow) => string;
  /** It tells what is used now, which somebody has to ask for. */
  counted?: true;
  /** What makes this cell stand out now. */
  styles?: (row: InstanceRow) => readonly Style[];
}

export type SortBy = "name" | "status" | "on" | "cpu" | "vcpu" | "used" | "memory" | "disk" | "net" | "provider";

/** The sorts in the order in which a key goes through them. */
export const sortOrder: readonly SortBy[] = [
  "name",
  "status",
  "on",
  "cpu",
  "vcpu",
  "used",
  "memory",
  "disk",
  "net",
  "provider",
];

export function isSort(word: string): word is SortBy {
  return (sortOrder as readonly string[]).includes(word);
}

export interface Sort {
  by: SortBy;
  down: boolean;
}

/** The words of the footer and count line: `by memory, largest first`. */
export const sortWords: Record<SortBy, [up: string, down: string]> = {
  name: ["by name", "by name, from the end"],
  status: ["by status", "by status, from the end"],
  on: ["by node", "by node, from the end"],
  cpu: ["by CPU, least first", "by CPU, most first"],
  vcpu: ["by vCPU, fewest first", "by vCPU, most first"],
  used: ["by memory in use, least first", "by memory in use, most first"],
  disk: ["by disk traffic, least first", "by disk traffic, most first"],
  net: ["by network traffic, least first", "by network traffic, most first"],
  memory: ["by memory, least first", "by memory, most first"],
  provider: ["by provider", "by provider, from the end"],
};

interface Plan {
  id: ColumnId;
  title: string;
  align?: "right";
  sortedBy?: SortBy;
  /** Columns that it keeps at any width; 0: it is left out when there is no room. */
  least: number;
  /** What it gets before another one gets more than this. */
  fair?: number;
  most: number;
  /** Only where some instance tells what it uses; its width never changes. */
  counted?: true;
  text: (row: InstanceRow, look: UsageLook) => string;
}

const fact = (name: string) => (row: InstanceRow) => {
  const value = row.facts[name];
  if (value === null || value === undefined) return "";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
};

const plans: readonly Plan[] = [
  { id: "name", title: "NAME", sortedBy: "name", least: 12, fair: 24, most: 44, text: (row) => row.name },
  // Wide enough for an action with Ganeti's job number, so that it does not grow when one begins.
  { id: "status", title: "STATUS", sortedBy: "status", least: 12, most: 14, text: () => "◐ stopping #99" },
  { id: "on", title: "ON", sortedBy: "on", least: 8, fair: 16, most: 32, text: nodeText },
  // Always there where there is room for it and something to show.
  { id: "cpu", title: "CPU", align: "right", sortedBy: "cpu", least: 0, most: 10, counted: true, text: cpuText },
  {
    id: "vcpu",
    title: "vCPU",
    align: "right",
    sortedBy: "vcpu",
    least: 5,
    most: 5,
    text: (row) => String(row.vcpus ?? ""),
  },
  { id: "memory", title: "MEM", align: "right", sortedBy: "memory", least: 5, most: 6, text: memoryText },
  { id: "used", title: "USED", align: "right", sortedBy: "used", least: 0, most: 7, counted: true, text: usedText },
  { id: "disk", title: "DISK/s", align: "right", sortedBy: "disk", least: 0, most: 8, counted: true, text: diskText },
  { id: "net", title: "NET/s", align: "right", sortedBy: "net", least: 0, most: 8, counted: true, text: netText },
  { id: "where", title: "WHERE", sortedBy: "provider", least: 8, fair: 18, most: 44, text: placeText },
  { id: "autostart", title: "AUTO", least: 0, most: 4, text: fact("autostart") },
  { id: "os", title: "OS", least: 0, most: 22, text: fact("os") },
  { id: "tags", title: "TAGS", least: 0, most: 24, text: fact("tags") },
  { id: "id", title: "ID", least: 0, most: 36, text: (row) => (row.id === row.name ? "" : row.id) },
  { id: "more", title: "MORE", least: 0, most: 60, text: moreText },
];

export type Widths = Readonly<Partial<Record<ColumnId, number>>>;

/**
 * The widths that these instances want, never less than before: columns do not shrink while one looks. The same object
 * when nothing has to grow. `known`: the rows that `before` has room for, mostly the same ones.
 */
export function grown(before: Widths, rows: readonly InstanceRow[], known: readonly InstanceRow[] = []): Widths {
  const after: Partial<Record<ColumnId, number>> = { ...before };
  // A column that has all it may want is not asked any more.
  let open = plans.filter(({ id, most }) => (before[id] ?? 0) < most);
  let changed = false;
  for (const [index, row] of rows.entries()) {
    if (row === known[index]) continue;
    for (const plan of open) {
      const wanted = wantedBy(plan, row);
      if (wanted <= (after[plan.id] ?? 0)) continue;
      after[plan.id] = wanted;
      changed = true;
      if (wanted >= plan.most) open = open.filter((other) => other !== plan);
    }
  }
  return changed ? after : before;
}

function wantedBy({ counted, most, text }: Plan, row: InstanceRow): number {
  if (counted) return row.usage || row.usageGap ? most : 0;
  return Math.min(most, widthOf(text(row, noLook)));
}

/** A column that the user chose, and its width where he set one. */
export interface ColumnChoice {
  id: ColumnId;
  width?: number;
}

/** Every column that can be chosen, in virtu's own order, with its title. */
export const allColumns: readonly { id: ColumnId; title: string }[] = plans.map(({ id, title }) => ({ id, title }));

/** Every cell of an instance that holds something, shown or not; the status in words. */
export function cellsOf(row: InstanceRow, look: UsageLook): { title: string; text: string }[] {
  return plans
    .map(({ id, title, text }) => ({ title, text: id === "status" ? row.statusDetail : text(row, look) }))
    .filter(({ text }) => text !== "");
}

export function isColumn(id: string): id is ColumnId {
  return plans.some((plan) => plan.id === id);
}

interface Chosen {
  plan: Plan;
  width: number;
}

/**
 * The columns that have room in `total`: the ones that are always there share it, each up to its fair part first; then come
 * those of a wide terminal, as long as one fits. With `choices` the user's own, in his order, as far as they have room.
 */
export function columnsFor(
  widths: Widths,
  total: number,
  sort: Sort,
  look: UsageLook = noLook,
  choices: readonly ColumnChoice[] | null = null,
): TableColumn[] {
  const chosen = choices ? ownColumns(widths, total, choices) : usualColumns(widths, total);
  return chosen.map(({ plan: { id, title, align, sortedBy, text, counted }, width }) => {
    const arrow = sortedBy === sort.by ? (sort.down ? glyph.descending : glyph.ascending) : "";
    const metric = id === "used" ? "memory" : id;
    return {
      id,
      title: align ? `${arrow}${title}` : `${title}${arrow && ` ${arrow}`}`,
      width,
      align,
      text: (row) => text(row, look),
      ...(counted && {
        counted,
        styles: ({ key }: InstanceRow) => (look.hot(key).includes(metric) ? hotStyles : []),
      }),
    };
  });
}

/** Below so many columns there is no room for what instances use. */
const roomForUse = 74;

function usualColumns(widths: Widths, total: number): Chosen[] {
  const leastOf = ({ id, least, most }: Plan) => (id === "cpu" && widths.cpu && total >= roomForUse ? most : least);
  const kept = plans.filter((plan) => leastOf(plan) > 0);
  let spare = total - kept.reduce((sum, plan) => sum + leastOf(plan), 0) - (kept.length - 1);
  const chosen = kept.map((plan) => ({ plan, width: leastOf(plan) }));
  for (const limit of ["fair", "most"] as const) {
    for (const entry of chosen) {
      const { plan, width } = entry;
      const wanted = Math.min(plan[limit] ?? plan.most, widths[plan.id] ?? 0);
      const extra = Math.max(0, Math.min(spare, wanted - width));
      entry.width += extra;
      spare -= extra;
    }
  }
  for (const plan of plans) {
    const wanted = widths[plan.id] ?? 0;
    if (wanted === 0 || kept.includes(plan)) continue;
    const width = Math.max(wanted, plan.title.length);
    // Facts are worth a part of their column; an identifier cut short is not.
    if (spare < (plan.id === "more" ? 16 : width) + 1) continue;
    const given = Math.min(width, spare - 1);
    chosen.push({ plan, width: given });
    spare -= given + 1;
  }
  return chosen.sort((one, other) => plans.indexOf(one.plan) - plans.indexOf(other.plan));
}

function ownColumns(widths: Widths, total: number, choices: readonly ColumnChoice[]): Chosen[] {
  const chosen: Chosen[] = [];
  let spare = total;
  for (const { id, width: own } of choices) {
    const plan = plans.find((one) => one.id === id);
    if (!plan) continue;
    const natural = Math.max(plan.title.length + 2, Math.min(plan.most, widths[id] ?? 0));
    const width = Math.min(own ?? natural, spare);
    // A column that would be cut to nothing is no column.
    if (width < Math.min(4, natural)) break;
    chosen.push({ plan, width });
    spare -= width + 1;
  }
  return chosen;
}
