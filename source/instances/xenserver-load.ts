/**
 * CPU time of a pool's guests. `xe` gives what each vCPU does as a share of now (xapi's `cpuN` data sources) and counts nothing,
 * while usage is told in counters everywhere else: the share is summed up over the time since the look before.
 */
import { mapOf, parseXeList } from "../tools/xe-parse.ts";
import type { Instance } from "./types.ts";

interface Counted {
  /** Epoch milliseconds. */
  at: number;
  cpuNs: number;
}

/** Numbers that are older than this say nothing of now. */
const longestMs = 60_000;
const cpuAlone = "xe tells of vCPUs alone; disks, network and memory would be a call for each guest and number";

export class XeLoads {
  private counts: ReadonlyMap<string, Counted> = new Map();

  /** @param text What `vm-list params=uuid,VCPUs-utilisation` printed. @param now Epoch milliseconds. */
  take(text: string, now: number): void {
    const counts = new Map<string, Counted>();
    for (const record of parseXeList(text)) {
      const uuid = record.get("uuid") ?? "";
      const shares = [...mapOf(record.get("VCPUs-utilisation")).values()].map(Number);
      if (shares.length === 0 || !shares.every((share) => Number.isFinite(share) && share >= 0)) continue;
      const before = this.counts.get(uuid) ?? { at: now, cpuNs: 0 };
      const busy = shares.reduce((sum, share) => sum + share, 0);
      counts.set(uuid, { at: now, cpuNs: before.cpuNs + busy * (now - before.at) * 1e6 });
    }
    // Who is off now, or was not told of, begins anew.
    this.counts = counts;
  }

  /** What a running guest uses, and what of it nobody tells. @param now Epoch milliseconds. */
  of(uuid: string, now: number): Pick<Instance, "usage" | "usageGap"> {
    const count = this.counts.get(uuid);
    if (!count || now - count.at > longestMs) return { usageGap: "xapi has not told what its vCPUs do" };
    return {
      usage: {
        ...{ at: count.at, cpuNs: Math.round(count.cpuNs), memoryMiB: null, memorySource: null },
        ...{ diskReadBytes: null, diskWrittenBytes: null, netInBytes: null, netOutBytes: null },
      },
      usageGap: cpuAlone,
    };
  }
}
