/** A job, its deployment and its nodes, as the screens' tests see them. Times are epoch seconds around `now`. */
import type { Deployment, Environment, Job, NodeFacts, NodeProgress, PhaseState } from "../../source/journey/types.ts";
import { jobOf } from "./harness.tsx";

export const now = 1_763_841_600;

export const running = jobOf({ startedAt: now - 100, endsAt: now + 8900, submittedAt: now - 120 });

export const waiting = jobOf({
  jobId: 1875,
  state: "Waiting",
  nodes: [],
  subnet: null,
  predictedStart: now + 750,
  startedAt: null,
  endsAt: null,
  submittedAt: now - 42,
  message: "R=4,W=2:0:0,J=B,N=virtu,T=deploy (Karma=0.000,quota_ok)",
});

export const ended = (own: Partial<Job> = {}): Job =>
  jobOf({
    jobId: 1860,
    state: "Error",
    endsAt: now - 4000,
    end: { kind: "walltime", text: "its walltime was over" },
    ...own,
  });

export const freeNodes = {
  total: 72,
  alive: 70,
  free: 23,
  clusters: [
    { name: "parasilo", total: 28, alive: 28, free: 9 },
    { name: "paravance", total: 44, alive: 42, free: 14 },
  ],
};

const phase = (state: PhaseState, seconds: number | null = null, startedAt: number | null = null) => ({
  state,
  seconds,
  startedAt,
});

/** A node that boots its new system. */
export function booting(node: string, own: Partial<NodeProgress> = {}): NodeProgress {
  return {
    node,
    microStep: "kexec",
    state: "running",
    reason: null,
    phases: {
      "boot-mini-os": phase("done", 182),
      "copy-image": phase("done", 41),
      "boot-new": phase("running", null, now - 29),
    },
    ...own,
  };
}

export const up = (node: string): NodeProgress =>
  booting(node, {
    state: "deployed",
    microStep: null,
    phases: { "boot-mini-os": phase("done", 182), "copy-image": phase("done", 41), "boot-new": phase("done", 75) },
  });

export const broken = (node: string): NodeProgress =>
  booting(node, {
    state: "failed",
    microStep: "create_partition_table",
    reason: "fdisk: cannot open /dev/sda: No such device",
    phases: { "boot-mini-os": phase("done", 185), "copy-image": phase("failed"), "boot-new": phase("pending") },
  });

const [first = "", second = "", third = "", fourth = ""] = running.nodes;

export const deploying: Deployment = {
  id: "1874-a",
  site: "rennes",
  jobId: 1874,
  title: "debian12-min 2024102413",
  environment: { kind: "environment", name: "debian12-min", version: "2024102413" },
  nodes: running.nodes,
  minimum: 4,
  retries: 2,
  attempt: 1,
  startedAt: now - 252,
  progress: [booting(first), booting(second), broken(third), booting(fourth)],
  expectedEnd: now + 138,
  state: "running",
  result: null,
  problem: null,
  log: Array.from({ length: 40 }, (_, index) => `[${index}] a line of kadeploy3`),
};

export const deployed: Deployment = {
  ...deploying,
  attempt: 3,
  state: "done",
  expectedEnd: null,
  progress: [
    up(first),
    up(second),
    broken(third),
    booting(fourth, { state: "missing", reason: "it is in use by another deployment" }),
  ],
  result: {
    deployed: [first, second],
    failed: [{ node: third, step: "create_partition_table", reason: "fdisk: cannot open /dev/sda: No such device" }],
    missing: [fourth],
    attempts: 3,
  },
};

/** `n` recorded environments after one image. */
export function environments(n: number): Environment[] {
  const image: Environment = {
    kind: "image",
    name: "mine.env",
    version: null,
    arch: null,
    user: null,
    description: "my own image",
    file: "/home/jdoe/image/mine.env",
    problem: null,
  };
  const recorded = Array.from(
    { length: n },
    (_, index): Environment => ({
      kind: "environment",
      name: `debian${index}-min`,
      version: "2024102413",
      arch: "x86_64",
      user: "deploy",
      description: `Debian ${index}`,
      file: null,
      problem: null,
    }),
  );
  return [image, ...recorded];
}

export function factsOf(name: string, own: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    state: "reachable",
    reason: null,
    address: "172.16.98.11",
    kernel: "6.1.0-28-amd64",
    os: "Debian 12.8",
    cpus: 32,
    memoryMiB: 131_072,
    disks: [{ name: "sda", sizeGiB: 558 }],
    uptimeSeconds: 300,
    ...own,
  };
}
