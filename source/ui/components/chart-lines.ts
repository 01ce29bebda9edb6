/** Values over time as lines of text: a sparkline for a cell, a chart for a screen. Pure. */
import { cell, glyph, paint, type Style, unicodeShown, widthOf } from "../theme.ts";

const bars = unicodeShown ? [..." ▁▂▃▄▅▆▇█"] : [..." .:-=+*#@"];

/** One character for each value, from 0 to `most`; a blank where there is none. What is above `most` is a full bar. */
export function sparkline(values: readonly (number | null)[], most: number): string {
  const steps = bars.length - 1;
  return values
    .map((value) => {
      if (value === null) return " ";
      // What is there is seen, however little: the lowest bar is for everything above nothing.
      const step = Math.ceil((Math.max(0, value) / most) * steps);
      return bars[Math.max(1, Math.min(steps, step))];
    })
    .join("");
}

export interface ChartSeries {
  label: string;
  /** Oldest first; as many as `valuesFor` says. */
  values: readonly (number | null)[];
}

export interface ChartOptions {
  /** Columns and lines of all of it, its axes with it; the legend comes on top of it. */
  width: number;
  height: number;
  /** The value of the top line; the bottom is 0. */
  most: number;
  /** A value of the axis in few columns. */
  format: (value: number) => string;
  /** Texts below the chart, left, middle and right. */
  times: readonly [string, string, string];
}

const colours: readonly Style[] = ["cyan", "yellow", "green", "magenta", "red", "blue"];
/** Values for each column and dots for each line: a braille cell has two by four. */
const across = unicodeShown ? 2 : 1;
const down = unicodeShown ? 4 : 1;

const axisWidth = 8;

/** How many values a series of a chart of this width has. */
export function valuesFor(width: number): number {
  return Math.max(1, width - axisWidth) * across;
}

/** The colour of a series in chart and legend. */
export function seriesStyle(index: number): Style {
  return colours[index % colours.length] ?? "cyan";
}

// Bits of a braille cell (U+2800), by column and line.
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** A drawing of `columns` × `lines` cells, each with the colour of the series that was drawn there last. */
class Canvas {
  private readonly cells: Uint8Array;
  private readonly owners: Int16Array;

  constructor(
    readonly columns: number,
    readonly lines: number,
  ) {
    this.cells = new Uint8Array(columns * lines);
    this.owners = new Int16Array(columns * lines).fill(-1);
  }

  /** A dot; `y` counts from the bottom. */
  dot(x: number, y: number, owner: number): void {
    const fromTop = this.lines * down - 1 - y;
    const at = Math.floor(fromTop / down) * this.columns + Math.floor(x / across);
    this.cells[at] = (this.cells[at] ?? 0) | (dots[x % across]?.[fromTop % down] ?? 1);
    this.owners[at] = owner;
  }

  line(index: number): string {
    let text = "";
    for (let from = index * this.columns; from < (index + 1) * this.columns; ) {
      const owner = this.owners[from] ?? -1;
      let to = from;
      let run = "";
      for (; to < (index + 1) * this.columns && (this.owners[to] ?? -1) === owner; to += 1) {
        const bits = this.cells[to] ?? 0;
        run += bits === 0 ? " " : unicodeShown ? String.fromCharCode(0x2800 + bits) : "*";
      }
      text += owner < 0 ? run : paint(run, seriesStyle(owner));
      from = to;
    }
    return text;
  }
}

function draw(canvas: Canvas, values: readonly (number | null)[], most: number, owner: number): void {
  const top = canvas.lines * down - 1;
  const heightOf = (value: number) => Math.round(Math.max(0, Math.min(1, value / most)) * top);
  let before: number | null = null;
  for (const [x, value] of values.slice(0, canvas.columns * across).entries()) {
    if (value === null) {
      before = null;
      continue;
    }
    const y = heightOf(value);
    // A step is a line, not two dots with nothing between.
    const from: number = before === null ? y : before + Math.sign(y - before);
    for (let at = Math.min(from, y); at <= Math.max(from, y); at += 1) canvas.dot(x, at, owner);
    before = y;
  }
}

/** The chart's lines. The first series is drawn last, so that it lies over the others. */
export function chartLines(series: readonly ChartSeries[], options: ChartOptions): string[] {
  const { width, height, most, format, times } = options;
  const canvas = new Canvas(Math.max(1, width - axisWidth), Math.max(1, height - 2));
  for (let index = series.length - 1; index >= 0; index -= 1) {
    draw(canvas, series[index]?.values ?? [], most, index);
  }
  const middle = Math.floor((canvas.lines - 1) / 2);
  const lines = Array.from({ length: canvas.lines }, (_, index) => {
    const value = index === 0 ? most : index === middle && middle > 1 ? most / 2 : null;
    const label = cell(value === null ? "" : format(value), axisWidth - 2, "right");
    return `${paint(`${label} ${unicodeShown ? "│" : "|"}`, "dim")}${canvas.line(index)}`;
  });
  const corner = unicodeShown ? "└" : "+";
  const zero = cell(format(0), axisWidth - 2, "right");
  lines.push(paint(`${zero} ${corner}${glyph.line.repeat(canvas.columns)}`, "dim"));
  lines.push(paint(`${" ".repeat(axisWidth)}${spreadOut(times, canvas.columns)}`, "dim"));
  return lines;
}

function spreadOut([left, centre, right]: readonly [string, string, string], width: number): string {
  const room = width - widthOf(left) - widthOf(centre) - widthOf(right);
  if (room < 2) return cell(`${left} ${right}`, width);
  const before = Math.max(1, Math.floor((width - widthOf(centre)) / 2) - widthOf(left));
  return `${left}${" ".repeat(before)}${centre}${" ".repeat(Math.max(1, room - before))}${right}`;
}

/** A round value at or above all that is shown: 1, 2 or 5 times a power of ten. */
export function roundTop(series: readonly ChartSeries[], least: number): number {
  let highest = least;
  for (const { values } of series) for (const value of values) if (value !== null && value > highest) highest = value;
  const power = 10 ** Math.floor(Math.log10(highest));
  return ([1, 2, 5, 10].find((factor) => factor * power >= highest) ?? 10) * power;
}
