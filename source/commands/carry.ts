/** Carries a run without a screen: progress as lines, the outcome as an exit status. */
import { VirtuError } from "../errors.ts";
import type { Decision, Plan, RunHandle, RunView } from "../journey/plan.ts";
import { planLines, type RunOptions, resumeRun, startRun } from "../journey/run.ts";
import { eventLine, reportLines, runNews, runReport, someNodeIsThrough } from "../journey/run-report.ts";
import { aborted, waitForRest } from "../journey/run-rest.ts";
import { askSecret } from "./ask-secret.ts";
import { type ExitStatus, exit, type Session } from "./run.ts";

export type CarryOptions = Pick<RunOptions, "engine" | "secrets" | "takeLock"> & {
  /** Decided at once, in this order, by what the run looks like. */
  decide?: (view: RunView) => readonly Decision[];
  /** Told once nothing moves any more, before the report. */
  atRest?: (handle: RunHandle, view: RunView) => Promise<void>;
};

/**
 * Starts a plan, or resumes a run by its id, and follows it to its end, or to where it needs a decision. Ctrl-C leaves it
 * running on the nodes. With `--dry-run` a plan is printed with every command instead. Secrets that the run asks for are
 * asked on the terminal unless `secrets` answers. Exit status: 0 done, 3 done on some nodes only, 1 failed.
 */
export async function carry(
  session: Session,
  what: Plan | { resume: string },
  options: CarryOptions = {},
): Promise<ExitStatus> {
  const { app, globals, out, signal } = session;
  if (!("resume" in what) && globals.dryRun) {
    out.result(what, planLines(what));
    return exit.done;
  }
  const news = runNews();
  const rest = waitForRest();
  const { decide, atRest, ...others } = options;
  const settings: RunOptions = {
    secrets: askSecret,
    ...others,
    signal,
    onNotice: (text) => out.note(text),
    onView: (view) => {
      for (const event of news(view)) out.record(event, eventLine(view, event));
      rest.see(view);
    },
  };
  const handle = await ("resume" in what ? resumeRun(app, what.resume, settings) : startRun(app, what, settings));
  out.note(`Run ${handle.id}; Ctrl-C leaves it running on the nodes.`);
  let view: RunView | null;
  try {
    for (const decision of decide?.(handle.view()) ?? []) handle.decide(decision);
    view = await Promise.race([handle.done, rest.come(handle), aborted(signal)]);
    if (view !== null) await atRest?.(handle, view);
  } finally {
    await handle.detach();
  }
  if (view === null) {
    out.note(`Left running. Go on with: virtu resume ${handle.id}`);
    throw new VirtuError({ kind: "cancelled", what: "No longer followed" });
  }
  const report = runReport(view);
  if (globals.json) out.record(report, "");
  else for (const line of reportLines(view)) out.record(null, line);
  if (report.ok) return exit.done;
  const some = view.state === "done" || (view.state === "needs-you" && someNodeIsThrough(view));
  return some ? exit.some : exit.failed;
}
