/** Addresses for instances out of what a job has reserved. */
import { VirtuError } from "../errors.ts";
import { parseSubnets, subnetsCommand } from "../tools/g5k-subnets.ts";
import { addressText, rangeOf, siteNetwork } from "../tools/subnet-addresses.ts";
import { takeOver } from "./jobs.ts";
import type { AskOptions } from "./jobs-ask.ts";
import { type Context, frontendOf, type Site } from "./types.ts";

export interface JobAddresses {
  /** `10.144.8.2-10.144.11.255`: the first one is a Ganeti cluster's own, made on the job's nodes. */
  range: string;
  /** Of the network that it is part of; null: not known. */
  prefixLength: number | null;
  gateway: string | null;
  dns: readonly string[];
}

/**
 * The subnet of a running job, and the network around it as the site's own tool tells it; by Grid'5000's rules where the
 * site has no such tool. Rejects, explained, when the job does not run or has no subnet.
 */
export async function jobAddresses(
  context: Context,
  site: Site,
  jobId: number,
  options: AskOptions = {},
): Promise<JobAddresses> {
  const { subnet } = await takeOver(context, site, jobId, options);
  if (subnet === null) {
    throw new VirtuError({
      ...{ kind: "refused", what: `Job ${jobId} has no addresses for instances`, where: site.name },
      ...{ why: "it was reserved without a subnet", hint: "Reserve with --subnet 22, or give --addresses." },
    });
  }
  const told = await context.pool.exec(frontendOf(site), subnetsCommand(jobId), { timeoutMs: 60_000, ...options });
  const facts = told.outcome === "exited" && told.status === 0 ? parseSubnets(told.stdout) : null;
  const known = facts ?? siteNetwork(subnet.split("/")[0] ?? "");
  const limits = rangeOf(subnet);
  return {
    range: limits === null ? subnet : `${addressText(limits.first + 2)}-${addressText(limits.last)}`,
    prefixLength: known?.prefixLength ?? null,
    gateway: known?.gateway ?? null,
    dns: facts?.dns ? [facts.dns] : [],
  };
}
