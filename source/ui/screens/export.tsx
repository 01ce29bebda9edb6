/** Writes what the instance table shows into a file. */
import { Text } from "ink";
import type { ReactNode } from "react";
import { exportText, formatOf } from "../../instances/export.ts";
import { count, plainLine } from "../../text.ts";
import { SaveAs } from "../components/save-as.tsx";
import { lineOf } from "../editor.ts";
import { useKnown, useRemembered } from "../hooks.ts";
import { allColumns, columnsFor } from "./instances-columns.ts";
import { filtered, sorted } from "./instances-select.ts";
import { useTableView, useUsageLook } from "./instances-view.ts";

/** Wide enough for every text of every column. */
const everything = 100_000;

export function ExportScreen(): ReactNode {
  const all = useKnown((known) => known.inventory.instances);
  const [{ sort, columns: own }] = useTableView();
  const [filter] = useRemembered("filter:instances", lineOf(""));
  const look = useUsageLook();
  const rows = sorted(filtered(all, filter.text), sort, look);
  const content = () => {
    const widths = Object.fromEntries(allColumns.map(({ id }) => [id, 200]));
    const columns = columnsFor(widths, everything, { by: "name", down: false }, look, own ?? allColumns);
    return {
      columns: columns.map(({ id }) => id),
      rows: rows.map((row) =>
        columns.map(({ id, text }) => plainLine(id === "status" ? row.status : text(row)).trim()),
      ),
      objects: rows.map(({ action: _, ...row }) => ({ ...row, rates: look.rates(row.key) })),
    };
  };
  return (
    <SaveAs
      name="export"
      mode={0o600}
      initial="~/virtu-instances.csv"
      textFor={(file) => exportText(file, content())}
      wrong={(file) => (formatOf(file) ? null : "a name that ends in .csv or .json")}
      meaning={(file) => (formatOf(file) === "json" ? "all facts" : "as in the table")}
      told={(file) => `${count(rows.length, "instance")} written to ${file}.`}
    >
      <Text dimColor>{`${count(rows.length, "instance")}, as the filter shows them and in that order.`}</Text>
    </SaveAs>
  );
}
