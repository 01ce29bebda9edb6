/** Where a run is kept on the user's machine: `<stateDir>/runs/ID/` with plan.json, journal.jsonl, lock and out/. */
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { VirtuError } from "../errors.ts";
import { checkRunId } from "./detached.ts";
import type { Plan } from "./plan.ts";
import type { Context } from "./types.ts";

type Place = Pick<Context, "stateDir">;

const runsFolder = (place: Place) => path.join(place.stateDir, "runs");

export interface RunFiles {
  folder: string;
  plan: string;
  journal: string;
  lock: string;
  out: string;
}

export function runFiles(place: Place, id: string): RunFiles {
  const folder = path.join(runsFolder(place), checkRunId(id));
  return {
    folder,
    plan: path.join(folder, "plan.json"),
    journal: path.join(folder, "journal.jsonl"),
    lock: path.join(folder, "lock"),
    out: path.join(folder, "out"),
  };
}

/** Ids of all runs, oldest first. */
export async function runIds(place: Place): Promise<string[]> {
  try {
    return (await readdir(runsFolder(place))).filter((name) => /^[\w-][\w.-]*$/.test(name)).sort();
  } catch {
    return [];
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the run's directory and writes the plan, whole and on disk. */
export async function keepPlan(files: RunFiles, plan: Plan): Promise<void> {
  await mkdir(files.out, { recursive: true, mode: 0o700 });
  const handle = await open(`${files.plan}.new`, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(plan)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${files.plan}.new`, files.plan);
  await syncFolder(files.folder);
  await syncFolder(path.dirname(files.folder));
}

export async function readPlan(files: RunFiles): Promise<Plan> {
  const id = path.basename(files.folder);
  try {
    return JSON.parse(await readFile(files.plan, "utf8")) as Plan;
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException).code === "ENOENT";
    throw new VirtuError(
      missing
        ? { kind: "usage", what: `There is no run ${id}`, hint: '"virtu runs" lists the runs of this machine.' }
        : { kind: "failed", what: `The plan of run ${id} can't be read`, where: files.plan, why: String(thrown) },
    );
  }
}
