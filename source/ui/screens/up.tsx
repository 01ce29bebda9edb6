/** From nothing to instances in one form: its steps forward and back, a summary with every command and the file it stands for. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import { currentJob } from "../../store/known.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Form, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { SaveAs } from "../components/save-as.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { environmentLines } from "./up-environments.ts";
import {
  type Chosen,
  fieldsOf,
  planText,
  readChosen,
  stepTitles,
  type UpAround,
  type UpStep,
  upSteps,
} from "./up-fields.ts";
import { UpSummary } from "./up-summary.tsx";

interface WizardState {
  /** Index of the step; past the last one: the summary. */
  at: number;
  chosen: Chosen;
}

const begin: WizardState = { at: 0, chosen: {} };

function useAround(): UpAround {
  const site = useKnown((known) => known.site);
  const job = useKnown(currentJob);
  const free = useKnown((known) => known.free.value);
  return { site, job: job?.state === "Running" ? job : null, free };
}

interface StepProps {
  step: UpStep;
  chosen: Chosen;
  around: UpAround;
  onBack: () => void;
  onNext: (values: Values) => void;
}

function Step({ step, chosen, around, onBack, onNext }: StepProps): ReactNode {
  const { size } = useUi();
  const environments = useKnown((known) => known.environments.value);
  const first = step === upSteps[0];
  useKeys("global", first ? {} : { back: { run: onBack } }, { level: layer.field, active: !first });
  const fields = fieldsOf(step, around, chosen);
  const faultsOf = (values: Values) => {
    const read = readChosen({ ...chosen, [step]: values }, around);
    return "faults" in read ? (read.faults[step] ?? {}) : {};
  };
  // The job and the clusters come first as soon as they are known.
  const name = step === "nodes" ? `up:nodes:${around.site?.name ?? ""}:${around.job?.jobId ?? ""}` : `up:${step}`;
  const room = size.rows - fields.length - 9;
  return (
    <Form
      key={name}
      name={name}
      fields={fields}
      errors={faultsOf}
      missing={(values) => faultsOf(values)[""] ?? null}
      onSubmit={onNext}
      footer={(values) =>
        step === "system" ? (
          <Box flexDirection="column" marginTop={1}>
            {environmentLines(environments, values, room).map((line) => (
              <Text key={line} wrap="truncate">{` ${line}`}</Text>
            ))}
          </Box>
        ) : null
      }
    />
  );
}

/** Steps that have nothing to ask for what was chosen before. */
const isEmpty = (step: UpStep, around: UpAround, chosen: Chosen) => fieldsOf(step, around, chosen).length === 0;

export function UpScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  const around = useAround();
  const [{ at, chosen }, setState] = useRemembered<WizardState>("up:wizard", begin);
  const starting = useKnown((known) => known.ways.starting);
  useEffect(() => workspace.site.watch(), [workspace]);
  useEffect(() => workspace.ways.forgetStart(), [workspace]);
  const needsEnvironments = upSteps[at] === "system";
  useEffect(() => {
    if (needsEnvironments && workspace.state.environments.at === null) void workspace.site.deploy.loadEnvironments();
  }, [workspace, needsEnvironments]);
  const go = (from: number, by: 1 | -1, next: Chosen) => {
    let to = from + by;
    for (let step = upSteps[to]; step !== undefined && isEmpty(step, around, next); step = upSteps[to]) to += by;
    setState({ at: Math.max(0, to), chosen: next });
  };
  if (starting) return <Busy text="starting" />;
  const step = upSteps[at];
  if (!step) {
    return (
      <Summary
        chosen={chosen}
        around={around}
        onBack={() => go(at, -1, chosen)}
        onStarted={(id) => {
          setState(begin);
          for (const one of upSteps) navigation.forget(`form:up:${one}`);
          navigation.jump({ screen: "runs" }, { screen: "way", id });
        }}
      />
    );
  }
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`${at + 1} of ${upSteps.length + 1}`, "bold")} · ${stepTitles[step]}`}</Text>
      <Text> </Text>
      <Step
        step={step}
        chosen={chosen}
        around={around}
        onBack={() => go(at, -1, chosen)}
        onNext={(values) => go(at, 1, { ...chosen, [step]: values })}
      />
      <Box marginTop={1}>
        <Text dimColor> Nothing is done before you have seen the whole plan.</Text>
      </Box>
    </Box>
  );
}

interface SummaryProps {
  chosen: Chosen;
  around: UpAround;
  onBack: () => void;
  onStarted: (id: string) => void;
}

function Summary({ chosen, around, onBack, onStarted }: SummaryProps): ReactNode {
  const { workspace } = useUi();
  const startError = useKnown((known) => known.ways.startError);
  const [asking, setAsking] = useState<"start" | "save" | null>(null);
  const [saved, setSaved] = useState<string | null>(null);
  const read = readChosen(chosen, around);
  const text = planText(chosen, around);
  useKeys("global", { back: { run: onBack } }, { level: layer.screen, active: asking === null });
  if ("faults" in read) {
    const lines = Object.values(read.faults).flatMap((faults) => Object.values(faults));
    return (
      <Box flexDirection="column">
        <Text bold> This is not a plan yet. Esc goes back to its fields.</Text>
        {lines.map((line) => (
          <Text key={line} wrap="truncate" color="red">{` ✗ ${line}`}</Text>
        ))}
      </Box>
    );
  }
  if (asking === "save") {
    return (
      <SaveForm
        text={text}
        initial={saved ?? "virtu.yaml"}
        onBack={() => setAsking(null)}
        onDone={(file) => {
          setSaved(file);
          setAsking(null);
        }}
      />
    );
  }
  if (asking === "start") {
    const { nodes, deploy } = read.plan;
    return (
      <Confirm
        title="Go this way?"
        losses={[
          ...(nodes.kind === "reserve" ? [`${nodes.request.nodes} nodes are reserved on ${nodes.site}`] : []),
          ...(deploy ? ["what is on the nodes is erased by the deployment"] : []),
          ...(nodes.kind === "hosts" ? [`changed: ${nodes.names.join(", ")}`] : []),
        ]}
        text="Each stage finds by itself what is done already. Leaving virtu stops nothing; it goes on when virtu starts."
        safe="Don't start"
        danger="Start"
        onNo={() => setAsking(null)}
        onYes={() => {
          setAsking(null);
          const what = saved === null ? { text } : { file: saved };
          void workspace.ways.start(what).then((id) => id !== null && onStarted(id));
        }}
      />
    );
  }
  return (
    <Box flexDirection="column">
      {startError && <Problem error={startError} lines={2} />}
      <UpSummary
        plan={read.plan}
        text={text}
        taken={startError ? 4 : 0}
        onStart={() => setAsking("start")}
        onSave={() => setAsking("save")}
      />
    </Box>
  );
}

interface SaveFormProps {
  text: string;
  initial: string;
  onBack: () => void;
  onDone: (file: string) => void;
}

function SaveForm({ text, initial, onBack, onDone }: SaveFormProps): ReactNode {
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  return (
    <Box flexDirection="column">
      <Text bold> Save the plan as a file of this machine</Text>
      <Text> </Text>
      <SaveAs
        name="up:save"
        what="The plan"
        initial={initial}
        textFor={() => text}
        told={(file) => `Saved as ${file}.`}
        onDone={onDone}
      />
    </Box>
  );
}
