/** Saves what came of a run of actions to a file of the user's choice. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { toVirtuError } from "../../errors.ts";
import { saveSummary, summaryPath } from "../../instances/save-summary.ts";
import { Confirm } from "../components/confirm.tsx";
import { Form, type FormField } from "../components/form.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";

export function BulkSaveScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation } = useUi();
  const number = place.screen === "bulk-save" ? place.run : 0;
  const run = useKnown((known) => known.inventory.runs.find((one) => one.run === number)) ?? null;
  const [taken, setTaken] = useState<string | null>(null);
  if (!run) return <Text dimColor> This run is no longer kept.</Text>;
  const day = new Date(run.startedAt).toISOString().slice(0, 16).replace(/\D/g, "");
  const fields: FormField[] = [
    {
      id: "file",
      label: "File",
      kind: "text",
      width: 50,
      initial: `~/virtu-${run.request.do}-${day}.json`,
    },
  ];
  const save = async (file: string, overwrite: boolean) => {
    try {
      const saved = await saveSummary(run, file, overwrite);
      if (saved === false) {
        setTaken(file);
        return;
      }
      workspace.notify("good", `What came of it is in ${saved}.`);
      navigation.forget("form:bulk-save");
      navigation.back();
    } catch (thrown) {
      workspace.failed(toVirtuError(thrown));
    }
  };
  if (taken !== null) {
    return (
      <Confirm
        title="Overwrite the file?"
        losses={[summaryPath(taken)]}
        text="It is there already; what it holds is lost."
        safe="Leave it, choose another name"
        danger="Overwrite it"
        onNo={() => setTaken(null)}
        onYes={() => {
          setTaken(null);
          void save(taken, true);
        }}
      />
    );
  }
  return (
    <Box flexDirection="column">
      <Form
        name="bulk-save"
        fields={fields}
        errors={({ file = "" }) => ({ file: file.endsWith("/") ? "names a folder" : null })}
        missing={({ file }) => (file ? null : "a file is needed")}
        meanings={({ file = "" }) => ({ file: file.toLowerCase().endsWith(".json") ? "as JSON" : "as text" })}
        onSubmit={({ file = "" }) => void save(file, false)}
      />
      <Box marginTop={1} paddingX={1}>
        <Text dimColor>
          Each instance with its state before and after, how long it took and why it failed; JSON where the name ends in
          .json, else text.
        </Text>
      </Box>
    </Box>
  );
}
