/** Asks before something is lost: names what, keeps the safe answer under the cursor. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { edit, emptyLine } from "../editor.ts";
import { useKeys, useUi } from "../hooks.ts";
import { changed, joined, type Lines, linesOf } from "../lines.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { Dialog } from "./dialog.tsx";
import { textBox } from "./field.tsx";
import { Menu, useDialogKeys } from "./menu.tsx";
import { TextLines } from "./text-lines.tsx";

export interface ConfirmProps {
  title: string;
  /** What is lost, a line for each thing, with its full name. */
  losses: Lines;
  /** Who is not part of it, and why, a line each. */
  left?: readonly string[];
  /** A sentence under them. */
  text?: string;
  safe: string;
  /** A third answer, between the safe and the dangerous one. */
  also?: { label: string; run: () => void };
  danger: string;
  /** The name to type before it can be done, for what can't be had back. */
  typed?: string;
  onYes: () => void;
  onNo: () => void;
}

export function Confirm(props: ConfirmProps): ReactNode {
  const { title, losses, text, safe, also, danger, typed, left = [], onYes, onNo } = props;
  const { size } = useUi();
  const [line, setLine] = useState(emptyLine);
  const [error, setError] = useState("");
  const typing = typed !== undefined;
  const [top, setTop] = useState(0);
  const lines = joined(
    changed(losses, (loss) => ` ${loss}`),
    left.length > 0 ? ["", paint(` Left out: ${left.length}`, "yellow")] : [],
    linesOf(left, (one) => paint(` ${one}`, "dim")),
  );
  const room = Math.max(3, size.rows - (also ? 16 : 15));
  const long = lines.length > room;
  const last = Math.max(0, lines.length - room);
  const start = Math.min(top, last);
  const page = Math.max(1, room - 1);
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
  useDialogKeys(typing ? "field" : "menu", {
    ...(long ? { pageUp: { run: () => setTop(Math.max(0, start - page)) } } : {}),
    ...(long ? { pageDown: { run: () => setTop(Math.min(last, start + page)) } } : {}),
  });
  return (
    <Dialog title={title} tone="red">
      <Box flexDirection="column" marginY={1}>
        <TextLines lines={lines.slice(start, start + room)} />
        {long && (
          <Text
            dimColor
          >{` lines ${start + 1}–${start + room} of ${lines.length}: PgUp and PgDn show the others`}</Text>
        )}
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
            { label: safe, value: onNo },
            ...(also ? [{ label: also.label, value: also.run }] : []),
            { label: danger, value: onYes },
          ]}
          onChoose={(run) => run()}
        />
      )}
    </Dialog>
  );
}
