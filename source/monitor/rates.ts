/** What two looks at an instance say of the time between them. Pure. */
import type { Usage } from "../instances/types.ts";

/** Null: nobody tells, or the counter went back meanwhile. */
export interface Rates {
  /** Share of its own vCPUs that it used, in percent. QEMU's own work counts too, so that it can pass 100. */
  cpu: number | null;
  /** Share of the memory that it was given, in percent. */
  memory: number | null;
  memoryMiB: number | null;
  memorySource: Usage["memorySource"];
  /** Bytes a second. */
  diskRead: number | null;
  diskWrite: number | null;
  netIn: number | null;
  netOut: number | null;
}

export interface Look {
  /** Epoch milliseconds. */
  at: number;
  usage: Usage;
  vcpus: number | null;
  memoryMiB: number | null;
}

/** Two looks closer together than this say more about the clocks than about the instance. */
export const shortestMs = 500;

/** The rates at `now`; those that need an earlier look are null without one, and after a restart. */
export function ratesOf(before: Look | null, now: Look): Rates {
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const usable = before !== null && seconds * 1000 >= shortestMs && !restarted(before.usage, now.usage);
  const each = (field: keyof Usage): number | null => {
    const [from, to] = [before?.usage[field], now.usage[field]];
    if (!usable || typeof from !== "number" || typeof to !== "number" || to < from) return null;
    return (to - from) / seconds;
  };
  const cpuNs = each("cpuNs");
  const { memoryMiB, memorySource } = now.usage;
  return {
    cpu: cpuNs === null ? null : (cpuNs / 1e9 / (now.vcpus || 1)) * 100,
    memory: memoryMiB === null || !now.memoryMiB ? null : (memoryMiB / now.memoryMiB) * 100,
    memoryMiB,
    memorySource,
    diskRead: each("diskReadBytes"),
    diskWrite: each("diskWrittenBytes"),
    netIn: each("netInBytes"),
    netOut: each("netOutBytes"),
  };
}

/** Any counter that went back: all began anew, also those that have already passed their old value. */
function restarted(before: Usage, now: Usage): boolean {
  const counters = ["cpuNs", "diskReadBytes", "diskWrittenBytes", "netInBytes", "netOutBytes"] as const;
  return counters.some((field) => (now[field] ?? 0) < (before[field] ?? 0));
}
