/** How long a run will take: what steps took in past runs, along the longest way through the plan. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { JourneyKind, Plan } from "./plan.ts";
import type { Context } from "./types.ts";

/** Seconds of the last times, oldest first, by `KIND/STEP`. */
export type Durations = Readonly<Record<string, readonly number[]>>;

/** So many times of a step are remembered. */
const kept = 15;

const fileOf = (place: Pick<Context, "stateDir">) => path.join(place.stateDir, "durations.json");
const nameOf = (kind: JourneyKind, step: string) => `${kind}/${step}`;

/** What past runs have taught; nothing, when the file can't be read: losing it costs nothing. */
export async function loadDurations(place: Pick<Context, "stateDir">): Promise<Durations> {
  try {
    const value: unknown = JSON.parse(await readFile(fileOf(place), "utf8"));
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter(
        (entry): entry is [string, number[]] => Array.isArray(entry[1]) && entry[1].every(Number.isFinite),
      ),
    );
  } catch {
    return {};
  }
}

/** Adds what the steps of a run took, by step id: the middle of its nodes' times counts once. */
export async function rememberDurations(
  place: Pick<Context, "stateDir">,
  kind: JourneyKind,
  taken: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const all: Record<string, readonly number[]> = { ...(await loadDurations(place)) };
  for (const [step, seconds] of taken) {
    const middle = median(seconds);
    const name = nameOf(kind, step);
    if (middle !== null) all[name] = [...(all[name] ?? []), middle].slice(-kept);
  }
  const file = fileOf(place);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(all)}\n`, { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** The seconds that each step usually takes, by step id. */
export function usualSteps(plan: Plan, durations: Durations): Map<string, number> {
  return new Map(
    plan.steps.map((step) => [step.id, median(durations[nameOf(plan.kind, step.id)] ?? []) ?? step.usualSeconds]),
  );
}

/** How far a cell is, for the estimate. `part`: not in the run, or nothing is left to do. */
export type Progress =
  | { state: "part" }
  | { state: "waits" }
  | { state: "runs"; seconds: number; share: number | null };

/** Seconds until the last cell has ended, when each takes what it usually takes. */
export function secondsLeft(
  plan: Plan,
  usual: ReadonlyMap<string, number>,
  progress: (step: string, node: string) => Progress,
): number {
  const ends = new Map<string, Map<string, number>>();
  const lastEnds = new Map<string, number>();
  let last = 0;
  for (const step of plan.steps) {
    const here = new Map<string, number>();
    const all = Math.max(
      0,
      ...step.needs.map((need) => (need.on === "all-nodes" ? (lastEnds.get(need.step) ?? 0) : 0)),
    );
    let stepEnd = 0;
    for (const { name } of plan.nodes) {
      if (!step.cells[name]) continue;
      const now = progress(step.id, name);
      if (now.state === "part") continue;
      const before = Math.max(
        all,
        ...step.needs.map((need) => (need.on === "this-node" ? (ends.get(need.step)?.get(name) ?? 0) : 0)),
      );
      const end = before + left(usual.get(step.id) ?? step.usualSeconds, now);
      here.set(name, end);
      stepEnd = Math.max(stepEnd, end);
    }
    ends.set(step.id, here);
    lastEnds.set(step.id, Math.max(all, stepEnd));
    last = Math.max(last, stepEnd);
  }
  return last;
}

function left(usual: number, now: Exclude<Progress, { state: "part" }>): number {
  if (now.state === "waits") return usual;
  // Its own word counts once there is enough of it.
  if (now.share !== null && now.share >= 0.1) return (now.seconds * (1 - now.share)) / now.share;
  // What takes longer than usual is thought to be near its end.
  return Math.max(usual - now.seconds, usual * 0.05);
}
