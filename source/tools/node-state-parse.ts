/** Reads the answer of `nodeStateCommand`. */
import { type Disk, parseDevice, parseDisks } from "./disks.ts";
import { parseGroups, type VolumeGroup } from "./lvm.ts";
import { managerOf, parseGateway, parseInterfaces } from "./network.ts";
import type { NodeState } from "./node-state.ts";

interface Parts {
  text(name: string): string;
  lines(name: string): string[];
  /** Contents of files, by path. */
  files: ReadonlyMap<string, string>;
  devices: ReadonlyMap<string, string>;
}

function partsOf(answer: string): Parts {
  const parts = new Map<string, string>();
  const files = new Map<string, string>();
  const devices = new Map<string, string>();
  for (const part of answer.split(/^@virtu (?=[a-z-]+(?: \/.*)?$)/m).slice(1)) {
    const end = part.indexOf("\n");
    const [head, body] = end < 0 ? [part, ""] : [part.slice(0, end), part.slice(end + 1)];
    const [, kind, path] = /^(file|device) (\/.*)$/.exec(head) ?? [];
    if (kind === "file" && path) files.set(path, body);
    else if (kind === "device" && path) devices.set(path, body);
    else parts.set(head, body);
  }
  const lines = (name: string) =>
    (parts.get(name) ?? "")
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  return { text: (name) => (parts.get(name) ?? "").trim(), lines, files, devices };
}

/** Whether the answer came to its end; a shell that stopped in the middle must not read as a bare node. */
export function isWhole(answer: string): boolean {
  return /^@virtu end$/m.test(answer);
}

const assigned = (text: string, name: string): string | null => {
  const found = new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1]?.trim();
  return found === undefined ? null : found.replace(/^(["'])(.*)\1$/, "$2");
};

const below = (files: ReadonlyMap<string, string>, folder: string) =>
  Object.fromEntries([...files].filter(([path]) => path.startsWith(folder)));

/** @param ourClock Epoch seconds here, in the middle of the question's round trip. */
export function parseNodeState(answer: string, ourClock: number): NodeState {
  const { text, lines, files, devices } = partsOf(answer);
  const interfaces = parseInterfaces(text("addresses"));
  const gateway = parseGateway(text("routes"));
  // The third word is the address that this very connection came to.
  const connected = /^\S+ \d+ (\S+) \d+$/.exec(text("connection"))?.[1] ?? null;
  const virtual = lines("virtual");
  const groups = lines("groups")[0] === "lvm" ? parseGroups(lines("groups").slice(1), lines("volumes")) : null;
  const system = text("system");
  return {
    hostname: text("hostname"),
    fullName: text("full-name") || null,
    nameIsLoopback: /^127\./.test(text("name-address")),
    address: addressOf(interfaces, gateway, connected),
    root: text("user") === "0",
    system: {
      id: assigned(system, "ID") ?? "",
      version: assigned(system, "VERSION_ID") ?? "",
      codename: assigned(system, "VERSION_CODENAME") ?? "",
      pretty: assigned(system, "PRETTY_NAME") ?? "",
      architecture: text("architecture"),
      kernel: text("kernel"),
    },
    clockAheadSeconds: Number(text("clock")) - ourClock,
    askedAt: ourClock,
    timezone: lines("timezone")[0]?.replace(/^.*\/zoneinfo\//, "") ?? null,
    locale: assigned(text("locale"), "LANG"),
    locales: lines("locales"),
    interfaces,
    gateway,
    network: managerOf(lines("network"), {
      ...below(files, "/etc/network/"),
      ...below(files, "/etc/netplan/"),
      ...below(files, "/etc/systemd/"),
      ...below(files, "/run/systemd/"),
    }),
    disks: inGroups(
      [
        ...parseDisks(text("disks")).filter(({ path }) => !devices.has(path)),
        ...[...devices].flatMap(([path, body]) => parseDevice(path, body)),
      ],
      groups ?? [],
    ),
    groups,
    sources: below(files, "/etc/apt/"),
    packages: Object.fromEntries(
      lines("packages").flatMap((line) => {
        const [, name, version] = /^installed (\S+) (\S+)$/.exec(line) ?? [];
        return name && version ? [[name, version]] : [];
      }),
    ),
    packageLock: lines("package-lock")[0] ?? null,
    packagesHalfDone: lines("half-done").length > 0,
    hostsFile: text("hosts"),
    authorizedKeys: lines("authorized-keys").filter((line) => !line.startsWith("#")),
    ownKey: lines("own-key")[0] ?? null,
    hostKeys: lines("host-keys").map((line) => line.split(" ").slice(0, 2).join(" ")),
    rootPassword: (["set", "locked", "none"] as const).find((kind) => kind === text("password")) ?? null,
    virtual: {
      kvm: virtual.includes("kvm"),
      vhostNet: virtual.includes("vhost-net"),
      xen: virtual.includes("dom0") ? "dom0" : virtual.includes("xen-guest") ? "guest" : null,
      xendConfig: virtual.find((line) => line.startsWith("xend "))?.slice("xend ".length) ?? null,
    },
    boot: lines("boot"),
    freeBytes: Object.fromEntries(
      lines("free").flatMap((line) => {
        const [, mount, bytes] = /^(\/\S*)\s+(\d+)$/.exec(line) ?? [];
        return mount && bytes ? [[mount, Number(bytes)]] : [];
      }),
    ),
    memoryMiB: memoryOf(text("memory")),
    ganeti: clusterOf(lines("ganeti")),
    libvirt: lines("libvirt").length > 0,
  };
}

/** lsblk knows what is on a disk from udev, which not every node has; LVM itself is sure. */
function inGroups(disks: readonly Disk[], groups: readonly VolumeGroup[]): Disk[] {
  return disks.map((disk) => {
    const group = groups.find(({ devices }) => devices.includes(disk.path));
    return group ? { ...disk, holds: `LVM volume group ${group.name}` } : disk;
  });
}

/** The node's own IPv4 address: the one we came to, unless that is a forwarded port's, else the default route's. */
function addressOf(
  interfaces: NodeState["interfaces"],
  gateway: NodeState["gateway"],
  connected: string | null,
): string | null {
  const own = interfaces.flatMap(({ name, addresses }) =>
    addresses.filter(({ family, scope }) => family === "inet" && scope === "global").map((one) => ({ name, ...one })),
  );
  const chosen =
    own.find(({ address }) => address === connected) ?? own.find(({ name }) => name === gateway?.interface) ?? own[0];
  return chosen?.address ?? connected;
}

function memoryOf(text: string): number | null {
  const kib = /(\d+) kB/.exec(text)?.[1];
  return kib === undefined ? null : Math.round(Number(kib) / 1024);
}

function clusterOf([cluster, master, ...nodes]: readonly string[]): NodeState["ganeti"] {
  return cluster && master ? { cluster, master, nodes } : null;
}
