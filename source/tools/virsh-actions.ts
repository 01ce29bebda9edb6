/** What is done to one domain, as command lines for its host. */
import type { Action } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { virshFunction } from "./virsh.ts";
import { tagsElement, tagsNamespace } from "./virsh-definition.ts";
import { bridgePrefix } from "./virsh-details.ts";

/** What an action must know of the domain. */
export interface Domain {
  /** As virsh is told it (`domainWord`). */
  word: string;
  name: string;
  /** It has a QEMU process: what is changed is changed in there too. */
  active: boolean;
  /** Its definition stays when it is off. */
  persistent: boolean;
  /** Suspended by its own power management: resuming means waking it. */
  asleep: boolean;
  /** Its ceilings while it runs; null: not known. */
  vcpusMax: number | null;
  memoryMaxMiB: number | null;
  tags: readonly string[];
}

/** A change beyond what the running QEMU can take goes into the definition alone. */
export function isForNextStart(action: Action, domain: Domain): boolean {
  if (!domain.active || !domain.persistent) return false;
  if (action.do === "set-memory") return domain.memoryMaxMiB !== null && action.mebibytes > domain.memoryMaxMiB;
  if (action.do === "set-vcpus") return domain.vcpusMax !== null && action.count > domain.vcpusMax;
  return action.do === "define";
}

/** Both the running one and the definition, as far as there are both. */
function scope({ active, persistent }: Domain): string[] {
  return [...(active ? ["--live"] : []), ...(persistent ? ["--config"] : [])];
}

/** The tags that it has after a change, in the order they came. */
export function tagsAfter(before: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  return [...new Set([...before, ...add])].filter((tag) => !remove.includes(tag));
}

/** Where libvirt is reached on another host: `qemu+ssh://HOST/system` for `qemu:///system`; a URI stays as it is. */
export function migrationUri(uri: string, to: string): string {
  return to.includes("://") ? to : uri.replace(/^(\w+):\/\//, `$1+ssh://${to}`);
}

/**
 * The source's daemon carries it (`--p2p`): it goes on when the connection to the host is lost. Progress comes as lines, and
 * the status last, because it is not that of the pipe: `Migration: [ 43 %]`, `@@virtu status 0`.
 */
export function migrateCommand(
  uri: string,
  domain: Domain,
  to: string,
  options: { live: boolean; copyStorage: boolean },
): Command {
  const words = ["--persistent", "--undefinesource"];
  if (!domain.active) words.unshift("--offline");
  else {
    words.unshift(...(options.live ? ["--live"] : []), "--p2p", "--verbose");
    if (options.copyStorage) words.push("--copy-storage-all");
  }
  const migrate = sh`LC_ALL=C.UTF-8 virsh -c ${uri} migrate ${words} --domain ${domain.word} --desturi ${migrationUri(uri, to)}`;
  return sh`{ ${migrate} 2>&1; echo "@@virtu status $?"; } | stdbuf -oL tr '\\r' '\\n'`;
}

/** The command lines of an action, or null for what is not one line (`migrate`) or what libvirt has not. */
export function actionCommand(uri: string, action: Action, domain: Domain): Command | null {
  const { word } = domain;
  const virsh = (verb: string, ...words: readonly (string | number)[]) =>
    sh`LC_ALL=C.UTF-8 virsh -c ${uri} ${verb} ${[word, ...words]}`;
  /** For words that a user chose: virsh would take a leading dash for an option of its own. */
  const named = (verb: string, option: string, value: string, ...words: readonly string[]) =>
    sh`LC_ALL=C.UTF-8 virsh -c ${uri} ${verb} --domain ${word} ${option} ${value}${words.length > 0 ? sh` ${words}` : sh``}`;
  switch (action.do) {
    case "start":
    case "restore":
      return virsh("start");
    case "shutdown":
      return virsh("shutdown");
    case "reboot":
      // A new QEMU: what was changed in the definition meanwhile counts from now on.
      return action.how === "hard" ? sh`${virsh("destroy")} && ${virsh("start")}` : virsh("reboot");
    case "reset":
      return virsh("reset");
    case "force-off":
      return virsh("destroy");
    case "pause":
      return virsh("suspend");
    case "resume":
      return virsh(domain.asleep ? "dompmwakeup" : "resume");
    case "save":
      return virsh("managedsave");
    case "discard-save":
      return virsh("managedsave-remove");
    case "autostart":
      return action.on ? virsh("autostart") : virsh("autostart", "--disable");
    case "rename":
      return named("domrename", "--new-name", action.to);
    case "remove":
      return virsh(
        "undefine",
        ...["--managed-save", "--snapshots-metadata", "--nvram"],
        ...(action.keepDisks ? [] : ["--remove-all-storage"]),
      );
    case "snapshot-create":
      return named(
        "snapshot-create-as",
        "--name",
        action.name,
        ...(action.description === "" ? [] : ["--description", action.description]),
        "--atomic",
        ...(domain.active && !action.memory ? ["--disk-only"] : []),
      );
    case "snapshot-revert":
      return named("snapshot-revert", "--snapshotname", action.name);
    case "snapshot-delete":
      return named("snapshot-delete", "--snapshotname", action.name);
    case "clone":
      return sh`LC_ALL=C.UTF-8 virt-clone --connect ${uri} --original ${word} --name ${action.to} --auto-clone </dev/null`;
    case "set-memory":
      return setMemory(uri, action.mebibytes, domain, isForNextStart(action, domain));
    case "set-vcpus":
      return setVcpus(uri, action.count, domain, isForNextStart(action, domain));
    case "disk-add":
      return diskAdd(uri, action, domain);
    case "disk-grow":
      return diskGrow(uri, action, domain);
    case "disk-remove":
      return diskRemove(uri, action, domain);
    case "nic-add": {
      const bridge = action.network.startsWith(bridgePrefix);
      const source = bridge ? action.network.slice(bridgePrefix.length) : action.network;
      return sh`LC_ALL=C.UTF-8 virsh -c ${uri} attach-interface --domain ${word} --type ${bridge ? "bridge" : "network"} --source ${source} --model virtio ${scope(domain)}`;
    }
    case "nic-remove":
      return nicRemove(uri, action.nic, domain);
    case "media-insert":
      return mediaInsert(uri, action, domain);
    case "media-eject":
      return named("change-media", "--path", action.disk, "--eject", ...scope(domain));
    case "tag": {
      const tags = tagsAfter(domain.tags, action.add, action.remove);
      const what = tags.length > 0 ? ["--key", "virtu", "--set", tagsElement(tags)] : ["--remove"];
      return named("metadata", "--uri", tagsNamespace, ...what, ...scope(domain));
    }
    case "note":
      return sh`LC_ALL=C.UTF-8 virsh -c ${uri} desc --domain ${word} ${scope(domain)} --new-desc ${action.text}`;
    case "define":
      // Standard input is a socket under sshd, which nobody can open by a name; a pipe can be.
      return sh`if LC_ALL=C.UTF-8 virsh -c ${uri} dumpxml --inactive --security-info ${word} | grep -q " passwd='"; then echo 'error: virtu: it holds a password' >&2; exit 1; fi; cat | LC_ALL=C.UTF-8 virsh -c ${uri} define --validate /dev/stdin`;
    default:
      return null;
  }
}

function setMemory(uri: string, mebibytes: number, domain: Domain, later: boolean): Command {
  const size = `${mebibytes}M`;
  const given = (verb: string, flags: readonly string[]) =>
    sh`LC_ALL=C.UTF-8 virsh -c ${uri} ${verb} ${domain.word} ${size} ${flags}`;
  if (domain.active && !later) return given("setmem", scope(domain));
  return sh`${given("setmaxmem", ["--config"])} && ${given("setmem", ["--config"])}`;
}

function setVcpus(uri: string, count: number, domain: Domain, later: boolean): Command {
  const given = (...flags: readonly string[]) =>
    sh`LC_ALL=C.UTF-8 virsh -c ${uri} setvcpus ${domain.word} ${count} ${flags}`;
  if (domain.active && !later) return given(...scope(domain));
  const ceiling = domain.vcpusMax ?? 0;
  return count > ceiling ? sh`${given("--maximum", "--config")} && ${given("--config")}` : given("--config");
}

/** A shell function `source_of` that prints where a disk of the definition (or of the running one) lies. */
function sourceOf(domain: Domain): Command {
  const flags = domain.active ? [] : ["--inactive"];
  return sh`source_of() { v domblklist ${[domain.word, ...flags]} | while read -r target source; do [ "$target" != "$1" ] || echo "$source"; done; }`;
}

function diskAdd(uri: string, action: Extract<Action, { do: "disk-add" }>, domain: Domain): Command {
  const pool = action.pool ?? "default";
  const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => `vd${letter}`);
  return sh`${virshFunction(uri)}
pool=${pool}
used=$(v domblklist ${domain.word} && v domblklist ${domain.word} --inactive) || exit 1
for disk in ${letters}; do case $used in *" $disk "*) ;; *) break ;; esac; done
kind=$(v pool-dumpxml "$pool") || exit 1
case $kind in *"<pool type='dir'>"* | *"<pool type='fs'>"* | *"<pool type='netfs'>"*) format=qcow2 end=.qcow2 ;; *) format=raw end= ;; esac
for number in '' -2 -3 -4 -5 -6 -7 -8 -9; do volume=${domain.name}-$disk$number$end; v vol-info --pool "$pool" --vol "$volume" >/dev/null 2>&1 || break; done
v vol-create-as --pool "$pool" --name "$volume" --capacity ${`${action.mebibytes}M`} --format $format >/dev/null || exit 1
v attach-disk --domain ${domain.word} --source "$(v vol-path --pool "$pool" --vol "$volume")" --target $disk --driver qemu --subdriver $format ${scope(domain)} || { v vol-delete --pool "$pool" --vol "$volume" >/dev/null; exit 1; }`;
}

/** To a new size; a size that is no larger is refused there, because virsh would cut the disk. */
function diskGrow(uri: string, action: Extract<Action, { do: "disk-grow" }>, domain: Domain): Command {
  const size = `${action.mebibytes}M`;
  const grow = domain.active
    ? sh`v blockresize --domain ${domain.word} --path ${action.disk} --size ${size}`
    : sh`v vol-resize --vol "$(source_of ${action.disk})" --capacity ${size}`;
  return sh`${virshFunction(uri)}
${sourceOf(domain)}
info=$(v domblkinfo ${domain.word} ${action.disk}) || exit 1
set -- $info
[ "$2" -lt ${action.mebibytes * 1024 ** 2} ] || { echo "error: virtu: the disk has $2 bytes already" >&2; exit 1; }
${grow}`;
}

/** What `detached` waits for: a guest that runs lets go of a device by itself, or does not. */
function awaitGone(list: Command, pattern: string): Command {
  return sh`for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
  case $(${list}) in *${pattern}*) ;; *) break ;; esac
  [ $try -lt 21 ] || { echo 'error: virtu: the guest does not let go of it' >&2; exit 1; }
  sleep 0.5
done`;
}

function diskRemove(uri: string, action: Extract<Action, { do: "disk-remove" }>, domain: Domain): Command {
  const detach = sh`v detach-disk --domain ${domain.word} --target ${action.disk} ${scope(domain)} || exit 1`;
  const gone = domain.active ? sh`\n${awaitGone(sh`v domblklist ${domain.word}`, ` ${action.disk} `)}` : sh``;
  const remove = action.keepVolume
    ? sh``
    : sh`\nv vol-delete --vol "$source" || { echo 'error: virtu: detached, its volume stays' >&2; exit 1; }`;
  return sh`${virshFunction(uri)}
${sourceOf(domain)}
source=$(source_of ${action.disk})
${detach}${gone}${remove}`;
}

function nicRemove(uri: string, mac: string, domain: Domain): Command {
  const flags = domain.active ? [] : ["--inactive"];
  const list = sh`v domiflist ${[domain.word, ...flags]}`;
  const gone = domain.active ? sh`\n${awaitGone(list, mac)}` : sh``;
  return sh`${virshFunction(uri)}
type=$(${list} | grep -iF ${mac} | while read -r name type rest; do echo "$type"; done)
[ -n "$type" ] || { echo 'error: virtu: it has no such network card' >&2; exit 1; }
v detach-interface --domain ${domain.word} --type "$type" --mac ${mac} ${scope(domain)} || exit 1${gone}`;
}

function mediaInsert(uri: string, action: Extract<Action, { do: "media-insert" }>, domain: Domain): Command {
  const flags = domain.active ? [] : ["--inactive"];
  const drive =
    action.disk === null
      ? sh`drive=$(v domblklist ${[domain.word, "--details", ...flags]} | while read -r type device target rest; do [ "$device" != cdrom ] || echo "$target"; done | head -n 1)`
      : sh`drive=${action.disk}`;
  return sh`${virshFunction(uri)}
${drive}
[ -n "$drive" ] || { echo 'error: virtu: it has no CD drive' >&2; exit 1; }
v change-media --domain ${domain.word} --path "$drive" --source ${action.path} --update ${scope(domain)}`;
}

/** Where every domain's disks lie, by `@@virtu disks NAME`: what of them must not go with one of the domains. */
export function allDisksCommand(uri: string): Command {
  return sh`${virshFunction(uri)}
batch=$(v list --all --uuid | while read -r uuid; do [ -z "$uuid" ] || printf 'echo @@virtu disks %s; domblklist %s --details; ' "$uuid" "$uuid"; done)
v "$batch"`;
}

/** Sources of disks (no drives) by the UUID of their domain. */
export function parseAllDisks(text: string): Map<string, { target: string; source: string }[]> {
  const found = new Map<string, { target: string; source: string }[]>();
  for (const part of text.split(/^@@virtu disks /m).slice(1)) {
    const rows = part
      .split("\n")
      .slice(1)
      .flatMap((row) => {
        const [, device, target = "", source = ""] = /^ \S+ +(disk|lun) +(\S+) +(.+)$/.exec(row) ?? [];
        return device === undefined || source === "-" ? [] : [{ target, source }];
      });
    found.set(part.slice(0, part.indexOf("\n")), rows);
  }
  return found;
}

/** What `undefine --remove-all-storage` left: disks that are in no pool, and those that could not be deleted. */
export function parseLeftDisks(text: string): string[] {
  const unmanaged = /Storage volume '([^']*)'\(([^\n]*)\) is not managed by libvirt/g;
  const failed = /Failed to remove storage volume '([^']*)'\(([^\n]*)\)/g;
  return [
    ...[...text.matchAll(unmanaged)].map(([, disk, path]) => `${disk} (${path}) is in no storage pool`),
    ...[...text.matchAll(failed)].map(([, disk, path]) => `${disk} (${path}) could not be deleted`),
  ];
}
