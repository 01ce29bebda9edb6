/** The filter over a table: `/` types, ⏎ keeps it, Esc clears it. */
import { Text } from "ink";
import { type ReactNode, useEffect, useRef } from "react";
import { edit, emptyLine, type Line } from "../editor.ts";
import { useKeys, useRemembered } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { lineText } from "./field.tsx";

export interface Filter {
  text: string;
  line: Line;
  typing: boolean;
  open: () => void;
}

/** A filter under a name; while it is typed, all text goes to it and arrows go on to the list. */
export function useFilter(name: string): Filter {
  const [line, setLine] = useRemembered<Line>(`filter:${name}`, emptyLine);
  const [typing, setTyping] = useRemembered(`filter:${name}:typing`, false);
  const clear = () => {
    setLine(emptyLine);
    setTyping(false);
  };
  useKeys(
    "filter",
    { keep: { run: () => setTyping(false) }, clear: { run: clear } },
    {
      level: layer.field,
      active: typing,
      typed: (key) => {
        if (edit(line, key) === null) return false;
        setLine((before) => edit(before, key) ?? before);
        return true;
      },
    },
  );
  // A kept filter is cleared by Esc before Esc goes back.
  useKeys("filter", { clear: { run: clear } }, { active: !typing && line.text !== "" });
  return { text: line.text, line, typing, open: () => setTyping(true) };
}

/** The row that was looked for, in a filter that was kept, stays under the cursor when the filter goes. */
export function useFoundRow(
  { text, typing }: Pick<Filter, "text" | "typing">,
  { key, select }: { key: string | null; select: (key: string) => void },
): void {
  const found = useRef<string | null>(null);
  useEffect(() => {
    if (text !== "") found.current = typing ? null : key;
    else if (found.current !== null) {
      const last = found.current;
      found.current = null;
      if (last !== key) select(last);
    }
  });
}

export function FilterLine({ filter, shown, total }: { filter: Filter; shown: number; total: number }): ReactNode {
  if (!filter.typing && filter.text === "") return null;
  const field = filter.typing ? lineText(filter.line, 30, true) : paint(filter.text, "bold");
  return (
    <Text wrap="truncate">{` / ${field} ${paint(`${shown} of ${total}${filter.typing ? "" : " · Esc shows all"}`, "dim")}`}</Text>
  );
}
