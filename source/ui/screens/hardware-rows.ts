/** What an instance is made of, one line for each part. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { DiskInfo, InstanceDetails, NicInfo } from "../../instances/types.ts";
import { plainLine } from "../../text.ts";
import { layout } from "../components/table.tsx";
import { cell, paint } from "../theme.ts";
import { mebibytes } from "./instances-rows.ts";

export type Part =
  | { kind: "memory"; key: string }
  | { kind: "vcpus"; key: string }
  | { kind: "disk"; key: string; disk: DiskInfo }
  | { kind: "nic"; key: string; nic: NicInfo };

export function partsOf(details: InstanceDetails): Part[] {
  return [
    { kind: "memory", key: "memory" },
    { kind: "vcpus", key: "vcpus" },
    ...details.disks.map((disk): Part => ({ kind: "disk", key: `disk ${disk.id}`, disk })),
    ...details.nics.map((nic): Part => ({ kind: "nic", key: `nic ${nic.id}`, nic })),
  ];
}

export const hardwareColumns = (width: number) =>
  layout(
    [
      { title: "PART", width: 14 },
      { title: "ID", width: 10, grow: 1 },
      { title: "SIZE", width: 7, align: "right" },
      { title: "WHAT", width: 30, grow: 4 },
    ],
    width,
  );

const kinds: Record<DiskInfo["kind"], string> = { disk: "disk", cdrom: "CD drive", floppy: "floppy drive" };

function textsOf(part: Part, row: InstanceRow, details: InstanceDetails): [string, string, string, string] {
  switch (part.kind) {
    case "memory": {
      const most = details.memoryMaxMiB;
      return ["memory", "", mebibytes(row.memoryMiB), most === null ? "" : `${mebibytes(most)} at most while it runs`];
    }
    case "vcpus": {
      const most = details.vcpusMax;
      return ["vCPUs", "", String(row.vcpus ?? ""), most === null ? "" : `${most} at most while it runs`];
    }
    case "disk": {
      const { id, kind, source, sizeMiB, format } = part.disk;
      // A disk whose place the provider does not tell is not empty; a drive without a medium is.
      const what = source === null && kind !== "disk" ? "empty" : [format, source].filter(Boolean).join(" · ");
      return [kinds[kind], id, mebibytes(sizeMiB), what];
    }
    case "nic": {
      const { id, mac, network, addresses } = part.nic;
      return ["network card", id, "", [network, mac, ...addresses].filter(Boolean).join(" · ")];
    }
  }
}

/** One part in `width` columns. */
export function hardwareRow(part: Part, row: InstanceRow, details: InstanceDetails, width: number): string {
  const columns = hardwareColumns(width);
  return textsOf(part, row, details)
    .map((text, index) => {
      const shown = cell(plainLine(text), columns[index]?.width ?? 0, columns[index]?.align);
      return index === 0 ? paint(shown, "bold") : shown;
    })
    .join(" ");
}
