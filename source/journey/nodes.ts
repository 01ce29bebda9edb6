/** A job's nodes: how they are reached, and what they say of themselves. */
import { VirtuError } from "../errors.ts";
import type { HostRef } from "../ssh/types.ts";
import type { Context, Job, NodeFacts, Site } from "./types.ts";

/** The known_hosts file of a job's nodes: they get new keys with each deployment, so the user's own file is left alone. */
export function knownHostsFileOf(context: Pick<Context, "stateDir">, site: Site, jobId: number): string {
  throw unwritten(context, site, jobId);
}

/** A node of a job as the pool takes it: root, through the frontend, keys in the job's own file. */
export function nodeRef(context: Pick<Context, "stateDir">, site: Site, jobId: number, node: string): HostRef {
  throw unwritten(context, site, jobId, node);
}

/** Asks each node of the job, in bounded parallel; `onUpdate` gets the whole list as it fills. Never rejects for a dead node. */
export async function nodeFacts(
  context: Context,
  site: Site,
  job: Pick<Job, "jobId" | "nodes">,
  options: { signal?: AbortSignal; onUpdate?: (nodes: NodeFacts[]) => void } = {},
): Promise<NodeFacts[]> {
  throw unwritten(context, site, job, options);
}

function unwritten(...given: unknown[]): VirtuError {
  return new VirtuError({ kind: "failed", what: `Not there yet (${given.length})` });
}
