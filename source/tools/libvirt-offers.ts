/**
 * What a libvirt host offers to a new instance, asked in one round trip: names and cards in use, memory and CPUs, pools with
 * their volumes, networks, bridges, what can be emulated, the operating systems that virt-install knows, and the files that
 * a request names.
 */
import { type Command, sh } from "../ssh/command.ts";
import { type ImageFacts, imageCommand, parseImage } from "./disk-image.ts";

export interface OfferedVolume {
  name: string;
  path: string;
}

export interface OfferedPool {
  name: string;
  active: boolean;
  /** `dir`, `logical`, …; null while it is not active. */
  type: string | null;
  directory: string | null;
  capacityMiB: number | null;
  availableMiB: number | null;
  volumes: OfferedVolume[];
}

export interface OfferedNetwork {
  name: string;
  active: boolean;
  bridge: string | null;
  /** `nat`, `route`, `bridge`, `open`; null: isolated. */
  forward: string | null;
  /** Its own address and prefix length: `192.168.122.1/24`. */
  address: string | null;
  hasDhcp: boolean;
}

export interface OfferedArch {
  arch: string;
  /** `pc`, `q35` and what else it calls so. */
  machines: string[];
  /** `kvm`, `qemu`, … */
  virtTypes: string[];
}

export interface LibvirtOffers {
  provider: "libvirt";
  /** Names in use. */
  names: string[];
  /** Lower case. */
  macs: string[];
  cpus: number | null;
  /** Given to running domains. */
  cpusInUse: number;
  memoryMiB: number | null;
  /** Free now, what the kernel only caches counted as free. */
  memoryFreeMiB: number | null;
  pools: OfferedPool[];
  networks: OfferedNetwork[];
  bridges: string[];
  archs: OfferedArch[];
  /** What a guest of the host's own kind may have at most. */
  maximumVcpus: number | null;
  firmwares: ("bios" | "uefi")[];
  /** Every name and alias that `--osinfo` takes; empty: virt-install is missing or did not answer. */
  systems: string[];
  hasVirtInstall: boolean;
  /** Paths that are disks of domains, with who has them. Absent: nobody asked. */
  usedDisks?: ReadonlyMap<string, string>;
  /** The files that were asked for; null: not there. */
  files: ReadonlyMap<string, ImageFacts | null>;
}

const limitSeconds = 20;

/**
 * `files` are absolute paths on the host. The pools' and networks' names come from virsh itself, line by line, so that any
 * name goes. domstats comes last: a QEMU that hangs blocks it.
 */
export function offersCommand(uri: string, files: readonly string[]): Command {
  const virsh = sh`LC_ALL=C.UTF-8 timeout ${limitSeconds} virsh -c ${uri}`;
  const facts =
    "echo @@virtu names; list --all --name; echo @@virtu node; nodeinfo; nodememstats; echo @@virtu pools; pool-list --all; echo @@virtu networks; net-list --all; echo @@virtu capabilities; capabilities; echo @@virtu domcapabilities; domcapabilities";
  // Names with blanks and quotes pass through `read` whole; virsh pads those of pools.
  const each = (list: Command, name: Command, body: Command) =>
    sh`${list} | while IFS= read -r n; do if [ -n "$n" ]; then echo ${name}; ${body}; fi; done`;
  const pools = each(
    sh`${virsh} pool-list --name | sed "s| *$||"`,
    sh`"@@virtu pool $n"`,
    sh`${virsh} pool-refresh "$n" </dev/null >/dev/null; ${virsh} pool-dumpxml "$n" </dev/null; ${virsh} vol-list "$n" </dev/null`,
  );
  const networks = each(
    sh`${virsh} net-list --name | sed "s| *$||"`,
    sh`"@@virtu network $n"`,
    sh`${virsh} net-dumpxml "$n" </dev/null`,
  );
  // virsh takes a line of its one word for a command, as it takes what stands between semicolons.
  const cards = sh`${virsh} "$(${virsh} list --all --uuid | sed -n 's/^[0-9a-f]/domiflist &/p')"`;
  const named = files.map((file) => sh`echo ${`@@virtu file ${file}`}; ${imageCommand(file)}`);
  const parts = [
    sh`${virsh} ${facts}`,
    pools,
    networks,
    sh`echo '@@virtu cards'; ${cards}`,
    sh`echo '@@virtu bridges'; ip -o link show type bridge`,
    sh`echo '@@virtu systems'; if command -v virt-install >/dev/null; then echo '@@virtu virt-install'; timeout ${limitSeconds} virt-install --osinfo list </dev/null; fi`,
    ...named,
    sh`echo '@@virtu stats'; ${virsh} domstats --nowait --raw --state --vcpu; echo '@@virtu end'`,
  ];
  return parts.reduce((one, other) => sh`${one}; ${other}`);
}

interface Part {
  head: string;
  text: string;
}

function split(stdout: string): Part[] {
  return stdout
    .split(/^@@virtu (?!image$)/m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return end < 0 ? { head: part, text: "" } : { head: part.slice(0, end), text: part.slice(end + 1) };
    });
}

const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

/** Values of an XML attribute or element; libvirt's own XML has neither comments nor CDATA here. */
function every(xml: string, pattern: RegExp): string[] {
  return [...xml.matchAll(pattern)].map((found) => plainText(found[1] ?? ""));
}

function plainText(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

const first = (xml: string, pattern: RegExp) => every(xml, pattern)[0] ?? null;
const kibToMib = (text: string | undefined) => (text === undefined ? null : Math.floor(Number(text) / 1024));
const bytesToMib = (text: string | null) => (text === null ? null : Math.floor(Number(text) / 1024 ** 2));

/** Names of a table whose second column is `active`, `inactive` or `running`. */
function stateTable(text: string): { name: string; active: boolean }[] {
  return lines(text).flatMap((line) => {
    const found = /^ (.+?)\s{2,}(active|inactive|running)\b/.exec(line);
    return found ? [{ name: found[1] ?? "", active: found[2] !== "inactive" }] : [];
  });
}

function readPool(name: string, active: boolean, text: string): OfferedPool {
  const volumes = lines(text.slice(text.indexOf("</pool>") + 1)).flatMap((line) => {
    const found = /^ (.+?)\s{2,}(\/.*)$/.exec(line);
    return found ? [{ name: found[1] ?? "", path: (found[2] ?? "").trimEnd() }] : [];
  });
  return {
    ...{ name, active, type: first(text, /<pool type='([^']+)'/g), directory: first(text, /<path>([^<]*)<\/path>/g) },
    capacityMiB: bytesToMib(first(text, /<capacity unit='bytes'>(\d+)/g)),
    availableMiB: bytesToMib(first(text, /<available unit='bytes'>(\d+)/g)),
    volumes,
  };
}

/** `255.255.255.0` as 24. */
function prefixOf(netmask: string): number {
  return netmask.split(".").reduce((bits, byte) => bits + Number(byte).toString(2).replaceAll("0", "").length, 0);
}

function readNetwork(name: string, active: boolean, xml: string): OfferedNetwork {
  const found = /<ip(?: family='ipv4')? address='([\d.]+)'(?: netmask='([\d.]+)'| prefix='(\d+)')?/.exec(xml);
  const prefix = found?.[3] ?? (found?.[2] ? prefixOf(found[2]) : 24);
  return {
    ...{ name, active, bridge: first(xml, /<bridge name='([^']+)'/g) },
    forward: first(xml, /<forward (?:dev='[^']*' )?mode='([^']+)'/g),
    address: found ? `${found[1]}/${prefix}` : null,
    hasDhcp: xml.includes("<dhcp>"),
  };
}

function readArchs(xml: string): OfferedArch[] {
  return xml
    .split("<guest>")
    .slice(1)
    .flatMap((guest) => {
      const arch = first(guest, /<arch name='([^']+)'/g);
      if (arch === null || !guest.includes("<os_type>hvm</os_type>")) return [];
      const machines = [...new Set(every(guest, /<machine[^>]*>([^<]+)</g))];
      return [{ arch, machines, virtTypes: [...new Set(every(guest, /<domain type='([^']+)'/g))] }];
    });
}

function vcpusInUse(stats: string): number {
  return stats
    .split(/^Domain: /m)
    .slice(1)
    .filter((domain) => /^ +state\.state=1$/m.test(domain))
    .reduce((sum, domain) => sum + Number(/^ +vcpu\.current=(\d+)$/m.exec(domain)?.[1] ?? 0), 0);
}

/** Takes the answer apart; null when virsh did not connect (its stderr says why). */
export function parseOffers(stdout: string): LibvirtOffers | null {
  const parts = split(stdout);
  const text = (head: string) => parts.find((part) => part.head === head)?.text ?? "";
  if (!parts.some(({ head }) => head === "names") || text("capabilities").trim() === "") return null;
  const named = (kind: string, name: string) => text(`${kind} ${name}`);
  const node = text("node");
  const memory = (word: string) => kibToMib(new RegExp(`^${word} *: +(\\d+) KiB$`, "m").exec(node)?.[1]);
  const free = [memory("free"), memory("buffers"), memory("cached")];
  const capabilities = text("domcapabilities");
  const firmwares: ("bios" | "uefi")[] = ["bios"];
  if (every(capabilities, /<value>(efi)<\/value>/g).length > 0) firmwares.push("uefi");
  const files = parts.flatMap(({ head, text: body }): [string, ImageFacts | null][] =>
    head.startsWith("file ") ? [[head.slice(5), parseImage(body)]] : [],
  );
  return {
    provider: "libvirt",
    names: lines(text("names")),
    macs: [...text("cards").matchAll(/\b(?:[\da-f]{2}:){5}[\da-f]{2}\b/gi)].map(([mac]) => mac.toLowerCase()),
    cpus: Number(/^CPU\(s\): +(\d+)$/m.exec(node)?.[1] ?? 0) || null,
    cpusInUse: vcpusInUse(text("stats")),
    memoryMiB: memory("total"),
    memoryFreeMiB: free[0] === null ? null : free.reduce<number>((sum, part) => sum + (part ?? 0), 0),
    pools: stateTable(text("pools")).map(({ name, active }) => readPool(name, active, named("pool", name))),
    networks: stateTable(text("networks")).map(({ name, active }) => readNetwork(name, active, named("network", name))),
    bridges: every(text("bridges"), /^\d+: ([^:@]+)[:@]/gm),
    archs: readArchs(text("capabilities")),
    maximumVcpus: Number(first(capabilities, /<vcpu max='(\d+)'/g)) || null,
    firmwares,
    systems: lines(text("virt-install"))
      .filter((line) => /^\S+(?:, \S+)*$/.test(line))
      .flatMap((line) => line.split(", ")),
    hasVirtInstall: parts.some(({ head }) => head === "virt-install"),
    files: new Map(files),
  };
}
