/** What a migration must know before it starts: what the domain needs, what another host offers, whether they reach each other. */
import { type Command, sh } from "../ssh/command.ts";
import { pollLimit, virshFunction } from "./virsh.ts";
import type { Domain } from "./virsh-actions.ts";

/** Seconds for a daemon behind another ssh connection. */
const reachLimit = 10;

export interface NeededDisk {
  kind: "file" | "block";
  /** A medium in a drive: it is never copied. */
  medium: boolean;
  /** As the guest knows it: `vda`. */
  target: string;
  path: string;
  /** Tells files apart: two hosts that say the same see the same one. Empty where it can't be told. */
  identity: string;
}

/** What the domain asks of its host's CPU. */
export type NeededCpu =
  /** All of the host's own: the other host must have the like; its description in XML. */
  | { kind: "passthrough"; hostXml: string }
  /** A model with features, which libvirt compares. */
  | { kind: "model"; name: string; xml: string; virtType: string; arch: string; machine: string };

export interface DomainNeeds {
  /** libvirt's networks that it is on. */
  networks: string[];
  /** Bridges and cards of the host that it is on by itself. */
  devices: string[];
  disks: NeededDisk[];
  /** Null: nothing that could be missing. */
  cpu: NeededCpu | null;
}

const virsh = (uri: string) => sh`v() { LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} "$@"; }`;
/** Inode and size: a shared file system shows both hosts the same. */
const identity = sh`$(stat -L -c %i-%s -- "$f" 2>/dev/null)`;

/** Asked on the source. */
export function needsCommand(uri: string, domain: Domain): Command {
  const inactive = domain.active ? [] : ["--inactive"];
  return sh`${virsh(uri)}
echo '@@virtu nics'; v domiflist ${[domain.word, ...inactive]}
echo '@@virtu disks'; v domblklist ${[domain.word, "--details", ...inactive]}
echo '@@virtu files'; v domblklist ${[domain.word, "--details", ...inactive]} | while read -r type device target f; do
  case $type in file) printf '%s %s\n' "${identity}" "$f" ;; esac
done
echo '@@virtu domain'; v dumpxml ${[domain.word, ...inactive]}
echo '@@virtu host'; v capabilities
echo '@@virtu end'`;
}

function partsOf(stdout: string): Map<string, string> {
  const parts = stdout.split(/^@@virtu /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]));
}

/** `IDENTITY PATH` a line. */
function identitiesOf(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^(\S*) (.+)$/gm)];
  return new Map(lines.map(([, id = "", path = ""]) => [path, id]));
}

/** The `cpu` element that stands directly in this text. */
function cpuElement(xml: string): string | null {
  return /<cpu(?: [^>]*)?\/>|<cpu(?: [^>]*)?>[\s\S]*?<\/cpu>/.exec(xml)?.[0] ?? null;
}

function cpuOf(domainXml: string, hostXml: string): NeededCpu | null {
  const xml = cpuElement(domainXml);
  const attribute = (text: string, name: string) => new RegExp(` ${name}='([^']*)'`).exec(text)?.[1] ?? "";
  const head = /^<cpu[^>]*>/.exec(xml ?? "")?.[0] ?? "";
  const mode = attribute(head, "mode");
  if (mode === "host-passthrough" || mode === "maximum") {
    const host = cpuElement(hostXml);
    return host === null ? null : { kind: "passthrough", hostXml: host };
  }
  // Without a check libvirt takes any CPU for it, as for a model that is wholly emulated.
  if (xml === null || mode === "host-model" || attribute(head, "check") === "none") return null;
  const name = /<model[^>]*>([^<]*)<\/model>/.exec(xml)?.[1] ?? "";
  const type = /<type [^>]*>/.exec(domainXml)?.[0] ?? "";
  const virtType = /<domain [^>]*type='([^']*)'/.exec(domainXml)?.[1] ?? "";
  return { kind: "model", name, xml, virtType, arch: attribute(type, "arch"), machine: attribute(type, "machine") };
}

/** Tables of virsh: interface, type, source, model, MAC; and type, device, target, source. */
export function parseNeeds(stdout: string): DomainNeeds {
  const parts = partsOf(stdout);
  const cards = [...(parts.get("nics") ?? "").matchAll(/^ \S+ +(network|bridge|direct) +(\S+) /gm)];
  const named = (wanted: boolean) => [
    ...new Set(cards.flatMap(([, type, name = ""]) => ((type === "network") === wanted ? [name] : []))),
  ];
  const files = identitiesOf(parts.get("files") ?? "");
  const rows = [...(parts.get("disks") ?? "").matchAll(/^ (file|block) +(\S+) +(\S+) +(.+?) *$/gm)];
  const domainXml = parts.get("domain") ?? "";
  const host = parts.get("host") ?? "";
  /** libvirt drops such a medium by itself where it is not there. */
  const isOptional = (path: string) =>
    [...domainXml.matchAll(/<disk [\s\S]*?<\/disk>/g)].some(
      ([disk]) => disk.includes(`'${path}'`) && /startupPolicy='(optional|requisite)'/.test(disk),
    );
  const disks = rows.flatMap(([, type, device, target = "", path = ""]): NeededDisk[] => {
    const medium = device !== "disk" && device !== "lun";
    if (path === "-" || (medium && isOptional(path))) return [];
    return [{ kind: type === "block" ? "block" : "file", medium, target, path, identity: files.get(path) ?? "" }];
  });
  return {
    networks: named(true),
    devices: named(false),
    disks,
    cpu: cpuOf(domainXml, host.slice(0, host.indexOf("</host>"))),
  };
}

export interface HostOffer {
  /** As it calls itself, with its domain where it knows one. */
  hostname: string;
  memoryFreeMiB: number | null;
  domains: string[];
  networks: string[];
  /** Of those that were asked for. */
  devices: string[];
  /** Of the paths that were asked for, those that are there, with what tells them apart. */
  files: Map<string, string>;
  /** Directories of its active pools: there libvirt makes disks that are copied. */
  pools: string[];
  /** What comparing the CPUs came to; null: nothing was compared. */
  cpu: string | null;
}

/** Asked on the target; the CPU that is wanted comes by standard input. */
export function offerCommand(uri: string, needs: DomainNeeds): { command: Command; stdin?: string } {
  const batch =
    "echo @@virtu hostname; hostname; echo @@virtu memory; nodememstats; echo @@virtu domains; list --all --name; echo @@virtu networks; net-list --name";
  const paths = needs.disks.map(({ path }) => path);
  const { cpu } = needs;
  const compared =
    cpu === null
      ? sh`true`
      : cpu.kind === "passthrough"
        ? sh`echo '@@virtu cpu'; v cpu-compare --error /dev/stdin 2>&1`
        : sh`echo '@@virtu cpu'; v hypervisor-cpu-compare --error --virttype ${cpu.virtType} --arch ${cpu.arch} --machine ${cpu.machine} /dev/stdin 2>&1`;
  const command = sh`${virsh(uri)}
v ${batch} </dev/null
echo '@@virtu devices'; for d in ${needs.devices}; do [ ! -e "/sys/class/net/$d" ] || echo "$d"; done
echo '@@virtu files'; for f in ${paths}; do [ ! -e "$f" ] || printf '%s %s\n' "${identity}" "$f"; done
echo '@@virtu pools'; for p in $(v pool-list --uuid </dev/null); do v pool-dumpxml "$p" </dev/null | sed -n 's|^ *<path>\\(.*\\)</path>.*|\\1|p'; done
${compared}
echo '@@virtu end'`;
  return cpu === null ? { command } : { command, stdin: cpu.kind === "passthrough" ? cpu.hostXml : cpu.xml };
}

/** Null: no libvirt answered there. */
export function parseOffer(stdout: string): HostOffer | null {
  const parts = partsOf(stdout);
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
    devices: lines("devices"),
    files: identitiesOf(parts.get("files") ?? ""),
    pools: lines("pools"),
    cpu: parts.get("cpu") ?? null,
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
