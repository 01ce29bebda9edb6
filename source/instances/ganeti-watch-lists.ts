/**
 * What anybody does to a cluster where LUXI is not to be had (no right to the socket, forwarding forbidden): the newest
 * jobs are listed every few seconds and compared. It costs the master a fourth of what reading all instances as often does.
 */
import { type GanetiJobRecord, isOver } from "../tools/ganeti-jobs.ts";
import { pause } from "../waiting.ts";
import type { Luxi } from "./ganeti-luxi.ts";
import type { GanetiReader } from "./ganeti-read.ts";
import type { WatchOptions } from "./ganeti-watch.ts";

const lookMs = 4000;
/** More than anybody submits between two looks. */
const looked = 50;
/** Once in so many looks LUXI is tried: the master may have moved, or it was restarted just then. */
const tryEvery = 8;

/** Ends when LUXI is there again, or by the signal. Rejects when the jobs can't be read. */
export async function watchByLists(reader: GanetiReader, luxi: Luxi, options: WatchOptions): Promise<void> {
  const { signal, onReady, news } = options;
  const request = { signal, priority: "poll" } as const;
  let known = byId(await reader.jobs(looked, request));
  for (const job of known.values()) if (!isOver(job.status)) news.follows(job);
  onReady();
  for (let looks = 1; ; looks += 1) {
    await pause(lookMs, signal).catch(() => undefined);
    if (signal.aborted || (looks % tryEvery === 0 && (await luxi.isThere(signal).catch(() => true)))) return;
    const now = byId(await reader.jobs(looked, request));
    for (const job of now.values()) compare(known.get(job.id) ?? null, job, options);
    known = now;
  }
}

function byId(jobs: readonly GanetiJobRecord[]): Map<string, GanetiJobRecord> {
  return new Map(jobs.map((job) => [job.id, job]));
}

function compare(before: GanetiJobRecord | null, job: GanetiJobRecord, { news }: WatchOptions): void {
  if (before && isOver(before.status)) return;
  if (!before) {
    news.begun(job);
    news.follows(job);
  }
  if (job.status === "running" && before?.status !== "running") news.runs(job);
  for (const { text } of job.log.slice(before?.log.length ?? 0)) news.says(job, text);
  if (!isOver(job.status)) return;
  news.ended(job, job.status, job.results);
  news.leaves(job);
}
