/** What the user left open about a cluster, chosen from what the nodes and the job have. Pure. */
import { freeDisks } from "../tools/disks.ts";
import { addressIn } from "../tools/network.ts";
import type { NodeStates } from "./configure-types.ts";
import type { GanetiStorage } from "./install-ganeti-types.ts";
import type { PlanNode } from "./plan.ts";

const fileDirectory = "/srv/ganeti/file-storage";

export interface StorageWish {
  kind: GanetiStorage["kind"];
  directory: string;
  group: string;
  /** For nodes that name none of their own; null: the node's largest free disk. */
  disk: string | null;
  disks: Readonly<Record<string, string>>;
  /** All disks that are named, to be looked at. */
  devices: readonly string[];
}

/** Reads `file`, `file:/DIRECTORY`, `lvm`, `lvm:/dev/DISK`, `diskless`, and `[NODE:]/dev/DISK` of each disk; null: none of these. */
export function readStorage(given: {
  storage: string | undefined;
  group: string;
  disks: readonly string[];
}): StorageWish | null {
  const word = given.storage ?? (given.disks.length > 0 ? "lvm" : "file");
  const [, kind, path] = /^(file|lvm|diskless)(?::(\/\S+))?$/.exec(word) ?? [];
  if (kind === undefined || (kind === "diskless" && path)) return null;
  let disk = kind === "lvm" ? (path ?? null) : null;
  const disks: Record<string, string> = {};
  for (const named of given.disks) {
    const [, node, device] = /^(?:([^:]+):)?(\/dev\/\S+)$/.exec(named) ?? [];
    if (device === undefined) return null;
    if (node === undefined) disk = device;
    else disks[node] = device;
  }
  const devices = [...new Set([...(disk === null ? [] : [disk]), ...Object.values(disks)])];
  return {
    kind: kind as GanetiStorage["kind"],
    directory: kind === "file" ? (path ?? fileDirectory) : fileDirectory,
    group: given.group,
    disk,
    disks,
    devices,
  };
}

/** @param erase Disks, as `DEVICE` or `NODE:DEVICE`, whose content the user gave up. */
export function chooseStorage(
  wish: StorageWish,
  nodes: readonly PlanNode[],
  states: NodeStates,
  erase: readonly string[],
): GanetiStorage {
  if (wish.kind === "diskless") return { kind: "diskless" };
  if (wish.kind === "file") return { kind: "file", directory: wish.directory };
  const pairs = nodes.flatMap(({ name }) => {
    const state = states.get(name);
    const device = wish.disks[name] ?? wish.disk ?? (state ? freeDisks(state.disks)[0]?.path : undefined);
    // A node that has the group needs no disk; its disk is in use, by that group.
    const hasGroup = state?.groups?.some((group) => group.name === wish.group) === true;
    return device === undefined || hasGroup ? [] : [[name, device] as const];
  });
  return {
    kind: "lvm",
    group: wish.group,
    disks: Object.fromEntries(pairs),
    erase: pairs
      .filter(([name, device]) => erase.includes(device) || erase.includes(`${name}:${device}`))
      .map(([name, device]) => `${name}:${device}`),
  };
}

/** The first address of a job's subnet (`10.144.0.0/22`) for the cluster, or null. */
export function subnetAddress(subnet: string): string | null {
  const [, network, prefix] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(subnet) ?? [];
  return network && prefix ? addressIn(network, Number(prefix), 1) : null;
}
