/** Where a way is kept on the user's machine: `<stateDir>/ways/ID/` with journal.jsonl and lock. The journal is all of it. */
import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import path from "node:path";
import { toVirtuError, VirtuError } from "../errors.ts";
import { checkRunId } from "./detached.ts";
import { readJournal } from "./journal.ts";
import type { Context } from "./types.ts";
import { type WayEntry, type WayFacts, wayFrom, wayKinds } from "./up-model.ts";

type Place = Pick<Context, "stateDir">;

/** So many ways that are over are kept. */
const waysKept = 40;

const waysFolder = (place: Place) => path.join(place.stateDir, "ways");

export interface WayFiles {
  folder: string;
  journal: string;
  lock: string;
}

export function wayFiles(place: Place, id: string): WayFiles {
  const folder = path.join(waysFolder(place), checkRunId(id));
  return { folder, journal: path.join(folder, "journal.jsonl"), lock: path.join(folder, "lock") };
}

/** Ids of all ways, oldest first. */
export async function wayIds(place: Place): Promise<string[]> {
  try {
    return (await readdir(waysFolder(place))).filter((name) => /^[\w-][\w.-]*$/.test(name)).sort();
  } catch {
    return [];
  }
}

export async function makeWayFolder(files: WayFiles): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
}

/** What the journal says; `usage` when there is no way of that id. */
export async function readWay(place: Place, id: string): Promise<WayFacts> {
  try {
    return wayFrom(await readJournal<WayEntry>(wayFiles(place, id).journal, wayKinds));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw toVirtuError(thrown);
    const hint = '"virtu runs" lists what there is.';
    throw new VirtuError({ kind: "usage", what: `There is no way ${id}`, hint });
  }
}

/** The file's own path, links followed, by which its way is found again. */
export async function fileOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (thrown) {
    const why = (thrown as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(thrown);
    throw new VirtuError({ kind: "usage", what: "The plan can't be read", where: file, why });
  }
}

/** The way that this file has begun and that is not closed, or null. One whose journal is damaged is passed over. */
export async function wayOfFile(place: Place, file: string): Promise<string | null> {
  for (const id of (await wayIds(place)).reverse()) {
    const facts = await readWay(place, id).catch(() => null);
    if (facts?.file === file && !facts.closed) return id;
  }
  return null;
}

/** Removes the oldest ways that are closed, beyond so many. Its failure takes nothing from anybody. */
export async function pruneWays(place: Place): Promise<void> {
  const ids = await wayIds(place);
  for (const id of ids.slice(0, Math.max(0, ids.length - waysKept))) {
    const facts = await readWay(place, id).catch(() => null);
    if (facts?.closed) await rm(wayFiles(place, id).folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
