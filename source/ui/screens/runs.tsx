/** Runs under way and past, from their journals. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { runIsOpen } from "../../store/run-known.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { wrapped } from "../wrap.ts";
import { type RunRow, runRows, runRowText, runsHeader, wayRows } from "./runs-rows.ts";

function TakeOverDialog({ run, onClose }: { run: RunRow; onClose: () => void }): ReactNode {
  const { workspace, navigation } = useUi();
  return (
    <Confirm
      title={`Carry on with ${run.title} here?`}
      losses={[`process ${run.other} of this machine holds the run and its nodes`]}
      text="Only if that virtu is gone for good: two of them on one run start its steps twice."
      safe="Leave it to that virtu"
      danger="Take it over"
      onNo={onClose}
      onYes={() => {
        onClose();
        void workspace.runs.open(run.id, { takeLock: true });
        navigation.open({ screen: "run", id: run.id });
      }}
    />
  );
}

export function RunsScreen(): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const runs = useKnown((known) => known.runs);
  const now = useKnown((known) => known.now);
  const [taking, setTaking] = useState<RunRow | null>(null);
  useEffect(() => workspace.runs.watch(), [workspace]);
  const ways = useKnown((known) => known.ways);
  const rows = useMemo(
    () => [...wayRows(ways), ...runRows(runs.list.value, runs.views, now)].sort((a, b) => b.startedAt - a.startedAt),
    [ways, runs.list.value, runs.views, now],
  );
  const keys = rows.map(({ id }) => id);
  const height = size.rows - 9;
  const list = useList("runs", keys, height);
  const row = rows[list.index];
  const none = row ? null : "there is no run";
  const elsewhere = row?.other ? `process ${row.other} carries it: another virtu of this machine` : null;
  useKeys(
    "runs",
    {
      open: {
        run: () => row && navigation.open(row.way ? { screen: "way", id: row.id } : { screen: "run", id: row.id }),
        disabled: none ?? (row?.way ? null : elsewhere),
      },
      configure: { run: () => navigation.open({ screen: "configure" }) },
      install: { run: () => navigation.open({ screen: "install" }) },
      up: { run: () => navigation.open({ screen: "up" }) },
      takeOver: {
        run: () => row && setTaking(row),
        disabled: none ?? (elsewhere && !row?.way ? null : "no other virtu holds it"),
      },
      refresh: { run: () => void workspace.runs.refresh() },
      copy: { run: () => row && copy(row.id, "the run's id"), disabled: none },
    },
    { active: taking === null },
  );
  if (taking) return <TakeOverDialog run={taking} onClose={() => setTaking(null)} />;
  const { at, error } = runs.list;
  if (at === null && error) return <Problem error={error} />;
  if (at === null) return <Busy text="reading the runs' journals" />;
  const open = rows.filter(runIsOpen).length;
  const head =
    open > 0
      ? `${open} under way. A run that was interrupted goes on by itself when virtu starts.`
      : "Nothing is under way. An interrupted run goes on when virtu starts.";
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${head}`}</Text>
      <Text> </Text>
      <Table
        header={runsHeader(width)}
        view={list}
        row={(index) => runRowText(rows[index] as RunRow, width, now)}
        empty={
          <Text dimColor>
            {wrapped("No run yet: c configures nodes, i installs a manager, u goes the whole way.", width)
              .map((line) => ` ${line}`)
              .join("\n")}
          </Text>
        }
      />
      {error && <Text wrap="truncate" color="red">{` ✗ ${error.message}`}</Text>}
    </Box>
  );
}
