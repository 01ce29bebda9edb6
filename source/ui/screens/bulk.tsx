/** A run of actions on many: how each goes, worst first; what failed again, what waits taken back, what came of it kept. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { ActionRunView } from "../../instances/inventory-types.ts";
import { countsOf, worstFirst } from "../../instances/run-summary.ts";
import { unheardOf } from "../../instances/unheard.ts";
import { count } from "../../text.ts";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { paint } from "../theme.ts";
import { barText, countsText, headText, itemText, nameWidth, unheardText, waveText } from "./bulk-text.ts";
import { useUnheard } from "./unheard.tsx";

const frameLines = 6;

/** The run of a place, with its place among all that are kept. */
function useRun(place: Place): { run: ActionRunView | null; index: number; runs: readonly ActionRunView[] } {
  const runs = useKnown((known) => known.inventory.runs);
  const wanted = place.screen === "bulk" ? place.run : null;
  const index = wanted === null ? 0 : runs.findIndex(({ run }) => run === wanted);
  return { run: runs[index] ?? null, index, runs };
}

export function BulkScreen({ place }: { place: Place }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const { inventory } = workspace;
  const { run, index, runs } = useRun(place);
  const now = useKnown((known) => known.now);
  const items = useMemo(() => worstFirst(run?.items ?? []), [run]);
  const counts = useMemo(() => countsOf(items), [items]);
  const keys = useMemo(() => items.map(({ id }) => String(id)), [items]);
  // Who they are does not change in the course of a run.
  const number = run?.run ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the run's number stands for its names.
  const names = useMemo(() => nameWidth(items, size.columns - 2), [number, size.columns]);
  const waves = run?.waves ?? [];
  const height = Math.max(3, size.rows - frameLines - 5 - (waves.length > 0 ? waves.length + 1 : 0));
  const list = useList(`bulk:${number}`, keys, height);
  const current = items[list.index];
  const open = (run?.endedAt ?? null) === null;
  const again = counts.failed + (waves.length > 0 ? counts.cancelled : 0);
  const instances = useKnown((known) => known.inventory.instances);
  const deaf = useMemo(() => unheardOf(items, instances), [items, instances]);
  const unheard = useUnheard(deaf, () => navigation.replace({ screen: "bulk", run: null }));
  const show = (other: ActionRunView | undefined) => other && navigation.replace({ screen: "bulk", run: other.run });
  useKeys("bulk", {
    unheard: unheard.handler,
    retry: {
      run: () => {
        const next = run && inventory.retry(run.run);
        if (next) navigation.replace({ screen: "bulk", run: next.run });
      },
      disabled: again === 0 ? "nothing failed" : open ? "wait for its end, or cancel what is queued" : null,
    },
    cancel: {
      run: () => {
        const back = run ? inventory.cancelRun(run.run) : 0;
        workspace.notify("info", `${count(back, "action")} taken back; what has started goes on.`);
      },
      disabled: counts.queued > 0 ? null : "nothing is queued",
    },
    save: {
      run: () => run && navigation.open({ screen: "bulk-save", run: run.run }),
      disabled: run ? null : "there is no run",
    },
    earlier: { run: () => show(runs[index + 1]), disabled: runs[index + 1] ? null : "there is no run before it" },
    later: { run: () => show(runs[index - 1]), disabled: runs[index - 1] ? null : "it is the latest" },
    describe: {
      run: () => current && navigation.open({ screen: "instance", key: current.key }),
      disabled: current && current.statusBefore !== null ? null : "there is no instance",
    },
    copy: {
      run: () => current && copy([current.name, current.error ?? current.text].join(": "), current.name),
      disabled: current ? null : "there is nothing",
    },
  });
  if (unheard.dialog) return unheard.dialog;
  if (!run) {
    return <Text dimColor> Nothing was done since virtu started: mark instances, and choose an action.</Text>;
  }
  const width = size.columns - 2;
  const detail = current?.detail?.trim().split("\n").at(-1) ?? "";
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(headText(run, counts, now), "bold")}`}</Text>
      <Text wrap="truncate">{` ${barText(counts, Math.min(width, 76))}`}</Text>
      <Text wrap="truncate">{` ${[countsText(counts), unheardText(deaf.length)].filter(Boolean).join("  ")}`}</Text>
      {waves.map((wave, at) => (
        <Text key={`${wave.title} ${String(at)}`} wrap="truncate">
          {` ${waveText(wave, at, width)}`}
        </Text>
      ))}
      <Text> </Text>
      <Table
        view={list}
        row={(at) => {
          const item = items[at];
          return item ? itemText(item, names, width, now) : "";
        }}
      />
      <Text wrap="truncate" dimColor>
        {detail === "" ? " " : ` ${detail}`}
      </Text>
    </Box>
  );
}
