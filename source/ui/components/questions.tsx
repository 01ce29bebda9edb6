/** What the pool asks in the middle of anything: a secret (hidden), or whether a host's key is right. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { HostKeyQuestion, SecretQuestion } from "../../ssh/types.ts";
import type { Question } from "../../store/known.ts";
import { edit, emptyLine } from "../editor.ts";
import { useKeys, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { Dialog } from "./dialog.tsx";
import { textBox } from "./field.tsx";
import { Menu, useDialogKeys } from "./menu.tsx";
import { RunSecretDialog } from "./run-secret.tsx";

export function QuestionDialog({ question }: { question: Question }): ReactNode {
  switch (question.kind) {
    case "secret":
      return <SecretDialog id={question.id} question={question.question} />;
    case "run-secret":
      return <RunSecretDialog id={question.id} question={question.question} />;
    case "host-key":
      return <HostKeyDialog id={question.id} question={question.question} />;
  }
}

const secretTitles: Record<SecretQuestion["kind"], (question: SecretQuestion) => string> = {
  password: ({ host }) => `Password for ${host}`,
  passphrase: ({ file, host }) => `Passphrase of the key ${file ?? ""} (for ${host})`,
  "keyboard-interactive": ({ host }) => `${host} asks`,
};

function SecretDialog({ id, question }: { id: number; question: SecretQuestion }): ReactNode {
  const { workspace, size } = useUi();
  const [line, setLine] = useState(emptyLine);
  useKeys(
    "global",
    { back: { run: () => workspace.questions.answer(id, null) } },
    {
      level: layer.dialog,
      modal: true,
      typed: (key) => {
        if (key.name === "enter") {
          workspace.questions.answer(id, line.text);
          return true;
        }
        const next = edit(line, key);
        if (next) setLine(next);
        return next !== null;
      },
    },
  );
  useDialogKeys("field");
  return (
    <Dialog title={secretTitles[question.kind](question)}>
      {question.failures > 0 && (
        <Text>
          {paint(`That was not right (${question.failures === 1 ? "once" : `${question.failures} times`}).`, "red")}
        </Text>
      )}
      <Box marginY={1}>
        <Text>{`${question.prompt.replace(/:?\s*$/, "")}: ${textBox(line, Math.min(40, size.columns - 40), true, !question.echo)}`}</Text>
      </Box>
      <Text dimColor>⏎ sends it to this host only; it is kept nowhere. Esc leaves the host alone.</Text>
    </Dialog>
  );
}

function HostKeyDialog({ id, question }: { id: number; question: HostKeyQuestion }): ReactNode {
  const { workspace } = useUi();
  useKeys(
    "global",
    { back: { run: () => workspace.questions.answer(id, "no") } },
    // ink-select-input takes a digit for a choice at once, and a strange key must never be trusted by a slip.
    { level: layer.dialog, modal: true, typed: (key) => /^\d$/.test(key.name) },
  );
  useDialogKeys("menu");
  return (
    <Dialog title={`Is this really ${question.alias}?`} tone="yellow">
      <Box flexDirection="column" marginY={1}>
        <Text>
          {question.host === question.alias
            ? "virtu has not met this host before. Its key is"
            : `virtu has not met this host, ${question.host}, before. Its key is`}
        </Text>
        <Text>{`  ${question.keyType}  ${paint(question.fingerprint, "bold")}`}</Text>
        <Text>Compare it with what the host's administrator gives you.</Text>
      </Box>
      <Menu
        choices={[
          { label: "No, don't connect", value: "no" as const },
          { label: "Yes, this time only", value: "once" as const },
          { label: `Yes, always: keep it in ${question.knownHostsFile}`, value: "always" as const },
        ]}
        onChoose={(answer) => workspace.questions.answer(id, answer)}
      />
    </Dialog>
  );
}
