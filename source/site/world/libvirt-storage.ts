/** A libvirt host's pools and their volumes: the domains' disks, and the media that lie beside them. */
import { randomUUID } from "node:crypto";

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
  active: boolean;
  autostart: boolean;
  capacity: number;
  /** Taken by what is no volume. */
  others: number;
  volumes: Map<string, Volume>;
}

const gibibyte = 1024 ** 3;

function mediaVolume(name: string, capacity: number, allocation = capacity): [string, Volume] {
  return [name, { name, capacity, allocation, format: name.endsWith(".qcow2") ? "qcow2" : "raw" }];
}

export class HostStorage {
  readonly pools: StoragePool[] = [
    {
      ...{ name: "default", uuid: "69af6e5a-e507-40e1-9082-68ede281d0b8", directory: "/var/lib/libvirt/images" },
      ...{ active: true, autostart: true, capacity: 931 * gibibyte, others: 40 * gibibyte },
      volumes: new Map([
        mediaVolume("debian-12-netinst.iso", 658_505_728),
        mediaVolume("debian-12-genericcloud.qcow2", 2 * gibibyte, 343_932_928),
      ]),
    },
  ];

  /** By name or UUID. */
  pool(word: string): StoragePool | undefined {
    return this.pools.find(({ name, uuid }) => name === word || uuid === word);
  }

  /** A pool that is off, of a directory. */
  definePool(name: string, directory: string): void {
    const [uuid, capacity] = [randomUUID(), 200 * gibibyte];
    const facts = { active: false, autostart: false, capacity, others: 0 };
    this.pools.push({ name, uuid, directory, ...facts, volumes: new Map() });
  }

  undefinePool(pool: StoragePool): void {
    this.pools.splice(this.pools.indexOf(pool), 1);
  }

  /** The volume of a path. */
  find(path: string): { pool: StoragePool; volume: Volume } | null {
    const { pool, name } = this.place(path);
    const volume = pool?.volumes.get(name);
    return pool && volume ? { pool, volume } : null;
  }

  private place(path: string): { pool: StoragePool | undefined; name: string } {
    const cut = path.lastIndexOf("/");
    return { pool: this.pools.find(({ directory }) => directory === path.slice(0, cut)), name: path.slice(cut + 1) };
  }

  /** Of the volume of a path; 0: it is none of a pool's. */
  bytes(path: string): number {
    return this.find(path)?.volume.capacity ?? 0;
  }

  /** A disk that is in use, in the pool of its directory. */
  put(path: string, capacity: number): void {
    const { pool, name } = this.place(path);
    const format = name.endsWith(".qcow2") ? "qcow2" : "raw";
    pool?.volumes.set(name, { name, capacity, allocation: Math.floor(capacity / 3), format });
  }

  /** Copies a domain's disk for another one; its path. */
  copy(path: string, owner: string): string {
    const directory = path.slice(0, path.lastIndexOf("/"));
    const paths = ["", "-2", "-3", "-4"].map((number) => `${directory}/${owner}${number}.qcow2`);
    const free = paths.find((one) => this.find(one) === null) ?? `${directory}/${owner}-${randomUUID()}.qcow2`;
    this.put(free, this.bytes(path));
    return free;
  }

  remove(path: string): void {
    const { pool, name } = this.place(path);
    pool?.volumes.delete(name);
  }

  used(pool: StoragePool): number {
    return [...pool.volumes.values()].reduce((sum, { allocation }) => sum + allocation, pool.others);
  }
}
