/** Ganeti's error texts, taken apart and said in the user's words. */

export interface GanetiFailure {
  /** Ganeti's class: `wrong_state`, `unknown_entity`, `insufficient_resources`, …; null when it names none. */
  type: string | null;
  /** Its own text, one or more lines. */
  text: string;
}

/**
 * The failure in a command's stderr:
 *
 *     Failure: prerequisites not met for this operation:
 *     error type: wrong_state, error details:
 *     TEXT
 *
 * or `Failure: command execution error:` and TEXT, or a bare text. A job's is the same after `Job N failed: ` or
 * `Job N for NAME has failed: `. Null for an empty one.
 */
export function parseFailure(stderr: string): GanetiFailure | null {
  const text = stderr.trim().replace(/^Job \d+ (?:for \S+ has )?failed: /, "");
  if (text === "") return null;
  const typed = /^Failure: prerequisites not met for this operation:\nerror type: (\w+), error details:\n([\s\S]+)$/m;
  const found = typed.exec(text);
  if (found) return { type: found[1] ?? null, text: (found[2] ?? "").trim() };
  return {
    type: null,
    text: text.replace(/^Failure: [^\n]+:\n/, "").replace(/^Unhandled Ganeti error: /, ""),
  };
}

/** The master's name, when a node answered that it is not the master itself. */
export function masterIn(stderr: string): string | null {
  return /This is not the master node, please connect to node '([^']+)'/.exec(stderr)?.[1] ?? null;
}

export interface Explanation {
  why: string;
  hint?: string;
}

const known: readonly [RegExp, (found: RegExpExecArray) => Explanation][] = [
  [
    /don't have permissions to connect to the master daemon/,
    () => ({
      why: "this user may not talk to Ganeti's master daemon",
      hint: "Log in as root (root@HOST), or allow this user sudo without a password.",
    }),
  ],
  [
    /sudo: (?:a password is required|.* is not allowed|.*not in the sudoers)/,
    () => ({ why: "sudo asks for a password", hint: "Log in as root (root@HOST), or allow gnt-* without a password." }),
  ],
  [
    /Cluster not initialized|not part of a cluster|Can't read ssconf file/,
    () => ({ why: "Ganeti is installed there, and the host belongs to no cluster" }),
  ],
  [
    /marked to be offline/,
    () => ({ why: "it is marked offline", hint: "Take it back with: gnt-instance modify --online NAME" }),
  ],
  [/Can't use offline node: (\S+)/, (found) => ({ why: `its node ${found[1]} is marked offline` })],
  [/drained node/, () => ({ why: "its node is drained" })],
  [
    /node '([^']+)': Error \d+: /,
    (found) => ({ why: `its node ${found[1]} does not answer`, hint: "Is the node up, and ganeti-noded on it?" }),
  ],
  [/Instance name (\S+) not found|Selection filter does not match/, () => ({ why: "Ganeti knows no such instance" })],
  [/Job was cancell?ed/, () => ({ why: "the job was cancelled" })],
  [
    /Can't load job file/,
    () => ({ why: "Ganeti no longer knows this job", hint: "It may have been archived; look at the instance itself." }),
  ],
  [
    /(?:Cannot|Can't|Could not) (?:connect|communicate|contact).*(?:master daemon|luxi|socket)|LUXI|TimeoutError: Connect timed out/i,
    () => ({
      why: "Ganeti's daemons do not answer",
      hint: "Look at ganeti-luxid and ganeti-wconfd on the master: systemctl restart ganeti",
    }),
  ],
  [
    /Instance allocation to group .* violates policy: ([^\n]+)/,
    (found) => ({
      why: `the cluster's policy forbids it: ${found[1]}`,
      hint: "gnt-cluster info shows the policy, gnt-cluster modify --ipolicy-bounds-specs changes it.",
    }),
  ],
  [
    /^The given name \((\S+)\) does not resolve/,
    (found) => ({
      why: `the name ${found[1]} has no address`,
      hint: "Ganeti looks names up: add it to DNS or /etc/hosts.",
    }),
  ],
  [/Unable to evacuate instances? ([^\n]+)/, (found) => explainEvacuation(found[1] ?? "")],
  [
    /Unable to evacuate instances? ([^(]+?) \(Can't find any good node: *([^)]*)\)/,
    (found) => ({
      why: `the allocator found no node for ${found[1]} (${found[2]?.trim()})`,
      hint: "FailMem, FailDisk, FailCPU: what the other nodes lack, or what the cluster's policy does not allow them.",
    }),
  ],
  [
    /\bjob \d+ failed to start: /,
    () => ({ why: "Ganeti could not start the job in time: its master is too busy", hint: "Try it again." }),
  ],
  [
    /Not enough master candidates/,
    () => ({ why: "too few master candidates would be left", hint: "Make another node a master candidate first." }),
  ],
  [
    /^Not enough memory on node (\S+) .*needed (\d+) MiB, available (\d+) MiB/,
    (found) => ({ why: `not enough memory on ${found[1]}: ${found[2]} MiB needed, ${found[3]} MiB free` }),
  ],
];

/** `web1 (Instances of type file cannot be relocated), db2 (Can't find any good node:  Node node1 failed: FailCPU;)` */
function explainEvacuation(text: string): Explanation {
  const failed = [...text.matchAll(/(\S+) \(([^)]*)\)/g)].map(([, name = "", reason = ""]) => ({ name, reason }));
  const stuck = failed.flatMap(({ name, reason }) => {
    const template = /^Instances of type (\S+) cannot be relocated/.exec(reason)?.[1];
    return template ? [`${name} (${template})`] : [];
  });
  const homeless = failed.filter(({ reason }) => reason.startsWith("Can't find any good node"));
  const whys = [
    stuck.length > 0 ? `disks that are on this node only hold ${stuck.join(", ")}` : "",
    ...homeless.map(({ name, reason }) => `no other node takes ${name} (${reason.replace(/^[^:]*: */, "").trim()})`),
  ].filter(Boolean);
  if (whys.length === 0) return { why: `these can't leave: ${text}` };
  const hint = stuck.length > 0 ? "Move those one by one first; nothing else was moved either." : undefined;
  return {
    why: whys.join("; "),
    hint:
      hint ?? "FailMem, FailDisk, FailCPU: what those nodes lack, or what the cluster's policy does not allow them.",
  };
}

/** A failure in the user's words; Ganeti's own first line where nothing better is known. */
export function explainGaneti(stderr: string): Explanation {
  for (const [pattern, explain] of known) {
    const found = pattern.exec(parseFailure(stderr)?.text ?? "") ?? pattern.exec(stderr);
    if (found) return explain(found);
  }
  const text = parseFailure(stderr)?.text.split("\n")[0];
  return { why: text || "Ganeti gave no reason" };
}
