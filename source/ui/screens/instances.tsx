/** Every instance of every host in one table. */
import { Box, Text } from "ink";
import Spinner from "ink-spinner";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { isUnheard } from "../../instances/unheard.ts";
import { count } from "../../text.ts";
import { lineText } from "../components/field.tsx";
import { type Filter, useFilter, useFoundRow } from "../components/filter.tsx";
import { frameLines } from "../components/frame.tsx";
import { headerLine, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { paint, widthOf } from "../theme.ts";
import { useConsoleKeys } from "./console-keys.ts";
import { HostNodes, queueless } from "./host-nodes.tsx";
import { useInstanceActions } from "./instances-actions.tsx";
import { columnsFor, grown, sortWords, type Widths } from "./instances-columns.ts";
import { InstanceDetailsPane, paneLines } from "./instances-details.tsx";
import { groupLine, type Item, itemsOf } from "./instances-groups.ts";
import { ActionLog, actionLines, latestRun, logLines } from "./instances-log.tsx";
import { instanceRow } from "./instances-rows.ts";
import {
  allToggled,
  countStatuses,
  filtered,
  type Marks,
  marksText,
  rangeMarked,
  type StatusCounts,
  sorted,
  statusText,
  toggled,
} from "./instances-select.ts";
import { emptyReason, type TroubleLine, troubleLines, troubleText } from "./instances-trouble.ts";
import { nextGroup, nextSort, type TableView, useTableView, useUsageLook, useUsageWatch } from "./instances-view.ts";
import { MarkBy } from "./mark-by.tsx";

const noMarks: Marks = new Set();
const nobody: readonly InstanceRow[] = [];
const noneClosed: ReadonlySet<string> = new Set();

/** Time for what is drawn with an age; 0 while nothing has one, so that a second that passes draws nothing. */
function useTime(timed: boolean): number {
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

const isFiltering = ({ typing, line }: Filter) => typing || line.text !== "";

/** How many there are, marked, in which state and order; or the filter while there is one. */
function countLine(
  all: readonly InstanceRow[],
  shown: readonly InstanceRow[],
  { states, marks }: { states: StatusCounts; marks: string },
  filter: Filter,
  { sort, group }: TableView,
  width: number,
): string {
  const filtering = isFiltering(filter);
  const total = filtering ? `${shown.length} of ${all.length}` : count(all.length, "instance");
  const parts = (words: string) => [total, marks && paint(marks, "yellow"), words].filter(Boolean).join(" · ");
  const order = paint(`${sortWords[sort.by][sort.down ? 1 : 0]}${group ? ` in each ${group}` : ""}`, "dim");
  const symbols = parts(statusText(states, false));
  const line = ` ${parts(statusText(states))} · ${order}`;
  // Where not all has room, the symbols are enough.
  if (!filtering) return widthOf(line) < width ? line : ` ${symbols} · ${order}`;
  const field = filter.typing ? lineText(filter.line, 24, true) : paint(filter.line.text, "bold");
  return ` / ${field}  ${symbols}`;
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

function memberOf(item: Item | null): InstanceRow | null {
  return item?.kind === "instance" ? item.row : null;
}

/** The instances that an item of the list stands for. */
function rowsOf(item: Item | null): readonly InstanceRow[] {
  if (item === null) return [];
  return item.kind === "group" ? item.rows : [item.row];
}

function InstanceTable({ onNodes }: { onNodes: () => void }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const { inventory } = workspace;
  const hosts = useKnown((known) => known.inventory.hosts);
  const all = useKnown((known) => known.inventory.instances);
  const pending = useKnown((known) => known.inventory.pending);
  const log = useKnown((known) => known.log);
  // Passes over thousands of rows take their part of a key's time: what most rows have nothing of is looked for once.
  const notable = useMemo(() => all.filter(({ stale, action }) => stale || action !== null), [all]);
  const deaf = useMemo(() => notable.filter(isUnheard), [notable]);
  const now = useTime(notable.length > 0);
  const [view, changeView] = useTableView();
  const { sort, group } = view;
  const [closed, setClosed] = useRemembered("instances:closed", noneClosed);
  const [detailed, setDetailed] = useRemembered("instances:detailed", false);
  const look = useUsageLook();
  const [marks, setMarks] = useRemembered<Marks>("instances:marks", noMarks);
  const [logShown, setLogShown] = useRemembered("instances:log", true);
  const [anchor, setAnchor] = useRemembered<string | null>("instances:anchor", null);
  const [marking, setMarking] = useState(false);
  const filter = useFilter("instances");

  const found = useMemo(() => filtered(all, filter.text), [all, filter.text]);
  const rows = useMemo(() => sorted(found, sort, look), [found, sort, look]);
  const items = useMemo(() => itemsOf(rows, group, closed), [rows, group, closed]);
  const { keys } = items;
  /** As they stand: in each group by the order. */
  const ordered = useMemo(
    () => (group === null ? keys : keys.flatMap((_key, index) => memberOf(items.at(index))?.key ?? [])),
    [group, keys, items],
  );
  const run = useMemo(() => latestRun(notable), [notable]);
  const lines = useMemo(() => (logShown ? actionLines(log, logLines) : []), [log, logShown]);
  const beside = detailed ? paneLines(size).width : 0;
  const width = size.columns - beside;
  const last = useRef<{ widths: Widths; rows: readonly InstanceRow[] }>({ widths: {}, rows: nobody });
  const widths = useMemo(() => grown(last.current.widths, all, last.current.rows), [all]);
  last.current = { widths, rows: all };
  const columns = useMemo(
    () => columnsFor(widths, width - 3, sort, look, view.columns),
    [widths, width, sort, look, view.columns],
  );
  const marked = useMemo(() => (marks.size > 0 ? all.filter(({ key }) => marks.has(key)) : nobody), [all, marks]);
  const visible = useMemo(
    () => (rows.length === all.length ? marked : rows.filter(({ key }) => marks.has(key))).length,
    [all, rows, marked, marks],
  );
  const states = useMemo(() => countStatuses(found), [found]);
  const told = { states, marks: marksText(marked.length, visible) };
  const counted = countLine(all, rows, told, filter, view, size.columns);

  const trouble = troubleLines(hosts, now, 3);
  const pane = detailed ? paneLines(size) : { width: 0, height: 0 };
  const below = trouble.length + (lines.length > 0 ? lines.length + 1 : 0) + pane.height;
  // Two lines above the rows: the counts and the table's header.
  const height = Math.max(3, size.rows - frameLines - 2 - below);
  const list = useList("instances", keys, height);
  useFoundRow(filter, list);
  const item = items.at(list.index);
  const counts = detailed || columns.some(({ counted }) => counted);
  const onScreen = useMemo(
    () => (counts ? Array.from({ length: height }, (_, line) => items.at(list.offset + line)).flatMap(rowsOf) : nobody),
    [counts, items, list.offset, height],
  );
  useUsageWatch(onScreen);
  const current = memberOf(item);
  const targets = marked.length > 0 ? marked : rowsOf(item);
  const used = useMemo(() => targets.some(({ key }) => look.rates(key)), [targets, look]);
  const actions = useInstanceActions(targets, current?.key ?? null, undefined, deaf);
  const fold = (close: boolean) => {
    let index = list.index;
    while (items.at(index)?.kind === "instance") index -= 1;
    const at = keys[index];
    if (at === undefined) return;
    setClosed((before) => new Set(close ? [...before, at] : [...before].filter((key) => key !== at)));
    if (close) list.select(at);
  };
  const queued = pending.filter(({ state }) => state === "queued");
  const none = current ? null : item ? "the cursor is on a group: go to one of its instances" : "there is no instance";

  useKeys("instances", {
    mark: {
      run: () => {
        const here = rowsOf(item).map(({ key }) => key);
        setMarks((before) => (current ? toggled(before, current.key) : allToggled(before, here)));
        if (current) setAnchor(current.key);
        const next = keys[list.index + 1];
        if (next !== undefined) list.select(next);
      },
      disabled: item ? null : "there is no instance",
    },
    ...actions.handlers,
    ...useConsoleKeys(current),
    filter: { run: filter.open },
    describe: { run: () => current && navigation.open({ screen: "instance", key: current.key }), disabled: none },
    sort: { run: () => changeView((before) => ({ sort: nextSort(before.sort, columns) })) },
    sortBack: { run: () => changeView(({ sort: { by, down } }) => ({ sort: { by, down: !down } })) },
    markAll: {
      run: () =>
        setMarks((before) =>
          allToggled(
            before,
            rows.map(({ key }) => key),
          ),
        ),
      disabled: item ? null : "there is no instance",
    },
    group: {
      run: () => {
        changeView((before) => ({ group: nextGroup(before.group) }));
        setClosed(noneClosed);
      },
    },
    close: { run: () => fold(true), disabled: group === null ? "nothing is grouped: b groups" : null },
    open: { run: () => fold(false), disabled: group === null ? "nothing is grouped: b groups" : null },
    details: { run: () => setDetailed((before) => !before) },
    columns: { run: () => navigation.open({ screen: "columns" }) },
    views: { run: () => navigation.open({ screen: "views" }) },
    create: {
      run: () => navigation.open({ screen: "create", host: current?.host }),
      disabled: hosts.length > 0 ? null : "there is no host yet",
    },
    stores: {
      run: () => navigation.open({ screen: "stores" }),
      disabled: hosts.length > 0 ? null : "there is no host yet",
    },
    chart: {
      run: () => navigation.open({ screen: "chart", keys: targets.map(({ key }) => key) }),
      disabled: used ? null : "nothing is known of what it uses",
    },
    exportAll: {
      run: () => navigation.open({ screen: "export" }),
      disabled: rows.length > 0 ? null : "there is nothing to export",
    },
    copyRow: {
      run: () => current && navigation.open({ screen: "copy-cell", key: current.key }),
      disabled: none,
    },
    markRange: {
      run: () => current && setMarks((before) => rangeMarked(before, ordered, anchor, current.key)),
      disabled: none ?? (anchor !== null && ordered.includes(anchor) ? null : "mark one end by space first"),
    },
    markBy: { run: () => setMarking(true), disabled: none },
    waves: {
      run: () => navigation.open({ screen: "waves", keys: marked.map(({ key }) => key) }),
      disabled: none,
    },
    bulk: { run: () => navigation.open({ screen: "bulk", run: null }) },
    later: {
      run: () => navigation.open({ screen: "schedule", keys: targets.map(({ key }) => key) }),
      disabled: none,
    },
    scheduled: { run: () => navigation.open({ screen: "scheduled" }) },
    nodes: { run: onNodes },
    jobs: { run: () => navigation.open({ screen: "provider-jobs" }), disabled: queueless(hosts) },
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
      <Box flexDirection="row">
        <Table
          width={width}
          header={`  ${headerLine(columns)}`}
          view={list}
          row={(index, selected) => {
            const shown = items.at(index);
            if (!shown) return "";
            if (shown.kind === "group") return `  ${groupLine(shown, width - 3, look)}`;
            return instanceRow(shown.row, columns, width - 1, { marked: marks.has(shown.row.key), now, selected });
          }}
          empty={<Empty filter={filter} />}
        />
        {pane.width > 0 && (
          <InstanceDetailsPane
            row={current}
            group={item?.kind === "group" ? item : null}
            width={pane.width}
            height={height + 1}
            look={look}
          />
        )}
      </Box>
      {pane.height > 0 && (
        <InstanceDetailsPane
          row={current}
          group={item?.kind === "group" ? item : null}
          width={size.columns}
          height={pane.height}
          look={look}
        />
      )}
      <Box flexGrow={1} />
      {lines.length > 0 && <ActionLog items={run} lines={lines} width={size.columns} />}
      <Trouble lines={trouble} width={size.columns} />
    </Box>
  );
}
