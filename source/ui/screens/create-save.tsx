/** Keeps what the five steps stand for as a file that `virtu create -f` takes. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import { writeNewFile } from "../../instances/export.ts";
import { plain } from "../../text.ts";
import { Form } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";

export function CreateSaveScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation, size } = useUi();
  const [problem, setProblem] = useState<VirtuError | null>(null);
  if (place.screen !== "create-save") return null;
  const { text } = place;
  const save = async (file: string) => {
    try {
      const target = await writeNewFile(file, text);
      workspace.notify("good", `Saved. Again by: virtu create -f ${target}`);
      navigation.forget("form:create-save");
      navigation.back();
    } catch (thrown) {
      setProblem(toVirtuError(thrown));
    }
  };
  return (
    <Box flexDirection="column">
      <Form
        name="create-save"
        fields={[{ id: "file", label: "File", kind: "text", width: 50, initial: place.file }]}
        errors={() => ({})}
        missing={({ file }) => (file ? null : "a name is needed")}
        onSubmit={({ file = "" }) => void save(file)}
        footer={() => (
          <Box marginTop={1} paddingLeft={2}>
            <Text dimColor wrap="truncate">
              {plain(text)
                .split("\n")
                .slice(0, Math.max(4, size.rows - 14))
                .join("\n")}
            </Text>
          </Box>
        )}
      />
      {problem && <Problem error={problem} />}
    </Box>
  );
}
