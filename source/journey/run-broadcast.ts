/**
 * How commands of a step reach its nodes. The runner asks node by node; what belongs to one step at one moment has the
 * same `batch`, so that an engine may send it to many nodes in one go. Whichever engine starts a step, what is left on
 * the node is the same, and either finds it again.
 */
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, Pool } from "../ssh/types.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { taktukBroadcast, taktukRefusal } from "./run-taktuk.ts";
import type { EngineChoice } from "./run-types.ts";
import type { Context } from "./types.ts";

export interface BroadcastOptions extends ExecOptions {
  /** Requests of the same batch are sent in the same moment, mostly with the same command and standard input. */
  batch: string;
}

export interface Broadcast {
  readonly engine: "pool" | "taktuk";
  /**
   * Runs a command on a node, as `Pool.exec` does: whole lines to `onLine`, a lost node is outcome `lost` or a rejection
   * of kind `connection`, never a success. Commands that follow an output (`tail -f`) run until the signal aborts them.
   */
  exec(node: PlanNode, command: Command, options: BroadcastOptions): Promise<ExecResult>;
  /** Ends what the engine itself has running; what runs on the nodes goes on. */
  end(): Promise<void>;
}

/** Each node by a session of its own. */
export function poolBroadcast(pool: Pool): Broadcast {
  return {
    engine: "pool",
    exec: (node, command, { batch: _, ...options }) => pool.exec(node.host, command, options),
    end: async () => undefined,
  };
}

/** Above so many nodes TakTuk is taken by itself, where it is there. */
export const usualTaktukAbove = 64;

/** The engine for a run, and what the user should know about the choice. */
export async function chooseBroadcast(
  context: Context,
  plan: Plan,
  engine: EngineChoice,
): Promise<{ broadcast: Broadcast; notice: string | null }> {
  const broadcast = poolBroadcast(context.pool);
  const many = plan.nodes.length > (context.taktukAbove ?? usualTaktukAbove);
  if (engine === "pool" || (engine === "auto" && !many)) return { broadcast, notice: null };
  const [first] = plan.nodes;
  const frontend = first?.host.via;
  if (!first || !frontend || plan.nodes.some(({ host }) => host.via?.name !== frontend.name)) {
    const notice = "TakTuk runs on a frontend, and these nodes have none in common: each node by its own session.";
    return { broadcast, notice: engine === "auto" ? null : notice };
  }
  const refusal = await taktukRefusal(context.pool, frontend, first.name);
  if (refusal !== null) return { broadcast, notice: `No TakTuk, as ${refusal}: each node by its own session.` };
  const settings = { flat: engine !== "taktuk-tree", connectSeconds: context.taktukConnectSeconds };
  return { broadcast: taktukBroadcast(context.pool, frontend, settings), notice: null };
}
