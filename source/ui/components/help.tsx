/** `?`: every key that works here, from the keymap. `:`: the same things by name. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { edit, emptyLine } from "../editor.ts";
import { useKeys, useUi } from "../hooks.ts";
import { keyName } from "../keys.ts";
import { matches, stepOf } from "../list.ts";
import { type Active, layer } from "../router.ts";
import { cell, glyph, paint } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { lineText } from "./field.tsx";
import { headerLine, useMoves } from "./table.tsx";

const keyWidth = 18;

/** An entry in as many lines as its sentence takes, and the reason why it does not work now under it. */
function helpLines({ binding, disabled }: Active, width: number): string[] {
  const keys = cell(binding.keys.map(keyName).join(" "), keyWidth);
  const text = `${binding.text}${binding.dangerous ? ` ${glyph.dangerous}` : ""}`;
  const [first = "", ...more] = wrapped(text, width - keyWidth - 1);
  const reason = disabled ? wrapped(`not now: ${disabled}`, width - keyWidth - 3).map((line) => `  ${line}`) : [];
  const under = [...more, ...reason].map((line) => `${" ".repeat(keyWidth + 1)}${line}`);
  return disabled
    ? [`${keys} ${first}`, ...under].map((line) => paint(line, "dim"))
    : [`${paint(keys, "bold")} ${first}`, ...under];
}

/** Help for what was active when it was opened. */
export function HelpScreen({ active, onClose }: { active: readonly Active[]; onClose: () => void }): ReactNode {
  const { size } = useUi();
  const [offset, setOffset] = useState(0);
  const height = size.rows - 7;
  const lines = active.flatMap((entry) => helpLines(entry, size.columns - 2));
  const last = Math.max(0, lines.length - height);
  useKeys(
    "global",
    { back: { run: onClose }, help: { run: onClose }, quit: { run: onClose } },
    // The keys that it tells of do nothing while it is read: below this one nobody gets any.
    { level: layer.dialog, modal: true, typed: (key) => /^\d$/.test(key.name) },
  );
  useMoves(
    // A whole page, since nothing has to be found again: no line belongs to the one before.
    (move) => setOffset((before) => Math.max(0, Math.min(last, before + stepOf(move, height + 1, lines.length)))),
    { level: layer.dialog },
  );
  return (
    <Box flexDirection="column">
      <Text bold>{` ${headerLine([
        { title: "KEY", width: keyWidth },
        { title: "WHAT IT DOES HERE", width: 40 },
      ])}`}</Text>
      <Text wrap="truncate">
        {lines
          .slice(offset, offset + height)
          .map((line) => ` ${line}`)
          .join("\n")}
      </Text>
      {last > 0 && (
        <Text
          dimColor
        >{` ${offset + 1}–${Math.min(lines.length, offset + height)} of ${lines.length} · PgDn more`}</Text>
      )}
    </Box>
  );
}

/** Runs one of the active bindings by its name. */
export function Palette({ active, onClose }: { active: readonly Active[]; onClose: () => void }): ReactNode {
  const { size } = useUi();
  const [line, setLine] = useState(emptyLine);
  const [cursor, setCursor] = useState(0);
  const found = active
    .filter(({ scope, disabled, native }) => !disabled && !native && scope !== "list")
    .filter(({ binding }) => matches(`${binding.label} ${binding.text}`, line.text));
  const index = Math.min(cursor, Math.max(0, found.length - 1));
  useKeys(
    "global",
    { back: { run: onClose } },
    {
      level: layer.dialog,
      modal: true,
      typed: (key) => {
        if (key.name === "enter") {
          onClose();
          found[index]?.run(key);
          return true;
        }
        if (key.name === "up" || key.name === "down") {
          setCursor(Math.max(0, Math.min(found.length - 1, index + (key.name === "up" ? -1 : 1))));
          return true;
        }
        const next = edit(line, key);
        if (next) {
          setLine(next);
          setCursor(0);
        }
        return next !== null;
      },
    },
  );
  const height = size.rows - 8;
  const offset = Math.max(0, index - height + 1);
  return (
    <Box flexDirection="column">
      <Text>{` : ${lineText(line, Math.max(10, size.columns - 6), true)}`}</Text>
      {found.slice(offset, offset + height).map(({ scope, id, binding }, at) => {
        const selected = offset + at === index;
        const text = `${cell(binding.label, 18)} ${binding.text}`;
        return (
          <Text key={`${scope}.${id}`} wrap="truncate">
            {`${selected ? paint(glyph.cursor, "cyan", "bold") : " "}${selected ? paint(text, "bold") : text}`}
          </Text>
        );
      })}
      {found.length === 0 && <Text dimColor> Nothing here is called so.</Text>}
    </Box>
  );
}
