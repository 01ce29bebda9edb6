/** All output of one step on one node: followed, scrolled, searched. Only what is shown is read, so any length will do. */
import { homedir } from "node:os";
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { toVirtuError } from "../../errors.ts";
import type { RunView, Step } from "../../journey/plan.ts";
import { runFiles } from "../../journey/run-store.ts";
import { plainLine } from "../../text.ts";
import { lineText } from "../components/field.tsx";
import { edit, emptyLine, type Line } from "../editor.ts";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { cell, paint } from "../theme.ts";
import { useOutput } from "./run-read.ts";
import { cellReason, cellTitle } from "./run-text.ts";

/** Lines read at a time while searching. */
const searchChunk = 2000;

interface Found {
  text: string;
  /** Numbers of lines, ascending. */
  lines: readonly number[];
  /** Lines that were looked through. */
  seen: number;
}

const nobody: Found = { text: "", lines: [], seen: 0 };

/** Looks through the output in the background; what comes later is looked through as it comes. */
function useSearch(run: RunView, step: string, node: string, text: string, total: number): Found {
  const { workspace } = useUi();
  const [found, setFound] = useState<Found>(nobody);
  const state = useRef({ busy: false, there: true, text, total, found: nobody });
  state.current.text = text;
  state.current.total = total;
  useEffect(() => {
    state.current.there = true;
    return () => {
      state.current.there = false;
    };
  }, []);
  useEffect(() => {
    const now = state.current;
    if (now.busy || (text === "" && now.found.text === "") || (text === now.found.text && total <= now.found.seen))
      return;
    const turn = async () => {
      while (now.there) {
        if (now.found.text !== now.text) now.found = { ...nobody, text: now.text };
        const { text: wanted, seen } = now.found;
        if (wanted === "" || seen >= now.total) break;
        const lines = await workspace.runs.output(run.id, step, node, seen, searchChunk);
        if (lines.length === 0) break;
        if (now.text !== wanted) continue;
        const low = wanted.toLowerCase();
        const hits = lines.flatMap((line, index) =>
          plainLine(line).toLowerCase().includes(low) ? [seen + index] : [],
        );
        now.found = { text: wanted, lines: [...now.found.lines, ...hits], seen: seen + lines.length };
      }
    };
    now.busy = true;
    turn()
      .catch((thrown: unknown) => workspace.failed(toVirtuError(thrown)))
      .finally(() => {
        now.busy = false;
        if (now.there) setFound(now.found);
      });
  }, [workspace, run.id, step, node, text, total]);
  return found;
}

/** A line from a column on, with what was searched marked. */
function marked(line: string, text: string, left: number, width: number, here: boolean): string {
  const shown = cell(plainLine(line).slice(left), width);
  const at = text === "" ? -1 : shown.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0) return shown;
  const hit = paint(
    shown.slice(at, at + text.length),
    ...(here ? (["inverse"] as const) : (["yellow", "bold"] as const)),
  );
  return shown.slice(0, at) + hit + shown.slice(at + text.length);
}

/** The command that prints the whole of it, for a pipe or an editor. */
export function outputCommand(run: string, step: string, node: string): string {
  return `virtu runs ${run} --output ${step} ${node}`;
}

/** A path with `~` for the user's home. */
const atHome = (file: string) => (file.startsWith(`${homedir()}/`) ? `~${file.slice(homedir().length)}` : file);

function Output({ run, step, node }: { run: RunView; step: Step; node: string }): ReactNode {
  const { size, copy, workspace } = useUi();
  const folder = atHome(runFiles(workspace.context, run.id).out);
  const now = useKnown((known) => known.now);
  const name = `output:${run.id}:${step.id}:${node}`;
  /** First line shown; null: the end is followed. */
  const [top, setTop] = useRemembered<number | null>(`${name}:top`, null);
  const [at, setAt] = useRemembered<number | null>(`${name}:at`, null);
  const [line, setLine] = useRemembered<Line>(`${name}:search`, emptyLine);
  const [typing, setTyping] = useState(false);
  const view = run.cells[step.id]?.[node];
  const total = view?.lines ?? 0;
  const reason = cellReason(view);
  const searching = typing || line.text !== "";
  const height = Math.max(1, size.rows - 8 - (reason ? 1 : 0));
  const last = Math.max(0, total - height);
  const from = Math.min(top ?? last, last);
  const output = useOutput({ id: run.id, step: step.id, node, from, count: height, total });
  const found = useSearch(run, step.id, node, line.text, total);
  /** Columns that the lines are moved to the left; the longest line of those shown keeps half of the width. */
  const [wanted, setWanted] = useState(0);
  const width = size.columns - 2;
  const half = Math.floor(width / 2);
  const longest = Math.max(0, ...output.lines.map((one) => plainLine(one).length));
  const left = Math.min(wanted, Math.max(0, Math.ceil((longest - width) / half) * half));
  const go = (to: number) => setTop(to >= last ? null : Math.max(0, to));
  const hit = (direction: 1 | -1) => {
    const here = at ?? (direction === 1 ? from - 1 : from + height);
    const lines = direction === 1 ? found.lines : [...found.lines].reverse();
    const next = lines.find((number) => (direction === 1 ? number > here : number < here)) ?? lines[0];
    if (next === undefined) return;
    setAt(next);
    if (next < from || next >= from + height) go(Math.max(0, next - Math.floor(height / 2)));
    else if (top === null) setTop(from);
  };
  const noHit = found.lines.length > 0 ? null : line.text === "" ? "/ searches first" : "nothing is found";
  const clear = () => {
    setLine(emptyLine);
    setAt(null);
    setTyping(false);
  };
  useKeys("output", {
    search: { run: () => setTyping(true) },
    next: { run: () => hit(1), disabled: noHit },
    previous: { run: () => hit(-1), disabled: noHit },
    follow: { run: () => setTop(top === null ? from : null) },
    right: {
      run: () => setWanted(left + half),
      disabled: longest > left + width ? null : "no line goes on to the right",
    },
    left: { run: () => setWanted(Math.max(0, left - half)), disabled: left > 0 ? null : "this is their beginning" },
    copy: { run: () => copy(outputCommand(run.id, step.id, node), "the command that prints all of it") },
  });
  useKeys("list", {
    up: { run: () => setTop(Math.max(0, from - 1)) },
    down: { run: () => go(from + 1) },
    pageUp: { run: () => setTop(Math.max(0, from - height + 1)) },
    pageDown: { run: () => go(from + height - 1) },
    first: { run: () => setTop(0) },
    last: { run: () => setTop(null) },
  });
  useKeys(
    "filter",
    {
      keep: {
        run: () => {
          setTyping(false);
          hit(1);
        },
      },
      clear: { run: clear },
    },
    {
      level: layer.field,
      active: typing,
      typed: (key) => {
        const next = edit(line, key);
        if (next) {
          setLine(next);
          setAt(null);
        }
        return next !== null;
      },
    },
  );
  useKeys("filter", { clear: { run: clear } }, { active: !typing && line.text !== "" });
  const place =
    total === 0
      ? "nothing printed"
      : `${from + 1}–${Math.min(total, from + height)} of ${total}${left > 0 ? `, from column ${left + 1}` : ""}`;
  const follows = top === null && (view?.state === "running" || view?.state === "lost") ? "followed" : "";
  const nth = at === null ? "" : `${found.lines.indexOf(at) + 1} of `;
  const hits = found.seen < total ? "searching …" : `${nth}${found.lines.length} found`;
  const rows = Array.from({ length: height }, (_, index) => {
    const number = from + index;
    const text = output.lines[number - output.from];
    return ` ${text === undefined ? "" : marked(text, line.text, left, width, number === at)}`;
  });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(cellTitle(run, step, node, now, false), "bold")}${paint(` · ${[place, follows].filter(Boolean).join(", ")}`, "dim")}`}</Text>
      {reason && <Text wrap="truncate">{paint(` ${reason}`, "red")}</Text>}
      <Text wrap="truncate">
        {searching
          ? ` / ${typing ? lineText(line, 30, true) : paint(line.text, "bold")} ${paint(line.text === "" ? "" : hits, "dim")}`
          : paint(` Kept in ${folder}; y copies the command that prints all of it`, "dim")}
      </Text>
      {output.error ? <Text color="red">{` It can't be read: ${output.error}`}</Text> : <Text>{rows.join("\n")}</Text>}
    </Box>
  );
}

export function RunOutputScreen({ place }: { place: Place }): ReactNode {
  const { id, step: stepId, node } = place.screen === "run-output" ? place : { id: "", step: "", node: "" };
  const run = useKnown((known) => known.runs.views[id]);
  const step = run?.plan.steps.find((one) => one.id === stepId);
  if (!run || !step) return <Text> Nothing is known of this step any more. Esc goes back.</Text>;
  return <Output run={run} step={step} node={node} />;
}
