/** The nodes that carry the instances, with Ganeti's own column names. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { HostView, NodeRow } from "../../instances/inventory-types.ts";
import type { LogLine } from "../../store/known.ts";
import { natural, plainLine } from "../../text.ts";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { headerLine, layout, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import { cell, paint } from "../theme.ts";
import { nodeHost, useShell } from "./console-keys.ts";
import { ActionLog, logLines } from "./instances-log.tsx";
import { mebibytes, staleAge } from "./instances-rows.ts";

const columnsAt = (width: number) =>
  layout(
    [
      { title: "NODE", width: 14, grow: 3 },
      { title: "PROVIDER", width: 8 },
      { title: "ROLES", width: 8, grow: 2 },
      { title: "DTotal", width: 6, align: "right" },
      { title: "DFree", width: 6, align: "right" },
      { title: "MTotal", width: 6, align: "right" },
      { title: "MNode", width: 5, align: "right" },
      { title: "MFree", width: 6, align: "right" },
      { title: "Pinst", width: 5, align: "right" },
      { title: "Sinst", width: 5, align: "right" },
    ],
    width,
  );

/** One node in `width` columns; what a provider does not know stays empty. */
export function hostNodeRow(node: NodeRow, width: number, now: number): string {
  const roles = [...(node.stale ? [staleAge(node.seenAt, now)] : []), ...node.roles].join(" ");
  const texts = [
    node.name,
    node.provider,
    roles,
    mebibytes(node.diskTotal),
    mebibytes(node.diskFree),
    mebibytes(node.memoryTotal),
    mebibytes(node.memoryNode),
    mebibytes(node.memoryFree),
    String(node.primaryInstances ?? ""),
    String(node.secondaryInstances ?? ""),
  ];
  const line = columnsAt(width)
    .map((column, index) => cell(plainLine(texts[index] ?? ""), column.width, column.align))
    .join(" ");
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

export function HostNodes({ onTurn }: { onTurn: () => void }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const all = useKnown((known) => known.inventory.nodes);
  const now = useKnown((known) => (all.some(({ stale }) => stale) ? known.now : 0));
  const filter = useFilter("host-nodes");
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
  const below = lines.length > 0 ? lines.length + 1 : 0;
  const height = Math.max(3, size.rows - 8 - (filtering ? 1 : 0) - below);
  const list = useList("host-nodes", keys, height);
  const current = nodes[list.index];
  const hosts = useKnown((known) => known.inventory.hosts);
  const none = current ? null : "there is no node";
  useKeys("instances", {
    menu: { run: () => current && navigation.open({ screen: "actions", keys: [current.key] }), disabled: none },
    jobs: { run: () => navigation.open({ screen: "provider-jobs" }), disabled: queueless(hosts) },
    filter: { run: filter.open },
    nodes: { run: onTurn },
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
        keys={keys}
        height={height}
        width={size.columns}
        header={headerLine(columnsAt(width))}
        view={list}
        row={(index) => hostNodeRow(nodes[index] as NodeRow, width, now)}
        empty={<Text dimColor> No node is known yet. n shows the instances again.</Text>}
      />
      <Box flexGrow={1} />
      {lines.length > 0 && <ActionLog items={working} lines={lines} width={size.columns} />}
    </Box>
  );
}
