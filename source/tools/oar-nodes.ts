/** Reads `oarnodes -J` and the resources of a job. */
import { VirtuError } from "../errors.ts";
import { natural } from "../text.ts";

/** Hosts of one cluster. */
export interface ClusterCount {
  /** Empty where resources have no cluster. */
  name: string;
  total: number;
  /** Every core of the host is Alive. */
  alive: number;
  /** Alive, and no job on any core. */
  free: number;
}

/**
 * The job's subnet as `address/prefix` out of `oarstat -p -j ID`, or null when it has none. One line a resource,
 * ` key = 'value' , key = 'value'`, in an order that changes from line to line. A larger subnet than OAR's own unit is
 * several resources, joined here to the prefix that covers them.
 */
export function subnetOf(text: string): string | null {
  const rows: { address: number; prefix: number }[] = [];
  for (const line of text.split("\n")) {
    const fields = new Map(
      [...line.matchAll(/(\w+) = '((?:[^']|'(?! ,| *$))*)'/g)].map(([, key, value]) => [key, value ?? ""]),
    );
    const address = parseAddress(fields.get("subnet_address") ?? "");
    const prefix = Number(fields.get("subnet_prefix") || "22");
    if (fields.get("type") === "subnet" && address !== null && prefix > 0) rows.push({ address, prefix });
  }
  const [first] = rows.sort((a, b) => a.address - b.address);
  if (!first) return null;
  const wider = Math.floor(Math.log2(rows.length));
  return `${[24, 16, 8, 0].map((shift) => (first.address >>> shift) & 255).join(".")}/${first.prefix - wider}`;
}

/** An IPv4 address as an unsigned number, or null. */
function parseAddress(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** Hosts a cluster, by the cluster's name. Throws `unparsed` with what came. */
export function parseNodes(stdout: string): ClusterCount[] {
  let value: unknown;
  try {
    value = JSON.parse(stdout.trim() || "{}");
  } catch (thrown) {
    throw new VirtuError({
      kind: "unparsed",
      what: "oarnodes printed what virtu can't read",
      why: thrown instanceof Error ? thrown.message : String(thrown),
      detail: stdout.slice(0, 2000),
    });
  }
  const hosts = new Map<string, { cluster: string; alive: boolean; busy: boolean }>();
  for (const row of Object.values(value as Record<string, Record<string, unknown>>)) {
    const name = row["network_address"];
    if (row["type"] !== "default" || typeof name !== "string" || name === "") continue;
    const host = hosts.get(name) ?? { cluster: String(row["cluster"] ?? ""), alive: true, busy: false };
    hosts.set(name, {
      cluster: host.cluster,
      alive: host.alive && row["state"] === "Alive",
      busy: host.busy || (typeof row["jobs"] === "string" && row["jobs"].trim() !== ""),
    });
  }
  const clusters = new Map<string, ClusterCount>();
  for (const { cluster, alive, busy } of hosts.values()) {
    const count = clusters.get(cluster) ?? { name: cluster, total: 0, alive: 0, free: 0 };
    count.total += 1;
    if (alive) count.alive += 1;
    if (alive && !busy) count.free += 1;
    clusters.set(cluster, count);
  }
  return [...clusters.values()].sort((a, b) => natural(a.name, b.name));
}
