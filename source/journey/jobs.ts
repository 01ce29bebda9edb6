/** The user's jobs on a site: look, take over, release, extend; and how many nodes are free. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { nodes as nodesCommand } from "../tools/oar.ts";
import { hasEnded } from "../tools/oar-jobs.ts";
import { type ClusterCount, parseNodes } from "../tools/oar-nodes.ts";
import { type AskOptions, ask, askJobs } from "./jobs-ask.ts";
import { knownJob, shown } from "./jobs-look.ts";
import type { Context, Job, Site } from "./types.ts";

export {
  type ExtendOptions,
  type Extension,
  type ExtensionLimits,
  extend,
  extendCommands,
  extensionLimits,
} from "./jobs-extend.ts";
export { type ReleaseOptions, release, releaseCommands } from "./jobs-release.ts";
export type { AskOptions, ClusterCount };

/** The user's jobs that are alive, by number. One round trip. Rejects with `VirtuError`. */
export async function listJobs(context: Context, site: Site, options: AskOptions = {}): Promise<Job[]> {
  return (await askJobs(context, site, options)).jobs.map(shown);
}

/** A job by its number, alive or ended, anybody's. Rejects when there is none. */
export async function getJob(context: Context, site: Site, jobId: number, options: AskOptions = {}): Promise<Job> {
  return shown(await knownJob(context, site, jobId, options));
}

/** A running job of one's own, to go on with: its nodes, its subnet, its end. Rejects, explained, when it does not run. */
export async function takeOver(context: Context, site: Site, jobId: number, options: AskOptions = {}): Promise<Job> {
  const job = await getJob(context, site, jobId, options);
  if (job.state === "Running") return job;
  const ended = hasEnded(job.state);
  throw new VirtuError({
    kind: "refused",
    what: `Job ${jobId} does not run`,
    where: site.name,
    why: ended ? `it has ended: ${plainLine(job.end?.text ?? job.state)}` : `OAR says ${job.state}`,
    hint: ended ? "Reserve nodes again." : "Wait until it runs.",
  });
}

export interface FreeNodes {
  total: number;
  alive: number;
  free: number;
  clusters: ClusterCount[];
}

const lastCounts = new WeakMap<Pool, Map<string, { at: number; counts: FreeNodes }>>();

/**
 * Nodes of the site, and for each cluster: all, alive, free now. Costly on a large site (a second of the server, some MB):
 * an answer younger than `maxAgeMs` (half a minute by default) is given again.
 */
export async function freeNodes(
  context: Context,
  site: Site,
  options: AskOptions & { maxAgeMs?: number } = {},
): Promise<FreeNodes> {
  const { maxAgeMs = 30_000, ...asked } = options;
  const bySite = lastCounts.get(context.pool) ?? new Map<string, { at: number; counts: FreeNodes }>();
  lastCounts.set(context.pool, bySite);
  const last = bySite.get(site.frontend);
  if (last && Date.now() - last.at < maxAgeMs) return last.counts;
  const what = "The nodes can't be counted";
  const result = await ask(context, site, nodesCommand(), { priority: "poll", ...asked, what });
  if (result.status !== 0 || result.truncated) {
    throw new VirtuError({
      kind: "failed",
      what,
      where: site.name,
      why: result.truncated ? "its list of nodes is too long" : `oarnodes ended with status ${result.status}`,
      detail: result.stderr || undefined,
    });
  }
  const clusters = parseNodes(result.stdout);
  const sum = (key: "total" | "alive" | "free") => clusters.reduce((all, cluster) => all + cluster[key], 0);
  const counts = { total: sum("total"), alive: sum("alive"), free: sum("free"), clusters };
  bySite.set(site.frontend, { at: Date.now(), counts });
  return counts;
}
