/** A deployment, live: every node through the three phases, what failed and why, kadeploy3's own output. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { newDeploymentId } from "../../journey/deploy.ts";
import type { Deployment, NodeProgress } from "../../journey/types.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useFollowed, useList } from "../components/table.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { type Handlers, useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, paint, state, toneStyles } from "../theme.ts";
import { erasedLines } from "./deploy.tsx";
import {
  barLine,
  countsLine,
  deploymentHeader,
  explainNode,
  inOrder,
  isOver,
  nodeRow,
  outcomeLine,
  titleLine,
} from "./deployment-text.ts";
import { shortNames } from "./node-names.ts";

/** Lines for the explanation under the table. */
const explainLines = 4;

function Output({ deployment, height }: { deployment: Deployment; height: number }): ReactNode {
  const { size } = useUi();
  const { log } = deployment;
  const keys = useMemo(() => log.map((_, index) => String(index)), [log]);
  const { list, following, turn } = useFollowed(`output:${deployment.id}`, keys, height);
  useKeys("log", { follow: { run: turn } });
  return (
    <Table
      header={`what kadeploy3 prints${following ? "" : ", held: f follows its end"}`}
      view={list}
      row={(index) => cell(plainLine(log[index] ?? ""), size.columns - 2)}
      empty={<Text dimColor> It has printed nothing yet.</Text>}
    />
  );
}

function Nodes({ deployment, height }: { deployment: Deployment; height: number }): ReactNode {
  const { size } = useUi();
  const now = useKnown((known) => known.now) / 1000;
  const { progress } = deployment;
  const tight = progress.length > height - explainLines - 1;
  const nodes = useMemo(() => (tight ? inOrder(progress) : progress), [tight, progress]);
  const names = useMemo(() => shortNames(nodes.map(({ node }) => node)), [nodes]);
  const keys = nodes.map(({ node }) => node);
  const rows = Math.max(1, height - explainLines - 1 - (tight ? 1 : 0));
  const list = useList(`deployment:${deployment.id}`, keys, rows);
  const width = size.columns - 2;
  const selected = nodes[list.index];
  const isBad = ({ state: now }: NodeProgress) => now === "failed" || now === "missing";
  const bad = nodes.filter(isBad);
  // The one with the cursor first; the others as far as there is room.
  const first = selected && isBad(selected) ? [selected] : [];
  const room = Math.max(explainLines, height - Math.min(rows, nodes.length) - 2);
  const lines = [...first, ...bad.filter((node) => node !== first[0])]
    .flatMap((node) => explainNode(node, deployment, width, explainLines))
    .slice(0, tight ? explainLines - 1 : room);
  return (
    <Box flexDirection="column">
      <Table
        header={deploymentHeader(width)}
        view={{ ...list, height: Math.min(rows, Math.max(1, nodes.length)) }}
        row={(index) => nodeRow(nodes[index] as NodeProgress, names[index] ?? "", width, now)}
        empty={<Text dimColor> kadeploy3 has not named its nodes yet.</Text>}
      />
      {tight && <Text wrap="truncate" dimColor>{` ${countsLine(progress)}`}</Text>}
      {lines.length > 0 && <Text> </Text>}
      <TextLines lines={lines.map((line) => (line.startsWith(" ") ? line : paint(line, "red")))} before=" " />
    </Box>
  );
}

function CancelDialog({ deployment, onClose }: { deployment: Deployment; onClose: () => void }): ReactNode {
  const { workspace, size } = useUi();
  const under = deployment.progress.filter((node) => node.state !== "deployed").map(({ node }) => node);
  return (
    <Confirm
      title={`Cancel the deployment of ${deployment.title}?`}
      losses={erasedLines(under, Math.min(size.columns, 90) - 8)}
      text="These nodes stay without a system until they are deployed again. Leaving (Esc) cancels nothing."
      safe="Let it run"
      danger="Cancel the deployment"
      onNo={onClose}
      onYes={() => {
        onClose();
        void workspace.site.deploy.cancel(deployment.id);
      }}
    />
  );
}

function RetryDialog({ deployment, onClose }: { deployment: Deployment; onClose: () => void }): ReactNode {
  const { workspace, navigation, size } = useUi();
  const retry = workspace.site.deploy.retryOf(deployment.id);
  const nodes = "request" in retry ? retry.request.nodes : [];
  const key = ("request" in retry && retry.request.keyFile) || "the frontend's authorized_keys";
  return (
    <Confirm
      title={`Deploy ${deployment.title} again on the nodes that are not up?`}
      losses={erasedLines(nodes, Math.min(size.columns, 90) - 8)}
      text={`Their disks are erased; the good nodes are left alone. Root's key: ${key}.`}
      safe="Leave them"
      danger="Deploy them again"
      onNo={onClose}
      onYes={() => {
        onClose();
        if (!("request" in retry)) return;
        const id = newDeploymentId(deployment.jobId);
        void workspace.site.deploy.start(retry.request, id);
        navigation.replace({ screen: "deployment", id });
      }}
    />
  );
}

export function DeploymentScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation, size } = useUi();
  const id = place.screen === "deployment" ? place.id : "";
  const deployment = useKnown((known) => known.deployments[id]);
  const started = useKnown((known) => known.started[id]);
  const now = useKnown((known) => known.now) / 1000;
  const [pane, setPane] = useRemembered<"nodes" | "output">(`deployment:${id}:pane`, "nodes");
  const [asking, setAsking] = useState<"cancel" | "retry" | null>(null);
  const runs = deployment !== undefined && !isOver(deployment);
  useEffect(() => {
    if (runs && !workspace.state.started[id]?.error) workspace.site.deploy.follow(id);
  }, [workspace, id, runs]);
  const retry = workspace.site.deploy.retryOf(id);
  const none = deployment ? null : "it has not started yet";
  const keys: Handlers<"deployment"> = {
    ...(runs ? { cancel: { run: () => setAsking("cancel") } } : {}),
    ...(deployment && !runs
      ? { retry: { run: () => setAsking("retry"), disabled: "why" in retry ? retry.why : null } }
      : {}),
    nodes: { run: () => navigation.jump({ screen: "nodes" }) },
    log: { run: () => setPane((before) => (before === "nodes" ? "output" : "nodes")), disabled: none },
    ...(started?.error && runs ? { again: { run: () => workspace.site.deploy.follow(id) } } : {}),
  };
  useKeys("deployment", keys, { active: asking === null });
  if (!deployment) {
    if (!started?.error) return <Busy text="starting kadeploy3 on the frontend" />;
    return (
      <Box flexDirection="column">
        <Problem error={started.error} lines={Math.max(2, size.rows - 13)} />
        <Text> </Text>
        <Text> Esc goes back; i on Nodes begins again.</Text>
      </Box>
    );
  }
  if (asking === "cancel") return <CancelDialog deployment={deployment} onClose={() => setAsking(null)} />;
  if (asking === "retry") return <RetryDialog deployment={deployment} onClose={() => setAsking(null)} />;
  const outcome = outcomeLine(deployment);
  const { problem } = deployment;
  const trouble = problem === null && started?.error ? started.error : null;
  const more = [problem?.hint, ...(problem?.detail ?? "").split("\n").slice(0, 3)].filter((line) => line);
  const said = runs ? 1 : more.length;
  const height = size.rows - 5 - 4 - said - (trouble ? 2 : 0);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate" bold>{` ${titleLine(deployment, now)}`}</Text>
      {outcome ? (
        <Text wrap="truncate">{` ${state(outcome.tone, outcome.text)}`}</Text>
      ) : (
        <Text wrap="truncate">{` ${barLine(deployment, size.columns - 2, now)}`}</Text>
      )}
      {runs && <Text dimColor> Esc leaves it running; so does leaving virtu. It is found again.</Text>}
      {more.map((line) => (
        <Text key={line} wrap="truncate">{`   ${plainLine(line ?? "")}`}</Text>
      ))}
      {trouble && <Text wrap="truncate">{paint(` ✗ ${trouble.message}`, ...toneStyles("bad"))}</Text>}
      {trouble && (
        <Text wrap="truncate">{`   ${trouble.hint ?? "The deployment itself goes on."} R follows it again.`}</Text>
      )}
      <Text> </Text>
      {pane === "output" ? (
        <Output deployment={deployment} height={height} />
      ) : (
        <Nodes deployment={deployment} height={height} />
      )}
    </Box>
  );
}
