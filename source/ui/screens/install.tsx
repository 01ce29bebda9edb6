/** Which VM manager is installed. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { Menu } from "../components/menu.tsx";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { cell, paint } from "../theme.ts";

const choices: readonly { title: string; text: string; place: Place }[] = [
  { title: "Ganeti", text: "a cluster of 1 to many nodes: KVM, Xen or fake", place: { screen: "install-ganeti" } },
  {
    title: "libvirt",
    text: "each node for itself: QEMU/KVM, or Xen where it runs",
    place: { screen: "install-libvirt" },
  },
];

export function InstallScreen(): ReactNode {
  const { navigation } = useUi();
  const [at, setAt] = useRemembered("install", 0);
  // ink-select-input takes a digit for a choice at once; here digits go to the numbered screens.
  useKeys(
    "dialog",
    { move: { run: () => {}, native: true }, answer: { run: () => {}, native: true } },
    { level: layer.screen },
  );
  return (
    <Box flexDirection="column" paddingLeft={1}>
      <Text bold>Which VM manager?</Text>
      <Menu
        choices={choices.map(({ title, text }, index) => ({
          label: `${cell(title, 12)} ${paint(text, "dim")}`,
          value: index,
        }))}
        initial={at}
        onMove={setAt}
        onChoose={(index) => {
          const chosen = choices[index];
          if (chosen) navigation.open(chosen.place);
        }}
      />
      <Box marginTop={1}>
        <Text dimColor>Nothing is changed before you have seen every command.</Text>
      </Box>
    </Box>
  );
}
