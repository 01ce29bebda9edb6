/** Grid'5000's `g5k-subnets`: what a job's subnet is part of. Not every site of OAR has it. */
import { type Command, sh } from "../ssh/command.ts";
import { addressNumber } from "./subnet-addresses.ts";

export interface SubnetFacts {
  /** Of the site's whole network, not of the job's part. */
  prefixLength: number;
  gateway: string;
  /** Address of the site's name server; null: not told. */
  dns: string | null;
}

/** Also outside of the job's own shell. */
export function subnetsCommand(jobId: number): Command {
  return sh`g5k-subnets -a -j ${jobId}`;
}

/**
 * The first line of `g5k-subnets -a`: prefix, broadcast, netmask, gateway, network, name and address of the name server,
 * parted by tabs. Null when it is none.
 */
export function parseSubnets(text: string): SubnetFacts | null {
  const [prefix = "", , netmask = "", gateway = "", , , dns = ""] = (text.split("\n")[0] ?? "").trim().split("\t");
  const mask = addressNumber(netmask);
  if (!/^[\d.]+\/\d+$/.test(prefix) || mask === null || addressNumber(gateway) === null) return null;
  const prefixLength = 32 - Math.log2(2 ** 32 - mask);
  if (!Number.isInteger(prefixLength)) return null;
  return { prefixLength, gateway, dns: addressNumber(dns) === null ? null : dns };
}
