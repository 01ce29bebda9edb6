/** The nodes of the job that the user works with, live; and everything known of one of them. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo } from "react";
import { nodeRef } from "../../journey/nodes-ref.ts";
import type { Job } from "../../journey/types.ts";
import { currentJob, deploymentOf, hasEnded } from "../../store/known.ts";
import { age, count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, paint, symbol } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { useShell } from "./console-keys.ts";
import { isOver, outcomeLine } from "./deployment-text.ts";
import { jobState, jobTime } from "./job-text.ts";
import { shortNames } from "./node-names.ts";
import { type NodeView, nodeLines, nodesHeader, nodesRow, nodeView } from "./nodes-text.ts";

/** The job's nodes with all that is known of them; loads the facts once the job runs. */
function useNodes(job: Job | null): { nodes: NodeView[]; loading: boolean; at: number | null } {
  const { workspace } = useUi();
  const facts = useKnown((known) => (job ? known.facts[job.jobId] : undefined));
  const deployment = useKnown((known) => (job ? deploymentOf(known, job.jobId) : null));
  const jobId = job?.jobId ?? null;
  const runs = job?.state === "Running";
  useEffect(() => {
    const { jobs, facts: known } = workspace.state;
    const found = jobs.value.find((one) => one.jobId === jobId);
    if (runs && found && !known[found.jobId]) void workspace.site.deploy.loadFacts(found);
  }, [workspace, jobId, runs]);
  const names = job?.nodes;
  const nodes = useMemo(() => {
    const byName = new Map((facts?.value ?? []).map((one) => [one.name, one]));
    return (names ?? []).map((name) => nodeView(name, byName.get(name) ?? null, deployment, facts?.loading ?? false));
  }, [names, facts, deployment]);
  return { nodes, loading: facts?.loading ?? false, at: facts?.at ?? null };
}

function NoJob({ ended }: { ended: Job | null }): ReactNode {
  return (
    <Box flexDirection="column">
      <Text>
        {ended ? ` Job ${ended.jobId} has ended: ${plainLine(ended.end?.text ?? ended.state)}` : " No job yet."}
      </Text>
      <Text> </Text>
      <Text>{` 2 goes to Jobs: n reserves nodes there, ⏎ takes over a running job.`}</Text>
      {ended && <Text dimColor> Its nodes are gone, and what was on them.</Text>}
    </Box>
  );
}

/** Opens a shell on a node of the job, as root. */
function useNodeShell(job: Job | null): (name: string) => void {
  const { workspace } = useUi();
  const openShell = useShell();
  return (name) => {
    const { site } = workspace.state;
    if (site && job) openShell(nodeRef(workspace.context, site, job.jobId, name), name);
  };
}

export function NodesScreen(): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const job = useKnown(currentJob);
  const shellOn = useNodeShell(job);
  const jobs = useKnown((known) => known.jobs);
  const jobId = useKnown((known) => known.jobId);
  const now = useKnown((known) => known.now);
  const deployment = useKnown((known) => (job ? deploymentOf(known, job.jobId) : null));
  useEffect(() => workspace.site.watch(), [workspace]);
  const { nodes, loading, at } = useNodes(job);
  const names = useMemo(() => shortNames(nodes.map(({ name }) => name)), [nodes]);
  const keys = nodes.map(({ name }) => name);
  const height = size.rows - 9;
  const list = useList("nodes", keys, height);
  const node = nodes[list.index];
  const over = job !== null && hasEnded(job);
  const none =
    !job || over
      ? "there is no job: 2 goes to Jobs"
      : job.state === "Running"
        ? null
        : `job ${job.jobId} does not run yet`;
  const busy = deployment && !isOver(deployment) ? "a deployment of these nodes is on its way: p shows it" : null;
  useKeys("nodes", {
    describe: {
      run: () => node && navigation.open({ screen: "node", name: node.name }),
      disabled: none ?? (node ? null : "there is no node"),
    },
    deploy: { run: () => job && navigation.open({ screen: "deploy", jobId: job.jobId }), disabled: none ?? busy },
    progress: {
      run: () => deployment && navigation.open({ screen: "deployment", id: deployment.id }),
      disabled: deployment ? null : "nothing was deployed on this job yet",
    },
    configure: { run: () => navigation.jump({ screen: "runs" }, { screen: "configure" }), disabled: none ?? busy },
    install: { run: () => navigation.jump({ screen: "runs" }, { screen: "install" }), disabled: none ?? busy },
    extend: {
      run: () => {
        if (!job) return;
        workspace.site.jobs.forgetExtension();
        navigation.open({ screen: "extend", jobId: job.jobId });
      },
      disabled: none,
    },
    shell: { run: () => node && shellOn(node.name), disabled: none ?? (node ? null : "there is no node") },
    refresh: { run: () => job && void workspace.site.deploy.loadFacts(job), disabled: none },
    copy: { run: () => node && copy(node.name, node.name), disabled: node ? null : "there is no node" },
  });
  if (!job && jobId !== null && jobs.at === null) return <Busy text={`asking for job ${jobId}`} />;
  if (!job || over) return <NoJob ended={job} />;
  if (job.state === "Finishing") return <Text>{` Job ${job.jobId} is ending; its nodes go back to the site.`}</Text>;
  if (job.state !== "Running") {
    const { tone, word } = jobState(job);
    return (
      <Box flexDirection="column">
        <Text>{` ${symbol(tone)} Job ${job.jobId} does not run yet: ${word} ${jobTime(job, now / 1000)}`}</Text>
        <Text> </Text>
        <Text> Its nodes show up here when it does; on Jobs (2), ⏎ shows its progress.</Text>
      </Box>
    );
  }
  const width = size.columns - 2;
  const outcome = deployment ? outcomeLine(deployment) : null;
  const asked = loading ? "asking the nodes …" : at === null ? "" : `asked ${age((now - at) / 1000)} ago`;
  const about = deployment
    ? `${plainLine(deployment.title)}: ${outcome?.text ?? "on its way, p shows it"}`
    : "nothing deployed yet: i deploys an image or environment";
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint(count(nodes.length, "node"), "bold")} of job ${job.jobId}${job.subnet ? ` · subnet ${job.subnet}` : ""}${asked ? ` · ${asked}` : ""}`}
      </Text>
      <Text wrap="truncate">{` ${about}`}</Text>
      <Table
        header={nodesHeader(width)}
        view={list}
        row={(index) => nodesRow(nodes[index] as NodeView, names[index] ?? "", width)}
      />
    </Box>
  );
}

export function NodeScreen({ place }: { place: Place }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const name = place.screen === "node" ? place.name : "";
  const job = useKnown(currentJob);
  const shellOn = useNodeShell(job);
  const deployment = useKnown((known) => (job ? deploymentOf(known, job.jobId) : null));
  const { nodes } = useNodes(job);
  const node = nodes.find((one) => one.name === name);
  useKeys("nodes", {
    progress: {
      run: () => deployment && navigation.open({ screen: "deployment", id: deployment.id }),
      disabled: deployment ? null : "nothing was deployed on this job yet",
    },
    shell: { run: () => shellOn(name), disabled: job ? null : "there is no job" },
    refresh: { run: () => job && void workspace.site.deploy.loadFacts(job), disabled: job ? null : "there is no job" },
    copy: { run: () => copy(name, name) },
  });
  if (!node || !job) return <Text dimColor> This node is no longer one of your job. Esc goes back.</Text>;
  const lines = nodeLines(node, {
    job: `job ${job.jobId}`,
    deployment: deployment ? `kadeploy3, ${deployment.title}` : null,
  });
  return (
    <Box flexDirection="column">
      {lines
        .flatMap(([title, value, source]) =>
          title === "why"
            ? wrapped(value, size.columns - 16).map((line, index) => ` ${cell(index === 0 ? title : "", 13)} ${line}`)
            : [` ${cell(title, 13)} ${value}${source ? paint(`   ${source}`, "dim") : ""}`],
        )
        .slice(0, size.rows - 6)
        .map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is where it stands.
          <Text key={index} wrap="truncate">
            {line}
          </Text>
        ))}
    </Box>
  );
}
