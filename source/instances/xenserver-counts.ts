/**
 * What a pool's guests and hosts use, as counters. XenServer tells what each does as a rate of now (its records) or its vCPUs'
 * share (`xe`, where the records can't be read) and counts nothing, while usage is told in counters everywhere else: the rates
 * are summed up over the time since the look before.
 */
import { mapOf, parseXeList } from "../tools/xe-parse.ts";
import type { XeRates } from "../tools/xe-rrd.ts";
import type { HostNode, Instance, Usage } from "./types.ts";

/** Numbers that are older than this say nothing of now. */
const longestMs = 60_000;

const counters = {
  cpu: "cpuNs",
  diskRead: "diskReadBytes",
  diskWrite: "diskWrittenBytes",
  netIn: "netInBytes",
  netOut: "netOutBytes",
} as const;

interface Counted {
  usage: Usage & { at: number };
  /** It comes from the records: all that can be known is. */
  whole: boolean;
}

/** What `vm-list params=uuid,VCPUs-utilisation` printed: rates of the vCPUs alone, by UUID. */
export function vcpuRates(text: string): Map<string, XeRates> {
  const rates = new Map<string, XeRates>();
  for (const record of parseXeList(text)) {
    const shares = [...mapOf(record.get("VCPUs-utilisation")).values()].map(Number);
    if (shares.length === 0 || !shares.every((share) => Number.isFinite(share) && share >= 0)) continue;
    const cpu = shares.reduce((sum, share) => sum + share, 0);
    const unknown = { memoryMiB: null, diskRead: null, diskWrite: null, netIn: null, netOut: null };
    rates.set(record.get("uuid") ?? "", { cpu, ...unknown });
  }
  return rates;
}

export class XeCounts {
  private counts: ReadonlyMap<string, Counted> = new Map();
  private readonly hosts = new Map<string, NonNullable<HostNode["cpu"]> & { at: number }>();

  /**
   * @param told Rates by UUID: those of the records, and those of `xe` for whom the records do not know.
   * @param running Who runs: all others begin anew when they start.
   * @param now Epoch milliseconds.
   */
  take(
    told: { records: ReadonlyMap<string, XeRates>; shares: ReadonlyMap<string, XeRates> },
    running: ReadonlySet<string>,
    now: number,
  ): void {
    const counts = new Map<string, Counted>();
    for (const uuid of running) {
      const before = this.counts.get(uuid);
      const recent = before && now - before.usage.at <= longestMs ? before : undefined;
      const [record, share] = [told.records.get(uuid), told.shares.get(uuid)];
      const rates = record ?? share;
      // Who was not told of this time keeps what is known for a while.
      if (!rates) {
        if (recent) counts.set(uuid, recent);
        continue;
      }
      const usage = add(recent?.usage, { ...rates, cpu: rates.cpu ?? share?.cpu ?? null }, now);
      counts.set(uuid, { usage, whole: record !== undefined });
    }
    this.counts = counts;
  }

  /** A host told how many of its CPUs are busy. */
  takeHost(uuid: string, { cpus, busy }: { cpus: number; busy: number }, now: number): void {
    const before = this.hosts.get(uuid);
    const elapsedNs = before && now - before.at <= longestMs ? (now - before.at) * 1e6 : 0;
    const { busyNs = 0, totalNs = 0 } = before ?? {};
    this.hosts.set(uuid, { at: now, busyNs: busyNs + busy * elapsedNs, totalNs: totalNs + cpus * elapsedNs });
  }

  /** Whether the records told of a guest so lately that `xe` need not be asked. */
  knows(uuid: string, now: number): boolean {
    const count = this.counts.get(uuid);
    return count?.whole === true && count.usage.cpuNs !== null && now - count.usage.at <= longestMs;
  }

  /** What a running guest uses, and what of it nobody tells. `gap`: why its host's records are not known, or null. */
  of(uuid: string, gap: string | null, now: number): Pick<Instance, "usage" | "usageGap"> {
    const count = this.counts.get(uuid);
    if (!count || now - count.usage.at > longestMs) return { usageGap: gap ?? "xapi has not told what its vCPUs do" };
    const { usage, whole } = count;
    if (!whole)
      return { usage, usageGap: `xe tells of vCPUs alone: ${gap ?? "its host's records do not know it yet"}` };
    return usage.memoryMiB !== null
      ? { usage }
      : { usage, usageGap: "no guest agent in it tells how much of its memory is free" };
  }

  /** CPU time of a host, or why it is not known. */
  ofHost(uuid: string, gap: string | null): Pick<HostNode, "cpu" | "usageGap"> {
    const cpu = this.hosts.get(uuid);
    if (gap !== null) return { usageGap: gap };
    return cpu ? { cpu } : { usageGap: "its records do not tell what its CPUs do" };
  }
}

/** Counters at `now`; one begins where its rate is first told. */
function add(before: Counted["usage"] | undefined, rates: XeRates, now: number): Counted["usage"] {
  const seconds = before ? (now - before.at) / 1000 : 0;
  const sum = (rate: keyof typeof counters) => {
    const value = rates[rate];
    if (value === null) return null;
    return Math.round((before?.[counters[rate]] ?? 0) + value * seconds * (rate === "cpu" ? 1e9 : 1));
  };
  const { memoryMiB } = rates;
  return {
    ...{ at: now, cpuNs: sum("cpu"), memoryMiB, memorySource: memoryMiB === null ? null : "balloon" },
    ...{ diskReadBytes: sum("diskRead"), diskWrittenBytes: sum("diskWrite") },
    ...{ netInBytes: sum("netIn"), netOutBytes: sum("netOut") },
  };
}
