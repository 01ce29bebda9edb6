/** One comparison: live while it runs, then side by side with bars, and what is compared and what is not. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { comparisonFormat, comparisonText } from "../../journey/compare-export.ts";
import { type Measure, measuresOf, notGone } from "../../journey/compare-model.ts";
import type { ComparisonView } from "../../journey/compare-types.ts";
import { subjectText } from "../../journey/compare-words.ts";
import { comparisonOf } from "../../store/compare-known.ts";
import { age, count } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { frameLines } from "../components/frame.tsx";
import { SaveAs } from "../components/save-as.tsx";
import { Table, useList } from "../components/table.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { bar, paint } from "../theme.ts";
import {
  columnsFor,
  comparisonState,
  detailLines,
  headLine,
  meaningLines,
  measureLine,
  progressOf,
} from "./comparison-text.ts";

export function ComparisonScreen({ place }: { place: Place }): ReactNode {
  const { workspace } = useUi();
  const id = place.screen === "comparison" ? place.id : "";
  const view = useKnown((known) => comparisonOf(known.comparisons, id));
  const running = useKnown((known) => known.comparisons.running === id);
  useEffect(() => void workspace.comparing.refresh(), [workspace]);
  if (view) return <Comparison view={view} running={running} />;
  return running ? <Busy text="Beginning" /> : <Text> Nothing is known of this comparison. Esc goes back.</Text>;
}

type Asking = "cancel" | "clean" | null;

function Comparison({ view, running }: { view: ComparisonView; running: boolean }): ReactNode {
  const { workspace, navigation, size, copy } = useUi();
  const now = useKnown((known) => (running ? known.now : 0));
  const busy = useKnown((known) => known.comparisons.running !== null);
  const [asking, setAsking] = useState<Asking>(null);
  const [first, setFirst] = useRemembered(`comparison:${view.id}`, 0);
  const { places } = view.setup;
  const width = size.columns - 2;
  const columns = columnsFor(places.length, width);
  const from = Math.min(first, places.length - columns.shown);
  const measures = useMemo(() => measuresOf(view), [view]);
  const keys = measures.map(({ id }) => id);
  const list = useList(`comparison:${view.id}`, keys, keys.length, asking === null);
  const left = notGone(view).length;
  const cancelled = running && view.state === "running" ? null : running ? "it is being cleaned up" : "it has ended";
  const room = places.length > columns.shown ? null : "all places are shown";
  useKeys(
    "comparison",
    {
      cancel: { run: () => setAsking("cancel"), disabled: cancelled },
      save: { run: () => navigation.open({ screen: "comparison-save", id: view.id }) },
      clean: {
        run: () => setAsking("clean"),
        disabled:
          view.state === "running" || busy ? "a comparison is under way" : left > 0 ? null : "nothing is left behind",
      },
      left: { run: () => setFirst(Math.max(0, from - 1)), disabled: room },
      right: { run: () => setFirst(Math.min(places.length - columns.shown, from + 1)), disabled: room },
      copy: { run: () => copy(comparisonText(view, "md"), "the table") },
    },
    { active: asking === null },
  );
  const names = notGone(view).map(({ place, name }) => `${place}/${name}`);
  if (asking !== null) {
    const cancel = asking === "cancel";
    return (
      <Confirm
        title={cancel ? "Take the comparison back?" : `Take away what ${view.id} has left?`}
        losses={names.length > 0 ? names : ["nothing is made yet"]}
        text={
          cancel ? "They are removed with their disks; the times so far stay." : "They are removed with their disks."
        }
        safe={cancel ? "Let it go on" : "Leave them"}
        danger={cancel ? "Take it back" : "Take them away"}
        onNo={() => setAsking(null)}
        onYes={() => {
          setAsking(null);
          if (cancel) workspace.comparing.cancel();
          else workspace.comparing.clean(view.id);
        }}
      />
    );
  }
  const progress = progressOf(view);
  const head = [paint(subjectText(view.setup), "bold"), comparisonState(view)];
  if (view.state === "running") head.push(progress.text, bar(progress.share, 12));
  else if (view.endedAt !== null && view.state !== "interrupted")
    head.push(`took ${age((view.endedAt - view.startedAt) / 1000)}`);
  const below = Math.max(2, size.rows - frameLines - 3 - keys.length);
  const measure = measures[list.index] as Measure;
  const details = detailLines(view, measure, width - 2);
  const meaning = meaningLines(view, width - 2);
  const lines = [...details, "", ...meaning];
  const shown =
    lines.length > below ? [...lines.slice(0, below - 1), paint(`… y copies all of it, w saves it`, "dim")] : lines;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${head.filter(Boolean).join(" · ")}`}</Text>
      <Table
        header={headLine(places.slice(from, from + columns.shown), columns.each)}
        view={list}
        row={(index) => measureLine(view, measures[index] as Measure, from, columns, now)}
      />
      <Text dimColor wrap="truncate">
        {places.length > columns.shown ? ` places ${from + 1}–${from + columns.shown} of ${places.length}: ← →` : " "}
      </Text>
      <TextLines lines={shown} before=" " />
    </Box>
  );
}

/** Writes a comparison into a file. */
export function ComparisonSaveScreen({ place }: { place: Place }): ReactNode {
  const id = place.screen === "comparison-save" ? place.id : "";
  const view = useKnown((known) => comparisonOf(known.comparisons, id));
  if (!view) return <Text> Nothing is known of this comparison. Esc goes back.</Text>;
  const kinds = { csv: "every single time", json: "all that is known", md: "the table side by side" } as const;
  const kindOf = (file: string) => {
    const format = comparisonFormat(file);
    return format && kinds[format];
  };
  return (
    <SaveAs
      name="comparison-save"
      what="The comparison"
      mode={0o600}
      initial="~/virtu-comparison.md"
      textFor={(file) => comparisonText(view, comparisonFormat(file) ?? "json")}
      wrong={(file) => (comparisonFormat(file) ? null : "a name that ends in .csv, .json or .md")}
      meaning={kindOf}
      told={(file) => `The comparison is in ${file}.`}
    >
      <Text dimColor>{`${count(view.samples.length, "time")} of ${count(view.setup.places.length, "place")}.`}</Text>
    </SaveAs>
  );
}
