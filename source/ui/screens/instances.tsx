/** Every instance of every host in one table. */
import { Box, Text } from "ink";
import Spinner from "ink-spinner";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { count } from "../../text.ts";
import { lineText } from "../components/field.tsx";
import { type Filter, useFilter } from "../components/filter.tsx";
import { headerLine, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { paint } from "../theme.ts";
import { HostNodes } from "./host-nodes.tsx";
import { useInstanceActions } from "./instances-actions.tsx";
import { columnsFor, grown, type Sort, sortOrder, sortWords, type Widths } from "./instances-columns.ts";
import { ActionLog, actionLines, latestRun, logLines } from "./instances-log.tsx";
import { instanceRow } from "./instances-rows.ts";
import {
  allToggled,
  filtered,
  type Marks,
  marksText,
  rangeMarked,
  sorted,
  statusCounts,
  toggled,
} from "./instances-select.ts";
import { emptyReason, type TroubleLine, troubleLines, troubleText } from "./instances-trouble.ts";
import { MarkBy } from "./mark-by.tsx";

const noMarks: Marks = new Set();
const startSort: Sort = { by: "name", down: false };
/** Lines of the frame, the notice among them. */
const frameLines = 6;

/** Time for what is drawn with an age; 0 while nothing has one, so that a second that passes draws nothing. */
function useTime(rows: readonly InstanceRow[]): number {
  const timed = useMemo(() => rows.some(({ stale, action }) => stale || action !== null), [rows]);
  const hosts = useKnown((known) => known.inventory.hosts);
  const troubled = hosts.some(({ state }) => state !== "ok");
  return useKnown((known) => (timed || troubled ? known.now : 0));
}

function Empty({ filter }: { filter: Filter }): ReactNode {
  const hosts = useKnown((known) => known.inventory.hosts);
  if (filter.text !== "") return <Text dimColor> No instance holds all of these words. Esc shows all.</Text>;
  const { text, hint, busy } = emptyReason(hosts);
  return (
    <Box paddingLeft={1} gap={1}>
      {busy && <Spinner />}
      <Text>{text}</Text>
      <Text dimColor>{hint}</Text>
    </Box>
  );
}

/** How many there are, marked, in which state and order; or the filter while there is one. */
function countLine(
  all: readonly InstanceRow[],
  shown: readonly InstanceRow[],
  filter: Pick<Filter, "line" | "typing">,
  marks: string,
  sort: Sort,
): string {
  const filtering = filter.typing || filter.line.text !== "";
  const total = filtering ? `${shown.length} of ${all.length}` : count(all.length, "instance");
  const parts = [total, marks && paint(marks, "yellow"), statusCounts(shown, !filtering)].filter(Boolean);
  const order = paint(sortWords[sort.by][sort.down ? 1 : 0], "dim");
  if (!filtering) return ` ${[...parts, order].join(" · ")}`;
  const field = filter.typing ? lineText(filter.line, 24, true) : paint(filter.line.text, "bold");
  return ` / ${field}  ${parts.join(" · ")}`;
}

function Trouble({ lines, width }: { lines: readonly TroubleLine[]; width: number }): ReactNode {
  return lines.map((line) => (
    <Text key={line.text} wrap="truncate">
      {` ${troubleText(line, width - 2)}`}
    </Text>
  ));
}

export function InstancesScreen(): ReactNode {
  const { workspace } = useUi();
  const [nodes, setNodes] = useRemembered("instances:nodes", false);
  useEffect(() => workspace.inventory.watch(), [workspace]);
  const turn = () => setNodes((before) => !before);
  return nodes ? <HostNodes onTurn={turn} /> : <InstanceTable onNodes={turn} />;
}

function InstanceTable({ onNodes }: { onNodes: () => void }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const { inventory } = workspace;
  const hosts = useKnown((known) => known.inventory.hosts);
  const all = useKnown((known) => known.inventory.instances);
  const pending = useKnown((known) => known.inventory.pending);
  const log = useKnown((known) => known.log);
  const now = useTime(all);
  const [sort, setSort] = useRemembered<Sort>("instances:sort", startSort);
  const [marks, setMarks] = useRemembered<Marks>("instances:marks", noMarks);
  const [logShown, setLogShown] = useRemembered("instances:log", true);
  const [anchor, setAnchor] = useRemembered<string | null>("instances:anchor", null);
  const [marking, setMarking] = useState(false);
  const filter = useFilter("instances");

  const found = useMemo(() => filtered(all, filter.text), [all, filter.text]);
  const rows = useMemo(() => sorted(found, sort), [found, sort]);
  const keys = useMemo(() => rows.map(({ key }) => key), [rows]);
  const run = useMemo(() => latestRun(all), [all]);
  const lines = useMemo(() => (logShown ? actionLines(log, logLines) : []), [log, logShown]);
  const lastWidths = useRef<Widths>({});
  const widths = useMemo(() => grown(lastWidths.current, all), [all]);
  lastWidths.current = widths;
  const columns = useMemo(() => columnsFor(widths, size.columns - 3, sort), [widths, size.columns, sort]);
  const counted = useMemo(
    () => countLine(all, rows, { line: filter.line, typing: filter.typing }, marksText(all, keys, marks), sort),
    [all, rows, keys, marks, sort, filter.line, filter.typing],
  );

  const trouble = troubleLines(hosts, now, 3);
  const below = trouble.length + (lines.length > 0 ? lines.length + 1 : 0);
  // Two lines above the rows: the counts and the table's header.
  const height = Math.max(3, size.rows - frameLines - 2 - below);
  const list = useList("instances", keys, height);
  const current = rows[list.index] ?? null;
  const marked = useMemo(() => (marks.size > 0 ? all.filter(({ key }) => marks.has(key)) : []), [all, marks]);
  const targets = marked.length > 0 ? marked : current ? [current] : [];
  const actions = useInstanceActions(targets, current?.key ?? null);
  const queued = pending.filter(({ state }) => state === "queued");
  const none = current ? null : "there is no instance";

  useKeys("instances", {
    mark: {
      run: () => {
        if (!current) return;
        setMarks((before) => toggled(before, current.key));
        setAnchor(current.key);
        const next = keys[list.index + 1];
        if (next !== undefined) list.select(next);
      },
      disabled: none,
    },
    ...actions.handlers,
    filter: { run: filter.open },
    describe: { run: () => current && navigation.open({ screen: "instance", key: current.key }), disabled: none },
    sort: {
      run: () =>
        setSort(({ by }) => ({ by: sortOrder[(sortOrder.indexOf(by) + 1) % sortOrder.length] ?? "name", down: false })),
    },
    sortBack: { run: () => setSort(({ by, down }) => ({ by, down: !down })) },
    markAll: { run: () => setMarks((before) => allToggled(before, keys)), disabled: none },
    markRange: {
      run: () => current && setMarks((before) => rangeMarked(before, keys, anchor, current.key)),
      disabled: none ?? (anchor !== null && keys.includes(anchor) ? null : "mark one end by space first"),
    },
    markBy: { run: () => setMarking(true), disabled: none },
    waves: {
      run: () => navigation.open({ screen: "waves", keys: marked.map(({ key }) => key) }),
      disabled: none,
    },
    bulk: { run: () => navigation.open({ screen: "bulk", run: null }) },
    scheduled: { run: () => navigation.open({ screen: "scheduled" }) },
    nodes: { run: onNodes },
    log: { run: () => setLogShown((before) => !before) },
    cancel: {
      run: () => {
        const back = queued.filter(({ id }) => inventory.cancel(id)).length;
        workspace.notify("info", `${count(back, "action")} taken back; what has started goes on.`);
      },
      disabled: queued.length > 0 ? null : "nothing is queued",
    },
    hosts: {
      run: () => {
        navigation.open({ screen: "hosts" });
        if (hosts.length === 0) navigation.open({ screen: "add-host" });
      },
    },
    refresh: { run: () => void inventory.refresh(), disabled: hosts.length > 0 ? null : "there is no host yet" },
    copy: { run: () => current && copy(current.name, current.name), disabled: none },
  });

  if (actions.dialog) return actions.dialog;
  if (marking) {
    return (
      <MarkBy
        rows={all}
        onMark={(found, only) => setMarks((before) => new Set([...(only ? [] : before), ...found]))}
        onClose={() => setMarking(false)}
      />
    );
  }
  return (
    <Box flexDirection="column" flexGrow={1}>
      <Text wrap="truncate">{counted}</Text>
      <Table
        keys={keys}
        height={height}
        width={size.columns}
        header={`  ${headerLine(columns)}`}
        view={list}
        row={(index, selected) => {
          const row = rows[index] as InstanceRow;
          return instanceRow(row, columns, size.columns - 1, { marked: marks.has(row.key), now, selected });
        }}
        empty={<Empty filter={filter} />}
      />
      <Box flexGrow={1} />
      {lines.length > 0 && <ActionLog items={run} lines={lines} width={size.columns} />}
      <Trouble lines={trouble} width={size.columns} />
    </Box>
  );
}
