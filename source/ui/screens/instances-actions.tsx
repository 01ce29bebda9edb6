/** Actions on what is marked or where the cursor is: who is left out, what is asked first. */
import { type ReactNode, useMemo, useState } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { severityOf } from "../../instances/losses.ts";
import type { Action } from "../../instances/types.ts";
import { isUnheard } from "../../instances/unheard.ts";
import { count, plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { type Handlers, useUi } from "../hooks.ts";
import { afterDrawing } from "../key-queue.ts";
import { lossLines } from "./loss-lines.ts";
import { useUnheard } from "./unheard.tsx";

const actions = {
  start: { do: "start" },
  shutdown: { do: "shutdown" },
  reboot: { do: "reboot" },
  forceOff: { do: "force-off" },
} as const satisfies Partial<Record<keyof Handlers<"instances">, Action>>;

/** Asked before: always when something is lost, and when more than one stops or one that the cursor is not on. */
export function mustAsk(action: Action, rows: readonly InstanceRow[], current: string | null): boolean {
  const severity = severityOf(action);
  if (severity === "none") return false;
  if (severity === "loses" || rows.length > 1) return true;
  return rows.some((row) => row.key !== current || row.facts["persistent"] === false);
}

const explanations: Partial<Record<Action["do"], string>> = {
  shutdown: "The guests are asked to shut down cleanly.",
  reboot: "The guests are asked to reboot cleanly.",
  "force-off": "Like pulling the plug. A clean shut down is t.",
  reset: "Like the reset button: the guest is not asked.",
  pause: "They stand still and keep their memory; p lets them go on.",
  save: "Their memory goes to their host's disk, and they are off then. A start goes on where they were.",
};

function explanationOf(action: Action): string | undefined {
  return action.do === "reboot" && action.how === "hard"
    ? "The guest is not asked: like the plug, then a start."
    : explanations[action.do];
}

interface Asked {
  action: Action;
  rows: readonly InstanceRow[];
  /** Who is left out, and why. */
  left: readonly string[];
  /** Writes them into the log. */
  tell: () => void;
}

export interface InstanceActions {
  handlers: Handlers<"instances">;
  /** Does it, or asks first; who refuses is left out and named. */
  begin: (action: Action) => void;
  /** What is asked now, instead of the screen; else null. */
  dialog: ReactNode | null;
}

const nobody: readonly InstanceRow[] = [];

/**
 * `targets`: what the actions are for: all that are marked, or the one with the cursor (`current`). `onStarted`: called when
 * something was really started. `deaf`: all who have missed a shutdown, for whom the offer of force is where none of the
 * targets has; absent: it is for the targets only.
 */
export function useInstanceActions(
  targets: readonly InstanceRow[],
  current: string | null,
  onStarted?: () => void,
  deaf?: readonly InstanceRow[],
): InstanceActions {
  const { workspace, navigation } = useUi();
  const { inventory } = workspace;
  const [asked, setAsked] = useState<Asked | null>(null);
  const losses = useMemo(() => (asked ? lossLines(asked.action, asked.rows) : []), [asked]);
  const forced = useMemo(() => {
    const own = deaf?.length === 0 ? nobody : targets.filter(isUnheard);
    return own.length > 0 ? own : (deaf ?? nobody);
  }, [targets, deaf]);
  const unheard = useUnheard(forced, onStarted);

  const act = (action: Action, rows: readonly InstanceRow[]) => {
    inventory.act(
      action,
      rows.map(({ key }) => key),
    );
    onStarted?.();
  };
  const begin = (action: Action) => {
    const rows: InstanceRow[] = [];
    const left: { row: InstanceRow; reason: string }[] = [];
    for (const row of targets) {
      const reason = inventory.refuses(action.do, row.key);
      if (reason === null) rows.push(row);
      else left.push({ row, reason });
    }
    const texts = left.map(({ row, reason }) => `${row.name}: ${reason}`);
    const tell = () => {
      if (left.length === 0) return;
      workspace.logAll(
        left.map(({ row, reason }) => ({
          level: "info",
          where: `${row.host}/${row.name}`,
          text: `${verbOf(action.do)} left out: ${reason}`,
        })),
      );
    };
    // The question names who is left out; it is told when something is done.
    if (rows.length > 0 && mustAsk(action, rows, current)) {
      setAsked({ action, rows, left: texts, tell });
      return;
    }
    tell();
    if (left.length > 0) {
      const more = left.length > 3 ? ` · and ${left.length - 3} more (7 shows all)` : "";
      workspace.notify(rows.length > 0 ? "info" : "warning", `Left out: ${texts.slice(0, 3).join(" · ")}${more}`);
    }
    if (rows.length > 0) act(action, rows);
  };

  const [only] = targets;
  const none = targets.length === 0 ? "there is no instance" : null;
  /** Why it can't be used; of several, those that refuse are left out and named when the key is pressed. */
  const disabled = (action: Action) => {
    if (none || targets.length !== 1 || !only) return none;
    const reason = inventory.refuses(action.do, only.key);
    return reason === null ? null : `${only.name}: ${reason}`;
  };
  const handlers: Handlers<"instances"> = { unheard: unheard.handler };
  for (const [id, action] of Object.entries(actions) as [keyof typeof actions, Action][]) {
    handlers[id] = { run: () => begin(action), disabled: disabled(action) };
  }
  const paused = targets.length > 0 && targets.every(({ status }) => status === "paused");
  const turn: Action = { do: paused ? "resume" : "pause" };
  handlers.pause = { run: () => begin(turn), disabled: disabled(turn) };
  handlers.menu = {
    run: () => navigation.open({ screen: "actions", keys: targets.map(({ key }) => key) }),
    disabled: none,
  };
  if (!asked) return { handlers, begin, dialog: unheard.dialog };
  const { action, rows, left, tell } = asked;
  const [first] = rows;
  const what = rows.length === 1 && first ? plainLine(first.name) : count(rows.length, "instance");
  const verb = verbOf(action.do);
  const word = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`;
  return {
    handlers,
    begin,
    dialog: (
      <Confirm
        title={`${word} ${what}?`}
        losses={losses}
        left={left}
        text={explanationOf(action)}
        safe={rows.length === 1 ? "Leave it" : "Leave them"}
        danger={`${word} ${rows.length === 1 ? what : `all ${rows.length}`}`}
        onNo={() => setAsked(null)}
        onYes={() => {
          setAsked(null);
          // To queue thousands takes longer than a question may take to go.
          afterDrawing(() => {
            tell();
            act(action, rows);
          });
        }}
      />
    ),
  };
}
