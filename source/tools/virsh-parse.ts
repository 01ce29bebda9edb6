/** What the poll of `virsh.ts` prints. */
import type { Status } from "../instances/types.ts";
import { fillOf, type HostPools, type PoolFacts, parseDf } from "./pool-fill.ts";
import { parseTags } from "./virsh-definition.ts";
import { parseXml } from "./xml.ts";

export interface Domain {
  uuid: string;
  /** null while it is off. */
  id: number | null;
  name: string;
  title: string | null;
  /** libvirt's word of the table: `running`, `shut off`, `in shutdown`. */
  word: string | null;
  /** virDomainState, or null where the driver has no domstats. */
  state: number | null;
  reason: number | null;
  saved: boolean;
  autostart: boolean;
  persistent: boolean;
  tags: readonly string[];
  /** The raw `key=value` pairs of domstats; empty when it was cut off or the driver has no numbers. */
  stats: Readonly<Record<string, string>>;
}

export interface HostPoll {
  domains: Domain[];
  hostname: string | null;
  /** KiB; null where the driver does not tell. */
  memoryTotal: number | null;
  memoryFree: number | null;
  /** Nanoseconds over all CPUs since it came up; null where the driver does not tell. */
  cpu: { busyNs: number; totalNs: number } | null;
  storage: HostPools;
  /** False: the time limit cut the numbers off, a domain of this host hangs. */
  complete: boolean;
}

/** What follows a name in the table: the state, and a title after it. Made once: thousands of rows are read at a time. */
const wordAndTitle =
  /^ {3,}(running|idle|paused|in shutdown|shut off|crashed|pmsuspended|dying|no state|saved)(?: {3}|$)(.*)$/;

/** The sections by name, and all those of pools; null when even the first is not there (not connected). */
function sections(text: string): { parts: Map<string, string>; pools: string[] } | null {
  const parts = new Map<string, string>();
  const pools: string[] = [];
  for (const part of text.split(/^@@virtu /m).slice(1)) {
    const end = part.indexOf("\n");
    const [name, content] = [part.slice(0, end < 0 ? undefined : end), end < 0 ? "" : part.slice(end + 1)];
    if (name === "pool") pools.push(content);
    else parts.set(name, content);
  }
  return parts.has("domains") ? { parts, pools } : null;
}

const lines = (text: string | undefined) => (text ?? "").split("\n").filter((line) => line !== "");

/**
 * A part of a text keeps all of it in memory: a name that is kept for long, in a run or a log, would keep the megabytes of
 * its poll.
 */
const ownCopy = (part: string) => Buffer.from(part).toString();

/** Domains that are read between two places where the work can be left for a moment. */
const together = 50;

/**
 * Takes a poll apart; null when virsh did not connect. A poll that was cut off keeps what came before. It yields now and
 * then, because thousands of domains take longer than a key may.
 */
export function* readPoll(stdout: string): Generator<void, HostPoll | null> {
  const found = sections(stdout);
  if (!found) return null;
  const { parts, pools } = found;
  const saved = new Set(lines(parts.get("saved")));
  const autostart = new Set(lines(parts.get("autostart")));
  const transient = new Set(lines(parts.get("transient")));
  const states = statsBlocks(parts.get("state"));
  yield;
  const numbers = statsBlocks(parts.get("stats"));
  yield;
  const infos = parseDominfo(parts.get("dominfo") ?? "");
  const rows = lines(parts.get("table")).slice(2);
  const tagsIn = (text: string | undefined) => (text === undefined ? [] : parseTags(text));
  const domains: Domain[] = [];
  for (const [index, line] of lines(parts.get("domains")).entries()) {
    if (index % together === 0) yield;
    const found = /^([0-9a-f-]{36}) (\d+|-) (.*)$/.exec(ownCopy(line));
    if (!found) continue;
    const [, uuid = "", id = "", name = ""] = found;
    // Xen's driver lists the host itself among its domains.
    if (uuid === domain0) continue;
    // Both lists have the same order, unless something changed between them.
    const row = readRow(rows[index] ?? "", name) ?? firstOf(rows, (other) => readRow(other, name));
    const [state, own] = [states.get(name), numbers.get(name)];
    const stats = own === undefined ? null : readStats(own);
    const known = state === undefined ? (stats ?? {}) : readStats(state);
    domains.push({
      uuid,
      id: id === "-" ? null : Number(id),
      name,
      title: row?.title || null,
      word: row?.word ?? null,
      state: whole(known["state.state"]),
      reason: whole(known["state.reason"]),
      saved: saved.has(uuid),
      autostart: autostart.has(uuid),
      persistent: !transient.has(uuid),
      tags: tagsIn(parts.get(`tags ${uuid}`)),
      stats: stats ?? infos.get(uuid) ?? {},
    });
  }
  const memory = new Map(
    [...(parts.get("memory") ?? "").matchAll(/^(\w+)\s*:\s+(\d+) KiB$/gm)].map((found) => [found[1], Number(found[2])]),
  );
  const free = memory.get("free");
  return {
    domains,
    hostname: lines(parts.get("hostname"))[0] ?? null,
    memoryTotal: memory.get("total") ?? null,
    // What the kernel holds as cache is given back when a guest needs it.
    memoryFree: free === undefined ? null : free + (memory.get("buffers") ?? 0) + (memory.get("cached") ?? 0),
    cpu: parseNodeCpu(parts.get("cpu") ?? ""),
    storage: fillOf(pools.flatMap(poolFacts), parseDf(parts.get("mounts") ?? "")),
    complete: parts.has("end"),
  };
}

/** `nodecpustats`: nanoseconds over all CPUs. Waiting for disks is not being busy. */
function parseNodeCpu(text: string): HostPoll["cpu"] {
  const times = new Map([...text.matchAll(/^(\w+):\s+(\d+)$/gm)].map((row) => [row[1], Number(row[2])]));
  const [user, system, idle] = [times.get("user"), times.get("system"), times.get("idle")];
  if (user === undefined || system === undefined || idle === undefined) return null;
  const busyNs = user + system + (times.get("intr") ?? 0);
  return { busyNs, totalNs: busyNs + idle + (times.get("iowait") ?? 0) };
}

function poolFacts(xml: string): PoolFacts[] {
  const pool = parseXml(xml.trim());
  if (pool?.name !== "pool") return [];
  const text = (name: string) => pool.children.find((child) => child.name === name)?.text.trim() ?? "";
  const target = pool.children.find(({ name }) => name === "target");
  return [
    {
      name: text("name"),
      type: pool.attributes["type"] ?? "",
      path: target?.children.find(({ name }) => name === "path")?.text.trim() || null,
      capacity: whole(text("capacity")) ?? 0,
      available: whole(text("available")) ?? 0,
    },
  ];
}

/**
 * A row of the table, if it is that domain's. Columns are padded with blanks, three at least, and names, states and titles
 * may hold blanks too: only the known name and the known state words tell where they end.
 */
function readRow(row: string, name: string): { word: string; title: string } | null {
  const rest = /^ (?:\d+|-) +(.*)$/.exec(row)?.[1];
  // The pattern above eats a name's own leading blanks, and the padding its trailing ones.
  const bare = name.trim();
  if (!rest?.startsWith(bare)) return null;
  const [, word, title = ""] = wordAndTitle.exec(rest.slice(bare.length)) ?? [];
  return word === undefined ? null : { word, title: title.trim() };
}

function firstOf<T, R>(items: readonly T[], read: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = read(item);
    if (found !== null) return found;
  }
  return null;
}

/** The lines of each domain in what domstats prints, by its name. A name may hold quotes: the outer ones count. */
function statsBlocks(text = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const block of `\n${text}`.split("\nDomain: '").slice(1)) {
    const end = block.indexOf("\n");
    const name = end < 0 ? block : block.slice(0, end);
    if (name.endsWith("'")) found.set(name.slice(0, -1), end < 0 ? "" : block.slice(end + 1));
  }
  return found;
}

/** `  key=value` lines. */
function readStats(block: string): Record<string, string> {
  const stats: Record<string, string> = {};
  for (const line of block.split("\n")) {
    const at = line.indexOf("=");
    if (line.startsWith("  ") && at > 0) stats[line.slice(2, at)] = line.slice(at + 1);
  }
  return stats;
}

/** domstats by domain name. */
export function parseDomstats(text: string): Map<string, Record<string, string>> {
  return new Map([...statsBlocks(text)].map(([name, block]) => [name, readStats(block)]));
}

const domain0 = "00000000-0000-0000-0000-000000000000";

/** `dominfo` of several domains, by UUID, under the names that domstats gives its numbers. */
function parseDominfo(text: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const block of text.split(/\n\n+/)) {
    const cells = new Map([...block.matchAll(/^([A-Z][\w() ]*):\s+(.*)$/gm)].map(([, key, value]) => [key, value]));
    const cpus = cells.get("CPU(s)");
    const [max, used] = ["Max memory", "Used memory"].map((key) => /^(\d+) KiB$/.exec(cells.get(key) ?? "")?.[1]);
    // An off domain has used nothing yet.
    const seconds =
      cells.get("State") === "shut off" ? undefined : /^([\d.]+)s$/.exec(cells.get("CPU time") ?? "")?.[1];
    const time = seconds === undefined ? undefined : String(Math.round(Number(seconds) * 1e9));
    const stats = {
      "cpu.time": time,
      "vcpu.current": cpus,
      "vcpu.maximum": cpus,
      "balloon.maximum": max,
      "balloon.current": used,
    };
    const known = Object.entries(stats).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
    found.set(cells.get("UUID") ?? "", Object.fromEntries(known));
  }
  return found;
}

/** A whole number, or null. */
export function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

// virDomainState and, for some of them, the reasons of libvirt-domain.h that an operator must see.
const stateNames = ["no state", "running", "idle", "paused", "in shutdown", "shut off", "crashed", "pmsuspended"];
const pausedReasons: Record<number, string> = {
  2: "migration",
  3: "save",
  4: "dump",
  5: "I/O error",
  6: "watchdog",
  10: "crashed",
};
const offReasons: Record<number, string> = { 3: "crashed", 4: "migrated", 6: "failed" };

/** Our status and libvirt's own word for it, with a reason where it matters: `shut off (crashed)`, `saved`. */
export function statusOf(domain: Pick<Domain, "state" | "reason" | "word" | "saved">): {
  status: Status;
  detail: string;
} {
  const word = domain.state === null ? domain.word : (stateNames[domain.state] ?? domain.word);
  const reason = domain.reason ?? 0;
  switch (word) {
    case "running":
    case "idle":
    case "in shutdown":
    case "dying":
      return { status: "running", detail: word };
    case "paused": {
      const why = pausedReasons[reason];
      const broken = reason === 5 || reason === 10;
      return { status: broken ? "error" : "paused", detail: why ? `paused (${why})` : "paused" };
    }
    case "pmsuspended":
      return { status: "paused", detail: word };
    case "shut off": {
      const why = offReasons[reason];
      return { status: "stopped", detail: domain.saved ? "saved" : why ? `shut off (${why})` : word };
    }
    case "saved":
      return { status: "stopped", detail: word };
    case "crashed":
      return { status: "error", detail: word };
    default:
      return { status: "unknown", detail: word ?? "no state" };
  }
}
