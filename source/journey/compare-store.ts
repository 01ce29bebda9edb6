/** Where comparisons are kept on the user's machine: `<stateDir>/comparisons/ID/` with journal.jsonl and lock. */
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { toVirtuError, VirtuError } from "../errors.ts";
import { comparisonFrom, comparisonKinds, notGone } from "./compare-model.ts";
import type { ComparisonEntry, ComparisonView } from "./compare-types.ts";
import { checkRunId } from "./detached.ts";
import { readJournal } from "./journal.ts";
import { holderOf } from "./lock.ts";
import type { Context } from "./types.ts";

type Place = Pick<Context, "stateDir">;

/** So many comparisons that have nothing left to take away are kept. */
const kept = 100;

const folderOf = (place: Place) => path.join(place.stateDir, "comparisons");

export function comparisonFiles(place: Place, id: string): { folder: string; journal: string; lock: string } {
  const folder = path.join(folderOf(place), checkRunId(id));
  return { folder, journal: path.join(folder, "journal.jsonl"), lock: path.join(folder, "lock") };
}

export async function makeComparisonFolder(place: Place, id: string): Promise<void> {
  await mkdir(comparisonFiles(place, id).folder, { recursive: true, mode: 0o700 });
}

/** Oldest first. */
async function comparisonIds(place: Place): Promise<string[]> {
  try {
    return (await readdir(folderOf(place))).filter((name) => /^[\w-][\w.-]*$/.test(name)).sort();
  } catch {
    return [];
  }
}

export interface ComparisonSummary {
  view: ComparisonView;
  /** The process that carries it now, or null. */
  pid: number | null;
}

/** One as its journal says. `usage` when there is none of that id. */
export async function lookAtComparison(place: Place, id: string): Promise<ComparisonSummary> {
  const files = comparisonFiles(place, id);
  try {
    const view = comparisonFrom(await readJournal<ComparisonEntry>(files.journal, comparisonKinds));
    if (view !== null) {
      const holder = await holderOf(files.lock);
      const running = holder !== null && view.state === "interrupted" && view.endedAt === null;
      return { view: running ? { ...view, state: "running" } : view, pid: holder?.pid ?? null };
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw toVirtuError(thrown);
  }
  const hint = '"virtu compare --list" lists what there is.';
  throw new VirtuError({ kind: "usage", what: `There is no comparison ${id}`, hint });
}

/** Newest first. One whose journal is damaged is passed over. */
export async function listComparisons(place: Place): Promise<ComparisonSummary[]> {
  const all = await Promise.all(
    (await comparisonIds(place)).map((id) => lookAtComparison(place, id).catch(() => null)),
  );
  return all.filter((one) => one !== null).reverse();
}

/** Removes the oldest ones with nothing left behind, beyond so many. Its failure takes nothing from anybody. */
export async function pruneComparisons(place: Place): Promise<void> {
  const old = (await listComparisons(place)).slice(kept);
  for (const { view, pid } of old) {
    if (pid !== null || notGone(view).length > 0) continue;
    await rm(comparisonFiles(place, view.id).folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
