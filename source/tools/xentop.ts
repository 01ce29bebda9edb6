/** `xentop -b`: what the domains of a host use now. */
import { type Command, sh } from "../ssh/command.ts";
import type { XlAccess } from "./xl.ts";
import { rootShell } from "./xl.ts";

export interface XenUsage {
  name: string;
  /** Per cent of one processor; null in a first round, which knows no difference yet and prints 0.0 for all. */
  cpuPercent: number | null;
  /** Whole seconds since the domain was made. */
  cpuSeconds: number;
  memoryKiB: number;
  /** null: no limit. */
  maxMemoryKiB: number | null;
  vcpus: number;
  /** kB since the domain was made. */
  sentKb: number;
  receivedKb: number;
  /** Requests since it was made, and sectors. */
  reads: number;
  writes: number;
  readSectors: number;
  writtenSectors: number;
}

/** Two rounds, a second apart: only the second one's CPU is true. Full names. */
export function xentop(access: XlAccess): Command {
  return rootShell(access, sh`timeout -k 1 8 ${`${access.directory}xentop`} -b -f -i 2 -d 1`);
}

/**
 * The last round of xentop's batch output. Read from the end of each row: a full name may hold blanks; `no limit` is one
 * value of two words. The order of the rows means nothing.
 */
export function parseXentop(text: string): XenUsage[] {
  const rounds = text.split(/^\s*NAME\s+STATE\s.*$/m).slice(1);
  const last = rounds.at(-1) ?? "";
  return last.split("\n").flatMap((line): XenUsage[] => {
    const found = /^\s*(.*\S)\s+([-dsbcpr]{6})\s+(\d.*)$/.exec(line);
    if (!found) return [];
    const [, name = "", , rest = ""] = found;
    const cells = rest
      .replace(/no limit\s+n\/a/, "- -")
      .trim()
      .split(/\s+/);
    if (cells.length < 16) return [];
    const number = (index: number) => Number(cells[index] ?? 0);
    return [
      {
        name,
        cpuPercent: rounds.length > 1 ? number(1) : null,
        cpuSeconds: number(0),
        memoryKiB: number(2),
        maxMemoryKiB: cells[4] === "-" ? null : number(4),
        vcpus: number(6),
        sentKb: number(8),
        receivedKb: number(9),
        reads: number(12),
        writes: number(13),
        readSectors: number(14),
        writtenSectors: number(15),
      },
    ];
  });
}
