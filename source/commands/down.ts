/** `virtu down`: takes back what `virtu up` has made. */
import type { Command } from "commander";
import { planLines } from "../journey/run.ts";
import { readSource, type UpSource } from "../journey/up.ts";
import { downWay, planDown, type Undoing } from "../journey/up-down.ts";
import { wayReport } from "../journey/up-report.ts";
import { confirm, type ExitStatus, exit, run, type Session, withChange } from "./run.ts";
import { wayTellers } from "./up.ts";
import { findWay } from "./ways.ts";

interface DownFlags {
  keepJob?: boolean;
  takeLock?: boolean;
}

/** A file's way, or one by its id. */
async function sourceOf({ app }: Session, word: string): Promise<UpSource> {
  const way = await findWay(app, word);
  return readSource(app, way === null ? { file: word } : { way });
}

function isEmpty({ losses, plan, jobId }: Undoing): boolean {
  return losses.length === 0 && plan === null && jobId === null;
}

async function down(session: Session, word: string, flags: DownFlags): Promise<ExitStatus> {
  const { app, globals, out, signal } = session;
  const source = await sourceOf(session, word);
  const tellers = wayTellers(session);
  const options = {
    signal,
    site: (name: string) => app.site(name),
    keepJob: flags.keepJob ?? false,
    takeLock: flags.takeLock ?? false,
    onNote: tellers.onNote,
    onRun: tellers.onRun,
  };
  const undoing = await planDown(app, source, options);
  if (globals.dryRun) {
    const { plan, commands, losses, stays } = undoing;
    out.result({ losses, stays, commands, plan }, [...losses, ...commands, ...(plan ? planLines(plan) : [])]);
    return exit.done;
  }
  if (source.id === null) {
    out.result({ run: null, ok: true, changed: false, stages: [], steps: [] }, [
      `${word} has made nothing that is left.`,
    ]);
    return exit.done;
  }
  if (!isEmpty(undoing)) {
    for (const text of undoing.stays) out.note(`stays: ${text}`);
    await confirm(session, "Take this back?", undoing.losses);
  }
  const view = await downWay(app, source, undoing, options);
  const report = { ...(await wayReport(app, view)), ok: true, changed: !isEmpty(undoing) };
  if (globals.json) out.record(report, "");
  else out.record(null, isEmpty(undoing) ? "Nothing of it was left." : `Taken back: ${undoing.losses.join("; ")}`);
  return exit.done;
}

export function declare(program: Command): void {
  withChange(program.command("down <file>"))
    .description("Takes back what virtu up has made of a file: its instances and its cluster, and releases its job.")
    .option("--keep-job", "the job and its nodes stay: only the instances and the cluster go")
    .option("--take-lock", "take a way, or nodes, that another virtu has left marked")
    .addHelpText(
      "after",
      `
Says what goes and asks. What is gone already is no error. Hosts of one's own keep their packages and configuration.
With --json: a line an event, then the report as virtu up gives it.`,
    )
    .action((file: string, flags: DownFlags, command: Command) =>
      run((session) => down(session, file, flags))(flags, command),
    );
}
