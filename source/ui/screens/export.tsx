/** Writes what the instance table shows into a file. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import { formatOf, writeExport } from "../../instances/export.ts";
import { count, plainLine } from "../../text.ts";
import { Form } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { lineOf } from "../editor.ts";
import { useKnown, useRemembered, useUi } from "../hooks.ts";
import { allColumns, columnsFor } from "./instances-columns.ts";
import { filtered, sorted } from "./instances-select.ts";
import { useTableView, useUsageLook } from "./instances-view.ts";

/** Wide enough for every text of every column. */
const everything = 100_000;

export function ExportScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  const all = useKnown((known) => known.inventory.instances);
  const [{ sort, columns: own }] = useTableView();
  const [filter] = useRemembered("filter:instances", lineOf(""));
  const look = useUsageLook();
  const [problem, setProblem] = useState<VirtuError | null>(null);
  const rows = sorted(filtered(all, filter.text), sort, look);
  const write = async (file: string) => {
    const widths = Object.fromEntries(allColumns.map(({ id }) => [id, 200]));
    const columns = columnsFor(widths, everything, { by: "name", down: false }, look, own ?? allColumns);
    try {
      const target = await writeExport(file, {
        columns: columns.map(({ id }) => id),
        rows: rows.map((row) =>
          columns.map(({ id, text }) => plainLine(id === "status" ? row.status : text(row)).trim()),
        ),
        objects: rows.map(({ action: _, ...row }) => ({ ...row, rates: look.rates(row.key) })),
      });
      workspace.notify("good", `${count(rows.length, "instance")} written to ${target}.`);
      navigation.forget("form:export");
      navigation.back();
    } catch (thrown) {
      setProblem(toVirtuError(thrown));
    }
  };
  return (
    <Box flexDirection="column">
      <Form
        name="export"
        fields={[{ id: "file", label: "File", kind: "text", width: 44, initial: "~/virtu-instances.csv" }]}
        errors={({ file = "" }) => ({
          file: file === "" || formatOf(file) ? null : "a name that ends in .csv or .json",
        })}
        meanings={({ file = "" }) => ({
          file: formatOf(file) === "json" ? "all facts" : "as in the table",
        })}
        missing={({ file }) => (file ? null : "a name is needed")}
        onSubmit={({ file = "" }) => void write(file)}
      />
      <Box marginTop={1} paddingLeft={1}>
        <Text dimColor>{`${count(rows.length, "instance")}, as the filter shows them and in that order.`}</Text>
      </Box>
      {problem && <Problem error={problem} />}
    </Box>
  );
}
