/**
 * Storage repositories, disks and networks of a pool of XenServer or XCP-ng, as `xe` lists them. Field names and values by
 * ocaml/xapi-cli-server/records.ml of github.com/xapi-project/xen-api.
 */
import type { StoragePool, StoreView, VirtualNetwork } from "../instances/stores-types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { type XeAccess, xe, xePollLimit } from "./xe.ts";
import { mebibytesOf, parseXeList, partsOf, type XeRecord } from "./xe-parse.ts";

export const xeStoresParts = [
  ["hosts", ["host-list", "params=uuid,name-label"]],
  ["srs", ["sr-list", "params=uuid,name-label,type,content-type,shared,physical-size,physical-utilisation"]],
  ["pbds", ["pbd-list", "currently-attached=true", "params=uuid,sr-uuid,host-uuid"]],
  // What an image is based on is no disk of anybody's.
  ["disks", ["vdi-list", "managed=true", "params=uuid,name-label,sr-uuid,virtual-size,physical-utilisation"]],
  ["drives", ["vbd-list", "params=uuid,vdi-uuid,vm-name-label"]],
  ["networks", ["network-list", "params=uuid,name-label,bridge"]],
  ["cards", ["vif-list", "params=uuid,network-uuid,vm-name-label"]],
] as const satisfies readonly (readonly [string, readonly string[]])[];

/** All of it in one round trip; the first question that fails ends it. */
export function xeStoresCommand(access: XeAccess): Command {
  const asked = xeStoresParts.map(
    ([name, words]) => sh`echo ${`@@virtu ${name}`} && ${xe(access, words, xePollLimit)}`,
  );
  return sh`${asked.reduce((one, other) => sh`${one} && ${other}`)}; echo "@@virtu end $?"`;
}

export interface XeRepository {
  uuid: string;
  name: string;
  sizeMiB: number | null;
  freeMiB: number | null;
  /** UUIDs of the hosts where it is plugged in. */
  hosts: readonly string[];
  record: XeRecord;
}

/** The repositories of the parts `srs` and `pbds`. xapi counts their sizes itself now and then (`SR.scan`). */
export function readXeRepositories(parts: ReadonlyMap<string, string>): XeRepository[] {
  const plugged = parseXeList(parts.get("pbds") ?? "");
  return parseXeList(parts.get("srs") ?? "").map((record) => {
    const [uuid, sizeMiB] = [record.get("uuid") ?? "", mebibytesOf(record.get("physical-size"))];
    const used = mebibytesOf(record.get("physical-utilisation")) ?? 0;
    return {
      ...{ uuid, name: record.get("name-label") ?? "", sizeMiB, record },
      freeMiB: sizeMiB === null ? null : Math.max(0, sizeMiB - used),
      hosts: plugged.flatMap((pbd) => (pbd.get("sr-uuid") === uuid ? [pbd.get("host-uuid") ?? ""] : [])),
    };
  });
}

/** Names of guests by what they use, each once. */
function usersOf(records: readonly XeRecord[], by: string): (uuid: string) => string[] {
  const users = new Map<string, Set<string>>();
  for (const record of records) {
    const [uuid, guest] = [record.get(by) ?? "", record.get("vm-name-label") ?? ""];
    if (!users.has(uuid)) users.set(uuid, new Set());
    users.get(uuid)?.add(guest);
  }
  return (uuid) => [...(users.get(uuid) ?? [])];
}

/** Takes the answer apart; null when xe did not answer all of it (stderr says why). */
export function parseXeStores(stdout: string): StoreView | null {
  const parts = partsOf(stdout);
  if (parts.get("end") !== "0") return null;
  const list = (name: (typeof xeStoresParts)[number][0]) => parseXeList(parts.get(name) ?? "");
  const hostNames = new Map(list("hosts").map((host) => [host.get("uuid") ?? "", host.get("name-label") ?? ""]));
  const disks = list("disks");
  const [diskUsers, cardUsers] = [usersOf(list("drives"), "vdi-uuid"), usersOf(list("cards"), "network-uuid")];
  // A drive of a host itself holds what somebody has put into it.
  const kept = readXeRepositories(parts).filter(({ record }) => record.get("type") !== "udev");
  return {
    pools: kept.map(({ uuid, name, sizeMiB, freeMiB, hosts, record }): StoragePool => {
      const type = record.get("type") ?? null;
      // Each host has a `Local storage`.
      const own = record.get("shared") === "false" && hosts.length === 1 ? hostNames.get(hosts[0] ?? "") : undefined;
      return {
        ...{ name: own === undefined ? name : `${own}:${name}`, active: hosts.length > 0, autostart: true },
        ...{ type, target: type, sizeMiB, freeMiB },
        volumes: disks
          .filter((disk) => disk.get("sr-uuid") === uuid)
          .map((disk) => ({
            ...{ name: disk.get("name-label") || (disk.get("uuid") ?? ""), path: disk.get("uuid") ?? "" },
            sizeMiB: mebibytesOf(disk.get("virtual-size")),
            takenMiB: mebibytesOf(disk.get("physical-utilisation")),
            usedBy: diskUsers(disk.get("uuid") ?? ""),
          })),
      };
    }),
    networks: list("networks").map(
      (network): VirtualNetwork => ({
        ...{ name: network.get("name-label") ?? "", active: true, autostart: true },
        ...{ bridge: network.get("bridge") || null, forward: "bridge", address: null, dhcp: null, leases: [] },
        usedBy: cardUsers(network.get("uuid") ?? ""),
      }),
    ),
    problems: [],
  };
}
