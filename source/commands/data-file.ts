/** What is to be made, from a file or standard input. */
import { readFileSync } from "node:fs";
import { reasonOf, VirtuError } from "../errors.ts";
import { readBySchema, type Schema } from "../schema.ts";
import { refusal } from "../yaml-text.ts";

/**
 * The data of a file of YAML that keeps to the schema; `-` is standard input. `without` names fields that may be missing in
 * it. Rejects as `usage` with all that is wrong, each with its line, column and field.
 */
export function readDataFile(file: string, schema: Schema, without: readonly string[] = [], hint?: string): unknown {
  const name = file === "-" ? "standard input" : file;
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (thrown) {
    const why = reasonOf(thrown);
    throw new VirtuError({ kind: "usage", what: "The file can't be read", where: name, why });
  }
  const { data, faults } = readBySchema(text, schema, without);
  if (faults.length > 0) throw refusal("The file does not say what to make", name, faults, hint);
  return data;
}
