/** How a terminal is shared between a console and its status line. */
import type { Size } from "../../console/types.ts";

/** The console's part of the terminal: all but the last line. */
export function guestSize({ columns, rows }: Size): Size {
  return { columns, rows: Math.max(1, rows - 1) };
}
