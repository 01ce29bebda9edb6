/**
 * What anybody does to a cluster, as it happens: everything in Ganeti is a job, so new jobs are looked for twice a second
 * (1 ms of the master daemon's time), and each one is followed to its end.
 */
import { setMaxListeners } from "node:events";
import { VirtuError } from "../errors.ts";
import { type GanetiJobRecord, isOver, jobFields, jobRecord } from "../tools/ganeti-jobs.ts";
import { luxiRows } from "../tools/luxi.ts";
import { pause } from "../waiting.ts";
import { followJob } from "./ganeti-follow.ts";
import type { Luxi, LuxiLine } from "./ganeti-luxi.ts";
import type { GanetiNews } from "./ganeti-news.ts";
import { jobFilter } from "./ganeti-read.ts";

const lookMs = 500;
/** Numbers that are looked for beyond the last one known: one that was given and lost leaves a gap. */
const ahead = 20;
/** Once in so many looks all numbers are read, so that a wider gap is bridged: jobs that are over are archived after hours. */
const wholeEvery = 10;
/** Jobs that are followed at once, each on a channel of its own; further ones have their turn as these end. */
const followedAtOnce = 12;

/** Looks at every job once (some 0.3 s for hundreds), so it is asked at the beginning only. */
const underWay = ["|", ...["queued", "waiting", "running", "canceling"].map((status) => ["=", "status", status])];

export interface WatchOptions {
  signal: AbortSignal;
  onReady: () => void;
  news: GanetiNews;
}

export class GanetiWatch {
  private readonly waiting: GanetiJobRecord[] = [];
  private following = 0;
  /** The highest number that is known. */
  private last = 0;
  /** Why a job could no longer be followed. */
  private reason: unknown = null;

  constructor(
    private readonly luxi: Luxi,
    private readonly options: WatchOptions,
    /** Ends everything here: aborted from outside, or by a job that can't be followed. */
    private readonly broken: AbortController,
  ) {
    // Each job that is followed hears it.
    setMaxListeners(0, broken.signal);
  }

  /** Ends by the signal alone; rejects when the connection breaks. */
  async run(): Promise<void> {
    const { signal } = this.broken;
    const line = await this.luxi.open({ signal, priority: "poll" });
    try {
      for (const id of await this.ids(line)) this.last = Math.max(this.last, id);
      // What was under way before is followed as well: its end changes rows.
      for (const job of await this.records(line, underWay)) if (!isOver(job.status)) this.take(job);
      this.options.onReady();
      for (let looks = 1; !signal.aborted; looks += 1) {
        await pause(lookMs, signal);
        const whole = this.last === 0 || looks % wholeEvery === 0;
        const next = whole ? await this.newIds(line) : range(this.last + 1, this.last + ahead);
        for (const job of next.length === 0 ? [] : await this.records(line, jobFilter(next))) {
          this.last = Math.max(this.last, Number(job.id));
          this.options.news.begun(job);
          this.take(job);
        }
      }
    } catch (thrown) {
      if (!this.options.signal.aborted) throw this.reason ?? thrown;
    } finally {
      line.close();
      this.broken.abort();
    }
  }

  private async ids(line: LuxiLine): Promise<number[]> {
    const rows = luxiRows(await line.ask("Query", ["job", ["id"], null]), ["id"]) ?? [];
    return rows.map(({ id }) => Number(id));
  }

  private async newIds(line: LuxiLine): Promise<number[]> {
    return (await this.ids(line)).filter((id) => id > this.last);
  }

  private async records(line: LuxiLine, filter: unknown): Promise<GanetiJobRecord[]> {
    const rows = luxiRows(await line.ask("Query", ["job", jobFields, filter]), jobFields) ?? [];
    return rows.flatMap((row) => jobRecord(row) ?? []).sort((a, b) => Number(a.id) - Number(b.id));
  }

  private take(job: GanetiJobRecord): void {
    this.waiting.push(job);
    this.pump();
  }

  private pump(): void {
    while (this.following < followedAtOnce) {
      const job = this.waiting.shift();
      if (!job) return;
      this.following += 1;
      void this.follow(job).finally(() => {
        this.following -= 1;
        if (!this.broken.signal.aborted) this.pump();
      });
    }
  }

  private async follow(job: GanetiJobRecord): Promise<void> {
    const { news } = this.options;
    news.follows(job);
    let running = false;
    try {
      const { status, results } = await followJob(this.luxi, job.id, {
        signal: this.broken.signal,
        priority: "poll",
        onMessage: (message) => news.says(job, message),
        onStatus: (now) => {
          if (now === "running" && !running) news.runs(job);
          running = now === "running";
        },
      });
      news.ended(job, status, results);
    } catch (thrown) {
      if (this.broken.signal.aborted) return;
      if (thrown instanceof VirtuError && thrown.kind === "refused") {
        news.forgotten(job);
        return;
      }
      // A job that can't be followed would hide its end: everything begins anew.
      this.reason = thrown;
      this.broken.abort();
    } finally {
      news.leaves(job);
    }
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
