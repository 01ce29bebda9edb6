/** A node's interfaces and addresses, and what configures them. */

export interface Address {
  family: "inet" | "inet6";
  address: string;
  prefix: number;
  broadcast: string | null;
  /** `global`, `link`, `host`. */
  scope: string;
}

export interface Interface {
  name: string;
  /** MAC address. */
  mac: string | null;
  up: boolean;
  /** It is a bridge. */
  bridge: boolean;
  /** Bridge or bond that it is part of. */
  master: string | null;
  addresses: readonly Address[];
}

export interface NetworkManager {
  kind: "ifupdown" | "networkd" | "netplan" | "network-manager" | "unknown";
  /** Its configuration files, by path. */
  files: Readonly<Record<string, string>>;
}
