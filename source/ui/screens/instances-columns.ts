/** Columns of the instance table: how wide each has to be for these instances, and which of them have room. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Column } from "../components/table.tsx";
import { glyph, widthOf } from "../theme.ts";
import { memoryText, moreText, nodeText, placeText } from "./instances-rows.ts";

export type ColumnId = "name" | "status" | "on" | "vcpu" | "memory" | "where" | "id" | "autostart" | "os" | "more";

export interface TableColumn extends Column {
  id: ColumnId;
  /** The cell of an instance; of the status only its usual width, the row makes it. */
  text: (row: InstanceRow) => string;
}

export type SortBy = "name" | "status" | "on" | "vcpu" | "memory" | "provider";

export const sortOrder: readonly SortBy[] = ["name", "status", "on", "vcpu", "memory", "provider"];

export interface Sort {
  by: SortBy;
  down: boolean;
}

/** The words of the footer and count line: `by memory, largest first`. */
export const sortWords: Record<SortBy, [up: string, down: string]> = {
  name: ["by name", "by name, from the end"],
  status: ["by status", "by status, from the end"],
  on: ["by node", "by node, from the end"],
  vcpu: ["by vCPU, fewest first", "by vCPU, most first"],
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
  text: (row: InstanceRow) => string;
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
  { id: "where", title: "WHERE", sortedBy: "provider", least: 8, fair: 18, most: 44, text: placeText },
  { id: "autostart", title: "AUTO", least: 0, most: 4, text: fact("autostart") },
  { id: "os", title: "OS", least: 0, most: 22, text: fact("os") },
  { id: "id", title: "ID", least: 0, most: 36, text: (row) => (row.id === row.name ? "" : row.id) },
  { id: "more", title: "MORE", least: 0, most: 60, text: moreText },
];

export type Widths = Readonly<Partial<Record<ColumnId, number>>>;

/**
 * The widths that these instances want, never less than before: columns do not shrink while one looks. The same object
 * when nothing has to grow.
 */
export function grown(before: Widths, rows: readonly InstanceRow[]): Widths {
  const after: Partial<Record<ColumnId, number>> = { ...before };
  let changed = false;
  for (const { id, most, text } of plans) {
    let width = before[id] ?? 0;
    for (const row of rows) {
      if (width >= most) break;
      const wanted = Math.min(most, widthOf(text(row)));
      if (wanted > width) width = wanted;
    }
    if (width !== (before[id] ?? 0)) {
      after[id] = width;
      changed = true;
    }
  }
  return changed ? after : before;
}

/**
 * The columns that have room in `total`: the six that are always there share it, each up to its fair part first; then come
 * those of a wide terminal, as long as one fits.
 */
export function columnsFor(widths: Widths, total: number, sort: Sort): TableColumn[] {
  const kept = plans.filter(({ least }) => least > 0);
  let spare = total - kept.reduce((sum, { least }) => sum + least, 0) - (kept.length - 1);
  const chosen = kept.map((plan) => ({ plan, width: plan.least }));
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
    if (plan.least > 0 || wanted === 0) continue;
    const width = Math.max(wanted, plan.title.length);
    // Facts are worth a part of their column; an identifier cut short is not.
    if (spare < (plan.id === "more" ? 16 : width) + 1) continue;
    const given = Math.min(width, spare - 1);
    chosen.push({ plan, width: given });
    spare -= given + 1;
  }
  return chosen.map(({ plan: { id, title, align, sortedBy, text }, width }) => {
    const arrow = sortedBy === sort.by ? (sort.down ? glyph.descending : glyph.ascending) : "";
    return { id, title: align ? `${arrow}${title}` : `${title}${arrow && ` ${arrow}`}`, width, align, text };
  });
}
