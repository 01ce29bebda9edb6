/** The action menu: all that can be done to the marked instances or a node, grouped, filtered by typing, with why not. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { NodeAction } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { lineText } from "../components/field.tsx";
import { Table, useList } from "../components/table.tsx";
import { editFilter, emptyLine, type Line } from "../editor.ts";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import type { ActionEntry } from "./action-entries.ts";
import { type ActionTargets, actionLine, actionLines, filteredLines } from "./actions-rows.ts";
import { useInstanceActions } from "./instances-actions.tsx";
import { nodeEffect } from "./node-effects.ts";
import { rowsOf } from "./one-instance.tsx";

const noKeys: readonly string[] = [];

export function ActionsScreen({ place }: { place: Place }): ReactNode {
  const keys = place.screen === "actions" ? place.keys : noKeys;
  const { workspace } = useUi();
  const all = useKnown((known) => known.inventory.instances);
  const node = useKnown((known) => known.inventory.nodes.find(({ key }) => key === keys[0]));
  useEffect(() => workspace.inventory.watch(), [workspace]);
  const rows = useMemo(() => rowsOf(all, keys), [all, keys]);
  if (node) return <NodeMenu node={node} />;
  return <InstanceMenu rows={rows} />;
}

function InstanceMenu({ rows }: { rows: readonly InstanceRow[] }): ReactNode {
  const { navigation, workspace } = useUi();
  const filter = useState(emptyLine);
  const actions = useInstanceActions(rows, rows[0]?.key ?? null, () => navigation.back());
  const targets = useMemo<ActionTargets>(() => ({ kind: "instances", rows }), [rows]);
  const keys = rows.map(({ key }) => key).join("\n");
  useEffect(() => void workspace.schedule.askCarriers(keys.split("\n")), [workspace, keys]);
  const [first] = rows;
  const title = rows.length === 1 && first ? plainLine(first.name) : count(rows.length, "instance");
  const choose = (entry: ActionEntry) => {
    const { request, place, action } = entry;
    // Only requests for instances stand in the instances' menu.
    if (request) return actions.begin(request as Parameters<typeof actions.begin>[0]);
    const able = rows.filter(({ key }) =>
      entry.atATime
        ? workspace.schedule.refuses(key) === null
        : action === null || workspace.inventory.refuses(action, key) === null,
    );
    const chosen = able.length > 0 ? able : rows;
    if (place) navigation.replace(place(chosen.map(({ key }) => key)));
  };
  if (actions.dialog) return actions.dialog;
  return <Menu title={title} targets={targets} filter={filter} onChoose={choose} />;
}

function NodeMenu({ node }: { node: NodeRow }): ReactNode {
  const { navigation, workspace } = useUi();
  const instances = useKnown((known) => known.inventory.instances);
  const [asked, setAsked] = useState<NodeAction | null>(null);
  const filter = useState(emptyLine);
  const targets = useMemo<ActionTargets>(() => ({ kind: "node", node }), [node]);
  const act = (request: NodeAction) => {
    workspace.inventory.act(request, [node.key]);
    navigation.back();
  };
  if (asked) {
    const effect = nodeEffect(asked, node, instances);
    const verb = verbOf(asked.do);
    const title = effect.title ?? `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${plainLine(node.name)}?`;
    return (
      <Confirm
        title={title}
        losses={effect.lines}
        text={effect.text}
        safe="Leave it"
        danger={title.replace(/\?$/, "")}
        onNo={() => setAsked(null)}
        onYes={() => act(asked)}
      />
    );
  }
  return (
    <Menu
      title={plainLine(node.name)}
      targets={targets}
      filter={filter}
      onChoose={({ request, place }) => {
        if (request) setAsked(request as NodeAction);
        else if (place) navigation.replace(place([node.key]));
      }}
    />
  );
}

function Menu({
  title,
  targets,
  filter: [line, setLine],
  onChoose,
}: {
  title: string;
  targets: ActionTargets;
  /** Its owner's, so that it is there again after a question. */
  filter: readonly [Line, (line: Line) => void];
  onChoose: (entry: ActionEntry) => void;
}): ReactNode {
  const { size, workspace, navigation } = useUi();
  const { inventory, schedule } = workspace;
  const carriers = useKnown((known) => known.carriers);
  // Of thousands of marked ones each is asked: once for each picture, not with every key.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the scheduler answers comes from the carriers.
  const all = useMemo(
    () =>
      actionLines(
        targets,
        (action, key) => inventory.refuses(action, key),
        (key) => schedule.refuses(key),
      ),
    [targets, inventory, schedule, carriers],
  );
  const lines = filteredLines(all, line.text);
  const keys = lines.map(({ entry }) => entry.id);
  const height = size.rows - 8;
  const list = useList(`actions:${targets.kind}`, keys, height);
  const chosen = lines[list.index];
  useKeys(
    "actions",
    {
      choose: {
        run: () => chosen && onChoose(chosen.entry),
        disabled: chosen ? chosen.refusal && `${chosen.entry.label}: ${chosen.refusal}` : "nothing is called so",
      },
    },
    {
      level: layer.field,
      typed: (key) => {
        // Moving is the list's; everything else that writes is the filter's.
        if (["up", "down", "pgup", "pgdn", "home", "end", "left", "right"].includes(key.name)) return false;
        const next = editFilter(line, key);
        if (next) setLine(next);
        return next !== null;
      },
    },
  );
  // The first Esc takes the filter away, the next one the menu.
  useKeys("filter", { clear: { run: () => setLine(emptyLine) } }, { level: layer.field, active: line.text !== "" });
  useKeys("global", { back: { run: () => navigation.back() } }, { active: line.text === "" });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint(title, "bold")} ${paint("· type to filter:", "dim")} ${lineText(line, Math.max(10, size.columns - title.length - 24), true)}`}
      </Text>
      <Table
        view={list}
        row={(index) => {
          const one = lines[index];
          if (!one) return "";
          const first = index === list.offset || lines[index - 1]?.entry.group !== one.entry.group;
          return actionLine(one, first, size.columns - 2);
        }}
        empty={<Text dimColor> Nothing here is called so. Esc shows all.</Text>}
      />
      <Text wrap="truncate">{chosen?.refusal ? paint(` ${plainLine(chosen.refusal)}`, "yellow") : ""}</Text>
    </Box>
  );
}
