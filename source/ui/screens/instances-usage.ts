/** The cells that tell what an instance uses now. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Rates } from "../../monitor/rates.ts";
import { sparkline } from "../components/chart-lines.ts";
import { bytesText } from "./chart-text.ts";
import { mebibytes } from "./instances-rows.ts";

/** What is known of the use of an instance, by its key. */
export interface UsageLook {
  rates: (key: string) => Rates | null;
  /** CPU in percent over the last minutes, oldest first; null where nobody looked. */
  trend: (key: string) => readonly (number | null)[];
  /** What is above its limit for long enough: `cpu`, `memory`. */
  hot: (key: string) => readonly string[];
}

/** Nothing is known of anything. */
export const noLook: UsageLook = { rates: () => null, trend: () => [], hot: () => [] };

/** How many looks a trend has. */
export const trendLength = 4;

/** What is above its limit is marked by more than its colour. */
export function hotMark(hot: boolean): string {
  return hot ? "!" : " ";
}

/** Where it runs and nobody knows; nothing where it is off. */
function unknown({ status }: InstanceRow): string {
  return status === "running" ? "–" : "";
}

export function cpuText(row: InstanceRow, look: UsageLook): string {
  const { key } = row;
  const cpu = look.rates(key)?.cpu ?? null;
  if (cpu === null) return unknown(row);
  return `${sparkline(look.trend(key), 100)}${hotMark(look.hot(key).includes("cpu"))}${String(Math.round(cpu)).padStart(3)} %`;
}

/** MiB in use; `~` before what only its process on the host tells, which is more than the guest uses. */
export function usedText(row: InstanceRow, look: UsageLook): string {
  const rates = look.rates(row.key);
  if (!rates || rates.memoryMiB === null) return unknown(row);
  const mark = look.hot(row.key).includes("memory") ? hotMark(true) : "";
  return `${mark}${rates.memorySource === "resident" ? "~" : ""}${mebibytes(rates.memoryMiB)}`;
}

function both(row: InstanceRow, one: number | null | undefined, other: number | null | undefined): string {
  return one == null && other == null ? unknown(row) : bytesText((one ?? 0) + (other ?? 0)).replace("/s", "");
}

export function diskText(row: InstanceRow, look: UsageLook): string {
  const rates = look.rates(row.key);
  return both(row, rates?.diskRead, rates?.diskWrite);
}

export function netText(row: InstanceRow, look: UsageLook): string {
  const rates = look.rates(row.key);
  return both(row, rates?.netIn, rates?.netOut);
}

/** A number to sort by; what is not known comes below all that is. */
export function usageNumber(by: "cpu" | "used" | "disk" | "net", rates: Rates | null): number {
  if (!rates) return -1;
  const sum = (one: number | null, other: number | null) =>
    one === null && other === null ? -1 : (one ?? 0) + (other ?? 0);
  switch (by) {
    case "cpu":
      return rates.cpu ?? -1;
    case "used":
      return rates.memoryMiB ?? -1;
    case "disk":
      return sum(rates.diskRead, rates.diskWrite);
    case "net":
      return sum(rates.netIn, rates.netOut);
  }
}
