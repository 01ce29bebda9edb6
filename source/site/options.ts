/** What the embedded site can be told: its size, its speed, and what shall go wrong. */

/** Everything that can be made to go wrong, by name; the texts are what `virtu demo --help` prints. */
export const scenarios = {
  "refused-reservation": "OAR refuses every reservation: not enough resources",
  "busy-site": "every node is taken by somebody else; a reservation waits, with a predicted start",
  "node-fails-step": "one node fails create_partition_table in its first deployment, and is well in the next",
  "node-always-fails": "one node fails create_partition_table in every deployment",
  "lost-link": "the frontend's sessions are cut once, in the middle of the first deployment",
  "slow-host": "the libvirt host hv2 takes seconds for every answer",
  "dead-host": "the libvirt host hv2 accepts no connection",
  "host-key-changed": "the libvirt host hv2 answers with another host key than the known one",
  "discarded-nodes": "one node is held by another deployment: kadeploy3 leaves it out of the first try",
  "job-ends": "the walltime of a job runs out while you watch",
  "frozen-libvirt": "a frozen guest blocks domstats on hv1",
  "oar-down": "the OAR server does not answer",
  "node-loses-apt-lock": "on one node another program holds dpkg's lock for a while",
  "node-fails-upgrade": "a package's upgrade fails on one node, and goes well when it is tried again",
  "node-dies-in-install": "one node dies while Ganeti is installed on it, and never comes back",
  "slow-upgrade": "one node takes ten times as long as the others for its upgrade",
} as const;

export type ScenarioName = keyof typeof scenarios;

export function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}

/** The timers everything in the site goes by; a test may hand in its own. */
export interface Timers {
  /** Epoch milliseconds. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface SiteOptions {
  /** Number of nodes that can be reserved, 4–200; 16 by default. */
  nodes?: number;
  scenarios?: readonly ScenarioName[];
  /** How much quicker than a real site its work is done; 20 by default. Clocks on the hosts, and `sleep`, go by the real time. */
  speed?: number;
  /** Equal seeds give equal sites. */
  seed?: number;
  timers?: Timers;
}
