/** A run, live: its matrix of steps and nodes, what the selected cell says, what can be decided. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import type { JourneyKind, RunView, Step } from "../../journey/plan.ts";
import { runIsOpen } from "../../store/run-known.ts";
import type { Workspace } from "../../store/workspace.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Problem } from "../components/problem.tsx";
import { useMoves } from "../components/table.tsx";
import { type Handlers, useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Navigation, Place } from "../navigation.ts";
import { cell, glyph, paint, symbol, toneStyles } from "../theme.ts";
import { isTrouble } from "./run-cell.ts";
import { nextTrouble, useCursor } from "./run-cursor.ts";
import { CancelDialog, LeaveOutDialog } from "./run-dialogs.tsx";
import { countsGeometry, countsHead, countsRow, geometry, matrixHead, matrixRow, nodeMap } from "./run-matrix.ts";
import { useOutput } from "./run-read.ts";
import { boxLines, cellReason, cellsOf, cellTitle, runLine, troubleLine } from "./run-text.ts";

/** Lines of the frame around the output at least: two lines of text in it. */
const boxLeast = 4;
const mapMost = 4;

/** What a kind of run is for, and so where it leads. */
const ends: Record<JourneyKind, string> = {
  configure: "the nodes",
  "install-ganeti": "the cluster's nodes",
  "install-libvirt": "the instances",
  "take-back": "the instances",
};

/** Goes where the run leads; the hosts that it made are shown from then on. */
export function goOnward(run: RunView, navigation: Navigation, workspace: Workspace): void {
  const { plan, out } = run;
  if (plan.kind === "configure") {
    navigation.jump({ screen: plan.jobId === null ? "home" : "nodes" });
    return;
  }
  if (plan.kind === "take-back") {
    navigation.jump({ screen: "instances" });
    return;
  }
  const nodes = plan.nodes.filter(({ name }) => !out.includes(name));
  const cluster = plan.kind === "install-ganeti";
  // Any node of a cluster tells all of it; each libvirt host tells of itself.
  workspace.showHosts((cluster ? nodes.slice(0, 1) : nodes).map(({ host }) => host));
  navigation.remember("instances:nodes", cluster, false);
  navigation.jump({ screen: "instances" });
}

/** Opens the five steps on what the run has installed, over its instances. */
function makeInstance(run: RunView, navigation: Navigation, workspace: Workspace): void {
  const { plan, out } = run;
  const host = plan.nodes.find(({ name }) => !out.includes(name))?.host.name;
  goOnward(run, navigation, workspace);
  navigation.remember("instances:nodes", false, false);
  navigation.forget("create:wizard");
  navigation.forget("form:create");
  navigation.open({ screen: "create", host });
}

const installs = ({ plan }: RunView) => plan.kind === "install-ganeti" || plan.kind === "install-libvirt";

/** What is said under the matrix: what stands still, or what comes next. */
function under(run: RunView): { text: string; tone: "bad" | "warning" | "good" | "paused" | "idle" } | null {
  switch (run.state) {
    case "done":
      return {
        tone: "good",
        text: `Done. e goes on to ${ends[run.plan.kind]}${installs(run) ? "; a makes an instance" : ""}.`,
      };
    case "paused":
      return { tone: "paused", text: "Paused: what runs goes to its end, nothing new starts. p goes on." };
    case "cancelled":
      return { tone: "idle", text: "Cancelled. A new run does only what is missing." };
    case "failed":
      return { tone: "bad", text: `Failed: ${plainLine(run.problem ?? "no node came to the end")}` };
    default: {
      const text = troubleLine(run);
      if (!text) return null;
      return { tone: run.state === "needs-you" ? "warning" : "bad", text };
    }
  }
}

function Pane({ run }: { run: RunView }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const now = useKnown((known) => known.now);
  const [asking, setAsking] = useState<"cancel" | "leave-out" | null>(null);
  const width = size.columns - 2;
  const columns = geometry(run, width);
  const names = run.plan.nodes.map(({ name }) => name);
  const crowded = names.length > columns.fit;
  const [byNode, setByNode] = useRemembered<boolean | null>(`run:${run.id}:by-node`, null);
  const counted = byNode === null ? crowded : !byNode;
  const layout = counted ? countsGeometry(run, width) : columns;

  // Lines of the body: the first one, heads, steps, the map of nodes, one that says what to do, the output's frame.
  const body = size.rows - 5;
  const heads = counted ? 1 : matrixHead(layout, names.slice(0, layout.fit)).length;
  const mapRows = counted && names.length > 1 ? Math.min(mapMost, Math.ceil(names.length / width)) : 0;
  const steps = run.plan.steps.length;
  const height = Math.max(2, Math.min(steps, body - 2 - heads - mapRows - boxLeast));
  const boxRows = body - 2 - heads - mapRows - height;
  const cursor = useCursor(run, height, counted ? 1 : layout.fit);
  const step = run.plan.steps[cursor.row] as Step;
  const node = cursor.node ?? "";
  const view = step?.cells[node] ? run.cells[step.id]?.[node] : undefined;
  const inside = Math.max(0, boxRows - 2);
  const reason = cellReason(view);
  const room = Math.max(0, inside - (reason ? 1 : 0));
  const total = view?.lines ?? 0;
  const output = useOutput({
    id: run.id,
    step: step?.id ?? "",
    node,
    from: Math.max(0, total - room),
    count: room,
    total,
  });

  const open = runIsOpen(run);
  const failed = cellsOf(run, step)
    .filter((one) => isTrouble(one.view))
    .map((one) => one.node);
  const over = open ? null : "the run is at its end";
  const noTrouble = view && isTrouble(view) ? null : "this step did not fail on this node: n goes to one that did";
  const noneFailed = failed.length > 0 ? null : "this step failed on no node";
  const decide = (what: "retry" | "skip", nodes: readonly string[]) =>
    workspace.runs.decide(run.id, { do: what, step: step.id, nodes });
  const target = nextTrouble(run, cursor.step, cursor.node);
  const keys: Handlers<"run"> = {
    ...(run.state === "done" ? { onward: { run: () => goOnward(run, navigation, workspace) } } : {}),
    ...(run.state === "done" && installs(run) ? { make: { run: () => makeInstance(run, navigation, workspace) } } : {}),
    output: {
      run: () => navigation.open({ screen: "run-output", id: run.id, step: step.id, node }),
      disabled: view ? null : "this node has no part in this step",
    },
    next: { run: () => target && cursor.goTo(target), disabled: target ? null : "nothing has failed" },
    ...(open
      ? {
          retry: { run: () => decide("retry", [node]), disabled: noTrouble },
          retryAll: { run: () => decide("retry", failed), disabled: noneFailed },
          leaveOut: {
            run: () => setAsking("leave-out"),
            disabled: run.out.includes(node) ? "this node is left out already" : null,
          },
          skip: { run: () => decide("skip", [node]), disabled: noTrouble },
          skipAll: { run: () => decide("skip", failed), disabled: noneFailed },
          pause: {
            run: () => workspace.runs.decide(run.id, { do: run.state === "paused" ? "go-on" : "pause" }),
            ...(run.state === "paused" ? { label: "go on" } : {}),
          },
          cancel: { run: () => setAsking("cancel"), disabled: over },
        }
      : {}),
    view: { run: () => setByNode(counted) },
    plan: { run: () => navigation.open({ screen: "run-plan", id: run.id }) },
    left: { run: () => cursor.moveColumns("left") },
    right: { run: () => cursor.moveColumns("right") },
    copy: { run: () => copy([node, reason].filter(Boolean).join(": "), node) },
  };
  useKeys("run", keys, { active: asking === null });
  useMoves((move) => cursor.moveRows(move), { active: asking === null });
  if (asking === "cancel") return <CancelDialog run={run} onClose={() => setAsking(null)} />;
  if (asking === "leave-out")
    return <LeaveOutDialog run={run} step={step} node={node} onClose={() => setAsking(null)} />;

  const shownNodes = names.slice(cursor.columnOffset, cursor.columnOffset + layout.fit);
  const selection = { step: cursor.step, node: cursor.node };
  const head = counted ? [countsHead(layout)] : matrixHead(layout, shownNodes);
  const rows = Array.from({ length: height }, (_, line) => {
    const index = cursor.rowOffset + line;
    const here = index === cursor.row;
    const text = counted
      ? countsRow(run, index, layout, width, here, now)
      : matrixRow(run, index, layout, shownNodes, selection, now);
    return `${here ? paint(glyph.cursor, "cyan", "bold") : " "}${text}`;
  });
  const map = mapRows > 0 ? nodeMap(run, step, cursor.node, width, mapRows).map((line) => ` ${line}`) : [];
  const said = under(run);
  const lines = [
    ...(reason ? [reason] : []),
    ...(output.error ? [`the output can't be read: ${output.error}`] : output.lines.map(plainLine)),
  ];
  const nothingYet = view && total === 0 && !reason ? "It has printed nothing." : "";
  const box =
    boxRows >= 3
      ? boxLines(cellTitle(run, step, node, now), lines.length > 0 ? lines : [nothingYet], size.columns - 1, boxRows)
      : [` ${reason || cellTitle(run, step, node, now)}`];
  const more = steps > height ? `steps ${cursor.rowOffset + 1}–${cursor.rowOffset + height} of ${steps}` : "";
  const across =
    !counted && crowded
      ? `nodes ${cursor.columnOffset + 1}–${Math.min(names.length, cursor.columnOffset + layout.fit)} of ${names.length}`
      : "";
  const beside = [more, across].filter(Boolean).join(" · ");
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${runLine(run, width, now)}`}</Text>
      <Text wrap="truncate">{head.map((line) => ` ${paint(cell(line, width), "bold")}`).join("\n")}</Text>
      <Text wrap="truncate">{rows.join("\n")}</Text>
      {map.length > 0 && <Text wrap="truncate">{map.join("\n")}</Text>}
      <Text wrap="truncate">{box.join("\n")}</Text>
      <Text wrap="truncate">
        {said ? paint(` ${symbol(said.tone)} ${said.text}`, ...toneStyles(said.tone)) : paint(` ${beside}`, "dim")}
      </Text>
    </Box>
  );
}

export function RunScreen({ place }: { place: Place }): ReactNode {
  const { workspace } = useUi();
  const id = place.screen === "run" ? place.id : "";
  const run = useKnown((known) => known.runs.views[id]);
  const error = useKnown((known) => known.runs.errors[id]);
  const known = run !== undefined;
  useEffect(() => {
    if (!known && !workspace.state.runs.errors[id]) void workspace.runs.open(id);
  }, [workspace, id, known]);
  useKeys("run", !known && error ? { retry: { run: () => void workspace.runs.open(id) } } : {});
  if (run) {
    if (run.plan.steps.length === 0) return <Text> This run has no steps: there was nothing to do.</Text>;
    return <Pane run={run} />;
  }
  if (!error) return <Busy text={`reading the journal of ${id}`} />;
  return (
    <Box flexDirection="column">
      <Problem error={error} />
      <Text> </Text>
      <Text> r tries again; Esc goes back.</Text>
    </Box>
  );
}
