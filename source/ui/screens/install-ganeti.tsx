/** Makes a Ganeti cluster: which nodes, what they are, the form with what is wrong beside it, every command, the run. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import { bridgeOf, planInstallGaneti } from "../../journey/install-ganeti.ts";
import type { PlanProblem } from "../../journey/install-ganeti-types.ts";
import type { Plan } from "../../journey/plan.ts";
import { currentJob } from "../../store/known.ts";
import { count } from "../../text.ts";
import { Form, type Values } from "../components/form.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { cell, paint, symbol } from "../theme.ts";
import { chosenDisks, diskLines, erasedDisks } from "./install-disks.ts";
import {
  ganetiErrors,
  ganetiFields,
  ganetiMeanings,
  ganetiMissing,
  ganetiRequest,
  nodeProblems,
} from "./install-ganeti-text.ts";
import { InstallWizard, type OptionsProps } from "./install-wizard.tsx";
import { foldNames } from "./node-names.ts";

type Outcome = { plan: Plan } | { problems: readonly PlanProblem[] };

function Options({ targets, states, onBack, onPrepared }: OptionsProps): ReactNode {
  const { size } = useUi();
  const subnet = useKnown((known) => currentJob(known)?.subnet ?? null);
  const fields = useMemo(
    () => ganetiFields(states, targets.jobId === null ? null : subnet),
    [states, targets.jobId, subnet],
  );
  // The form asks for the same values several times in one drawing, and a plan for many nodes takes its time.
  const planned = useMemo(() => {
    let last: { key: string; outcome: Outcome } | null = null;
    return (values: Values): Outcome => {
      const key = JSON.stringify(values);
      if (last?.key === key) return last.outcome;
      const made = planInstallGaneti(ganetiRequest(values, targets, states), states);
      const outcome: Outcome = "problems" in made ? made : { plan: made };
      last = { key, outcome };
      return outcome;
    };
  }, [targets, states]);
  const problemsOf = (values: Values) => {
    const outcome = planned(values);
    return "problems" in outcome ? outcome.problems : [];
  };
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`Ganeti on ${count(states.size, "node")}`, "bold")}: ${foldNames([...states.keys()])}`}</Text>
      <Form
        name="install-ganeti"
        fields={fields}
        errors={(values) => ganetiErrors(values, problemsOf(values), states.size)}
        meanings={(values) =>
          ganetiMeanings(values, states, bridgeOf(ganetiRequest(values, targets, states)), problemsOf(values))
        }
        missing={(values) => ganetiMissing(problemsOf(values))}
        onSubmit={(values) => {
          const outcome = planned(values);
          if ("problems" in outcome) return;
          const lvm = values["storage"] === "lvm";
          const chosen = lvm ? chosenDisks(states, values["group"] || "xenvg", values["disk"] ?? "") : new Map();
          const { lines, typed } = erasedDisks(chosen);
          const notes =
            lines.length > 0 ? [`${symbol("warning")} What is on ${count(lines.length, "disk")} will be erased.`] : [];
          onPrepared({ plan: outcome.plan, secrets: {}, notes, erased: lines, typed });
        }}
        footer={(values) => {
          const width = size.columns - 3;
          const bad = nodeProblems(values, problemsOf(values));
          const disks = values["storage"] === "lvm" ? diskLines(states, width) : [];
          const shown = fields.filter((field) => field.shown?.(values) ?? true).length;
          const room = Math.max(0, size.rows - 7 - shown);
          const lines = [
            ...bad.map((line) => paint(cell(`${symbol("bad")} ${line}`, width), "red")),
            ...(disks.length > 0 ? [paint("Disks", "bold"), ...disks] : []),
          ];
          const cut =
            lines.length > room
              ? [...lines.slice(0, Math.max(0, room - 1)), `… ${lines.length - room + 1} more`]
              : lines;
          return <Text wrap="truncate">{cut.map((line) => ` ${line}`).join("\n")}</Text>;
        }}
      />
    </Box>
  );
}

export function InstallGanetiScreen(): ReactNode {
  return <InstallWizard name="install-ganeti" options={Options} />;
}
