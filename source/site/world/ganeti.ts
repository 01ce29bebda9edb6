/** A Ganeti cluster: nodes, instances, and jobs that take time and wait for each other. */
import type { Clock } from "../clock.ts";
import { GuestSystem } from "./guest-system.ts";

export interface GanetiNode {
  name: string;
  role: "M" | "C" | "R" | "D" | "O";
  uuid: string;
  address: string;
  memoryTotal: number;
  memoryNode: number;
  diskTotal: number;
  cpus: number;
  /** Whether its daemon answers; absent: always. */
  answers?: () => boolean;
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
  template: string;
  disks: number[];
  os: string;
  tags: string[];
  mac: string;
  port: number;
  created: number;
  /** Interfaces beside the first one, whose link is the cluster's own. */
  moreNics?: { mac: string; link: string; ip: string | null }[];
  /** The image in its CD drive. */
  media?: string;
}

/** What a job does that is no simple change of power. */
export interface GanetiWork {
  /** `INSTANCE_MIGRATE(web1)`. */
  summary: string;
  /** As the job's operation is kept: OP_ID and its parameters. */
  operation: Readonly<Record<string, unknown>>;
  /** What nothing else may work on meanwhile. */
  on: GanetiInstance | GanetiNode;
  seconds: number;
  /** Told one after another while it runs. */
  log: readonly string[];
  /** Why it can't be done, as the clients print it, or null; asked when its turn has come. */
  refusal(): string | null;
  /** Does it. What it gives is the operation's result. */
  end(): unknown;
}

export type PowerOpcode = "STARTUP" | "SHUTDOWN" | "REBOOT" | "CREATE" | "REMOVE";

export type GanetiJob = (
  | { opcode: PowerOpcode; instance: GanetiInstance; work: null }
  | { opcode: "WORK"; instance: null; work: GanetiWork }
) & {
  id: number;
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
  /** Of its operation, once it is done. */
  result: unknown;
  /** The program and command that submitted it. */
  client: readonly [program: string, command: string];
};

const isUnderWay = ({ status }: GanetiJob) => ["queued", "waiting", "running"].includes(status);
const lockOf = (job: GanetiJob) => job.work?.on ?? job.instance;

const seconds = { STARTUP: 30, SHUTDOWN: 45, REBOOT: 55, CREATE: 40, REMOVE: 10 };

export interface ClusterFacts {
  name: string;
  uuid: string;
  /** The first one is the master. */
  nodes: GanetiNode[];
  instances: GanetiInstance[];
  /** The first one is the default. */
  hypervisors: readonly string[];
  diskTemplates: readonly string[];
  /** `3.0.2-3`. */
  version: string;
  group: string | null;
  netdev: string;
  /** By hypervisor: `kernel_path=…` and the like. */
  parameters: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export class Ganeti {
  readonly nodes: GanetiNode[];
  readonly instances: GanetiInstance[];
  readonly jobs = new Map<number, GanetiJob>();
  readonly groupUuid: string;
  private nextJob = 41;
  private readonly watchers = new Set<() => void>();
  private readonly moves = new Set<() => void>();
  private readonly guests = new Map<GanetiInstance, GuestSystem>();

  constructor(
    readonly clock: Clock,
    readonly facts: ClusterFacts,
  ) {
    this.groupUuid = facts.uuid;
    this.nodes = facts.nodes;
    this.instances = facts.instances;
  }

  get name(): string {
    return this.facts.name;
  }

  get master(): GanetiNode {
    return this.nodes.find(({ role }) => role === "M") ?? (this.nodes[0] as GanetiNode);
  }

  status({ admin, alive, node }: GanetiInstance): string {
    if (node.role === "O") return "ERROR_nodeoffline";
    if (node.answers?.() === false) return "ERROR_nodedown";
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

  /** The daemons of the old master end, and with them every connection to them. */
  masterMoved(): void {
    for (const call of [...this.moves]) call();
    this.changed();
  }

  onMasterMoved(call: () => void): () => void {
    this.moves.add(call);
    return () => this.moves.delete(call);
  }

  private changed(): void {
    for (const call of [...this.watchers]) call();
  }

  submit(
    opcode: PowerOpcode,
    instance: GanetiInstance,
    timeout = 120,
    client: GanetiJob["client"] = ["gnt-instance", opcode.toLowerCase()],
  ): GanetiJob {
    return this.enqueue({ opcode, instance, work: null, ...this.newJob(client), timeout });
  }

  submitWork(work: GanetiWork, client: GanetiJob["client"]): GanetiJob {
    return this.enqueue({ opcode: "WORK", instance: null, work, ...this.newJob(client), timeout: 120 });
  }

  private newJob(client: GanetiJob["client"]) {
    const status = "queued" as const;
    const log: GanetiJob["log"] = [];
    return {
      ...{ id: this.nextJob++, status, received: this.clock.now(), started: 0, ended: 0, log },
      ...{ failure: null, result: null, client },
    };
  }

  private enqueue(job: GanetiJob): GanetiJob {
    this.jobs.set(job.id, job);
    this.clock.after(4, () => this.tryToRun(job));
    return job;
  }

  cancel(job: GanetiJob): boolean {
    if (job.status !== "queued" && job.status !== "waiting") return false;
    this.end(job, "canceled", "Unhandled Ganeti error: Job was canceled");
    return true;
  }

  /** What runs in an instance, on its console. */
  guest(instance: GanetiInstance): GuestSystem {
    let guest = this.guests.get(instance);
    if (!guest) {
      const [name = ""] = instance.name.split(".");
      // Ganeti finds it down when its guest switches it off by itself.
      const onPowerOff = () => {
        instance.alive = false;
        this.guest(instance).off();
        this.changed();
      };
      guest = new GuestSystem({ name, clock: this.clock, onPowerOff });
      if (instance.alive) guest.up();
      this.guests.set(instance, guest);
    }
    return guest;
  }

  private tryToRun(job: GanetiJob): void {
    if (job.status !== "queued" && job.status !== "waiting") return;
    const before = [...this.jobs.values()].some(
      (other) => other.id < job.id && lockOf(other) === lockOf(job) && isUnderWay(other),
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
    if (job.work) {
      this.doWork(job, job.work);
      return;
    }
    const { instance, opcode } = job;
    if (opcode === "REBOOT" && !instance.alive) {
      job.log.push({
        at: this.clock.now(),
        text: ` - INFO: Instance ${instance.name} was already stopped, starting now`,
      });
    }
    if (opcode === "SHUTDOWN" || opcode === "REMOVE") instance.admin = "down";
    if (opcode === "CREATE") this.instances.push(instance);
    const wait = opcode === "SHUTDOWN" ? Math.min(seconds.SHUTDOWN, Math.max(5, job.timeout)) : seconds[opcode];
    this.clock.after(wait, () => {
      const wanted = opcode === "CREATE" ? instance.admin === "up" : opcode !== "SHUTDOWN";
      if (!wanted) this.guest(instance).off();
      else if (opcode !== "STARTUP" || !instance.alive) this.guest(instance).boot();
      instance.alive = wanted;
      instance.admin = wanted ? "up" : "down";
      if (opcode === "REMOVE") this.instances.splice(this.instances.indexOf(instance), 1);
      this.end(job, "success", null);
    });
  }

  private doWork(job: GanetiJob, work: GanetiWork): void {
    work.log.forEach((text, index) => {
      this.clock.after((work.seconds * index) / work.log.length, () => {
        job.log.push({ at: this.clock.now(), text });
        this.changed();
      });
    });
    this.clock.after(work.seconds, () => {
      job.result = work.end();
      this.end(job, "success", null);
    });
  }

  private refusal({ instance, opcode, work }: GanetiJob): string | null {
    if (work) return work.refusal();
    if (opcode === "CREATE") return this.refusalToCreate(instance);
    const head = "Failure: prerequisites not met for this operation:\nerror type: wrong_state, error details:\n";
    if (instance.admin === "offline" && opcode !== "SHUTDOWN") {
      return `${head}Instance '${instance.name}' is marked to be offline, can't use instance from outside down, up states`;
    }
    return instance.node.role === "O" ? `${head}Can't use offline node: ${instance.node.name}` : null;
  }

  private refusalToCreate({ name, node, memory, admin }: GanetiInstance): string | null {
    const head = "Failure: prerequisites not met for this operation:\nerror type: ";
    if (this.find(name)) return `${head}already_exists, error details:\nInstance '${name}' is already in the cluster`;
    const free = this.memoryFree(node);
    if (admin !== "up" || memory <= free) return null;
    return `${head}insufficient_resources, error details:\nNot enough memory on node ${node.name} for creating instance ${name}: needed ${memory} MiB, available ${free} MiB`;
  }

  private end(job: GanetiJob, status: GanetiJob["status"], failure: string | null): void {
    job.status = status;
    job.failure = failure;
    job.ended = this.clock.now();
    this.changed();
    for (const other of this.jobs.values()) if (lockOf(other) === lockOf(job)) this.tryToRun(other);
  }

  memoryUsed(node: GanetiNode): number {
    return this.instances.filter((one) => one.node === node && one.alive).reduce((sum, one) => sum + one.memory, 0);
  }

  memoryFree(node: GanetiNode): number {
    return node.memoryTotal - node.memoryNode - this.memoryUsed(node);
  }

  diskUsed(node: GanetiNode): number {
    const mine = this.instances.filter((one) => one.node === node || one.secondary === node);
    return mine.flatMap((one) => one.disks).reduce((sum, size) => sum + size, 0);
  }
}
