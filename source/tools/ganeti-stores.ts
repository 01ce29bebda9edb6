/**
 * What a Ganeti cluster keeps its instances' disks on, asked on its master in one round trip: storage of its nodes, volumes,
 * networks, OS definitions. All but the networks are jobs of the cluster (`gnt-node list-storage`, `volumes`, `gnt-os
 * diagnose`): asked when somebody wants to know, never by the way. Printed as measured on 3.0.2; volumes by its manual.
 */
import { type Command, sh } from "../ssh/command.ts";
import { type GanetiAccess, gnt, numberOf, parseTable } from "./ganeti.ts";

const storageFields = ["node", "name", "size", "used", "free", "allocatable"] as const;
const volumeFields = ["node", "phys", "vg", "name", "size", "instance"] as const;
const networkFields = ["name", "network", "gateway", "free_count", "group_list", "inst_list"] as const;

/** Which disk templates have storage that a node can tell of, by Ganeti's name of its type. */
const storageTypes = [
  { type: "lvm-vg", templates: ["plain", "drbd"] },
  { type: "file", templates: ["file"] },
  { type: "sharedfile", templates: ["sharedfile"] },
  { type: "gluster", templates: ["gluster"] },
] as const;

export interface GanetiStorage {
  node: string;
  type: string;
  /** A volume group, or a directory. */
  name: string;
  sizeMiB: number | null;
  freeMiB: number | null;
  allocatable: boolean;
  /** Of a volume group. */
  volumes: { name: string; path: string; sizeMiB: number | null; instance: string | null }[];
}

export interface GanetiNetwork {
  name: string;
  subnet: string | null;
  freeAddresses: number | null;
  /** Node groups that are connected to it, with how. */
  groups: string[];
  instances: string[];
}

export interface GanetiSystem {
  name: string;
  /** The cluster's own word: `valid`, `invalid`, `partial`. */
  status: string;
  variants: string[];
  /** Nodes that do not have it as it should be, as the cluster tells them. */
  troubles: string[];
}

export interface GanetiStoresAnswer {
  storage: GanetiStorage[];
  networks: GanetiNetwork[];
  systems: GanetiSystem[];
  /** Parts that failed. What was printed stands on standard error. */
  failed: string[];
}

/** Each part is framed by `@@virtu NAME` and `@@virtu end STATUS`. */
export function ganetiStoresCommand(access: GanetiAccess): Command {
  const part = (name: string, command: Command) => sh`echo ${`@@virtu ${name}`}; ${command}; echo "@@virtu end $?"`;
  const table = (program: string, word: string, fields: readonly string[], ...more: string[]) =>
    gnt(access, program, [word, "--no-headers", "--separator=|", "-o", fields.join(","), ...more]);
  const storage = storageTypes.map(({ type, templates }) => {
    const list = table("gnt-node", "list-storage", storageFields, "--units=m", `--storage-type=${type}`);
    const isOn = templates.map((template) => sh`*,${template},*`).reduce((one, other) => sh`${one}|${other}`);
    return sh`case ,$t, in ${isOn}) ${part(`storage ${type}`, list)};; esac`;
  });
  const info = gnt(access, "gnt-cluster", ["info"]);
  const parts = [
    sh`t=$(${info} | sed -n 's/^ *enabled disk templates: //p' | tr -d ' ')`,
    ...storage,
    sh`case ,$t, in *,plain,*|*,drbd,*) ${part("volumes", table("gnt-node", "volumes", volumeFields, "--units=m"))};; esac`,
    part("networks", table("gnt-network", "list", networkFields)),
    part("systems", gnt(access, "gnt-os", ["diagnose"])),
  ];
  return parts.reduce((one, other) => sh`${one}; ${other}`);
}

/** MiB; a volume group's may have a fraction. */
const sizeOf = (cell: string | null) => numberOf(cell?.replace(/\.\d+$/, "") ?? null);

const words = (text: string | null, separator = ",") =>
  (text ?? "")
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== "" && word !== "-");

function systemsOf(text: string): GanetiSystem[] {
  return text
    .split(/^OS: /m)
    .slice(1)
    .map((block) => {
      const [, name = "", status = ""] = /^(\S+)(?: \[global status: (\w+)\])?/.exec(block) ?? [];
      const variants = /^ +Variants: \[(.*)\]$/m.exec(block)?.[1] ?? "";
      const nodes = block.split("\n").filter((line) => /^ +Node: /.test(line));
      const troubles = nodes.filter((line) => !line.includes("status: valid")).map((line) => line.trim());
      return { name, status, variants: words(variants), troubles };
    });
}

/** Takes the answer apart. A part that failed is named; the others count. Null when there is no answer at all. */
export function parseGanetiStores(stdout: string): GanetiStoresAnswer | null {
  const parts = [...stdout.matchAll(/^@@virtu (?!end)(.*)\n([\s\S]*?)^@@virtu end (\d+)$/gm)].map(
    ([, name = "", text = "", status = ""]) => ({ name, text, ok: status === "0" }),
  );
  if (parts.length === 0) return null;
  const text = (name: string) => parts.find((part) => part.ok && part.name === name)?.text ?? "";
  const volumes = parseTable(text("volumes"), volumeFields).flatMap((row) => row ?? []);
  const storage = parts
    .filter(({ ok, name }) => ok && name.startsWith("storage "))
    .flatMap((part) => {
      const type = part.name.slice("storage ".length);
      return parseTable(part.text, storageFields).flatMap((row): GanetiStorage[] => {
        if (!row?.node || !row.name) return [];
        const own = volumes.filter(({ node, vg }) => type === "lvm-vg" && node === row.node && vg === row.name);
        return [
          {
            ...{ node: row.node, type, name: row.name, allocatable: row.allocatable === "Y" },
            ...{ sizeMiB: sizeOf(row.size), freeMiB: sizeOf(row.free) },
            volumes: own.map(({ name, size, instance }) => ({
              ...{ name: name ?? "?", path: `/dev/${row.name}/${name ?? "?"}`, sizeMiB: sizeOf(size) },
              instance,
            })),
          },
        ];
      });
    });
  const networks = parseTable(text("networks"), networkFields).flatMap((row): GanetiNetwork[] =>
    row?.name
      ? [
          {
            ...{ name: row.name, subnet: words(row.network)[0] ?? null, freeAddresses: numberOf(row.free_count) },
            ...{ groups: words(row.group_list), instances: words(row.inst_list) },
          },
        ]
      : [],
  );
  const failed = parts.filter(({ ok }) => !ok).map(({ name }) => name);
  return { storage, networks, systems: systemsOf(text("systems")), failed };
}
