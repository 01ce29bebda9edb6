/** How a job's nodes are reached. */
import path from "node:path";
import type { HostRef } from "../ssh/types.ts";
import type { Context, Site } from "./types.ts";
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
