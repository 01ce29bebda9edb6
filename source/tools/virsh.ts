/**
 * libvirt's `virsh` (7.0 to 11): how it is called and what it prints. The connection URI is always given: a user's default
 * is `qemu:///session`, which answers with an empty list instead of an error. The locale is C.UTF-8: in C a table shows
 * `\xff` for every byte of a title or name that is not ASCII.
 */
import type { Instance } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { tagsNamespace } from "./virsh-definition.ts";

export const defaultUri = "qemu:///system";
/** libvirt's driver of a Xen host (libxl). */
export const xenUri = "xen:///system";

/**
 * The test driver lives in the virsh process: its state is forgotten at its end, and domains of a file that have no UUID
 * get another one each time. Not so when it is reached through a daemon (`test+unix:…`).
 */
export function isPerProcess(uri: string): boolean {
  return /^test:/i.test(uri);
}

// `domstats --nowait` comes last: a QEMU that hangs blocks it until the time limit, and virsh has by then flushed the rest.
// No -q: with it `echo` would print no newline.
const pollStart = [
  "echo @@virtu domains",
  "list --all --uuid --id --name",
  "echo @@virtu table",
  "list --all --title",
  "echo @@virtu saved",
  "list --all --with-managed-save --uuid",
  "echo @@virtu autostart",
  "list --all --autostart --uuid",
  "echo @@virtu transient",
  "list --all --transient --uuid",
  "echo @@virtu hostname",
  "hostname",
  "echo @@virtu memory",
  "nodememstats",
  "echo @@virtu state",
  "domstats --state --raw",
  "",
].join("; ");
const pollEnd = ["echo @@virtu stats", "domstats --nowait --raw", "echo @@virtu end"].join("; ");

/** Seconds after which a poll is cut off. */
export const pollLimit = 5;

/** Domains whose tags a poll reads: a batch is one word of a command line, and the kernel takes 128 KiB for one. */
export const tagLimit = 1000;

const uuids = "list --all --uuid; echo @@virtu pools; pool-list --uuid";
// Pools come after all else: one on a file server that is gone may keep virsh waiting, and only what follows it is lost then.
const tagsPart = sh`tags=$(echo "$uuids" | head -n ${tagLimit} | while read -r uuid; do case $uuid in @*) break;; ?*) printf 'echo @@virtu tags %s; metadata %s %s; ' "$uuid" "$uuid" ${tagsNamespace};; esac; done)`;
const poolsPart = sh`pools=$(echo "$uuids" | while read -r uuid; do case $uuid in @*) kind=pool;; ?*) [ -z "$kind" ] || printf '; echo @@virtu pool; pool-dumpxml %s' "$uuid";; esac; done)`;
/** What no table of virsh has is asked for one by one, in the same process as the rest: two processes for all, whatever there is. */
const cpuPart = "echo @@virtu cpu; nodecpustats; ";
/** Local file systems only: a server that is gone would keep it waiting. */
const mountsPart = sh`echo; echo @@virtu mounts; timeout 2 df -Pkl 2>/dev/null`;

/**
 * Everything about a host, its domains and its pools, the parts marked by `@@virtu NAME`. The test driver's UUIDs are no use
 * for what is asked one by one.
 */
export function pollCommand(uri: string): Command {
  const virsh = sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri}`;
  if (isPerProcess(uri)) return sh`${virsh} ${pollStart + cpuPart + pollEnd}`;
  const command = sh`uuids=$(${virsh} ${uuids} 2>/dev/null); kind=; ${tagsPart}; ${poolsPart}; ${virsh} ${pollStart + cpuPart}"$tags"${pollEnd}"$pools"; s=$?; ${mountsPart}`;
  return sh`${uri === xenUri ? sh`${command}; ${xenNumbers}` : command}; exit $s`;
}

/** The start of a script that calls virsh more than once: a function `v` for it. */
export function virshFunction(uri: string): Command {
  return sh`v() { LC_ALL=C.UTF-8 virsh -c ${uri} "$@"; }`;
}

/** A word inside a batch, which virsh cuts by itself: a backslash holds what follows. */
export function virshWord(word: string): string {
  return word.replace(/[^\w.:@+,/-]/g, (character) => `\\${character}`);
}

/** libvirt's Xen driver has no `domstats`: its numbers come from `dominfo`, one batch for all domains. */
const xenVirsh = sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${xenUri}`;
const xenNumbers = sh`echo @@virtu dominfo; ${xenVirsh} "$(${xenVirsh} list --all --uuid | sed -n 's/^[0-9a-f].*/dominfo &;/p')"`;

/** Whether virsh is there and the URI answers: its path, then `@@virtu status N`, the error text between them. */
export function virshProbe(uri: string): Command {
  return sh`if command -v virsh; then LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} hostname 2>&1; echo "@@virtu status $?"; fi`;
}

/** What `virshProbe` printed, or null when there is no virsh. `status` 124: no answer in time. */
export function parseVirshProbe(text: string): { status: number; text: string } | null {
  const found = /^\S*virsh\n([\s\S]*?)^@@virtu status (\d+)$/m.exec(text);
  return found ? { status: Number(found[2]), text: found[1] ?? "" } : null;
}

/**
 * How virsh is told a domain: by its name, except where virsh would take the name for something else (it looks for an id
 * first, then a UUID, and takes a leading dash for an option).
 */
export function domainWord(instance: Pick<Instance, "name" | "facts">): string {
  const uuid = instance.facts["uuid"];
  const misread = /^\d+$/.test(instance.name) || /^[0-9a-f-]{32,36}$/i.test(instance.name) || /^-/.test(instance.name);
  return misread && typeof uuid === "string" ? uuid : instance.name;
}

/** Its text console, on a terminal; `force` takes it from whoever has it. */
export function consoleCommand(uri: string, domain: string, force: boolean): Command {
  return sh`LC_ALL=C.UTF-8 virsh -c ${uri} console ${force ? ["--force", domain] : domain}`;
}

/** Starts it with its console attached: since 8.3 virsh makes it paused and resumes it then, so that no line is missed. */
export function startConsoleCommand(uri: string, domain: string): Command {
  return sh`LC_ALL=C.UTF-8 virsh -c ${uri} start --console ${domain}`;
}

/** One domain's state as virsh words it: `running`, `shut off`. */
export function stateCommand(uri: string, domain: string): Command {
  return sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} domstate ${domain}`;
}

/** A domain's UUID by its name. */
export function uuidCommand(uri: string, name: string): Command {
  return sh`LC_ALL=C.UTF-8 timeout ${pollLimit} virsh -c ${uri} domuuid --domain ${name}`;
}
