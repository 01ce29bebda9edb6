/** The consoles that are open: go to one, record one, close one. */
import { Text } from "ink";
import { type ReactNode, useState } from "react";
import type { ConsoleView } from "../../console/types.ts";
import { Confirm } from "../components/confirm.tsx";
import { headerLine, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { consoleColumns, consoleRow } from "./console-text.ts";

export function ConsolesScreen(): ReactNode {
  const { size, workspace, navigation } = useUi();
  const { consoles } = workspace.consoles;
  // Drawn again when one opens or ends, and each second: what they print is no event here.
  useKnown((known) => known.consoles);
  const now = useKnown((known) => known.now);
  const views = consoles.views();
  const [closing, setClosing] = useState<ConsoleView | null>(null);
  const keys = views.map(({ id }) => String(id));
  const list = useList("consoles", keys, size.rows - 7);
  const current = views[list.index];
  const none = current ? null : "no console is open";
  const close = (view: ConsoleView) => {
    setClosing(null);
    void consoles.close(view.id);
  };
  useKeys("consoles", {
    open: {
      run: () =>
        current && navigation.open({ screen: "console", of: { kind: "open", id: current.id }, opening: "attach" }),
      disabled: none,
    },
    record: { run: () => current && consoles.toggleRecording(current.id), disabled: none },
    close: {
      run: () => {
        if (!current) return;
        if (current.target.kind === "shell" && current.phase === "open") setClosing(current);
        else close(current);
      },
      disabled: none,
    },
  });
  if (closing) {
    return (
      <Confirm
        title={`Close the shell on ${closing.target.title}?`}
        losses={["What runs in it is hung up"]}
        safe="Leave it open"
        danger="Close it"
        onNo={() => setClosing(null)}
        onYes={() => close(closing)}
      />
    );
  }
  const width = size.columns - 2;
  return (
    <Table
      header={headerLine(consoleColumns(width))}
      view={list}
      row={(index) => consoleRow(views[index] as ConsoleView, width, now)}
      empty={<Text dimColor> No console is open. ⏎ on an instance opens one; S opens a shell on its host.</Text>}
    />
  );
}
