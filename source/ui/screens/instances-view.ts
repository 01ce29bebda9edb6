/** How the table of instances is shown: columns, order, groups. Remembered while virtu runs, and by name in the settings. */
import { useEffect, useMemo } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { NodeMetric } from "../../monitor/nodes.ts";
import { useRemembered, useUi } from "../hooks.ts";
import { type ColumnChoice, type Sort, type SortBy, sortOrder, type TableColumn } from "./instances-columns.ts";
import { type GroupBy, groupings } from "./instances-groups.ts";
import { trendLength, type UsageLook } from "./instances-usage.ts";
import type { NodeLook } from "./nodes-usage.ts";

export interface TableView {
  /** Null: those that have room, by virtu's own choice. */
  columns: readonly ColumnChoice[] | null;
  sort: Sort;
  group: GroupBy | null;
}

export const startView: TableView = { columns: null, sort: { by: "name", down: false }, group: null };

/** The view of now, and how it is changed in part. */
export function useTableView(): [TableView, (change: (before: TableView) => Partial<TableView>) => void] {
  const [view, setView] = useRemembered<TableView>("instances:view", startView);
  return [view, (change) => setView((before) => ({ ...before, ...change(before) }))];
}

/** Milliseconds of one part of a trend. */
const trendPart = 15_000;

/** What the monitor knows, as the table asks for it. */
export function useUsageLook(): UsageLook {
  const { workspace } = useUi();
  return useMemo(() => {
    const { monitor } = workspace.monitor;
    return {
      rates: (key) => monitor.rates(key),
      hot: (key) => monitor.hot(key),
      trend: (key) => {
        const now = workspace.clock();
        return monitor.spread(key, "cpu", now - trendLength * trendPart, now, trendLength);
      },
    };
  }, [workspace]);
}

/** The same of nodes. */
export function useNodeLook(): NodeLook {
  const { workspace } = useUi();
  return useMemo(() => {
    const { nodes } = workspace.monitor;
    return {
      rates: (key) => nodes.rates(key),
      hot: (key) => nodes.hot(key),
      fullPools: (key) => nodes.pools(key).flatMap(({ fill, hot }) => (hot ? [fill.name] : [])),
      trend: (key, metric: NodeMetric) => {
        const now = workspace.clock();
        return nodes.spread(key, metric, now - trendLength * trendPart, now, trendLength);
      },
    };
  }, [workspace]);
}

/** While what is used is shown, the hosts of what is on the screen are asked for it, at the interval of the settings. */
export function useUsageWatch(rows: readonly Pick<InstanceRow, "host">[]): void {
  const { workspace } = useUi();
  const hosts = [...new Set(rows.map(({ host }) => host))].sort().join("\n");
  useEffect(() => {
    if (hosts === "") return undefined;
    const everyMs = workspace.settings.get("usageSeconds") * 1000;
    return workspace.inventory.watch({ everyMs, hosts: hosts.split("\n"), usage: true });
  }, [workspace, hosts]);
}

const columnOf: Partial<Record<SortBy, string>> = { provider: "where" };

/** The next of the orders whose column is shown. */
export function nextSort({ by }: Sort, columns: readonly TableColumn[]): Sort {
  const shown = sortOrder.filter((one) => columns.some(({ id }) => id === (columnOf[one] ?? one)));
  const next = shown[(shown.indexOf(by) + 1) % shown.length] ?? "name";
  // Of what is used, the most is what one looks for.
  return { by: next, down: ["cpu", "used", "disk", "net"].includes(next) };
}

export function nextGroup(before: GroupBy | null): GroupBy | null {
  return before === null ? groupings[0] : (groupings[groupings.indexOf(before) + 1] ?? null);
}
