/** Instances, nodes and the small interface behind which each provider stands. What is done to them: action-types.ts. */
import type { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, HostRef, Pool } from "../ssh/types.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
  ActionName,
  ActionOutcome,
  NodeAction,
  NodeActionName,
  Refusal,
} from "./action-types.ts";
import type { Maker } from "./create-maker.ts";
import type { Stores } from "./stores-types.ts";

export type * from "./action-types.ts";

export type ProviderName = "ganeti" | "libvirt" | "xen" | "xenserver";
export type Status = "running" | "stopped" | "paused" | "error" | "unknown";

/**
 * What a running instance uses, as its provider last counted it. Counters grow from its start on; one that went back means
 * that it was started anew. Null: the provider does not tell.
 */
export interface Usage {
  /** Epoch milliseconds at which it was counted; absent: with the answer that it came in. */
  at?: number;
  /** CPU time, nanoseconds. */
  cpuNs: number | null;
  /** MiB that it uses. */
  memoryMiB: number | null;
  /** Whose number that is: the guest's own (its balloon driver tells), or what its process holds of the host's memory. */
  memorySource: "balloon" | "resident" | null;
  /** Bytes of all its disks and network cards. */
  diskReadBytes: number | null;
  diskWrittenBytes: number | null;
  netInBytes: number | null;
  netOutBytes: number | null;
}

/** What a node that does not answer in time is shown by: what was known of it. */
export interface Late {
  node: string;
  /** Epoch milliseconds since when it has not answered in time. */
  since: number;
  /** Epoch milliseconds of its newest answer, in time or not; null: none yet, and only what needs none is known. */
  seenAt: number | null;
}

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
  /** Absent while it is off, and where the provider counts nothing. */
  usage?: Usage;
  /** Why there are no such numbers, or not all of them, while it runs: `the fake hypervisor runs nothing`. */
  usageGap?: string;
  /** Its node has not answered in time. Absent: it has. */
  late?: Late;
}

/** A place where disks lie, and how full it is; MiB. */
export interface PoolFill {
  name: string;
  totalMiB: number;
  freeMiB: number;
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
  /** CPU time of the node, nanoseconds over all its CPUs: what was busy, and all there was. Absent: not counted. */
  cpu?: { busyNs: number; totalNs: number; at?: number };
  /** Where its instances' disks lie. Absent: not known. */
  pools?: readonly PoolFill[];
  /** Why some of what it uses is not known. */
  usageGap?: string;
  /** It has not answered in time. Absent: it has. */
  late?: Late;
}

export interface Snapshot {
  instances: Instance[];
  nodes: HostNode[];
  /** What the user should know and is no failure: `a QEMU process hangs, numbers are missing`. */
  notes: string[];
  /** Resolves to the whole picture again when something has come that is awaited still. Absent: nothing is. Never rejects. */
  rest?: () => Promise<Snapshot>;
}

export interface DiskInfo {
  /** As `disk-grow` and the other disk actions take it: `vda`, `disk/0`. */
  id: string;
  kind: "disk" | "cdrom" | "floppy";
  /** File, volume or template; null: an empty drive. */
  source: string | null;
  sizeMiB: number | null;
  /** What it is made of, in the provider's words: `qcow2`, `plain`. */
  format: string | null;
  /** Not the instance's own: it stays when that is removed, whatever is asked for. */
  stays?: true;
}

export interface NicInfo {
  /** As `nic-remove` takes it. */
  id: string;
  mac: string | null;
  /** Network or bridge. */
  network: string | null;
  addresses: readonly string[];
}

export interface SnapshotInfo {
  name: string;
  parent: string | null;
  /** Epoch seconds. */
  at: number | null;
  /** The provider's word for what was kept: `running`, `shutoff`, `disk-snapshot`. */
  state: string;
  current: boolean;
  description: string;
}

/** What is read of one instance only when somebody looks at it alone. */
export interface InstanceDetails {
  disks: readonly DiskInfo[];
  nics: readonly NicInfo[];
  /** Parents before their children. */
  snapshots: readonly SnapshotInfo[];
  tags: readonly string[];
  note: string;
  /** What `nic-add` can take. */
  networks: readonly string[];
  /** What `disk-add` can take, with MiB that are free (null: not known). */
  pools: readonly { name: string; freeMiB: number | null }[];
  /** The files that `media-insert` can take, as far as the provider knows any. */
  media: readonly string[];
  vcpusMax: number | null;
  memoryMaxMiB: number | null;
  /** Its definition or the provider's full account of it, as `define` takes it back where `editable`. */
  definition: { text: string; language: "xml" | "yaml" | "text"; editable: boolean };
  /** Further lines that the provider knows: name and value. */
  more: readonly (readonly [string, string])[];
}

/** Where an instance can go. */
export interface MigrationTarget {
  /** As `migrate` takes it. */
  name: string;
  memoryFreeMiB: number | null;
  /** Why it can't go there, or null. */
  refusal: string | null;
  /** What else was looked at, one line; empty when there is nothing to say. */
  note: string;
}

/** Why a console can't be had or has ended, in the user's words. */
export interface ConsoleReason {
  why: string;
  hint: string;
  /** Somebody else has it. */
  inUse: boolean;
  /** The instance is off, or has no such console; absent: neither, as far as is known. */
  kind?: "off" | "none";
}

/** How a console is opened: a command on a terminal of the host. */
export interface ConsoleWay {
  host: HostRef;
  command: Command;
  /** The same, taking the console from whoever has it; null where that can't be done. */
  takeOver: Command | null;
  /** Starts the instance and is attached before it prints its first line; null or absent: the provider can't do that. */
  start?: Command | null;
  /** Sent after the opening, so that a silent getty prints its prompt; null: nothing is needed. */
  wake: string | null;
  /** What the remote program takes to leave (`\x1d`); null: closing the channel is enough. */
  leave: string | null;
  /** Why one may not want to open it now: what it would hinder. Absent or null: nothing. */
  warning?: string | null;
  /** Asked when nothing is heard: who else has it (`on node1, for 3 min`), null when nobody has. Absent: nobody can tell. */
  heldBy?: (signal: AbortSignal) => Promise<string | null>;
  /** What it means when the program ends well by itself; absent: the guest is off, or somebody took it over. */
  over?: string;
  /** What the program's last words mean, in the user's words, when it ended by itself; null: nothing known. */
  explain: (text: string, status: number | null) => ConsoleReason | null;
}

/** The graphical console of an instance: a port that only its host can reach. */
export interface GraphicsWay {
  kind: "vnc" | "spice";
  host: HostRef;
  /** As seen from `host`. */
  address: string;
  port: number;
}

/** Somebody changed something: what a provider tells while it is watched. */
export interface ProviderEvent {
  /** Epoch milliseconds, by the host's clock where it says so. */
  at: number;
  /** Key of the instance, or null when it is about the place as a whole. */
  key: string | null;
  /** Name of the instance, node or job that it is about. */
  name: string;
  /** What happened, one line in the provider's words. */
  text: string;
  /** Who did it, where that is known. */
  by: string | null;
  /** False for what changes no row (progress of a job): it goes into the feed and nothing is read anew. */
  changes: boolean;
}

/** A job of a provider that has a queue (Ganeti). */
export interface ProviderJob {
  id: string;
  /** The provider's word. */
  state: string;
  summary: string;
  /** Epoch seconds. */
  at: number | null;
  /** It waits and can be taken back. */
  cancellable: boolean;
  log: readonly string[];
}

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
  /** With `parts` nobody waits for what is late: it comes as the snapshot's `rest`. Without, the snapshot is whole. */
  list(options: ProviderOptions & { parts?: boolean }): Promise<Snapshot>;
  /** Null, or why this action makes no sense for this instance now; what the provider has not at all is refused too. */
  refuses(action: ActionName, instance: Instance): Refusal;
  /** The exact command lines, for `--dry-run` and confirmations. */
  preview(action: Action, instance: Instance, options?: ActionLimits): string[];
  /** Never rejects for what the provider says; rejects with a `VirtuError` when it can't be reached or was cancelled. */
  act(
    action: Action,
    instance: Instance,
    options: ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome>;
  /**
   * The action as one line that the host itself can run later without anybody's help (`at`, a timer), as the account that
   * virtu uses there. Null: it takes more than a line.
   */
  unattended(action: Action, instance: Instance): Command | null;
  details(instance: Instance, options: ProviderOptions): Promise<InstanceDetails>;
  /** Where `migrate`, `move` and `failover` can go; empty where the provider chooses or nothing can be chosen. */
  targets(
    action: "migrate" | "move" | "failover",
    instance: Instance,
    options: ProviderOptions,
  ): Promise<MigrationTarget[]>;
  /** How its text console is opened, or why there is none. */
  console(instance: Instance): ConsoleWay | { refusal: string; hint: string };
  /** Its graphical console, or null when it has none or is off. */
  graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null>;
  /** A picture of its screen (PPM or PNG), or why there is none. Absent: the provider has none at all. */
  screenshot?(instance: Instance, options: ProviderOptions): Promise<Uint8Array>;
  /** Why no picture can be taken of this one, as far as that is known beforehand. Absent: of each that runs. */
  refusesScreenshot?(instance: Instance): Refusal;
  /**
   * Tells what anybody changes, until the signal is aborted. Rejects when the stream broke or can't be had; nothing was
   * said meanwhile, so everything is then read anew. Absent: the provider has no events.
   */
  watch?(options: { signal: AbortSignal; onReady: () => void; onEvent: (event: ProviderEvent) => void }): Promise<void>;
  /**
   * Milliseconds after which the list is read again although `watch` tells of changes: for what it does not tell, as when a
   * guest's process dies. Absent: that is seldom enough.
   */
  readonly unseenMs?: number | undefined;
  /** Absent: the provider has no actions on nodes. */
  readonly nodes?: NodeActions;
  /** Absent: the provider has no storage or networks of its own to look after. */
  readonly stores?: Stores;
  /** Absent: the provider has no jobs. */
  readonly jobs?: ProviderJobs;
  /** What makes instances through it; loaded by the call. Absent: none can be made. */
  maker?(): Promise<Maker>;
}

export interface NodeActions {
  refuses(action: NodeActionName, node: HostNode): Refusal;
  preview(action: NodeAction, node: HostNode): string[];
  act(
    action: NodeAction,
    node: HostNode,
    options: ProviderOptions & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome>;
}

export interface ProviderJobs {
  /** Newest first, bounded. */
  list(options: ProviderOptions): Promise<ProviderJob[]>;
  /** Takes back a job that waits; an error says why it can't. */
  cancel(id: string, options: ProviderOptions): Promise<void>;
}

export interface ProviderOptions extends Pick<ExecOptions, "signal" | "priority" | "timeoutMs"> {
  /**
   * Somebody looks at what instances and nodes use: numbers that cost a question of their own may be so many milliseconds
   * old, and are asked anew when they are older. Absent: nobody looks, and only what comes with the list anyway is told.
   */
  usageWithinMs?: number;
}

export interface Discovery {
  providers: Provider[];
  /** Providers that are there and can't be used: no permission, daemon stopped. Both lists empty: nothing we know runs there. */
  problems: VirtuError[];
}

export interface DiscoverOptions extends ProviderOptions {
  /** libvirt connection URI; when it is given, a host without libvirt is a problem. */
  uri?: string;
  /** Other hosts that the user named, kept by the providers: a Ganeti master among them is reached as named there. */
  known?: readonly HostRef[];
}

/** Finds what a host runs, in one round trip. Rejects as `Pool.exec` does. */
export type Discover = (pool: Pool, host: HostRef, options?: DiscoverOptions) => Promise<Discovery>;
