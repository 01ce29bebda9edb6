/** What a domain uses, from the raw pairs of `virsh domstats` (libvirt 7.0 to 11). */
import type { Usage } from "../instances/types.ts";

type Stats = Readonly<Record<string, string>>;

const numberIn = (stats: Stats, field: string): number | null => {
  const text = stats[field];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
};

/** The sum over `GROUP.N.FIELD`; null when there is none of it. */
function sum(stats: Stats, group: string, field: string): number | null {
  let total: number | null = null;
  for (let index = 0, count = numberIn(stats, `${group}.count`) ?? 0; index < count; index += 1) {
    const value = numberIn(stats, `${group}.${index}.${field}`);
    if (value !== null) total = (total ?? 0) + value;
  }
  return total;
}

/**
 * Null for a domain that does not run, or of a driver without numbers. Memory: what the guest itself says that it uses,
 * where its balloon driver tells (`balloon.last-update` is not 0; domstats gives KiB); else what QEMU holds of the host's.
 */
export function usageOf(stats: Stats): Usage | null {
  const cpuNs = numberIn(stats, "cpu.time");
  if (stats["state.state"] === "5" || cpuNs === null) return null;
  const available = numberIn(stats, "balloon.available");
  const usable = numberIn(stats, "balloon.usable");
  const told = (numberIn(stats, "balloon.last-update") ?? 0) > 0 && available !== null && usable !== null;
  const resident = numberIn(stats, "balloon.rss");
  const kib = told ? Math.max(0, available - usable) : resident;
  return {
    cpuNs,
    memoryMiB: kib === null ? null : kib / 1024,
    memorySource: kib === null ? null : told ? "balloon" : "resident",
    diskReadBytes: sum(stats, "block", "rd.bytes"),
    diskWrittenBytes: sum(stats, "block", "wr.bytes"),
    netInBytes: sum(stats, "net", "rx.bytes"),
    netOutBytes: sum(stats, "net", "tx.bytes"),
  };
}
