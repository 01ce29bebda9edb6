/** What `xe` lists of a pool, as instances, nodes and details. */
import type { XeSubject } from "../tools/xe-actions.ts";
import { diskId } from "../tools/xe-hardware.ts";
import { mapOf, mebibytesOf, parseXeList, partsOf, setOf, uuidOf, type XeRecord } from "../tools/xe-parse.ts";
import { readXeRepositories } from "../tools/xe-stores.ts";
import type { DiskInfo, HostNode, Instance, InstanceDetails, MigrationTarget, PoolFill, Status } from "./types.ts";

export interface XePlace {
  place: string;
  /** The host as the user named it. */
  host: string;
  /** The pool's name, or null: most have none. */
  pool: string | null;
  master: string | null;
}

const statuses: Readonly<Record<string, Status>> = {
  running: "running",
  halted: "stopped",
  suspended: "stopped",
  paused: "paused",
};

const number = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null);

export function xeInstance(vm: XeRecord, hosts: ReadonlyMap<string, XeRecord>, place: XePlace): Instance {
  const uuid = vm.get("uuid") ?? "";
  const word = vm.get("power-state") ?? "unknown";
  const status = statuses[word] ?? "unknown";
  const resident = uuidOf(vm.get("resident-on"));
  const live = status === "running" || status === "paused";
  const actual = live ? mebibytesOf(vm.get("memory-actual")) : null;
  const operations = [...mapOf(vm.get("current-operations")).values()];
  const addresses = [...mapOf(vm.get("networks"))].filter(([key]) => /\/ip$/.test(key)).map(([, ip]) => ip);
  const max = vm.get("memory-dynamic-max") ?? vm.get("memory-static-max");
  return {
    key: `${place.place}/${uuid}`,
    name: vm.get("name-label") ?? uuid,
    id: uuid,
    provider: "xenserver",
    cluster: place.pool,
    host: place.host,
    node: resident === null ? null : (hosts.get(resident)?.get("name-label") ?? resident),
    status,
    statusDetail: word,
    vcpus: number(vm.get(live ? "VCPUs-number" : "VCPUs-at-startup")),
    memoryMiB: actual ?? mebibytesOf(max),
    facts: {
      uuid,
      residentOn: resident,
      domainId: live ? number(vm.get("dom-id")) : null,
      vcpusMax: number(vm.get("VCPUs-max")),
      memoryMaxMiB: mebibytesOf(vm.get("memory-static-max")),
      managedSave: word === "suspended",
      autostart: mapOf(vm.get("other-config")).get("auto_poweron") === "true",
      type: (vm.get("HVM-boot-policy") ?? "") === "" ? "pv" : "hvm",
      tags: setOf(vm.get("tags")).join(", ") || null,
      ip: addresses.join(", ") || null,
      operation: operations.join(", ") || null,
    },
  };
}

/** `pools`: its storage repositories, where somebody has looked for them. */
export function xeNode(
  host: XeRecord,
  guests: readonly Instance[],
  place: XePlace,
  pools: readonly PoolFill[] | undefined,
): HostNode {
  const uuid = host.get("uuid") ?? "";
  const name = host.get("name-label") ?? uuid;
  const roles = [
    ...(uuid === place.master ? ["master"] : []),
    ...(host.get("enabled") === "false" ? ["disabled"] : []),
  ];
  return {
    key: `${place.place}/node/${uuid}`,
    name,
    provider: "xenserver",
    cluster: place.pool,
    host: place.host,
    roles,
    diskTotal: pools?.length ? pools.reduce((sum, { totalMiB }) => sum + totalMiB, 0) : null,
    diskFree: pools?.length ? pools.reduce((sum, { freeMiB }) => sum + freeMiB, 0) : null,
    memoryTotal: mebibytesOf(host.get("memory-total")),
    memoryNode: null,
    memoryFree: mebibytesOf(host.get("memory-free")),
    primaryInstances: guests.filter(({ facts }) => facts["residentOn"] === uuid).length,
    secondaryInstances: null,
    ...(pools && { pools }),
  };
}

/**
 * How full a pool's storage repositories are, by the host that they are shown with: its own where it alone has one, the master
 * for one that the hosts share.
 */
export function readXeFills(parts: ReadonlyMap<string, string>, master: string | null): Map<string, PoolFill[]> {
  const fills = new Map<string, PoolFill[]>();
  for (const { name, sizeMiB, freeMiB, hosts } of readXeRepositories(parts)) {
    const host = master !== null && hosts.includes(master) ? master : hosts[0];
    if (host === undefined || sizeMiB === null || freeMiB === null) continue;
    fills.set(host, [...(fills.get(host) ?? []), { name, totalMiB: sizeMiB, freeMiB }]);
  }
  return fills;
}

/** What the commands need of an instance. */
export function xeSubject({ id, statusDetail, facts }: Instance): XeSubject {
  return {
    uuid: id,
    powerState: statusDetail,
    vcpusMax: typeof facts["vcpusMax"] === "number" ? facts["vcpusMax"] : null,
  };
}

/** The answer of `xeTargets`: every other host of the pool, with xapi's own verdict. */
export function readXeTargets(stdout: string, instance: Instance): MigrationTarget[] {
  const parts = partsOf(stdout);
  const possible = new Set(setOf((parts.get("possible") ?? "").trim()));
  return parseXeList(parts.get("hosts") ?? "").flatMap((host): MigrationTarget[] => {
    const uuid = host.get("uuid") ?? "";
    if (uuid === instance.facts["residentOn"]) return [];
    const free = mebibytesOf(host.get("memory-free"));
    const short = free !== null && instance.memoryMiB !== null && free < instance.memoryMiB;
    const refusal =
      host.get("enabled") === "false"
        ? "it is in maintenance"
        : short
          ? `it has only ${free} MiB free`
          : possible.size > 0 && !possible.has(uuid)
            ? "xapi says that the guest can't run there"
            : null;
    return [{ name: host.get("name-label") ?? uuid, memoryFreeMiB: free, refusal, note: "" }];
  });
}

/** The answer of `xeDetails`. */
export function readXeDetails(stdout: string): InstanceDetails {
  const parts = partsOf(stdout);
  const list = (name: string) => parseXeList(parts.get(name) ?? "");
  const text = (parts.get("vm") ?? "").trimEnd();
  const [vm] = list("vm");
  const networks = mapOf(vm?.get("networks"));
  const images = new Map(list("images").map((image) => [image.get("uuid") ?? "", image]));
  const word = (record: XeRecord, key: string) => record.get(key) || null;
  const known = (value: string | null) => (value === "<not in database>" ? null : value);
  return {
    disks: list("disks").map(
      (disk): DiskInfo => ({
        id: diskId(disk.get("userdevice") || (disk.get("uuid") ?? "")),
        kind: disk.get("type")?.toLowerCase() === "cd" ? "cdrom" : disk.get("type") === "Floppy" ? "floppy" : "disk",
        source: disk.get("empty") === "true" ? null : known(word(disk, "vdi-name-label") ?? word(disk, "vdi-uuid")),
        sizeMiB: mebibytesOf(images.get(disk.get("vdi-uuid") ?? "")?.get("virtual-size")),
        format: images.get(disk.get("vdi-uuid") ?? "")?.get("sr-name-label") || null,
      }),
    ),
    nics: list("nics").map((nic) => {
      const device = nic.get("device") ?? "";
      return {
        id: device,
        mac: word(nic, "MAC"),
        network: word(nic, "network-name-label"),
        addresses: [...networks].filter(([key]) => key === `${device}/ip`).map(([, ip]) => ip),
      };
    }),
    snapshots: list("snapshots").map((snapshot) => ({
      name: snapshot.get("name-label") ?? "",
      parent: null,
      at: secondsOf(snapshot.get("snapshot-time")),
      state: snapshot.get("power-state") === "suspended" ? "with memory" : "disks",
      current: false,
      description: snapshot.get("name-description") ?? "",
    })),
    tags: setOf(vm?.get("tags")),
    note: vm?.get("name-description") ?? "",
    networks: list("networks").map((network) => network.get("name-label") ?? ""),
    pools: list("srs").map((sr) => {
      const [size, used] = [mebibytesOf(sr.get("physical-size")), mebibytesOf(sr.get("physical-utilisation"))];
      return { name: sr.get("name-label") ?? "", freeMiB: size === null ? null : size - (used ?? 0) };
    }),
    media: list("media").map((medium) => medium.get("name-label") ?? ""),
    vcpusMax: number(vm?.get("VCPUs-max")),
    memoryMaxMiB: mebibytesOf(vm?.get("memory-static-max")),
    definition: { text, language: "text", editable: false },
    more: [],
  };
}

/** `20261122T12:16:00Z`, as xapi writes a moment, in epoch seconds. */
function secondsOf(text: string | undefined): number | null {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d:\d\d:\d\d)Z$/.exec(text ?? "");
  return found ? Date.parse(`${found[1]}-${found[2]}-${found[3]}T${found[4]}Z`) / 1000 : null;
}
