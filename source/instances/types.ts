/** Instances, nodes and the small interface behind which each provider stands. */
import type { VirtuError } from "../errors.ts";
import type { ExecOptions, HostRef, Pool } from "../ssh/types.ts";

export type ProviderName = "ganeti" | "libvirt" | "xen" | "xenserver";
export type Status = "running" | "stopped" | "paused" | "error" | "unknown";

export interface Instance {
  /** Unique over all hosts: its provider's `place`, a slash, its id. Two instances of one name never share it. */
  key: string;
  name: string;
  id: string;
  provider: ProviderName;
  /** Ganeti's cluster name; null where there is none. */
  cluster: string | null;
  /** The host as the user named it, through which it is reached. */
  host: string;
  /** Where it runs, as the provider calls it. */
  node: string | null;
  status: Status;
  /** The provider's own word: `ERROR_nodedown`, `shut off`. */
  statusDetail: string;
  vcpus: number | null;
  memoryMiB: number | null;
  /** What else the provider knows; shown by `d` and in `--json`. */
  facts: Record<string, string | number | boolean | null>;
}

/** A host that carries instances. Sizes in MiB. Ganeti: DTotal DFree MTotal MNode MFree Pinst Sinst. */
export interface HostNode {
  key: string;
  name: string;
  provider: ProviderName;
  cluster: string | null;
  host: string;
  /** Provider's own words: `master`, `drained`, `offline`, … */
  roles: string[];
  diskTotal: number | null;
  diskFree: number | null;
  memoryTotal: number | null;
  memoryNode: number | null;
  memoryFree: number | null;
  primaryInstances: number | null;
  secondaryInstances: number | null;
}

export interface Snapshot {
  instances: Instance[];
  nodes: HostNode[];
  /** What the user should know and is no failure: `a QEMU process hangs, numbers are missing`. */
  notes: string[];
}

export type ActionName = "start" | "shutdown" | "reboot" | "force-off";

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
}

/** Why an action can't be done now, or null when it can. */
export type Refusal = string | null;

export interface Attachment {
  /** The host as the user named it, through which the provider was found. */
  host: HostRef;
  /** What tells it apart there: connection URI, cluster name. */
  label: string;
}

/**
 * One provider on one host or cluster. `list` is one round trip. Nothing here keeps state between calls besides what
 * was found out when it was attached.
 */
export interface Provider {
  readonly name: ProviderName;
  readonly attachment: Attachment;
  /** Ganeti: the cluster's name. */
  readonly cluster: string | null;
  /** Unique over all hosts: equal for two providers that show the same instances (a cluster reached through two nodes). */
  readonly place: string;
  /**
   * Where the commands run: the named host, or another one behind it (Ganeti's master). Of two providers with one place
   * the one that runs on the named host itself is preferred.
   */
  readonly target: HostRef;
  list(options: ProviderOptions): Promise<Snapshot>;
  /** Null, or why this action makes no sense for this instance now. */
  refuses(action: ActionName, instance: Instance): Refusal;
  /** The exact command lines, for `--dry-run` and confirmations. */
  preview(action: ActionName, instance: Instance, options?: ActionLimits): string[];
  /** Never rejects for what the provider says; rejects with a `VirtuError` when it can't be reached or was cancelled. */
  act(
    action: ActionName,
    instance: Instance,
    options: ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome>;
}

export interface ActionLimits {
  /** Seconds that a shutdown may take before it counts as failed (default 120). */
  limitSeconds?: number;
}

export interface ProviderOptions extends Pick<ExecOptions, "signal" | "priority" | "timeoutMs"> {}

export interface Discovery {
  providers: Provider[];
  /** Providers that are there and can't be used: no permission, daemon stopped. Both lists empty: nothing we know runs there. */
  problems: VirtuError[];
}

export interface DiscoverOptions extends ProviderOptions {
  /** libvirt connection URI; when it is given, a host without libvirt is a problem. */
  uri?: string;
  /** Other hosts that the user named: a Ganeti master among them is reached as named there. */
  known?: readonly HostRef[];
}

/** Finds what a host runs, in one round trip. Rejects as `Pool.exec` does. */
export type Discover = (pool: Pool, host: HostRef, options?: DiscoverOptions) => Promise<Discovery>;
