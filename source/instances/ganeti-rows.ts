/** Ganeti's tables as instances and nodes. */
import { type Cells, type InstanceField, type NodeField, numberOf } from "../tools/ganeti.ts";
import { roleOf, statusOf } from "../tools/ganeti-status.ts";
import type { HostNode, Instance } from "./types.ts";

/** Where the rows come from. */
export interface RowPlace {
  place: string;
  cluster: string;
  /** The host as the user named it. */
  host: string;
}

export function instanceRow(cells: Cells<InstanceField>, { place, cluster, host }: RowPlace): Instance {
  const name = cells.name ?? "";
  const status = statusOf(cells.status);
  const live = status === "running" ? numberOf(cells.oper_ram) : null;
  return {
    key: `${place}/${cells.uuid ?? name}`,
    name,
    id: cells.uuid ?? name,
    provider: "ganeti",
    cluster,
    host,
    node: cells.pnode,
    status,
    statusDetail: cells.status ?? "unknown",
    vcpus: (status === "running" ? numberOf(cells.oper_vcpus) : null) ?? numberOf(cells["be/vcpus"]),
    memoryMiB: live ?? numberOf(cells["be/maxmem"]),
    facts: {
      uuid: cells.uuid,
      secondaries: cells.snodes || null,
      hypervisor: cells.hypervisor,
      os: cells.os,
      diskTemplate: cells.disk_template,
      disksMiB: cells["disk.sizes"] || null,
      ip: cells["nic.ips"] === "None" ? null : cells["nic.ips"] || null,
      mac: cells["nic.macs"] || null,
      link: cells["nic.links"] || null,
      displayPort: numberOf(cells.network_port),
      tags: cells.tags || null,
      adminState: cells.admin_state,
      created: cells.ctime === null ? null : `${cells.ctime} UTC`,
    },
  };
}

const changesPower = /^INSTANCE_(?:SHUTDOWN|STARTUP|REBOOT|CREATE|REMOVE|MIGRATE|FAILOVER|MOVE)/;

/**
 * What a job is about to put right is no error: Ganeti says ERROR_up of a guest that is shutting down, and ERROR_down of one
 * that is being started. `job`: what is done to it now, in Ganeti's words.
 */
export function onItsWay(instance: Instance, job: string | null): Instance {
  if (job === null || !changesPower.test(job)) return instance;
  if (instance.statusDetail === "ERROR_up") return { ...instance, status: "running" };
  if (instance.statusDetail === "ERROR_down") return { ...instance, status: "stopped" };
  return instance;
}

export function nodeRow(cells: Cells<NodeField>, { place, cluster, host }: RowPlace): HostNode {
  const name = cells.name ?? "";
  return {
    key: `${place}/node/${name}`,
    name,
    provider: "ganeti",
    cluster,
    host,
    roles: roleOf(cells.role),
    diskTotal: numberOf(cells.dtotal),
    diskFree: numberOf(cells.dfree),
    memoryTotal: numberOf(cells.mtotal),
    memoryNode: numberOf(cells.mnode),
    memoryFree: numberOf(cells.mfree),
    primaryInstances: numberOf(cells.pinst_cnt),
    secondaryInstances: numberOf(cells.sinst_cnt),
  };
}

/** A fact that is a text, or null. */
export function textFact(instance: Instance, name: string): string | null {
  const value = instance.facts[name];
  return typeof value === "string" ? value : null;
}
