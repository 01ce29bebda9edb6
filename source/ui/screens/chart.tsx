/** What some instances and nodes use over time, as a chart that fills the screen. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { frameLines } from "../components/frame.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { paint } from "../theme.ts";
import { chartMetrics, chartText, instanceLine, isOn, nodeLines, spans, spanText } from "./chart-text.ts";

/** A chart is looked at: its hosts are asked this often, in milliseconds. */
const everyMs = 2000;

export function ChartScreen({ place }: { place: Place }): ReactNode {
  const wanted = new Set(place.screen === "chart" ? place.keys : []);
  const { workspace, size } = useUi();
  const { inventory, monitor } = workspace;
  const now = useKnown((known) => known.now);
  const [metricAt, setMetric] = useRemembered("chart:metric", 0);
  const [spanAt, setSpan] = useRemembered("chart:span", 1);
  const [withNodes, setWithNodes] = useRemembered("chart:nodes", false);
  const instances = useKnown((known) => known.inventory.instances).filter(({ key }) => wanted.has(key));
  const allNodes = useKnown((known) => known.inventory.nodes);
  const named = allNodes.filter(({ key }) => wanted.has(key));
  const carrying = allNodes.filter((node) => !wanted.has(node.key) && instances.some((one) => isOn(one, node)));
  const nodes = withNodes ? [...named, ...carrying] : named;
  const hosts = [...new Set([...instances, ...named].map(({ host }) => host))].sort().join("\n");
  useEffect(
    () => inventory.watch({ everyMs, usage: true, hosts: hosts === "" ? undefined : hosts.split("\n") }),
    [inventory, hosts],
  );

  const metrics = chartMetrics(instances.length > 0, nodes.length > 0);
  const metric = metrics[metricAt % metrics.length] ?? metrics[0];
  const span = spans[Math.min(spanAt, spans.length - 1)] ?? spans[0];
  useKeys("chart", {
    metric: { run: () => setMetric((before) => (before + 1) % metrics.length) },
    metricBack: { run: () => setMetric((before) => (before + metrics.length - 1) % metrics.length) },
    nodes: {
      run: () => setWithNodes((before) => !before),
      disabled: carrying.length > 0 ? null : "no node is known beside those that are drawn",
    },
    longer: {
      run: () => setSpan((before) => Math.min(before + 1, spans.length - 1)),
      disabled: spanAt < spans.length - 1 ? null : "no more than a day is kept",
    },
    shorter: {
      run: () => setSpan((before) => Math.max(before - 1, 0)),
      disabled: spanAt > 0 ? null : "a minute is the shortest",
    },
  });
  if (!metric) return null;
  if (instances.length + named.length === 0) return <Text dimColor> What was drawn here is gone. Esc goes back.</Text>;
  const drawn = [
    ...instances.flatMap((row) => instanceLine(monitor.monitor, row, metric)),
    ...nodes.flatMap((row) => nodeLines(monitor.nodes, row, metric)),
  ];
  const lines = chartText(drawn, { metric, span, now, width: size.columns - 1, height: size.rows - frameLines - 1 });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(metric.title, "bold")} · last ${spanText(span)}`}</Text>
      <TextLines lines={lines} />
    </Box>
  );
}
