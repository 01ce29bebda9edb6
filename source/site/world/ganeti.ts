/** A Ganeti cluster of three nodes: instances, and jobs that take time and wait for each other. */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { domain } from "./testbed.ts";

export interface GanetiNode {
  name: string;
  role: "M" | "C" | "R" | "D" | "O";
  uuid: string;
  address: string;
  memoryTotal: number;
  memoryNode: number;
  diskTotal: number;
}

export interface GanetiInstance {
  name: string;
  uuid: string;
  node: GanetiNode;
  secondary: GanetiNode | null;
  admin: "up" | "down" | "offline";
  /** The hypervisor has it. */
  alive: boolean;
  vcpus: number;
  memory: number;
  minimum: number;
  template: "plain" | "drbd" | "diskless";
  disks: number[];
  os: string;
  tags: string[];
  mac: string;
  port: number;
  created: number;
}

export interface GanetiJob {
  id: number;
  opcode: "STARTUP" | "SHUTDOWN" | "REBOOT";
  instance: GanetiInstance;
  status: "queued" | "waiting" | "running" | "success" | "error" | "canceled";
  /** Epoch milliseconds. */
  received: number;
  started: number;
  ended: number;
  log: { at: number; text: string }[];
  /** What went wrong, as the clients print it behind `Failure: `. */
  failure: string | null;
  /** Seconds that a guest gets to shut down. */
  timeout: number;
}

export const clusterName = `gnt.${domain}`;

const guests: readonly (readonly [
  string,
  number,
  number,
  number,
  GanetiInstance["admin"],
  boolean,
  GanetiInstance["template"],
])[] = [
  // name, node, vCPUs, MiB, wanted state, alive, disk template
  ["web1", 0, 2, 1024, "up", true, "drbd"],
  ["web2", 1, 2, 1024, "up", true, "drbd"],
  ["db1", 2, 4, 4096, "up", true, "plain"],
  ["db2", 1, 4, 4096, "down", false, "plain"],
  ["mail", 0, 1, 512, "up", true, "drbd"],
  ["ci-runner", 2, 2, 2048, "up", false, "plain"],
  ["proxy", 1, 1, 256, "up", true, "diskless"],
  ["backup", 2, 1, 512, "offline", false, "plain"],
  ["wiki", 0, 1, 768, "down", false, "drbd"],
  ["monitor", 1, 2, 1024, "up", true, "plain"],
];

const seconds = { STARTUP: 30, SHUTDOWN: 45, REBOOT: 55 };

export class Ganeti {
  readonly nodes: GanetiNode[];
  readonly instances: GanetiInstance[];
  readonly jobs = new Map<number, GanetiJob>();
  readonly groupUuid: string;
  private nextJob = 41;
  private readonly watchers = new Set<() => void>();

  constructor(
    readonly clock: Clock,
    random: Random,
  ) {
    this.groupUuid = random.uuid();
    this.nodes = [1, 2, 3].map((number) => ({
      name: `gnt${number}.${domain}`,
      role: number === 1 ? "M" : "C",
      uuid: random.uuid(),
      address: `192.168.77.${10 + number}`,
      memoryTotal: 24_105,
      memoryNode: 839,
      diskTotal: 60_167,
    }));
    this.instances = guests.map(([name, node, vcpus, memory, admin, alive, template], index) => ({
      name: `${name}.${domain}`,
      uuid: random.uuid(),
      node: this.nodes[node] as GanetiNode,
      secondary: template === "drbd" ? (this.nodes[(node + 1) % 3] as GanetiNode) : null,
      admin,
      alive,
      vcpus,
      memory,
      minimum: Math.floor(memory / 2),
      template,
      disks: template === "diskless" ? [] : [template === "plain" ? 10_240 : 4096],
      os: "debootstrap+default",
      tags: name.startsWith("web") ? ["env:prod", "owner:jdoe"] : [],
      mac: `aa:00:00:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
      port: 11_000 + index,
      created: clock.now() - (10 + index) * 86_400_000,
    }));
  }

  get master(): GanetiNode {
    return this.nodes[0] as GanetiNode;
  }

  status({ admin, alive, node }: GanetiInstance): string {
    if (node.role === "O") return "ERROR_nodeoffline";
    if (admin === "up") return alive ? "running" : "ERROR_down";
    if (alive) return "ERROR_up";
    return admin === "offline" ? "ADMIN_offline" : "ADMIN_down";
  }

  /** An exact name, or one whose part up to a dot it is. */
  find(word: string): GanetiInstance | undefined {
    return (
      this.instances.find(({ name }) => name === word) ?? this.instances.find(({ name }) => name.startsWith(`${word}.`))
    );
  }

  watch(call: () => void): () => void {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  private changed(): void {
    for (const call of [...this.watchers]) call();
  }

  submit(opcode: GanetiJob["opcode"], instance: GanetiInstance, timeout = 120): GanetiJob {
    const job: GanetiJob = {
      id: this.nextJob,
      opcode,
      instance,
      status: "queued",
      received: this.clock.now(),
      started: 0,
      ended: 0,
      log: [],
      failure: null,
      timeout,
    };
    this.nextJob += 1;
    this.jobs.set(job.id, job);
    this.clock.after(4, () => this.tryToRun(job));
    return job;
  }

  cancel(job: GanetiJob): boolean {
    if (job.status !== "queued" && job.status !== "waiting") return false;
    this.end(job, "canceled", "Unhandled Ganeti error: Job was canceled");
    return true;
  }

  private tryToRun(job: GanetiJob): void {
    if (job.status !== "queued" && job.status !== "waiting") return;
    const before = [...this.jobs.values()].some(
      (other) =>
        other.id < job.id && other.instance === job.instance && ["queued", "waiting", "running"].includes(other.status),
    );
    if (before) {
      job.status = "waiting";
      this.changed();
      return;
    }
    job.status = "running";
    job.started = this.clock.now();
    this.changed();
    const refusal = this.refusal(job);
    if (refusal !== null) {
      this.clock.after(8, () => this.end(job, "error", refusal));
      return;
    }
    const { instance, opcode } = job;
    if (opcode === "REBOOT" && !instance.alive) {
      job.log.push({
        at: this.clock.now(),
        text: ` - INFO: Instance ${instance.name} was already stopped, starting now`,
      });
    }
    if (opcode === "SHUTDOWN") instance.admin = "down";
    const wait = opcode === "SHUTDOWN" ? Math.min(seconds.SHUTDOWN, Math.max(5, job.timeout)) : seconds[opcode];
    this.clock.after(wait, () => {
      instance.alive = opcode !== "SHUTDOWN";
      instance.admin = opcode === "SHUTDOWN" ? "down" : "up";
      this.end(job, "success", null);
    });
  }

  private refusal({ instance, opcode }: GanetiJob): string | null {
    const head = "Failure: prerequisites not met for this operation:\nerror type: wrong_state, error details:\n";
    if (instance.admin === "offline" && opcode !== "SHUTDOWN") {
      return `${head}Instance '${instance.name}' is marked to be offline, can't use instance from outside down, up states`;
    }
    return instance.node.role === "O" ? `${head}Can't use offline node: ${instance.node.name}` : null;
  }

  private end(job: GanetiJob, status: GanetiJob["status"], failure: string | null): void {
    job.status = status;
    job.failure = failure;
    job.ended = this.clock.now();
    this.changed();
    for (const other of this.jobs.values()) if (other.instance === job.instance) this.tryToRun(other);
  }

  memoryUsed(node: GanetiNode): number {
    return this.instances.filter((one) => one.node === node && one.alive).reduce((sum, one) => sum + one.memory, 0);
  }

  diskUsed(node: GanetiNode): number {
    const mine = this.instances.filter((one) => one.node === node || one.secondary === node);
    return mine.flatMap((one) => one.disks).reduce((sum, size) => sum + size, 0);
  }
}
