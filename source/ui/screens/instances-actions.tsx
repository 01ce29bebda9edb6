/** Start, shut down, reboot and force off, on what is marked or where the cursor is: who is left out, what is asked first. */
import { type ReactNode, useState } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { BasicActionName } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { type Handlers, useUi } from "../hooks.ts";
import { lossLines } from "./loss-lines.ts";

const actions = { start: "start", shutdown: "shutdown", reboot: "reboot", forceOff: "force-off" } as const;

/** Asked before: always when something is lost, and when more than one stops or one that the cursor is not on. */
export function mustAsk(action: BasicActionName, rows: readonly InstanceRow[], current: string | null): boolean {
  if (action === "start") return false;
  if (action === "force-off" || rows.length > 1) return true;
  return rows.some((row) => row.key !== current || row.facts["persistent"] === false);
}

const explanations: Record<BasicActionName, string> = {
  start: "",
  shutdown: "The guests are asked to shut down cleanly.",
  reboot: "The guests are asked to reboot cleanly.",
  "force-off": "Like pulling the plug. A clean shut down is t.",
};

interface Asked {
  action: BasicActionName;
  rows: readonly InstanceRow[];
  /** Who is left out, and why. */
  left: readonly string[];
}

export interface InstanceActions {
  handlers: Handlers<"instances">;
  /** What is asked now, instead of the screen; else null. */
  dialog: ReactNode | null;
}

/** `targets`: what the actions are for: all that are marked, or the one with the cursor (`current`). */
export function useInstanceActions(targets: readonly InstanceRow[], current: string | null): InstanceActions {
  const { workspace } = useUi();
  const { inventory } = workspace;
  const [asked, setAsked] = useState<Asked | null>(null);

  const act = (action: BasicActionName, rows: readonly InstanceRow[]) => {
    inventory.act(
      { do: action },
      rows.map(({ key }) => key),
    );
  };
  const begin = (action: BasicActionName) => {
    const rows: InstanceRow[] = [];
    const left: { row: InstanceRow; text: string }[] = [];
    for (const row of targets) {
      const reason = inventory.refuses(action, row.key);
      if (reason === null) rows.push(row);
      else left.push({ row, text: `${row.name}: ${reason}` });
    }
    if (left.length > 0) {
      for (const { row, text } of left) {
        workspace.log("info", `${row.host}/${row.name}`, `${verbOf(action)} left out: ${text}`);
      }
      const more = left.length > 3 ? ` · and ${left.length - 3} more (6 shows all)` : "";
      workspace.notify(
        rows.length > 0 ? "info" : "warning",
        `Left out: ${left
          .slice(0, 3)
          .map(({ text }) => text)
          .join(" · ")}${more}`,
      );
    }
    if (rows.length === 0) return;
    if (mustAsk(action, rows, current)) setAsked({ action, rows, left: left.map(({ text }) => text) });
    else act(action, rows);
  };

  const handlers: Handlers<"instances"> = {};
  for (const [id, action] of Object.entries(actions) as [keyof typeof actions, BasicActionName][]) {
    const [only] = targets;
    // Of several, those that refuse are left out and named when the key is pressed.
    const reason = targets.length === 1 && only ? inventory.refuses(action, only.key) : null;
    handlers[id] = {
      run: () => begin(action),
      disabled: targets.length === 0 ? "there is no instance" : reason && only ? `${only.name}: ${reason}` : null,
    };
  }
  if (!asked) return { handlers, dialog: null };
  const { action, rows, left } = asked;
  const [only] = rows;
  const what = rows.length === 1 && only ? plainLine(only.name) : count(rows.length, "instance");
  const word = verbOf(action);
  return {
    handlers,
    dialog: (
      <Confirm
        title={`${word.charAt(0).toUpperCase()}${word.slice(1)} ${what}?`}
        losses={lossLines({ do: action }, rows)}
        left={left}
        text={explanations[action]}
        safe={rows.length === 1 ? "Leave it" : "Leave them"}
        danger={`${word.charAt(0).toUpperCase()}${word.slice(1)} ${rows.length === 1 ? what : `all ${rows.length}`}`}
        onNo={() => setAsked(null)}
        onYes={() => {
          setAsked(null);
          act(action, rows);
        }}
      />
    ),
  };
}
