/** What a domain is made of beside its state: disks, network cards, snapshots, notes. */
import { createHash } from "node:crypto";

export interface SiteDisk {
  target: string;
  device: "disk" | "cdrom";
  /** The path of a volume of its host. */
  source: string | null;
}

export interface SiteSnapshot {
  name: string;
  description: string;
  /** Epoch seconds. */
  at: number;
  state: string;
  parent: string | null;
}

export interface SiteNic {
  mac: string;
  type: "network" | "bridge";
  source: string;
}

export interface DomainSet {
  description: string;
  tags: string[];
  disks: SiteDisk[];
  nics: SiteNic[];
  snapshots: SiteSnapshot[];
  current: string | null;
}

export function newMac(seed: string): string {
  const digest = createHash("sha256").update(seed).digest("hex");
  return `52:54:00:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
}

export function newSet(name: string): DomainSet {
  return {
    description: "",
    tags: [],
    disks: [
      { target: "vda", device: "disk", source: `/var/lib/libvirt/images/${name}.qcow2` },
      { target: "sda", device: "cdrom", source: null },
    ],
    nics: [{ mac: newMac(name), type: "network", source: "default" }],
    snapshots: [],
    current: null,
  };
}
