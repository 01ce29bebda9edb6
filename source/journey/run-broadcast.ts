/**
 * How commands of a step reach its nodes. The runner asks node by node; what belongs to one step at one moment has the
 * same `batch`, so that an engine may send it to many nodes in one go. Whichever engine starts a step, what is left on
 * the node is the same, and either finds it again.
 */
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, Pool } from "../ssh/types.ts";
import type { Plan, PlanNode } from "./plan.ts";
import type { RunOptions } from "./run-types.ts";
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

/** The engine for a run, and what the user should know about the choice. */
export async function chooseBroadcast(
  context: Context,
  _plan: Plan,
  _engine: NonNullable<RunOptions["engine"]>,
): Promise<{ broadcast: Broadcast; notice: string | null }> {
  return { broadcast: poolBroadcast(context.pool), notice: null };
}
