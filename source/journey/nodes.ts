/** A job's nodes: how they are reached, and what they say of themselves. */
import path from "node:path";
import { toVirtuError, type VirtuError } from "../errors.ts";
import type { HostRef } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { addressesCommand, factsCommand, parseAddresses, parseFacts } from "../tools/node-facts.ts";
import { byName } from "../tools/nodeset.ts";
import { answered, each } from "./detached-exec.ts";
import type { Context, Job, NodeFacts, Site } from "./types.ts";
import { frontendOf } from "./types.ts";

/** So many nodes are asked at a time. */
export const nodesAtOnce = 12;

/** The known_hosts file of a job's nodes: they get new keys with each deployment, so the user's own file is left alone. */
export function knownHostsFileOf(context: Pick<Context, "stateDir">, site: Site, jobId: number): string {
  // A site may be named by anything that ssh takes, `user@host:22` too.
  const name = encodeURIComponent(site.name).replace(/^\.+$/, (dots) => dots.replaceAll(".", "%2E"));
  return path.join(context.stateDir, "jobs", name, String(jobId), "known_hosts");
}

/** A node of a job as the pool takes it: root, through the frontend, keys in the job's own file. */
export function nodeRef(context: Pick<Context, "stateDir">, site: Site, jobId: number, node: string): HostRef {
  return {
    // Root whatever the ssh configuration says: a rule for the whole site names the user's account on its frontends.
    name: `root@${node}`,
    via: frontendOf(site),
    user: "root",
    knownHostsFile: knownHostsFileOf(context, site, jobId),
  };
}

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

/** What a failed try says: a node that refuses root still runs the system it was reserved with. */
function unreached(name: string, error: VirtuError): NodeFacts {
  const refused = error.kind === "authentication";
  const why = plainLine(error.why ?? error.what);
  return {
    ...unknown(name),
    state: refused ? "reserved" : "unreachable",
    reason: refused ? `root is refused: nothing is deployed yet, or with another key (${why})` : why,
  };
}

/**
 * Asks each node of the job, in bounded parallel; `onUpdate` gets the whole list as it fills. A dead node is a row with
 * its reason; only an abort rejects, as `cancelled`.
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
  const dead: string[] = [];
  await each(names, nodesAtOnce, async (name) => {
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
      set(unreached(name, toVirtuError(thrown)));
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
