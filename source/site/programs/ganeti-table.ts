/** Tables as the gnt-* programs print them: by the fields asked for, padded or with a separator. */
import type { Call } from "../machine/machine.ts";
import { options } from "../utilities/input.ts";

/** A cell that has no value: `-` makes no sense now, `?` no answer, `*` node offline. */
export type Cell = string | number | null | { missing: "unavail" | "nodata" | "offline" };

export interface Field<Row> {
  title: string;
  /** Right-aligned; MiB get a unit. */
  kind: "text" | "number" | "size";
  value(row: Row): Cell;
}

export type Fields<Row> = Readonly<Record<string, Field<Row>>>;

const signs = { unavail: "-", nodata: "?", offline: "*" };

function size(mib: number, units: string, raw: boolean): string {
  if (units === "m" || (units === "h" && raw)) return String(mib);
  if (units === "g") return (mib / 1024).toFixed(1);
  if (units === "t") return (mib / 1024 / 1024).toFixed(1);
  return mib < 1024 ? `${mib}M` : `${(mib / 1024).toFixed(1)}G`;
}

/** Prints rows; the status is 14 when a field is unknown, as with the real ones. */
export async function printTable<Row>(
  call: Call,
  fields: Fields<Row>,
  usual: readonly string[],
  rows: readonly Row[],
): Promise<number> {
  const { given } = options(call.args, "o output F filter separator units");
  const asked = given.get("o") ?? given.get("output");
  const names =
    asked === undefined ? usual : asked.startsWith("+") ? [...usual, ...asked.slice(1).split(",")] : asked.split(",");
  const separator = given.get("separator");
  const verbose = given.has("v");
  // As a human reads it on a screen; m with a separator, unless told otherwise.
  const units = given.get("units") ?? (separator === undefined ? "h" : "m");
  const show = (cell: Cell, kind: Field<Row>["kind"]): string => {
    if (cell === null) return "";
    if (typeof cell === "object") return verbose ? `(${cell.missing})` : signs[cell.missing];
    return kind === "size" && typeof cell === "number" ? size(cell, units, false) : String(cell);
  };
  const columns = names.map((name) => fields[name] ?? null);
  const lines = rows.map((row) =>
    columns.map((field) => (field ? show(field.value(row), field.kind) : verbose ? "(unknown)" : "??")),
  );
  const head = names.map((name, index) => columns[index]?.title ?? name);
  const all = given.has("no-headers") ? lines : [head, ...lines];
  if (separator !== undefined) await call.out(all.map((line) => `${line.join(separator)}\n`).join(""));
  else {
    const widths = names.map((_, column) => Math.max(0, ...all.map((line) => (line[column] ?? "").length)));
    const pad = (cell: string, column: number) => {
      const field = columns[column];
      if (field && field.kind !== "text") return cell.padStart(widths[column] ?? 0);
      return column === names.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
    };
    await call.out(all.map((line) => `${line.map(pad).join(" ")}\n`).join(""));
  }
  const unknown = names.filter((_, index) => !columns[index]);
  if (unknown.length === 0) return 0;
  await call.err(`Unknown output fields: ${unknown.join(", ")}\n`);
  return 14;
}

/** A filter of `==`, `!=`, `and`, `or` over fields, or null when every row passes. */
export function filterOf<Row>(call: Call, fields: Fields<Row>): ((row: Row) => boolean) | null {
  const { given } = options(call.args, "o output F filter separator units");
  const text = given.get("F") ?? given.get("filter");
  if (text === undefined) return null;
  const choices = text.split(/\s+or\s+/).map((choice) =>
    choice.split(/\s+and\s+/).map((term) => {
      const match = /^\s*\(?\s*([\w./]+)\s*(==|!=)\s*"?([^")]*)"?\s*\)?\s*$/.exec(term);
      return (row: Row) => {
        const cell = match ? fields[match[1] ?? ""]?.value(row) : undefined;
        const same = String(cell ?? "") === match?.[3];
        return match?.[2] === "!=" ? !same : same;
      };
    }),
  );
  return (row) => choices.some((terms) => terms.every((term) => term(row)));
}
