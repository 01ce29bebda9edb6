/** The snapshots of an instance: a tree with ages; take one, go back to one, delete one. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo, useState } from "react";
import type { Action, SnapshotInfo } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { headerLine, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { NoDetails, OneInstanceTitle, useOneInstance } from "./one-instance.tsx";
import {
  deleteLosses,
  revertLosses,
  revertTrap,
  type SnapshotLine,
  snapshotColumns,
  snapshotRow,
  snapshotTree,
} from "./snapshots-rows.ts";

export function SnapshotsScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "snapshots" ? place.key : "";
  const { size, workspace, navigation } = useUi();
  const { inventory } = workspace;
  const one = useOneInstance(key);
  const { row, details } = one;
  const now = useKnown((known) => known.now);
  const [asked, setAsked] = useState<{ action: "revert" | "delete"; snapshot: SnapshotInfo } | null>(null);
  const all = details.value?.snapshots;
  const lines = useMemo(() => snapshotTree(all ?? []), [all]);
  const names = lines.map(({ snapshot }) => snapshot.name);
  const height = size.rows - 9;
  const list = useList(`snapshots:${key}`, names, height, asked === null);
  const current = lines[list.index]?.snapshot;
  const none = row ? (current ? null : "there is no snapshot") : "it is gone";
  useKeys(
    "snapshots",
    {
      revert: {
        run: () => current && setAsked({ action: "revert", snapshot: current }),
        disabled: none ?? inventory.refuses("snapshot-revert", key),
      },
      create: {
        run: () => navigation.open({ screen: "action", action: "snapshot-create", keys: [key], of: null }),
        disabled: row ? inventory.refuses("snapshot-create", key) : "it is gone",
      },
      remove: {
        run: () => current && setAsked({ action: "delete", snapshot: current }),
        disabled: none ?? inventory.refuses("snapshot-delete", key),
      },
      refresh: { run: one.reload },
    },
    { active: asked === null },
  );
  if (!row || !details.value) return <NoDetails one={one} lines={size.rows - 12} />;
  if (asked) {
    const { snapshot } = asked;
    const name = plainLine(snapshot.name);
    const reverting = asked.action === "revert";
    const request: Action = reverting
      ? { do: "snapshot-revert", name: snapshot.name }
      : { do: "snapshot-delete", name: snapshot.name };
    const commands = inventory.preview(request, [key]).flatMap((preview) => preview.lines);
    const trap = reverting ? revertTrap(row, snapshot) : undefined;
    return (
      <Confirm
        title={
          reverting
            ? `Revert ${plainLine(row.name)} to ${name}?`
            : `Delete the snapshot ${name} of ${plainLine(row.name)}?`
        }
        losses={reverting ? revertLosses(row, snapshot, now) : deleteLosses(snapshot, details.value.snapshots)}
        text={[...(trap ? [trap, ""] : []), ...commands.slice(0, 3), ""].join("\n")}
        safe="Leave it"
        danger={reverting ? `Revert to ${name}` : `Delete ${name}`}
        onNo={() => setAsked(null)}
        onYes={() => {
          setAsked(null);
          inventory.act(request, [key]);
        }}
      />
    );
  }
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <OneInstanceTitle row={row} text={count(lines.length, "snapshot")} />
      <Table
        header={headerLine(snapshotColumns(width))}
        view={list}
        row={(index) => snapshotRow(lines[index] as SnapshotLine, now, width)}
        empty={<Text dimColor> No snapshot yet. n takes one.</Text>}
      />
    </Box>
  );
}
