/** What the chart shows of instances and nodes: which metric over which time, its scale and its words. Pure. */
import type { InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { Metric, Monitor } from "../../monitor/monitor.ts";
import type { NodeMetric, NodeMonitor } from "../../monitor/nodes.ts";
import { fillPercent } from "../../monitor/nodes.ts";
import { plainLine } from "../../text.ts";
import { type ChartSeries, chartLines, roundTop, seriesStyle, valuesFor } from "../components/chart-lines.ts";
import { cell, paint, widthOf } from "../theme.ts";

export interface ChartMetric {
  id: Metric | NodeMetric;
  title: string;
  /** The top of the axis is at least this. */
  least: number;
  percent: boolean;
  /** Whose number it is. */
  of: "instances" | "nodes" | "both";
}

const all: readonly ChartMetric[] = [
  { id: "cpu", title: "CPU, of its vCPUs", least: 100, percent: true, of: "both" },
  { id: "memory", title: "memory, of what it has", least: 100, percent: true, of: "both" },
  { id: "storage", title: "storage, how full", least: 100, percent: true, of: "nodes" },
  { id: "diskRead", title: "read from disks", least: 1000, percent: false, of: "instances" },
  { id: "diskWrite", title: "written to disks", least: 1000, percent: false, of: "instances" },
  { id: "netIn", title: "network, in", least: 1000, percent: false, of: "instances" },
  { id: "netOut", title: "network, out", least: 1000, percent: false, of: "instances" },
];

/** The metrics that these have; of nodes alone CPU is that of all their CPUs. */
export function chartMetrics(instances: boolean, nodes: boolean): ChartMetric[] {
  return all
    .filter(({ of }) => of === "both" || (of === "nodes" ? nodes : instances))
    .map((one) => (one.id === "cpu" && !instances ? { ...one, title: "CPU, of all that it has" } : one));
}

/** One line of the chart. */
export interface ChartLine {
  label: string;
  /** The value of now, or null. */
  now: number | null;
  /** `count` values over a time, as `History.spread` gives them. */
  spread: (from: number, to: number, count: number) => (number | null)[];
}

export function instanceLine(monitor: Monitor, { key, name }: InstanceRow, metric: ChartMetric): ChartLine[] {
  if (metric.of === "nodes") return [];
  const id = metric.id as Metric;
  return [
    {
      label: plainLine(name),
      now: monitor.rates(key)?.[id] ?? null,
      spread: (from, to, count) => monitor.spread(key, id, from, to, count),
    },
  ];
}

/** A node's line, or one for each of its pools. */
export function nodeLines(monitor: NodeMonitor, { key, name }: NodeRow, metric: ChartMetric): ChartLine[] {
  if (metric.of === "instances") return [];
  if (metric.id === "storage") {
    return monitor.pools(key).map(({ fill }) => ({
      label: plainLine(fill.name === "" ? name : `${name} ${fill.name}`),
      now: fillPercent(fill),
      spread: (from, to, count) => monitor.spreadPool(key, fill.name, from, to, count),
    }));
  }
  const id = metric.id as NodeMetric;
  return [
    {
      label: plainLine(name),
      now: monitor.rates(key)?.[id] ?? null,
      spread: (from, to, count) => monitor.spread(key, id, from, to, count),
    },
  ];
}

/** Whether an instance runs on this node. */
export function isOn({ provider, host, cluster, node }: InstanceRow, other: NodeRow): boolean {
  return other.provider === provider && other.host === host && other.cluster === cluster && other.name === node;
}

/** Times that can be shown, in seconds. */
export const spans = [60, 300, 900, 3600, 6 * 3600, 24 * 3600] as const;

export function spanText(seconds: number): string {
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}

/** Bytes a second in few columns: `850 B/s`, `1.2 MB/s`. */
export function bytesText(bytes: number): string {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function valueText(metric: ChartMetric, value: number | null): string {
  if (value === null) return "–";
  return metric.percent ? `${Math.round(value)} %` : bytesText(value);
}

/** On an axis there is no room for `/s`; the title says it. */
function axisText(metric: ChartMetric, value: number): string {
  return metric.percent ? `${value}%` : bytesText(value).replace("/s", "").replace(" ", "");
}

export interface ChartView {
  metric: ChartMetric;
  /** Seconds. */
  span: number;
  /** Epoch milliseconds. */
  now: number;
  width: number;
  height: number;
}

/** The whole screen: the name of each line with its value of now and its highest, then the chart. */
export function chartText(lines: readonly ChartLine[], view: ChartView): string[] {
  const { metric, span, now, width, height } = view;
  const all = lines.map((line) => ({ line, values: line.spread(now - span * 1000, now, valuesFor(width)) }));
  // Those of which nothing is drawn (they are off) take no name from the others.
  const isDrawn = ({ values }: { values: ChartSeries["values"] }) => values.some((value) => value !== null);
  const ordered = [...all.filter(isDrawn), ...all.filter((one) => !isDrawn(one))];
  const series: ChartSeries[] = ordered.map(({ line, values }) => ({ label: line.label, values }));
  const shown = Math.max(1, Math.min(series.length, Math.floor(height / 3)));
  const names = Math.min(30, Math.max(4, ...series.slice(0, shown).map(({ label }) => widthOf(label))));
  const legend = series.slice(0, shown).map(({ label, values }, index) => {
    const known = values.filter((value) => value !== null);
    const highest = known.length > 0 ? Math.max(...known) : null;
    const current = valueText(metric, ordered[index]?.line.now ?? null);
    const text = `${cell(label, names)}  now ${cell(current, 9, "right")}  highest ${cell(valueText(metric, highest), 9, "right")}`;
    return ` ${paint("■", seriesStyle(index))} ${text}`;
  });
  if (series.length > shown)
    legend.push(paint(`   and ${series.length - shown} more, drawn without their names`, "dim"));
  const most = roundTop(series, metric.least);
  const chart = chartLines(series, {
    width,
    height: height - legend.length,
    most,
    format: (value) => axisText(metric, value),
    times: [`${spanText(span)} ago`, "", "now"],
  });
  return [...legend, ...chart];
}
