/** The nodes that carry the instances, with Ganeti's own column names. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { HostView, NodeRow } from "../../instances/inventory-types.ts";
import { type NodeMetric, poolsOf } from "../../monitor/nodes.ts";
import type { LogLine } from "../../store/known.ts";
import { natural, plainLine } from "../../text.ts";
import { FilterLine, useFilter, useFoundRow } from "../components/filter.tsx";
import { type Column, headerLine, layout, Table, useList } from "../components/table.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import { cell, glyph, paint, widthOf } from "../theme.ts";
import { nodeHost, useShell } from "./console-keys.ts";
import { ActionLog, logLines } from "./instances-log.tsx";
import { mebibytes, staleAge } from "./instances-rows.ts";
import { useNodeLook, useUsageWatch } from "./instances-view.ts";
import { freeCell, hotStyles, type NodeLook, nodeCell, nodeUseLines, noNodeLook } from "./nodes-usage.ts";

interface NodeColumn extends Column {
  grow?: number;
  text: (node: NodeRow, look: NodeLook) => string;
  /** The number that it tells, which may be above its limit. */
  metric?: NodeMetric;
}

/** From so many columns on there is room for the provider, and for memory and storage over time. */
const wide = 110;

const number = (title: string, width: number, text: NodeColumn["text"]): NodeColumn => ({
  ...{ title, width, text },
  align: "right",
});

const percentColumn = (title: string, metric: NodeMetric): NodeColumn => ({
  ...{ title, metric },
  width: 10,
  align: "right",
  text: (node, look) => nodeCell(node, metric, look),
});

const columnsAt = (width: number): NodeColumn[] => {
  const only = (columns: NodeColumn[]) => (width >= wide ? columns : []);
  return layout<NodeColumn>(
    [
      { title: "NODE", width: 13, grow: 3, text: ({ name }) => name },
      ...only([{ title: "PROVIDER", width: 9, text: ({ provider }) => provider }]),
      { title: "ROLES", width: 9, grow: 2, text: ({ roles }) => roles.join(" ") },
      percentColumn("CPU", "cpu"),
      ...only([percentColumn("MEM", "memory"), percentColumn("STORAGE", "storage")]),
      number("DTotal", 6, ({ diskTotal }) => mebibytes(diskTotal)),
      { ...number("DFree", 5, (node, look) => freeCell(node, node.diskFree, "storage", look)), metric: "storage" },
      number("MTotal", 6, ({ memoryTotal }) => mebibytes(memoryTotal)),
      number("MNode", 5, ({ memoryNode }) => mebibytes(memoryNode)),
      { ...number("MFree", 5, (node, look) => freeCell(node, node.memoryFree, "memory", look)), metric: "memory" },
      number("Pinst", 5, ({ primaryInstances }) => String(primaryInstances ?? "")),
      number("Sinst", 5, ({ secondaryInstances }) => String(secondaryInstances ?? "")),
    ],
    width,
  );
};

/** One node in `width` columns; what a provider does not know stays empty. */
export function hostNodeRow(node: NodeRow, width: number, now: number, look: NodeLook = noNodeLook): string {
  const hot = look.hot(node.key);
  const cells = columnsAt(width).map(({ title, width: wide, align, text, metric }) => {
    const age = node.stale && title === "ROLES" ? `${staleAge(node.seenAt, now)} ` : "";
    const shown = cell(plainLine(`${age}${text(node, look)}`), wide, align);
    return metric && !node.stale && hot.includes(metric) ? paint(shown, ...hotStyles) : shown;
  });
  const line = cells.join(" ");
  return node.stale ? paint(line, "dim") : line;
}

/** Why there is no queue of jobs to look at, or null. */
export function queueless(hosts: readonly HostView[]): string | null {
  const any = hosts.some(({ providers }) => providers.some(({ name }) => name === "ganeti"));
  return any ? null : "only Ganeti has a queue of jobs, and no cluster is shown";
}

/** The last lines that actions on these nodes wrote. */
function nodeLines(log: readonly LogLine[], nodes: readonly NodeRow[]): LogLine[] {
  const names = new Set(nodes.map(({ host, name }) => `${host}/${name}`));
  return log.filter(({ where }) => names.has(where)).slice(-logLines);
}

const byName = (one: NodeRow, other: NodeRow) => natural(one.name, other.name) || natural(one.host, other.host);

interface NodeUseProps {
  node: NodeRow;
  height: number;
  width: number;
  look: NodeLook;
}

function NodeUse({ node, height, width, look }: NodeUseProps): ReactNode {
  const all = nodeUseLines(node, look);
  const shown = all.slice(0, height);
  if (all.length > height) shown[height - 1] = paint(`${glyph.more} ${all.length - height + 1} more`, "dim");
  const title = cell(plainLine(node.name), width - 6).trimEnd();
  return (
    <Box flexDirection="column" height={height + 1}>
      <Text wrap="truncate">{paint(`─ ${title} ${"─".repeat(Math.max(0, width - widthOf(title) - 4))}`, "dim")}</Text>
      <TextLines lines={shown} before=" " />
    </Box>
  );
}

export function HostNodes({ onTurn }: { onTurn: () => void }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const all = useKnown((known) => known.inventory.nodes);
  const now = useKnown((known) => (all.some(({ stale }) => stale) ? known.now : 0));
  const filter = useFilter("host-nodes");
  const [detailed, setDetailed] = useRemembered("host-nodes:detailed", true);
  const nodes = useMemo(
    () =>
      all
        .filter((node) =>
          matches(`${node.name} ${node.provider} ${node.cluster ?? ""} ${node.roles.join(" ")}`, filter.text),
        )
        .sort(byName),
    [all, filter.text],
  );
  const keys = useMemo(() => nodes.map(({ key }) => key), [nodes]);
  const filtering = filter.typing || filter.text !== "";
  const pending = useKnown((known) => known.inventory.pending);
  const log = useKnown((known) => known.log);
  const working = pending.filter(({ key }) => keys.includes(key));
  const lines = useMemo(() => nodeLines(log, all), [log, all]);
  const look = useNodeLook();
  const below = lines.length > 0 ? lines.length + 1 : 0;
  const room = size.rows - 8 - (filtering ? 1 : 0) - below;
  // What the node under the cursor uses stands below, as far as half of the room; its height stays while the cursor moves.
  const longest = useMemo(() => nodes.reduce((most, node) => Math.max(most, poolsOf(node).length), 0), [nodes]);
  const told = detailed ? Math.min(longest + 3, Math.max(0, Math.floor(room / 2))) : 0;
  const height = Math.max(3, room - (told > 0 ? told + 1 : 0));
  const list = useList("host-nodes", keys, height);
  useFoundRow(filter, list);
  const current = nodes[list.index];
  useUsageWatch(nodes.slice(list.offset, list.offset + height));
  const hosts = useKnown((known) => known.inventory.hosts);
  const none = current ? null : "there is no node";
  useKeys("instances", {
    menu: { run: () => current && navigation.open({ screen: "actions", keys: [current.key] }), disabled: none },
    chart: {
      run: () => current && navigation.open({ screen: "chart", keys: [current.key] }),
      disabled: none ?? (current && look.rates(current.key) ? null : "nothing is known of what it uses"),
    },
    details: { run: () => setDetailed((before) => !before) },
    jobs: { run: () => navigation.open({ screen: "provider-jobs" }), disabled: queueless(hosts) },
    filter: { run: filter.open },
    nodes: { run: onTurn, label: "instances" },
    hosts: { run: () => navigation.open({ screen: "hosts" }) },
    refresh: { run: () => void workspace.inventory.refresh() },
    copy: { run: () => current && copy(current.name, current.name), disabled: none },
  });
  const openShell = useShell();
  useKeys("hostNodes", {
    shell: {
      run: () => current && openShell(nodeHost(current, workspace.inventory.find(current.key)), current.name),
      disabled: current ? null : "there is no node",
    },
  });
  // Esc goes back to the instances that this lies over.
  useKeys("global", { back: { run: onTurn } }, { active: !filtering });
  const width = size.columns - 2;
  return (
    <Box flexDirection="column" flexGrow={1}>
      <FilterLine filter={filter} shown={nodes.length} total={all.length} />
      <Table
        header={headerLine(columnsAt(width))}
        view={list}
        row={(index) => hostNodeRow(nodes[index] as NodeRow, width, now, look)}
        empty={<Text dimColor> No node is known yet. n shows the instances again.</Text>}
      />
      {told > 0 && current && <NodeUse node={current} height={told} width={size.columns} look={look} />}
      <Box flexGrow={1} />
      {lines.length > 0 && <ActionLog items={working} lines={lines} width={size.columns} />}
    </Box>
  );
}
