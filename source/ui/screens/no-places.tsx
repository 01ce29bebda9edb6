/** What stands where a screen needs hosts and none of them will do: still being asked, out of reach, or not of that kind. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { Busy } from "../components/busy.tsx";
import { useKnown, useUi } from "../hooks.ts";
import { cell, paint, symbol, toneStyles } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { emptyReason, troubleLines } from "./instances-trouble.ts";

/** Hosts that are named with their reason at most. */
const named = 5;

/** `none`: said when hosts answer, and none of them is of the wanted kind. */
export function NoPlaces({ none }: { none: string }): ReactNode {
  const { size, workspace } = useUi();
  const hosts = useKnown((known) => known.inventory.hosts);
  if (hosts.some(({ state }) => state === "discovering")) return <Busy text="Finding out what the hosts run" />;
  const answers = hosts.some(({ state }) => state === "ok" || state === "stale");
  const text = answers || hosts.length === 0 ? none : emptyReason(hosts).text;
  const hint =
    answers || hosts.length === 0 ? "H under Instances (4) adds a host." : "H under Instances (4) tells what to do.";
  return (
    <Box flexDirection="column" paddingLeft={1}>
      <Text>{wrapped(`${text} ${hint}`, size.columns - 2).join("\n")}</Text>
      {troubleLines(hosts, workspace.clock(), named).map((line) => (
        <Text key={line.text}>
          {paint(cell(`${symbol(line.tone)} ${line.text}`, size.columns - 2), ...toneStyles(line.tone))}
        </Text>
      ))}
    </Box>
  );
}
