/** What Ganeti can't do at all, or not with an instance or node as it is now, and why. */
import { hasDrive } from "../tools/ganeti-details.ts";
import { textFact } from "./ganeti-rows.ts";
import { isBasic, refusalByStatus } from "./rules.ts";
import type { ActionName, HostNode, Instance, NodeActionName, Refusal } from "./types.ts";

const never: Partial<Record<ActionName, string>> = {
  reset: "Ganeti has no reset button: reboot it hard",
  pause: "Ganeti does not pause instances",
  resume: "Ganeti does not pause instances",
  save: "Ganeti does not save an instance's memory: shut it down",
  restore: "Ganeti does not save an instance's memory",
  "discard-save": "Ganeti does not save an instance's memory",
  autostart: "Ganeti starts again every instance that is not shut down on purpose: its watcher looks every 5 minutes",
  "snapshot-create": "Ganeti has no snapshots: gnt-backup export keeps a copy of the disks",
  "snapshot-revert": "Ganeti has no snapshots",
  "snapshot-delete": "Ganeti has no snapshots",
  clone: "Ganeti does not clone instances: gnt-backup export and import make a copy",
  note: "Ganeti keeps no notes with an instance: use tags",
  define: "Ganeti has no definition that is edited as a text: change memory, vCPUs, disks and interfaces one by one",
};

/** Changes that need the instance's node. */
const needsNode: ReadonlySet<ActionName> = new Set([
  "start",
  "shutdown",
  "force-off",
  "reboot",
  "migrate",
  "move",
  "disk-add",
  "disk-grow",
  "disk-remove",
]);

/** Disks that lie on one node and nowhere else. */
const local: ReadonlySet<string> = new Set(["plain", "file"]);

export function refusesInstance(action: ActionName, instance: Instance): Refusal {
  const general = never[action];
  if (general) return general;
  const { statusDetail } = instance;
  if (statusDetail === "ADMIN_offline" && ["start", "shutdown", "reboot", "migrate"].includes(action)) {
    return "it is marked offline in Ganeti";
  }
  if (statusDetail === "ERROR_nodeoffline" && needsNode.has(action)) {
    return `its node ${instance.node} is marked offline: fail it over, or bring the node back`;
  }
  if (isBasic(action)) return refusalByStatus(action, instance);
  return refusalByKind(action, instance);
}

function refusalByKind(action: ActionName, instance: Instance): Refusal {
  const template = textFact(instance, "diskTemplate");
  const bound = template !== null && local.has(template);
  switch (action) {
    case "rename":
      return instance.status === "running" ? "it runs: an instance is renamed while it is off" : null;
    case "migrate":
      if (bound) return `its disks (${template}) are on its node only: it can be moved, which stops it`;
      return instance.status === "stopped" ? "it is off: use failover to change its node" : null;
    case "failover":
      return bound ? `its disks (${template}) are on its node only: it can be moved` : null;
    case "move":
      return template === null || bound ? null : `its disks (${template}) need no copying: use migrate or failover`;
    case "disk-add":
    case "disk-grow":
    case "disk-remove":
      return template === "diskless" ? "it is an instance without disks" : null;
    case "media-insert":
    case "media-eject": {
      const hypervisor = textFact(instance, "hypervisor");
      return hasDrive(hypervisor) ? null : `a guest of the ${hypervisor} hypervisor has no CD drive`;
    }
    default:
      return null;
  }
}

export function refusesNode(action: NodeActionName, node: HostNode): Refusal {
  const is = (role: string) => node.roles.includes(role);
  switch (action) {
    case "evacuate":
      return node.primaryInstances === 0 && node.secondaryInstances === 0 ? "it has no instances" : null;
    case "drain":
      if (is("master")) return "it is the master: make another node the master first";
      return is("offline") ? "it is offline" : null;
    case "offline":
      return is("master") ? "it is the master: make another node the master first" : null;
    case "master":
      if (is("master")) return "it is the master already";
      return is("candidate") ? null : "only a master candidate can become the master";
  }
}
