/** What is done to an instance or a node, and how it ended. */

/**
 * One thing that is done to one instance, with all that it needs to know. What a provider has not is refused by `refuses`
 * with the reason. Sizes in MiB.
 */
export type Action =
  | { do: "start" }
  /** Asks the guest; `ActionLimits.limitSeconds` says how long it may take. */
  | { do: "shutdown" }
  /** `clean` asks the guest; `hard` is the provider's own way to start it anew; absent: clean. */
  | { do: "reboot"; how?: "clean" | "hard" }
  /** Like the reset button: the same process, nothing saved. */
  | { do: "reset" }
  | { do: "force-off" }
  | { do: "pause" }
  | { do: "resume" }
  /** Memory to disk, then off (libvirt's managed save, Xen's save, XenServer's suspend). */
  | { do: "save" }
  | { do: "restore" }
  /** Forgets what was saved: the next start boots. */
  | { do: "discard-save" }
  | { do: "autostart"; on: boolean }
  | { do: "rename"; to: string }
  /** Takes its definition away, its snapshots and saved memory with it, and its disks unless they are kept. */
  | { do: "remove"; keepDisks: boolean }
  /** `to`: a target of `targets`, or null where the provider chooses. */
  | { do: "migrate"; to: string | null; live: boolean }
  /** Ganeti: starts it on its secondary, whatever the primary does. */
  | { do: "failover"; to: string | null }
  /** Ganeti: copies the disks to another node; it is off meanwhile. */
  | { do: "move"; to: string }
  | { do: "snapshot-create"; name: string; description: string; memory: boolean }
  | { do: "snapshot-revert"; name: string }
  | { do: "snapshot-delete"; name: string }
  | { do: "clone"; to: string }
  | { do: "set-memory"; mebibytes: number }
  | { do: "set-vcpus"; count: number }
  /** `pool`: where the provider keeps volumes; null: its default. */
  | { do: "disk-add"; mebibytes: number; pool: string | null }
  | { do: "disk-grow"; disk: string; mebibytes: number }
  | { do: "disk-remove"; disk: string; keepVolume: boolean }
  /** A network or bridge of `details.networks`. */
  | { do: "nic-add"; network: string }
  | { do: "nic-remove"; nic: string }
  | { do: "media-insert"; disk: string | null; path: string }
  | { do: "media-eject"; disk: string }
  | { do: "tag"; add: readonly string[]; remove: readonly string[] }
  | { do: "note"; text: string }
  /** Replaces the definition by a text that `definition` gave and the user changed. */
  | { do: "define"; text: string };

export type ActionName = Action["do"];

/** The actions that are complete by their name. */
export type PlainActionName = {
  [N in ActionName]: { do: N } extends Extract<Action, { do: N }> ? N : never;
}[ActionName];

/** What every provider can do. */
export type BasicActionName = "start" | "shutdown" | "reboot" | "force-off";

/** What is done to a node of a cluster. */
export type NodeAction =
  /** All instances away from it: primaries migrated (or failed over when it is offline), secondaries replaced. */
  | { do: "evacuate"; which: "primary" | "secondary" | "all" }
  | { do: "drain"; on: boolean }
  /** Marks it as gone, or as back. */
  | { do: "offline"; on: boolean }
  /** Makes this node the master. */
  | { do: "master" };

export type NodeActionName = NodeAction["do"];

/** What an action has to report while it runs. */
export interface ActionEvent {
  text: string;
  /** Ganeti's job number, once there is one. */
  job?: string;
}

export interface ActionOutcome {
  ok: boolean;
  job: string | null;
  /** What more there is to say when it is ok: `the guest was asked to reboot`. */
  text: string | null;
  /** In the user's words, when not ok. */
  error: string | null;
  /** The provider's own text under it. */
  detail: string | null;
  /** A clean shutdown's time limit has run out, and the guest runs on. */
  unheard?: true;
}

/** Why an action can't be done now, or null when it can. */
export type Refusal = string | null;

export interface ActionLimits {
  /** Seconds that a shutdown may take before it counts as failed (default 120). */
  limitSeconds?: number;
}
