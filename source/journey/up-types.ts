/**
 * A way from nothing to instances, as a file says it: where the nodes come from, what is put on them, and the first
 * instances. What a file leaves out is left as it is on the nodes.
 */
import type { GanetiHypervisor } from "./install-ganeti-types.ts";
import type { DeployRequest, ReserveRequest } from "./types.ts";

export const stageIds = ["reserve", "deploy", "configure", "install", "instances"] as const;
export type StageId = (typeof stageIds)[number];

export type UpNodes =
  /** Reserved by the way itself. */
  | { kind: "reserve"; site: string; request: ReserveRequest }
  /** Those of a job that runs, or will. */
  | { kind: "job"; site: string; jobId: number }
  /** Any hosts that ssh reaches as root. */
  | { kind: "hosts"; names: readonly string[] };

/** `3`, or a share from above 0 to 1 of the nodes that there are. */
export type UpMinimum = { kind: "nodes"; nodes: number } | { kind: "share"; share: number };

export interface UpDeploy {
  environment: DeployRequest["environment"];
  /** File of public keys on this machine; null: the frontend's own keys. */
  key: string | null;
  retries: number;
}

/** Where root's password comes from. It never stands in the file. */
export type UpPassword = "generate" | "stdin" | "ask";

export interface UpConfigure {
  /** Files of public keys of this machine that are let in as root. */
  keys: readonly string[];
  /** A key pair among the nodes. */
  pair: boolean;
  /** A private key of this machine that is copied onto the nodes. */
  copyKey: string | null;
  upgrade: boolean;
  /** null: left as it is. */
  password: UpPassword | null;
  timezone: string | null;
  locale: string | null;
  /** Commands, run as root after all else, in this order; then the scripts of this machine. */
  run: readonly string[];
  scripts: readonly string[];
}

export interface UpGaneti {
  provider: "ganeti";
  cluster: string;
  /** null: the first address of the job's subnet; with one node none is needed. */
  address: string | null;
  /** A node's name; null: the first. */
  master: string | null;
  hypervisors: readonly GanetiHypervisor[];
  /** `file`, `file:/DIRECTORY`, `lvm`, `lvm:/dev/DISK` or `diskless`. */
  storage: string;
  group: string;
  /** `[NODE:]/dev/DISK`, with lvm. */
  disks: readonly string[];
  /** Disks that are not empty and whose content is given up, as `[NODE:]/dev/DISK`. */
  erase: readonly string[];
  /** null: `xen-br0` for Xen, else `br0`. */
  bridge: string | null;
  systems: readonly ("noop" | "debootstrap")[];
}

export interface UpLibvirt {
  provider: "libvirt";
  users: readonly string[];
  /** Directory of the default storage pool. */
  pool: string;
}

export interface UpPlan {
  nodes: UpNodes;
  /** null: all of them. Below it the way stops. */
  minimum: UpMinimum | null;
  deploy: UpDeploy | null;
  configure: UpConfigure | null;
  install: UpGaneti | UpLibvirt | null;
  instances: readonly UpInstance[];
}

/** An instance that the way makes, once, on what it has installed. */
export interface UpInstance {
  name: string;
  memoryMiB: number;
  vcpus: number;
  /** Sizes of its disks; none: diskless. */
  disksGiB: readonly number[];
  /** Ganeti: the OS definition (`debootstrap+default`). null: the first of those that were installed. */
  os: string | null;
  /** libvirt: a disk image on the node that its first disk is made from. null: an empty one. */
  image: string | null;
  /** The node it is put on; null: the provider chooses (libvirt: one node after the other). */
  node: string | null;
  /** A network of the provider; with `bridge` null as well: the cluster's or the default one. */
  network: string | null;
  bridge: string | null;
  start: boolean;
}

/**
 * - `waiting`: not begun; - `running`: now; - `needs-you`: its run waits for a decision; - `done`: it did something;
 * - `already`: there was nothing to do; - `failed`; - `undone`: taken back by `virtu down`.
 */
export type StageState = "waiting" | "running" | "needs-you" | "done" | "already" | "failed" | "undone";

export interface StageView {
  id: StageId;
  title: string;
  state: StageState;
  /** Epoch milliseconds, of this time. */
  startedAt: number | null;
  endedAt: number | null;
  /** One line: what happens now, what it found, why it failed. */
  text: string;
  /** What to do now, with `failed` and `needs-you`. */
  hint: string | null;
}

export type WayState = "running" | "needs-you" | "done" | "failed" | "cancelled" | "interrupted" | "undone";

/** A way as screens and headless output see it. Replaced, never changed in place. */
export interface WayView {
  id: string;
  /** `ganeti on 4 nodes of rennes`. */
  title: string;
  /** Absolute path of the file; null: the wizard's own. */
  file: string | null;
  plan: UpPlan;
  state: WayState;
  startedAt: number;
  endedAt: number | null;
  stages: readonly StageView[];
  /** What the stages have, to open them by. */
  site: string | null;
  jobId: number | null;
  deployment: string | null;
  runs: Readonly<Partial<Record<StageId, string>>>;
}
