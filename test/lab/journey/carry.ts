/** Carries journeys with the program under test, and looks at nodes for what they did. */
import { expect } from "vitest";
import { type Teardown, type VirtuOptions, virtuProcess } from "../lab.ts";
import type { LabNode } from "../nodes.ts";

/** A line of the event stream. */
export interface CellEvent {
  time: string;
  step: string;
  node: string;
  state: string;
}

/** The last line. */
export interface Outcome {
  run: string;
  ok: boolean;
  changed: boolean;
  steps: { step: string; node: string; state: string; seconds: number | null; error: string | null }[];
}

export interface Carried {
  status: number | null;
  events: CellEvent[];
  /** Null when it was killed before its end. */
  outcome: Outcome | null;
  /** The one that was made, if any. */
  rootPassword: string | null;
  stderr: string;
  durationMs: number;
}

/** Called with every event; `kill` ends the program as a power cut does. */
export type Watcher = (event: CellEvent, kill: () => void) => void;

/** Runs a command that carries a journey, with `--json`. */
export async function carry(
  teardown: Teardown,
  args: readonly string[],
  options: VirtuOptions,
  watch: Watcher = () => {},
): Promise<Carried> {
  const process = virtuProcess(teardown, [...args, "--json"], options);
  const events: CellEvent[] = [];
  let outcome: Outcome | null = null;
  let rootPassword: string | null = null;
  process.onLine((line) => {
    const value = JSON.parse(line) as CellEvent | Outcome | { rootPassword: string };
    if ("steps" in value) outcome = value;
    else if ("rootPassword" in value) rootPassword = value.rootPassword;
    else {
      events.push(value);
      watch(value, () => process.kill());
    }
  });
  const { status, stderr, durationMs } = await process.ended;
  return { status, events, outcome, rootPassword, stderr, durationMs };
}

/** What to show of a journey that did not go as it should. */
export function whatHappened({ outcome, stderr, events }: Carried): string {
  const failed = (outcome?.steps ?? []).filter(({ error }) => error !== null);
  const last = events.slice(-5).map((event) => JSON.stringify(event));
  return [...failed.map(({ step, node, error }) => `${node} ${step}: ${error}`), ...last, stderr].join("\n");
}

/** Steps that are told by a state, as `STEP NODE`. */
export const stepsThat = (outcome: Outcome | null, ...states: string[]): string[] =>
  (outcome?.steps ?? []).filter(({ state }) => states.includes(state)).map(({ step, node }) => `${step} ${node}`);

/** A machine as a lab's own shell sees it. */
export interface Looked {
  exec(script: string): Promise<string>;
}

/** How often each step's script was begun on a node, over all runs: by what the scripts themselves leave there. */
export async function beginnings(node: LabNode): Promise<Record<string, number>> {
  const found = await node.exec("cd /root/.virtu/runs && ls -d */*/worker 2>/dev/null || true");
  const counts: Record<string, number> = {};
  for (const path of found.split("\n").filter(Boolean)) {
    const [run = "", start = ""] = path.split("/");
    const step = `${run} ${start.replace(/\.\d+$/, "")}`;
    counts[step] = (counts[step] ?? 0) + 1;
  }
  return counts;
}

/**
 * Everything that a node is made of, a line a file: name, kind, owner, rights, size and time of last change, and the
 * checksums of what is configured. Logs, virtu's own records, and what daemons keep of their jobs are left out.
 */
export function fingerprint(node: Looked): Promise<string> {
  return node.exec(`cd /
find etc root usr boot srv opt home var/lib/dpkg var/lib/ganeti var/lib/libvirt \\
  \\( -path root/.virtu -o -path srv/apt -o -path var/lib/ganeti/queue -o -name __pycache__ \\) -prune -o \\
  -printf '%p %y %u:%g %m %s %T@ %l\\n' 2>/dev/null | grep -v '^[^ ]* d ' | sort
find etc root -path root/.virtu -prune -o -type f -exec sha256sum {} + | sort -k 2
ip -brief address | grep -v ' fe80::'
dpkg-query -W
if command -v vgs >/dev/null; then vgs --noheadings -o vg_name,vg_seqno,vg_uuid; fi
if [ -e /var/lib/ganeti/ssconf_master_node ]; then cat /var/lib/ganeti/ssconf_*; fi`);
}

/** Carries a journey that has come to its end before: every step is found done. */
export async function foundDone(teardown: Teardown, args: readonly string[], options: VirtuOptions): Promise<void> {
  const carried = await carry(teardown, args, options);
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: false } });
  const states = new Set(carried.outcome?.steps.map(({ state }) => state));
  expect([...states]).toEqual(["already"]);
}

/** The same, and not a file of the nodes has changed. */
export async function unchanged(
  teardown: Teardown,
  args: readonly string[],
  options: VirtuOptions,
  nodes: readonly Looked[],
): Promise<void> {
  const before = await Promise.all(nodes.map(fingerprint));
  await foundDone(teardown, args, options);
  expect(await Promise.all(nodes.map(fingerprint))).toEqual(before);
}
