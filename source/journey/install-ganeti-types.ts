/** What the user chose for `virtu install ganeti`. */
import type { PlanNode } from "./plan.ts";

export type GanetiHypervisor = "kvm" | "xen-pvm" | "xen-hvm" | "fake";

export type GanetiStorage =
  | {
      kind: "lvm";
      /** Volume group: `xenvg`. */
      group: string;
      /** Disk to make it on, by node name; a node that has the group already needs none. */
      disks: Readonly<Record<string, string>>;
      /** Disks (`NODE:/dev/sdb`) whose content the user gave up by repeating their names. */
      erase: readonly string[];
    }
  | { kind: "file"; directory: string }
  | { kind: "diskless" };

export interface GanetiRequest {
  site: string | null;
  jobId: number | null;
  nodes: readonly PlanNode[];
  minimum: number;
  /** `cluster1` or `cluster1.example.org`. */
  clusterName: string;
  /** An address that nobody uses; null, only with one node: `aloneAddress`. */
  clusterAddress: string | null;
  /** Name (as in `nodes`) of the node that becomes the master. */
  master: string;
  /** The first one is the default for new instances. */
  hypervisors: readonly GanetiHypervisor[];
  storage: GanetiStorage;
  /** Bridge for instances; absent: `xen-br0` for Xen, else `br0`. */
  bridge: string | null;
  /** OS definitions to install. */
  systems: readonly ("noop" | "debootstrap")[];
}

/** Why a request can't be planned; `field` is the request's field, `node` the node that it is about. */
export interface PlanProblem {
  field: keyof GanetiRequest | "nodes";
  node: string | null;
  text: string;
  /** What to do. */
  hint: string | null;
}
