/** How the instances that are being made go, each on its line. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { MakingRow } from "../../store/making-known.ts";
import { age, count, plainLine } from "../../text.ts";
import { frameLines } from "../components/frame.tsx";
import { Table, useList } from "../components/table.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { bar, cell, glyph, paint, state } from "../theme.ts";

/** Symbol and word of an instance on its way, and what is to say of it. */
function wordsOf({ event, outcome }: MakingRow): { state: string; text: string } {
  if (outcome) {
    const { ok, error, notes, ready } = outcome;
    if (!ok) return { state: state("bad", "failed"), text: error ?? "" };
    if (error !== null) return { state: state("warning", "made"), text: error };
    return { state: `${paint(glyph.done, "green")} ${ready ? "ready" : "made"}`, text: notes.join(" · ") };
  }
  if (!event) return { state: state("idle", "waits"), text: "" };
  return { state: state("busy", event.step), text: event.text };
}

/** The whole of a failure, for the lines under the table. */
function detailLines({ outcome }: MakingRow): string[] {
  if (!outcome || outcome.error === null) return [];
  const { error, detail, cleanedUp, leftBehind } = outcome;
  return [
    paint(error, "red"),
    ...(detail?.trimEnd().split("\n") ?? []).map((line) => `| ${plainLine(line)}`),
    ...cleanedUp.map((what) => `taken away again: ${plainLine(what)}`),
    ...leftBehind.map((what) => paint(`left behind: ${plainLine(what)}`, "yellow")),
  ];
}

export function MakingScreen(): ReactNode {
  const { workspace, navigation, size } = useUi();
  const making = useKnown((known) => known.making);
  const now = useKnown((known) => (known.making.running ? known.now : 0));
  const instances = useKnown((known) => known.inventory.instances);
  const { rows } = making;
  const keys = rows.map(({ host, name }) => `${host}/${name}`);
  const below = 7;
  const height = Math.max(3, size.rows - frameLines - 2 - below);
  const list = useList("making", keys, height);
  const current = rows[list.index];
  const found = current && instances.find(({ name, host }) => name === current.name && host === current.host);
  const over = rows.filter(({ outcome }) => outcome !== null).length;
  const failed = rows.filter(({ outcome }) => outcome && (!outcome.ok || outcome.error !== null)).length;
  useKeys("making", {
    instance: {
      run: () => found && navigation.open({ screen: "instance", key: found.key }),
      disabled: found ? null : "it is not there yet",
    },
    table: { run: () => navigation.jump({ screen: "instances" }) },
    another: {
      run: () => navigation.replace({ screen: "create" }),
      disabled: making.running ? "others are being made" : null,
    },
    cancel: {
      run: () => workspace.making.cancel(),
      disabled: making.running ? null : "all of it has ended",
    },
  });
  const seconds = making.startedAt === null || !making.running ? null : (now - making.startedAt) / 1000;
  const head = [
    `${over} of ${count(rows.length, "instance")}`,
    failed > 0 ? paint(`${failed} failed`, "red") : "",
    seconds === null ? "" : age(seconds),
  ].filter(Boolean);
  const details = current ? detailLines(current).slice(0, below - 1) : [];
  return (
    <Box flexDirection="column" flexGrow={1}>
      <Text wrap="truncate">{` ${head.join(" · ")}  ${bar(rows.length === 0 ? 0 : over / rows.length, 20)}`}</Text>
      <Table
        header={`  ${cell("NAME", 22)} ${cell("ON", 20)} ${cell("STATE", 12)} WHAT HAPPENS`}
        view={list}
        row={(index) => {
          const row = rows[index] as MakingRow;
          const { state: word, text } = wordsOf(row);
          const share = row.outcome === null && row.event?.done !== undefined ? `${bar(row.event.done, 10)} ` : "";
          const room = size.columns - 61 - (share ? 11 : 0);
          const padding = " ".repeat(Math.max(0, 12 - [...word.replace(/\u001b\[\d+m/g, "")].length));
          const where = row.where === row.host ? row.host : `${row.host} ${row.where}`;
          return `  ${cell(plainLine(row.name), 22)} ${cell(plainLine(where), 20)} ${word}${padding} ${share}${cell(plainLine(text), Math.max(8, room))}`;
        }}
        empty={<Text dimColor> Nothing was made since virtu was started.</Text>}
      />
      <Box flexGrow={1} />
      <TextLines lines={details} before=" " />
    </Box>
  );
}
