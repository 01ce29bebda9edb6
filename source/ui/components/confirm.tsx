/** Asks before something is lost: names what, keeps the safe answer under the cursor. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { edit, emptyLine } from "../editor.ts";
import { useKeys, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { Dialog } from "./dialog.tsx";
import { textBox } from "./field.tsx";
import { Menu, useDialogKeys } from "./menu.tsx";

export interface ConfirmProps {
  title: string;
  /** What is lost, a line for each thing, with its full name. */
  losses: readonly string[];
  /** A sentence under them. */
  text?: string;
  safe: string;
  danger: string;
  /** The name to type before it can be done, for what can't be had back. */
  typed?: string;
  onYes: () => void;
  onNo: () => void;
}

export function Confirm({ title, losses, text, safe, danger, typed, onYes, onNo }: ConfirmProps): ReactNode {
  const { size } = useUi();
  const [line, setLine] = useState(emptyLine);
  const [error, setError] = useState("");
  const typing = typed !== undefined;
  const room = Math.max(3, size.rows - 14);
  useKeys(
    "global",
    { back: { run: onNo } },
    {
      level: layer.dialog,
      modal: true,
      typed: (key) => {
        // ink-select-input takes a digit for a choice at once: a hand on its way to another screen must not force off.
        if (!typing) return /^\d$/.test(key.name);
        if (key.name === "enter") {
          if (line.text === typed) onYes();
          else setError(`Type ${typed} to go on, or Esc to leave it.`);
          return true;
        }
        const next = edit(line, key);
        if (next) setLine(next);
        return next !== null;
      },
    },
  );
  useDialogKeys(typing ? "field" : "menu");
  return (
    <Dialog title={title} tone="red">
      <Box flexDirection="column" marginY={1}>
        {losses.slice(0, room).map((loss) => (
          <Text key={loss} wrap="truncate">{` ${loss}`}</Text>
        ))}
        {losses.length > room && <Text>{` … and ${losses.length - room} more`}</Text>}
      </Box>
      {text && <Text>{text}</Text>}
      {typing ? (
        <Box flexDirection="column">
          <Text>{`Type ${paint(typed, "bold")} to go on: ${textBox(line, Math.max(12, typed.length + 2), true)}`}</Text>
          <Text>{paint(error, "red")}</Text>
        </Box>
      ) : (
        <Menu
          choices={[
            { label: safe, value: false },
            { label: danger, value: true },
          ]}
          onChoose={(yes) => (yes ? onYes() : onNo())}
        />
      )}
    </Dialog>
  );
}
