/** The comparisons of this machine: when, of what, how they ended, what they left. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { notGone } from "../../journey/compare-model.ts";
import type { ComparisonView } from "../../journey/compare-types.ts";
import { dayText, subjectText } from "../../journey/compare-words.ts";
import { comparisonRows } from "../../store/compare-known.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { frameLines } from "../components/frame.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { cell } from "../theme.ts";
import { comparisonState } from "./comparison-text.ts";

export function ComparisonsScreen(): ReactNode {
  const { workspace, navigation, size, copy } = useUi();
  const known = useKnown((state) => state.comparisons);
  const now = useKnown((state) => state.now);
  const [cleaning, setCleaning] = useState<ComparisonView | null>(null);
  useEffect(() => void workspace.comparing.refresh(), [workspace]);
  const rows = useMemo(() => comparisonRows(known), [known]);
  const keys = rows.map(({ view }) => view.id);
  const height = Math.max(3, size.rows - frameLines - 3);
  const list = useList("comparisons", keys, height, cleaning === null);
  const row = rows[list.index];
  const none = row ? null : "nothing was compared yet";
  const left = row ? notGone(row.view).length : 0;
  const held = row?.elsewhere ? `process ${row.elsewhere} carries it: another virtu of this machine` : null;
  const busy = known.running === null ? null : "a comparison is under way";
  useKeys(
    "comparisons",
    {
      open: { run: () => row && navigation.open({ screen: "comparison", id: row.view.id }), disabled: none },
      create: { run: () => navigation.open({ screen: "compare" }), disabled: busy },
      clean: {
        run: () => row && setCleaning(row.view),
        disabled: none ?? held ?? busy ?? (left > 0 ? null : "nothing is left behind"),
      },
      refresh: { run: () => void workspace.comparing.refresh() },
      copy: { run: () => row && copy(row.view.id, "its id"), disabled: none },
    },
    { active: cleaning === null },
  );
  if (cleaning) {
    return (
      <Confirm
        title={`Take away what ${cleaning.id} has left?`}
        losses={notGone(cleaning).map(({ place, name }) => `${place}/${name}`)}
        text="They are removed with their disks."
        safe="Leave them"
        danger="Take them away"
        onNo={() => setCleaning(null)}
        onYes={() => {
          workspace.comparing.clean(cleaning.id);
          navigation.open({ screen: "comparison", id: cleaning.id });
        }}
      />
    );
  }
  if (known.list.at === null && known.list.error) return <Problem error={known.list.error} />;
  if (known.list.at === null) return <Busy text="reading what is kept" />;
  return (
    <Box flexDirection="column">
      <Text dimColor wrap="truncate">
        {" The same life cycle on two or more places, timed and shown side by side."}
      </Text>
      <Text> </Text>
      <Table
        header={`${cell("WHEN", 12)} ${cell("OF", 30)} STATE`}
        view={list}
        row={(index) => {
          const { view } = rows[index] as { view: ComparisonView };
          const when = dayText(view.startedAt, now);
          return `${cell(when, 12)} ${cell(subjectText(view.setup), 30)} ${comparisonState(view)}`;
        }}
        empty={<Text dimColor> Nothing was compared yet: n compares tools.</Text>}
      />
    </Box>
  );
}
