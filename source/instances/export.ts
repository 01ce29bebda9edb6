/** Rows of text as a file: CSV for spreadsheets (RFC 4180), JSON for programs. Pure, but for `writeExport`. */
import { open } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { VirtuError } from "../errors.ts";

export interface Exported {
  /** Titles of the columns. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** What a program gets: everything known of each row. */
  objects: readonly unknown[];
}

/** A text as one field of a line of CSV. One that a spreadsheet would take for a formula is made a text by a quote. */
function field(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csvOf({ columns, rows }: Exported): string {
  return [columns, ...rows].map((cells) => `${cells.map(field).join(",")}\r\n`).join("");
}

export function jsonOf({ objects }: Exported): string {
  return `${JSON.stringify(objects, null, 2)}\n`;
}

/** The kind of file that a name asks for; null: neither. */
export function formatOf(file: string): "csv" | "json" | null {
  const ending = path.extname(file).toLowerCase();
  return ending === ".csv" ? "csv" : ending === ".json" ? "json" : null;
}

/** The absolute path of what a user typed; `~/` is his home. */
export function exportPath(file: string): string {
  return path.resolve(file.replace(/^~(?=\/|$)/, os.homedir()));
}

/** Writes rows into a new file, as its name's ending says. */
export function writeExport(file: string, content: Exported): Promise<string> {
  return writeNewFile(file, formatOf(file) === "json" ? jsonOf(content) : csvOf(content));
}

/** Writes a new file, readable by its owner only; gives its whole path. Rejects when there is one of that name already. */
export async function writeNewFile(file: string, text: string): Promise<string> {
  const target = exportPath(file);
  try {
    const handle = await open(target, "wx", 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return target;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    throw new VirtuError({
      kind: "failed",
      what: "The file can't be written",
      where: target,
      why: code === "EEXIST" ? "there is one of that name already" : message,
      hint: code === "EEXIST" ? "Choose another name, or remove it first." : undefined,
    });
  }
}
