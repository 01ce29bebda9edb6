/** What a Ganeti cluster offers to a new instance, asked on its master in one round trip. */
import { type Command, sh } from "../ssh/command.ts";
import { type GanetiAccess, gnt, numberOf, parseTable } from "./ganeti.ts";

export interface OfferedNode {
  name: string;
  /** Takes instances: neither drained nor offline, and able to. */
  usable: boolean;
  memoryFreeMiB: number | null;
  diskFreeMiB: number | null;
  cpus: number | null;
  group: string | null;
}

export interface OfferedGanetiNetwork {
  name: string;
  subnet: string | null;
  freeAddresses: number | null;
}

/** Limits of the cluster's instance policy; null where it could not be read. */
export interface Policy {
  memoryMiB: [number, number] | null;
  vcpus: [number, number] | null;
  diskMiB: [number, number] | null;
}

export interface GanetiOffers {
  provider: "ganeti";
  cluster: string | null;
  /** `3.0.2`, `3.1.0~rc2`. */
  version: string | null;
  names: string[];
  macs: string[];
  ips: string[];
  nodes: OfferedNode[];
  /** OS definitions with their variants. */
  systems: string[];
  hypervisors: string[];
  diskTemplates: string[];
  /** The default allocator, mostly `hail`. */
  allocator: string | null;
  networks: OfferedGanetiNetwork[];
  /** The default bridge of cards. */
  link: string | null;
  policy: Policy;
}

const nodeFields = ["name", "role", "vm_capable", "mfree", "dfree", "ctotal", "group"] as const;
const instanceFields = ["name", "nic.macs", "nic.ips"] as const;
const networkFields = ["name", "network", "free_count"] as const;

export function ganetiOffersCommand(access: GanetiAccess): Command {
  const table = (program: string, fields: readonly string[], unit = true) =>
    gnt(access, program, [
      ...["list", "--no-headers", "--separator=|", ...(unit ? ["--units=m"] : []), "-o", fields.join(",")],
    ]);
  const parts = [
    sh`echo '@@virtu version'; ${gnt(access, "gnt-cluster", ["--version"])}`,
    sh`echo '@@virtu info'; ${gnt(access, "gnt-cluster", ["info"])}`,
    sh`echo '@@virtu instances'; ${table("gnt-instance", instanceFields)}`,
    sh`echo '@@virtu nodes'; ${table("gnt-node", nodeFields)}`,
    sh`echo '@@virtu systems'; ${gnt(access, "gnt-os", ["list", "--no-headers"])}`,
    sh`echo '@@virtu networks'; ${table("gnt-network", networkFields, false)}`,
    sh`echo '@@virtu end'`,
  ];
  return parts.reduce((one, other) => sh`${one}; ${other}`);
}

/** A line of `gnt-cluster info`, by its indented name. */
function fact(info: string, name: string): string | null {
  const found = new RegExp(`^ *${name}: (.*)$`, "m").exec(info)?.[1]?.trim();
  return found ? found : null;
}

const list = (text: string | null) =>
  (text ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** The first bounds of the policy: `max/0:` and `min/0:` blocks with a line for each quantity. */
function readPolicy(info: string): Policy {
  const bounds = /bounds specs:([\s\S]*?)\n {2}\S/.exec(info)?.[1] ?? "";
  const [, maximum = "", minimum = ""] = /max\/0:([\s\S]*?)min\/0:([\s\S]*?)(?:max\/1:|$)/.exec(bounds) ?? [];
  const range = (name: string): [number, number] | null => {
    const low = new RegExp(`${name}: (\\d+)`).exec(minimum)?.[1];
    const high = new RegExp(`${name}: (\\d+)`).exec(maximum)?.[1];
    return low === undefined || high === undefined ? null : [Number(low), Number(high)];
  };
  return { memoryMiB: range("memory-size"), vcpus: range("cpu-count"), diskMiB: range("disk-size") };
}

/** Takes the answer apart; null when there is no cluster to be read (stderr says why). */
export function parseGanetiOffers(stdout: string): GanetiOffers | null {
  const parts = new Map(
    stdout
      .split(/^@@virtu /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf("\n");
        return [part.slice(0, end), part.slice(end + 1)] as const;
      }),
  );
  const text = (name: string) => parts.get(name) ?? "";
  const info = text("info");
  if (!info.includes("Cluster name:")) return null;
  const instances = parseTable(text("instances"), instanceFields).flatMap((row) => row ?? []);
  const nodes = parseTable(text("nodes"), nodeFields).flatMap((row) => row ?? []);
  const networks = parseTable(text("networks"), networkFields).flatMap((row) => row ?? []);
  const nicDefaults = /^Default nic parameters:.*\n([\s\S]*?)(?=^\S|$(?![\s\S]))/m.exec(info)?.[1] ?? "";
  return {
    provider: "ganeti",
    cluster: fact(info, "Cluster name"),
    version: /\(ganeti (?:version )?v?([^)]+)\)/.exec(text("version"))?.[1] ?? null,
    names: instances.flatMap(({ name }) => name ?? []),
    macs: instances.flatMap((row) => list(row["nic.macs"])).map((mac) => mac.toLowerCase()),
    ips: instances.flatMap((row) => list(row["nic.ips"])).filter((ip) => ip !== "None"),
    nodes: nodes.map((row) => ({
      name: row.name ?? "",
      usable: row.role !== null && "MCR".includes(row.role) && row.vm_capable !== "N",
      memoryFreeMiB: numberOf(row.mfree),
      diskFreeMiB: numberOf(row.dfree),
      cpus: numberOf(row.ctotal),
      group: row.group,
    })),
    systems: text("systems")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
    hypervisors: list(fact(info, "Enabled hypervisors")),
    diskTemplates: list(fact(info, "enabled disk templates")),
    allocator: fact(info, "default instance allocator"),
    networks: networks.map((row) => ({
      name: row.name ?? "",
      subnet: row.network,
      freeAddresses: numberOf(row.free_count),
    })),
    link: fact(nicDefaults, "link"),
    policy: readPolicy(info),
  };
}
