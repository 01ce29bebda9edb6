/** `virtu cancel`: ends a run on its nodes, for good. */
import type { Command } from "commander";
import { lookAtRun } from "../journey/run.ts";
import { runReport } from "../journey/run-report.ts";
import { cancelWay, lookAtWay, readSource } from "../journey/up.ts";
import { wayReport } from "../journey/up-report.ts";
import { carry } from "./carry.ts";
import { findRun } from "./resume.ts";
import { confirm, type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { findWay } from "./ways.ts";

interface CancelOptions {
  takeLock?: boolean;
}

/** Ends a way: its open run is ended on the nodes; the job and all that was made stay. */
async function cancelWhole(session: Session, id: string, options: CancelOptions): Promise<ExitStatus> {
  const { app, out } = session;
  const source = await readSource(app, { way: id });
  const before = await lookAtWay(app, id);
  const taken = `virtu down ${before.file ?? id} takes back what it has made.`;
  if (before.state !== "running" && before.state !== "interrupted") {
    out.result(await wayReport(app, before), [`${id} is over already: ${before.state}. ${taken}`]);
    return exit.done;
  }
  await confirm(session, `Cancel ${before.title}?`, ["A run that is open is ended on the nodes; what was done stays."]);
  const view = await cancelWay(app, source, { takeLock: options.takeLock });
  out.result(await wayReport(app, view), [`${id} is cancelled. ${taken}`]);
  return exit.done;
}

async function cancel(session: Session, id: string, options: CancelOptions): Promise<ExitStatus> {
  const way = await findWay(session.app, id);
  if (way !== null) return cancelWhole(session, way, options);
  const found = await findRun(session, id);
  const view = await lookAtRun(session.app, found.id);
  if (view.endedAt !== null) {
    session.out.result(runReport(view), [`${found.id} is over already: ${view.state}`]);
    return exit.done;
  }
  await confirm(session, `Cancel ${found.title}?`, [
    "Steps that run are ended where they are; what was done stays.",
    "The run can't be resumed after that.",
  ]);
  const decide = () => [{ do: "cancel" } as const];
  await carry(session, { resume: found.id }, { takeLock: options.takeLock ?? false, decide });
  return (await lookAtRun(session.app, found.id)).state === "cancelled" ? exit.done : exit.failed;
}

export function declare(program: Command): void {
  withJson(program.command("cancel <run>").description("Ends a run on its nodes, for good."))
    .option("-y, --yes", "don't ask before something is lost")
    .option("--take-lock", "take nodes that another run has left marked")
    .action((id: string, options: CancelOptions, command: Command) =>
      run((session) => cancel(session, id, options))(options, command),
    );
}
