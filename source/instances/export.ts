/** Rows of text as a file: CSV for spreadsheets (RFC 4180), JSON for programs. Pure. */
import path from "node:path";

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

function jsonOf({ objects }: Exported): string {
  return `${JSON.stringify(objects, null, 2)}\n`;
}

/** The kind of file that a name asks for; null: neither. */
export function formatOf(file: string): "csv" | "json" | null {
  const ending = path.extname(file).toLowerCase();
  return ending === ".csv" ? "csv" : ending === ".json" ? "json" : null;
}

/** What a file of that name holds, as its ending says. */
export function exportText(file: string, content: Exported): string {
  return formatOf(file) === "json" ? jsonOf(content) : csvOf(content);
}
