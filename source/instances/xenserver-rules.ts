/** When an action on a guest of XenServer or XCP-ng makes sense, and the reason where it does not. */
import { verbOf } from "./action-words.ts";
import { refusalByStatus } from "./rules.ts";
import type { ActionName, Instance } from "./types.ts";

const missing: Partial<Record<ActionName, string>> = {
  reset: "xe has no reset button: reboot it hard",
  failover: "xapi starts a guest on any host of its pool: start it",
  move: "virtu does not move disks between storage repositories",
  define: "a guest of XenServer has no definition as a text",
};

const halted: ReadonlySet<ActionName> = new Set(["clone", "remove"]);
const known: ReadonlySet<ActionName> = new Set<ActionName>([
  "start",
  "shutdown",
  "reboot",
  "force-off",
  "pause",
  "resume",
  "save",
  "restore",
  "discard-save",
  "autostart",
  "rename",
  "remove",
  "migrate",
  "snapshot-create",
  "snapshot-revert",
  "snapshot-delete",
  "clone",
  "set-memory",
  "set-vcpus",
  "disk-add",
  "disk-grow",
  "disk-remove",
  "nic-add",
  "nic-remove",
  "media-insert",
  "media-eject",
  "tag",
  "note",
]);

export function refusesXenServer(action: ActionName, instance: Instance): string | null {
  if (!known.has(action)) return missing[action] ?? `virtu does not ${verbOf(action)} a guest of XenServer`;
  const { status } = instance;
  const suspended = instance.statusDetail === "suspended";
  const operation = instance.facts["operation"];
  if (typeof operation === "string" && action !== "force-off") return `xapi works on it: ${operation}`;
  switch (action) {
    case "start":
      return suspended
        ? "its memory is saved: restore it, or discard what was saved"
        : refusalByStatus(action, instance);
    case "shutdown":
    case "reboot":
    case "force-off":
      return suspended && action === "force-off" ? null : refusalByStatus(action, instance);
    case "pause":
    case "save":
    case "migrate":
      if (status === "paused") return action === "pause" ? "it is paused already" : "it is paused: resume it first";
      return status === "running" ? null : "it is off";
    case "resume":
      return status === "paused" ? null : status === "running" ? "it is not paused" : "it is off";
    case "restore":
    case "discard-save":
      return suspended ? null : "nothing of it is saved";
    case "disk-grow":
      if (suspended) return "its memory is saved: discard that first";
      return status === "stopped" ? null : "xapi grows a disk only while its guest is off: shut it down first";
    case "set-memory":
    case "set-vcpus":
    case "disk-add":
    case "disk-remove":
    case "nic-add":
    case "nic-remove":
      return suspended ? "its memory is saved: restore it first" : null;
    default:
      return halted.has(action) && (status !== "stopped" || suspended)
        ? suspended
          ? "its memory is saved: discard that first"
          : "it is not off: shut it down first"
        : null;
  }
}
