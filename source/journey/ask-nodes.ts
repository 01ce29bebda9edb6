/** Asks nodes what they are, before anything is planned for them: one round trip each, a few at a time. */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { NodeState } from "../tools/node-state.ts";
import { nodeStateCommand } from "../tools/node-state-ask.ts";
import { isWhole, parseNodeState } from "../tools/node-state-parse.ts";
import { nodesAtOnce } from "./nodes-ref.ts";
import type { PlanNode } from "./plan.ts";
import type { Context } from "./types.ts";

export interface AskOptions {
  signal?: AbortSignal;
  /** Disks to look at by these paths, whatever lsblk calls them. */
  devices?: readonly string[];
  /** Told of each node as it answers or fails. */
  onAnswer?: (name: string, error: VirtuError | null) => void;
}

export interface Answers {
  states: ReadonlyMap<string, NodeState>;
  /** Why the others could not be asked. */
  failed: ReadonlyMap<string, VirtuError>;
}

/** Milliseconds for one node; lsblk and vgs wait for disks that spin up. */
const patience = 60_000;

/** Never rejects for a node's sake; a cancellation does. */
export async function askNodes(
  context: Pick<Context, "pool">,
  nodes: readonly PlanNode[],
  options: AskOptions = {},
): Promise<Answers> {
  const states = new Map<string, NodeState>();
  const failed = new Map<string, VirtuError>();
  const waiting = [...nodes];
  const worker = async () => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      try {
        states.set(node.name, await askNode(context, node, options));
        options.onAnswer?.(node.name, null);
      } catch (thrown) {
        const error = toVirtuError(thrown);
        if (options.signal?.aborted) throw error;
        failed.set(node.name, error);
        options.onAnswer?.(node.name, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(nodesAtOnce, nodes.length) }, worker));
  return { states, failed };
}

async function askNode(context: Pick<Context, "pool">, node: PlanNode, options: AskOptions): Promise<NodeState> {
  const command = nodeStateCommand(options.devices);
  const asked = Date.now();
  const result = await context.pool.exec(node.host, command, {
    signal: options.signal,
    timeoutMs: patience,
    priority: "user",
  });
  const middle = Math.round((asked + Date.now()) / 2000);
  if (!isWhole(result.stdout)) {
    const why =
      result.outcome === "exited" ? `its shell ended with ${result.status}` : `the question was ${result.outcome}`;
    throw new VirtuError({
      kind: result.outcome === "lost" ? "connection" : result.outcome === "timeout" ? "timeout" : "unparsed",
      what: "The node did not say what it is",
      where: node.name,
      why,
      detail: result.stderr.slice(-2000) || undefined,
    });
  }
  const state = parseNodeState(result.stdout, middle);
  if (!state.root) {
    throw new VirtuError({
      kind: "usage",
      what: "virtu has to be root on this node",
      where: node.name,
      why: "what it changes belongs to root",
      hint: "Name it as root@HOST, or set User root for it in your ssh configuration.",
    });
  }
  return state;
}
