/** Runs as rows: the journals' list, with what this virtu knows better of those it carries. Pure. Times are epoch milliseconds. */
import type { RunState, RunView } from "../../journey/plan.ts";
import type { RunSummary } from "../../journey/run-types.ts";
import type { WaySummary } from "../../journey/up.ts";
import type { WayState } from "../../journey/up-types.ts";
import { runIsOpen } from "../../store/run-known.ts";
import type { WaysKnown } from "../../store/way-known.ts";
import { clock, plainLine } from "../../text.ts";
import { headerLine, layout } from "../components/table.tsx";
import { cell, state, type Tone } from "../theme.ts";
import { foldNames } from "./node-names.ts";
import { leftText, runShare, runState, summaryShare } from "./run-text.ts";

export interface RunRow {
  id: string;
  /** A whole way, whose runs stand in the list as well. */
  way: boolean;
  title: string;
  state: RunState;
  /** The state in a word of its own; null: the usual one. */
  word: string | null;
  /** On what it works, in words. */
  on: string;
  /** Nodes in all; null: nobody knows yet. */
  many: number | null;
  out: number;
  /** From 0 to 1. */
  share: number;
  startedAt: number;
  endedAt: number | null;
  secondsLeft: number | null;
  /** Another virtu's process that carries it, or null. */
  other: number | null;
}

const rowOfView = (view: RunView, now: number): RunRow => ({
  id: view.id,
  way: false,
  title: view.plan.title,
  state: view.state,
  word: null,
  on: foldNames(view.plan.nodes.map(({ name }) => name)),
  many: view.plan.nodes.length,
  out: view.out.length,
  share: runShare(view, now),
  startedAt: view.startedAt,
  endedAt: view.endedAt,
  secondsLeft: view.secondsLeft,
  other: null,
});

const stateOfWay = (state: WayState): Pick<RunRow, "state" | "word"> =>
  state === "undone" ? { state: "cancelled", word: "taken back" } : { state, word: null };

/** A way as a row: its stages count as its steps. */
function rowOfWay({ view, pid }: WaySummary, isHere: boolean): RunRow {
  const { plan, stages } = view;
  const ended = stages.filter(({ state }) => state === "done" || state === "already").length;
  const { nodes } = plan;
  const { state, word } = stateOfWay(view.state);
  return {
    id: view.id,
    way: true,
    title: `way · ${view.title}`,
    state,
    word,
    on:
      nodes.kind === "hosts"
        ? foldNames(nodes.names)
        : view.jobId === null
          ? nodes.site
          : `job ${view.jobId} of ${nodes.site}`,
    many: nodes.kind === "hosts" ? nodes.names.length : nodes.kind === "reserve" ? nodes.request.nodes : null,
    out: 0,
    share: ended / Math.max(1, stages.length),
    startedAt: view.startedAt,
    endedAt: view.endedAt,
    secondsLeft: null,
    other: isHere ? null : pid,
  };
}

/** Ways, with what this virtu knows better of those it carries. */
export function wayRows({ list, views }: WaysKnown): RunRow[] {
  const listed = new Set(list.value.map(({ view }) => view.id));
  const fresh = Object.values(views).filter(({ id }) => !listed.has(id));
  return [
    ...fresh.map((view) => rowOfWay({ view, pid: null }, true)),
    ...list.value.map(({ view, pid }) => {
      const own = views[view.id];
      return rowOfWay({ view: own ?? view, pid }, own !== undefined);
    }),
  ];
}

/** Newest first. */
export function runRows(list: readonly RunSummary[], views: Readonly<Record<string, RunView>>, now: number): RunRow[] {
  const listed = new Set(list.map(({ id }) => id));
  const rows = list.map((run): RunRow => {
    const view = views[run.id];
    if (view) return rowOfView(view, now);
    const { id, title, nodes, startedAt, endedAt, pid } = run;
    const share = summaryShare(run);
    const other = runIsOpen(run) ? pid : null;
    return {
      id,
      way: false,
      title,
      state: run.state,
      word: null,
      on: foldNames(nodes),
      many: nodes.length,
      out: run.out.length,
      share,
      startedAt,
      endedAt,
      secondsLeft: null,
      other,
    };
  });
  const fresh = Object.values(views).filter(({ id }) => !listed.has(id));
  return [...fresh.map((view) => rowOfView(view, now)), ...rows].sort((a, b) => b.startedAt - a.startedAt);
}

/** `today 14:02`, `11-21 09:30`: in the user's time zone. */
export function startedText(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  const two = (n: number) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === today.toDateString()) return `today ${time}`;
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** What time says of a run: how long yet, how long it took, who has it. */
function timeText(row: RunRow, now: number): string {
  if (row.other !== null) return `by pid ${row.other}`;
  if (row.state === "running") return leftText(row.secondsLeft) || `for ${clock((now - row.startedAt) / 1000)}`;
  if (row.endedAt !== null) return `took ${clock((row.endedAt - row.startedAt) / 1000)}`;
  return "";
}

const wideFrom = 110;

const columnsAt = (width: number) =>
  layout(
    [
      { title: "STATE", width: 13 },
      { title: "RUN", width: 24, grow: 2 },
      ...(width >= wideFrom ? [{ title: "ON", width: 20, grow: 2 }] : []),
      { title: "NODES", width: 5, align: "right" as const },
      { title: "DONE", width: 5, align: "right" as const },
      { title: "STARTED", width: 11 },
      { title: "TIME", width: 14 },
    ],
    width,
  );

export const runsHeader = (width: number): string => headerLine(columnsAt(width));

/** One run in `width` columns. */
export function runRowText(row: RunRow, width: number, now: number): string {
  const columns = columnsAt(width);
  const { tone, word }: { tone: Tone; word: string } =
    row.other === null
      ? { ...runState(row), ...(row.word ? { word: row.word } : {}) }
      : { tone: "busy", word: "elsewhere" };
  const texts = [
    plainLine(row.title),
    ...(width >= wideFrom ? [plainLine(row.on)] : []),
    row.out > 0 && row.many !== null ? `${row.many - row.out}/${row.many}` : String(row.many ?? "?"),
    `${Math.floor(row.share * 100)} %`,
    startedText(row.startedAt, now),
    timeText(row, now),
  ];
  const stateWidth = columns[0]?.width ?? 0;
  return [
    state(tone, cell(word, stateWidth - 2)),
    ...texts.map((text, index) => cell(text, columns[index + 1]?.width ?? 0, columns[index + 1]?.align)),
  ].join(" ");
}
