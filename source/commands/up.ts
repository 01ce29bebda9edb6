/** `virtu up`: from nothing to instances, as a file says it. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { RunView } from "../journey/plan.ts";
import { eventLine, runNews } from "../journey/run-report.ts";
import { carryWay, readSource, type UpOptions, type UpSource } from "../journey/up.ts";
import { previewUp, type StagePreview } from "../journey/up-preview.ts";
import { stageLine, wayLines, wayNews, wayReport } from "../journey/up-report.ts";
import type { StageId, WayView } from "../journey/up-types.ts";
import { passwordError } from "../store/passwords.ts";
import { askSecret, firstLineOfInput } from "./ask-secret.ts";
import { confirm, type ExitStatus, exit, run, type Session, withChange } from "./run.ts";

export interface UpFlags {
  takeLock?: boolean;
  engine?: string;
}

/** Asked twice on a terminal, or the first line of standard input. */
async function password(from: "stdin" | "ask", signal: AbortSignal): Promise<string | null> {
  const typed = from === "stdin" ? await firstLineOfInput() : await askSecret("root's new password", signal);
  if (typed === null || typed === "") return null;
  const again = from === "stdin" ? typed : await askSecret("once more", signal);
  const why = passwordError(typed, again ?? "");
  if (why === null) return typed;
  throw new VirtuError({
    kind: "usage",
    what: "This can't be root's password",
    where: `configure.password: ${from}`,
    why,
  });
}

/** What a way tells on its way, as lines or JSON. */
export function wayTellers(session: Session): Pick<UpOptions, "onView" | "onNote" | "onRun" | "onPassword"> {
  const { out } = session;
  const news = wayNews();
  const runs = new Map<string, ReturnType<typeof runNews>>();
  return {
    onView: (view: WayView) => {
      for (const event of news(view)) {
        const stage = view.stages.find(({ id }) => id === event.stage);
        if (!stage) continue;
        // Its steps and sentences follow under this line.
        const text = event.state === "running" ? `${stage.title} …` : stageLine(stage);
        out.record(event, text);
      }
    },
    onNote: (text: string, stage: StageId) => {
      const time = new Date().toISOString();
      out.record({ time, stage, state: "running", text }, `  ${text}`);
    },
    onRun: (view: RunView, stage: StageId) => {
      const see = runs.get(view.id) ?? runNews();
      runs.set(view.id, see);
      for (const event of see(view)) {
        out.record({ ...event, stage }, `  ${eventLine(view, event)}`);
      }
    },
    onPassword: (made: string) => out.record({ rootPassword: made }, `  Root's password is ${made}`),
  };
}

function previewLines(stages: readonly StagePreview[]): string[] {
  return stages.flatMap(({ title, notes, commands }, index) => [
    `${index + 1}. ${title}`,
    ...notes.map((note) => `   ${note}`),
    ...commands.flatMap((line) => line.split("\n")).map((line) => `     ${line}`),
  ]);
}

/** What is lost by carrying a plan for the first time: what stands on nodes that are not fresh from OAR, and named disks. */
function losses({ id, plan }: UpSource): string[] {
  if (id !== null) return [];
  const { nodes, deploy, install } = plan;
  const erased = install?.provider === "ganeti" ? install.erase : [];
  return [
    ...(nodes.kind === "job" && deploy ? [`job ${nodes.jobId}: all that is on its nodes is deployed over`] : []),
    ...erased.map((disk) => `disk ${disk}: its content`),
  ];
}

/** Carries a way, tells of it, and says how it ended. */
export async function carryUp(session: Session, source: UpSource, flags: UpFlags): Promise<ExitStatus> {
  const { app, globals, out, signal } = session;
  const { engine = "auto" } = flags;
  if (engine !== "pool" && engine !== "taktuk" && engine !== "auto") {
    throw new VirtuError({ kind: "usage", what: "An engine is pool, taktuk or auto", where: `--engine ${engine}` });
  }
  if (globals.dryRun) {
    const stages = previewUp(source.plan);
    out.result({ stages }, previewLines(stages));
    return exit.done;
  }
  const lost = losses(source);
  if (lost.length > 0) await confirm(session, "Go this way?", lost);
  out.note(`${source.id === null ? "A new way" : `Way ${source.id}`}; Ctrl-C leaves it, and the same command goes on.`);
  let view: WayView;
  try {
    view = await carryWay(app, source, {
      signal,
      site: (name) => app.site(name),
      engine,
      takeLock: flags.takeLock ?? false,
      password,
      ...wayTellers(session),
    });
  } catch (thrown) {
    if (signal.aborted) out.note(`Left. What runs goes on; go on with: virtu up ${source.file ?? source.id ?? ""}`);
    throw thrown;
  }
  const report = await wayReport(app, view);
  if (globals.json) out.record(report, "");
  else for (const line of wayLines(view)) out.record(null, line);
  if (!report.ok) return exit.failed;
  return report.steps.some(({ state }) => state === "failed" || state === "skipped") ? exit.some : exit.done;
}

const example = `
A plan, with all of its parts (docs/up.example.yaml has every field with what it means):

  site: rennes                    # a site of the settings, or any host that ssh knows
  nodes: 4                        # or a list of hosts without any site: [hv1, hv2]; or job: 1874
  walltime: 2:30
  minimum: 3                      # go on with so many; without it all are wanted
  deploy: {environment: debian12-min}
  configure: {password: generate, timezone: Europe/Paris}
  install: {provider: ganeti, cluster: cluster1, storage: "lvm:/dev/sdb"}
  instances:
    - {name: web, count: 2, memory: 512m, disk: 10g}

Killed, cut off or left with Ctrl-C it is gone on with by the same command (or virtu resume ID); run again at its end it
changes nothing and says so. A password never stands in the file: generate, stdin or ask.
With --json: a line an event {time, stage, state, text} or {time, stage, step, node, state, …}, then
{run, ok, changed, state, job, stages: [{stage, state, seconds, text, error, run}], steps: [{step, node, state, seconds, error}]}.
stage: reserve, deploy, configure, install, instances; state: done, already, failed, needs-you or waiting.`;

export function declare(program: Command): void {
  withChange(program.command("up <file>"))
    .description("Goes the whole way from nothing to instances as a file says it: reserve, deploy, configure, install.")
    .option("--engine <engine>", "what carries the steps: pool, taktuk or auto (by the number of nodes)", "auto")
    .option("--take-lock", "take a way, or nodes, that another virtu has left marked")
    .addHelpText("after", example)
    .action((file: string, flags: UpFlags, command: Command) =>
      run(async (session) => carryUp(session, await readSource(session.app, { file }), flags))(flags, command),
    );
}
