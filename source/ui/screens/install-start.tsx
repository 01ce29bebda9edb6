/** The last stage of each form that ends in a run: every command, what is erased, then the run. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import type { Secrets } from "../../journey/configure-choice.ts";
import type { Plan } from "../../journey/plan.ts";
import { count } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { wrapped } from "../wrap.ts";
import { foldNames } from "./node-names.ts";
import { Preview } from "./preview.tsx";

/** A plan that waits for the user's word. */
export interface Prepared {
  plan: Plan;
  secrets: Secrets;
  /** What has to be known before, a line each: a password that is shown only here, what is lost. */
  notes: readonly string[];
  /** What is erased, a line for each thing; empty when nothing is. */
  erased: readonly string[];
  /** What has to be typed before something is erased. */
  typed: string | null;
}

function ConfirmStart({
  prepared,
  takeLock,
  onClose,
  onDone,
}: {
  prepared: Prepared;
  takeLock: boolean;
  onClose: () => void;
  onDone: (id: string) => void;
}): ReactNode {
  const { workspace, size } = useUi();
  const { plan, erased, typed } = prepared;
  const width = Math.min(size.columns, 90) - 8;
  const nodes = wrapped(foldNames(plan.nodes.map(({ name }) => name)).replaceAll(",", ", "), width);
  return (
    <Confirm
      title={erased.length > 0 ? `Erase what is on these disks, and ${plan.title}?` : `Start: ${plan.title}?`}
      losses={erased.length > 0 ? erased : nodes}
      text={
        takeLock
          ? "Another run holds these nodes. Take them only if it is gone for good: two runs at once break each other's steps."
          : erased.length > 0
            ? "What is on these disks can't be had back."
            : "No disk is erased. Steps that are done already are left as they are."
      }
      safe="Don't start"
      danger={takeLock ? "Take the nodes and start" : `Start on ${count(plan.nodes.length, "node")}`}
      typed={typed ?? undefined}
      onNo={onClose}
      onYes={() => {
        onClose();
        void workspace.runs.start(plan, prepared.secrets, { takeLock }).then((id) => id !== null && onDone(id));
      }}
    />
  );
}

export function StartStage({
  prepared,
  name,
  onBack,
  onDone,
}: {
  prepared: Prepared;
  /** Under which cursor and filter are remembered. */
  name: string;
  onBack: () => void;
  /** The run has started: what was typed can be forgotten. */
  onDone: () => void;
}): ReactNode {
  const { workspace, navigation } = useUi();
  const { starting, startError } = useKnown((known) => known.runs);
  const [asking, setAsking] = useState<"start" | "take" | null>(null);
  const free = asking === null && starting === null;
  const { plan, notes } = prepared;
  useEffect(() => workspace.runs.forgetStart(), [workspace]);
  useKeys("global", { back: { run: onBack } }, { level: layer.screen, active: free });
  const held = startError?.kind === "refused" ? null : "no other run holds the nodes";
  useKeys("preview", startError ? { takeLock: { run: () => setAsking("take"), disabled: held } } : {}, {
    active: free,
  });
  if (starting !== null) return <Busy text={`starting: ${plan.title}`} />;
  if (asking !== null) {
    return (
      <ConfirmStart
        prepared={prepared}
        takeLock={asking === "take"}
        onClose={() => setAsking(null)}
        onDone={(id) => {
          onDone();
          navigation.jump({ screen: "runs" }, { screen: "run", id });
        }}
      />
    );
  }
  const errorLines = startError ? 4 + (startError.hint ? 1 : 0) + (held ? 0 : 1) : 0;
  return (
    <Box flexDirection="column">
      {startError && (
        <Box flexDirection="column" height={errorLines} overflow="hidden">
          <Problem error={startError} lines={1} />
          {!held && <Text>{"   T takes the nodes all the same, after a question."}</Text>}
        </Box>
      )}
      {notes.map((note) => (
        <Text key={note} wrap="truncate" color="yellow">{` ${note}`}</Text>
      ))}
      <Preview
        plan={plan}
        name={name}
        taken={notes.length + errorLines}
        onStart={() => setAsking("start")}
        active={free}
      />
    </Box>
  );
}
