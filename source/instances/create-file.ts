/** From what a file or the flags say (already checked against the schema) to what is to be made. */
import type { AddressPlan, CreateBatch, CreateTemplate } from "./create-plan.ts";
import type { LibvirtDisk, LibvirtMedia, NicRequest, ReadyWanted, XenBoot, XenDisk } from "./create-types.ts";

type Size = string | number;

interface NicData {
  network?: string;
  bridge?: string;
  mac?: string;
  ip?: string;
}

interface CommonData {
  hosts?: string[];
  name: string;
  count?: number;
  from?: number;
  memory: Size;
  vcpus?: number;
  start?: boolean;
  overcommit?: boolean;
  addresses?: { range: string; prefix?: number; gateway?: string; dns?: string[] };
  ready?: { by: ReadyWanted["by"]; pattern?: string; address?: string; limit?: number };
  nics?: NicData[];
}

interface MediaData {
  iso?: string;
  upload?: string;
  location?: string;
  kernel?: string;
  initrd?: string;
  arguments?: string;
  pxe?: true;
  import?: string;
  copy?: { pool?: string; volume?: string; size?: Size };
  cloud?: string;
  pool?: string;
  volume?: string;
  size?: Size;
  user?: string;
  keys?: string[];
  hostname?: string;
  userData?: string;
}

interface DiskData {
  pool?: string;
  size?: Size;
  volume?: string;
  format?: "qcow2" | "raw";
  path?: string;
}

export interface LibvirtData extends CommonData {
  provider: "libvirt";
  media?: MediaData;
  osinfo?: string;
  disks?: DiskData[];
  arch?: string;
  machine?: string;
  firmware?: "bios" | "uefi";
  virtType?: string;
  graphics?: "none" | "vnc" | "spice";
}

export interface GanetiData extends CommonData {
  provider: "ganeti";
  os: string;
  install?: boolean;
  osParameters?: Record<string, string>;
  diskTemplate: string;
  disks?: { size: Size }[];
  node?: string;
  secondary?: string;
  allocator?: string;
  hypervisor?: string;
  hypervisorParameters?: Record<string, string>;
  backendParameters?: Record<string, string>;
  nameCheck?: boolean;
  ipCheck?: boolean;
  tags?: string[];
}

export interface XenDiskData {
  size?: Size;
  image?: string;
  path?: string;
  directory?: string;
  group?: string;
  volume?: string;
  format?: "raw" | "qcow2";
}

export interface XenData extends CommonData {
  provider: "xen";
  type?: "pv" | "pvh" | "hvm";
  boot: { kernel?: string; ramdisk?: string; arguments?: string; bootloader?: string; iso?: string; disk?: true };
  disks?: XenDiskData[];
  graphics?: "none" | "vnc";
}

export interface XenServerData extends CommonData {
  provider: "xenserver";
  template: string;
  repository?: string;
  disks?: { size: Size; repository?: string }[];
  iso?: string;
  location?: string;
  note?: string;
  tags?: string[];
}

/** What fits `createSchema`. */
export type CreateData = LibvirtData | GanetiData | XenData | XenServerData;

export interface Wanted {
  batch: CreateBatch;
  hosts: string[];
  ready: ReadyWanted | null;
}

/** `512M`, `1.5G`, `2TiB` or a number of MiB. The schema has checked its form. */
export function mebibytesOf(size: Size): number {
  const [, number = "0", unit = "M"] = /^([\d.]+)\s*([MGT]?)/.exec(String(size)) ?? [];
  return Math.ceil(Number(number) * ({ G: 1024, T: 1024 ** 2 }[unit] ?? 1));
}

const sizeOrNull = (size: Size | undefined) => (size === undefined ? null : mebibytesOf(size));

function nic({ network, bridge, mac, ip }: NicData): NicRequest {
  return { network: network ?? null, link: bridge ?? null, mac: mac?.toLowerCase() ?? null, ip: ip ?? null };
}

function media(data: MediaData | undefined): LibvirtMedia {
  if (data === undefined) return { kind: "none" };
  const { iso, location, cloud } = data;
  if (iso !== undefined) return { kind: "iso", path: iso, upload: data.upload ?? null };
  if (location !== undefined) {
    const { kernel = null, initrd = null, arguments: extraArgs = "" } = data;
    return { kind: "location", location, kernel, initrd, extraArgs };
  }
  if (data.pxe) return { kind: "pxe" };
  if (cloud !== undefined) {
    const { user = null, keys = [], hostname = null, userData = null, pool = "default", volume = null } = data;
    const copy = { pool, volume, sizeMiB: sizeOrNull(data.size) };
    return { kind: "cloud", image: cloud, copy, cloudInit: { user, keys, hostname, network: null, userData } };
  }
  const { copy } = data;
  return {
    ...{ kind: "import", image: data.import ?? "" },
    copy: copy ? { pool: copy.pool ?? "default", volume: copy.volume ?? null, sizeMiB: sizeOrNull(copy.size) } : null,
  };
}

function disk({ pool = "default", size, volume, format = "qcow2", path }: DiskData): LibvirtDisk {
  if (path !== undefined) return { kind: "path", path };
  if (size === undefined) return { kind: "volume", pool, volume: volume ?? "" };
  return { kind: "new", pool, volume: volume ?? null, sizeMiB: mebibytesOf(size), format };
}

function xenBoot({ kernel, ramdisk, arguments: extraArgs = "", bootloader, iso }: XenData["boot"]): XenBoot {
  if (kernel !== undefined) return { kind: "kernel", kernel, ramdisk: ramdisk ?? null, extraArgs };
  if (bootloader !== undefined) return { kind: "bootloader", bootloader };
  return iso === undefined ? { kind: "disk" } : { kind: "iso", iso };
}

function xenDisk(data: XenDiskData): XenDisk {
  const { size, image = null, path = null, directory = null, group, volume = null, format = "raw" } = data;
  if (size === undefined) return { kind: "path", path: path ?? "", format };
  const sizeMiB = mebibytesOf(size);
  if (group !== undefined) return { kind: "volume", group, volume, sizeMiB, image };
  return { kind: "file", path, directory, sizeMiB, image };
}

function template(data: CreateData): CreateTemplate {
  const shared = { memoryMiB: mebibytesOf(data.memory), vcpus: data.vcpus ?? 1, start: data.start ?? true };
  if (data.provider === "libvirt") {
    const { osinfo = null, arch = null, machine = null, firmware = null, virtType = null, graphics = "none" } = data;
    return {
      ...{ provider: "libvirt", ...shared, media: media(data.media), osinfo, arch, machine, firmware, virtType },
      ...{ graphics, disks: (data.disks ?? []).map(disk), nics: (data.nics ?? [{ network: "default" }]).map(nic) },
    };
  }
  if (data.provider === "xen") {
    const { type = "pv", graphics = "none" } = data;
    return {
      ...{ provider: "xen", ...shared, type, boot: xenBoot(data.boot), disks: (data.disks ?? []).map(xenDisk) },
      ...{ nics: (data.nics ?? [{}]).map(nic), graphics },
    };
  }
  if (data.provider === "xenserver") {
    const { repository = null, iso = null, location = null, note = "", tags = [] } = data;
    const disks = (data.disks ?? []).map((disk) => ({
      sizeMiB: mebibytesOf(disk.size),
      repository: disk.repository ?? null,
    }));
    return {
      ...{ provider: "xenserver", ...shared, template: data.template, repository, disks },
      ...{ nics: data.nics ? data.nics.map(nic) : null, iso, location, note, tags },
    };
  }
  const { os, diskTemplate, node, secondary = null, allocator = null, hypervisor = null } = data;
  return {
    ...{ provider: "ganeti", ...shared, os, install: data.install ?? true, osParameters: data.osParameters ?? {} },
    ...{ diskTemplate, disksMiB: (data.disks ?? []).map(({ size }) => mebibytesOf(size)) },
    placement: node === undefined ? { kind: "allocator", name: allocator } : { kind: "node", primary: node, secondary },
    nics: data.nics ? data.nics.map(nic) : null,
    ...{ hypervisor, hypervisorParameters: data.hypervisorParameters ?? {} },
    backendParameters: data.backendParameters ?? {},
    ...{ nameCheck: data.nameCheck ?? false, ipCheck: data.ipCheck ?? false, tags: data.tags ?? [] },
  };
}

function addresses({ addresses: data }: CommonData): AddressPlan | null {
  if (data === undefined) return null;
  const { range, prefix = null, gateway = null, dns = [] } = data;
  return { range, prefixLength: prefix, gateway, dns, taken: [] };
}

export function wantedOf(data: CreateData): Wanted {
  const { name, count = 1, from = 1, overcommit = false, hosts = [], ready } = data;
  return {
    batch: { template: template(data), pattern: name, count, from, addresses: addresses(data), overcommit },
    hosts,
    ready: ready
      ? {
          ...{ by: ready.by, pattern: ready.pattern ?? null, address: ready.address ?? null },
          limitSeconds: ready.limit ?? 300,
        }
      : null,
  };
}
