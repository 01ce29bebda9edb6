/** The cells and lines that tell what a node uses now, and how full its pools are. Pure. */
import type { NodeRow } from "../../instances/inventory-types.ts";
import type { PoolFill } from "../../instances/types.ts";
import { fillPercent, type NodeMetric, type NodeRates, poolsOf } from "../../monitor/nodes.ts";
import { plainLine } from "../../text.ts";
import { sparkline } from "../components/chart-lines.ts";
import { cell, paint, type Style, unicodeShown } from "../theme.ts";
import { mebibytes } from "./instances-rows.ts";
import { hotMark } from "./instances-usage.ts";

/** What is known of the use of a node, by its key. */
export interface NodeLook {
  rates: (key: string) => NodeRates | null;
  /** Percent over the last minutes, oldest first; null where nobody looked. */
  trend: (key: string, metric: NodeMetric) => readonly (number | null)[];
  /** What is above its limit: `cpu`, `memory`, `storage`. */
  hot: (key: string) => readonly string[];
  /** Names of the pools that are above the limit. */
  fullPools: (key: string) => readonly string[];
}

/** Nothing is known of anything. */
export const noNodeLook: NodeLook = { rates: () => null, trend: () => [], hot: () => [], fullPools: () => [] };

export const hotStyles: readonly Style[] = ["red", "bold"];

/** `▁▂▃▂  12 %`, or a dash where nobody tells. */
export function nodeCell({ key }: Pick<NodeRow, "key">, metric: NodeMetric, look: NodeLook): string {
  const value = look.rates(key)?.[metric] ?? null;
  if (value === null) return "–";
  const mark = hotMark(look.hot(key).includes(metric));
  return `${sparkline(look.trend(key, metric), 100)}${mark}${String(Math.round(value)).padStart(3)} %`;
}

/** MiB that are free, marked where too much is in use. */
export function freeCell(
  { key }: Pick<NodeRow, "key">,
  mib: number | null,
  metric: NodeMetric,
  look: NodeLook,
): string {
  const text = mebibytes(mib);
  if (!look.hot(key).includes(metric)) return text;
  return `${hotMark(true)}${text.replace(/\.\d/, "")}`;
}

/** How full, as a bar of ten cells: `██████░░░░`. */
function bar(percent: number): string {
  const full = Math.round(Math.min(100, Math.max(0, percent)) / 10);
  return (unicodeShown ? "█" : "#").repeat(full) + (unicodeShown ? "░" : ".").repeat(10 - full);
}

function poolLine(pool: PoolFill, names: number, full: boolean): string {
  const percent = fillPercent(pool);
  const text = `${bar(percent)}${hotMark(full)}${String(Math.round(percent)).padStart(3)} %  ${mebibytes(pool.freeMiB)} free of ${mebibytes(pool.totalMiB)}`;
  const name = cell(pool.name === "" ? "storage" : plainLine(pool.name), names);
  return full ? `${name} ${paint(text, ...hotStyles)}` : `${name} ${text}`;
}

const label = 10;

/** CPU and memory with their last minutes, then a line for each pool; what can't be known is said with the reason. */
export function nodeUseLines(node: NodeRow, look: NodeLook): string[] {
  const rates = look.rates(node.key);
  const hot = look.hot(node.key);
  const line = (name: string, metric: "cpu" | "memory", more: string) => {
    const text = `${nodeCell(node, metric, look)}${more}`;
    return `${paint(cell(name, label), "dim")} ${hot.includes(metric) ? paint(text, ...hotStyles) : text}`;
  };
  const { memoryTotal, memoryFree } = node;
  const memory =
    memoryTotal === null || memoryFree === null
      ? ""
      : `  ${mebibytes(memoryTotal - memoryFree)} used of ${mebibytes(memoryTotal)}`;
  const pools = poolsOf(node);
  const full = look.fullPools(node.key);
  const names = Math.min(24, Math.max(label, ...pools.map(({ name }) => name.length)));
  return [
    line("CPU", "cpu", ""),
    line("memory", "memory", memory),
    ...pools.map((pool) => poolLine(pool, names, full.includes(pool.name))),
    ...(node.usageGap && rates?.cpu == null ? [paint(`– ${plainLine(node.usageGap)}`, "dim")] : []),
  ];
}
