/** One domain looked at alone: its definition, disks, networks, snapshots, in one round trip. */
import type { DiskInfo, InstanceDetails, SnapshotInfo } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { pollLimit, virshFunction, virshWord } from "./virsh.ts";
import { parseDefinition, parseSnapshot } from "./virsh-definition.ts";
import { parseDomstats, whole } from "./virsh-parse.ts";

/** How many snapshots are read. */
export const snapshotLimit = 100;
/** A bridge of the host that is no network of libvirt's, as `nic-add` takes it: `bridge:br0`. */
export const bridgePrefix = "bridge:";

/**
 * What a domain is, marked by `@@virtu NAME`. Secrets stay on the host (no --security-info). What asks QEMU comes last: a
 * process that hangs loses only that. A snapshot's copy of the whole definition is cut off.
 */
export function detailsCommand(uri: string, domain: string): Command {
  const word = virshWord(domain);
  const batch = [
    "echo @@virtu definition",
    `dumpxml ${word} --inactive`,
    "echo @@virtu networks",
    "net-list --name",
    "echo @@virtu pools",
    "pool-list --details",
    "echo @@virtu current",
    `snapshot-current ${word} --name`,
    "echo @@virtu live",
    `dumpxml ${word}`,
    "echo @@virtu addresses",
    `domifaddr ${word}`,
    "echo @@virtu blocks",
    // Not domblkinfo --all: virsh 9.0 fails there as soon as a drive was emptied while the domain runs.
    `domstats ${word} --block --nowait --raw`,
    "echo @@virtu end",
  ].join("; ");
  return sh`${virshFunction(uri)}
LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} ${batch}
status=$?
echo '@@virtu bridges'
for bridge in /sys/class/net/*/bridge; do echo "$bridge"; done
v pool-list --name 2>/dev/null | while read -r pool; do [ -z "$pool" ] || { echo '@@virtu volumes'; v vol-list "$pool"; }; done
v snapshot-list --domain ${domain} --name --topological 2>/dev/null | head -n ${snapshotLimit} | while IFS= read -r name; do
  [ -n "$name" ] || continue
  echo '@@virtu snapshot'
  v snapshot-dumpxml --domain ${domain} --snapshotname "$name" | while IFS= read -r line; do
    case $line in '  <domain'* | '  <inactiveDomain'*) break ;; esac
    printf '%s\\n' "$line"
  done
done
exit $status`;
}

function partsOf(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const part of text.split(/^@@virtu /m).slice(1)) {
    const end = part.indexOf("\n");
    const name = part.slice(0, end < 0 ? undefined : end);
    found.set(name, [...(found.get(name) ?? []), end < 0 ? "" : part.slice(end + 1)]);
  }
  return found;
}

const lines = (text: string | undefined) => (text ?? "").split("\n").filter((line) => line.trim() !== "");
const mebibytesOf: Readonly<Record<string, number>> = {
  bytes: 1 / 1024 ** 2,
  B: 1 / 1024 ** 2,
  KiB: 1 / 1024,
  MiB: 1,
  GiB: 1024,
  TiB: 1024 ** 2,
  PiB: 1024 ** 3,
};

/** `pool-list --details`: the last column is what is free, `224.31 GiB` or `-`; only running pools have it. */
function poolsIn(text: string | undefined): { name: string; freeMiB: number | null }[] {
  return lines(text)
    .slice(2)
    .flatMap((row) => {
      const [name = "", , , , , , free = ""] = row.trim().split(/ {3,}/);
      const [, value, unit = ""] = /^([\d.]+) (\w+)$/.exec(free) ?? [];
      const factor = mebibytesOf[unit];
      return name === ""
        ? []
        : [{ name, freeMiB: value && factor !== undefined ? Math.floor(Number(value) * factor) : null }];
    });
}

/** MiB of each disk; an empty drive has none. */
function sizesIn(text: string | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const stats of parseDomstats(text ?? "").values()) {
    for (let index = 0; index < (whole(stats["block.count"]) ?? 0); index += 1) {
      const name = stats[`block.${index}.name`];
      const capacity = whole(stats[`block.${index}.capacity`]);
      if (name !== undefined && capacity !== null) found.set(name, Math.round(capacity / 1024 ** 2));
    }
  }
  return found;
}

/** `domifaddr`: interface, MAC, protocol, address with its prefix length. */
function addressesIn(text: string | undefined): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const row of lines(text)) {
    const [, mac, address = ""] = /([0-9a-f]{2}(?::[0-9a-f]{2}){5}) +ipv[46] +(\S+)/.exec(row) ?? [];
    if (mac !== undefined) found.set(mac, [...(found.get(mac) ?? []), address.replace(/\/\d+$/, "")]);
  }
  return found;
}

/** Paths of a pool's volumes that look like media: `vol-list` has name and path. */
function mediaIn(tables: readonly string[]): string[] {
  const paths = tables.flatMap((table) =>
    lines(table).flatMap((row) => / {2,}(\/.*\.(?:iso|img))$/i.exec(row)?.[1] ?? []),
  );
  return [...new Set(paths)].sort();
}

function snapshotsIn(pieces: readonly string[], current: string | undefined): SnapshotInfo[] {
  return pieces.flatMap((piece) => {
    const found = parseSnapshot(piece);
    return found ? [{ ...found, current: found.name === current }] : [];
  });
}

/** What `detailsCommand` printed; null when the definition is not in it. */
export function parseDetails(stdout: string): InstanceDetails | null {
  const parts = partsOf(stdout);
  const text = parts.get("definition")?.[0]?.trim() ?? "";
  const inactive = parseDefinition(text);
  if (!inactive) return null;
  // What it has now, media that were changed for this run among it; an off domain prints the same twice.
  const live = parseDefinition(parts.get("live")?.[0] ?? "") ?? inactive;
  const sizes = sizesIn(parts.get("blocks")?.[0]);
  const addresses = addressesIn(parts.get("addresses")?.[0]);
  const snapshots = snapshotsIn(parts.get("snapshot") ?? [], lines(parts.get("current")?.[0])[0]);
  const bridges = lines(parts.get("bridges")?.[0]).flatMap((path) => /\/net\/([^/*]+)\/bridge$/.exec(path)?.[1] ?? []);
  const more = [...live.more];
  if (!live.serial) more.push(["Serial device", "none: no text console"]);
  if (!parts.has("end")) more.push(["Sizes of disks", "QEMU does not answer"]);
  if (snapshots.length >= snapshotLimit) more.push(["Snapshots", `only the first ${snapshotLimit} are shown`]);
  return {
    disks: live.disks.map((disk): DiskInfo => ({ ...disk, sizeMiB: sizes.get(disk.id) ?? null })),
    nics: live.nics.map((nic) => ({ ...nic, addresses: (nic.mac !== null && addresses.get(nic.mac)) || [] })),
    snapshots,
    tags: inactive.tags,
    note: inactive.description,
    networks: [
      ...lines(parts.get("networks")?.[0]).map((line) => line.trim()),
      // Those of libvirt's own networks are reached by the network's name.
      ...bridges.filter((name) => !name.startsWith("virbr")).map((name) => bridgePrefix + name),
    ],
    pools: poolsIn(parts.get("pools")?.[0]),
    media: mediaIn(parts.get("volumes") ?? []),
    vcpusMax: live.vcpus,
    memoryMaxMiB: live.memoryMiB,
    definition: { text: `${text}\n`, language: "xml", editable: true },
    more,
  };
}
