/** What `xl` and the poll of `xl.ts` print. */
import type { PoolFill, Status } from "../instances/types.ts";
import { type Mount, parseDf } from "./pool-fill.ts";
import { parseXentop, type XenUsage } from "./xentop.ts";
import { autoDirectory } from "./xl.ts";
import { parseXlConfig, type XlConfig } from "./xl-config.ts";

export interface XlDomain {
  /** `(null)` while it is made, and again while it goes away. */
  name: string;
  id: number;
  uuid: string;
  memoryMiB: number;
  vcpus: number;
  /** Six places `rbpscd`, as xl prints them. */
  state: string;
  /** Seconds of CPU since it was made. */
  cpuSeconds: number;
  /** Why it is shut down: 0 poweroff, 1 reboot, 3 crash; null while it is not. */
  reason: number | null;
}

/**
 * `xl list -v`, or null when that is none. A row is read from its end: a name longer than its column pushes the others away,
 * and it may hold blanks.
 */
export function parseXlList(text: string): XlDomain[] | null {
  const [head = "", ...lines] = text.split("\n");
  if (!/^Name\s+ID\s+Mem VCPUs\s+State/.test(head)) return null;
  return lines.flatMap((line): XlDomain[] => {
    const found =
      /^(.*\S)\s+(\d+)\s+(\d+)\s+(\d+)\s+([-rbpscd]{6})\s+(\d+(?:\.\d+)?)\s+([0-9a-f-]{36})\s+(-|\d+)\s+\S+$/.exec(
        line,
      );
    if (!found) return [];
    const [, name = "", id, memory, vcpus, state = "", seconds, uuid = "", reason] = found;
    return [
      {
        name,
        id: Number(id),
        uuid,
        memoryMiB: Number(memory),
        vcpus: Number(vcpus),
        state,
        cpuSeconds: Number(seconds),
        reason: reason === "-" ? null : Number(reason),
      },
    ];
  });
}

/**
 * Our status of a domain and a word for it. The six letters are flags of which several hold at once; the fifth tells why a
 * domain is shut down. `------` is a running guest that has no CPU at this moment.
 */
export function statusOfXl(domain: Pick<XlDomain, "state" | "memoryMiB" | "vcpus">): {
  status: Status;
  detail: string;
} {
  const [, , paused, shut, why, dying] = domain.state;
  if (shut === "s") {
    if (why === "r") return { status: "running", detail: "rebooting" };
    if (why === "c") return { status: "error", detail: "crashed" };
    // xl pauses a domain before it takes it apart.
    if (paused === "p" || dying === "d") return { status: "running", detail: "going away" };
    return { status: "stopped", detail: "shut down" };
  }
  if (why === "c") return { status: "error", detail: "crashed" };
  if (dying === "d") return { status: "running", detail: "going away" };
  // A domain that is being built has neither memory nor CPUs yet.
  if (domain.memoryMiB === 0 || domain.vcpus === 0) return { status: "unknown", detail: "being built" };
  if (paused === "p") return { status: "paused", detail: "paused" };
  return { status: "running", detail: "running" };
}

/** `xl info`'s `key : value` lines. */
export function parseXlInfo(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^(\w+) *: ?(.*)$/gm)].map(([, key = "", value = ""]) => [key, value.trim()]));
}

export interface XlFile extends XlConfig {
  path: string;
  /** The link in /etc/xen/auto that starts it with the host, or null. */
  auto: string | null;
}

/** Who else looks after a domain that xl lists too. */
export type XlOwner = "libvirt" | "ganeti" | null;

export interface XlHost {
  /** Empty when xl did not answer. */
  info: ReadonlyMap<string, string>;
  domains: (XlDomain & { owner: XlOwner })[];
  files: XlFile[];
  /** Names of the instances of the Ganeti cluster that the host belongs to, wherever they run; empty without one. */
  ganeti: ReadonlySet<string>;
  /** What they use, by name; empty where xentop did not answer. */
  usage: ReadonlyMap<string, XenUsage>;
  /** Names of the files in xendomains' directory. */
  saved: ReadonlySet<string>;
  /** Seconds since the host came up, or null. */
  uptime: number | null;
  mounts: Mount[];
  /** LVM's volume groups; asked only where a domain has a device for a disk. */
  groups: PoolFill[];
}

/** How a poll ended when it gave no domains: which of xl's two questions failed, and its status. */
export interface XlSilence {
  failed: "info" | "list";
  status: number;
}

/** Takes a poll apart. Null: not even its first marker is there. */
export function parseXlPoll(stdout: string): XlHost | XlSilence | null {
  const parts = new Map<string, string>();
  for (const part of stdout.split(/^@@virtu /m).slice(1)) {
    const end = part.indexOf("\n");
    const head = end < 0 ? part : part.slice(0, end);
    const text = end < 0 ? "" : part.slice(end + 1);
    const [word = ""] = head.split(" ", 1);
    parts.set(word, head.slice(word.length + 1) || text);
  }
  if (!parts.has("info")) return null;
  const domains = parseXlList(parts.get("domains") ?? "");
  if (parts.has("informed")) return { failed: "info", status: Number(parts.get("informed")) };
  const listed = Number(parts.get("listed") ?? 1);
  if (listed !== 0 || !domains) return { failed: "list", status: listed };
  const words = (name: string) => (parts.get(name) ?? "").split("\n").filter((line) => line !== "");
  const ganeti = new Set(words("ganeti"));
  const libvirt = new Set(
    words("userdata").flatMap((line) => /^userdata-d\.(\d+)\..*\.libvirt-xml$/.exec(line)?.[1] ?? []),
  );
  return {
    info: parseXlInfo(parts.get("info") ?? ""),
    domains: domains.map((domain) => ({
      ...domain,
      owner: libvirt.has(String(domain.id)) ? "libvirt" : ganeti.has(domain.name) ? "ganeti" : null,
    })),
    files: filesOf(words("paths"), words("real"), words("files")),
    ganeti,
    usage: new Map(parseXentop(parts.get("usage") ?? "").map((usage) => [usage.name, usage])),
    saved: new Set(words("saved")),
    uptime: Number(/^\d+(\.\d+)?/.exec(parts.get("uptime") ?? "")?.[0]) || null,
    mounts: parseDf(parts.get("mounts") ?? ""),
    groups: words("groups").flatMap((line): PoolFill[] => {
      const [name = "", total, free] = line.trim().split("|");
      const [totalMiB, freeMiB] = [Number(total), Number(free)];
      return totalMiB > 0 && freeMiB >= 0 ? [{ name, totalMiB, freeMiB }] : [];
    }),
  };
}

/**
 * The files of domains: paths as they were found, where each leads, and their lines with the path in front. A link of auto/ and
 * the file that it names are one.
 */
function filesOf(paths: readonly string[], real: readonly string[], lines: readonly string[]): XlFile[] {
  const texts = new Map<string, string>(paths.map((path) => [path, ""]));
  // A path may hold a colon: the longest one that fits is meant.
  const longest = [...paths].sort((a, b) => b.length - a.length);
  for (const line of lines) {
    const path = longest.find((other) => line.startsWith(`${other}:`));
    if (path !== undefined) texts.set(path, `${texts.get(path)}${line.slice(path.length + 1)}\n`);
  }
  const files = new Map<string, XlFile>();
  for (const [index, found] of paths.entries()) {
    const path = real[index] ?? found;
    const auto = found.startsWith(`${autoDirectory}/`) ? found : null;
    const known = files.get(path);
    if (known) known.auto ??= auto;
    else files.set(path, { ...parseXlConfig(texts.get(found) ?? ""), path, auto });
  }
  return [...files.values()].filter(({ name }) => name !== "");
}
