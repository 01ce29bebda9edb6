/** A libvirt host's networks, and the addresses that their DHCP gives. */
import { randomUUID } from "node:crypto";
import type { Domain } from "./libvirt-domain.ts";
import type { SiteNic } from "./libvirt-set.ts";

export interface SiteNetwork {
  name: string;
  uuid: string;
  bridge: string;
  /** Its own. */
  address: string;
  prefix: number;
  range: { from: string; to: string } | null;
  active: boolean;
  autostart: boolean;
}

export type NetworkFacts = Pick<SiteNetwork, "name" | "address" | "prefix" | "range">;

export class HostNetworks {
  readonly all: SiteNetwork[] = [
    {
      ...{ name: "default", uuid: "81799653-b350-46e5-a506-215bf725696f", bridge: "virbr0" },
      ...{ address: "192.168.122.1", prefix: 24, range: { from: "192.168.122.2", to: "192.168.122.254" } },
      ...{ active: true, autostart: true },
    },
  ];

  /** By name or UUID. */
  find(word: string): SiteNetwork | undefined {
    return this.all.find(({ name, uuid }) => name === word || uuid === word);
  }

  /** One that is off, with a bridge of its own. */
  define(facts: NetworkFacts): void {
    const numbers = this.all.map(({ bridge }) => Number(bridge.slice("virbr".length)));
    const bridge = `virbr${Math.max(-1, ...numbers) + 1}`;
    this.all.push({ ...facts, uuid: randomUUID(), bridge, active: false, autostart: false });
  }

  undefine(network: SiteNetwork): void {
    this.all.splice(this.all.indexOf(network), 1);
  }

  /** What DHCP gives a card when its guest is up; null before, and on networks without it. */
  lease({ type, source, mac }: SiteNic, { state, guest }: Domain): string | null {
    const network = type === "network" ? this.find(source) : undefined;
    if (!network?.active || network.range === null || state !== "running" || !guest.isOnline) return null;
    const first = network.range.from.split(".");
    return [...first.slice(0, 3), 2 + (Number.parseInt(mac.slice(-2), 16) % 253)].join(".");
  }

  /** A guest's first address. */
  address(domain: Domain): string | null {
    return domain.set.nics.map((nic) => this.lease(nic, domain)).find((address) => address !== null) ?? null;
  }
}
