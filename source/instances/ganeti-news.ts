/** What is told of a cluster's jobs, whichever way they are followed, and which of them are under way. */
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { failureText, type GanetiJobRecord, originOf, subjectOf } from "../tools/ganeti-jobs.ts";
import type { ProviderEvent } from "./types.ts";

export interface NewsOptions {
  onEvent: (event: ProviderEvent) => void;
  /** The key of an instance by its full name, as far as it is known. */
  keyOf: (name: string) => string | null;
}

export class GanetiNews {
  /** What is done now, by the full name of what it is done to. */
  private readonly underWay = new Map<string, string>();

  constructor(private readonly options: NewsOptions) {}

  /** The job that works on it, in Ganeti's words: `INSTANCE_MIGRATE(web1) (job 41)`. */
  jobOn(name: string): string | null {
    return this.underWay.get(name) ?? null;
  }

  follows(job: GanetiJobRecord): void {
    const subject = subjectOf(job);
    if (subject) this.underWay.set(subject, wordsOf(job));
  }

  leaves(job: GanetiJobRecord): void {
    const subject = subjectOf(job);
    // Another one may have come after it.
    if (subject && this.underWay.get(subject) === wordsOf(job)) this.underWay.delete(subject);
  }

  begun(job: GanetiJobRecord): void {
    const { reason } = originOf(job);
    this.tell(job, `${job.status === "queued" ? "queued" : "begun"}${reason ? `: ${reason}` : ""}`, false);
  }

  runs(job: GanetiJobRecord): void {
    this.tell(job, "runs", false);
  }

  says(job: GanetiJobRecord, message: string): void {
    this.tell(job, message, false);
  }

  ended(job: GanetiJobRecord, status: string, results: readonly unknown[]): void {
    const words = { success: "done", canceled: "cancelled" }[status];
    this.tell(job, words ?? `failed: ${explainGaneti(failureText(status, results)).why}`, true);
  }

  /** It was archived, or its file was lost: nobody knows how it ended. */
  forgotten(job: GanetiJobRecord): void {
    this.tell(job, "is no longer known", true);
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

function wordsOf(job: GanetiJobRecord): string {
  return `${job.summary} (job ${job.id})`;
}
