/** How full the places are where a host keeps disks: what libvirt says of its pools, and `df` of the file systems below them. */
import type { PoolFill } from "../instances/types.ts";

const mib = 1024 * 1024;

export interface Mount {
  at: string;
  /** Bytes; what is kept for root is neither free nor part of `used + free`. */
  total: number;
  used: number;
  free: number;
}

/** `df -Pk` (POSIX): blocks of 1024 bytes; the mount point is the last column and may hold blanks. */
export function parseDf(text: string): Mount[] {
  return text.split("\n").flatMap((line): Mount[] => {
    const found = /^\S.*?\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s+(\/.*)$/.exec(line);
    if (!found) return [];
    const [, total, used, free, at = ""] = found;
    return [{ at, total: Number(total) * 1024, used: Number(used) * 1024, free: Number(free) * 1024 }];
  });
}

/** The file system that holds a path, by the longest mount point above it. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    const above = mount.at === "/" || path === mount.at || path.startsWith(`${mount.at}/`);
    // Of two at one point the later one lies over the other.
    if (above && mount.at.length >= (best?.at.length ?? 0)) best = mount;
  }
  return best;
}

/** What can still be written by guests, and what is written. */
export function fillOfMount({ at, used, free }: Mount): PoolFill {
  return { name: at, totalMiB: Math.round((used + free) / mib), freeMiB: Math.round(free / mib) };
}

export interface PoolFacts {
  name: string;
  /** `dir`, `logical`, … */
  type: string;
  /** Directory, or null. */
  path: string | null;
  /** Bytes, as libvirt counted them when it last refreshed the pool. */
  capacity: number;
  available: number;
}

export interface HostPools {
  pools: PoolFill[];
  /** MiB of all of them, each file system once; null where there is no pool. */
  totalMiB: number | null;
  freeMiB: number | null;
}

/**
 * libvirt counts a pool only when it refreshes it, while guests write on: for a directory the file system's own numbers are
 * taken, if it is the one that libvirt means (its size is the same; behind a symbolic link it may be another).
 */
export function fillOf(facts: readonly PoolFacts[], mounts: readonly Mount[]): HostPools {
  const pools: PoolFill[] = [];
  const places = new Map<string, PoolFill>();
  for (const { name, type, path, capacity, available } of facts) {
    if (capacity <= 0) continue;
    const mount = path !== null && type !== "logical" ? mountOf(path, mounts) : null;
    const same = mount !== null && Math.abs(mount.total - capacity) <= capacity / 100;
    const [total, free] = same ? [mount.used + mount.free, mount.free] : [capacity, available];
    const pool = { name, totalMiB: Math.round(total / mib), freeMiB: Math.round(free / mib) };
    pools.push(pool);
    places.set(same ? mount.at : `${capacity} ${available}`, pool);
  }
  const sum = (of: "totalMiB" | "freeMiB") =>
    places.size === 0 ? null : [...places.values()].reduce((all, pool) => all + pool[of], 0);
  return { pools, totalMiB: sum("totalMiB"), freeMiB: sum("freeMiB") };
}
