/** What a node says of itself, asked in one command: system, processors, memory, disks, address. Linux of any kind. */
import type { NodeFacts } from "../journey/types.ts";
import { type Command, sh } from "../ssh/command.ts";

/** Every part may fail alone: minimal images have neither lsblk nor ip. */
export function factsCommand(): Command {
  return sh`export LC_ALL=C
echo '@kernel'; uname -r
echo '@os'; cat /etc/os-release 2> /dev/null
echo '@cpus'; nproc 2> /dev/null
echo '@memory'; grep -F MemTotal /proc/meminfo 2> /dev/null
echo '@disks'; lsblk -b -J -d -o NAME,SIZE,TYPE 2> /dev/null
echo '@blocks'; for disk in /sys/block/*; do if [ -e "$disk/device" ]; then echo "$(basename "$disk") $(cat "$disk/size")"; fi; done
echo '@address'; echo "$SSH_CONNECTION"
echo '@addresses'; hostname -I 2> /dev/null
echo '@uptime'; cat /proc/uptime 2> /dev/null
echo '@end'`;
}

const number = (text: string | undefined, pattern: RegExp): number | null => {
  const found = pattern.exec(text ?? "")?.[1];
  return found === undefined ? null : Number(found);
};

/** Reads the answer of `factsCommand`. What a node does not tell is null. */
export function parseFacts(name: string, text: string): NodeFacts {
  const parts = new Map<string, string>();
  for (const part of text
    .split(/^@(?=(?:kernel|os|cpus|memory|disks|blocks|address|addresses|uptime|end)$)/m)
    .slice(1)) {
    const end = part.indexOf("\n");
    parts.set(part.slice(0, end), part.slice(end + 1).trim());
  }
  const memory = number(parts.get("memory"), /(\d+) kB/);
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(parts.get("os") ?? "")?.[1];
  // The third word is the address that this very connection came to.
  const address = /^\S+ \d+ (\S+) \d+$/.exec(parts.get("address") ?? "")?.[1];
  return {
    name,
    state: "reachable",
    reason: null,
    address: address ?? parts.get("addresses")?.split(/\s+/)[0] ?? null,
    kernel: parts.get("kernel") || null,
    os: pretty ?? null,
    cpus: number(parts.get("cpus"), /^(\d+)$/),
    memoryMiB: memory === null ? null : Math.round(memory / 1024),
    disks: disksOf(parts.get("disks") ?? "", parts.get("blocks") ?? ""),
    uptimeSeconds: number(parts.get("uptime"), /^(\d+)/),
  };
}

const gib = (bytes: number) => Math.round((bytes / 2 ** 30) * 10) / 10;

function disksOf(lsblk: string, blocks: string): NodeFacts["disks"] {
  try {
    const { blockdevices } = JSON.parse(lsblk) as {
      blockdevices: { name: string; size: number | string; type: string }[];
    };
    return blockdevices
      .filter(({ type, size }) => type === "disk" && Number(size) > 0)
      .map(({ name, size }) => ({ name, sizeGiB: gib(Number(size)) }));
  } catch {
    // /sys counts in sectors of 512 bytes, whatever the disk does.
    return blocks.split("\n").flatMap((line) => {
      const [, name = "", sectors] = /^(\S+) (\d+)$/.exec(line) ?? [];
      return Number(sectors) > 0 && !/^(sr|fd|loop|ram)\d/.test(name)
        ? [{ name, sizeGiB: gib(Number(sectors) * 512) }]
        : [];
    });
  }
}

/** Looks names up as the frontend knows them. */
export function addressesCommand(names: readonly string[]): Command {
  return sh`LC_ALL=C getent hosts ${names}`;
}

/** `getent hosts`: an address, then its names. */
export function parseAddresses(text: string, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [address, ...aliases] = line.trim().split(/\s+/);
    const name = names.find((wanted) => aliases.includes(wanted));
    if (address && name !== undefined && !found.has(name)) found.set(name, address);
  }
  return found;
}
