/** xe's error texts in the user's words. Its status is 1 for everything. */

export interface XeExplanation {
  why: string;
  hint?: string;
}

const known: readonly [RegExp, (found: RegExpExecArray) => XeExplanation][] = [
  [
    /Authentication failed|permission denied/i,
    () => ({
      why: "this user has no rights on the pool",
      hint: "Log in as root (root@HOST), or allow this user sudo without a password.",
    }),
  ],
  [
    /sudo: .*password is required/,
    () => ({ why: "sudo asks this user for a password", hint: "Log in as root (root@HOST)." }),
  ],
  [
    /Error: Connection refused|calling connect|Lost connection to the server|Master is not reachable|cannot contact/i,
    () => ({
      why: "xapi does not answer on that host",
      hint: "Start it: systemctl start xapi (xe-toolstack-restart).",
    }),
  ],
  [/No matching VMs found/, () => ({ why: "the pool knows no such guest any more" })],
  [/Multiple matches VMs found/, () => ({ why: "several guests answer to that" })],
  [
    /not in an appropriate power state[\s\S]*?^expected: (.*)$[\s\S]*?^actual: (.*)$/m,
    (found) => ({ why: `it is ${found[2]?.toLowerCase()}, and that needs it ${found[1]?.toLowerCase()}` }),
  ],
  [
    /HOST_NOT_ENOUGH_FREE_MEMORY|[Nn]ot enough (?:host|free) memory/,
    () => ({ why: "no host has enough free memory for it" }),
  ],
  [/NO_HOSTS_AVAILABLE|no hosts available/i, () => ({ why: "no host of the pool can run it now" })],
  [
    /SR_FULL|SR_BACKEND_FAILURE_44|insufficient space/i,
    () => ({ why: "there is no room left on the storage repository" }),
  ],
  [
    /VM_LACKS_FEATURE|VM_MISSING_PV_DRIVERS|lacks the feature|needs PV drivers/i,
    () => ({ why: "the guest has no (or too old) management agent", hint: "Install the guest tools, or force it." }),
  ],
  [
    /DEVICE_DETACH_REJECTED|DEVICE_DETACH_TIMEOUT|refused to (?:detach|let)|VM rejected the attempt to detach/i,
    () => ({ why: "the guest did not let it go", hint: "Unmount it in the guest first, or shut the guest down." }),
  ],
  [/VDI_IN_USE|this VDI is in use/, () => ({ why: "the disk is in use" })],
  [/OTHER_OPERATION_IN_PROGRESS|Another operation involving the object/, () => ({ why: "another task works on it" })],
  [/Unknown command: (\S+)/, (found) => ({ why: `this version's xe has no ${found[1]}` })],
  [/Error code: (\S+)\nError parameters: (.*)/, (found) => ({ why: `${found[1]} (${found[2]})` })],
];

/** An error in the user's words; xe's own first line where nothing better is known. `--multiple` prints errors on stdout. */
export function explainXe(text: string, status: number | null = null): XeExplanation {
  for (const [pattern, explain] of known) {
    const found = pattern.exec(text);
    if (found) return explain(found);
  }
  if (status === 124 || status === 137) {
    return { why: "xe was cut off: it did not end in time; xapi goes on with the task", hint: "Look at it again." };
  }
  const line = text.split("\n").find((other) => other.trim() !== "" && !/^For usage run/.test(other));
  return { why: line?.replace(/^Error: /, "").trim() || "xe gave no reason" };
}
