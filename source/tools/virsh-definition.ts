/** What libvirt's XML says of a domain and of its snapshots. */
import type { DiskInfo, NicInfo, SnapshotInfo } from "../instances/types.ts";
import { all, encodeXml, find, parseXml, type XmlElement } from "./xml.ts";

/** The namespace of virtu's own element in a domain's metadata: its tags. libvirt itself has none. */
export const tagsNamespace = "urn:virtu:1";

export interface DomainDefinition {
  uuid: string | null;
  name: string;
  title: string;
  description: string;
  tags: string[];
  /** The sizes are not in the XML: null. */
  disks: DiskInfo[];
  nics: NicInfo[];
  vcpus: number | null;
  memoryMiB: number | null;
  /** A serial device or console that virsh can open. */
  serial: boolean;
  /** Lines for people: name and value. */
  more: [string, string][];
}

const whole = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null);
// https://libvirt.org/formatdomain.html: `unit` of memory; KiB without it.
const units: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1000,
  k: 1024,
  KiB: 1024,
  MB: 1e6,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1e9,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
};

function mebibytes(element: XmlElement | undefined): number | null {
  const value = whole(element?.text.trim());
  const unit = units[element?.attributes["unit"] ?? "KiB"];
  return value === null || unit === undefined ? null : Math.round((value * unit) / 1024 ** 2);
}

function sourceOf(disk: XmlElement): string | null {
  const { file, dev, volume, pool, name, dir } = find(disk, "source")?.attributes ?? {};
  return file ?? dev ?? (volume === undefined ? undefined : `${pool}/${volume}`) ?? name ?? dir ?? null;
}

function disks(devices: XmlElement | undefined): DiskInfo[] {
  return all(devices, "disk").flatMap((disk): DiskInfo[] => {
    const id = find(disk, "target")?.attributes["dev"];
    const device = disk.attributes["device"] ?? "disk";
    if (id === undefined) return [];
    return [
      {
        id,
        kind: device === "cdrom" || device === "floppy" ? device : "disk",
        source: sourceOf(disk),
        sizeMiB: null,
        format: find(disk, "driver")?.attributes["type"] ?? null,
      },
    ];
  });
}

function nics(devices: XmlElement | undefined): NicInfo[] {
  return all(devices, "interface").map((nic, index): NicInfo => {
    const mac = find(nic, "mac")?.attributes["address"] ?? null;
    const source = find(nic, "source")?.attributes ?? {};
    return {
      id: mac ?? `nic${index}`,
      mac,
      network: source["network"] ?? source["bridge"] ?? source["dev"] ?? null,
      addresses: [],
    };
  });
}

/** Tags as the element of virtu's namespace holds them. */
function tagsIn(element: XmlElement | undefined): string[] {
  return (element?.children ?? []).flatMap((child) => (/(?:^|:)tag$/.test(child.name) ? [child.text.trim()] : []));
}

/** What `virsh metadata DOMAIN urn:virtu:1` printed. */
export function parseTags(text: string): string[] {
  return tagsIn(parseXml(text.trim()) ?? undefined);
}

/** What `virsh metadata … --set` is given. */
export function tagsElement(tags: readonly string[]): string {
  return `<tags>${tags.map((tag) => `<tag>${encodeXml(tag)}</tag>`).join("")}</tags>`;
}

export function parseDefinition(text: string): DomainDefinition | null {
  const domain = parseXml(text.trim());
  if (domain?.name !== "domain") return null;
  const devices = find(domain, "devices");
  const metadata = find(domain, "metadata")?.children ?? [];
  const own = metadata.find((element) => Object.values(element.attributes).includes(tagsNamespace));
  const type = find(domain, "os", "type");
  const graphics = all(devices, "graphics").map(({ attributes }) => attributes["type"] ?? "");
  const machine = [type?.attributes["machine"], type?.attributes["arch"]].filter(Boolean).join(", ");
  const values: [string, string][] = [
    ["Virtualisation", domain.attributes["type"] ?? ""],
    ["Machine", machine],
    ["Firmware", find(domain, "os", "loader")?.text.trim() ?? find(domain, "os")?.attributes["firmware"] ?? ""],
    ["CPU", find(domain, "cpu", "model")?.text.trim() ?? find(domain, "cpu")?.attributes["mode"] ?? ""],
    ["Graphics", graphics.filter(Boolean).join(", ")],
    ["Title", find(domain, "title")?.text ?? ""],
  ];
  return {
    uuid: find(domain, "uuid")?.text.trim() ?? null,
    name: find(domain, "name")?.text ?? "",
    title: find(domain, "title")?.text ?? "",
    description: find(domain, "description")?.text ?? "",
    tags: tagsIn(own),
    disks: disks(devices),
    nics: nics(devices),
    vcpus: whole(find(domain, "vcpu")?.text.trim()),
    memoryMiB: mebibytes(find(domain, "memory")),
    serial: all(devices, "console").length + all(devices, "serial").length > 0,
    more: values.filter(([, value]) => value !== ""),
  };
}

/** `virsh snapshot-dumpxml`, with or without the domain's own definition in it; null when it is something else. */
export function parseSnapshot(text: string): Omit<SnapshotInfo, "current"> | null {
  // The host cuts the domain's definition off (virsh-details.ts): what is left is closed here.
  const cut = text.trim();
  const root = parseXml(cut.endsWith("</domainsnapshot>") ? cut : `${cut}</domainsnapshot>`);
  if (root?.name !== "domainsnapshot") return null;
  return {
    name: find(root, "name")?.text ?? "",
    parent: find(root, "parent", "name")?.text ?? null,
    at: whole(find(root, "creationTime")?.text.trim()),
    state: find(root, "state")?.text.trim() ?? "",
    description: find(root, "description")?.text ?? "",
  };
}
