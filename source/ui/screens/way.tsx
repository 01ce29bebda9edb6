/** A way from nothing to instances while it goes on: its stages, each with its own screen one key away. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import type { UpSource } from "../../journey/up.ts";
import type { Undoing } from "../../journey/up-down.ts";
import type { StageView, WayView } from "../../journey/up-types.ts";
import { wayOf } from "../../store/way-known.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { paint, state } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { goOnward } from "./run.tsx";
import { stageRow, underwayOf, wayState } from "./way-text.ts";

/** Where a stage is watched, or why it can't be. */
function placeOf(view: WayView, stage: StageView): Place | string {
  if (stage.state === "waiting") return "this stage has not begun";
  switch (stage.id) {
    case "reserve":
      if (view.jobId === null) return "OAR has given no number yet";
      return stage.state === "running" ? { screen: "waiting", jobId: view.jobId } : { screen: "nodes" };
    case "deploy":
      return view.deployment === null
        ? "the deployment is not there yet"
        : { screen: "deployment", id: view.deployment };
    case "configure":
    case "install": {
      const run = view.runs[stage.id];
      return run === undefined ? "the nodes are being asked first" : { screen: "run", id: run };
    }
    case "instances":
      return { screen: "instances" };
  }
}

function Notes({ stage, view, lines }: { stage: StageView; view: WayView; lines: number }): ReactNode {
  const { size } = useUi();
  const width = size.columns - 3;
  const hint = stage.hint === null ? [] : wrapped(`To do: ${stage.hint}`, width);
  const text = wrapped(plainLine(stage.text), width);
  const all = [...text, ...hint.map((line) => paint(line, "bold"))].slice(0, Math.max(1, lines));
  const from = view.file === null ? "" : `from ${view.file}`;
  return (
    <Box flexDirection="column" marginTop={1}>
      {all.map((line) => (
        <Text key={line} wrap="truncate">{` ${line}`}</Text>
      ))}
      {from !== "" && <Text wrap="truncate" dimColor>{` ${from}`}</Text>}
    </Box>
  );
}

function Pane({ view }: { view: WayView }): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const now = useKnown((known) => known.now);
  const saying = useKnown((known) => known.ways.saying[view.id]);
  const password = useKnown((known) => known.ways.passwords[view.id]);
  const error = useKnown((known) => known.ways.errors[view.id]);
  const installRun = useKnown((known) => known.runs.views[view.runs.install ?? ""]);
  const [taking, setTaking] = useState<{ source: UpSource; undoing: Undoing } | null>(null);
  const runs = useKnown((known) => known.runs.views);
  const deployment = useKnown((known) => known.deployments[view.deployment ?? ""]);
  const doing = (stage: StageView) =>
    stage.state === "running"
      ? underwayOf(runs[view.runs[stage.id] ?? ""], stage.id === "deploy" ? deployment : undefined)
      : null;
  const keys = view.stages.map(({ id }) => id);
  const list = useList(`way:${view.id}`, keys, keys.length, taking === null);
  const stage = view.stages[list.index];
  const wanted = view.stages.find(({ state: one }) => one === "running" || one === "needs-you" || one === "failed")?.id;
  const [followed, setFollowed] = useRemembered<string | null>(`way:${view.id}:followed`, null);
  // The cursor goes along with what is done, until it is put elsewhere.
  useEffect(() => {
    if (wanted === undefined || wanted === followed) return;
    if (followed === null || list.key === followed) list.select(wanted);
    setFollowed(wanted);
  }, [wanted, followed, list.key, list.select, setFollowed]);
  const isOver = view.state !== "running";
  const place = stage ? placeOf(view, stage) : "there is no stage";
  useEffect(() => {
    // Where it leads is known by the run of its installation.
    if (view.state === "done" && view.runs.install && !installRun) void workspace.runs.open(view.runs.install);
  }, [view.state, view.runs.install, installRun, workspace]);
  const takeBack = async () => {
    try {
      const found = await workspace.ways.planDown(view.id);
      setTaking(found);
    } catch (thrown) {
      workspace.failed(thrown);
    }
  };
  useKeys(
    "way",
    {
      open: {
        run: () => typeof place !== "string" && navigation.open(place),
        disabled: typeof place === "string" ? place : null,
      },
      ...(view.state === "done"
        ? {
            onward: {
              run: () => {
                if (installRun) goOnward(installRun, navigation, workspace);
                else navigation.jump({ screen: "instances" });
                if (view.plan.instances.length > 0) navigation.remember("instances:nodes", false, false);
              },
            },
          }
        : {}),
      ...(isOver && view.state !== "undone" ? { again: { run: () => void workspace.ways.open(view.id) } } : {}),
      takeBack: { run: () => void takeBack(), disabled: isOver ? null : "it is under way: leave it, or wait" },
      copy: {
        run: () => copy(view.file === null ? `virtu resume ${view.id}` : `virtu up ${view.file}`, "the command"),
      },
    },
    { active: taking === null },
  );
  if (taking) {
    const { source, undoing } = taking;
    const { losses, stays } = undoing;
    return (
      <Confirm
        title={`Take back: ${view.title}?`}
        losses={losses.length > 0 ? losses : ["nothing of it is left"]}
        text={stays.length > 0 ? `It stays: ${stays.join(", ")}.` : "What is on the nodes can't be had back."}
        safe="Leave it"
        danger="Take it back"
        onNo={() => setTaking(null)}
        onYes={() => {
          setTaking(null);
          void workspace.ways.down(source, undoing);
        }}
      />
    );
  }
  const waits = view.stages.some((one) => doing(one)?.waits);
  const { tone, word } = wayState(waits ? { state: "needs-you" } : view);
  const width = size.columns - 2;
  const taken = (password === undefined ? 0 : 1) + (error ? 4 : 0) + keys.length + 9;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(view.title, "bold")} · ${state(tone, word)}`}</Text>
      <Text> </Text>
      <Table
        keys={keys}
        height={keys.length}
        width={size.columns}
        view={list}
        row={(index) => {
          const one = view.stages[index] as StageView;
          return stageRow(one, saying?.stage === one.id ? saying.text : null, width, now, doing(one));
        }}
      />
      {stage && <Notes stage={stage} view={view} lines={size.rows - taken} />}
      {password !== undefined && (
        <Text
          wrap="truncate"
          color="yellow"
        >{` Root's password is ${paint(password, "bold")} · shown here alone, and kept nowhere`}</Text>
      )}
      {error && <Problem error={error} lines={1} />}
    </Box>
  );
}

export function WayScreen({ place }: { place: Place }): ReactNode {
  const { workspace } = useUi();
  const id = place.screen === "way" ? place.id : "";
  const view = useKnown((known) => wayOf(known.ways, id));
  const error = useKnown((known) => known.ways.errors[id]);
  useEffect(() => {
    void workspace.ways.refresh();
    return workspace.site.watch();
  }, [workspace]);
  if (view) return <Pane view={view} />;
  return error ? <Problem error={error} /> : <Busy text="reading the way's journal" />;
}
