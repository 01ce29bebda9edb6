/** Nodes belong to one run at a time: a mark on each names the run and who carries it. */
import os from "node:os";
import { VirtuError } from "../errors.ts";
import { iso } from "../text.ts";
import { answered } from "./detached-exec.ts";
import { readJournal } from "./journal.ts";
import type { PlanNode } from "./plan.ts";
import type { Broadcast } from "./run-broadcast.ts";
import { lockCommand, type Owner, readOwner, unlockCommand } from "./run-remote.ts";
import { runFiles, runIds } from "./run-store.ts";
import type { Context } from "./types.ts";

const timeoutMs = 30_000;

export interface LockOptions {
  run: string;
  /** Take nodes from any other run. */
  take: boolean;
  signal: AbortSignal;
  now: () => number;
}

function whoAmI(): string {
  try {
    return `${os.userInfo().username}@${os.hostname()}`;
  } catch {
    return os.hostname();
  }
}

/** What this machine knows of the run that holds a node. */
async function stateHere(context: Pick<Context, "stateDir">, run: string): Promise<"over" | "open" | "unknown"> {
  if (!(await runIds(context)).includes(run)) return "unknown";
  try {
    const records = await readJournal(runFiles(context, run).journal);
    return records.some(({ kind }) => kind === "over") ? "over" : "open";
  } catch {
    return "unknown";
  }
}

/**
 * Marks a node as the run's. A mark that a run of this machine has left after its end is taken without a question.
 * Rejects as `refused` when another run holds it, as `connection` or `timeout` when the node can't be asked.
 */
export async function lockNode(
  context: Context,
  broadcast: Broadcast,
  node: PlanNode,
  options: LockOptions,
): Promise<void> {
  const owner: Owner = { run: options.run, who: whoAmI(), since: Math.round(options.now() / 1000) };
  let from: string | null = null;
  for (let tries = 0; ; tries += 1) {
    const result = answered(
      await broadcast.exec(node, lockCommand(owner, from), { batch: "lock", signal: options.signal, timeoutMs }),
      { what: "The node can't be marked as this run's", where: node.name },
    );
    if (result.status === 0) return;
    if (result.status !== 91) {
      throw new VirtuError({
        kind: "failed",
        what: "The node can't be marked as this run's",
        where: node.name,
        why: "~/.virtu can't be written there",
        hint: "Look at the free space on the node.",
        detail: result.stderr || undefined,
      });
    }
    const holder = readOwner(result.stdout);
    const state = holder ? await stateHere(context, holder.run) : "unknown";
    if ((options.take || state === "over") && tries < 3) from = holder?.run ?? "";
    else throw heldBy(node.name, holder, state);
  }
}

function heldBy(where: string, holder: Owner | null, state: "over" | "open" | "unknown"): VirtuError {
  const what = "Another run has this node";
  if (!holder) {
    const hint = "Its virtu was stopped just then, or its disk is full; --take-lock takes the node.";
    return new VirtuError({ kind: "refused", what, where, why: "its mark does not say which", hint });
  }
  return new VirtuError({
    kind: "refused",
    what,
    where,
    why: `${holder.run} by ${holder.who}, since ${iso(holder.since)}`,
    hint:
      state === "open"
        ? `Go on with it (virtu resume ${holder.run}) or end it (virtu cancel ${holder.run}); --take-lock takes the node from it.`
        : "Ask them whether it still runs; --take-lock takes the node from it.",
  });
}

/** Takes the mark away. */
export async function unlockNode(
  broadcast: Broadcast,
  node: PlanNode,
  run: string,
  signal: AbortSignal,
): Promise<void> {
  await broadcast.exec(node, unlockCommand(run), { batch: "unlock", signal, timeoutMs: 10_000 });
}
