/** The last word on a deployment: one SSH try for each node that Kadeploy says is up. */
import { toVirtuError, VirtuError } from "../errors.ts";
import { sh } from "../ssh/command.ts";
import { plainLine } from "../text.ts";
import { pause } from "../waiting.ts";
import { each } from "./detached-exec.ts";
import { knownHostsFileOf, nodeRef, nodesAtOnce } from "./nodes-ref.ts";
import type { Context, Site } from "./types.ts";

export interface CheckOptions {
  signal?: AbortSignal;
  /** sshd comes up some seconds after Kadeploy is done: so many tries (default 20) … */
  tries?: number;
  /** … with such a pause between them (default 3000 ms). */
  pauseMs?: number;
}

/**
 * Logs in to each node as root. Gives the reason for each node that does not answer. Host keys are forgotten before only
 * for the nodes that were written to: they have new ones.
 */
export async function checkNodes(
  context: Context,
  site: Site,
  jobId: number,
  nodes: { deployed: readonly string[]; touched: readonly string[] },
  options: CheckOptions = {},
): Promise<Map<string, string>> {
  const { signal, tries = 20, pauseMs = 3000 } = options;
  const keys = knownHostsFileOf(context, site, jobId);
  if (nodes.touched.length > 0) await context.pool.forgetHostKeys(keys, nodes.touched);
  const dead = new Map<string, string>();
  await each(nodes.deployed, nodesAtOnce, async (node) => {
    for (let left = tries - 1; ; left -= 1) {
      const reason = await tryNode(context, site, jobId, node, signal);
      if (reason === null) return;
      if (left <= 0) {
        dead.set(node, reason.why ?? reason.what);
        return;
      }
      // The key learned while the mini-OS still ran is not that of the new system.
      if (reason.kind === "host-key") await context.pool.forgetHostKeys(keys, [node]);
      await pause(pauseMs, signal);
    }
  });
  return dead;
}

async function tryNode(
  context: Context,
  site: Site,
  jobId: number,
  node: string,
  signal?: AbortSignal,
): Promise<VirtuError | null> {
  const limit = AbortSignal.timeout(30_000);
  try {
    const result = await context.pool.exec(nodeRef(context, site, jobId, node), sh`true`, {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      timeoutMs: 15_000,
    });
    if (result.outcome === "exited") return null;
    return new VirtuError({ kind: "connection", what: "SSH does not answer", why: "SSH does not answer" });
  } catch (thrown) {
    const error = toVirtuError(thrown);
    if (signal?.aborted) throw error;
    const why = limit.aborted
      ? "SSH does not answer in 30 s"
      : `SSH does not let root in: ${plainLine(error.why ?? error.what)}`;
    return new VirtuError({ kind: error.kind, what: "SSH does not answer", why });
  }
}
