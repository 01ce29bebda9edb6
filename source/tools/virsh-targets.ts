/** What a migration must know before it starts: what the domain needs, what another host offers, whether they reach each other. */
import { type Command, sh } from "../ssh/command.ts";
import { pollLimit, virshFunction } from "./virsh.ts";
import type { Domain } from "./virsh-actions.ts";

/** Seconds for a daemon behind another ssh connection. */
const reachLimit = 10;

export interface DomainNeeds {
  /** libvirt's networks that it is on. */
  networks: string[];
}

export function needsCommand(uri: string, domain: Domain): Command {
  return sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} domiflist ${[domain.word, ...(domain.active ? [] : ["--inactive"])]}`;
}

/** `domiflist`: interface, type, source, model, MAC. */
export function parseNeeds(text: string): DomainNeeds {
  const networks = [...text.matchAll(/^ \S+ +network +(\S+) /gm)].map(([, network = ""]) => network);
  return { networks: [...new Set(networks)] };
}

export interface HostOffer {
  /** As it calls itself, with its domain where it knows one. */
  hostname: string;
  memoryFreeMiB: number | null;
  domains: string[];
  networks: string[];
}

export function offerCommand(uri: string): Command {
  const batch =
    "echo @@virtu hostname; hostname; echo @@virtu memory; nodememstats; echo @@virtu domains; list --all --name; echo @@virtu networks; net-list --name; echo @@virtu end";
  return sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} ${batch}`;
}

/** Null: no libvirt answered there. */
export function parseOffer(stdout: string): HostOffer | null {
  const parts = new Map(
    stdout
      .split(/^@@virtu /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
  const lines = (name: string) => (parts.get(name) ?? "").split("\n").filter((line) => line.trim() !== "");
  const hostname = lines("hostname")[0];
  if (hostname === undefined) return null;
  const kib = (name: string) =>
    Number(new RegExp(`^${name} *: +(\\d+) KiB$`, "m").exec(parts.get("memory") ?? "")?.[1]);
  const free = kib("free") + (kib("buffers") || 0) + (kib("cached") || 0);
  return {
    hostname,
    memoryFreeMiB: Number.isFinite(free) ? Math.round(free / 1024) : null,
    domains: lines("domains"),
    networks: lines("networks").map((line) => line.trim()),
  };
}

/** Asked on the source: status 0 when its libvirt can speak to that of `uri`. No question is ever asked at a terminal. */
export function reachCommand(uri: string): Command {
  return sh`LC_ALL=C.UTF-8 timeout ${reachLimit} virsh -c ${quiet(uri)} hostname`;
}

function quiet(uri: string): string {
  return uri.includes("+ssh:") ? `${uri}${uri.includes("?") ? "&" : "?"}no_tty=1` : uri;
}

/** Asked on the source: which disks of the domain the other libvirt has in a pool, as `held PATH` and `missing PATH`. */
export function holdsCommand(uri: string, other: string, domain: Domain): Command {
  const flags = ["--details", ...(domain.active ? [] : ["--inactive"])];
  return sh`${virshFunction(uri)}
${reachCommand(other)} >/dev/null || exit 1
v domblklist ${[domain.word, ...flags]} | while read -r type device target source; do
  [ "$type" = file ] && [ "$device" = disk ] || continue
  if LC_ALL=C.UTF-8 timeout ${reachLimit} virsh -c ${quiet(other)} vol-info --vol "$source" </dev/null >/dev/null 2>&1; then echo "held $source"; else echo "missing $source"; fi
done`;
}

export function parseHeld(stdout: string): { held: string[]; missing: string[] } {
  const named = (word: string) => [...stdout.matchAll(new RegExp(`^${word} (.*)$`, "gm"))].map(([, path = ""]) => path);
  return { held: named("held"), missing: named("missing") };
}
