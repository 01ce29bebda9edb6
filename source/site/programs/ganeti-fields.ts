/** The fields that gnt-instance, gnt-node and gnt-job know, with the titles they print. */
import { dateTime } from "../utilities/about.ts";
import type { Ganeti, GanetiInstance, GanetiJob, GanetiNode } from "../world/ganeti.ts";
import type { Cell, Fields } from "./ganeti-table.ts";

type Kind = "text" | "number" | "size";

function field<Row>(title: string, value: (row: Row) => Cell, kind: Kind = "text") {
  return { title, kind, value };
}

const yes = (value: boolean) => (value ? "Y" : "N");

/** Parameters of a KVM guest. */
const hypervisorValues: Readonly<Record<string, (one: GanetiInstance) => string>> = {
  cdrom_image_path: ({ media }) => media ?? "",
  boot_order: () => "disk",
  kernel_path: () => "",
  kernel_args: () => "ro",
  serial_console: () => "Y",
  vnc_bind_address: () => "",
  spice_bind: () => "",
};

function diskUuid({ uuid }: GanetiInstance, index: number): string {
  return `${uuid.slice(0, -2)}${String(index).padStart(2, "0")}`;
}

export function instanceFields(ganeti: Ganeti): Fields<GanetiInstance> {
  const offline = (one: GanetiInstance) => one.node.role === "O";
  const silent = (one: GanetiInstance) => one.node.answers?.() === false;
  const live = (value: (one: GanetiInstance) => Cell) => (one: GanetiInstance) =>
    silent(one)
      ? { missing: "nodata" as const }
      : offline(one)
        ? { missing: "offline" as const }
        : one.alive
          ? value(one)
          : { missing: "unavail" as const };
  const nicsOf = (one: GanetiInstance) => [
    { mac: one.mac, link: ganeti.facts.netdev, ip: null },
    ...(one.moreNics ?? []),
  ];
  const memory = field<GanetiInstance>("ConfigMaxMem", (one) => one.memory, "size");
  return {
    name: field("Instance", (one) => one.name),
    hypervisor: field("Hypervisor", () => ganeti.facts.hypervisors[0] ?? "kvm"),
    os: field("OS", (one) => one.os),
    pnode: field("Primary_node", (one) => one.node.name),
    snodes: field("Secondary_Nodes", (one) => one.secondary?.name ?? ""),
    status: field("Status", (one) => ganeti.status(one)),
    oper_state: field("Running", (one) => (offline(one) || silent(one) ? { missing: "nodata" } : yes(one.alive))),
    admin_state: field("InstanceState", (one) => one.admin),
    admin_state_source: field("InstanceStateSource", () => "admin"),
    oper_ram: field(
      "Memory",
      live((one) => one.memory),
      "size",
    ),
    oper_vcpus: field(
      "VCPUs",
      live((one) => one.vcpus),
      "number",
    ),
    "be/vcpus": field("ConfigVCPUs", (one) => one.vcpus, "number"),
    vcpus: field("ConfigVCPUs", (one) => one.vcpus, "number"),
    "be/maxmem": memory,
    "be/memory": memory,
    "be/minmem": field("ConfigMinMem", (one) => one.minimum, "size"),
    disk_template: field("Disk_template", (one) => one.template),
    "disk.names": field("Disk_names", (one) => repr(one.disks.map(() => null))),
    "disk.uuids": field("Disk_UUIDs", (one) => repr(one.disks.map((_, index) => diskUuid(one, index)))),
    "disk.count": field("Disks", (one) => one.disks.length, "number"),
    "disk.sizes": field("Disk_sizes", (one) => one.disks.join(",")),
    disk_usage: field("DiskUsage", (one) => one.disks.reduce((sum, mib) => sum + mib, 0), "size"),
    tags: field("Tags", (one) => one.tags.join(",")),
    network_port: field("Network_port", (one) => one.port),
    "nic.count": field("NICs", (one) => nicsOf(one).length, "number"),
    "nic.macs": field("NIC_MACs", (one) =>
      nicsOf(one)
        .map(({ mac }) => mac)
        .join(","),
    ),
    "nic.ips": field("NIC_IPs", (one) =>
      nicsOf(one)
        .map(({ ip }) => ip ?? "None")
        .join(","),
    ),
    "nic.links": field("NIC_links", (one) =>
      nicsOf(one)
        .map(({ link }) => link)
        .join(","),
    ),
    "nic.modes": field("NIC_modes", (one) =>
      nicsOf(one)
        .map(() => "bridged")
        .join(","),
    ),
    "nic.networks.names": field("NIC_networks_names", (one) => repr(nicsOf(one).map(() => null))),
    "be/auto_balance": field("Auto_balance", () => "Y"),
    ...Object.fromEntries(
      Object.entries(hypervisorValues).map(([name, value]) => [`hv/${name}`, field<GanetiInstance>(name, value)]),
    ),
    console: field("Console", (one) => `{'instance': '${one.name}', 'kind': 'ssh', 'host': '${one.node.name}'}`),
    ctime: field("CTime", (one) => dateTime(one.created / 1000)),
    mtime: field("MTime", (one) => dateTime(one.created / 1000)),
    uuid: field("UUID", (one) => one.uuid),
    serial_no: field("SerialNo", () => 2, "number"),
    "pnode.group": field("PrimaryNodeGroup", () => "default"),
  };
}

export const usualInstanceFields = ["name", "hypervisor", "os", "pnode", "status", "oper_ram"];

export function nodeFields(ganeti: Ganeti): Fields<GanetiNode> {
  const live = (value: (node: GanetiNode) => Cell) => (node: GanetiNode) =>
    node.role === "O"
      ? { missing: "offline" as const }
      : node.answers?.() === false
        ? { missing: "nodata" as const }
        : value(node);
  const primary = (node: GanetiNode) => ganeti.instances.filter((one) => one.node === node);
  const secondary = (node: GanetiNode) => ganeti.instances.filter((one) => one.secondary === node);
  return {
    name: field("Node", (node) => node.name),
    role: field("Role", (node) => node.role),
    dtotal: field(
      "DTotal",
      live((node) => node.diskTotal),
      "size",
    ),
    dfree: field(
      "DFree",
      live((node) => node.diskTotal - ganeti.diskUsed(node)),
      "size",
    ),
    mtotal: field(
      "MTotal",
      live((node) => node.memoryTotal),
      "size",
    ),
    mnode: field(
      "MNode",
      live((node) => node.memoryNode),
      "size",
    ),
    mfree: field(
      "MFree",
      live((node) => node.memoryTotal - node.memoryNode - ganeti.memoryUsed(node)),
      "size",
    ),
    pinst_cnt: field("Pinst", (node) => primary(node).length, "number"),
    sinst_cnt: field("Sinst", (node) => secondary(node).length, "number"),
    pinst_list: field("PriInstances", (node) =>
      primary(node)
        .map(({ name }) => name)
        .join(","),
    ),
    sinst_list: field("SecInstances", (node) =>
      secondary(node)
        .map(({ name }) => name)
        .join(","),
    ),
    ctotal: field(
      "CTotal",
      live((node) => node.cpus),
      "number",
    ),
    pip: field("PrimaryIP", (node) => node.address),
    sip: field("SecondaryIP", (node) => node.address),
    group: field("Group", () => "default"),
    offline: field("Offline", (node) => yes(node.role === "O")),
    drained: field("Drained", (node) => yes(node.role === "D")),
    master: field("IsMaster", (node) => yes(node.role === "M")),
    master_candidate: field("MasterC", (node) => yes(node.role === "M" || node.role === "C")),
    master_capable: field("MasterCapable", () => "Y"),
    vm_capable: field("VMCapable", () => "Y"),
    tags: field("Tags", () => ""),
    uuid: field("UUID", (node) => node.uuid),
  };
}

export const usualNodeFields = ["name", "dtotal", "dfree", "mtotal", "mnode", "mfree", "pinst_cnt", "sinst_cnt"];

export function summaryOf(job: GanetiJob): string {
  return job.work ? job.work.summary : `INSTANCE_${job.opcode}(${job.instance.name})`;
}

/** The operation as the job keeps it, with who asked for it. */
export function operationOf(job: GanetiJob): Record<string, unknown> {
  const [program, command] = job.client;
  const reason = [[`gnt:client:${program}`, command, job.received * 1_000_000]];
  if (job.work) return { ...job.work.operation, reason };
  return { OP_ID: `OP_INSTANCE_${job.opcode}`, instance_name: job.instance.name, reason };
}

/** `["OpPrereqError", ["text", "wrong_state"]]` of a failure as the clients print it; null where all is well. */
function errorOf({ failure }: GanetiJob): unknown {
  if (failure === null) return null;
  const typed = /^Failure: prerequisites[^\n]*\nerror type: (\w+), error details:\n([\s\S]*)$/.exec(failure);
  if (typed) return ["OpPrereqError", [typed[2], typed[1]]];
  if (failure.startsWith("Unhandled")) return "Job canceled by request";
  return ["OpExecError", [failure.replace(/^Failure: command execution error:\n/, "")]];
}

const pairOf = (ms: number) => (ms === 0 ? null : [Math.floor(ms / 1000), (ms % 1000) * 1000]);

/** What a job has for LUXI; the programs print the same as Python does. */
export const rawJobFields: Readonly<Record<string, (job: GanetiJob) => unknown>> = {
  id: (job) => job.id,
  status: (job) => job.status,
  summary: (job) => [summaryOf(job)],
  received_ts: (job) => pairOf(job.received),
  start_ts: (job) => pairOf(job.started),
  end_ts: (job) => pairOf(job.ended),
  opresult: (job) => [job.failure === null ? job.result : errorOf(job)],
  opstatus: (job) => [job.status],
  ops: (job) => [operationOf(job)],
  oplog: (job) => [logOf(job)],
};

export function logOf(job: GanetiJob): unknown[] {
  return job.log.map(({ at, text }, index) => [index + 1, pairOf(at), "message", text]);
}

/** As Python's `repr` prints it. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const text = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    return `${quote}${quote === "'" ? text.replaceAll("'", "\\'") : text}${quote}`;
  }
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  return `{${Object.entries(value)
    .map(([name, item]) => `${repr(name)}: ${repr(item)}`)
    .join(", ")}}`;
}

const printed = (name: string) => (job: GanetiJob) => {
  const value = rawJobFields[name]?.(job);
  return value === null ? "-" : repr(value);
};

export const jobFields: Fields<GanetiJob> = {
  id: field("ID", (job) => job.id, "number"),
  status: field("Status", (job) => job.status),
  summary: field("Summary", summaryOf),
  received_ts: field("Received", printed("received_ts")),
  start_ts: field("Start", printed("start_ts")),
  end_ts: field("End", printed("end_ts")),
  priority: field("Priority", () => 0, "number"),
  opstatus: field("OpCode_status", printed("opstatus")),
  opresult: field("OpCode_result", printed("opresult")),
  ops: field("OpCodes", printed("ops")),
  oplog: field("OpCode_log", printed("oplog")),
};

export const usualJobFields = ["id", "status", "summary"];
