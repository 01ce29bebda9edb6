/** Asks for a file of this machine to write, and writes it: what is there is kept until the user says that it may be lost. */
import { Box } from "ink";
import { type ReactNode, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import { FileTaken, localPath, type WriteOptions, writeLocal } from "../../local-file.ts";
import { useUi } from "../hooks.ts";
import { Confirm } from "./confirm.tsx";
import { Form } from "./form.tsx";
import { Problem } from "./problem.tsx";

export interface SaveAsProps extends Pick<WriteOptions, "what" | "mode"> {
  /** The form's name; what was typed is remembered under it until it is written. */
  name: string;
  /** The path that is offered. */
  initial: string;
  /** What is written to a file of that name. */
  textFor: (file: string) => string;
  /** Why a name won't do, or null. */
  wrong?: (file: string) => string | null;
  /** What its ending means, beside the field. */
  meaning?: (file: string) => string | null;
  /** The sentence that says where it went. */
  told: (file: string) => string;
  /** When it is written, with its whole path; else the screen is left. */
  onDone?: (file: string) => void;
  /** Drawn under the field. */
  children?: ReactNode;
}

export function SaveAs(props: SaveAsProps): ReactNode {
  const { name, initial, textFor, wrong, meaning, told, what, mode, children } = props;
  const { workspace, navigation } = useUi();
  const [taken, setTaken] = useState<string | null>(null);
  const [problem, setProblem] = useState<VirtuError | null>(null);
  const { onDone = () => navigation.back() } = props;
  const save = async (typed: string, over: boolean) => {
    setProblem(null);
    try {
      const file = await writeLocal(typed, textFor(typed), { what, mode, over });
      workspace.notify("good", told(file));
      navigation.forget(`form:${name}`);
      onDone(file);
    } catch (thrown) {
      if (thrown instanceof FileTaken) setTaken(typed);
      else setProblem(toVirtuError(thrown));
    }
  };
  if (taken !== null) {
    return (
      <Confirm
        title="Overwrite the file?"
        losses={[localPath(taken)]}
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
        name={name}
        fields={[{ id: "file", label: "File", kind: "text", width: 50, initial }]}
        errors={({ file = "" }) => ({
          file: file === "" ? null : file.endsWith("/") ? "names a directory" : wrong?.(file),
        })}
        meanings={({ file = "" }) => ({ file: meaning?.(file) })}
        missing={({ file }) => (file ? null : "a name is needed")}
        onSubmit={({ file = "" }) => void save(file, false)}
      />
      <Box flexDirection="column" marginTop={1} paddingX={1}>
        {children}
      </Box>
      {problem && <Problem error={problem} />}
    </Box>
  );
}
