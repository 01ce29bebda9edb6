/**
 * What it takes to make instances: what is asked for, what would run, what happens, how it ended. Sizes in MiB. Nothing in
 * these types is secret, and all of them are plain data: they can be printed, kept as a template, sent to `--json`.
 */
import type { ProviderName } from "./types.ts";

interface CommonRequest {
  /** As the provider will know it. Ganeti: best a full host name. */
  name: string;
  memoryMiB: number;
  vcpus: number;
  /** False: it is made and left off. */
  start: boolean;
}

/** One network card. `network` is Ganeti's or libvirt's network, `link` a bridge of the host; never both. */
export interface NicRequest {
  network: string | null;
  link: string | null;
  /** `52:54:00:12:34:56`; null: the provider chooses. */
  mac: string | null;
  /** The address it is to have. Ganeti only remembers it, for libvirt it goes to cloud-init. */
  ip: string | null;
}

export interface GanetiRequest extends CommonRequest {
  provider: "ganeti";
  /** OS definition with its variant: `debootstrap+default`. */
  os: string;
  /** False: the OS scripts don't run, and it is left off (Ganeti starts nothing that it did not install). */
  install: boolean;
  osParameters: Readonly<Record<string, string>>;
  /** `plain`, `drbd`, `file`, `sharedfile`, `diskless`, … */
  diskTemplate: string;
  /** Empty with `diskless`. */
  disksMiB: readonly number[];
  placement:
    | { kind: "node"; primary: string; secondary: string | null }
    /** `name` null: the cluster's own allocator, mostly `hail`. */
    | { kind: "allocator"; name: string | null };
  /** null: one card as the cluster's defaults say. Empty: none. */
  nics: readonly NicRequest[] | null;
  /** null: the cluster's first one. */
  hypervisor: string | null;
  hypervisorParameters: Readonly<Record<string, string>>;
  /** Besides memory and vcpus: `minmem`, `auto_balance`, … */
  backendParameters: Readonly<Record<string, string>>;
  /** Must the name resolve, and its address be unused? Off for instances that no DNS knows. */
  nameCheck: boolean;
  ipCheck: boolean;
  tags: readonly string[];
}

export type ImageFormat = "qcow2" | "raw";

export type LibvirtDisk =
  /** A volume to be made; `volume` null: named after the instance. */
  | { kind: "new"; pool: string; volume: string | null; sizeMiB: number; format: ImageFormat }
  | { kind: "volume"; pool: string; volume: string }
  /** A file or device that is there, used in place. */
  | { kind: "path"; path: string };

/** Where an image is copied to. `sizeMiB` null: as large as the image says; it is never made smaller. */
export interface ImageCopy {
  pool: string;
  volume: string | null;
  sizeMiB: number | null;
}

export interface CloudInit {
  /** Account to make, with sudo without a password; null: the image's own. */
  user: string | null;
  /** Public keys that may log in as that account. */
  keys: readonly string[];
  hostname: string | null;
  /** Static addresses of the first card; null: DHCP. */
  network: StaticNetwork | null;
  /** A whole user-data of the user's own instead of user and keys. */
  userData: string | null;
}

export interface StaticNetwork {
  /** With its prefix length: `10.144.0.5/14`. */
  address: string;
  gateway: string | null;
  dns: readonly string[];
}

/** How an operating system comes onto a libvirt instance. */
export type LibvirtMedia =
  /** `upload`: a local file that is first sent to `path`. */
  | { kind: "iso"; path: string; upload: string | null }
  /** A tree by URL or directory; kernel and initrd are paths in it, where it is none that is known. */
  | { kind: "location"; location: string; kernel: string | null; initrd: string | null; extraArgs: string }
  | { kind: "pxe" }
  /** `copy` null: used in place. */
  | { kind: "import"; image: string; copy: ImageCopy | null }
  | { kind: "cloud"; image: string; copy: ImageCopy; cloudInit: CloudInit }
  /** Nothing: it boots from its disks as they are. */
  | { kind: "none" };

export interface LibvirtRequest extends CommonRequest {
  provider: "libvirt";
  /** Known beforehand, so that what is cleaned up is certainly ours. */
  uuid: string;
  media: LibvirtMedia;
  /** A name of `virt-install --osinfo list`; null: detected, and taken as a generic one where it can't be. */
  osinfo: string | null;
  /** After the imported image, if there is one. Empty: none. */
  disks: readonly LibvirtDisk[];
  /** Empty: none. */
  nics: readonly NicRequest[];
  /** `x86_64`; null: the host's own, as in all of these. */
  arch: string | null;
  machine: string | null;
  firmware: "bios" | "uefi" | null;
  /** `kvm` or `qemu`; null: kvm where the host has it. */
  virtType: string | null;
  graphics: "none" | "vnc" | "spice";
}

export type XenDisk =
  /** A file that is made; `path` null: named after the domain, in `directory` (null: where the host's others are). */
  | { kind: "file"; path: string | null; directory: string | null; sizeMiB: number; image: string | null }
  /** A logical volume that is made; `volume` null: named after the domain. */
  | { kind: "volume"; group: string; volume: string | null; sizeMiB: number; image: string | null }
  /** A file or device that is there, used in place. */
  | { kind: "path"; path: string; format: ImageFormat };

/** What a Xen domain boots. */
export type XenBoot =
  /** A kernel of dom0's own files. */
  | { kind: "kernel"; kernel: string; ramdisk: string | null; extraArgs: string }
  /** `pygrub`: reads the boot loader's files in the first disk. */
  | { kind: "bootloader"; bootloader: string }
  /** A drive with this ISO image behind the disks; hvm only. */
  | { kind: "iso"; iso: string }
  /** Its firmware finds it on the disks; hvm only. */
  | { kind: "disk" };

export interface XenRequest extends CommonRequest {
  provider: "xen";
  /** Stands in its file, so that the domain is known by it and what is cleaned up is certainly ours. */
  uuid: string;
  type: "pv" | "pvh" | "hvm";
  boot: XenBoot;
  disks: readonly XenDisk[];
  /** `link` null: the host's first bridge. A card without a MAC gets one that stays the same over all starts. */
  nics: readonly NicRequest[];
  graphics: "none" | "vnc";
}

/** A disk of a guest of XenServer; `repository` null: the request's, else the pool's default. */
export interface XenServerDisk {
  sizeMiB: number;
  repository: string | null;
}

export interface XenServerRequest extends CommonRequest {
  provider: "xenserver";
  /** It is made under this name and then gets its own: so it is known even if the answer that names it is lost. */
  uuid: string;
  /** Name or UUID of a template. */
  template: string;
  /** Where the template's own disks go: name or UUID; null: the pool's default. */
  repository: string | null;
  /** Beside those that the template brings. */
  disks: readonly XenServerDisk[];
  /** null: the template's own. `network` by name or UUID. */
  nics: readonly NicRequest[] | null;
  /** Name of an ISO image in the pool's libraries; null: none. */
  iso: string | null;
  /** URL of a tree that the template's installer is to use; null: none. */
  location: string | null;
  note: string;
  tags: readonly string[];
}

export type CreateRequest = GanetiRequest | LibvirtRequest | XenRequest | XenServerRequest;

/** When an instance counts as ready. */
export interface ReadyWanted {
  by: "console" | "ping" | "ssh";
  /** With `console`: the line to wait for, a regular expression (default `login:`). */
  pattern: string | null;
  /** With `ping` and `ssh`: where; null: what the request or the host's DHCP says. */
  address: string | null;
  /** Seconds from its start. */
  limitSeconds: number;
}

/** One step of making one instance, as it would run. */
export interface CommandLine {
  /** The host that runs it. */
  host: string;
  line: string;
}

/** Something that stands in the way, and which field it is about: `memory`, `disks.0.size`, `name`. */
export interface CreateProblem {
  field: string;
  text: string;
}

/** One instance of a plan. */
export interface CreateRow {
  name: string;
  /** The host as the user named it. */
  host: string;
  provider: ProviderName;
  request: CreateRequest;
  /** Where it will run, as far as that is known: Ganeti's nodes, or `by hail`. */
  where: string;
  address: string | null;
  commands: CommandLine[];
  problems: CreateProblem[];
}

export interface CreatePlan {
  rows: CreateRow[];
}

/** What making an instance has to report while it goes on. */
export interface CreateEvent {
  name: string;
  host: string;
  /** `checking`, `disk`, `install`, `starting`, `waiting`, `cleaning`, … one word for a column. */
  step: CreateStep;
  /** One line for people. */
  text: string;
  /** From 0 to 1 where there is a measure: an upload. */
  done?: number;
  /** Ganeti's job number, once there is one. */
  job?: string;
}

export type CreateStep = "upload" | "disk" | "create" | "waiting" | "cleaning" | "done" | "failed";

export interface CreateOutcome {
  name: string;
  /** The host as the user named it. */
  host: string;
  provider: ProviderName;
  /** Made (and running, where that was asked for). `ready` is another matter. */
  ok: boolean;
  /** null: nobody wanted to know, or it was not made. */
  ready: boolean | null;
  /** Where it runs, once known: a node of the cluster. */
  node: string | null;
  address: string | null;
  /** Ganeti's job number. */
  job: string | null;
  /** What there is to say though it went well. */
  notes: string[];
  /** In the user's words, when it was not made or did not become ready. */
  error: string | null;
  /** The program's own text under it. */
  detail: string | null;
  /** What a failure had left and was taken away: `volume default/web1.qcow2`. */
  cleanedUp: string[];
  /** What it had left and is still there, with why. */
  leftBehind: string[];
  seconds: number;
}
