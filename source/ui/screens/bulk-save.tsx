/** Saves what came of a run of actions to a file of the user's choice. */
import { Text } from "ink";
import type { ReactNode } from "react";
import { isJson, summaryFile } from "../../instances/run-summary.ts";
import { SaveAs } from "../components/save-as.tsx";
import { useKnown } from "../hooks.ts";
import type { Place } from "../navigation.ts";

export function BulkSaveScreen({ place }: { place: Place }): ReactNode {
  const number = place.screen === "bulk-save" ? place.run : 0;
  const run = useKnown((known) => known.inventory.runs.find((one) => one.run === number)) ?? null;
  if (!run) return <Text dimColor> This run is no longer kept.</Text>;
  const day = new Date(run.startedAt).toISOString().slice(0, 16).replace(/\D/g, "");
  return (
    <SaveAs
      name="bulk-save"
      what="The summary"
      initial={`~/virtu-${run.request.do}-${day}.json`}
      textFor={(file) => summaryFile(run, file)}
      meaning={(file) => (isJson(file) ? "as JSON" : "as text")}
      told={(file) => `What came of it is in ${file}.`}
    >
      <Text dimColor>
        Each instance with its state before and after, how long it took and why it failed; JSON where the name ends in
        .json, else text.
      </Text>
    </SaveAs>
  );
}
