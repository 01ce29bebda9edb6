/** What each action on a Xen domain runs on its host. Pure: previews show the very lines that are carried out. */
import { type Command, sh } from "../ssh/command.ts";
import {
  autoDirectory,
  configDirectory,
  rootShell,
  saveDirectory,
  type XlAccess,
  xl,
  xlMemoryLimit,
  xlWord,
} from "./xl.ts";

/** A domain as the commands must know it. */
export interface XlSubject {
  name: string;
  /** null while it is off. */
  domainId: number | null;
  /** Its file in /etc/xen, or null: nothing there starts it. */
  file: string | null;
  /** Its entry in /etc/xen/auto, or null. */
  auto: string | null;
  saved: boolean;
  /** Files of disks that belong to it alone. */
  diskFiles: readonly string[];
  /** Devices of logical volumes that belong to it alone. */
  diskVolumes: readonly string[];
}

/** Where a domain's saved memory lies: xendomains restores it from there when the host comes up again. */
export function saveFile(name: string): string {
  return `${saveDirectory}/${name}`;
}

export function createCommand(access: XlAccess, file: string): Command {
  return xl(access, ["create", "-q", file]);
}

/** `-F`: a guest without Xen's drivers gets an ACPI event. Never `-w`, which waits without an end. */
export function askCommand(access: XlAccess, what: "shutdown" | "reboot", domain: XlSubject): Command {
  return xl(access, [what, "-F", word(domain)]);
}

export function wordCommand(access: XlAccess, verb: "destroy" | "pause" | "unpause", domain: XlSubject): Command {
  return xl(access, [verb, word(domain)]);
}

/** Ended and started anew from its file. */
export function hardRebootCommand(access: XlAccess, domain: XlSubject, file: string): Command {
  return sh`${wordCommand(access, "destroy", domain)} && ${createCommand(access, file)}`;
}

/** Written beside and moved when it is whole: xendomains would try to restore half a file. */
export function saveCommand(access: XlAccess, domain: XlSubject): Command {
  const part = `/var/lib/xen/${domain.name}.virtu-part`;
  const file = saveFile(domain.name);
  const program = `${access.directory}xl`;
  return rootShell(
    access,
    sh`mkdir -p -m 700 ${saveDirectory} && timeout -k 5 ${xlMemoryLimit} ${program} save ${word(domain)} ${part} && mv ${part} ${file} || { s=$?; rm -f ${part}; exit $s; }`,
  );
}

/** Once the guest runs on, its disks go on too: what was saved fits them no more and is removed. Kept when it fails. */
export function restoreCommand(access: XlAccess, domain: XlSubject): Command {
  const file = saveFile(domain.name);
  const program = `${access.directory}xl`;
  return rootShell(access, sh`timeout -k 5 ${xlMemoryLimit} ${program} restore ${file} && rm -f ${file}`);
}

export function discardCommand(access: XlAccess, domain: XlSubject): Command {
  return rootShell(access, sh`rm -f ${saveFile(domain.name)}`);
}

/** A link in /etc/xen/auto, made or taken away. A file that lies there itself moves to /etc/xen. */
export function autostartCommand(access: XlAccess, domain: XlSubject, file: string, on: boolean): Command {
  if (on) {
    const link = `${autoDirectory}/${base(file)}`;
    return rootShell(access, sh`mkdir -p ${autoDirectory} && ln -s ${file} ${link}`);
  }
  if (domain.auto === file) return rootShell(access, sh`mv -n ${file} ${configDirectory}/`);
  return rootShell(access, sh`rm -f ${domain.auto ?? `${autoDirectory}/${base(file)}`}`);
}

export function renameCommand(access: XlAccess, domain: XlSubject, to: string): Command {
  return xl(access, ["rename", word(domain), to]);
}

export function moveSavedCommand(access: XlAccess, from: string, to: string): Command {
  return rootShell(access, sh`mv -n ${saveFile(from)} ${saveFile(to)}`);
}

export function setMemoryCommand(access: XlAccess, domain: XlSubject, mebibytes: number): Command {
  return xl(access, ["mem-set", word(domain), `${mebibytes}m`]);
}

export function setVcpusCommand(access: XlAccess, domain: XlSubject, count: number): Command {
  return xl(access, ["vcpu-set", word(domain), String(count)]);
}

/**
 * Its file, its entry in auto/, what was saved, and its disks where they go with it. The volumes first: while LVM refuses one,
 * the domain stays known. One that is gone already is no hindrance.
 */
export function removeCommand(access: XlAccess, domain: XlSubject, keepDisks: boolean): Command {
  const files = [
    ...(domain.file ? [domain.file] : []),
    ...(domain.auto && domain.auto !== domain.file ? [domain.auto] : []),
    ...(domain.saved ? [saveFile(domain.name)] : []),
    ...(keepDisks ? [] : domain.diskFiles),
  ];
  const volumes = keepDisks ? [] : domain.diskVolumes;
  const freed = volumes.map((volume) => sh`{ ! lvs ${volume} >/dev/null 2>&1 || lvremove -q -f ${volume}; }`);
  const steps = [...freed, sh`rm -f -- ${files}`];
  return rootShell(
    access,
    steps.reduce((one, other) => sh`${one} && ${other}`),
  );
}

export function migrateCommand(access: XlAccess, domain: XlSubject, to: string): Command {
  return xl(access, ["migrate", word(domain), to], xlMemoryLimit);
}

/** The text of a domain's file. */
export function readFileCommand(access: XlAccess, file: string): Command {
  return rootShell(access, sh`cat ${file}`);
}

/** Replaces a domain's file by standard input; owner and rights stay. With `check`, only if xl takes it for a domain. */
export function writeFileCommand(access: XlAccess, file: string, check: boolean): Command {
  const fresh = `${file}.virtu-new`;
  const program = `${access.directory}xl`;
  const valid = check ? sh`timeout -k 5 30 ${program} create -q -n ${fresh} >/dev/null && ` : sh``;
  return rootShell(
    access,
    sh`cp -p ${file} ${fresh} && cat >${fresh} && ${valid}mv -f ${fresh} ${file} || { s=$?; rm -f ${fresh}; exit $s; }`,
  );
}

/** Its console, on a terminal; unbounded, as long as somebody looks at it. */
export function consoleCommand(access: XlAccess, domain: XlSubject): Command {
  const command = sh`${`${access.directory}xl`} console ${word(domain)}`;
  return access.sudo ? sh`sudo -n ${command}` : command;
}

/** Port and address of a domain's VNC server, as the toolstack wrote them down. */
export function vncCommand(access: XlAccess, domainId: number): Command {
  const path = `/local/domain/${domainId}/console`;
  return rootShell(
    access,
    sh`timeout -k 1 5 xenstore-read ${path}/vnc-port && timeout -k 1 5 xenstore-read ${path}/vnc-listen`,
  );
}

/** What is read of one domain alone, its parts marked: its file, its disks' sizes, its uptime, the end of its log, bridges. */
export function detailsCommand(access: XlAccess, domain: XlSubject, disks: readonly string[]): Command {
  const program = `${access.directory}xl`;
  const text = domain.file ? sh`cat ${domain.file}` : sh`true`;
  // A device is of no size for stat.
  const sizes =
    disks.length > 0
      ? sh`for f in ${disks}; do echo "$(blockdev --getsize64 "$f" || stat -L -c %s "$f") $f"; done`
      : sh`true`;
  const up = domain.domainId === null ? sh`true` : sh`timeout -k 1 5 ${program} uptime ${word(domain)}`;
  const log = `/var/log/xen/xl-${domain.name}.log`;
  return rootShell(
    access,
    sh`echo @@virtu file; ${text}; echo; echo @@virtu sizes; ${sizes} 2>/dev/null; echo @@virtu uptime; ${up}; echo @@virtu log; tail -n 3 ${log} 2>/dev/null; echo @@virtu bridges; for b in /sys/class/net/*/bridge; do [ -d "$b" ] && basename "$(dirname "$b")"; done; echo @@virtu end`,
  );
}

function word(domain: XlSubject): string {
  return xlWord(domain);
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
