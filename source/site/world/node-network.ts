/** Interfaces, addresses and routes of one node. */

export interface Link {
  name: string;
  mac: string;
  kind: "loopback" | "card" | "bridge";
  up: boolean;
  master: string | null;
  addresses: { address: string; prefix: number; dynamic: boolean }[];
}

const mask = (prefix: number) => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
const toNumber = (address: string) => address.split(".").reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);
const toText = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

export function broadcastOf(address: string, prefix: number): string {
  return toText((toNumber(address) | ~mask(prefix)) >>> 0);
}

export function prefixOf(netmask: string): number {
  return toNumber(netmask).toString(2).replaceAll("0", "").length;
}

export class NodeNetwork {
  readonly links: Link[];
  gateway: { address: string; link: string } | null;

  /** What DHCP gives to the node's card, or to a bridge in its place. */
  readonly lease: { address: string; prefix: number; gateway: string };

  constructor(address: string, mac: string) {
    this.lease = { address, prefix: 20, gateway: "172.16.111.254" };
    this.links = [
      {
        name: "lo",
        mac: "00:00:00:00:00:00",
        kind: "loopback",
        up: true,
        master: null,
        addresses: [{ address: "127.0.0.1", prefix: 8, dynamic: false }],
      },
      { name: "eno1", mac, kind: "card", up: true, master: null, addresses: [{ address, prefix: 20, dynamic: true }] },
    ];
    this.gateway = { address: this.lease.gateway, link: "eno1" };
  }

  link(name: string): Link | undefined {
    return this.links.find((link) => link.name === name);
  }

  addBridge(name: string): Link {
    const known = this.link(name);
    if (known) return known;
    const link: Link = {
      name,
      mac: this.links[1]?.mac ?? "",
      kind: "bridge",
      up: false,
      master: null,
      addresses: [],
    };
    this.links.push(link);
    return link;
  }

  remove(name: string): boolean {
    const index = this.links.findIndex((link) => link.name === name);
    if (index < 0) return false;
    this.links.splice(index, 1);
    for (const link of this.links) if (link.master === name) link.master = null;
    return true;
  }

  addAddress(link: Link, address: string, prefix: number, dynamic = false): boolean {
    if (link.addresses.some((one) => one.address === address)) return false;
    link.addresses.push({ address, prefix, dynamic });
    return true;
  }
}
