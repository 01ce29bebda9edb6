/** Where instances keep their disks and what connects them, as a provider's host has it. Sizes in MiB. */
import type { ActionOutcome, ProviderOptions } from "./types.ts";

export interface StoredVolume {
  name: string;
  path: string;
  sizeMiB: number | null;
  /** What it really takes. */
  takenMiB: number | null;
  /** Names of the instances that use it. */
  usedBy: readonly string[];
}

export interface StoragePool {
  name: string;
  active: boolean;
  autostart: boolean;
  /** `dir`, `logical`, …; null where it is not told. */
  type: string | null;
  /** Its directory or group. */
  target: string | null;
  sizeMiB: number | null;
  freeMiB: number | null;
  /** Empty while it is not active. */
  volumes: readonly StoredVolume[];
}

export interface Lease {
  mac: string;
  /** With its prefix length. */
  address: string;
  hostname: string | null;
  /** As the host says it, in its own time. */
  until: string;
  /** The instance whose card has that MAC address. */
  instance: string | null;
}

export interface VirtualNetwork {
  name: string;
  active: boolean;
  autostart: boolean;
  bridge: string | null;
  /** `nat`, `route`, `bridge`, `open`; null: isolated. */
  forward: string | null;
  /** With its prefix length. */
  address: string | null;
  dhcp: { from: string; to: string } | null;
  leases: readonly Lease[];
  usedBy: readonly string[];
}

/** What a new instance can be installed with (Ganeti's OS definitions). */
export interface StoredSystem {
  name: string;
  /** It can be used on every node. */
  valid: boolean;
  variants: readonly string[];
  /** Where it is not as it should be, in the provider's words. */
  troubles: readonly string[];
}

/** A part of the question that failed while others were answered: then the view has gaps. */
export interface StoreProblem {
  /** What can't be read: `its pools`. */
  what: string;
  why: string;
  /** What to do, where that is known. */
  hint?: string;
}

export interface StoreView {
  pools: readonly StoragePool[];
  networks: readonly VirtualNetwork[];
  /** Absent: the provider has none. */
  systems?: readonly StoredSystem[];
  problems: readonly StoreProblem[];
}

/** What is done to pools, volumes and networks. */
export type StoreAction =
  | { do: "volume-create"; pool: string; volume: string; mebibytes: number; format: "qcow2" | "raw" }
  | { do: "volume-remove"; pool: string; volume: string }
  /** A directory as a pool; made where it is not there. */
  | { do: "pool-create"; pool: string; directory: string }
  | { do: "pool-start"; pool: string }
  | { do: "pool-stop"; pool: string }
  /** Forgets the pool; what is in it stays. */
  | { do: "pool-remove"; pool: string }
  /** A network behind address translation, with DHCP. `address` is the host's own, with its prefix length. */
  | { do: "network-create"; network: string; address: string; from: string; to: string }
  | { do: "network-start"; network: string }
  | { do: "network-stop"; network: string }
  | { do: "network-remove"; network: string };

export interface Stores {
  /** Milliseconds between two looks while somebody looks, by what one costs the host. */
  readonly everyMs: number;
  /** One round trip. */
  list(options: ProviderOptions): Promise<StoreView>;
  /** Null, or why that must not or can't be done, by what was listed. */
  refuses(action: StoreAction, view: StoreView): string | null;
  /** The exact command lines. */
  preview(action: StoreAction): string[];
  /** Rejects when the host can't be reached; what it says is in the outcome. */
  act(action: StoreAction, options: ProviderOptions): Promise<ActionOutcome>;
}
