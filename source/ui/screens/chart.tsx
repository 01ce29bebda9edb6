/** What some instances use over time, as a chart that fills the screen. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { plainLine } from "../../text.ts";
import { frameLines } from "../components/frame.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { paint } from "../theme.ts";
import { chartMetrics, chartText, spans, spanText } from "./chart-text.ts";

/** A chart is looked at: its hosts are asked this often, in milliseconds. */
const everyMs = 2000;

export function ChartScreen({ place }: { place: Place }): ReactNode {
  const keys = place.screen === "chart" ? place.keys : [];
  const { workspace, size } = useUi();
  const rows = useKnown((known) => known.inventory.instances);
  const now = useKnown((known) => known.now);
  const [metricAt, setMetric] = useRemembered("chart:metric", 0);
  const [spanAt, setSpan] = useRemembered("chart:span", 1);
  useEffect(() => workspace.inventory.watch({ everyMs }), [workspace]);

  const metric = chartMetrics[metricAt % chartMetrics.length] ?? chartMetrics[0];
  const span = spans[Math.min(spanAt, spans.length - 1)] ?? spans[0];
  useKeys("chart", {
    metric: { run: () => setMetric((before) => (before + 1) % chartMetrics.length) },
    metricBack: { run: () => setMetric((before) => (before + chartMetrics.length - 1) % chartMetrics.length) },
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
  const wanted = new Set(keys);
  const instances = rows.filter(({ key }) => wanted.has(key)).map(({ key, name }) => ({ key, name: plainLine(name) }));
  if (instances.length === 0) return <Text dimColor> These instances are gone. Esc goes back.</Text>;
  const lines = chartText(workspace.monitor.monitor, {
    ...{ instances, metric, span, now },
    width: size.columns - 1,
    height: size.rows - frameLines - 1,
  });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(metric.title, "bold")} · last ${spanText(span)}`}</Text>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <Text key={index} wrap="truncate">
          {line}
        </Text>
      ))}
    </Box>
  );
}
