/** `virtu resume`: carries on with a run, after decisions on what failed. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { keptSecret, ownPrivateKey } from "../journey/configure-keys.ts";
import { userKeySecret } from "../journey/configure-types.ts";
import type { Decision, RunView } from "../journey/plan.ts";
import { listRuns, type RunSummary } from "../journey/run.ts";
import { readSource } from "../journey/up.ts";
import { askSecret, firstLineOfInput } from "./ask-secret.ts";
import { carry } from "./carry.ts";
import { collect, run, type Session, withJson } from "./run.ts";
import { carryUp } from "./up.ts";
import { findWay, newestOpenWay } from "./ways.ts";

interface ResumeOptions {
  retry?: string[];
  skip?: string[];
  leaveOut?: string[];
  takeLock?: boolean;
  passwordStdin?: boolean;
  copyKey?: string;
}

const over = new Set(["done", "failed", "cancelled"]);

/** The run of that id, or of the only one whose id begins so; without a word the newest that is not over. */
export async function findRun(session: Session, id: string | undefined): Promise<RunSummary> {
  const runs = await listRuns(session.app);
  const hint = '"virtu runs" lists the runs of this machine.';
  if (id === undefined) {
    const newest = runs.find(({ state }) => !over.has(state));
    if (newest) return newest;
    throw new VirtuError({ kind: "usage", what: "No run is open", hint });
  }
  const found = runs.find((one) => one.id === id) ?? runs.filter((one) => one.id.startsWith(id));
  if (!Array.isArray(found)) return found;
  const [only] = found;
  if (only && found.length === 1) return only;
  const what = found.length > 1 ? `More than one run begins with ${id}` : `There is no run ${id}`;
  throw new VirtuError({ kind: "usage", what, hint });
}

/** `STEP`, `STEP:NODE` or `all`, as decisions on the cells that have failed. */
function cellsNamed(view: RunView, what: "retry" | "skip", word: string): Decision[] {
  const [id = "", node] = word.split(/:(.*)/s);
  const steps = word === "all" ? view.plan.steps : view.plan.steps.filter((step) => step.id === id);
  const decisions = steps.flatMap((step): Decision[] => {
    const cells = Object.entries(view.cells[step.id] ?? {});
    const fits = (state: string) => state === "failed" || (what === "skip" && state !== "done" && state !== "already");
    const nodes = cells.filter(([name, { state }]) => (node === undefined || name === node) && fits(state));
    return nodes.length === 0 ? [] : [{ do: what, step: step.id, nodes: nodes.map(([name]) => name) }];
  });
  if (decisions.length > 0 || (word === "all" && what === "retry")) return decisions;
  throw new VirtuError({
    kind: "usage",
    what: steps.length === 0 ? `The run has no step "${id}"` : `Nothing of "${word}" is there to ${what}`,
    where: `--${what} ${word}`,
    hint: `virtu runs ${view.id} shows its steps.`,
  });
}

function decisions(view: RunView, options: ResumeOptions): Decision[] {
  const out = options.leaveOut ?? [];
  const strange = out.find((node) => !view.plan.nodes.some(({ name }) => name === node));
  if (strange !== undefined) {
    throw new VirtuError({ kind: "usage", what: `The run has no node "${strange}"`, where: `--leave-out ${strange}` });
  }
  return [
    ...(options.retry ?? []).flatMap((word) => cellsNamed(view, "retry", word)),
    ...(options.skip ?? []).flatMap((word) => cellsNamed(view, "skip", word)),
    ...(out.length > 0 ? [{ do: "leave-out", nodes: out } as const] : []),
    ...(view.state === "paused" ? [{ do: "go-on" } as const] : []),
  ];
}

/** The way that is meant: by its id, or the newest one that is open, whose runs it goes on with itself. */
async function wayMeant({ app }: Session, id: string | undefined): Promise<string | null> {
  return id === undefined ? ((await newestOpenWay(app))?.view.id ?? null) : findWay(app, id);
}

async function resume(session: Session, id: string | undefined, options: ResumeOptions) {
  const way = await wayMeant(session, id);
  if (way !== null) {
    return carryUp(session, await readSource(session.app, { way }), { takeLock: options.takeLock });
  }
  const found = await findRun(session, id);
  const own = options.copyKey ? await ownPrivateKey(options.copyKey) : null;
  const typed = options.passwordStdin ? async () => (await firstLineOfInput()) || null : askSecret;
  const secrets = async (name: string, signal: AbortSignal) => {
    const kept = await keptSecret(session.app, found, name);
    if (kept !== null) return kept;
    // A key can't be typed.
    return name === userKeySecret ? (own?.privateKey ?? null) : typed(name, signal);
  };
  return carry(
    session,
    { resume: found.id },
    {
      takeLock: options.takeLock ?? false,
      decide: (view) => decisions(view, options),
      secrets,
    },
  );
}

export function declare(program: Command): void {
  withJson(
    program
      .command("resume [run]")
      .description(
        "Goes on with a run where it was left; nothing is run twice (default: the newest that is not over).",
      ),
  )
    .option("--retry <step[:node]>", 'try a failed step again, on one node or all; "all" for all that failed', collect)
    .option("--skip <step[:node]>", "go on without that step", collect)
    .option("--leave-out <node>", "go on without that node; repeatable", collect)
    .option("--password-stdin", "read the secret that the run asks for from standard input")
    .option("--copy-key <file>", "the private key of yours that the run copies, if it was begun with one")
    .option("--take-lock", "take nodes that another run has left marked")
    .action((id: string | undefined, options: ResumeOptions, command: Command) =>
      run((session) => resume(session, id, options))(options, command),
    );
}
