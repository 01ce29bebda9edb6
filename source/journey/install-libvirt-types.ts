/** What the user chose for `virtu install libvirt`. */
import type { PlanNode } from "./plan.ts";

export interface LibvirtRequest {
  site: string | null;
  jobId: number | null;
  nodes: readonly PlanNode[];
  minimum: number;
  /** Accounts that get libvirt's group, beside root. */
  users: readonly string[];
  /** Directory of the default storage pool. */
  poolDirectory: string;
}
