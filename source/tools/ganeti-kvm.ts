/**
 * What QEMU's sockets on an instance's node give: its picture, and who has its serial line. The hypervisor `kvm` of Ganeti
 * leaves them in /var/run/ganeti/kvm-hypervisor (3.0 and 3.1). Pure.
 */
import { type Command, sh } from "../ssh/command.ts";
import { type GanetiAccess, gnt } from "./ganeti.ts";

const place = "/var/run/ganeti/kvm-hypervisor";
/** Seconds after which QEMU is left alone: one that is stopped takes the connection and says nothing. socat waits longer. */
const limit = 10;

/**
 * The screen as a picture (PPM) on standard output, packed and in base64; QEMU's answers on standard error, a JSON object a
 * line. QEMU writes it itself, as the user that it runs as: into a directory of that user's, gone with this line. Each socket
 * serves one at a time, and Ganeti waits 5 s for it: it is had for some milliseconds.
 */
export function screenCommand({ sudo }: Pick<GanetiAccess, "sudo">, name: string): Command {
  const [pid, socket] = [`${place}/pid/${name}`, `${place}/ctrl/${name}.qmp`];
  const begin = '{"execute":"qmp_capabilities"}';
  const dump = '{"execute":"screendump","arguments":{"filename":"%s/screen"}}';
  const ask = sh`printf ${`${begin}\n${dump}\n`} "$d" | timeout ${limit} socat -t ${limit + 5} - ${`UNIX-CONNECT:${socket}`} >&2`;
  const take = sh`pid=$(cat ${pid}) && d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && chown "$(stat -c %u "/proc/$pid")" "$d" && ${ask} && gzip -1 <"$d/screen" | base64`;
  return sudo ? sh`sudo -n sh -c ${take.line}` : take;
}

/** Why there was no picture, in QEMU's or the node's words; null: neither said anything. */
export function explainScreen(stderr: string, status: number): { why: string; hint?: string } | null {
  const refusal = stderr.split("\n").flatMap((line) => qmpError(line) ?? [])[0];
  if (refusal !== undefined) return { why: `QEMU can't take it: ${refusal}` };
  if (/\/pid\/.*No such file|\/proc\/\d+.*No such file|Connection refused/.test(stderr)) {
    return { why: "its QEMU does not run on its node", hint: "Read the list anew: it may have stopped or moved." };
  }
  if (status === 127 && /socat|timeout/.test(stderr))
    return { why: "its node has no socat", hint: "Install it there." };
  if (status === 124) return { why: "its QEMU does not answer: it is stopped, or hangs" };
  if (/sudo:|Permission denied/.test(stderr)) return { why: "this takes root's rights on the instance's node" };
  return null;
}

/** `{"error": {"class": "GenericError", "desc": "…"}}` */
function qmpError(line: string): string | null {
  try {
    const answer = JSON.parse(line) as { error?: { desc?: unknown } } | null;
    const desc = answer?.error?.desc;
    return typeof desc === "string" ? desc : null;
  } catch {
    return null;
  }
}

/** Shell words that give the processes which have, or wait for, the serial line of an instance. */
const clients = (name: string) =>
  sh`for p in $(pgrep socat); do tr '\\0' '\\n' <"/proc/$p/cmdline" | grep -qxF ${`UNIX-CONNECT:${place}/ctrl/${name}.serial`} || continue; `;

/** Every Ganeti runs a command on its nodes for root, by the way that its consoles take too. */
function onNode(access: GanetiAccess, node: string, script: Command): Command {
  return gnt(access, "gnt-cluster", ["command", "-n", node, script.line]);
}

/** Those at the serial line of an instance: how long they are there and who, for `parseClients`. */
export function clientsCommand(access: GanetiAccess, node: string, name: string): Command {
  return onNode(access, node, sh`{ ${clients(name)}ps -o etimes=,pid= -p "$p"; done; } 2>/dev/null`);
}

/** Seconds since each of them came, the longest first. Two and more: the first has it, the others wait. */
export function parseClients(stdout: string): number[] {
  const found = [...stdout.matchAll(/^\s*(\d+)\s+\d+$/gm)].map(([, seconds]) => Number(seconds));
  return found.sort((a, b) => b - a);
}

/** Sends everybody away from the serial line. */
export function dismissCommand(access: GanetiAccess, node: string, name: string): Command {
  return onNode(access, node, sh`{ ${clients(name)}kill "$p"; done; } 2>/dev/null`);
}
