/** What each action on a guest of XenServer or XCP-ng runs. Pure: previews show the very lines that are carried out. */
import { type Command, sh } from "../ssh/command.ts";
import { type XeAccess, xe, xeActionLimit, xeLongLimit } from "./xe.ts";

/** A guest as the commands must know it. */
export interface XeSubject {
  uuid: string;
  /** `running`, `halted`, `suspended`, `paused`. */
  powerState: string;
  vcpusMax: number | null;
}

const one = (access: XeAccess, uuid: string, verb: string, more: readonly string[] = [], seconds = xeActionLimit) =>
  xe(access, [verb, `uuid=${uuid}`, ...more], seconds);

/** A change of several commands: the first that fails ends it. */
function all(commands: readonly Command[]): Command {
  return commands.reduce((first, second) => sh`${first} && ${second}`);
}

export const xeVerbs = {
  start: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-start"),
  /** Waits for the guest, as long as it may take. */
  shutdown: (access: XeAccess, { uuid }: XeSubject, seconds: number) => one(access, uuid, "vm-shutdown", [], seconds),
  /** Of a suspended guest it forgets the memory that was saved. */
  forceOff: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-shutdown", ["force=true"]),
  reboot: (access: XeAccess, { uuid }: XeSubject, hard: boolean) =>
    one(access, uuid, "vm-reboot", hard ? ["force=true"] : []),
  pause: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-pause"),
  resume: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-unpause"),
  suspend: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-suspend", [], xeLongLimit),
  wake: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-resume", [], xeLongLimit),
  set: (access: XeAccess, { uuid }: XeSubject, key: string, value: string) =>
    one(access, uuid, "vm-param-set", [`${key}=${value}`]),
  /** Without the disks: `vm-destroy`. `vm-uninstall` would ask on a terminal. */
  remove: (access: XeAccess, { uuid }: XeSubject, keepDisks: boolean) =>
    keepDisks ? one(access, uuid, "vm-destroy") : one(access, uuid, "vm-uninstall", ["force=true"]),
  migrate: (access: XeAccess, { uuid }: XeSubject, host: string, live: boolean) =>
    one(access, uuid, "vm-migrate", [`host-uuid=${host}`, `live=${live}`], xeLongLimit),
  clone: (access: XeAccess, { uuid }: XeSubject, name: string) =>
    one(access, uuid, "vm-clone", [`new-name-label=${name}`], xeLongLimit),
  insert: (access: XeAccess, { uuid }: XeSubject, name: string) =>
    one(access, uuid, "vm-cd-insert", [`cd-name=${name}`]),
  eject: (access: XeAccess, { uuid }: XeSubject) => one(access, uuid, "vm-cd-eject"),
} as const;

/** The pool has to be asked too: it starts no guest by itself otherwise. */
export function xeAutostart(access: XeAccess, { uuid }: XeSubject, pool: string, on: boolean): Command {
  const guest = one(access, uuid, "vm-param-set", [`other-config:auto_poweron=${on}`]);
  return on ? all([guest, one(access, pool, "pool-param-set", ["other-config:auto_poweron=true"])]) : guest;
}

/** While it runs only within the range that it was started with; all four limits at once while it is halted. */
export function xeSetMemory(access: XeAccess, guest: XeSubject, mebibytes: number): Command {
  const size = `${mebibytes}MiB`;
  return guest.powerState === "halted"
    ? one(access, guest.uuid, "vm-memory-set", [`memory=${size}`])
    : one(access, guest.uuid, "vm-memory-dynamic-range-set", [`min=${size}`, `max=${size}`]);
}

/** At the start there may never be more than the maximum: the order depends on which way it goes. */
export function xeSetVcpus(access: XeAccess, guest: XeSubject, count: number): Command {
  if (guest.powerState !== "halted") return one(access, guest.uuid, "vm-vcpu-hotplug", [`new-vcpus=${count}`]);
  const most = xeVerbs.set(access, guest, "VCPUs-max", String(count));
  const start = xeVerbs.set(access, guest, "VCPUs-at-startup", String(count));
  return all(count > (guest.vcpusMax ?? 0) ? [most, start] : [start, most]);
}

/** With memory it is a checkpoint. The description is set on what was made. */
export function xeSnapshot(
  access: XeAccess,
  { uuid }: XeSubject,
  { name, description, memory }: { name: string; description: string; memory: boolean },
): Command {
  const make = one(access, uuid, memory ? "vm-checkpoint" : "vm-snapshot", [`new-name-label=${name}`], xeLongLimit);
  if (description === "") return make;
  const program = xe(access, []);
  return sh`s=$(${make}) && ${program}snapshot-param-set uuid="$s" ${`name-description=${description}`}`;
}

/** Names of snapshots are not unique: one that is there twice is refused instead of guessed. */
export function xeOnSnapshot(
  access: XeAccess,
  { uuid }: XeSubject,
  name: string,
  verb: "revert" | "uninstall",
): Command {
  const find = xe(access, ["snapshot-list", `snapshot-of=${uuid}`, `name-label=${name}`, "--minimal"]);
  const program = xe(access, [], xeLongLimit);
  const act =
    verb === "revert" ? sh`snapshot-revert snapshot-uuid="$s"` : sh`snapshot-uninstall snapshot-uuid="$s" force=true`;
  return sh`s=$(${find}) && case $s in *,*) echo ${`Error: several snapshots are called ${name}`} >&2; exit 1;; "") echo ${`Error: no snapshot is called ${name}`} >&2; exit 1;; esac && ${program}${act}`;
}

export function xeTags(
  access: XeAccess,
  { uuid }: XeSubject,
  add: readonly string[],
  remove: readonly string[],
): Command {
  const change = (verb: string) => (tag: string) => one(access, uuid, verb, ["param-name=tags", `param-key=${tag}`]);
  const commands = [...add.map(change("vm-param-add")), ...remove.map(change("vm-param-remove"))];
  return commands.length === 0 ? sh`true` : all(commands);
}
