/** The first stage of each form that ends in a run: which nodes, then what they say of themselves. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { currentJob, type KnownState } from "../../store/known.ts";
import { askedKey } from "../../store/node-asking.ts";
import type { NodesAsked } from "../../store/run-known.ts";
import { hostNames, hostTargets, jobTargets, type Targets } from "../../store/targets.ts";
import type { Workspace } from "../../store/workspace.ts";
import { count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { cell, paint, symbol } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { foldNames } from "./node-names.ts";
import { hostError } from "./sites.tsx";

/** Fields of this stage: the job's nodes, if there is a running job, or hosts. */
export function targetFields(known: Pick<KnownState, "jobs" | "jobId" | "site">): FormField[] {
  const job = currentJob(known as KnownState);
  const runs = job?.state === "Running" && known.site !== null;
  return [
    {
      id: "target",
      label: "Nodes",
      kind: "choice",
      choices: [
        ...(runs ? [{ value: "job", label: `the ${count(job.nodes.length, "node")} of job ${job.jobId}` }] : []),
        { value: "hosts", label: "any hosts" },
      ],
    },
    {
      id: "hosts",
      label: "Hosts",
      kind: "text",
      width: 40,
      help: "as ssh knows them: a, b, node-[1-4]",
      shown: ({ target }) => target === "hosts",
    },
  ];
}

export function targetErrors({ target, hosts = "" }: Values): Record<string, string | null> {
  if (target !== "hosts") return {};
  const wrong = hostNames(hosts).find((name) => hostError(name) !== null);
  return { hosts: wrong === undefined ? null : `${wrong}: ${hostError(wrong)}` };
}

function targetsOf(values: Values, workspace: Workspace): Targets | null {
  if (values["target"] === "hosts") return hostTargets(hostNames(values["hosts"] ?? ""));
  const { state, context } = workspace;
  const job = currentJob(state);
  return job && state.site ? jobTargets(context, state.site, job) : null;
}

function Choose({ onChoose }: { onChoose: (targets: Targets) => void }): ReactNode {
  const { workspace } = useUi();
  const known = useKnown((state) => state);
  useEffect(() => workspace.site.watch(), [workspace]);
  const job = currentJob(known);
  // The job's nodes come first as soon as they are known, also when the form was opened before that.
  const name = job?.state === "Running" ? `targets:${job.jobId}` : "targets";
  return (
    <Box flexDirection="column">
      <Form
        key={name}
        name={name}
        fields={targetFields(known)}
        errors={targetErrors}
        meanings={({ target, hosts = "" }) => {
          const names = hostNames(hosts);
          return {
            target:
              target === "job" && job
                ? foldNames(job.nodes)
                : job
                  ? "no job is needed"
                  : "no job runs here; hosts need none",
            hosts: names.length > 1 ? `${names.length} hosts` : null,
          };
        }}
        missing={(values) => {
          const targets = targetsOf(values, workspace);
          if (!targets) return "the job is gone: name hosts";
          return targets.nodes.length === 0 ? { field: "hosts", text: "at least one host is needed" } : null;
        }}
        onSubmit={(values) => {
          const targets = targetsOf(values, workspace);
          if (targets) onChoose(targets);
        }}
        footer={() => (
          <Box marginTop={1} paddingX={1}>
            <Text dimColor>
              The nodes are asked first what they are. Nothing is changed before you have seen every command.
            </Text>
          </Box>
        )}
      />
    </Box>
  );
}

/** Why nodes did not answer: whole while there is room, else a line for each. */
function failedLines(asked: NodesAsked, width: number, limit: number): string[] {
  const all = [...asked.answers.failed].map(([name, error]) => {
    const why = plainLine([error.why ?? error.what, error.hint].filter(Boolean).join(" · "));
    return `${symbol("bad")} ${name}: ${why}`;
  });
  const whole = all.flatMap((line) =>
    wrapped(line, width - 4).map((part, index) => (index > 0 ? `    ${part}` : part)),
  );
  if (whole.length <= limit) return whole;
  const lines = all.map((line) => cell(line, width));
  return lines.length > limit ? [...lines.slice(0, limit - 1), `… and ${lines.length - limit + 1} more`] : lines;
}

export interface NodesStageProps {
  targets: Targets | null;
  onTargets: (targets: Targets | null) => void;
  onReady: () => void;
}

/** Chooses nodes and asks them; goes on by itself when all have answered. */
export function NodesStage({ targets, onTargets, onReady }: NodesStageProps): ReactNode {
  const { workspace, size } = useUi();
  const asked = useKnown((known) => known.runs.asked);
  const mine = targets !== null && asked?.key === askedKey(targets.nodes) ? asked : null;
  const whole = mine?.over === true && mine.error === null && mine.answers.failed.size === 0;
  useEffect(() => {
    if (targets && !mine) void workspace.runs.asking.ask(targets.nodes);
  }, [workspace, targets, mine]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes on once, when the last one has answered.
  useEffect(() => {
    if (whole) onReady();
  }, [whole]);
  const none = mine?.over ? (mine.answers.states.size > 0 ? null : "no node answered") : "the nodes are being asked";
  useKeys(
    "targets",
    {
      goOn: { run: onReady, disabled: none },
      again: { run: () => targets && void workspace.runs.asking.ask(targets.nodes) },
      other: { run: () => onTargets(null) },
    },
    { active: targets !== null },
  );
  useKeys("global", { back: { run: () => onTargets(null) } }, { level: layer.screen, active: targets !== null });
  if (!targets) return <Choose onChoose={onTargets} />;
  const total = targets.nodes.length;
  const failed = mine ? failedLines(mine, size.columns - 3, size.rows - 12) : [];
  return (
    <Box flexDirection="column">
      {!mine?.over && <Busy text={`asking the nodes what they are: ${mine?.answered ?? 0} of ${total}`} />}
      {mine?.over && !mine.error && (
        <Text>{` ${paint(`${mine.answers.states.size} of ${count(total, "node")} answered.`, "bold")} ${none ? "" : "⏎ goes on with them, "}r asks again, b takes other nodes.`}</Text>
      )}
      {mine?.error && <Problem error={mine.error} />}
      <Text> </Text>
      {failed.map((line) => (
        <Text key={line} wrap="truncate">{` ${line}`}</Text>
      ))}
    </Box>
  );
}
