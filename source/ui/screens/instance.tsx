/** One instance: everything known of it, and the same actions as in the table. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo, useState } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { PlainActionName } from "../../instances/types.ts";
import { Table, useMoves } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { stepOf } from "../list.ts";
import type { Place } from "../navigation.ts";
import { useConsoleKeys } from "./console-keys.ts";
import { instanceLines, nameWidth } from "./instance-lines.ts";
import { useInstanceActions } from "./instances-actions.tsx";
import { usageLines } from "./instances-details.tsx";
import { useUsageLook, useUsageWatch } from "./instances-view.ts";
import { useOneInstance } from "./one-instance.tsx";

const nobody: readonly InstanceRow[] = [];
const actions: readonly PlainActionName[] = ["start", "shutdown", "reboot", "force-off"];

export function InstanceScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "instance" ? place.key : "";
  const { workspace, size, copy, navigation } = useUi();
  const { inventory } = workspace;
  const one = useOneInstance(key);
  const { row, details } = one;
  const now = useKnown((known) => known.now);
  const feed = useKnown((known) => known.instances.feed);
  const own = useMemo(() => feed.filter((line) => line.key === key), [feed, key]);
  const [scrolled, setScrolled] = useState(0);
  const { handlers, dialog } = useInstanceActions(row ? [row] : [], key);
  const gone = row ? null : "it is gone";

  const previews = row
    ? actions.map((action) => ({
        action,
        refusal: inventory.refuses(action, key),
        lines: inventory.preview({ do: action }, [key]).flatMap(({ lines }) => lines),
      }))
    : [];
  const look = useUsageLook();
  useUsageWatch(row ? [row] : nobody);
  const told = row ? instanceLines(row, { details, previews, feed: own }, now, size.columns - 2) : [];
  const used = row ? usageLines(look.rates(row.key), row.usageGap, nameWidth) : [];
  const lines = [...told.slice(0, 1), ...used, ...told.slice(1)];
  // The last line tells how much there is.
  const height = size.rows - 7;
  const last = Math.max(0, lines.length - height);
  const offset = Math.min(scrolled, last);
  useMoves((move) => setScrolled(Math.max(0, Math.min(last, offset + stepOf(move, height, lines.length)))));
  useKeys("instance", {
    hardware: { run: () => navigation.open({ screen: "hardware", key }), disabled: gone },
    snapshots: {
      run: () => navigation.open({ screen: "snapshots", key }),
      disabled: gone,
    },
    definition: { run: () => navigation.open({ screen: "definition", key }), disabled: gone },
  });
  // What is bound last is shown first: what one does most.
  useKeys("instances", {
    ...handlers,
    ...useConsoleKeys(row ?? null),
    jobs: {
      // The job of its latest action where there is one, else all of the cluster's.
      run: () => {
        const job = row?.action?.job ?? null;
        const place = inventory.find(key)?.provider.place;
        if (job !== null && place !== undefined) navigation.open({ screen: "provider-job", place, id: job });
        else navigation.open({ screen: "provider-jobs" });
      },
      disabled: row?.provider === "ganeti" ? null : "only Ganeti has a queue of jobs",
    },
    refresh: {
      run: () => {
        void inventory.refresh(row ? [row.host] : undefined);
        one.reload();
      },
      disabled: gone,
    },
    copy: { run: () => row && copy(row.name, row.name), disabled: gone },
  });
  if (dialog) return dialog;
  if (!row) return <Text dimColor> This instance is gone. Esc goes back to the others.</Text>;
  return (
    <Box flexDirection="column">
      <Table
        view={{ keys: lines.map((_, index) => String(index)), height, index: -1, offset }}
        row={(index) => lines[index] ?? ""}
      />
      {last > 0 && (
        <Text dimColor>{` ${offset + 1}–${offset + height} of ${lines.length} lines; arrows show the others`}</Text>
      )}
    </Box>
  );
}
