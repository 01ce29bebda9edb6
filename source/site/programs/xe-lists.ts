/** What the stand-in of xe lists: records with the access of each key, as xapi's records.ml gives them. */
import type { PoolGuest, XenPool } from "../world/xenserver.ts";
import { vcpuShare } from "../world/xenserver-load.ts";

/** What can be asked of an object: access as xe prints it, and the value. */
export type Fields = Readonly<Record<string, readonly [string, string]>>;

const none = "<not in database>";

function share({ clock }: XenPool, guest: PoolGuest, cpu: number): string {
  return guest.state === "running" ? vcpuShare(guest, cpu, clock.seconds()).toFixed(3) : "0.000";
}

export function guestFields(pool: XenPool, guest: PoolGuest): Fields {
  const live = guest.state === "running" || guest.state === "paused";
  const others = pool.hosts.map(({ uuid }) => uuid).filter((uuid) => pool.free(uuid) >= guest.memory);
  return {
    uuid: [" RO", guest.uuid],
    "name-label": [" RW", guest.name],
    "name-description": [" RW", guest.description],
    "is-control-domain": [" RO", "false"],
    "power-state": [" RO", guest.state],
    "resident-on": [" RO", guest.host ?? none],
    "possible-hosts": ["SRO", others.join("; ")],
    "dom-id": [" RO", String(guest.domainId)],
    "VCPUs-number": [" RO", String(live ? guest.vcpus : 0)],
    "VCPUs-max": [" RW", String(guest.maximumVcpus)],
    "VCPUs-at-startup": [" RW", String(guest.vcpus)],
    "VCPUs-utilisation": [
      "MRO",
      live ? Array.from({ length: guest.vcpus }, (_, cpu) => `${cpu}: ${share(pool, guest, cpu)}`).join("; ") : "",
    ],
    "memory-actual": [" RO", String(live ? guest.memory : 0)],
    "memory-static-max": [" RW", String(guest.memory * 2)],
    "memory-dynamic-max": [" RW", String(guest.memory)],
    tags: ["SRW", guest.tags.join("; ")],
    "current-operations": ["SRO", guest.operation === null ? "" : `OpaqueRef:7: ${guest.operation}`],
    "allowed-VIF-devices": ["SRO", freeDevices(pool, guest).join("; ")],
    "other-config": ["MRW", guest.autostart ? "auto_poweron: true" : ""],
    "HVM-boot-policy": [" RW", "BIOS order"],
    networks: ["MRO", live ? `0/ip: 172.16.30.${guest.domainId}` : ""],
  };
}

/** xapi gives up to seven cards. */
function freeDevices({ parts }: XenPool, { uuid }: PoolGuest): string[] {
  const taken = parts.cardsOf(uuid).map(({ device }) => device);
  return ["0", "1", "2", "3", "4", "5", "6"].filter((device) => !taken.includes(device));
}

export const lists: Readonly<Record<string, { shown: string; rows: (pool: XenPool) => Fields[] }>> = {
  vm: { shown: "uuid,name-label,power-state", rows: (pool) => pool.guests.map((guest) => guestFields(pool, guest)) },
  host: {
    shown: "uuid,name-label,name-description",
    rows: (pool) =>
      pool.hosts.map(({ uuid, name, address }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RW", name],
        "name-description": [" RW", "Default install"],
        address: [" RO", address],
        enabled: [" RO", "true"],
        "memory-total": [" RO", String(32 * 1024 ** 3)],
        "memory-free": [" RO", String(pool.free(uuid))],
      })),
  },
  pool: {
    shown: "uuid,name-label,master",
    rows: (pool) => [
      {
        uuid: [" RO", pool.uuid],
        "name-label": [" RW", pool.name],
        "default-SR": [" RW", pool.parts.usual?.uuid ?? none],
        master: [" RO", pool.hosts[0]?.uuid ?? none],
      },
    ],
  },
  snapshot: {
    shown: "uuid,name-label,name-description",
    rows: (pool) =>
      pool.snapshots.map(({ uuid, of, name, description, at, memory }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RW", name],
        "name-description": [" RW", description],
        "snapshot-of": [" RO", of],
        "snapshot-time": [" RO", `${new Date(at).toISOString().replace(/[-]|\.\d+/g, "")}`],
        "power-state": [" RO", memory ? "suspended" : "halted"],
      })),
  },
  task: {
    shown: "uuid,name-label,name-description,status,progress",
    rows: (pool) =>
      pool.tasks.map(({ uuid, name }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RO", name],
        "name-description": [" RO", ""],
        status: [" RO", "pending"],
        progress: [" RO", "0.500"],
      })),
  },
  template: {
    shown: "uuid,name-label,name-description",
    rows: ({ parts }) =>
      parts.templates.map(({ uuid, name, disks }) => ({
        ...{ uuid: [" RO", uuid], "name-label": [" RW", name], "name-description": [" RW", ""] },
        "other-config": ["MRW", `disks: ${provision(disks)}; install-methods: cdrom,http,ftp; default_template: true`],
      })),
  },
  network: {
    shown: "uuid,name-label,bridge",
    rows: ({ parts }) =>
      parts.networks.map(({ uuid, name, bridge }) => ({
        ...{ uuid: [" RO", uuid], "name-label": [" RW", name], bridge: [" RO", bridge] },
      })),
  },
  sr: {
    shown: "uuid,name-label",
    rows: ({ parts }) =>
      parts.repositories.map((repository) => ({
        uuid: [" RO", repository.uuid],
        "name-label": [" RW", repository.name],
        type: [" RO", repository.type],
        "content-type": [" RO", repository.type === "iso" ? "iso" : "user"],
        shared: [" RO", String(repository.type !== "ext")],
        "physical-size": [" RO", String(repository.size)],
        "physical-utilisation": [" RO", String(parts.utilisation(repository))],
      })),
  },
  pbd: {
    shown: "uuid,host-uuid,sr-uuid,currently-attached",
    rows: ({ parts, hosts }) =>
      parts.repositories.flatMap(({ uuid: sr, type }) =>
        hosts.slice(0, type === "ext" ? 1 : hosts.length).map(({ uuid: host }) => ({
          // The plug of a repository on a host has no other name here than theirs.
          uuid: [" RO", `${host.slice(0, 18)}${sr.slice(18)}`],
          ...{ "host-uuid": [" RO", host], "sr-uuid": [" RO", sr], "currently-attached": [" RO", "true"] },
        })),
      ),
  },
  vbd: {
    shown: "uuid,vm-uuid,vdi-uuid,device",
    rows: ({ parts, guests }) =>
      parts.drives.map(({ uuid, guest, image, device, kind }) => {
        const live = guests.some((one) => one.uuid === guest && one.state === "running");
        const letter = String.fromCharCode("a".charCodeAt(0) + Number(device));
        return {
          ...{ uuid: [" RO", uuid], "vm-uuid": [" RO", guest], "vdi-uuid": [" RO", image ?? none] },
          "vm-name-label": [" RO", guests.find((one) => one.uuid === guest)?.name ?? none],
          "vdi-name-label": [" RO", parts.images.find((one) => one.uuid === image)?.name ?? none],
          ...{ empty: [" RO", String(image === null)], userdevice: [" RW", device], type: [" RW", kind] },
          // Known once it has been plugged in.
          ...{ device: [" RO", live ? `xvd${letter}` : ""], "currently-attached": [" RO", String(live)] },
        };
      }),
  },
  vdi: {
    shown: "uuid,name-label,sr-uuid,virtual-size",
    rows: ({ parts }) =>
      parts.images.map(({ uuid, name, repository, bytes }) => ({
        ...{ uuid: [" RO", uuid], "name-label": [" RW", name], "sr-uuid": [" RO", repository] },
        ...{ "virtual-size": [" RO", String(bytes)], "physical-utilisation": [" RO", String(bytes)] },
        managed: [" RO", "true"],
        "sr-name-label": [" RO", parts.repositories.find((one) => one.uuid === repository)?.name ?? none],
        "vbd-uuids": ["SRO", parts.drives.flatMap((drive) => (drive.image === uuid ? [drive.uuid] : [])).join("; ")],
      })),
  },
  vif: {
    shown: "uuid,vm-uuid,device,MAC",
    rows: ({ parts, guests }) =>
      parts.cards.map(({ uuid, guest, network, device, mac }) => ({
        ...{ uuid: [" RO", uuid], "vm-uuid": [" RO", guest], device: [" RO", device], MAC: [" RO", mac] },
        ...{ "network-uuid": [" RO", network] },
        "vm-name-label": [" RO", guests.find((one) => one.uuid === guest)?.name ?? none],
        "network-name-label": [" RO", parts.networks.find((one) => one.uuid === network)?.name ?? none],
        "currently-attached": [" RO", String(guests.some((one) => one.uuid === guest && one.state === "running"))],
      })),
  },
  cd: {
    shown: "uuid,name-label",
    rows: ({ parts }) => {
      const library = parts.repositories.find(({ type }) => type === "iso")?.uuid;
      const media = parts.images.filter(({ repository }) => repository === library);
      return media.map(({ uuid, name }) => ({ uuid: [" RO", uuid], "name-label": [" RW", name] }));
    },
  },
};

/** A template's disks, as it describes them to those who make guests of it. */
function provision(disks: readonly number[]): string {
  const each = disks.map(
    (size, index) => `<disk device="${index}" size="${size}" sr="" bootable="true" type="system"/>`,
  );
  return `<provision>${each.join("")}</provision>`;
}

/** The first key at the left, the others to the right, two empty lines behind each record. */
export function record(fields: Fields, keys: readonly string[]): string {
  const heads = keys.map((key) => `${key} (${fields[key]?.[0] ?? " RO"})`);
  const width = Math.max(...heads.map((head) => head.length)) + 4;
  const lines = keys.map((key, index) => {
    const head = heads[index] ?? "";
    return `${index === 0 ? head.padEnd(width) : head.padStart(width)}: ${fields[key]?.[1] ?? ""}\n`;
  });
  return `${lines.join("")}\n\n`;
}

export function list(pool: XenPool, kind: string, given: ReadonlyMap<string, string>, minimal: boolean): string {
  const { shown, rows } = lists[kind] ?? { shown: "", rows: () => [] };
  const filters = [...given].filter(([key]) => key !== "params");
  const found = rows(pool).filter((fields) => filters.every(([key, wanted]) => fields[key]?.[1] === wanted));
  const asked = (given.get("params") ?? (minimal ? "uuid" : shown)).split(",");
  const [first = "uuid"] = asked;
  if (minimal) return `${found.map((fields) => (fields[first]?.[1] ?? "").replace(/[\\,]/g, "\\$&")).join(",")}\n`;
  return found.map((fields) => record(fields, asked)).join("");
}
