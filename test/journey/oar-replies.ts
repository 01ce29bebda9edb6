/** Answers of an OAR frontend to virtu's one command about jobs, made of recordings. */
import type { Reply } from "./fake-pool.ts";
import { recorded } from "./fake-pool.ts";

/** The clock of a frontend at the time of the recordings. */
export const recordedNow = 1_795_343_700;

/** The frontend's clock, then oarstat's recorded answer, then the resources of jobs. */
export function jobsAnswer(
  recording: string | null,
  now = recordedNow,
  resources: Record<number, string> = {},
): string {
  const told = Object.entries(resources).map(
    ([id, name]) => `==virtu resources ${id}==\n${recorded(`oar/${name}`).stdout}`,
  );
  const body = recording === null ? "" : recorded(`oar/${recording}`).stdout;
  return `==virtu now ${now}==\n${body}\n${told.join("")}`;
}

/** One job as `oarstat -f -J` gives it, from a recording, with some keys changed. */
export function jobJson(recording: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const all = JSON.parse(recorded(`oar/${recording}`).stdout) as Record<string, Record<string, unknown>>;
  const [job] = Object.values(all);
  return { ...job, ...change };
}

export function jobsOf(now: number, ...jobs: Record<string, unknown>[]): string {
  const body =
    jobs.length === 0
      ? ""
      : JSON.stringify(Object.fromEntries(jobs.map((job) => [String(job["Job_Id"]), job])), null, 3);
  return `==virtu now ${now}==\n${body}\n`;
}

/** A recording as a whole reply: output and exit status. */
export function reply(recording: string): Reply {
  return recorded(`oar/${recording}`);
}
