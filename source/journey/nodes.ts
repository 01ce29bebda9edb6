/** A job's nodes: how they are reached, and what they say of themselves. */
import { toVirtuError, type VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import { addressesCommand, factsCommand, parseAddresses, parseFacts } from "../tools/node-facts.ts";
import { byName } from "../tools/nodeset.ts";
import { findDeployments } from "./deploy.ts";
import { answered, each } from "./detached-exec.ts";
import { nodeRef, nodesAtOnce } from "./nodes-ref.ts";
import type { Context, Deployment, Job, NodeFacts, NodeProgress, Site } from "./types.ts";
import { frontendOf } from "./types.ts";

export { knownHostsFileOf, nodeRef } from "./nodes-ref.ts";

const unknown = (name: string): NodeFacts => ({
  name,
  state: "reserved",
  reason: null,
  address: null,
  kernel: null,
  os: null,
  cpus: null,
  memoryMiB: null,
  disks: [],
  uptimeSeconds: null,
});

/** The last deployment that each node was part of. Without an answer of the frontend none is known. */
async function lastDeployments(
  context: Context,
  site: Site,
  jobId: number,
  signal?: AbortSignal,
): Promise<Map<string, { deployment: Deployment; progress: NodeProgress }>> {
  const last = new Map<string, { deployment: Deployment; progress: NodeProgress }>();
  try {
    // They come newest first.
    for (const deployment of await findDeployments(context, site, { jobId, signal })) {
      for (const progress of deployment.progress) {
        if (!last.has(progress.node)) last.set(progress.node, { deployment, progress });
      }
    }
  } catch (thrown) {
    if (signal?.aborted) throw toVirtuError(thrown);
  }
  return last;
}

/** What a failed try says: a node without a deployment still runs the system it was reserved with, or none. */
function unreached(name: string, error: VirtuError, progress: NodeProgress | undefined): NodeFacts {
  const why = plainLine(error.why ?? error.what);
  if (progress?.state === "failed") return { ...unknown(name), state: "failed", reason: progress.reason };
  if (progress?.state === "missing") return { ...unknown(name), state: "unreachable", reason: progress.reason };
  if (error.kind === "authentication") {
    const reason = progress ? `root is refused: ${why}` : `root is refused: nothing is deployed yet (${why})`;
    return { ...unknown(name), state: progress ? "unreachable" : "reserved", reason };
  }
  if (progress) return { ...unknown(name), state: "unreachable", reason: why };
  return { ...unknown(name), reason: `nothing is deployed yet (${why})` };
}

/**
 * Asks each node of the job, in bounded parallel; `onUpdate` gets the whole list as it fills. A node that is being
 * deployed on is left alone. A dead node is a row with its reason; only an abort rejects, as `cancelled`.
 */
export async function nodeFacts(
  context: Context,
  site: Site,
  job: Pick<Job, "jobId" | "nodes">,
  options: { signal?: AbortSignal; onUpdate?: (nodes: NodeFacts[]) => void } = {},
): Promise<NodeFacts[]> {
  const { signal, onUpdate } = options;
  const names = [...new Set(job.nodes)].sort(byName);
  const facts = new Map(names.map((name) => [name, unknown(name)]));
  const tell = () => onUpdate?.([...facts.values()]);
  const set = (fact: NodeFacts) => {
    facts.set(fact.name, { ...fact, address: fact.address ?? facts.get(fact.name)?.address ?? null });
    tell();
  };
  const last = await lastDeployments(context, site, job.jobId, signal);
  const dead: string[] = [];
  await each(names, nodesAtOnce, async (name) => {
    const { deployment, progress } = last.get(name) ?? {};
    // Its host key is new, or will be: nothing is learned before the deployment has ended.
    if (deployment?.state === "running" && progress && progress.state !== "missing") {
      const { state, reason, microStep } = progress;
      dead.push(name);
      if (state === "deployed" || state === "failed") set({ ...unknown(name), state, reason });
      else set({ ...unknown(name), state: "deploying", reason: microStep });
      return;
    }
    try {
      const result = await context.pool.exec(nodeRef(context, site, job.jobId, name), factsCommand(), {
        signal,
        timeoutMs: 20_000,
        priority: "poll",
      });
      set(parseFacts(name, answered(result, { what: "It can't be asked", where: name }).stdout));
    } catch (thrown) {
      if (signal?.aborted) throw toVirtuError(thrown);
      dead.push(name);
      set(unreached(name, toVirtuError(thrown), progress));
    }
  });
  if (dead.length > 0) await lookUp(context, site, dead, facts, signal);
  tell();
  return [...facts.values()];
}

/** Addresses of nodes that don't answer, as the frontend knows them. Without an answer there are none. */
async function lookUp(
  context: Context,
  site: Site,
  names: readonly string[],
  facts: Map<string, NodeFacts>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const result = await context.pool.exec(frontendOf(site), addressesCommand(names), {
      signal,
      timeoutMs: 20_000,
      priority: "poll",
    });
    for (const [name, address] of parseAddresses(result.stdout, names)) {
      const fact = facts.get(name);
      if (fact) facts.set(name, { ...fact, address });
    }
  } catch (thrown) {
    if (signal?.aborted) throw toVirtuError(thrown);
  }
}
