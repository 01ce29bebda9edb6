/** The nodes that a journey is for, and what they say of themselves: the same for configure and install. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { type Answers, askNodes } from "../journey/ask-nodes.ts";
import { getJob } from "../journey/jobs.ts";
import { type EngineChoice, engineChoices, isEngineChoice } from "../journey/run-types.ts";
import type { Job } from "../journey/types.ts";
import { hostNames, hostTargets, jobTargets, type Targets } from "../store/targets.ts";
import { count, plainLine } from "../text.ts";
import { readMinimum } from "./deploy.ts";
import { jobNumber } from "./release.ts";
import { type Session, withChange } from "./run.ts";

export interface TargetOptions {
  site?: string;
  job?: string;
  nodes?: string;
  min?: string;
  engine?: string;
  takeLock?: boolean;
}

export interface AskedNodes {
  targets: Targets;
  /** With `--job`. */
  job: Job | null;
  answers: Answers;
  minimum: number;
  carry: { engine: EngineChoice; takeLock: boolean };
}

/** Options of every command that carries a journey over nodes. */
export function withNodes(command: Command): Command {
  return withChange(command)
    .option("--site <site>", "with --job: a site of the settings, or any host that ssh knows")
    .option("--job <id>", "the nodes of this job")
    .option("--nodes <a,b,c>", "any hosts that ssh reaches as root, instead of a job's; node-[1-3] stands for three")
    .option("--min <n>", "go on while so many nodes (or n%) are left; without it every failure stops and asks")
    .option(
      "--engine <engine>",
      "what carries the steps: pool, taktuk, taktuk-tree or auto (by the number of nodes)",
      "auto",
    )
    .option("--take-lock", "take nodes that another run has left marked");
}

const usage = (what: string, where: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

async function targetsOf(session: Session, options: TargetOptions): Promise<{ targets: Targets; job: Job | null }> {
  const { app, signal } = session;
  if (options.nodes !== undefined) {
    if (options.job !== undefined) throw usage("Name a job or nodes, not both", "--nodes", "Leave one of them out.");
    const names = [...new Set(hostNames(options.nodes))];
    if (names.length === 0) throw usage("No node is named", "--nodes", "Write --nodes a,b,c.");
    return { targets: hostTargets(names), job: null };
  }
  if (options.site === undefined || options.job === undefined) {
    throw usage("Name the nodes", "--site S --job ID", "Or any hosts: --nodes a,b,c.");
  }
  const site = app.site(options.site);
  const job = await getJob(app, site, jobNumber(options.job), { signal, priority: "user" });
  if (job.nodes.length === 0) {
    throw new VirtuError({
      kind: "refused",
      what: `Job ${job.jobId} has no nodes`,
      where: site.name,
      why: `it is ${job.state}`,
      hint: '"virtu jobs" shows your jobs.',
    });
  }
  return { targets: jobTargets(app, site, job), job };
}

/**
 * Asks all nodes. Those that do not answer are told; without them fewer than the minimum is an error.
 * @param devices Disks to look at by name.
 */
export async function askedNodes(
  session: Session,
  options: TargetOptions,
  devices: readonly string[] = [],
): Promise<AskedNodes> {
  const { engine = "auto" } = options;
  if (!isEngineChoice(engine)) {
    throw usage(`An engine is ${engineChoices.join(", ")}`, `--engine ${engine}`, "Leave it out to let virtu choose.");
  }
  const { targets, job } = await targetsOf(session, options);
  const minimum = readMinimum(options.min, targets.nodes.length);
  const answers = await askNodes(session.app, targets.nodes, { signal: session.signal, devices });
  for (const { name } of targets.nodes) {
    const state = answers.states.get(name);
    const error = answers.failed.get(name);
    const text = state
      ? [state.address, state.system.pretty, state.system.kernel, state.ganeti ? `in ${state.ganeti.cluster}` : null]
          .filter(Boolean)
          .join(", ")
      : `no answer: ${error?.why ?? error?.what ?? "unknown"}`;
    session.out.note(plainLine(`  ${name}  ${text}`));
  }
  if (answers.states.size < minimum) {
    const first = [...answers.failed][0];
    throw new VirtuError({
      kind: first?.[1].kind ?? "failed",
      what: `Only ${answers.states.size} of ${count(targets.nodes.length, "node")} can be worked on`,
      where: first?.[0],
      why: first?.[1].why ?? first?.[1].what,
      hint: first?.[1].hint ?? "Go on without them by --min, or name other nodes.",
      detail: [...answers.failed].map(([name, error]) => `${name}: ${error.message}`).join("\n"),
    });
  }
  return { targets, job, answers, minimum, carry: { engine, takeLock: options.takeLock === true } };
}
