/** What is asked before a node leaves a run, and before a run is cancelled. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { RunView, Step } from "../../journey/plan.ts";
import { count } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Menu, useDialogKeys } from "../components/menu.tsx";
import { useKeys, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { wrapped } from "../wrap.ts";
import { foldNames, shortNames } from "./node-names.ts";
import { isTrouble } from "./run-cell.ts";
import { cellsOf } from "./run-text.ts";

export function CancelDialog({ run, onClose }: { run: RunView; onClose: () => void }): ReactNode {
  const { workspace, size } = useUi();
  const moving = run.plan.steps.flatMap((step) => {
    const nodes = cellsOf(run, step)
      .filter(({ view }) => view.state === "running" || view.state === "lost")
      .map(({ node }) => node);
    return nodes.length > 0 ? [`${step.title}: stopped on ${foldNames(nodes)}`] : [];
  });
  return (
    <Confirm
      title={`Cancel ${run.plan.title}?`}
      losses={
        moving.length > 0
          ? moving.flatMap((line) => wrapped(line, Math.min(size.columns, 90) - 8))
          : ["no step runs at this moment"]
      }
      text="What was done stays done. The run can't go on after that; a new one does only what is missing. Leaving (Esc) cancels nothing."
      safe="Let it run"
      danger="Cancel the run"
      onNo={onClose}
      onYes={() => {
        onClose();
        workspace.runs.decide(run.id, { do: "cancel" });
      }}
    />
  );
}

export function LeaveOutDialog({
  run,
  step,
  node,
  onClose,
}: {
  run: RunView;
  step: Step;
  node: string;
  onClose: () => void;
}): ReactNode {
  const { workspace, size } = useUi();
  const failed = cellsOf(run, step)
    .filter(({ view }) => isTrouble(view))
    .map((one) => one.node);
  const [short = node] = shortNames([node]);
  const remain = (out: number) => run.plan.nodes.length - run.out.length - out;
  const low = (out: number) =>
    remain(out) < run.plan.minimum
      ? ` (${remain(out)} remain, fewer than the ${run.plan.minimum} that were asked for)`
      : "";
  const many = failed.length > 1 || (failed.length === 1 && failed[0] !== node);
  useKeys(
    "global",
    { back: { run: onClose } },
    // ink-select-input takes a digit for a choice at once, and a node does not come back.
    { level: layer.dialog, modal: true, typed: (key) => /^\d$/.test(key.name) },
  );
  useDialogKeys("menu");
  return (
    <Dialog title={`Go on without ${short}?`} tone="yellow">
      <Box flexDirection="column" marginY={1}>
        <Text>The run does nothing more on a node that is left out, and a new run is needed to take it in again.</Text>
        <Text>What was done on it stays.</Text>
        {many && (
          <Text>
            {wrapped(`${step.title} stands still on ${foldNames(failed)}.`, Math.min(size.columns, 90) - 8).join("\n")}
          </Text>
        )}
      </Box>
      <Menu<readonly string[]>
        choices={[
          { label: "Keep it in", value: [] },
          { label: `Leave out ${short}${low(1)}`, value: [node] },
          ...(many
            ? [{ label: `Leave out all ${count(failed.length, "node")}${low(failed.length)}`, value: failed }]
            : []),
        ]}
        onChoose={(nodes) => {
          onClose();
          if (nodes.length > 0) workspace.runs.decide(run.id, { do: "leave-out", nodes });
        }}
      />
    </Dialog>
  );
}
