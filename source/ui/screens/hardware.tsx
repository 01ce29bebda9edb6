/** What an instance is made of: memory, vCPUs, disks, network cards, media; each can be changed from here. */
import { Box } from "ink";
import { type ReactNode, useMemo } from "react";
import type { ActionName } from "../../instances/types.ts";
import { count } from "../../text.ts";
import { headerLine, Table, useList } from "../components/table.tsx";
import { useKeys, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { hardwareColumns, hardwareRow, type Part, partsOf } from "./hardware-rows.ts";
import { NoDetails, OneInstanceTitle, useOneInstance } from "./one-instance.tsx";

/** What ⏎ asks for on a part; null: it can't be changed, only taken away. */
function changeOf(part: Part): { action: ActionName; of: string | null } | null {
  if (part.kind === "memory") return { action: "set-memory", of: null };
  if (part.kind === "vcpus") return { action: "set-vcpus", of: null };
  if (part.kind === "nic") return null;
  const { id, kind } = part.disk;
  return kind === "disk" ? { action: "disk-grow", of: id } : { action: "media-insert", of: id };
}

/** What takes a part away; null: it is there as long as the instance. */
function removalOf(part: Part): { action: ActionName; of: string } | null {
  if (part.kind === "disk") return { action: "disk-remove", of: part.disk.id };
  return part.kind === "nic" ? { action: "nic-remove", of: part.nic.id } : null;
}

export function HardwareScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "hardware" ? place.key : "";
  const { size, workspace, navigation } = useUi();
  const { inventory } = workspace;
  const one = useOneInstance(key);
  const { row, details } = one;
  const parts = useMemo(() => (details.value ? partsOf(details.value) : []), [details.value]);
  const keys = parts.map((part) => part.key);
  const height = size.rows - 9;
  const list = useList(`hardware:${key}`, keys, height);
  const current = parts[list.index];
  const change = current ? changeOf(current) : null;
  const removal = current ? removalOf(current) : null;
  const drive = current?.kind === "disk" && current.disk.kind !== "disk" ? current.disk : null;
  const ask = (action: ActionName, of: string | null) => navigation.open({ screen: "action", action, keys: [key], of });
  const refusal = (action: ActionName) => (row ? inventory.refuses(action, key) : "it is gone");
  useKeys("hardware", {
    change: {
      run: () => change && ask(change.action, change.of),
      disabled: change ? refusal(change.action) : "a network card is removed and added anew",
    },
    addDisk: { run: () => ask("disk-add", null), disabled: refusal("disk-add") },
    addNic: { run: () => ask("nic-add", null), disabled: refusal("nic-add") },
    insert: { run: () => ask("media-insert", drive?.id ?? null), disabled: refusal("media-insert") },
    eject: {
      run: () => drive && ask("media-eject", drive.id),
      disabled: drive?.source ? refusal("media-eject") : "there is no medium under the cursor",
    },
    remove: {
      run: () => removal && ask(removal.action, removal.of),
      disabled: removal ? refusal(removal.action) : "only disks and network cards are removed",
    },
    refresh: { run: one.reload },
  });
  if (!row || !details.value) return <NoDetails one={one} lines={size.rows - 12} />;
  const known = details.value;
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <OneInstanceTitle
        row={row}
        text={`${count(known.disks.length, "disk or drive", "disks and drives")}, ${count(known.nics.length, "network card")}`}
      />
      <Table
        header={headerLine(hardwareColumns(width))}
        view={list}
        row={(index) => hardwareRow(parts[index] as Part, row, known, width)}
      />
    </Box>
  );
}
