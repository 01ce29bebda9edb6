/**
 * CPU time of a pool's guests. `xe` gives what each vCPU does as a share of now (xapi's `cpuN` data sources) and counts nothing,
 * while usage is told in counters everywhere else: the share is summed up over the time since the look before.
 */
import { mapOf, parseXeList } from "../tools/xe-parse.ts";
import type { Usage } from "./types.ts";

interface Counted {
  /** Milliseconds on the clock of `counted`. */
  at: number;
  cpuNs: number;
}

export class XeLoads {
  private counts: ReadonlyMap<string, Counted> = new Map();

  /** @param text What `vm-list params=uuid,VCPUs-utilisation` printed. @param now Milliseconds. */
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

  /** Disks, network and the guest's own memory would be a call of xe for each guest and number. */
  usageOf(uuid: string): Usage | undefined {
    const count = this.counts.get(uuid);
    if (!count) return undefined;
    return {
      ...{ cpuNs: Math.round(count.cpuNs), memoryMiB: null, memorySource: null, diskReadBytes: null },
      ...{ diskWrittenBytes: null, netInBytes: null, netOutBytes: null },
    };
  }
}
