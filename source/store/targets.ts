/** Which nodes a run is for: those of a job, or hosts that the user names. */
import { nodeRef } from "../journey/nodes-ref.ts";
import type { PlanNode } from "../journey/plan.ts";
import type { Context, Job, Site } from "../journey/types.ts";
import { unfold } from "../tools/nodeset.ts";

export interface Targets {
  site: string | null;
  jobId: number | null;
  nodes: readonly PlanNode[];
}

export function jobTargets(context: Pick<Context, "stateDir">, site: Site, job: Job): Targets {
  const nodes = job.nodes.map((name) => ({ name, host: nodeRef(context, site, job.jobId, name) }));
  return { site: site.name, jobId: job.jobId, nodes };
}

/** Hosts as ssh knows them, separated by commas or blanks; `node-[1-3]` stands for three. */
export function hostNames(text: string): string[] {
  return unfold(text);
}

/** Hosts that are reached by these names; root's account where neither the name nor ssh's configuration says another. */
export function hostTargets(names: readonly string[]): Targets {
  return { site: null, jobId: null, nodes: names.map((name) => ({ name, host: { name, user: "root" } })) };
}
