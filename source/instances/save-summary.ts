/** Writes the summary of a run to a file. */
import { writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { VirtuError } from "../errors.ts";
import { plain } from "../text.ts";
import type { ActionRunView } from "./inventory-types.ts";
import { summaryJson, summaryText } from "./run-summary.ts";

/** The path as it is meant: `~` is the user's home. */
export function summaryPath(typed: string): string {
  return path.resolve(typed.replace(/^~(?=\/|$)/, os.homedir()));
}

/**
 * JSON where the name ends so, else text. What is there is kept unless `overwrite`. Gives the whole path; false when there
 * is a file of that name already. Rejects with a `VirtuError` when it can't be written.
 */
export async function saveSummary(run: ActionRunView, typed: string, overwrite: boolean): Promise<string | false> {
  const file = summaryPath(typed);
  const json = file.toLowerCase().endsWith(".json");
  const text = json ? `${JSON.stringify(summaryJson(run), null, 2)}\n` : plain(summaryText(run));
  try {
    await writeFile(file, text, { flag: overwrite ? "w" : "wx" });
    return file;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new VirtuError({ kind: "failed", what: "The summary can't be saved", where: file, why: message });
  }
}
