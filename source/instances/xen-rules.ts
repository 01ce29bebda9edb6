/** When an action on a Xen domain makes sense, and the reason where it does not. */
import { verbOf } from "./action-words.ts";
import { refusalByStatus } from "./rules.ts";
import type { ActionName, Instance } from "./types.ts";
import { subjectOf } from "./xen-rows.ts";

const missing: Partial<Record<ActionName, string>> = {
  reset: "Xen's xl has no reset button: reboot it hard",
  failover: "a single Xen host has nowhere to fail over to",
  move: "a single Xen host has no other node to move it to",
  "snapshot-create": "Xen's xl has no snapshots: save it, or take one of its volumes",
  "snapshot-revert": "Xen's xl has no snapshots",
  "snapshot-delete": "Xen's xl has no snapshots",
  clone: "Xen's xl has no clone: copy its file and its disks under another name",
  tag: "a Xen domain has no tags",
  note: "a Xen domain has no notes: write a comment into its file",
};

const needsFile: ReadonlySet<ActionName> = new Set(["start", "autostart", "remove", "define"]);
/** What asks the guest, or needs that it goes on running. */
const needsGuest: ReadonlySet<ActionName> = new Set(["shutdown", "reboot", "save", "pause", "resume", "migrate"]);
const known: ReadonlySet<ActionName> = new Set<ActionName>([
  ...needsFile,
  ...needsGuest,
  "force-off",
  "restore",
  "discard-save",
  "rename",
  "set-memory",
  "set-vcpus",
]);

export function refusesXen(action: ActionName, instance: Instance): string | null {
  if (!known.has(action)) return missing[action] ?? `virtu does not ${verbOf(action)} a Xen domain`;
  const { facts, status } = instance;
  const domain = subjectOf(instance);
  const present = domain.domainId !== null;
  const owner = facts["managedBy"];
  if (typeof owner === "string" && action !== "force-off")
    return `${owner} on that host looks after it: act on it there`;
  if (status === "unknown" && action !== "force-off") return "it is being built";
  if (action === "force-off") return present ? null : "it is off already";
  if (needsFile.has(action) && domain.file === null) return "no file in /etc/xen is its own";
  if (status === "error" && (action === "start" || (needsGuest.has(action) && action !== "reboot"))) {
    const then = action === "start" ? ", then start it" : ", or reboot it hard";
    return `it has crashed and still holds its memory: force it off${then}`;
  }
  return refusesByState(action, instance, { present, saved: domain.saved });
}

function refusesByState(
  action: ActionName,
  { name, status, facts }: Instance,
  { present, saved }: { present: boolean; saved: boolean },
): string | null {
  switch (action) {
    case "start":
      if (status === "stopped" && present)
        return "it has shut down and still holds its memory: force it off, then start it";
      if (saved && status === "stopped") return "its memory is saved: restore it, or discard what was saved";
      return refusalByStatus(action, { status });
    case "pause":
      return status === "running" ? null : status === "paused" ? "it is paused already" : "it is off";
    case "resume":
      return status === "paused" ? null : status === "running" ? "it is not paused" : "it is off";
    case "save":
    case "migrate":
      if (status === "paused") return "it is paused and can't prepare for that: resume it first";
      if (status !== "running") return "it is off";
      if (action === "save") return savable(name, saved);
      return facts["type"] === "pv" && facts["shadowPaging"] !== true
        ? "this Xen can't move a running pv guest (no shadow paging): save it, copy the file and its disks, restore it there"
        : null;
    case "restore":
      if (!saved) return "nothing of it is saved";
      return present ? "it is there already" : null;
    case "discard-save":
      return saved ? null : "nothing of it is saved";
    case "remove":
      return present ? "it is not off: shut it down or force it off first" : null;
    case "rename":
    case "set-memory":
    case "set-vcpus":
      return present || facts["file"] ? null : "no file in /etc/xen is its own";
    case "shutdown":
    case "reboot":
      return refusalByStatus(action, { status });
    default:
      return null;
  }
}

function savable(name: string, saved: boolean): string | null {
  if (name.includes("/")) return "its name can't be the name of a file";
  return saved ? "a file of its saved memory is there already: discard it first" : null;
}
