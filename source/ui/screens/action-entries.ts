/** Everything that can be done to instances and nodes, grouped as the menu shows it. Pure data. */
import type { Request, RequestName } from "../../instances/target.ts";
import type { MoveName } from "../../store/instance-work.ts";
import type { ActionOf } from "../keys.ts";
import type { Place } from "../navigation.ts";

export interface ActionEntry {
  id: string;
  group: string;
  label: string;
  /** What decides whether it can be done now; null: it only shows something. */
  action: RequestName | null;
  /** Done as it stands, after a question where something is lost. */
  request?: Request;
  /** Where the rest is asked for. */
  place?: (keys: readonly string[]) => Place;
  /** The key that does the same in the table. */
  key?: ActionOf<"instances">;
  /** The key that does the same on the instance's own screen. */
  ownKey?: ActionOf<"instance">;
  dangerous?: boolean;
  /** The hosts must be able to carry an action at a time. */
  atATime?: boolean;
  /** Only for one at a time. */
  single?: boolean;
}

const form =
  (action: RequestName) =>
  (keys: readonly string[]): Place => ({ screen: "action", action, keys, of: null });
const moving =
  (action: MoveName) =>
  (keys: readonly string[]): Place => ({ screen: "move-to", action, keys });
const own =
  (screen: "snapshots" | "hardware" | "definition") =>
  (keys: readonly string[]): Place => ({ screen, key: keys[0] ?? "" });

export const instanceEntries: readonly ActionEntry[] = [
  { id: "start", group: "Power", label: "Start", action: "start", request: { do: "start" }, key: "start" },
  {
    id: "shutdown",
    group: "Power",
    label: "Shut down",
    action: "shutdown",
    request: { do: "shutdown" },
    key: "shutdown",
  },
  { id: "shutdown-in", group: "Power", label: "Shut down within …", action: "shutdown", place: form("shutdown") },
  {
    id: "reboot",
    group: "Power",
    label: "Reboot, clean",
    action: "reboot",
    request: { do: "reboot", how: "clean" },
    key: "reboot",
  },
  {
    id: "reboot-hard",
    group: "Power",
    label: "Reboot, hard",
    action: "reboot",
    request: { do: "reboot", how: "hard" },
    dangerous: true,
  },
  { id: "reset", group: "Power", label: "Reset", action: "reset", request: { do: "reset" }, dangerous: true },
  {
    id: "force-off",
    group: "Power",
    label: "Force off",
    action: "force-off",
    request: { do: "force-off" },
    key: "forceOff",
    dangerous: true,
  },
  {
    id: "later",
    group: "Power",
    label: "Later, at a time …",
    action: null,
    place: (keys) => ({ screen: "schedule", keys }),
    key: "later",
    atATime: true,
  },
  { id: "pause", group: "Memory", label: "Pause", action: "pause", request: { do: "pause" }, key: "pause" },
  { id: "resume", group: "Memory", label: "Resume", action: "resume", request: { do: "resume" }, key: "pause" },
  { id: "save", group: "Memory", label: "Save to disk, then off", action: "save", request: { do: "save" } },
  { id: "restore", group: "Memory", label: "Restore what was saved", action: "restore", request: { do: "restore" } },
  {
    id: "discard-save",
    group: "Memory",
    label: "Discard what was saved",
    action: "discard-save",
    request: { do: "discard-save" },
    dangerous: true,
  },
  { id: "migrate", group: "Move", label: "Migrate …", action: "migrate", place: moving("migrate") },
  { id: "failover", group: "Move", label: "Fail over …", action: "failover", place: moving("failover") },
  { id: "move", group: "Move", label: "Move its disks …", action: "move", place: moving("move"), single: true },
  {
    id: "snapshots",
    group: "Snapshots",
    label: "Show, revert, delete …",
    action: "snapshot-create",
    place: own("snapshots"),
    ownKey: "snapshots",
    single: true,
  },
  {
    id: "snapshot-create",
    group: "Snapshots",
    label: "Take one …",
    action: "snapshot-create",
    place: form("snapshot-create"),
  },
  {
    id: "hardware",
    group: "Hardware",
    label: "Show and change …",
    action: null,
    place: own("hardware"),
    ownKey: "hardware",
    single: true,
  },
  { id: "set-memory", group: "Hardware", label: "Memory …", action: "set-memory", place: form("set-memory") },
  { id: "set-vcpus", group: "Hardware", label: "vCPUs …", action: "set-vcpus", place: form("set-vcpus") },
  { id: "disk-add", group: "Hardware", label: "Add a disk …", action: "disk-add", place: form("disk-add") },
  { id: "nic-add", group: "Hardware", label: "Add a network card …", action: "nic-add", place: form("nic-add") },
  {
    id: "media-insert",
    group: "Hardware",
    label: "Insert a medium …",
    action: "media-insert",
    place: form("media-insert"),
    single: true,
  },
  {
    id: "definition",
    group: "Definition",
    label: "Show and edit …",
    action: null,
    place: own("definition"),
    ownKey: "definition",
    single: true,
  },
  { id: "clone", group: "Definition", label: "Clone …", action: "clone", place: form("clone"), single: true },
  { id: "rename", group: "Names", label: "Rename …", action: "rename", place: form("rename"), single: true },
  { id: "tag", group: "Names", label: "Tags …", action: "tag", place: form("tag") },
  { id: "note", group: "Names", label: "Note …", action: "note", place: form("note") },
  {
    id: "autostart-on",
    group: "Names",
    label: "Start with its host: on",
    action: "autostart",
    request: { do: "autostart", on: true },
  },
  {
    id: "autostart-off",
    group: "Names",
    label: "Start with its host: off",
    action: "autostart",
    request: { do: "autostart", on: false },
  },
  { id: "remove", group: "Remove", label: "Remove …", action: "remove", place: form("remove"), dangerous: true },
];

export const nodeEntries: readonly ActionEntry[] = [
  {
    id: "evacuate",
    group: "Instances",
    label: "Evacuate …",
    action: "evacuate",
    place: form("evacuate"),
    single: true,
  },
  {
    id: "drain",
    group: "Node",
    label: "Drain: no new instances",
    action: "drain",
    request: { do: "drain", on: true },
    single: true,
  },
  {
    id: "undrain",
    group: "Node",
    label: "Drain no more",
    action: "drain",
    request: { do: "drain", on: false },
    single: true,
  },
  {
    id: "offline",
    group: "Node",
    label: "Mark as offline",
    action: "offline",
    request: { do: "offline", on: true },
    dangerous: true,
    single: true,
  },
  {
    id: "online",
    group: "Node",
    label: "Mark as back online",
    action: "offline",
    request: { do: "offline", on: false },
    single: true,
  },
  {
    id: "master",
    group: "Cluster",
    label: "Make it the master",
    action: "master",
    request: { do: "master" },
    dangerous: true,
    single: true,
  },
  {
    id: "jobs",
    group: "Cluster",
    label: "Jobs …",
    action: null,
    place: () => ({ screen: "provider-jobs" }),
    key: "jobs",
  },
];

/** Whether what it asks for is so already, from the row's facts: then it only stands in the way. Null: it is not. */
export function alreadySo(
  entry: ActionEntry,
  facts: Readonly<Record<string, unknown>>,
  roles: readonly string[] = [],
): string | null {
  const { request } = entry;
  if (request?.do === "autostart" && facts["autostart"] === request.on)
    return `it is ${request.on ? "on" : "off"} already`;
  if (request?.do === "drain" && roles.includes("drained") === request.on) {
    return request.on ? "it is drained already" : "it is not drained";
  }
  if (request?.do === "offline" && roles.includes("offline") === request.on) {
    return request.on ? "it is offline already" : "it is not offline";
  }
  return null;
}
