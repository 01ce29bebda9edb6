/** A run asks for a secret that it needs to go on: a password, typed twice and hidden. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { RunSecretQuestion } from "../../store/known.ts";
import { passwordError, strengthText } from "../../store/passwords.ts";
import { edit, emptyLine } from "../editor.ts";
import { useKeys, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { Dialog } from "./dialog.tsx";
import { Field, textBox } from "./field.tsx";
import { useDialogKeys } from "./menu.tsx";

const names: Record<string, string> = { "root-password": "root's new password" };

export function RunSecretDialog({ id, question }: { id: number; question: RunSecretQuestion }): ReactNode {
  const { workspace, size } = useUi();
  const [lines, setLines] = useState([emptyLine, emptyLine] as const);
  const [at, setAt] = useState<0 | 1>(0);
  const [refusal, setRefusal] = useState("");
  const [first, second] = lines;
  const submit = () => {
    if (at === 0 && second.text === "") return setAt(1);
    const error = passwordError(first.text, second.text);
    setRefusal(error ?? "");
    if (!error) workspace.questions.answer(id, first.text);
  };
  useKeys(
    "global",
    { back: { run: () => workspace.questions.answer(id, null) } },
    {
      level: layer.dialog,
      modal: true,
      typed: (key) => {
        if (key.name === "enter") {
          submit();
          return true;
        }
        if (["tab", "shift+tab", "up", "down"].includes(key.name)) {
          setAt(at === 0 ? 1 : 0);
          return true;
        }
        const next = edit(lines[at], key);
        if (next) {
          setLines(at === 0 ? [next, second] : [first, next]);
          setRefusal("");
        }
        return next !== null;
      },
    },
  );
  useDialogKeys("field");
  const width = Math.min(30, size.columns - 50);
  const hint = first.text === "" ? "" : strengthText(first.text);
  const same = second.text === "" ? "" : first.text === second.text ? "the same" : "not the same yet";
  return (
    <Dialog title={`${question.title} needs ${names[question.name] ?? question.name}`}>
      <Box flexDirection="column" marginY={1}>
        <Field label="New one" focused={at === 0} value={textBox(first, width, at === 0, true)} help={hint} />
        <Field label="Once more" focused={at === 1} value={textBox(second, width, at === 1, true)} help={same} />
        {refusal !== "" && <Text>{paint(`✗ ${refusal}`, "red")}</Text>}
      </Box>
      <Text dimColor>⏎ goes on. It is sent to the nodes on standard input and kept nowhere. Esc gives none.</Text>
    </Dialog>
  );
}
