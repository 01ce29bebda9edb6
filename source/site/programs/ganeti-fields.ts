/** The fields that gnt-instance, gnt-node and gnt-job know, with the titles they print. */
import { dateTime } from "../utilities/about.ts";
import type { Ganeti, GanetiInstance, GanetiJob, GanetiNode } from "../world/ganeti.ts";
import type { Cell, Fields } from "./ganeti-table.ts";

type Kind = "text" | "number" | "size";

function field<Row>(title: string, value: (row: Row) => Cell, kind: Kind = "text") {
  return { title, kind, value };
}

const yes = (value: boolean) => (value ? "Y" : "N");

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
    "disk.count": field("Disks", (one) => one.disks.length, "number"),
    "disk.sizes": field("Disk_sizes", (one) => one.disks.join(",")),
    disk_usage: field("DiskUsage", (one) => one.disks.reduce((sum, mib) => sum + mib, 0), "size"),
    tags: field("Tags", (one) => one.tags.join(",")),
    network_port: field("Network_port", (one) => one.port),
    "nic.count": field("NICs", () => 1, "number"),
    "nic.macs": field("NIC_MACs", (one) => one.mac),
    "nic.ips": field("NIC_IPs", () => "None"),
    "nic.links": field("NIC_links", () => ganeti.facts.netdev),
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

/** `[1795344911, 350522]`: seconds and microseconds. */
function pair(ms: number): string {
  return `[${Math.floor(ms / 1000)}, ${(ms % 1000) * 1000}]`;
}

export function summaryOf(job: GanetiJob): string {
  return `INSTANCE_${job.opcode}(${job.instance.name})`;
}

export const jobFields: Fields<GanetiJob> = {
  id: field("ID", (job) => job.id, "number"),
  status: field("Status", (job) => job.status),
  summary: field("Summary", summaryOf),
  received_ts: field("Received", (job) => pair(job.received)),
  start_ts: field("Start", (job) => (job.started ? pair(job.started) : "-")),
  end_ts: field("End", (job) => (job.ended ? pair(job.ended) : "-")),
  priority: field("Priority", () => 0, "number"),
  opstatus: field("OpCode_status", (job) => `['${job.status}']`),
  opresult: field("OpCode_result", () => "[None]"),
};

export const usualJobFields = ["id", "status", "summary"];
