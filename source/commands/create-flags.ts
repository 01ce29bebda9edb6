/** The flags of `virtu create` as the data that a file would hold: both then go the same way. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { collect } from "./run.ts";

export interface CreateFlags {
  provider?: string;
  count?: string;
  from?: string;
  memory?: string;
  vcpus?: string;
  start?: boolean;
  overcommit?: boolean;
  addresses?: string;
  job?: string;
  site?: string;
  prefix?: string;
  gateway?: string;
  dns?: string[];
  ready?: string;
  readyLimit?: string;
  readyPattern?: string;
  readyAddress?: string;
  nic?: string[];
  disk?: string[];
  iso?: string;
  upload?: string;
  location?: string;
  kernel?: string;
  initrd?: string;
  extraArgs?: string;
  pxe?: boolean;
  import?: string;
  copyTo?: string;
  cloudImage?: string;
  size?: string;
  user?: string;
  key?: string[];
  hostname?: string;
  userData?: string;
  osinfo?: string;
  arch?: string;
  machine?: string;
  firmware?: string;
  virtType?: string;
  graphics?: string;
  os?: string;
  install?: boolean;
  osParameter?: string[];
  diskTemplate?: string;
  node?: string;
  allocator?: string;
  hypervisor?: string;
  hypervisorParameter?: string[];
  backendParameter?: string[];
  nameCheck?: boolean;
  ipCheck?: boolean;
  tag?: string[];
  type?: string;
  bootloader?: string;
  template?: string;
  repository?: string;
  note?: string;
}

export function withCreateFlags(command: Command): Command {
  return command
    .option("--provider <name>", "libvirt, ganeti, xen or xenserver (default: by the other flags)")
    .option("--count <n>", "how many; the name is then a pattern like web-{n}, or web-{n:3} for three digits")
    .option("--from <n>", "the first number (default 1)")
    .option("--memory <size>", "512M, 2G, or a number of MiB")
    .option("--vcpus <n>", "CPUs (default 1)")
    .option("--no-start", "make it and leave it off")
    .option("--overcommit", "let memory and room be promised more than once")
    .option("--addresses <range>", "an address for each: 10.144.0.0/22, or 10.144.0.5-10.144.0.40")
    .option("--job <id>", "an address for each from this job's subnet, with the site's gateway and name server")
    .option("--site <site>", "the site of that job")
    .option("--prefix <length>", "prefix length of the addresses' network (default: the site's)")
    .option("--gateway <ip>", "gateway of the addresses (default: the site's)")
    .option("--dns <ip>", "name server for cloud-init; repeatable", collect)
    .option("--ready <how>", "wait until it answers: console, ping or ssh")
    .option("--ready-limit <seconds>", "how long to wait for that (default 300)")
    .option("--ready-pattern <regex>", "the line of the console to wait for (default login:)")
    .option("--ready-address <ip>", "where it is to answer (default: what is known of it)")
    .option("--nic <card>", "network=NAME or bridge=NAME, with ,mac= and ,ip=; or none; repeatable", collect)
    .option(
      "--disk <disk>",
      "size=10G,pool=P,format=qcow2,volume=V; volume=V,pool=P; path=/F; or 10G; on Xen also size=10G with path=, directory= or group=, and image=; on XenServer size=10G,repository=R; repeatable",
      collect,
    )
    .optionsGroup("Options for libvirt:")
    .option("--iso <path>", "install from this ISO of the host")
    .option("--upload <file>", "send this local file to the path of --iso first")
    .option("--location <url>", "install from a tree: a URL, or a directory of the host")
    .option("--kernel <path>", "the kernel in that tree, where it is none that is known")
    .option("--initrd <path>", "the initrd in that tree")
    .option("--extra-args <text>", "kernel arguments for that installation")
    .option("--pxe", "install from the network by PXE")
    .option("--import <path>", "use this disk image of the host, in place unless --copy-to is given")
    .option("--copy-to <pool>", "copy the image into a volume of this pool (cloud images: default)")
    .option("--cloud-image <path>", "copy this cloud image of the host, and give it the following by cloud-init")
    .option("--size <size>", "size of the copied image, larger than its own")
    .option("--user <name>", "account to make, with sudo")
    .option("--key <file>", "public key that may log in; repeatable (default: your own ~/.ssh/id_*.pub)", collect)
    .option("--hostname <name>", "its host name (default: its name)")
    .option("--user-data <file>", "a whole user-data of your own instead of user and keys")
    .option("--osinfo <name>", "of virt-install --osinfo list (default: detected)")
    .option("--arch <name>", "architecture")
    .option("--machine <type>", "machine type")
    .option("--firmware <kind>", "bios or uefi")
    .option("--virt-type <type>", "kvm or qemu")
    .option("--graphics <kind>", "none, vnc or spice (default none)")
    .optionsGroup("Options for Xen (--kernel, --initrd, --extra-args and --iso too):")
    .option("--type <type>", "pv, pvh or hvm (default pv; with --iso hvm)")
    .option("--bootloader <name>", "boot by what the first disk's boot loader says: pygrub")
    .optionsGroup("Options for XenServer (--iso with the image's name, and --location too):")
    .option("--template <name>", "name or UUID of the template that it is made from")
    .option("--repository <name>", "storage repository of the template's disks (default: the pool's)")
    .option("--note <text>", "its description")
    .optionsGroup("Options for Ganeti:")
    .option("--os <name>", "OS definition with its variant")
    .option("--no-install", "don't run the OS scripts (it is then left off)")
    .option("--os-parameter <key=value>", "repeatable", collect)
    .option("--disk-template <name>", "plain, drbd, file, sharedfile, diskless, …")
    .option("--node <primary[:secondary]>", "place it by hand")
    .option("--allocator <name>", "let this allocator place it (default: the cluster's own)")
    .option("--hypervisor <name>", "default: the cluster's first")
    .option("--hypervisor-parameter <key=value>", "repeatable", collect)
    .option("--backend-parameter <key=value>", "repeatable", collect)
    .option("--name-check", "the name must resolve")
    .option("--ip-check", "its address must not answer yet")
    .option("--tag <tag>", "repeatable", collect);
}

type Data = Record<string, unknown>;

const usage = (where: string, what: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

/** `a=1,b=2` as fields; a bare first word becomes `first`. */
function fieldsOf(option: string, text: string, first: string | null): Data {
  const data: Data = {};
  text.split(",").forEach((part, index) => {
    const at = part.indexOf("=");
    if (at > 0) data[part.slice(0, at)] = part.slice(at + 1);
    else if (index === 0 && first !== null && part !== "") data[first] = part;
    else throw usage(`${option} ${text}`, "This can't be read", "Write KEY=VALUE, parted by commas.");
  });
  return data;
}

function pairsOf(option: string, values: readonly string[] | undefined): Data | undefined {
  if (values === undefined) return undefined;
  return Object.assign({}, ...values.map((value) => fieldsOf(option, value, null)));
}

/** A whole number as a number; anything else as it is, for the schema to refuse. */
function numeric(value: string | undefined): unknown {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

/** Only what was given. */
function given(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

function readLocal(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw usage(`${option} ${file}`, "This file can't be read", "Give the path of a local file.");
  }
}

/** The public keys that are named, or the user's own. */
function keysOf(files: readonly string[] | undefined): string[] {
  if (files !== undefined) return files.map((file) => readLocal("--key", file).trim());
  const own = ["ed25519", "ecdsa", "rsa"].flatMap((kind) => {
    try {
      return [readFileSync(path.join(homedir(), ".ssh", `id_${kind}.pub`), "utf8").trim()];
    } catch {
      return [];
    }
  });
  return own.slice(0, 1);
}

function mediaOf(flags: CreateFlags): Data | undefined {
  const { iso, upload, location, kernel, initrd, pxe, cloudImage, copyTo, size, volume } = flags as CreateFlags & Data;
  const ways = [iso, location, pxe, flags.import, cloudImage].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw usage("--iso, --location, --pxe, --import, --cloud-image", "These exclude each other", "Give one of them.");
  }
  if (iso !== undefined) return given({ iso, upload });
  if (location !== undefined) return given({ location, kernel, initrd, arguments: flags.extraArgs });
  if (pxe) return { pxe: true };
  if (flags.import !== undefined) {
    const copy = copyTo === undefined ? undefined : given({ pool: copyTo, size: numeric(size), volume });
    return given({ import: flags.import, copy });
  }
  if (cloudImage === undefined) return undefined;
  const userData = flags.userData === undefined ? undefined : readLocal("--user-data", flags.userData);
  const keys = userData === undefined ? keysOf(flags.key) : undefined;
  const { user, hostname } = flags;
  return given({ cloud: cloudImage, pool: copyTo, size: numeric(size), user, keys, hostname, userData });
}

function disksOf(flags: CreateFlags): Data[] | undefined {
  return flags.disk
    ?.filter((word) => word !== "none")
    .map((word) => {
      const data = fieldsOf("--disk", word, "size");
      return given({ ...data, size: numeric(data["size"] as string | undefined) });
    });
}

/** What a Xen domain boots. */
function bootOf(flags: CreateFlags): Data | undefined {
  const { kernel, initrd, extraArgs, bootloader, iso } = flags;
  const ways = [kernel, bootloader, iso].filter((way) => way !== undefined);
  if (ways.length > 1) throw usage("--kernel, --bootloader, --iso", "These exclude each other", "Give one of them.");
  if (kernel !== undefined) return given({ kernel, ramdisk: initrd, arguments: extraArgs });
  if (bootloader !== undefined) return { bootloader };
  if (iso !== undefined) return { iso };
  return flags.type === "hvm" && flags.disk !== undefined ? { disk: true } : undefined;
}

/** By the flags that only one provider has; absent: the file says it, or it is the usual one. */
function providerOf({ provider, type, bootloader, template, os, diskTemplate }: CreateFlags): string | undefined {
  if (provider !== undefined) return provider;
  if (template !== undefined) return "xenserver";
  if (type !== undefined || bootloader !== undefined) return "xen";
  return os !== undefined || diskTemplate !== undefined ? "ganeti" : undefined;
}

/** The fields that only one provider has. */
function ownFields(provider: unknown, flags: CreateFlags): Data {
  const { type, iso, location, template, repository, note } = flags;
  if (provider === "xen") return { type: type ?? (iso === undefined ? undefined : "hvm"), boot: bootOf(flags) };
  if (provider === "xenserver") return { template, repository, iso, location, note };
  return { type, template, repository, note, media: mediaOf(flags) };
}

/** The flags that were given, as fields of a file; `fileProvider`: the one that the file names, if it does. */
export function flagsData(name: string | undefined, flags: CreateFlags, fileProvider?: unknown): Data {
  const provider = providerOf(flags);
  const [node, secondary] = flags.node?.split(":") ?? [];
  const nics = flags.nic?.filter((word) => word !== "none").map((word) => fieldsOf("--nic", word, "network"));
  const { addresses: range, prefix, gateway, dns, ready: by } = flags;
  const ready =
    by && given({ by, limit: numeric(flags.readyLimit), pattern: flags.readyPattern, address: flags.readyAddress });
  return given({
    ...{ provider, name, count: numeric(flags.count), from: numeric(flags.from) },
    ...{ memory: numeric(flags.memory), vcpus: numeric(flags.vcpus), overcommit: flags.overcommit },
    // Commander sets those with a `no-` always.
    start: flags.start === false ? false : undefined,
    addresses: range === undefined ? undefined : given({ range, prefix: numeric(prefix), gateway, dns }),
    ...{
      ready,
      nics,
      disks: disksOf(flags),
      ...ownFields(provider ?? fileProvider, flags),
      osinfo: flags.osinfo,
      arch: flags.arch,
    },
    ...{ machine: flags.machine, firmware: flags.firmware, virtType: flags.virtType, graphics: flags.graphics },
    ...{ os: flags.os, install: flags.install === false ? false : undefined, diskTemplate: flags.diskTemplate },
    ...{ osParameters: pairsOf("--os-parameter", flags.osParameter), node, secondary, allocator: flags.allocator },
    ...{ hypervisor: flags.hypervisor, nameCheck: flags.nameCheck, ipCheck: flags.ipCheck, tags: flags.tag },
    hypervisorParameters: pairsOf("--hypervisor-parameter", flags.hypervisorParameter),
    backendParameters: pairsOf("--backend-parameter", flags.backendParameter),
  });
}
