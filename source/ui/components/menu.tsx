/** A short list of choices to take one of: ink-select-input in our colours. */
import { Box, Text } from "ink";
import SelectInput from "ink-select-input";
import type { ReactNode } from "react";
import { type Handlers, useKeys } from "../hooks.ts";
import { type Handler, layer } from "../router.ts";
import { glyph, paint } from "../theme.ts";

export interface Choice<V> {
  label: string;
  value: V;
}

function Indicator({ isSelected = false }: { isSelected?: boolean }): ReactNode {
  return (
    <Box width={2} flexShrink={0}>
      <Text>{isSelected ? paint(glyph.cursor, "cyan", "bold") : " "}</Text>
    </Box>
  );
}

function Item({ isSelected = false, label }: { isSelected?: boolean; label: string }): ReactNode {
  return (
    <Text bold={isSelected} wrap="truncate">
      {label}
    </Text>
  );
}

/** A key that the menu takes by itself. */
export const native: Handler = { run: () => {}, native: true };

/** Shows a dialog's keys in the footer: those of a menu, or of a field to be typed in. Call it after the dialog's own `useKeys`. */
export function useDialogKeys(kind: "menu" | "field", more: Handlers<"dialog"> = {}): void {
  const own = kind === "menu" ? { move: native, answer: native } : { answer: native };
  useKeys("dialog", { ...own, ...more }, { level: layer.dialog });
}

export function Menu<V>({
  choices,
  initial = 0,
  limit,
  active = true,
  onChoose,
  onMove,
}: {
  choices: readonly Choice<V>[];
  initial?: number;
  /** Lines at most; it scrolls within them. */
  limit?: number;
  active?: boolean;
  onChoose: (value: V) => void;
  onMove?: (value: V) => void;
}): ReactNode {
  // ink-select-input goes back to the first choice when a value is another than before, and a value may be made anew with
  // each drawing (a function, a list): to it a choice is the place where it stands.
  const use = (what: ((value: V) => void) | undefined) => (item: { value: number }) => {
    const choice = choices[item.value];
    if (choice) what?.(choice.value);
  };
  return (
    <SelectInput
      items={choices.map(({ label }, index) => ({ key: String(index), label, value: index }))}
      initialIndex={initial}
      limit={limit}
      isFocused={active}
      indicatorComponent={Indicator}
      itemComponent={Item}
      onSelect={use(onChoose)}
      onHighlight={use(onMove)}
    />
  );
}
