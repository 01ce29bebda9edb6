/** One instance looked at alone: its fields, the networks and nodes around it. No job is started for it, as `gnt-instance info` would. */
import type { DiskInfo, NicInfo } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { type Cells, type GanetiAccess, gnt, nodeFields, numberOf, tableCommand } from "./ganeti.ts";
import { filterWords } from "./ganeti-parts.ts";
import { parsePython } from "./python-literal.ts";

export const detailFields = [
  "name",
  "uuid",
  "status",
  "admin_state",
  "pnode",
  "pnode.group",
  "snodes",
  "hypervisor",
  "os",
  "be/vcpus",
  "be/maxmem",
  "be/minmem",
  "be/auto_balance",
  "disk_template",
  "disk.sizes",
  "disk.names",
  "disk.uuids",
  "nic.macs",
  "nic.ips",
  "nic.links",
  "nic.modes",
  "nic.networks.names",
  "network_port",
  "hv/cdrom_image_path",
  "hv/boot_order",
  "hv/kernel_path",
  "hv/kernel_args",
  "hv/serial_console",
  "hv/vnc_bind_address",
  "hv/spice_bind",
  "tags",
  "serial_no",
  "ctime",
  "mtime",
] as const;

export type DetailField = (typeof detailFields)[number];

/** The instance, the nodes but those `without`, the cluster's facts and its networks in one go; each is framed as in `listCommand` (ganeti-parts.ts). */
export function detailsCommand(access: GanetiAccess, name: string, without: readonly string[] = []): Command {
  const parts: [string, Command][] = [
    ["instance", tableCommand(access, "gnt-instance", detailFields, [name])],
    ["nodes", tableCommand(access, "gnt-node", nodeFields, filterWords("name", { names: without, others: true }))],
    ["cluster", gnt(access, "gnt-cluster", ["info"])],
    ["networks", gnt(access, "gnt-network", ["list", "--no-headers", "-o", "name"])],
  ];
  return parts
    .map(([part, command]) => sh`echo ${`@@virtu ${part}`}; ${command}; echo "@@virtu end $?"`)
    .reduce((one, other) => sh`${one}; ${other}`);
}

/** The default link of a new interface, in what `gnt-cluster info` prints; null when it is not there. */
export function parseDefaultLink(text: string): string | null {
  return /^Default nic parameters: *\n {2}default: *\n(?: {4}.*\n)*? {4}link: (\S+)/m.exec(text)?.[1] ?? null;
}

/** A list in a cell: `a,b` or as Python prints it, `['a', None]`. */
export function listCell(cell: string | null): (string | null)[] {
  if (cell === null || cell === "") return [];
  const parsed = cell.startsWith("[") ? parsePython(cell) : undefined;
  if (Array.isArray(parsed)) return parsed.map((item) => (item === null ? null : String(item)));
  return cell.split(",").map((item) => (item === "None" ? null : item));
}

export function disksOf(cells: Cells<DetailField>): DiskInfo[] {
  const names = listCell(cells["disk.names"]);
  const uuids = listCell(cells["disk.uuids"]);
  const disks = listCell(cells["disk.sizes"]).map(
    (size, index): DiskInfo => ({
      id: `disk/${index}`,
      kind: "disk",
      source: names[index] ?? uuids[index] ?? null,
      sizeMiB: numberOf(size),
      format: cells.disk_template,
    }),
  );
  if (!hasDrive(cells.hypervisor)) return disks;
  const source = cells["hv/cdrom_image_path"] || null;
  return [...disks, { id: "cdrom", kind: "cdrom", source, sizeMiB: null, format: null }];
}

/** Guests with a BIOS have a drive; paravirtual ones and the fake hypervisor have none. */
export function hasDrive(hypervisor: string | null): boolean {
  return hypervisor === "kvm" || hypervisor === "xen-hvm";
}

export function nicsOf(cells: Cells<DetailField>): NicInfo[] {
  const links = listCell(cells["nic.links"]);
  const ips = listCell(cells["nic.ips"]);
  const networks = listCell(cells["nic.networks.names"]);
  return listCell(cells["nic.macs"]).map((mac, index) => ({
    id: `nic/${index}`,
    mac,
    network: networks[index] ?? links[index] ?? null,
    addresses: [ips[index]].filter((ip): ip is string => typeof ip === "string"),
  }));
}

/** What `nic-add` can take: links as they are, Ganeti's networks as `network=NAME`. */
export function networksOf(defaultLink: string | null, links: readonly (string | null)[], networks: readonly string[]) {
  const known = [defaultLink, ...links].filter((link): link is string => link !== null && link !== "");
  return [...new Set([...known, ...networks.map((name) => `network=${name}`)])];
}

/** All that was read, as one text: a field that says nothing about this instance is left out. */
export function definitionOf(cells: Cells<DetailField>): string {
  const lines = detailFields.flatMap((field) => {
    const value = cells[field];
    if (value === null || value === "") return [];
    if (!/^(?:disk|nic)\./.test(field)) return `${field}: ${value}`;
    const items = listCell(value);
    return items.every((item) => item === null) ? [] : `${field}: ${items.map((item) => item ?? "-").join(", ")}`;
  });
  return `${lines.join("\n")}\n`;
}
