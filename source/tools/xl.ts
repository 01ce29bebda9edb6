/**
 * Xen's `xl` (4.14 to 4.20) on a dom0: how it is called. It lies in /usr/sbin, which no user's PATH names, and wants root.
 * Every call is bounded by `timeout`: when xenstored hangs, all but `xl info` wait for ever and print nothing.
 */
import { type Command, sh } from "../ssh/command.ts";

export interface XlAccess {
  /** Directory of the programs with its slash: `/usr/sbin/`. */
  directory: string;
  /** Through `sudo -n`. */
  sudo: boolean;
}

/** Seconds after which a question is cut off. */
export const xlPollLimit = 10;
/** Seconds for a change. A guest that does not answer a request blocks xl for 60 s; building a big domain takes its time. */
export const xlActionLimit = 120;
/** Seconds for what writes or reads a guest's whole memory. */
export const xlMemoryLimit = 1800;

/** Where `xendomains` looks for saved domains when the host comes up: one file for each, named as the domain. */
export const saveDirectory = "/var/lib/xen/save";
export const configDirectory = "/etc/xen";
export const autoDirectory = "/etc/xen/auto";

function asRoot(access: XlAccess, command: Command): Command {
  return access.sudo ? sh`sudo -n ${command}` : command;
}

/** `xl WORDS…` with a time limit in seconds (status 124 when it is passed; killed 5 s later if it minds no signal). */
export function xl(access: XlAccess, words: readonly string[], seconds = xlActionLimit): Command {
  return asRoot(access, sh`timeout -k 5 ${seconds} ${`${access.directory}xl`} ${words}`);
}

/** A piece of shell with xl's rights. */
export function rootShell(access: XlAccess, script: Command): Command {
  return access.sudo ? sh`sudo -n sh -c ${script.line}` : script;
}

/**
 * Everything about a host in one round trip, its parts marked by `@@virtu NAME`: `xl info`, the domains, whose they are
 * (libvirt and Ganeti leave a trace each), what they use, the files of those that are off, what is saved, and how full the
 * file systems and volume groups are.
 */
export function xlPoll(access: XlAccess): Command {
  const program = `${access.directory}xl`;
  const paths = sh`${configDirectory}/*.cfg ${autoDirectory}/*`;
  // One process for all files: a host may have hundreds, and is asked every few seconds.
  const files = sh`echo @@virtu paths; for f in ${paths}; do echo "$f"; done; echo @@virtu real; readlink -m ${paths}; echo @@virtu files; grep -HEsv '^[[:space:]]*(#|$)' ${paths}`;
  // LVM reads all of its disks for that: only where a domain has a device.
  const storage = sh`echo @@virtu uptime; cat /proc/uptime; echo @@virtu mounts; timeout 2 df -Pkl 2>/dev/null; echo @@virtu groups; if grep -Eqs '/dev/|phy:' ${paths}; then timeout -k 1 5 vgs --noheadings --nosuffix --units m --separator '|' -o vg_name,vg_size,vg_free 2>/dev/null; fi`;
  const script = sh`echo @@virtu info; if timeout -k 1 ${xlPollLimit} ${program} info; then echo @@virtu domains; timeout -k 1 ${xlPollLimit} ${program} list -v; s=$?; echo "@@virtu listed $s"; echo @@virtu usage; [ "$s" = 0 ] && timeout -k 1 ${xlPollLimit} ${`${access.directory}xentop`} -b -f -i 1; else echo "@@virtu informed $?"; fi; echo @@virtu userdata; ls /var/lib/xen 2>/dev/null; echo @@virtu ganeti; cat /var/lib/ganeti/ssconf_instance_list 2>/dev/null; echo @@virtu saved; ls ${saveDirectory} 2>/dev/null; ${files}; ${storage}; echo @@virtu end`;
  return rootShell(access, script);
}

/** The rows of the domains alone; for a look at one of them while an action runs. */
export function xlList(access: XlAccess): Command {
  return xl(access, ["list", "-v"], xlPollLimit);
}

/**
 * How xl is told a domain. A name of digits only would be read as a number; a domain that has lost its name (`(null)`) has
 * nothing but its number.
 */
export function xlWord(domain: { name: string; domainId: number | null }): string {
  const misread = /^\d+$/.test(domain.name) || domain.name === "(null)" || domain.name.startsWith("-");
  return misread && domain.domainId !== null ? String(domain.domainId) : domain.name;
}

/**
 * Whether this is a dom0 and xl answers. Prints the program's path, the user's number, `direct` or `sudo`, whether Xen runs
 * (`dom0`, `none`), then xl's answer and `@@virtu status N`.
 */
export const xlProbe: Command = sh`PATH=$PATH:/usr/sbin:/usr/local/sbin; if command -v xl; then id -u; s=; if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then echo sudo; s="sudo -n"; else echo direct; fi; if grep -qs control_d /proc/xen/capabilities; then echo dom0; $s timeout -k 1 ${xlPollLimit} "$(command -v xl)" info 2>&1; echo "@@virtu status $?"; else echo none; fi; fi`;

export interface XlFound extends XlAccess {
  root: boolean;
  /** False: the programs are there, and the host was not started by Xen (or is a guest of it). */
  dom0: boolean;
  /** Status of `xl info`: 0 good, 124 no answer in time; null where it was not asked. */
  status: number | null;
  text: string;
}

/** What `xlProbe` printed, or null when there is no xl. */
export function parseXlProbe(text: string): XlFound | null {
  const [program = "", uid = "", how = "", xen = "", ...rest] = text.split("\n");
  if (!program.endsWith("/xl")) return null;
  const answer = rest.join("\n");
  const status = /^@@virtu status (\d+)$/m.exec(answer)?.[1];
  return {
    directory: program.slice(0, -"xl".length),
    sudo: how === "sudo",
    root: uid === "0",
    dom0: xen === "dom0",
    status: status === undefined ? null : Number(status),
    text: answer.replace(/^@@virtu status \d+\n?/m, ""),
  };
}
