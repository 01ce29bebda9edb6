/**
 * What the inventory shows and does. The implementation is `createInventory` (inventory.ts); the screen and the headless
 * commands know only this file and `types.ts`.
 */
import type { EventEmitter } from "node:events";
import type { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import type { ParallelSettings } from "./limits.ts";
import type {
  Action,
  ActionName,
  HostNode,
  Instance,
  Late,
  NodeAction,
  NodeActionName,
  Provider,
  ProviderEvent,
  ProviderName,
  Status,
} from "./types.ts";
import type { Condition, OnFailure, Wave } from "./waves.ts";

export interface InventoryOptions {
  pool: Pool;
  hosts: readonly HostRef[];
  /** libvirt connection URI (default `qemu:///system`). */
  uri?: string;
  /** Milliseconds between two refreshes of a host that is looked at (default 4000). */
  intervalMs?: number;
  /** The same for a host all of whose providers tell of changes by themselves (default 30,000; never below `intervalMs`). */
  watchedIntervalMs?: number;
  /** Actions that run at once on each place and host (default: 2 on each place). */
  limits?: ParallelSettings;
}

/**
 * - `discovering`: nothing known yet, the first answer is awaited;
 * - `ok`: the last refresh worked;
 * - `stale`: it worked once, the last refresh failed (`error` says why); the rows are of `seenAt`;
 * - `error`: it never worked, or nothing that virtu knows runs there.
 */
export type HostState = "discovering" | "ok" | "stale" | "error";

export interface HostView {
  /** As the user named it; unique in the inventory. */
  host: string;
  state: HostState;
  /** What was found there: `label` is the connection URI or the cluster's name. */
  providers: readonly { name: ProviderName; label: string; cluster: string | null; sharedWith: string | null }[];
  /** Epoch milliseconds of the last good answer, or null. */
  seenAt: number | null;
  error: VirtuError | null;
  /** Providers that are there and can't be used (no permission, daemon stopped), while others may work. */
  problems: readonly VirtuError[];
  /** Remarks of the last refresh that are no failure: a hanging QEMU, for instance. */
  notes: readonly string[];
  /** Nodes behind it that do not answer in time: their rows are stale, those of the others are not. */
  late: readonly Late[];
  /** Epoch milliseconds of the next try of a host that failed, while somebody watches; else null. */
  retryAt: number | null;
  refreshing: boolean;
  /** Changes on it are told as they happen, so that it is asked more seldom. */
  live: boolean;
  /** Milliseconds that the last good refresh took, or null. */
  tookMs: number | null;
}

export type ActionState = "queued" | "running" | "done" | "failed" | "cancelled";

/** One action on one instance or node, from the queue to its outcome. Replaced, never changed in place. */
export interface ActionItem {
  /** Counts up over the inventory's life. */
  id: number;
  /** Equal for everything that one `act` call started. */
  run: number;
  action: ActionName | NodeActionName;
  request: Action | NodeAction;
  /** Of the instance, or of the node. */
  key: string;
  name: string;
  host: string;
  state: ActionState;
  /** What happens now or how it ended, one line: `Ganeti job 57: waiting for locks`. */
  text: string;
  /** Ganeti's job number. */
  job: string | null;
  error: string | null;
  /** The provider's own text under `error`. */
  detail: string | null;
  /** A clean shutdown whose time limit has run out while the guest runs on: force, or a longer wait, is to be offered. */
  unheard?: true;
  /** Null for a node. */
  statusBefore: Status | null;
  /** What a refresh after the action really saw; null until then. */
  statusAfter: Status | null;
  /** Epoch milliseconds. */
  queuedAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** In a run of waves, the index of its wave. */
  wave?: number;
}

/**
 * - `acting`: its instances are acted on; - `checking`: they are asked the conditions;
 * - `failed`: one of them failed, or a condition did not hold in time; - `cancelled`: it never began.
 */
export interface WaveView {
  title: string;
  until: readonly Condition[];
  state: "waiting" | "acting" | "checking" | "done" | "failed" | "cancelled";
  /** What is waited for, or why it failed. */
  text: string;
}

/** Everything that one `act` call started. */
export interface ActionRunView {
  run: number;
  request: Action | NodeAction;
  /** In the order asked for. */
  items: readonly ActionItem[];
  /** Empty where no order was asked for. */
  waves: readonly WaveView[];
  /** Epoch milliseconds. */
  startedAt: number;
  endedAt: number | null;
}

/** An instance as the table shows it. */
export interface InstanceRow extends Instance {
  /** Epoch milliseconds of the answer that it comes from. */
  seenAt: number;
  /** Its host's last refresh failed, or its node is `late`: this is what was known at `seenAt`. */
  stale: boolean;
  /** The action that is queued or running on it, or its latest outcome until the next `act` on it; else null. */
  action: ActionItem | null;
}

export interface NodeRow extends HostNode {
  seenAt: number;
  stale: boolean;
}

/** A whole picture; the same object as long as nothing changed, so that a subscription can compare it by `===`. */
export interface InventoryView {
  hosts: readonly HostView[];
  /** By name, then host. */
  instances: readonly InstanceRow[];
  nodes: readonly NodeRow[];
  /** Queued and running actions, oldest first. */
  pending: readonly ActionItem[];
  /** The latest runs, newest first. */
  runs: readonly ActionRunView[];
}

export interface InventoryEvents {
  /** `view()` gives something new. Not throttled: several may come in one tick. */
  change: [];
  /** An item was queued, moved, or ended: one line of the log pane. */
  action: [ActionItem];
  /** Somebody changed something, told by a provider as it happened. */
  event: [HostEvent];
}

/** A provider's event with where it came from. */
export interface HostEvent extends ProviderEvent {
  /** The host as the user named it. */
  host: string;
  provider: ProviderName;
  cluster: string | null;
}

/** An instance or node with the provider that acts on it. */
export type Found =
  | { kind: "instance"; provider: Provider; instance: Instance }
  | { kind: "node"; provider: Provider; node: HostNode };

export interface WatchOptions {
  /** Milliseconds between two refreshes (default: the usual interval). */
  everyMs?: number;
  /** Only these hosts are looked at (default: all). */
  hosts?: readonly string[];
  /** What instances and nodes use is looked at: what costs a question of its own is asked, too. */
  usage?: boolean;
}

export interface ActOptions {
  /** Actions at once on each place, for this run, whatever the limits say. */
  parallel?: number;
  /** Seconds that a shutdown may take before it counts as failed (default 120). */
  limitSeconds?: number;
  /** Cancels items that have not started, and stops following the started ones (they go on where they run). */
  signal?: AbortSignal;
  /** One after the other; keys that stand in none of them begin at once. */
  waves?: readonly Wave[];
  /** What becomes of the waves after one that failed (default `stop`). */
  onFailure?: OnFailure;
}

export interface ActionRun {
  run: number;
  /** The items as they are now, in the order asked for. */
  items(): readonly ActionItem[];
  /** Resolves when every item has ended and `statusAfter` is known as far as it can be. Never rejects. */
  done: Promise<readonly ActionItem[]>;
  /** Takes back those of its items that have not started. */
  cancel(): void;
}

export interface Inventory extends EventEmitter<InventoryEvents> {
  view(): InventoryView;
  /**
   * Somebody looks: refresh at once and then at the interval, or every `everyMs` milliseconds; of several who look at a
   * host the shortest counts. Call what it returns to stop; a host that nobody looks at any more is not asked.
   */
  watch(options?: WatchOptions): () => void;
  /**
   * Refreshes these hosts (default all) now, back-off or not; `usage` as for `watch`. Resolves when all have answered or
   * failed, nodes that are late, too; never rejects.
   */
  refresh(hosts?: readonly string[], options?: { signal?: AbortSignal; usage?: boolean }): Promise<void>;
  addHost(host: HostRef): void;
  removeHost(name: string): void;
  /** What a key of the view stands for now, for questions to its provider (details, console, targets); null: it is gone. */
  find(key: string): Found | null;
  /** The providers that show something, one for each place. */
  providers(): readonly Provider[];
  /** Null, or why this action can't be done on this instance or node now (also: one is under way). */
  refuses(action: ActionName | NodeActionName, key: string): string | null;
  /** What an action would run, and on which host: for `--dry-run` and confirmations. */
  preview(
    action: Action | NodeAction,
    keys: readonly string[],
    options?: ActOptions,
  ): { key: string; host: string; lines: string[] }[];
  /** Queues the action for these instances or nodes; keys that are not known or that refuse end as `failed` at once. */
  act(action: Action | NodeAction, keys: readonly string[], options?: ActOptions): ActionRun;
  /** Takes back an item that has not started; false when it has. */
  cancel(itemId: number): boolean;
  /** Takes back what of a run has not started; how many items that were. */
  cancelRun(run: number): number;
  /** The request of a run that is over once more, on those where it failed; null when there are none. */
  retry(run: number, options?: Pick<ActOptions, "signal">): ActionRun | null;
  /** Stops polling and following; nothing on the hosts is touched. */
  end(): void;
}
