/** What the programs behind `gnt-instance console` say when a console can't be had or has ended. */

import type { ConsoleReason } from "../instances/types.ts";

const serialHint = "Set it for its next start: gnt-instance modify -H serial_console=true NAME";

const known: readonly [RegExp, ConsoleReason][] = [
  [
    /Console not available for (?:the )?fake hypervisor/,
    {
      why: "the fake hypervisor has no console",
      hint: "Instances of kvm and xen have one.",
      inUse: false,
      kind: "none",
    },
  ],
  [
    /Instance \S+ is not running|Instance is stopped/,
    { why: "the instance is off", hint: "Start it first.", inUse: false, kind: "off" },
  ],
  [
    /No serial shell for instance|has (?:VNC|SPICE) (?:server )?listening on/,
    { why: "the guest has no serial console", hint: serialHint, inUse: false, kind: "none" },
  ],
  [
    // A second one of KVM says nothing at all: QEMU lets it wait without a word.
    /Could not lock \S*xenconsole/,
    { why: "somebody else has the console", hint: "Close it there: Xen gives it to one at a time.", inUse: true },
  ],
  [
    // A QEMU that was killed leaves its sockets.
    /\.serial".*Connection refused/,
    { why: "its QEMU does not run: the instance is off", hint: "Start it first.", inUse: false, kind: "off" },
  ],
  [
    /\.serial.*No such file or directory|connect\(.*\): No such file/,
    {
      why: "the guest has no serial console",
      hint: serialHint,
      inUse: false,
    },
  ],
  [
    /Host key verification failed|Permission denied \(/,
    {
      why: "the master can't log in to the instance's node",
      hint: "Ganeti's own ssh keys do not fit: gnt-cluster verify on the master says more.",
      inUse: false,
    },
  ],
  [
    /No route to host|Connection timed out|port 22: Connection refused/,
    { why: "the instance's node can't be reached from the master", hint: "Is the node up?", inUse: false },
  ],
];

/** Said of what is off, and of guests with VNC on a loopback address and without a serial line. */
const unavailable = /Console information for instance \S+ is unavailable/;

/** In the user's words, or null when the text says nothing that is known. `runs`: as far as its row says. */
export function explainConsole(text: string, runs: boolean): ConsoleReason | null {
  const found = known.find(([pattern]) => pattern.test(text))?.[1];
  if (found) return found;
  if (!unavailable.test(text)) return null;
  return runs
    ? { why: "Ganeti has no text console for it", hint: serialHint, inUse: false, kind: "none" }
    : { why: "the instance is off", hint: "Start it first.", inUse: false, kind: "off" };
}
