/** Asking for more walltime. OAR accepts a request at once and grants it later, in part, or never. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import { addWalltime, walltimeForm } from "../tools/oar.ts";
import { parseWalltimeAnswer, parseWalltimeForm, type WalltimeAnswer, type WalltimeForm } from "../tools/oar-change.ts";
import { isPassing, type Pause, pause } from "../waiting.ts";
import { type AskOptions, ask, askJobs, checkJobId } from "./jobs-ask.ts";
import type { Context, Site } from "./types.ts";
import { parseIncrement, readDuration } from "./walltime.ts";

/** Seconds throughout. */
export interface Extension {
  jobId: number;
  /** The walltime in force now. */
  walltime: number;
  /** What this request has been given so far. */
  granted: number;
  /** What is still asked for; OAR may give it later, when the nodes are free. */
  pending: number;
}

export interface ExtendOptions extends AskOptions {
  pause?: Pause;
}

function seconds(increment: string): number {
  const parsed = parseIncrement(increment);
  if ("error" in parsed) {
    throw new VirtuError({ kind: "usage", what: "The extension is not a time", where: increment, why: parsed.error });
  }
  return parsed.seconds;
}

/** What a job may still be given, seconds. */
export interface ExtensionLimits {
  /** The walltime in force now; null while the job does not run. */
  walltime: number | null;
  /** What may be asked for beyond what was given already; null: the site sets no limit. */
  possible: number | null;
  granted: number;
  /** Asked for before and not given yet; a new request takes its place. */
  pending: number;
}

/** What the site lets a job be extended by. Rejects with kind `refused` when nothing can be asked for. */
export async function extensionLimits(
  context: Context,
  site: Site,
  jobId: number,
  options: AskOptions = {},
): Promise<ExtensionLimits> {
  checkJobId(jobId);
  const form = await readForm(
    context,
    site,
    jobId,
    walltimeForm(jobId),
    options,
    `Job ${jobId}'s walltime can't be looked up`,
  );
  const possible = form.possible === null ? null : Math.max(0, form.possible - form.granted);
  return { walltime: form.walltime, possible, granted: form.granted, pending: form.pending };
}

/** The exact commands, for `--dry-run` and summaries. */
export function extendCommands(jobId: number, increment: string): Command[] {
  checkJobId(jobId);
  return [walltimeForm(jobId), addWalltime(jobId, seconds(increment)), walltimeForm(jobId)];
}

/**
 * Asks for `increment` (`+0:30:00`, `30 min`) more and reads back what was given, looking for some seconds. When nothing
 * came of it in that time, that is no error: `pending` says so.
 */
export async function extend(
  context: Context,
  site: Site,
  jobId: number,
  increment: string,
  options: ExtendOptions = {},
): Promise<Extension> {
  const { pause: sleep = pause, ...asked } = options;
  const [query, request] = extendCommands(jobId, increment);
  if (!query || !request) throw new RangeError("extending takes a query and a request");
  const wanted = seconds(increment);
  const what = `Job ${jobId} can't be extended`;
  // oarwalltime tries for ever when OAR's database is away; oarstat says so at once.
  const known = (await askJobs(context, site, { priority: "user", ...asked, jobId, what })).jobs.find(
    (job) => job.jobId === jobId,
  );
  if (!known) throw refused(site, what, { outcome: "unknown-job", text: "" });
  if (known.state !== "Running") throw refused(site, what, { outcome: "not-running", text: "" });
  const before = await readForm(context, site, jobId, query, asked, what);
  // A request replaces the one before it: what was pending of that is no longer asked for.
  if (!before.running) throw refused(site, what, { outcome: "not-running", text: "" });
  await send(context, site, request, asked, what, query, jobId, before);
  let now = before;
  for (let look = 0; look < 8; look += 1) {
    await sleep(look === 0 ? 500 : 1500, options.signal);
    try {
      now = await readForm(context, site, jobId, query, asked, what);
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
      continue;
    }
    // Handled by the scheduler: something was given, or all of it waits for a reason that a look does not change.
    if (now.granted - before.granted >= wanted || (now.granted !== before.granted && look > 0)) break;
  }
  return {
    jobId,
    walltime: now.walltime ?? before.walltime ?? 0,
    granted: now.granted - before.granted,
    pending: Math.max(0, now.pending),
  };
}

/** Sends the request once; after a lost link the form tells whether it arrived. */
async function send(
  context: Context,
  site: Site,
  request: Command,
  options: AskOptions,
  what: string,
  query: Command,
  jobId: number,
  before: WalltimeForm,
): Promise<void> {
  try {
    const result = await ask(context, site, request, { priority: "user", ...options, what });
    const answer = parseWalltimeAnswer(result.stdout, result.status);
    if (answer.outcome !== "accepted") throw refused(site, what, answer, before, `${result.stdout}${result.stderr}`);
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    const now = await readForm(context, site, jobId, query, options, what);
    if (now.granted === before.granted && now.pending === before.pending) throw thrown;
  }
}

async function readForm(
  context: Context,
  site: Site,
  jobId: number,
  query: Command,
  options: AskOptions,
  what: string,
): Promise<WalltimeForm> {
  const result = await ask(context, site, query, { priority: "user", ...options, what });
  const form = parseWalltimeForm(result.stdout);
  if (form) return form;
  const answer = parseWalltimeAnswer(`${result.stdout}${result.stderr}`, result.status);
  if (answer.outcome !== "other") throw refused(site, what, answer);
  throw new VirtuError({
    kind: "unparsed",
    what,
    where: site.name,
    why: `virtu can't read what oarwalltime ${jobId} printed`,
    detail: `${result.stdout}${result.stderr}`,
  });
}

function refused(site: Site, what: string, answer: WalltimeAnswer, form?: WalltimeForm, detail?: string): VirtuError {
  const limit = form && form.possible !== null ? Math.max(0, form.possible - form.granted) : null;
  const [why, hint] = {
    accepted: ["", undefined],
    "not-running": ["it does not run", "Only a running job can be extended."],
    "too-much": [
      "that is more than this site allows",
      limit === null ? "Ask for less." : `At most ${readDuration(limit)} more can be asked for.`,
    ],
    "too-short": ["this site does not extend jobs as short as this one", "Reserve again for what is left to do."],
    "not-yours": ["it is not yours", "Only its owner can extend it."],
    "unknown-job": ["OAR knows no job of that number here", "Look at the list of your jobs."],
    disabled: ["this site does not let jobs be extended", "Reserve again for what is left to do."],
    other: [answer.text || "OAR refused it", undefined],
  }[answer.outcome] as [string, string | undefined];
  return new VirtuError({
    kind: "refused",
    what,
    where: site.name,
    why,
    hint,
    detail: detail ?? (answer.text || undefined),
  });
}
