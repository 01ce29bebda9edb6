/** What the user chose for `virtu configure`. */
import type { NodeState } from "../tools/node-state.ts";
import type { PlanNode } from "./plan.ts";

export interface ConfigureRequest {
  site: string | null;
  jobId: number | null;
  nodes: readonly PlanNode[];
  /** The run goes on by itself while at least so many nodes are in. */
  minimum: number;
  /** Public keys that are let in as root, beside those that are there. */
  publicKeys: readonly string[];
  /** A key pair for the nodes among themselves: its private half comes by the secret `keyPairSecret`. */
  pair: { publicKey: string } | null;
  /** File name under /root/.ssh for the user's own private key (secret `userKeySecret`); only when he asks for that. */
  copyKey: { fileName: string; publicKey: string } | null;
  /** apt update and full upgrade. */
  upgrade: boolean;
  /**
   * Set root's password (secret `passwordSecret`). The mark, a few letters, tells on a second run whether the same one is in
   * force; `passwordMark` makes it.
   */
  password: { mark: string } | null;
  /** `Europe/Paris`; null: left as it is. */
  timezone: string | null;
  /** `C.UTF-8`; null: left as it is. */
  locale: string | null;
  /** The user's own commands and scripts, run as root, each as a step of its own, in this order. */
  extras: readonly { title: string; script: string }[];
}

/** Names of secrets as steps name them; the runner asks for them by these. */
export const keyPairSecret = "job-key";
export const userKeySecret = "user-key";
export const passwordSecret = "root-password";

/** What was asked of the nodes before planning, by node name; a node that could not be asked is missing. */
export type NodeStates = ReadonlyMap<string, NodeState>;
