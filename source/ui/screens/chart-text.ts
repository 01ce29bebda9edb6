/** What the chart of instances shows: which metric over which time, its scale and its words. Pure. */
import type { Metric, Monitor } from "../../monitor/monitor.ts";
import { type ChartSeries, chartLines, roundTop, seriesStyle, valuesFor } from "../components/chart-lines.ts";
import { cell, paint, widthOf } from "../theme.ts";

export interface ChartMetric {
  id: Metric;
  title: string;
  /** The top of the axis is at least this. */
  least: number;
  percent: boolean;
}

export const chartMetrics: readonly ChartMetric[] = [
  { id: "cpu", title: "CPU, of its vCPUs", least: 100, percent: true },
  { id: "memory", title: "memory, of what it has", least: 100, percent: true },
  { id: "diskRead", title: "read from disks", least: 1000, percent: false },
  { id: "diskWrite", title: "written to disks", least: 1000, percent: false },
  { id: "netIn", title: "network, in", least: 1000, percent: false },
  { id: "netOut", title: "network, out", least: 1000, percent: false },
];

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
  instances: readonly { key: string; name: string }[];
  metric: ChartMetric;
  /** Seconds. */
  span: number;
  /** Epoch milliseconds. */
  now: number;
  width: number;
  height: number;
}

/** The whole screen: a line for each instance with its value of now and its highest, then the chart. */
export function chartText(monitor: Pick<Monitor, "spread" | "rates">, view: ChartView): string[] {
  const { instances, metric, span, now, width, height } = view;
  const series: ChartSeries[] = instances.map(({ key, name }) => ({
    label: name,
    values: monitor.spread(key, metric.id, now - span * 1000, now, valuesFor(width)),
  }));
  const shown = Math.max(1, Math.min(series.length, Math.floor(height / 3)));
  const names = Math.min(30, Math.max(4, ...series.slice(0, shown).map(({ label }) => widthOf(label))));
  const legend = series.slice(0, shown).map(({ label, values }, index) => {
    const current = monitor.rates(instances[index]?.key ?? "")?.[metric.id] ?? null;
    const known = values.filter((value) => value !== null);
    const highest = known.length > 0 ? Math.max(...known) : null;
    const text = `${cell(label, names)}  now ${cell(valueText(metric, current), 9, "right")}  highest ${cell(valueText(metric, highest), 9, "right")}`;
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
