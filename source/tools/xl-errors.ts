/** xl's error texts in the user's words. What it prints on stderr is mostly progress: only the status says that it failed. */

export interface XlExplanation {
  why: string;
  hint?: string;
}

const root = "Log in as root (root@HOST), or allow this user sudo without a password.";

const known: readonly [RegExp, (found: RegExpExecArray) => XlExplanation][] = [
  [
    /Could not obtain handle on privileged command interface: Permission denied|cannot open libxc handle: Permission/,
    () => ({ why: "this user has no rights on Xen", hint: root }),
  ],
  [/sudo: .*password is required/, () => ({ why: "sudo asks this user for a password", hint: root })],
  [
    /Can't find hypervisor information in sysfs/,
    () => ({ why: "that host was not started by Xen", hint: "Boot it with the Xen entry of its boot menu." }),
  ],
  [
    /Can't find version (\S+) of xen utils/,
    (found) => ({
      why: `Xen ${found[1]} runs there and its tools are of another version`,
      hint: "Reboot the host after an upgrade of Xen.",
    }),
  ],
  [/Domain with name "([^"]*)" already exists/, (found) => ({ why: `a domain named ${found[1]} is there already` })],
  [
    // In pages of 4 KiB; it says "Out of memory" too, and means the guest's own.
    /segment (\S+) too large \(0x([\da-f]+) >/,
    (found) => ({
      why: `its memory is too small for its ${found[1]}, which takes ${Math.ceil(Number.parseInt(found[2] ?? "", 16) / 256)} MiB`,
      hint: "Give it more memory.",
    }),
  ],
  [
    /can't allocate low memory|xc_dom_boot_mem_init failed: Cannot allocate memory|failed to free memory|Out of memory/,
    () => ({
      why: "Xen has not enough free memory for it",
      hint: "xl info says how much is free (free_memory); give the guest less, or end another one.",
    }),
  ],
  [
    /script: Could not find bridge device (\S+)/,
    (found) => ({ why: `there is no bridge ${found[1]} on that host`, hint: "Make it, or name another in its file." }),
  ],
  [
    /Disk vdev=(\S+) failed to stat: (.*?): (.*)$/m,
    (found) => ({ why: `its disk ${found[2]} (${found[1]}) can't be opened: ${found[3]}` }),
  ],
  [
    /failed to open file '([^']+)': (No such file[^:\n]*)/,
    (found) => ({ why: `${found[1]} can't be read: ${found[2]}` }),
  ],
  [
    /neither hap nor shadow paging available/,
    () => ({ why: "the processor or this Xen can run no hvm and pvh guests (no HAP, no shadow paging)" }),
  ],
  [
    /^(.*):(\d+): config parsing error near (.*)$/m,
    (found) => ({ why: `line ${found[2]} of ${found[1]} can't be read, near ${found[3]}` }),
  ],
  [/Failed to read config file: (.*?): (.*)$/m, (found) => ({ why: `${found[1]} can't be read: ${found[2]}` })],
  [/Neither kernel nor bootloader specified/, () => ({ why: "its file names neither a kernel nor a bootloader" })],
  [
    /PV control interface not available/,
    () => ({
      why: "the guest has no Xen drivers, so it can't be asked",
      hint: "Shut it down from inside, or force it off.",
    }),
  ],
  [
    /guest didn't acknowledge control request|guest did not suspend, timed out/,
    () => ({
      why: "the guest did not answer for 60 s",
      hint: "It still boots, hangs or is down; its console may tell.",
    }),
  ],
  [
    /Failed to enable logdirty/,
    () => ({
      why: "this Xen can't move a running pv guest (it is built without shadow paging)",
      hint: "Save it, copy the file and its disks, and restore it there.",
    }),
  ],
  [
    /ssh: (Could not resolve hostname \S+|connect to host \S+[^\n]*)/,
    (found) => ({ why: `the host can't reach the other one by ssh: ${found[1]}` }),
  ],
  [
    /Permission denied \(publickey|Host key verification failed/,
    () => ({
      why: "the host can't log in on the other one by ssh",
      hint: "root there needs the key of root here, and its host key.",
    }),
  ],
  [
    /memory_dynamic_max must be less than or equal to memory_static_max/,
    () => ({ why: "that is more than the guest was started with room for (maxmem in its file)" }),
  ],
  [
    /Requested (\d+) VCPUs, however maxcpus is (\d+)/,
    (found) => ({ why: `the guest was started with room for ${found[2]} vCPUs (maxvcpus in its file)` }),
  ],
  [
    /You have (\d+) physical CPUs and want (\d+) vCPUs/,
    (found) => ({ why: `the host has only ${found[1]} processor${found[1] === "1" ? "" : "s"}` }),
  ],
  [/Can't open restore file: (.*)/, (found) => ({ why: `the saved file can't be opened: ${found[1]}` })],
  [
    /Logical volume (\S+) (?:contains a filesystem in use|in use|is used by another device)/i,
    (found) => ({
      why: `the volume ${found[1]} is in use on that host`,
      hint: "Unmount it there, or remove the domain and keep its disks.",
    }),
  ],
  [/File has wrong magic number/, () => ({ why: "the saved file is damaged, or was not written by xl" })],
  [/No space left on device/, () => ({ why: "there is no room left on that host's disk" })],
  [/(?:Can't specify|rc=22).*Domain-0/, () => ({ why: "that is the host itself" })],
  [/is an invalid domain identifier|Non-existant domain/, () => ({ why: "no such domain runs there" })],
  [/command not found|No such file or directory$/, () => ({ why: "xl is not installed there" })],
];

/** Lines that come with every failed start and tell nothing. */
const noise = /Non-existant domain|Unable to destroy guest|Destruction of domain failed/;

/** An error in the user's words; the first telling line of xl where nothing better is known. 124: its time limit passed. */
export function explainXl(stderr: string, status: number | null = null): XlExplanation {
  const telling = stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !noise.test(line))
    .join("\n");
  for (const text of [telling, stderr]) {
    for (const [pattern, explain] of known) {
      const found = pattern.exec(text);
      if (found) return explain(found);
    }
  }
  if (status === 124 || status === 137) {
    return {
      why: "xl was cut off: it did not end in time",
      hint: "Look whether xenstored answers there: xenstore-ls -f",
    };
  }
  const line =
    telling.split("\n").find((other) => /error|fail|cannot|can't/i.test(other)) ?? telling.split("\n").at(-1);
  return { why: line?.replace(/^libxl: error: \S+ /, "").trim() || "xl gave no reason" };
}

/** `xl info` answers and `xl list` does not: what is between the tools and the domains hangs. */
export const storeHangs: XlExplanation = {
  why: "Xen itself answers, and xenstored does not: xl list waits for it without an end",
  hint: "Look at xenstored on that host; Xen's documentation says that only a reboot of the host replaces one that is dead.",
};

/** Not even `xl info` answers: its connection waits too once a few others do. */
export const nothingAnswers: XlExplanation = {
  why: "xl info did not answer in time",
  hint: "Look at xenstored on that host first, for which every call waits; then at Xen's own log: xl dmesg.",
};

const progress = /Frames: (\d+)\/(\d+)/;

/** How far a save has come, 0 to 100, from a line of its stderr (`xc: progress: Frames: 4096/65536    6%`). */
export function saveProgress(line: string): number | null {
  const found = progress.exec(line);
  return found && Number(found[2]) > 0 ? Math.round((100 * Number(found[1])) / Number(found[2])) : null;
}
