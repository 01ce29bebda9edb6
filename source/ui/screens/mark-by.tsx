/** Marks instances by a rule: the words of a selector, with how many fit while they are typed. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import { toVirtuError } from "../../errors.ts";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { choosesSomething, selectBy, tagsOf } from "../../instances/selector.ts";
import { selectorOf } from "../../instances/selector-words.ts";
import { count, plainLine } from "../../text.ts";
import { Dialog } from "../components/dialog.tsx";
import { textBox } from "../components/field.tsx";
import { edit, emptyLine, type Line } from "../editor.ts";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";

type Fit = { keys: readonly string[]; text: string } | { error: string };

/** The instances that the words mean. */
export function fitting(
  rows: readonly InstanceRow[],
  text: string,
  groups: Parameters<typeof selectBy>[2]["groups"],
): Fit {
  try {
    const selector = selectorOf(text.split(/\s+/).filter(Boolean));
    if (!choosesSomething(selector)) return { keys: [], text: "" };
    const { found } = selectBy(rows, selector, { groups });
    const names = found.slice(0, 4).map(({ name }) => plainLine(name));
    const more = found.length > names.length ? ", …" : "";
    return {
      keys: found.map(({ key }) => key),
      text: `${count(found.length, "instance")}: ${names.join(", ")}${more}`,
    };
  } catch (thrown) {
    const { what, why } = toVirtuError(thrown);
    return { error: why ? `${what}: ${why}` : what };
  }
}

/** `tags web, db · groups lab`: what there is to choose by. */
function known(rows: readonly InstanceRow[], groups: readonly string[]): string[] {
  const list = (word: string, values: Iterable<string>) => {
    const all = [...new Set(values)].sort();
    const more = all.length > 8 ? ` and ${all.length - 8} more` : "";
    return all.length === 0 ? [] : [`${word.padEnd(10)}${all.slice(0, 8).map(plainLine).join(", ")}${more}`];
  };
  return [
    ...list("tag=", rows.flatMap(tagsOf)),
    ...list("group=", groups),
    ...list(
      "host=",
      rows.flatMap(({ host, cluster }) => [host, ...(cluster === null ? [] : [cluster])]),
    ),
    ...list(
      "provider=",
      rows.map(({ provider }) => provider),
    ),
    ...list(
      "state=",
      rows.map(({ status }) => status),
    ),
  ];
}

export function MarkBy({
  rows,
  onMark,
  onClose,
}: {
  rows: readonly InstanceRow[];
  onMark: (keys: readonly string[], only: boolean) => void;
  onClose: () => void;
}): ReactNode {
  const { workspace } = useUi();
  const groups = workspace.settings.get("groups");
  const [line, setLine] = useRemembered<Line>("instances:mark-by", emptyLine);
  const fit = useMemo(() => fitting(rows, line.text, groups), [rows, line.text, groups]);
  const lines = useMemo(() => known(rows, Object.keys(groups)), [rows, groups]);
  const none = "error" in fit ? fit.error : fit.keys.length === 0 ? "none fits" : null;
  const mark = (only: boolean) => {
    if ("error" in fit) return;
    onMark(fit.keys, only);
    onClose();
  };
  useKeys(
    "global",
    { back: { run: onClose } },
    {
      level: layer.dialog,
      modal: true,
      typed: (key) => {
        const next = edit(line, key);
        if (next) setLine(next);
        return next !== null;
      },
    },
  );
  // Above the layer that takes what is typed.
  useKeys(
    "markBy",
    { mark: { run: () => mark(false), disabled: none }, only: { run: () => mark(true), disabled: none } },
    { level: layer.dialog },
  );
  return (
    <Dialog title="Mark by">
      <Box marginTop={1}>
        <Text>{textBox(line, 60, true)}</Text>
      </Box>
      <Text wrap="truncate">{"error" in fit ? paint(`✗ ${fit.error}`, "red") : fit.text || " "}</Text>
      <Box flexDirection="column" marginTop={1}>
        <Text dimColor>Names, patterns (web*, hv1/db?) and rules; one of each kind must hold:</Text>
        {lines.map((one) => (
          <Text key={one} wrap="truncate" dimColor>
            {` ${one}`}
          </Text>
        ))}
      </Box>
    </Dialog>
  );
}
