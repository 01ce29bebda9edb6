/**
 * What runs on a node of a cluster uses: Ganeti itself counts memory and disks of its nodes, and nothing of its instances. On
 * KVM an instance is a process, whose number Ganeti keeps in a file; on Xen `xentop` tells. Source: Ganeti's hv_kvm.py (its
 * directories `pid` and `nic`), lib/ssh.py (how the master logs in on its nodes), proc(5).
 */
import type { Usage } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { GanetiAccess } from "./ganeti.ts";
import { parseXentop } from "./xentop.ts";

/** Seconds for one node; the connection to it has two thirds of them. */
export const nodeLimit = 6;

/**
 * The shell alone reads the files: a node may have a hundred instances and is asked every few seconds. `waits NAME`: somebody,
 * Ganeti most likely, waits for that QEMU to take its call (ss(8): the Recv-Q of a listening socket counts those).
 */
const probe = sh`PATH=$PATH:/usr/sbin; echo "@@virtu node $(getconf PAGESIZE) $(getconf CLK_TCK)"; head -n 1 /proc/stat; if cd /var/run/ganeti/kvm-hypervisor/pid 2>/dev/null; then for f in *; do p=; [ -r "$f" ] && read -r p <"$f"; [ -n "$p" ] && [ -r "/proc/$p/stat" ] || continue; read -r s <"/proc/$p/stat"; echo "kvm $f $s"; [ -r "/proc/$p/io" ] && while read -r k v; do case $k in read_bytes:|write_bytes:) echo "io $k $v";; esac; done <"/proc/$p/io"; for t in ../nic/"$f"/*; do n=; [ -r "$t" ] && read -r n <"$t"; d=/sys/class/net/$n/statistics; [ -n "$n" ] && [ -r "$d/rx_bytes" ] || continue; read -r i <"$d/rx_bytes"; read -r o <"$d/tx_bytes"; echo "nic $i $o"; done; done; fi; ss -xlnH 2>/dev/null | while read -r t s q b p r; do case $p in */kvm-hypervisor/ctrl/*.qmp) [ "$q" = 0 ] || { p=\${p##*/}; echo "waits \${p%.qmp}"; };; esac; done; if command -v xentop >/dev/null; then echo '@@virtu xentop'; timeout -k 1 4 xentop -b -f -i 1 2>/dev/null; fi; echo '@@virtu end'`;

/**
 * The question to a node, run on the master: there itself, or on another node the way Ganeti logs in there, with its own
 * keys. Nobody is asked anything.
 */
export function nodeUsageCommand(access: GanetiAccess, cluster: string, node: string | null): Command {
  const root = access.sudo ? sh`sudo -n ` : sh``;
  if (node === null) return sh`${root}timeout -k 1 ${nodeLimit} sh -c ${probe.line}`;
  const options = [
    ...["BatchMode=yes", `ConnectTimeout=${Math.round((nodeLimit * 2) / 3)}`, "StrictHostKeyChecking=yes"],
    ...["GlobalKnownHostsFile=/var/lib/ganeti/known_hosts", "UserKnownHostsFile=/dev/null"],
    ...[`HostKeyAlias=${cluster}`, "CheckHostIP=no", "LogLevel=ERROR"],
  ].flatMap((option) => ["-o", option]);
  return sh`${root}timeout -k 1 ${nodeLimit} ssh ${options} ${`root@${node}`} ${probe.line}`;
}

export interface NodeUsage {
  /** Nanoseconds over all CPUs. */
  cpu: { busyNs: number; totalNs: number } | null;
  /** By full name. */
  instances: ReadonlyMap<string, Usage>;
  /** Full names of those whose monitor takes no call just now. One that hangs is among them as long as somebody asks. */
  waiting: ReadonlySet<string>;
}

/** Takes the answer of one node apart; null: it is none, or was cut off. */
export function parseNodeUsage(text: string): NodeUsage | null {
  const head = /^@@virtu node (\d+) (\d+)$/m.exec(text);
  if (!head || !/^@@virtu end$/m.test(text)) return null;
  const [page, tick] = [Number(head[1]), 1e9 / Number(head[2])];
  const instances = new Map<string, Usage>();
  const waiting = new Set<string>();
  let current: Usage | null = null;
  for (const line of text.split("\n")) {
    const [word = "", ...values] = line.split(" ");
    if (word === "kvm") {
      const [name = ""] = values;
      current = processUsage(line.slice(`kvm ${name} `.length), page, tick);
      if (current) instances.set(name, current);
    } else if (word === "waits") {
      waiting.add(values.join(" "));
    } else if (word === "io" && current) {
      const field = values[0] === "read_bytes:" ? "diskReadBytes" : "diskWrittenBytes";
      current[field] = Number(values[1]);
    } else if (word === "nic" && current) {
      // What the node receives from its tap, the guest has sent.
      current.netOutBytes = (current.netOutBytes ?? 0) + Number(values[0]);
      current.netInBytes = (current.netInBytes ?? 0) + Number(values[1]);
    }
  }
  for (const domain of parseXentop(/^@@virtu xentop\n([\s\S]*)$/m.exec(text)?.[1] ?? "")) {
    if (domain.name === "Domain-0") continue;
    instances.set(domain.name, {
      ...{ cpuNs: domain.cpuSeconds * 1e9, memoryMiB: null, memorySource: null },
      ...{ diskReadBytes: domain.readSectors * 512, diskWrittenBytes: domain.writtenSectors * 512 },
      ...{ netInBytes: domain.receivedKb * 1024, netOutBytes: domain.sentKb * 1024 },
    });
  }
  return { cpu: cpuOf(text, tick), instances, waiting };
}

/** `PID (COMMAND) STATE …` of /proc/PID/stat; null where the number has gone to another program since. */
function processUsage(stat: string, page: number, tick: number): Usage | null {
  const close = stat.lastIndexOf(")");
  if (!/\((qemu|kvm)/.test(stat.slice(0, close))) return null;
  // From the third field on: utime is the 14th, stime the 15th, rss (pages) the 24th.
  const fields = stat
    .slice(close + 2)
    .split(" ")
    .map(Number);
  const [user, system, resident] = [fields[11], fields[12], fields[21]];
  if (user === undefined || system === undefined || resident === undefined) return null;
  return {
    cpuNs: (user + system) * tick,
    memoryMiB: (resident * page) / 1024 / 1024,
    memorySource: "resident",
    ...{ diskReadBytes: null, diskWrittenBytes: null, netInBytes: null, netOutBytes: null },
  };
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal; guests are counted in user already. */
function cpuOf(text: string, tick: number): NodeUsage["cpu"] {
  const times = /^cpu +(\d[\d ]*)$/m.exec(text)?.[1]?.trim().split(/ +/).slice(0, 8).map(Number);
  if (!times || times.length < 4) return null;
  const total = times.reduce((sum, time) => sum + time, 0);
  const idle = (times[3] ?? 0) + (times[4] ?? 0);
  return { busyNs: (total - idle) * tick, totalNs: total * tick };
}

/** Why a node did not answer, from what ssh says. */
export function explainNode(status: number | null, stderr: string): string {
  if (status === 124 || status === 137) return `it did not answer within ${nodeLimit} s`;
  const [last = ""] = stderr.trim().split("\n").slice(-1);
  return status === 255 ? `the master can't log in there: ${last || "ssh failed"}` : last || `status ${status}`;
}
