/** The matrix steps × nodes as lines: by node while there is room, else counted by step. Pure. */
import type { CellView, RunView, Step } from "../../journey/plan.ts";
import { clock, plainLine } from "../../text.ts";
import { bar, cell, paint, widthOf } from "../theme.ts";
import { shortNames } from "./node-names.ts";
import { cellText, looks } from "./run-cell.ts";
import { cellsOf, countStates, countsText, stepShare } from "./run-text.ts";

/** Columns that a node needs at least, its gap not counted: `✗ exit 100` and a blank. */
const cellLeast = 11;
const cellMost = 18;
/** From here on there is room for the time of each step. */
const wideFrom = 110;
const timeWidth = 15;

export interface Geometry {
  /** Columns of the step's name, number included. */
  stepWidth: number;
  /** Columns of a node, gap not counted. */
  cellWidth: number;
  /** Nodes that have room side by side. */
  fit: number;
  timed: boolean;
}

/** Columns of a step's name that are kept whatever the nodes need. */
const stepLeast = 24;

/** Columns of the longest step's name with its number. */
const longestTitle = (run: RunView): number =>
  Math.max(4, ...run.plan.steps.map(({ title }) => widthOf(plainLine(title)))) + 3;

/** How the matrix is laid out in `width` columns: as many nodes as fit, then whole step names, then wider cells. */
export function geometry(run: RunView, width: number): Geometry {
  const longest = longestTitle(run);
  const timed = width >= wideFrom;
  const room = width - (timed ? timeWidth + 1 : 0);
  const fit = Math.max(1, Math.floor((room - Math.min(longest, stepLeast)) / (cellLeast + 1)));
  const nodes = Math.max(1, Math.min(fit, run.plan.nodes.length));
  const stepWidth = Math.min(longest, Math.max(stepLeast, room - nodes * (cellLeast + 1)));
  const cellWidth = Math.min(cellMost, Math.max(cellLeast, Math.floor((room - stepWidth) / nodes) - 1));
  return { stepWidth, cellWidth, fit, timed };
}

/** A name in two parts where people read it so: `paravance-` and `30`. */
function halves(name: string): [string, string] {
  const parts = /^(.*?[^\d])(\d+)$/.exec(name) ?? /^(.*[-_.])([^-_.]+)$/.exec(name);
  return parts ? [parts[1] as string, parts[2] as string] : [name, ""];
}

/** The head of the columns: one line of names if they have room, else what they share above what tells them apart. */
export function nodeHeads(names: readonly string[], width: number): string[][] {
  const short = shortNames(names);
  if (short.every((name) => widthOf(name) <= width)) return [short.map((name) => cell(name, width))];
  const split = short.map(halves);
  return [split.map(([head]) => cell(head, width)), split.map(([head, tail]) => cell(tail || head, width))];
}

const stepCell = (run: RunView, index: number, width: number, selected: boolean) => {
  const number = String(index + 1).padStart(String(run.plan.steps.length).length);
  const text = cell(`${number} ${plainLine(run.plan.steps[index]?.title ?? "")}`, width);
  return selected ? paint(text, "bold") : text;
};

/** Time that a step has taken on its slowest node, and takes by experience: `1:12 of ~1:30`. */
function timeText(cells: readonly { view: CellView }[], step: Step, now: number): string {
  const starts = cells.flatMap(({ view }) => (view.startedAt === null ? [] : [view.startedAt]));
  const usual = `~${clock(step.usualSeconds)}`;
  if (starts.length === 0) return paint(cell(usual, timeWidth, "right"), "dim");
  const open = cells.some(({ view }) => view.state === "running" || view.state === "checking" || view.state === "lost");
  const ends = cells.map(({ view }) => view.endedAt ?? 0);
  const took = ((open ? now : Math.max(...ends)) - Math.min(...starts)) / 1000;
  return cell(`${clock(took)} of ${usual}`, timeWidth, "right");
}

export interface Selection {
  step: string | null;
  node: string | null;
}

/** Column heads of the nodes from `first` on, in `width` columns. */
export function matrixHead(layout: Geometry, nodes: readonly string[]): string[] {
  const heads = nodeHeads(nodes, layout.cellWidth);
  return heads.map((names, index) => {
    const last = index === heads.length - 1;
    const time = layout.timed ? ` ${cell(last ? "TIME" : "", timeWidth, "right")}` : "";
    return `${cell(last ? "STEP" : "", layout.stepWidth)}${time} ${names.join(" ")}`;
  });
}

/** One step over these nodes. */
export function matrixRow(
  run: RunView,
  index: number,
  layout: Geometry,
  nodes: readonly string[],
  selection: Selection,
  now: number,
): string {
  const step = run.plan.steps[index] as Step;
  const here = selection.step === step.id;
  const time = layout.timed ? ` ${timeText(cellsOf(run, step), step, now)}` : "";
  const cells = nodes.map((node) => {
    const view = step.cells[node] ? run.cells[step.id]?.[node] : undefined;
    return cellText(view, layout.cellWidth, now, here && selection.node === node);
  });
  return `${stepCell(run, index, layout.stepWidth, here)}${time} ${cells.join(" ")}`;
}

const countBar = 10;

/** The layout of the counted view, where no column belongs to a node. */
export function countsGeometry(run: RunView, width: number): Geometry {
  const layout = geometry(run, width);
  return { ...layout, stepWidth: Math.min(longestTitle(run), Math.max(stepLeast, Math.floor(width / 3))) };
}

/** Head of the counted view. */
export function countsHead(layout: Geometry): string {
  const time = layout.timed ? ` ${cell("TIME", timeWidth, "right")}` : "";
  return `${cell("STEP", layout.stepWidth)}${time} ${cell("", layout.timed ? countBar * 2 : countBar)}       NODES, worst first`;
}

/** One step counted over all nodes, in `width` columns. */
export function countsRow(
  run: RunView,
  index: number,
  layout: Geometry,
  width: number,
  selected: boolean,
  now: number,
): string {
  const step = run.plan.steps[index] as Step;
  const cells = cellsOf(run, step);
  const barWidth = layout.timed ? countBar * 2 : countBar;
  const share = stepShare(run, step, now);
  const time = layout.timed ? ` ${timeText(cells, step, now)}` : "";
  const head = `${stepCell(run, index, layout.stepWidth, selected)}${time} ${bar(share, barWidth)} ${cell(`${Math.floor(share * 100)}%`, 4, "right")}  `;
  const used = layout.stepWidth + (layout.timed ? timeWidth + 1 : 0) + 1 + barWidth + 7;
  return head + countsText(countStates(cells), Math.max(0, width - used));
}

/** One symbol for each node of a step, in lines of `width`; the selected one stands out. Its own line is always among `rows`. */
export function nodeMap(run: RunView, step: Step, node: string | null, width: number, rows: number): string[] {
  const names = run.plan.nodes.map(({ name }) => name);
  const lines = Math.ceil(names.length / width);
  const at = Math.max(0, names.indexOf(node ?? ""));
  const first = Math.max(0, Math.min(Math.floor(at / width) - rows + 1, lines - rows));
  return Array.from({ length: Math.min(rows, lines) }, (_, line) => {
    const from = (first + line) * width;
    return names
      .slice(from, from + width)
      .map((name) => {
        const view = step.cells[name] ? run.cells[step.id]?.[name] : undefined;
        const look = view ? looks[view.state] : { symbol: " ", styles: [] };
        return paint(look.symbol, ...(name === node ? (["inverse"] as const) : []), ...look.styles);
      })
      .join("");
  });
}
