/** What is shown of many instances before something is lost: full names, where they are, equal losses together. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { type LossGroup, lossGroups } from "../../instances/losses.ts";
import type { Request } from "../../instances/target.ts";
import { count, plainLine } from "../../text.ts";
import { joined, type Lines, linesOf } from "../lines.ts";
import { cell, paint, widthOf } from "../theme.ts";
import { nodeText } from "./instances-rows.ts";

/** Up to so many, each line says what its instance loses; more stand under what they lose. */
const manyFrom = 8;

/** One line for each instance, in columns: full name, provider, where it runs, and what it loses. */
export function lossLines(request: Request, rows: readonly InstanceRow[]): Lines {
  const groups = lossGroups(request, rows);
  const widths = widthsOf(rows);
  // Nothing is lost by any of them: their names are all there is to say.
  const nothing = groups.every(({ loss }) => loss === "");
  if (rows.length < manyFrom || nothing) {
    const lines = groups.map(({ loss, instances }) =>
      linesOf(instances, (row) => lineOf([...cellsOf(row), loss], widths)),
    );
    return joined(...lines);
  }
  const blocks = groups.map((group) =>
    joined(
      [paint(headOf(group), "bold")],
      linesOf(group.instances, (row) => `  ${lineOf(cellsOf(row), widths)}`),
    ),
  );
  return joined(...blocks);
}

function widthsOf(rows: readonly InstanceRow[]): number[] {
  let [name, provider, node] = [0, 0, 0];
  for (const row of rows) {
    name = Math.max(name, widthOf(plainLine(row.name)));
    provider = Math.max(provider, row.provider.length);
    node = Math.max(node, widthOf(plainLine(nodeText(row))));
  }
  return [name, provider, node];
}

function headOf({ loss, instances }: LossGroup<InstanceRow>): string {
  const number = count(instances.length, "instance");
  return loss === "" ? `${number}:` : `${number}: ${loss}`;
}

function cellsOf(row: InstanceRow): string[] {
  return [plainLine(row.name), row.provider, plainLine(nodeText(row))];
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((text, column) => cell(text, widths[column] ?? widthOf(text)))
    .join("  ")
    .trimEnd();
}
