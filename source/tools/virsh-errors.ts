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
