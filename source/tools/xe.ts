/**
 * XenServer's and XCP-ng's `xe`, run on a host of the pool: how it is called. Written from xapi's own sources and manual, and
 * not yet tried on a real pool. Objects are always named by UUID: a name may be there twice, and `xe` would then ask for
 * `--multiple` and do it to both.
 */
import { type Command, sh } from "../ssh/command.ts";

export interface XeAccess {
  /** Directory of `xe` with its slash. */
  directory: string;
  sudo: boolean;
}

/** Seconds after which a question is cut off. */
export const xePollLimit = 20;
/** Seconds for a change; xapi carries a task on when its client is cut off. */
export const xeActionLimit = 300;
/** Seconds for what moves a guest's memory or disks. */
export const xeLongLimit = 7200;

/** `xe WORDS…` with a time limit in seconds (status 124 when it is passed). */
export function xe(access: XeAccess, words: readonly string[], seconds = xeActionLimit): Command {
  const command = sh`timeout -k 5 ${seconds} ${`${access.directory}xe`} ${words}`;
  return access.sudo ? sh`sudo -n ${command}` : command;
}

const poolFields = "uuid,name-label,master";
const hostFields = "uuid,name-label,address,enabled,memory-total,memory-free";
const vmFields =
  "uuid,name-label,power-state,resident-on,dom-id,VCPUs-number,VCPUs-at-startup,VCPUs-max,memory-actual,memory-static-max,memory-dynamic-max,tags,current-operations,other-config,HVM-boot-policy,networks";

/** Seconds for what is looked at besides, as what the guests' vCPUs do: a large pool does without rather than wait. */
const besidesLimit = 6;

/**
 * The pool, its hosts and guests in one round trip; templates and snapshots are not among the guests. `load`: what the vCPUs
 * of those that run do, too, which xapi looks up one by one; `stores`: its storage repositories, and which host has which.
 */
export function xePoll(access: XeAccess, { load = false, stores = false } = {}): Command {
  const ask = (words: string[]) => xe(access, words, xePollLimit);
  const besides = (name: string, words: string[]) =>
    sh`; echo ${`@@virtu ${name}`}; ${xe(access, words, besidesLimit)} 2>/dev/null || true`;
  const running = ["vm-list", "is-control-domain=false", "power-state=running", "params=uuid,VCPUs-utilisation"];
  const repositories = ["sr-list", "content-type=user", "params=uuid,name-label,physical-size,physical-utilisation"];
  const plugged = ["pbd-list", "currently-attached=true", "params=uuid,sr-uuid,host-uuid"];
  const more = [
    ...(stores ? [besides("srs", repositories), besides("pbds", plugged)] : []),
    ...(load ? [besides("load", running)] : []),
  ].reduce((one, other) => sh`${one}${other}`, sh``);
  return sh`echo @@virtu hosts; ${ask(["host-list", `params=${hostFields}`])} && echo @@virtu vms && ${ask(["vm-list", "is-control-domain=false", `params=${vmFields}`])}; echo "@@virtu end $?"${more}`;
}

/**
 * Whether this is a host of a pool and xapi answers: `xe`'s path, the user's number, `direct` or `sudo`, this host's UUID, the
 * pool and its hosts. Another program is called `xe` too (an xargs): only XenServer has this inventory.
 */
export const xeProbe: Command = sh`PATH=$PATH:/opt/xensource/bin; if [ -f /etc/xensource-inventory ] && command -v xe; then id -u; s=; if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then echo sudo; s="sudo -n"; else echo direct; fi; sed -n "s/^INSTALLATION_UUID='*\\([0-9a-f-]*\\).*/\\1/p" /etc/xensource-inventory; echo @@virtu pool; $s timeout -k 1 ${xePollLimit} "$(command -v xe)" pool-list ${`params=${poolFields}`} 2>&1; echo "@@virtu status $?"; fi`;

/** Where a guest can go: its possible hosts, then all hosts with their free memory. */
export function xeTargets(access: XeAccess, uuid: string): Command {
  const possible = xe(access, ["vm-param-get", `uuid=${uuid}`, "param-name=possible-hosts"], xePollLimit);
  return sh`echo @@virtu possible; ${possible}; echo @@virtu hosts; ${xe(access, ["host-list", `params=${hostFields}`], xePollLimit)}`;
}

/** One guest alone, with its disks, cards, snapshots, and what could be added. */
export function xeDetails(access: XeAccess, uuid: string): Command {
  const ask = (words: string[]) => xe(access, words, xePollLimit);
  const parts: [string, string[]][] = [
    ["vm", ["vm-param-list", `uuid=${uuid}`]],
    ["disks", ["vbd-list", `vm-uuid=${uuid}`, "params=uuid,userdevice,type,vdi-uuid,vdi-name-label,empty"]],
    ["nics", ["vif-list", `vm-uuid=${uuid}`, "params=uuid,device,MAC,network-name-label"]],
    [
      "snapshots",
      ["snapshot-list", `snapshot-of=${uuid}`, "params=uuid,name-label,name-description,snapshot-time,power-state"],
    ],
    ["networks", ["network-list", "params=uuid,name-label,bridge"]],
    ["srs", ["sr-list", "content-type=user", "params=uuid,name-label,physical-size,physical-utilisation"]],
    ["media", ["cd-list", "params=name-label"]],
  ];
  const images = ask(["vbd-list", `vm-uuid=${uuid}`, "type=Disk", "params=vdi-uuid", "--minimal"]);
  const sizes = sh`echo '@@virtu images'; for v in $(${images} | tr , ' '); do ${ask(["vdi-list"])} uuid="$v" params=uuid,virtual-size,sr-name-label; done`;
  return parts
    .map(([name, words]) => sh`echo ${`@@virtu ${name}`}; ${ask(words)}`)
    .reduce((one, other) => sh`${one}; ${other}`, sizes);
}

/** The text console of a guest on the host where it runs: by its domain's number, which each start changes. */
export function xeConsole(access: XeAccess, uuid: string): Command {
  const number = xe(access, ["vm-param-get", `uuid=${uuid}`, "param-name=dom-id"], xePollLimit);
  const console = sh`/usr/sbin/xl console "$(${number})"`;
  return access.sudo ? sh`sudo -n ${console}` : console;
}

/** Port of the guest's VNC server there, as the toolstack wrote it down. */
export function xeVnc(access: XeAccess, uuid: string): Command {
  const number = xe(access, ["vm-param-get", `uuid=${uuid}`, "param-name=dom-id"], xePollLimit);
  const read = sh`timeout -k 1 5 xenstore-read "/local/domain/$(${number})/console/vnc-port"`;
  return access.sudo ? sh`sudo -n ${read}` : read;
}

/**
 * Prints the tasks that xapi carries whenever there are some. `event-wait` ends at once while one is there, so a second passes
 * between two looks; nothing is asked of xapi while it is idle.
 */
export function xeWatch(access: XeAccess): Command {
  const program = `${access.directory}xe`;
  const loop = sh`while ${program} event-wait class=task >/dev/null; do echo @@virtu tasks; timeout -k 1 ${xePollLimit} ${program} task-list params=uuid,name-label,name-description,status; sleep 1; done`;
  return access.sudo ? sh`sudo -n sh -c ${loop.line}` : loop;
}
