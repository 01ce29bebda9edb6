/** virsh's error texts in the user's words. Its status is only 0 or 1: the meaning is in `error:` lines. */

export interface Explanation {
  why: string;
  hint?: string;
}

/** The `error:` lines without that word; the first says what failed, the second why. */
export function errorLines(text: string): string[] {
  return [...text.matchAll(/^error: (.*)$/gm)].map((found) => found[1] ?? "").filter((line) => line !== "");
}

const permission = "Add the user to the group libvirt on that host and log in again, or log in as root (root@HOST).";

/** What our own scripts (virsh-actions.ts) say when they refuse. */
const ours = /^error: virtu: (.*)$/m;

const peers =
  "The source's own root logs in on the target by ssh: put its key into the target's authorized_keys, and the target's key into its known_hosts.";

const known: readonly [RegExp, (found: RegExpExecArray) => Explanation][] = [
  [
    /no polkit agent available|authentication (?:unavailable|failed)|access denied by policy/i,
    () => ({ why: "polkit gives this user no rights on libvirt", hint: permission }),
  ],
  [
    /Unable to get system bus connection/,
    () => ({ why: "libvirt can't ask polkit about this user: no D-Bus runs there", hint: permission }),
  ],
  [
    /connect socket to '([^']+)': Permission denied/,
    () => ({ why: "this user has no permission to use libvirt", hint: permission }),
  ],
  [
    /connect socket to '([^']+)': (?:No such file or directory|Connection refused)/,
    () => ({ why: "libvirt's daemon does not run there", hint: "Start it: systemctl start libvirtd (or virtqemud)." }),
  ],
  [
    /no connection driver available for (\S+)/,
    (found) => ({ why: `libvirt there has no driver for ${found[1]}`, hint: "Give the right URI with --uri." }),
  ],
  [
    /unexpected (\w+) URI path '[^']*', try (\S+)/,
    (found) => ({ why: "the URI's path means nothing there", hint: `Try --uri ${found[2]}` }),
  ],
  [
    /Unable to parse URI/,
    () => ({ why: "the connection URI can't be read", hint: "Give one like qemu:///system with --uri." }),
  ],
  [/failed to parse xml document '([^']+)'/, (found) => ({ why: `${found[1]} can't be read on that host` })],
  [/failed to get domain/, () => ({ why: "libvirt knows no such domain" })],
  [
    /it holds a password/,
    () => ({
      why: "its definition holds a password, which virtu does not read and would lose",
      hint: "Change it on the host: virsh edit.",
    }),
  ],
  [ours, (found) => ({ why: found[1] ?? "" })],
  [
    /Unknown savevm section|Error -22 while loading VM state|Make sure that your current VM setup matches|revert requires force/,
    () => ({
      why: "it has other devices or vCPUs than when the snapshot was taken, and its saved memory does not fit them; it may be off now",
      hint: "Give it the hardware it had, or start it from its disks as they are.",
    }),
  ],
  [
    /revert to external snapshot not supported/,
    () => ({
      why: "libvirt there can't revert to a snapshot of the disks alone (9.9 can)",
      hint: "Its disk of that moment is the backing file of the present one.",
    }),
  ],
  [/no domain snapshot with matching name '(.*)'/, (found) => ({ why: `it has no snapshot ${found[1]}` })],
  [/domain moment (.*) already exists/, (found) => ({ why: `it has a snapshot ${found[1]} already` })],
  [
    /snapshot is not supported for storage type raw|internal snapshot for disk (\S+) unsupported for storage type (\w+)/,
    (found) => ({ why: `only qcow2 disks can hold a snapshot${found[2] ? `, and ${found[1]} is ${found[2]}` : ""}` }),
  ],
  [/domain '(.*)' already exists with uuid/, (found) => ({ why: `there is a domain ${found[1]} already` })],
  [
    /failed to validate against schema[\s\S]*?\n([^\n]+)/,
    (found) => ({ why: `libvirt does not take the definition: ${found[1]}` }),
  ],
  [/\(domain_definition\):(\d+): (.*)/, (found) => ({ why: `line ${found[1]} of the definition: ${found[2]}` })],
  [/Host key verification failed/, () => ({ why: "the host keys do not match or are not known", hint: peers })],
  [
    /(?:Cannot recv data|End of file while reading data).*Permission denied/,
    () => ({ why: "no key is accepted there", hint: peers }),
  ],
  [
    /nc: (?:command )?not found/,
    () => ({ why: "nc is missing on the target", hint: "apt-get install netcat-openbsd there." }),
  ],
  [
    /Could not resolve hostname (\S+?):|Unable to resolve address '([^']+)'/,
    (found) => ({
      why: `the name ${found[1] ?? found[2]} is not known there`,
      hint: "Add it to /etc/hosts or the DNS.",
    }),
  ],
  [
    /Storage pool not found.*'(.*)'/,
    (found) => ({ why: `there is no storage pool ${found[1]}`, hint: "Name another one, or define it there." }),
  ],
  [
    /no storage vol with matching (?:path|key|name)/,
    () => ({
      why: "its disk is in no storage pool, so that libvirt can't change it while it is off",
      hint: "Do it while the domain runs, or put the directory into a pool.",
    }),
  ],
  [/doesn't have media/, () => ({ why: "the drive is empty" })],
  [
    /requested vcpus is greater than max allowable vcpus[^:]*: (\d+) > (\d+)/,
    (found) => ({ why: `it can have ${found[2]} vCPUs at most` }),
  ],
  [/Domain to clone must be shutoff/, () => ({ why: "it must be off to be cloned" })],
  [/^ERROR +(.*)$/m, (found) => ({ why: found[1] ?? "" })],
  [/Domain is already active/, () => ({ why: "it runs already" })],
  [/domain is not running/, () => ({ why: "it is not running" })],
  [
    /Cannot access storage file '([^']+)'[^:]*(?:\([^)]*\))?: (.*)$/m,
    (found) => ({ why: `its disk ${found[1]} can't be opened: ${found[2]}` }),
  ],
  [
    /cannot acquire state change lock(?: \(held by ([^)]+)\))?/,
    (found) => ({
      why: found[1] ? `another job holds it (${found[1]})` : "another job holds it",
      hint: "Its QEMU process may hang; force off ends it.",
    }),
  ],
  [/read only access prevents/, () => ({ why: "the connection is read-only", hint: permission })],
  [
    /Network not found: .*'([^']+)'|network '([^']+)' is not active/,
    (found) => ({ why: `its network ${found[1] ?? found[2]} is not active` }),
  ],
  [/[Cc]annot allocate memory/, () => ({ why: "the host has not enough memory" })],
];

/** An error in the user's words; virsh's own last line (the reason) where nothing better is known. */
export function explainVirsh(stderr: string): Explanation {
  for (const [pattern, explain] of known) {
    const found = pattern.exec(stderr);
    if (found) return explain(found);
  }
  return { why: errorLines(stderr).at(-1) ?? (stderr.trim().split("\n").at(-1) || "virsh gave no reason") };
}

/** The daemon's socket is not there: no libvirt server on this host, though its client is. */
export function isNoDaemon(stderr: string): boolean {
  return /connect socket to '[^']+': (?:No such file or directory|Connection refused)/.test(stderr);
}

/** libvirt runs there without this driver. */
export function isNoDriver(stderr: string): boolean {
  return /no connection driver available for/.test(stderr);
}
