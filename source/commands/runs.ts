/** `virtu runs`: the runs of this machine, one of them with its steps, or the output of a step. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { CellState, RunView } from "../journey/plan.ts";
import { listRuns, lookAtRun, type RunSummary, readOutput } from "../journey/run.ts";
import { reportLines, runReport } from "../journey/run-report.ts";
import { listWays, lookAtWay, type WaySummary } from "../journey/up.ts";
import { wayLine, wayLines, wayReport } from "../journey/up-report.ts";
import { count, iso, plainLine } from "../text.ts";
import { findRun } from "./resume.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { findWay } from "./ways.ts";

interface RunsOptions {
  output?: string[];
}

/** So many lines of an output are read at a time. */
const linesAtOnce = 2000;

const seconds = (milliseconds: number | null) => iso(milliseconds === null ? null : Math.round(milliseconds / 1000));

function runLine({ id, title, state, startedAt, progress }: RunSummary): string {
  return plainLine(`${id}  ${state.padEnd(11)}  ${progress.ended}/${progress.of}  ${seconds(startedAt)}  ${title}`);
}

/** A way in the list, told apart by its kind; its own runs stand in the list as well. */
function wayRecord({ view, pid }: WaySummary) {
  const { id, title, file, site, jobId, state, stages } = view;
  const ended = stages.filter((stage) => stage.state === "done" || stage.state === "already").length;
  return {
    ...{ id, kind: "up", title, file, site, jobId, state, runs: view.runs, pid },
    ...{ startedAt: seconds(view.startedAt), endedAt: seconds(view.endedAt) },
    progress: { ended, of: stages.length },
  };
}

/** Each step with its cells by state, and the nodes that are not well. */
function stepLines(view: RunView): string[] {
  return view.plan.steps.flatMap((step) => {
    const byState = new Map<CellState, string[]>();
    for (const [node, { state }] of Object.entries(view.cells[step.id] ?? {})) {
      byState.set(state, [...(byState.get(state) ?? []), node]);
    }
    const counts = [...byState].map(([state, nodes]) => `${nodes.length} ${state}`).join(", ");
    return [plainLine(`  ${step.id}  ${step.title}: ${counts || "no node"}`)];
  });
}

async function output(session: Session, id: string, names: readonly string[]): Promise<ExitStatus> {
  const [step, node] = names;
  const view = await lookAtRun(session.app, id);
  if (step === undefined || node === undefined || names.length > 2 || !view.cells[step]?.[node]) {
    throw new VirtuError({
      kind: "usage",
      what: "Name a step of the run and a node that has a part in it",
      where: `--output ${names.join(" ")}`,
      hint: `virtu runs ${id} shows its steps.`,
    });
  }
  for (let from = 0; ; ) {
    const lines = await readOutput(session.app, id, { step, node }, { from, count: linesAtOnce });
    for (const line of lines) session.out.record({ line }, line);
    if (lines.length < linesAtOnce) return exit.done;
    from += lines.length;
  }
}

async function runs(session: Session, id: string | undefined, options: RunsOptions): Promise<ExitStatus> {
  const { app, out } = session;
  if (id === undefined) {
    if (options.output) {
      throw new VirtuError({ kind: "usage", what: "Name the run whose output to show", where: "--output" });
    }
    const all = await listRuns(app);
    const ways = await listWays(app);
    const json = all.map((one) => ({ ...one, startedAt: seconds(one.startedAt), endedAt: seconds(one.endedAt) }));
    out.result(
      [...ways.map(wayRecord), ...json],
      [...ways.map(({ view }) => plainLine(wayLine(view))), ...all.map(runLine)],
    );
    if (all.length + ways.length === 0) out.note("There are no runs on this machine yet.");
    return exit.done;
  }
  const way = options.output ? null : await findWay(app, id);
  if (way !== null) {
    const view = await lookAtWay(app, way);
    out.result(await wayReport(app, view), [way, ...wayLines(view)].map(plainLine));
    return exit.done;
  }
  const found = await findRun(session, id);
  if (options.output) return output(session, found.id, options.output);
  const view = await lookAtRun(app, found.id);
  const nodes = `  ${count(found.nodes.length, "node")}: ${found.nodes.join(", ")}`;
  out.result(runReport(view), [found.id, ...reportLines(view), plainLine(nodes), ...stepLines(view)]);
  return exit.done;
}

export function declare(program: Command): void {
  withJson(program.command("runs [run]").description("Lists the runs of this machine, or shows one with its steps."))
    .option("--output <names...>", "STEP NODE: print the kept output of that step on that node")
    .action((id: string | undefined, options: RunsOptions, command: Command) =>
      run((session) => runs(session, id, options))(options, command),
    );
}
