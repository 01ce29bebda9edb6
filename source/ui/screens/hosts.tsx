/** The hosts whose instances are shown, and what is wrong with each. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo } from "react";
import { headerLine, Table, useList } from "../components/table.tsx";
import { emptyLine, lineOf } from "../editor.ts";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { glyph, paint } from "../theme.ts";
import { useShell } from "./console-keys.ts";
import { hostColumns, hostLines, hostRow, hostsList } from "./hosts-rows.ts";
import { useNodeLook, useUsageWatch } from "./instances-view.ts";

export function HostsScreen(): ReactNode {
  const { size, workspace, navigation } = useUi();
  const { inventory } = workspace;
  const hosts = useKnown((known) => known.inventory.hosts);
  const instances = useKnown((known) => known.inventory.instances);
  const nodes = useKnown((known) => known.inventory.nodes);
  const pending = useKnown((known) => known.inventory.pending);
  const now = useKnown((known) => known.now);
  useEffect(() => inventory.watch(), [inventory]);
  const numbers = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { host } of instances) counts.set(host, (counts.get(host) ?? 0) + 1);
    return counts;
  }, [instances]);
  const keys = useMemo(() => hosts.map(({ host }) => host), [hosts]);
  const width = size.columns - 2;
  const room = size.rows - 7;
  // The list keeps at least half of the room; what is told of the host under the cursor has the rest.
  const height = Math.max(3, Math.min(keys.length, Math.floor(room / 2)));
  const list = useList(hostsList, keys, height);
  const current = hosts[list.index];
  const none = current ? null : "there is no host yet: a adds one";
  const openShell = useShell();
  const hostRef = (name: string) =>
    inventory.providers().find(({ attachment }) => attachment.host.name === name)?.attachment.host ?? { name };
  const busy = current && pending.some(({ host }) => host === current.host) ? "an action runs on it" : null;
  useKeys("hosts", {
    open: {
      run: () => {
        if (!current) return;
        navigation.remember("filter:instances", lineOf(current.host), emptyLine);
        navigation.remember("instances:nodes", false, false);
        navigation.jump({ screen: "instances" });
      },
      disabled: none ?? (numbers.get(current?.host ?? "") ? null : "it shows no instance"),
    },
    add: { run: () => navigation.open({ screen: "add-host" }) },
    remove: {
      run: () => {
        if (!current) return;
        workspace.removeHost(current.host);
        workspace.notify("info", `${current.host} is shown no more; nothing changed on it.`);
      },
      disabled: none ?? busy,
    },
    shell: { run: () => current && openShell(hostRef(current.host), current.host), disabled: none },
    refresh: { run: () => current && void inventory.refresh([current.host]), disabled: none },
  });
  const look = useNodeLook();
  const own = useMemo(() => nodes.filter(({ host }) => host === current?.host), [nodes, current?.host]);
  useUsageWatch(hosts.slice(list.offset, list.offset + height));
  const told = current ? hostLines(current, now, width - 1, own, look) : [];
  const rest = Math.max(1, room - height - 1);
  const cut = told.length > rest ? [...told.slice(0, rest - 1), glyph.more] : told;
  return (
    <Box flexDirection="column">
      <Table
        keys={keys}
        height={height}
        width={size.columns}
        header={headerLine(hostColumns(width))}
        view={list}
        row={(index) => {
          const host = hosts[index];
          return host ? hostRow(host, numbers.get(host.host) ?? 0, width, now) : "";
        }}
        empty={<Text dimColor> No host yet. a adds one: any host that ssh knows.</Text>}
      />
      <Text dimColor>{glyph.line.repeat(size.columns)}</Text>
      {cut.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text have no other name.
        <Text key={index} wrap="truncate">{` ${line}`}</Text>
      ))}
      {current && told.length === 0 && <Text>{paint(" Nothing is known yet.", "dim")}</Text>}
    </Box>
  );
}
