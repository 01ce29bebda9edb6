/** Figures against their budgets, and how a program's time is compared with that of `node -e 0` in the same minute. */
import { spawnSync } from "node:child_process";

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** At most this much is allowed; null: shown only. */
  budget: number | null;
  /** How it was measured, and what it was compared with. */
  note: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that `share` of all are not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Milliseconds that a command takes from spawn to exit. Throws when it ends with another status than expected. */
export function timeOf(command: string, args: readonly string[], expected = 0): number {
  const began = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== expected) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return took;
}

/** Takes turns (peer, ours, peer, ours …), so that what else the machine does hits both alike. */
export async function alternate(
  times: number,
  peer: () => number | Promise<number>,
  ours: () => number | Promise<number>,
): Promise<{ peer: number[]; ours: number[]; ratio: number }> {
  const result = { peer: [] as number[], ours: [] as number[] };
  // The first turn warms the file cache and counts for nobody.
  await peer();
  await ours();
  for (let turn = 0; turn < times; turn += 1) {
    result.peer.push(await peer());
    result.ours.push(await ours());
  }
  return { ...result, ratio: median(result.ours) / median(result.peer) };
}

const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));

export function line({ what, value, unit, budget, note }: Figure): string {
  const judged = budget === null ? "      " : value <= budget ? "ok    " : "OVER  ";
  const limit = budget === null ? "" : `≤ ${budget} ${unit}`;
  return `${judged}${what.padEnd(44)} ${shown(value).padStart(8)} ${unit.padEnd(4)} ${limit.padEnd(12)} ${note}`;
}
