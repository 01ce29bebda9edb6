/** What a Xen host offers to a new domain, asked in one round trip: the poll of its domains, and what disks and cards can be. */
import { type Command, sh } from "../ssh/command.ts";
import { type ImageFacts, imageCommand, parseImage } from "./disk-image.ts";
import { rootShell, type XlAccess, xlPoll } from "./xl.ts";
import { parseXlPoll, type XlHost, type XlSilence } from "./xl-parse.ts";

export type XenType = "pv" | "pvh" | "hvm";

export interface OfferedGroup {
  name: string;
  freeMiB: number;
  volumes: string[];
}

export interface XenOffers {
  provider: "xen";
  /** Names in use, those of files too whose domains are off. */
  names: string[];
  /** Lower case. */
  macs: string[];
  cpus: number | null;
  memoryMiB: number | null;
  memoryFreeMiB: number | null;
  /** Xen was started without `dom0_mem`: xl then takes from dom0 what a guest needs, and what is free says little. */
  balloons: boolean;
  /** What this processor and this Xen can run. */
  types: XenType[];
  bridges: string[];
  /** Mounted file systems, with what is free on them. */
  mounts: { path: string; freeMiB: number }[];
  groups: OfferedGroup[];
  /** Where the disks of most domains are files; the usual place where none is. */
  directory: string;
  /** Files in /etc/xen, and the disks that their domains have, each with its domain's name. */
  configs: string[];
  usedDisks: ReadonlyMap<string, string>;
  /** Kernels of /boot, the newest first, and ISO images in the usual places. */
  kernels: string[];
  ramdisks: string[];
  isos: string[];
  hasPygrub: boolean;
  /** The files that were asked for; null: not there. */
  files: ReadonlyMap<string, ImageFacts | null>;
}

const usualDirectory = "/var/lib/xen/images";

/** `files` are absolute paths on the host. */
export function xenOffersCommand(access: XlAccess, files: readonly string[]): Command {
  const named = files.map((file) => sh`echo ${`@@virtu file ${file}`}; ${imageCommand(file)}`);
  const volumes = sh`timeout -k 1 10 vgs --noheadings --units m --nosuffix --separator '|' -o vg_name,vg_free 2>/dev/null; echo '@@virtu volumes'; timeout -k 1 10 lvs --noheadings --separator '|' -o vg_name,lv_name 2>/dev/null`;
  const isos = sh`ls -1d /srv/*.iso /srv/xen/*.iso /srv/iso/*.iso /var/lib/xen/images/*.iso /var/lib/libvirt/images/*.iso 2>/dev/null`;
  const parts = [
    sh`echo '@@virtu bridges'; for b in /sys/class/net/*/bridge; do [ -d "$b" ] && basename "$(dirname "$b")"; done`,
    sh`echo '@@virtu mounts'; df -Pkl 2>/dev/null`,
    sh`echo '@@virtu groups'; ${volumes}`,
    sh`echo '@@virtu kernels'; ls -1td /boot/vmlinuz* 2>/dev/null; echo '@@virtu ramdisks'; ls -1td /boot/initrd* /boot/initramfs* 2>/dev/null`,
    sh`echo '@@virtu isos'; ${isos}`,
    sh`echo '@@virtu pygrub'; for p in /usr/lib/xen*/bin/pygrub /usr/libexec/xen/bin/pygrub /usr/lib/xen/bin/pygrub /usr/bin/pygrub; do [ -x "$p" ] && echo "$p"; done`,
    ...named,
    sh`echo '@@virtu offered'`,
  ];
  return sh`${xlPoll(access)}; ${rootShell(
    access,
    parts.reduce((one, other) => sh`${one}; ${other}`),
  )}`;
}

/** The answer's parts by their heads; what an image says begins with a mark of its own. */
function split(stdout: string): Map<string, string> {
  return new Map(
    stdout
      .split(/^@@virtu (?!image$)/m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf("\n");
        return end < 0 ? [part, ""] : [part.slice(0, end), part.slice(end + 1)];
      }),
  );
}

const lines = (text: string | undefined) => (text ?? "").split("\n").filter((line) => line.trim() !== "");

/** `df -Pk`: the mount point comes last and may hold blanks. */
function mountsOf(text: string | undefined): XenOffers["mounts"] {
  return lines(text).flatMap((line) => {
    const found = /^.*\s\d+\s+\d+\s+(\d+)\s+\d+%\s+(\/.*)$/.exec(line);
    return found ? [{ path: found[2] ?? "/", freeMiB: Math.floor(Number(found[1]) / 1024) }] : [];
  });
}

function groupsOf(groups: string | undefined, volumes: string | undefined): OfferedGroup[] {
  const pairs = lines(volumes).map((line) => line.trim().split("|"));
  return lines(groups).flatMap((line) => {
    const [name = "", free = ""] = line.trim().split("|");
    const own = pairs.flatMap(([group, volume = ""]) => (group === name ? [volume] : []));
    return /^[\d.]+$/.test(free) ? [{ name, freeMiB: Math.floor(Number(free)), volumes: own }] : [];
  });
}

/** The directory in which most disk files lie. */
function directoryOf(disks: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const path of disks) {
    if (!path.startsWith("/") || path.startsWith("/dev/")) continue;
    const directory = path.slice(0, path.lastIndexOf("/")) || "/";
    counts.set(directory, (counts.get(directory) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return most?.[0] ?? usualDirectory;
}

/** hvm needs the processor's help; pvh needs it too, and one of the two ways to keep its page tables. */
function typesOf(caps: readonly string[]): XenType[] {
  const hardware = caps.includes("hvm");
  const pages = caps.includes("hap") || caps.includes("shadow");
  return [...(caps.includes("pv") ? (["pv"] as const) : []), ...(hardware && pages ? (["pvh", "hvm"] as const) : [])];
}

/** The file system on which a path lies, or will lie. */
export function mountOf(mounts: XenOffers["mounts"], path: string): XenOffers["mounts"][number] | null {
  const holds = mounts.filter((mount) => path === mount.path || path.startsWith(mount.path.replace(/\/?$/, "/")));
  return holds.sort((one, other) => other.path.length - one.path.length)[0] ?? null;
}

/** Takes the answer apart; what xl said where it did not list its domains; null when even that is missing. */
export function parseXenOffers(stdout: string): XenOffers | XlSilence | null {
  const poll: XlHost | XlSilence | null = parseXlPoll(stdout);
  if (poll === null || "failed" in poll) return poll;
  const parts = split(stdout);
  const number = (key: string) => {
    const value = poll.info.get(key);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : null;
  };
  const usedDisks = new Map(
    poll.files.flatMap(({ name, disks }) => disks.map(({ target }) => [target, name] as const)),
  );
  const own = poll.files.flatMap(({ disks }) => disks.flatMap(({ target, cdrom }) => (cdrom ? [] : [target])));
  const live = poll.domains.map(({ name }) => name).filter((name) => name !== "(null)");
  const caps = (poll.info.get("virt_caps") ?? "pv").split(" ");
  return {
    provider: "xen",
    names: [...new Set([...live, ...poll.files.map(({ name }) => name)])],
    macs: poll.files.flatMap(({ nics }) => nics.flatMap(({ mac }) => mac ?? [])),
    cpus: number("nr_cpus"),
    memoryMiB: number("total_memory"),
    memoryFreeMiB: number("free_memory"),
    balloons: !/\bdom0_mem=/.test(poll.info.get("xen_commandline") ?? ""),
    types: typesOf(caps),
    bridges: lines(parts.get("bridges")),
    mounts: mountsOf(parts.get("mounts")),
    groups: groupsOf(parts.get("groups"), parts.get("volumes")),
    directory: directoryOf(own),
    configs: poll.files.map(({ path }) => path),
    usedDisks,
    kernels: lines(parts.get("kernels")),
    ramdisks: lines(parts.get("ramdisks")),
    isos: lines(parts.get("isos")),
    hasPygrub: lines(parts.get("pygrub")).length > 0,
    files: new Map(
      [...parts].flatMap(([head, text]): [string, ImageFacts | null][] =>
        head.startsWith("file ") ? [[head.slice(5), parseImage(text)]] : [],
      ),
    ),
  };
}
