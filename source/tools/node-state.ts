/**
 * What a node is before anything is installed on it, in one shape for all that plan changes. Read by `node-state-parse.ts`
 * from what `node-state-ask.ts` asks.
 */
import type { Disk } from "./disks.ts";
import type { VolumeGroup } from "./lvm.ts";
import type { Interface, NetworkManager } from "./network.ts";

export interface NodeState {
  /** The kernel's host name, and what `hostname -f` says; null: it can't tell. */
  hostname: string;
  fullName: string | null;
  /** `hostname -f` gives an address of 127.0.0.0/8, as Debian's installer writes it. */
  nameIsLoopback: boolean;
  /** Address that the connection came to, or the one of the default route; null: none found. */
  address: string | null;
  root: boolean;
  system: {
    /** `debian`. */
    id: string;
    /** `12`, or empty. */
    version: string;
    /** `bookworm`, or empty. */
    codename: string;
    pretty: string;
    /** dpkg's name: `amd64`. */
    architecture: string;
    kernel: string;
  };
  /** The node's clock minus ours, in seconds; half of the round trip is not known. */
  clockAheadSeconds: number;
  /** Epoch second, by our clock, at which it was asked. */
  askedAt: number;
  timezone: string | null;
  /** `LANG` of /etc/default/locale, or null. */
  locale: string | null;
  /** Locales that can be used (`locale -a`). */
  locales: readonly string[];
  interfaces: readonly Interface[];
  /** Gateway of the default route and its interface. */
  gateway: { address: string; interface: string } | null;
  network: NetworkManager;
  disks: readonly Disk[];
  /** null: LVM is not installed. */
  groups: readonly VolumeGroup[] | null;
  /** Files with package sources, by path. */
  sources: Readonly<Record<string, string>>;
  /** Installed packages among those that matter, with their versions. */
  packages: Readonly<Record<string, string>>;
  /** Who holds apt's or dpkg's locks now (`apt-get`), or null. */
  packageLock: string | null;
  /** A former dpkg was interrupted and has to be finished first. */
  packagesHalfDone: boolean;
  /** /etc/hosts as it is. */
  hostsFile: string;
  /** Lines of root's authorized_keys. */
  authorizedKeys: readonly string[];
  /** Public key of root's own ed25519 key, `ssh-ed25519 AAAA… comment`; null: it has none. */
  ownKey: string | null;
  /** The SSH server's public keys, `ssh-ed25519 AAAA…` without comments. */
  hostKeys: readonly string[];
  /** `set`, `locked` or `none`, by /etc/shadow; null: could not be read. */
  rootPassword: "set" | "locked" | "none" | null;
  virtual: {
    /** /dev/kvm is there. */
    kvm: boolean;
    /** /dev/vhost-net is there. */
    vhostNet: boolean;
    /** `dom0`: it runs on Xen and controls it. */
    xen: "dom0" | "guest" | null;
    /** An old xend's configuration file, or null. */
    xendConfig: string | null;
  };
  /** Files of /boot: `vmlinuz-6.1.0-18-amd64`. */
  boot: readonly string[];
  /** Free bytes by mount point path asked for (`/`, `/var`, `/boot`). */
  freeBytes: Readonly<Record<string, number>>;
  memoryMiB: number | null;
  /** Cluster that the node belongs to, or null. */
  ganeti: { cluster: string; master: string; nodes: readonly string[] } | null;
  /** A libvirt daemon answers on its socket. */
  libvirt: boolean;
}
