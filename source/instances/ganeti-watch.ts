/**
 * What anybody does to a cluster, as it happens: everything in Ganeti is a job, so new jobs are looked for twice a second
 * (1 ms of the master daemon's time), and each one is followed to its end.
 */
import { setMaxListeners } from "node:events";
import { VirtuError } from "../errors.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import {
  failureText,
  type GanetiJobRecord,
  isOver,
  jobFields,
  jobRecord,
  originOf,
  subjectOf,
} from "../tools/ganeti-jobs.ts";
import { luxiRows } from "../tools/luxi.ts";
import { pause } from "./exec.ts";
import { followJob } from "./ganeti-follow.ts";
import type { Luxi, LuxiLine } from "./ganeti-luxi.ts";
import { jobFilter } from "./ganeti-read.ts";
import type { ProviderEvent } from "./types.ts";

const lookMs = 500;
/** Numbers that are looked for beyond the last one known: one that was given and lost leaves a gap. */
const ahead = 20;
/** Once in so many looks all numbers are read, so that a wider gap is bridged: jobs that are over are archived after hours. */
const wholeEvery = 10;
/** Jobs that are followed at once, each on a channel of its own; further ones have their turn as these end. */
const followedAtOnce = 12;

export interface WatchOptions {
  signal: AbortSignal;
  onReady: () => void;
  onEvent: (event: ProviderEvent) => void;
  /** The key of an instance by its full name, as far as it is known. */
  keyOf: (name: string) => string | null;
}

export class GanetiWatch {
  /** What is done now, by the full name of what it is done to. */
  private readonly underWay = new Map<string, string>();
  private readonly waiting: GanetiJobRecord[] = [];
  private following = 0;
  private last = 0;

  constructor(
    private readonly luxi: Luxi,
    private readonly options: WatchOptions,
    /** Ends everything here: aborted from outside, or by a job that can't be followed. */
    private readonly broken: AbortController,
  ) {
    // Each job that is followed hears it.
    setMaxListeners(0, broken.signal);
  }

  /** The job that works on it, in Ganeti's words: `Ganeti job 41: INSTANCE_MIGRATE(web1)`. */
  jobOn(name: string): string | null {
    return this.underWay.get(name) ?? null;
  }

  /** Ends by the signal alone; rejects when the connection breaks. */
  async run(): Promise<void> {
    const { signal } = this.broken;
    const line = await this.luxi.open({ signal, priority: "poll" });
    try {
      for (const id of await this.ids(line)) this.last = Math.max(this.last, id);
      // What was under way before is followed as well: its end changes rows.
      const from = Math.max(1, this.last - ahead);
      const known = await this.records(line, range(from, this.last));
      for (const job of known) if (!isOver(job.status)) this.take(job);
      this.options.onReady();
      for (let looks = 1; !signal.aborted; looks += 1) {
        await pause(lookMs, signal);
        const whole = this.last === 0 || looks % wholeEvery === 0;
        const next = whole ? await this.newIds(line) : range(this.last + 1, this.last + ahead);
        for (const job of await this.records(line, next)) {
          this.last = Math.max(this.last, Number(job.id));
          this.begun(job);
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

  /** Why a job could no longer be followed. */
  private reason: unknown = null;

  private async ids(line: LuxiLine): Promise<number[]> {
    const rows = luxiRows(await line.ask("Query", ["job", ["id"], null]), ["id"]) ?? [];
    return rows.map(({ id }) => Number(id));
  }

  private async newIds(line: LuxiLine): Promise<number[]> {
    return (await this.ids(line)).filter((id) => id > this.last);
  }

  private async records(line: LuxiLine, ids: readonly number[]): Promise<GanetiJobRecord[]> {
    if (ids.length === 0) return [];
    const rows = luxiRows(await line.ask("Query", ["job", jobFields, jobFilter(ids)]), jobFields) ?? [];
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
    const subject = subjectOf(job);
    if (subject) this.underWay.set(subject, `${job.summary} (job ${job.id})`);
    let running = false;
    try {
      const { status, results } = await followJob(this.luxi, job.id, {
        signal: this.broken.signal,
        priority: "poll",
        onMessage: (message) => this.tell(job, message, false),
        onStatus: (now) => {
          if (now === "running" && !running) this.tell(job, "runs", false);
          running = now === "running";
        },
      });
      const words = { success: "done", canceled: "cancelled" }[status];
      this.tell(job, words ?? `failed: ${explainGaneti(failureText(status, results)).why}`, true);
    } catch (thrown) {
      if (this.broken.signal.aborted) return;
      if (thrown instanceof VirtuError && thrown.kind === "refused") {
        this.tell(job, "is no longer known", true);
        return;
      }
      // A job that can't be followed would hide its end: everything begins anew.
      this.reason = thrown;
      this.broken.abort();
    } finally {
      if (subject) this.underWay.delete(subject);
    }
  }

  private begun(job: GanetiJobRecord): void {
    const { program, reason } = originOf(job);
    const by = program ? ` by ${program}` : "";
    this.tell(job, `${job.status === "queued" ? "queued" : "begun"}${by}${reason ? `: ${reason}` : ""}`, false);
  }

  private tell(job: GanetiJobRecord, text: string, changes: boolean): void {
    const name = subjectOf(job);
    this.options.onEvent({
      at: Date.now(),
      key: name === null ? null : this.options.keyOf(name),
      name: name ?? `job ${job.id}`,
      text: `job ${job.id} ${job.summary.replace(`(${name})`, "")}: ${text}`,
      by: originOf(job).program,
      changes,
    });
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
