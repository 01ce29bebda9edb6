/**
 * Pools, volumes and networks of a libvirt host (`virsh` 7.0 to 11): one question for all of them, and what is done to them.
 * Names may hold blanks: virsh is told UUIDs where it lists, and the names come from the XML.
 */
import type {
  StoragePool,
  StoreAction,
  StoredVolume,
  StoreProblem,
  StoreView,
  VirtualNetwork,
} from "../instances/stores-types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { errorLines, explainVirsh } from "./virsh-errors.ts";
import { tableRows } from "./virsh-table.ts";
import { type DomainUse, readUse, usesScript } from "./virsh-uses.ts";

/** Seconds after which the question is cut off. */
export const storesLimit = 20;

/** The parts of the question, as they are called where one fails. */
const partNames: Readonly<Record<string, string>> = {
  tables: "which pools and networks are active",
  pools: "its pools",
  volumes: "the volumes in its pools",
  networks: "its networks",
  leases: "the leases of its networks",
  domains: "who uses what",
};

/**
 * Everything about a host's storage and networks; two processes of virsh for each kind of thing, whatever there is of it.
 * On standard error each part's complaints stand between `@@virtu part NAME` and `@@virtu status N`.
 */
export function storesCommand(uri: string): Command {
  const virsh = sh`LC_ALL=C.UTF-8 timeout ${storesLimit} virsh -c ${uri}`;
  // One process asks for all: the list of UUIDs becomes the script of the next one.
  const part = (name: string, body: Command) =>
    sh`echo ${`@@virtu part ${name}`} >&2; s=0; ${body}; echo "@@virtu status $s" >&2`;
  const each = (name: string, list: string, script: string) =>
    part(
      name,
      sh`ids=$(${virsh} ${sh`${list.split(" ")}`} --uuid) || s=$?; script=$(printf '%s\n' "$ids" | sed -n ${`s/^\\([0-9a-f-]\\{36\\}\\).*/${script}/p`}); [ -z "$script" ] || ${virsh} "$script" || s=$?`,
    );
  const tables = "echo @@virtu pool-table; pool-list --all; echo @@virtu network-table; net-list --all";
  const parts = [
    part("tables", sh`${virsh} ${tables} || s=$?`),
    each("pools", "pool-list --all", "echo @@virtu pool; pool-dumpxml \\1;"),
    each("volumes", "pool-list", "echo @@virtu volumes \\1; vol-list --details \\1;"),
    each("networks", "net-list --all", "echo @@virtu network; net-dumpxml \\1;"),
    each("leases", "net-list", "echo @@virtu leases \\1; net-dhcp-leases \\1;"),
    each("domains", "list --all", usesScript),
    sh`echo '@@virtu end'`,
  ];
  return parts.reduce((one, other) => sh`${one}; ${other}`);
}

interface Part {
  head: string;
  text: string;
}

function partsOf(stdout: string): Part[] {
  return stdout
    .split(/^@@virtu /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return end < 0 ? { head: part, text: "" } : { head: part.slice(0, end), text: part.slice(end + 1) };
    });
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}

/** The text of the first element of that name, in XML as libvirt writes it. */
function element(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1];
  return found === undefined ? null : unescaped(found);
}

function attribute(xml: string, name: string, attributeName: string): string | null {
  const tag = new RegExp(`<${name}( [^>]*)>`).exec(xml)?.[1] ?? "";
  const found = new RegExp(` ${attributeName}='([^']*)'`).exec(tag)?.[1];
  return found === undefined ? null : unescaped(found);
}

const units: Readonly<Record<string, number>> = {
  B: 1 / 1024 / 1024,
  KiB: 1 / 1024,
  MiB: 1,
  GiB: 1024,
  TiB: 1024 * 1024,
  PiB: 1024 ** 3,
};

/** `128.00 MiB` in MiB. */
function sizeOf(text: string | undefined): number | null {
  const found = /^([\d.]+) (\w+)$/.exec(text ?? "");
  const unit = units[found?.[2] ?? ""];
  return found && unit !== undefined ? Number(found[1]) * unit : null;
}

function bytesOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) / 1024 / 1024 : null;
}

/** How many bits of a netmask are set. */
function prefixOf(netmask: string): number {
  return netmask.split(".").reduce((bits, part) => bits + Number(part).toString(2).replaceAll("0", "").length, 0);
}

function volumesOf(text: string, domains: readonly DomainUse[]): StoredVolume[] {
  return tableRows(text).map((row) => {
    const path = row["Path"] ?? "";
    return {
      name: row["Name"] ?? "",
      path,
      sizeMiB: sizeOf(row["Capacity"]),
      takenMiB: sizeOf(row["Allocation"]),
      usedBy: domains.filter(({ sources }) => sources.includes(path)).map(({ name }) => name),
    };
  });
}

function networkOf(xml: string, table: readonly Record<string, string>[], domains: readonly DomainUse[]) {
  const name = element(xml, "name") ?? "";
  const row = table.find((one) => one["Name"] === name.trim());
  const [address, netmask, prefix] = ["address", "netmask", "prefix"].map((one) => attribute(xml, "ip", one));
  const bits = prefix ?? (netmask ? String(prefixOf(netmask)) : null);
  const [from, to] = [attribute(xml, "range", "start"), attribute(xml, "range", "end")];
  const network: VirtualNetwork = {
    name,
    active: row?.["State"] === "active",
    autostart: row?.["Autostart"] === "yes",
    bridge: attribute(xml, "bridge", "name"),
    forward: attribute(xml, "forward", "mode"),
    address: address ? `${address}${bits ? `/${bits}` : ""}` : null,
    dhcp: from && to ? { from, to } : null,
    leases: [],
    usedBy: domains.filter(({ networks }) => networks.includes(name)).map((domain) => domain.name),
  };
  return { uuid: element(xml, "uuid") ?? "", network };
}

/** What went away between the list and the look at it is no trouble. */
const vanished = /^(failed to get (domain|pool|network) |(Domain|Storage pool|Network) not found: )/;

/** Why parts of the answer are missing, from what `storesCommand` said on standard error. */
function problemsOf(stderr: string): StoreProblem[] {
  const problems: StoreProblem[] = [];
  for (const part of stderr.split(/^@@virtu part /m).slice(1)) {
    const name = part.slice(0, part.indexOf("\n"));
    const what = partNames[name] ?? name;
    const status = Number(/^@@virtu status (\d+)$/m.exec(part)?.[1] ?? 0);
    const errors = errorLines(part).filter((line) => !vanished.test(line));
    if (status === 124) {
      const hint = "Look at libvirtd (or virtqemud) there.";
      problems.push({ what, why: `virsh was cut off after ${storesLimit} s`, hint });
    } else if (errors.length > 0) problems.push({ what, ...explainVirsh(part) });
    else if (status !== 0 && errorLines(part).length === 0) problems.push({ what, why: `virsh ended with ${status}` });
  }
  return problems;
}

/** What virsh said, without our own words between it. */
export function storesErrors(stderr: string): string {
  return stderr.replace(/^@@virtu .*\n?/gm, "");
}

/** What `storesCommand` printed; null when libvirt did not answer or was cut off. */
export function parseStores(stdout: string, stderr = ""): StoreView | null {
  const parts = partsOf(stdout);
  if (!parts.some(({ head }) => head === "pool-table") || parts.at(-1)?.head !== "end") return null;
  const textOf = (head: string) => parts.find((part) => part.head === head)?.text ?? "";
  const all = (head: string) => parts.filter((part) => part.head === head).map(({ text }) => text);
  const domains = all("domain").map(readUse);
  const poolTable = tableRows(textOf("pool-table"));
  const networkTable = tableRows(textOf("network-table"));
  const pools = all("pool").map((xml): StoragePool => {
    const name = element(xml, "name") ?? "";
    const row = poolTable.find((one) => one["Name"] === name.trim());
    const active = row?.["State"] === "active";
    return {
      name,
      active,
      autostart: row?.["Autostart"] === "yes",
      type: attribute(xml, "pool", "type"),
      target: element(xml, "path"),
      sizeMiB: active ? bytesOf(element(xml, "capacity")) : null,
      freeMiB: active ? bytesOf(element(xml, "available")) : null,
      volumes: volumesOf(textOf(`volumes ${element(xml, "uuid")}`), domains),
    };
  });
  const networks = all("network").map((xml): VirtualNetwork => {
    const { uuid, network } = networkOf(xml, networkTable, domains);
    const leases = tableRows(textOf(`leases ${uuid}`)).map((row) => {
      const mac = (row["MAC address"] ?? "").toLowerCase();
      const hostname = row["Hostname"] ?? "-";
      return {
        mac,
        address: row["IP address"] ?? "",
        hostname: hostname === "-" ? null : hostname,
        until: row["Expiry Time"] ?? "",
        instance: domains.find(({ macs }) => macs.includes(mac))?.name ?? null,
      };
    });
    return { ...network, leases };
  });
  return { pools, networks, problems: problemsOf(stderr) };
}

/** Text inside an element or an attribute in double quotes. */
function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    '"': "&quot;",
    "'": "&apos;",
  };
  return text.replace(/[<>&"']/g, (letter) => names[letter] ?? letter);
}

/** What `network-create` defines: address translation, DHCP over a range, a bridge that libvirt names. */
export function networkXml({ network, address, from, to }: Extract<StoreAction, { do: "network-create" }>): string {
  const [own = "", prefix = "24"] = address.split("/");
  return [
    "<network>",
    `  <name>${escaped(network)}</name>`,
    '  <forward mode="nat"/>',
    `  <ip address="${escaped(own)}" prefix="${escaped(prefix)}">`,
    `    <dhcp><range start="${escaped(from)}" end="${escaped(to)}"/></dhcp>`,
    "  </ip>",
    "</network>",
    "",
  ].join("\n");
}

/** The command of an action, with what it reads on standard input. Status 0: done. */
export function storeCommand(uri: string, action: StoreAction): { command: Command; stdin?: string } {
  const virsh = sh`LC_ALL=C.UTF-8 virsh -c ${uri}`;
  switch (action.do) {
    case "volume-create": {
      const { pool, volume, mebibytes, format } = action;
      return {
        command: sh`${virsh} vol-create-as --pool ${pool} --name ${volume} --capacity ${`${mebibytes}MiB`} --format ${format}`,
      };
    }
    case "volume-remove":
      return { command: sh`${virsh} vol-delete --pool ${action.pool} --vol ${action.volume}` };
    case "pool-create": {
      const name = action.pool;
      const define = sh`${virsh} pool-define-as --name ${name} --type dir --target ${action.directory}`;
      return {
        command: sh`${define} && ${virsh} pool-build ${name} && ${virsh} pool-start ${name} && ${virsh} pool-autostart ${name}`,
      };
    }
    case "pool-start":
      return { command: sh`${virsh} pool-start ${action.pool}` };
    case "pool-stop":
      return { command: sh`${virsh} pool-destroy ${action.pool}` };
    case "pool-remove":
      return { command: sh`${virsh} pool-undefine ${action.pool}` };
    case "network-create": {
      const name = action.network;
      return {
        command: sh`${virsh} net-define /dev/stdin && ${virsh} net-start ${name} && ${virsh} net-autostart ${name}`,
        stdin: networkXml(action),
      };
    }
    case "network-start":
      return { command: sh`${virsh} net-start ${action.network}` };
    case "network-stop":
      return { command: sh`${virsh} net-destroy ${action.network}` };
    case "network-remove":
      return { command: sh`${virsh} net-undefine ${action.network}` };
  }
}
