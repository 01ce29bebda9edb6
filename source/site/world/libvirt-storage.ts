/** A libvirt host's pools, volumes and networks, and what its guests' cards are called. */
import type { Domain, LibvirtHost } from "./libvirt.ts";

export interface Volume {
  name: string;
  /** Bytes. */
  capacity: number;
  allocation: number;
  format: "qcow2" | "raw";
}

export interface StoragePool {
  name: string;
  uuid: string;
  directory: string;
  capacity: number;
  /** Taken by what is no volume of a guest. */
  others: number;
  volumes: Map<string, Volume>;
}

const gibibyte = 1024 ** 3;

export class HostStorage {
  readonly pools: StoragePool[];
  /** Cards of domains that were made with one. */
  private readonly macs = new Map<string, string>();
  /** Domains without a network. */
  private readonly cut = new Set<string>();

  constructor(private readonly host: LibvirtHost) {
    const volumes = host.domains.map(({ name, disk }): [string, Volume] => {
      const volume = `${name}.qcow2`;
      return [volume, { name: volume, capacity: disk, allocation: Math.floor(disk / 3), format: "qcow2" }];
    });
    this.pools = [
      {
        ...{ name: "default", uuid: "69af6e5a-e507-40e1-9082-68ede281d0b8", directory: "/var/lib/libvirt/images" },
        ...{ capacity: 931 * gibibyte, others: 40 * gibibyte, volumes: new Map(volumes) },
      },
    ];
  }

  pool(name: string): StoragePool | undefined {
    return this.pools.find((pool) => pool.name === name);
  }

  used(pool: StoragePool): number {
    return [...pool.volumes.values()].reduce((sum, { allocation }) => sum + allocation, pool.others);
  }

  setCard({ uuid }: Domain, mac: string | null): void {
    if (mac === null) this.cut.add(uuid);
    else this.macs.set(uuid, mac);
  }

  /** null: it has none. */
  card({ uuid }: Domain): string | null {
    if (this.cut.has(uuid)) return null;
    return this.macs.get(uuid) ?? `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
  }

  /** What DHCP gives a guest some seconds after its start; null before, and without a card. */
  address(domain: Domain): string | null {
    const mac = this.card(domain);
    const seconds = (this.host.clock.now() - domain.startedAt) / 1000;
    if (mac === null || domain.state !== "running" || seconds < 15) return null;
    return `192.168.122.${2 + (Number.parseInt(mac.slice(-2), 16) % 253)}`;
  }
}

const known = new WeakMap<LibvirtHost, HostStorage>();

export function storageOf(host: LibvirtHost): HostStorage {
  const found = known.get(host) ?? new HostStorage(host);
  known.set(host, found);
  return found;
}
