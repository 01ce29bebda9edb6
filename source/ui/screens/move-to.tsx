/** Where instances are moved: the targets with their free memory and what the pre-check says, live or not, the command. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { Action, MigrationTarget } from "../../instances/types.ts";
import { type MoveName, targetsKey } from "../../store/instance-work.ts";
import { type Loaded, nothing } from "../../store/loaded.ts";
import { count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { CommandBox } from "../components/command-box.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { headerLine, layout, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, glyph, paint, symbol } from "../theme.ts";
import { useCommands } from "./action.tsx";
import { mebibytes, nodeText } from "./instances-rows.ts";
import { rowsOf } from "./one-instance.tsx";

const columnsAt = (width: number) =>
  layout(
    [
      { title: "TARGET", width: 20, grow: 2 },
      { title: "FREE", width: 7, align: "right" },
      { title: "CHECK", width: 30, grow: 4 },
    ],
    width,
  );

/** A target in `width` columns. */
export function targetRow({ name, memoryFreeMiB, refusal, note }: MigrationTarget, width: number): string {
  const [first, free, check] = columnsAt(width).map((column) => column.width);
  const head = `${cell(plainLine(name), first ?? 0)} ${cell(mebibytes(memoryFreeMiB), free ?? 0, "right")}`;
  const text = refusal === null ? plainLine(note) || "nothing stands against it" : plainLine(refusal);
  const mark = refusal === null ? paint(glyph.done, "green") : paint(symbol("bad"), "red");
  const line = `${mark} ${cell(text, (check ?? 0) - 2)}`;
  return refusal === null ? `${head} ${line}` : `${paint(head, "dim")} ${line}`;
}

const unasked: Loaded<readonly MigrationTarget[]> = nothing([]);

/** The request, or null when a target is needed and none is chosen. */
export function moveRequest(action: MoveName, to: string | null, live: boolean): Action | null {
  if (action === "migrate") return { do: "migrate", to, live };
  if (action === "failover") return { do: "failover", to };
  return to === null ? null : { do: "move", to };
}

/** What it means for the guest. */
function effectText(action: MoveName, live: boolean, rows: readonly InstanceRow[]): string {
  const running = rows.some(({ status }) => status === "running");
  if (action === "migrate" && !running) return "It is off: only its place changes.";
  if (action === "migrate")
    return live ? "Live: the guest goes on running." : "Not live: the guest stands still while its memory is copied.";
  if (action === "failover")
    return running ? "The guest is shut down and starts anew over there." : "It starts over there when it ran before.";
  return "It is off while its disks are copied.";
}

type MovePlace = Extract<Place, { screen: "move-to" }>;
const noPlace: MovePlace = { screen: "move-to", action: "migrate", keys: [] };

export function MoveToScreen({ place }: { place: Place }): ReactNode {
  const { action, keys } = place.screen === "move-to" ? place : noPlace;
  const { size, workspace, navigation } = useUi();
  const { inventory, instances } = workspace;
  const all = useKnown((known) => known.inventory.instances);
  const rows = useMemo(() => rowsOf(all, keys), [all, keys]);
  const [first] = rows;
  const asked = first?.key ?? "";
  const targets = useKnown((known) => known.instances.targets[targetsKey(action, asked)] ?? unasked);
  const [live, setLive] = useRemembered("move-to:live", true);
  const [confirming, setConfirming] = useState(false);
  useEffect(() => inventory.watch(), [inventory]);
  useEffect(() => {
    if (asked !== "") void instances.readTargets(action, asked);
  }, [instances, action, asked]);

  // Where the provider knows a place by itself, it may choose; a move always needs one.
  const own = targets.at !== null && action !== "move" && (targets.value.length === 0 || rows.length > 1);
  const ownTarget: MigrationTarget = {
    name: "where the provider chooses",
    memoryFreeMiB: null,
    refusal: null,
    note: "",
  };
  const lines = [...(own ? [ownTarget] : []), ...targets.value];
  const names = lines.map(({ name }) => name);
  const height = Math.max(3, size.rows - 19);
  const list = useList(`move-to:${action}`, names, height);
  const chosen = lines[list.index];
  const to = own && list.index === 0 ? null : (chosen?.name ?? null);
  const request = chosen ? moveRequest(action, to, live) : null;
  const { title, commands } = useCommands(request, keys);
  // Nothing would run where the provider can't choose.
  const nowhere = !chosen || (own && list.index === 0 && commands[0] === "–");
  const why = targets.loading ? "the targets are being looked at" : nowhere ? "there is nowhere to go" : chosen.refusal;
  const running = rows.some(({ status }) => status === "running");
  useKeys(
    "moveTo",
    {
      go: { run: () => setConfirming(true), disabled: why },
      ...(action === "migrate" && running ? { live: { run: () => setLive((before) => !before) } } : {}),
      refresh: { run: () => void instances.readTargets(action, asked) },
    },
    { active: !confirming },
  );
  if (!first) return <Text dimColor> It is no longer there. Esc goes back.</Text>;
  const what = rows.length === 1 ? plainLine(first.name) : count(rows.length, "instance");
  const verb = verbOf(action);
  const word = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`;
  if (confirming && request) {
    const where = to === null ? "" : ` to ${plainLine(to)}`;
    return (
      <Confirm
        title={`${word} ${what}${where}?`}
        losses={rows.map((row) => `${plainLine(row.name)}  ${row.provider}  now on ${plainLine(nodeText(row))}`)}
        text={effectText(action, live, rows)}
        safe="Leave it"
        danger={`${word} ${what}${where}`}
        onNo={() => setConfirming(false)}
        onYes={() => {
          inventory.act(request, keys);
          navigation.back();
        }}
      />
    );
  }
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`${word} ${what}`, "bold")} · now on ${plainLine(nodeText(first))} · ${effectText(action, live, rows)}`}</Text>
      {targets.error ? (
        <Problem error={targets.error} lines={4} />
      ) : targets.at === null ? (
        <Busy text={`asking ${plainLine(first.host)} where it can go`} />
      ) : (
        <Table
          header={headerLine(columnsAt(width))}
          view={list}
          row={(index) => targetRow(lines[index] as MigrationTarget, width)}
          empty={<Text dimColor> There is nowhere to go: no other node or host is known. R asks again.</Text>}
        />
      )}
      {!targets.error && chosen?.refusal && (
        <Box marginTop={1} paddingX={1}>
          <Text>{paint(plainLine(chosen.refusal), "yellow")}</Text>
        </Box>
      )}
      <Box flexGrow={1} />
      <CommandBox title={title} commands={commands} columns={size.columns - 1} />
    </Box>
  );
}
