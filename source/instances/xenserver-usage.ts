/**
 * What is asked of a pool besides its lists: what its guests and hosts use, and how full its storage repositories are. Most
 * comes from the hosts' records; `xe` tells of the vCPUs of those guests whose host can't be asked.
 */
import { parseHostName } from "../ssh/host-name.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { sameHost } from "../tools/ganeti-probe.ts";
import type { XeRecord } from "../tools/xe-parse.ts";
import { guestRates, hostRates, type XeRates } from "../tools/xe-rrd.ts";
import type { HostNode, Instance, PoolFill, ProviderOptions } from "./types.ts";
import { vcpuRates, XeCounts } from "./xenserver-counts.ts";
import { readXeFills } from "./xenserver-rows.ts";
import { type RrdHost, type RrdLook, XeRrd } from "./xenserver-rrd.ts";

/** xapi counts a repository that seldom or more seldom; two calls of xe are saved in most looks. */
const fillsEveryMs = 60_000;

export interface XeUsageOptions {
  pool: Pool;
  /** The named host, and its UUID. */
  host: HostRef;
  hostUuid: string | null;
  known: readonly HostRef[];
  master: string | null;
  /** For one answer. */
  limitMs: number;
  now: () => number;
}

export class XeUsage {
  private readonly counts = new XeCounts();
  private readonly rrd: XeRrd;
  private fills: ReadonlyMap<string, PoolFill[]> | null = null;
  private fillsAt = Number.NEGATIVE_INFINITY;
  /** Some guest that runs is in no record. */
  private lacking = true;

  constructor(private readonly options: XeUsageOptions) {
    this.rrd = new XeRrd(options);
  }

  /** What the list is to be asked besides, for somebody who looks. */
  wants(): { load: boolean; stores: boolean } {
    return { load: this.lacking, stores: this.options.now() - this.fillsAt >= fillsEveryMs };
  }

  /** Asks the hosts that are known. Never rejects. */
  refresh(withinMs: number, options: ProviderOptions): Promise<RrdLook[]> {
    return this.rrd.refresh(withinMs, options);
  }

  /** Takes what somebody's look gave: the hosts' answers and the parts of the list. */
  async take(
    looks: readonly RrdLook[],
    list: { parts: ReadonlyMap<string, string>; hosts: ReadonlyMap<string, XeRecord>; instances: readonly Instance[] },
    withinMs: number,
    options: ProviderOptions,
  ): Promise<void> {
    const { parts, hosts, instances } = list;
    const { now, master } = this.options;
    const more = this.know(hosts) ? await this.rrd.refresh(withinMs, options) : [];
    const at = now();
    const records = new Map<string, XeRates>();
    const running = instances.filter(({ status }) => status === "running");
    for (const { uuid: host, updates, seconds } of [...looks, ...more]) {
      const { guests, times } = updates;
      const busy = updates.host ? hostRates(updates.host.columns, times, seconds) : null;
      if (busy) this.counts.takeHost(host, busy, at);
      for (const { id, facts } of running) {
        // A guest that has moved is for a while in the records of both.
        const columns = facts["residentOn"] === host ? guests.get(id) : undefined;
        if (columns) records.set(id, guestRates(columns, times, seconds));
      }
    }
    this.counts.take({ records, shares: vcpuRates(parts.get("load") ?? "") }, new Set(running.map(({ id }) => id)), at);
    this.lacking = running.some((guest) => this.gapOf(guest) !== null || !this.counts.knows(guest.id, at));
    if (!parts.has("srs")) return;
    this.fills = readXeFills(parts, master);
    this.fillsAt = at;
  }

  /** True when there is a host to ask that was not known before. */
  private know(hosts: ReadonlyMap<string, XeRecord>): boolean {
    return this.rrd.know(
      [...hosts].map(([uuid, record]): RrdHost => {
        const [name, address] = [record.get("name-label") ?? uuid, record.get("address") ?? ""];
        return { uuid, name, address, target: this.wayTo(uuid, name, address) };
      }),
    );
  }

  private wayTo(uuid: string, name: string, address: string): HostRef | null {
    const { host, hostUuid, known } = this.options;
    if (uuid === hostUuid) return host;
    const isIt = (other: HostRef) => {
      const named = parseHostName(other.name).host;
      return named === address || sameHost(named, name);
    };
    return known.find(isIt) ?? null;
  }

  ofGuest(guest: Instance): Pick<Instance, "usage" | "usageGap"> {
    return guest.status === "running" ? this.counts.of(guest.id, this.gapOf(guest), this.options.now()) : {};
  }

  private gapOf({ facts: { residentOn } }: Instance): string | null {
    return this.rrd.gap(typeof residentOn === "string" ? residentOn : null);
  }

  ofHost(uuid: string): Pick<HostNode, "cpu" | "usageGap"> {
    return this.counts.ofHost(uuid, this.rrd.gap(uuid));
  }

  /** Undefined: nobody has looked for them yet. */
  fillsOf(uuid: string): readonly PoolFill[] | undefined {
    return this.fills === null ? undefined : (this.fills.get(uuid) ?? []);
  }
}
