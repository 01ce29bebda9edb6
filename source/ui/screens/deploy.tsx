/** The deployment wizard: what, which version, how, then the exact commands and what is erased. */
import { homedir } from "node:os";
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { deployCommandPreview, newDeploymentId } from "../../journey/deploy.ts";
import type { DeployRequest, Environment, Job } from "../../journey/types.ts";
import { publicKeys } from "../../store/public-keys.ts";
import { count } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { CommandBox } from "../components/command-box.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Form, type Values } from "../components/form.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { EnvironmentList, VersionList } from "./deploy-choose.tsx";
import { deployRequestOf, optionErrors, optionFields, optionMeanings, titleOf } from "./deploy-text.ts";
import { jobState } from "./job-text.ts";
import { foldNames } from "./node-names.ts";

interface WizardState {
  environment: Environment | null;
  /** The version that was taken; the image itself for an image. */
  version: Environment | null;
  /** There were several versions: going back comes to their list. */
  several: boolean;
  /** What the summary shows, with the id that its commands name. */
  summary: { request: DeployRequest; id: string } | null;
}

const begin: WizardState = { environment: null, version: null, several: false, summary: null };

/** Nodes in lines for the dialog: folded, so that any number has room. */
export function erasedLines(nodes: readonly string[], width: number): string[] {
  return wrapped(foldNames(nodes).replaceAll(",", ", ").replace(/ {2,}/g, " "), width);
}

function Commands({ request, id }: { request: DeployRequest; id: string }): ReactNode {
  const { size } = useUi();
  const site = useKnown((known) => known.site);
  return (
    <CommandBox
      title={`will run on ${site?.frontend ?? "the frontend"}`}
      commands={deployCommandPreview(request, id).slice(0, 1)}
      columns={size.columns - 1}
      limit={8}
    />
  );
}

function Options({
  job,
  version,
  onSubmit,
  onBack,
}: {
  job: Job;
  version: Environment;
  onSubmit: (request: DeployRequest, id: string) => void;
  onBack: () => void;
}): ReactNode {
  const { copy } = useUi();
  const fields = useMemo(() => optionFields(publicKeys(), homedir()), []);
  const id = useMemo(() => newDeploymentId(job.jobId), [job.jobId]);
  const request = (values: Values) => deployRequestOf(job, version, values);
  const nodes = job.nodes.length;
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(titleOf(version), "bold")} on ${count(nodes, "node")}: ${foldNames(job.nodes)}`}</Text>
      <Text> </Text>
      <Form
        name={`deploy:${job.jobId}`}
        fields={fields}
        errors={(values) => optionErrors(values, nodes)}
        meanings={(values) => optionMeanings(values, nodes)}
        onSubmit={(values) => {
          const made = request(values);
          if (made) onSubmit(made, id);
        }}
        onCopy={(values) => {
          const made = request(values);
          if (made) copy(deployCommandPreview(made, id)[0] ?? "", "the command");
        }}
        footer={(values) => {
          const made = request(values);
          return <Box marginTop={1}>{made && <Commands request={made} id={id} />}</Box>;
        }}
      />
    </Box>
  );
}

function Summary({
  job,
  version,
  request,
  id,
  onBack,
  onStart,
}: {
  job: Job;
  version: Environment;
  request: DeployRequest;
  id: string;
  onBack: () => void;
  onStart: () => void;
}): ReactNode {
  const { copy, size } = useUi();
  const [asking, setAsking] = useState(false);
  useKeys("global", { back: { run: onBack } }, { level: layer.field, active: !asking });
  useKeys(
    "form",
    {
      deploy: { run: () => setAsking(true) },
      copy: { run: () => copy(deployCommandPreview(request, id)[0] ?? "", "the command") },
    },
    { level: layer.field, active: !asking },
  );
  if (asking) {
    return (
      <Confirm
        title={`Erase the disks of ${count(request.nodes.length, "node")} and deploy ${titleOf(version)}?`}
        losses={erasedLines(request.nodes, Math.min(size.columns, 90) - 8)}
        text={`Everything on their disks is lost, and every VM on them. Job ${job.jobId} stays.`}
        safe="Leave them as they are"
        danger={`Erase and deploy ${count(request.nodes.length, "node")}`}
        onNo={() => setAsking(false)}
        onYes={onStart}
      />
    );
  }
  const enough = request.minimum === request.nodes.length ? "all" : `${request.minimum} of ${request.nodes.length}`;
  const again =
    request.retries === 0
      ? "failed nodes are not tried again"
      : `up to ${count(request.retries, "retry", "retries")} for failed nodes`;
  return (
    <Box flexDirection="column">
      <Text bold> This is what will be done</Text>
      <Text wrap="truncate">{`   ${titleOf(version)} on ${count(request.nodes.length, "node")} of job ${job.jobId}: ${foldNames(request.nodes)}`}</Text>
      <Text wrap="truncate">{`   root's key: ${request.keyFile ?? "the frontend's ~/.ssh/authorized_keys"}`}</Text>
      <Text>{`   enough when ${enough} are up; ${again}`}</Text>
      <Text> </Text>
      <Commands request={request} id={id} />
      {request.retries > 0 && <Text dimColor>{"   A retry runs the same on the failed nodes alone."}</Text>}
      <Text> </Text>
      <Text>{` ${paint("⏎ deploy", "bold", "green")} (asks once more)   Esc back to the fields`}</Text>
    </Box>
  );
}

export function DeployScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation } = useUi();
  const jobId = place.screen === "deploy" ? place.jobId : 0;
  const job = useKnown((known) => known.jobs.value.find((one) => one.jobId === jobId));
  const asked = useKnown((known) => known.jobs.at !== null || known.jobs.error !== null);
  useEffect(() => workspace.site.watch(), [workspace]);
  const [state, setState] = useRemembered<WizardState>(`deploy:wizard:${jobId}`, begin);
  const change = (part: Partial<WizardState>) => setState((before) => ({ ...before, ...part }));
  const { environment, version, summary } = state;
  if (!job && !asked) return <Busy text={`asking for job ${jobId}`} />;
  if (!job) return <Text>{` Nothing is known of job ${jobId}. Esc goes back.`}</Text>;
  if (job.state !== "Running")
    return <Text>{` Job ${jobId} does not run: ${jobState(job).word}. Esc goes back.`}</Text>;
  if (!environment) {
    return (
      <EnvironmentList
        onChoose={(chosen) =>
          setState({ ...begin, environment: chosen, version: chosen.kind === "image" ? chosen : null })
        }
      />
    );
  }
  if (!version) {
    return (
      <VersionList
        environment={environment}
        onChoose={(chosen, several) => change({ version: chosen, several })}
        onBack={() => setState(begin)}
      />
    );
  }
  if (!summary) {
    return (
      <Options
        job={job}
        version={version}
        onBack={() => (state.several ? change({ version: null }) : setState(begin))}
        onSubmit={(request, id) => change({ summary: { request, id } })}
      />
    );
  }
  return (
    <Summary
      job={job}
      version={version}
      request={summary.request}
      id={summary.id}
      onBack={() => change({ summary: null })}
      onStart={() => {
        setState(begin);
        void workspace.site.deploy.start(summary.request, summary.id);
        navigation.jump({ screen: "nodes" }, { screen: "deployment", id: summary.id });
      }}
    />
  );
}
