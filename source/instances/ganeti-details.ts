/** One instance looked at alone: its details, and where it can go. */
import { VirtuError } from "../errors.ts";
import { type Cells, numberOf } from "../tools/ganeti.ts";
import { isMirrored } from "../tools/ganeti-actions.ts";
import { type DetailField, definitionOf, disksOf, listCell, networksOf, nicsOf } from "../tools/ganeti-details.ts";
import type { DetailTables } from "./ganeti-read.ts";
import { nodeRow } from "./ganeti-rows.ts";
import type { HostNode, Instance, InstanceDetails, MigrationTarget } from "./types.ts";

/** What a reader of tables gives, or the error that the instance is gone. */
function rowOf(tables: DetailTables, instance: Instance): Cells<DetailField> {
  if (tables.instance) return tables.instance;
  throw new VirtuError({ kind: "refused", what: "Ganeti knows no such instance any more", where: instance.name });
}

function nodesOf(tables: DetailTables, cluster: string): HostNode[] {
  return tables.nodes.map((cells) => nodeRow(cells, { place: "", cluster, host: "" }));
}

export function detailsOf(tables: DetailTables, instance: Instance): InstanceDetails {
  const cells = rowOf(tables, instance);
  const node = nodesOf(tables, "").find(({ name }) => name === cells.pnode);
  const template = cells.disk_template;
  const disks = disksOf(cells);
  const memory = numberOf(cells["be/maxmem"]);
  const least = numberOf(cells["be/minmem"]);
  // Beside what every instance has among its facts.
  const more: (readonly [string, string | null])[] = [
    ["node group", cells["pnode.group"]],
    ["memory at least", least !== null && least !== memory ? `${least} MiB` : null],
    ["boot order", cells["hv/boot_order"]],
    ["kernel", cells["hv/kernel_path"]],
    ["kernel arguments", cells["hv/kernel_path"] && cells["hv/kernel_args"]],
    ["changed", cells.mtime && `${cells.mtime} UTC`],
  ];
  return {
    disks,
    nics: nicsOf(cells),
    snapshots: [],
    tags: listCell(cells.tags).filter((tag): tag is string => tag !== null),
    note: "",
    networks: networksOf(tables.defaultLink, listCell(cells["nic.links"]), tables.networks),
    pools: template === null || template === "diskless" ? [] : [{ name: template, freeMiB: node?.diskFree ?? null }],
    media: disks.flatMap(({ kind, source }) => (kind === "cdrom" && source ? [source] : [])),
    vcpusMax: null,
    memoryMaxMiB: node?.memoryTotal ?? null,
    definition: { text: definitionOf(cells), language: "text", editable: false },
    more: more.flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
  };
}

/** The nodes where it can go, those with the most free memory first and those that can't take it last. */
export function targetsOf(
  action: "migrate" | "move" | "failover",
  tables: DetailTables,
  instance: Instance,
): MigrationTarget[] {
  const cells = rowOf(tables, instance);
  const secondaries = listCell(cells.snodes);
  const homeGroup = cells["pnode.group"];
  const disk = listCell(cells["disk.sizes"]).reduce((sum, size) => sum + (numberOf(size) ?? 0), 0);
  // What is off needs no memory: Ganeti does not look for it then.
  const memory = instance.status === "stopped" ? 0 : (numberOf(cells["be/maxmem"]) ?? 0);
  return tables.nodes
    .map((row) => ({ node: nodeRow(row, { place: "", cluster: "", host: "" }), group: row.group }))
    .filter(({ node }) => node.name !== cells.pnode)
    .filter(({ node }) => !isMirrored(cells.disk_template) || secondaries.includes(node.name))
    .map(({ node, group }) => ({
      name: node.name,
      memoryFreeMiB: node.memoryFree,
      refusal: refusalOf(node, memory, action === "move" ? disk : 0),
      note: [
        secondaries.includes(node.name) ? "secondary" : "",
        action === "move" && node.diskFree !== null ? `${node.diskFree} MiB of disk free` : "",
        group !== null && group !== homeGroup ? `in group ${group}` : "",
      ]
        .filter(Boolean)
        .join(", "),
    }))
    .sort((one, other) => rank(other) - rank(one));
}

function rank({ refusal, memoryFreeMiB }: MigrationTarget): number {
  return refusal === null ? (memoryFreeMiB ?? 0) : -1;
}

function refusalOf(node: HostNode, memory: number, disk: number): string | null {
  if (node.roles.includes("offline")) return "it is offline";
  if (node.roles.includes("drained")) return "it is drained";
  if (node.memoryFree === null) return "it does not answer";
  if (node.memoryFree < memory) return `${memory} MiB of memory needed, ${node.memoryFree} MiB free`;
  if (disk > 0 && node.diskFree !== null && node.diskFree < disk) {
    return `${disk} MiB of disk needed, ${node.diskFree} MiB free`;
  }
  return null;
}
