/** All that a deployed node is besides its files: packages, disks, network, services. */
import type { Call, Machine } from "../machine/machine.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { Change, Packages } from "./packages.ts";
import type { Storage } from "./storage.ts";
import type { Node } from "./testbed.ts";

/** What a scenario makes go wrong on one node. */
export interface Trouble {
  /** Before apt takes dpkg's lock. */
  beforeLock(call: Call): void;
  /** A package whose installation fails, or null. */
  failingPackage(changes: readonly Change[]): Change | null;
  /** How much longer than usual an upgrade takes: 1. */
  slowness(): number;
  /** The node dies while it installs these; then nothing of it goes on. */
  dies(call: Call, changes: readonly Change[]): Promise<boolean>;
}

export interface NodeSystem {
  readonly node: Node;
  readonly machine: Machine;
  /** null: not a Debian. */
  readonly packages: Packages | null;
  readonly storage: Storage;
  readonly network: NodeNetwork;
}
