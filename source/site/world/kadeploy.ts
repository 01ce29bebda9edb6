/** Kadeploy's server: deployments that go on whatever becomes of the client that asked for them. */
import type { Clock } from "../clock.ts";
import type { ScenarioName } from "../options.ts";
import type { Random } from "../random.ts";
import { Abort, deployCluster } from "./deployment.ts";
import type { RecordedEnvironment } from "./environments.ts";
import type { Node } from "./testbed.ts";

export interface Failure {
  node: Node;
  /** `SetDeploymentEnvUntrusted-create_partition_table`. */
  step: string;
  reason: string;
}

export interface Work {
  nodes: readonly Node[];
  environment: RecordedEnvironment;
  /** Public keys for root. */
  keys: string;
  user: string;
}

/** One deployment, as the server knows it: its lines so far, and its end. */
export class Deployment {
  readonly lines: string[] = [];
  readonly ok: Node[] = [];
  readonly failures: Failure[] = [];
  state: "running" | "done" | "aborted" = "running";
  private readonly watchers = new Set<() => void>();
  private aborted = false;
  readonly startedAt: number;

  constructor(
    readonly id: string,
    readonly work: Work,
    readonly nodes: readonly Node[],
    private readonly clock: Clock,
  ) {
    this.startedAt = clock.now();
  }

  say(line: string): void {
    this.lines.push(line);
    this.changed();
  }

  changed(): void {
    for (const call of [...this.watchers]) call();
  }

  watch(call: () => void): () => void {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  /** Real seconds since a moment, as Kadeploy counts them. */
  secondsSince(ms: number): number {
    return Math.round((this.clock.now() - ms) / 1000);
  }

  async pause(seconds: number): Promise<void> {
    await this.clock.wait(seconds);
    if (this.aborted) throw new Abort();
  }

  abort(): void {
    if (this.state === "running") this.aborted = true;
  }
}

export class Kadeploy {
  readonly deployments = new Map<string, Deployment>();
  /** Nodes that a deployment of somebody else has. */
  readonly occupied = new Set<Node>();
  private failedOnce = false;
  private discardedOnce = false;
  private cutOnce = false;

  constructor(
    readonly clock: Clock,
    readonly random: Random,
    private readonly hasScenario: (name: ScenarioName) => boolean,
    private readonly hooks: {
      /** The node's disk is written: what ran there is gone. */
      wiped(node: Node): void;
      booted(node: Node, environment: RecordedEnvironment, keys: string): void;
      cutLink(): void;
    },
  ) {}

  isDeploying(node: Node): boolean {
    return (
      this.occupied.has(node) ||
      [...this.deployments.values()].some((one) => one.state === "running" && one.nodes.includes(node))
    );
  }

  /** Starts it; null when every node is in use already. */
  start(work: Work): { deployment: Deployment; discarded: Node[] } | null {
    const discarded = work.nodes.filter((node) => this.isDeploying(node));
    if (this.hasScenario("discarded-nodes") && !this.discardedOnce && work.nodes.length > 1) {
      const last = work.nodes.at(-1);
      if (last && !discarded.includes(last)) {
        discarded.push(last);
        this.discardedOnce = true;
      }
    }
    const nodes = work.nodes.filter((node) => !discarded.includes(node));
    if (nodes.length === 0) return null;
    const deployment = new Deployment(`D-${this.random.uuid()}`, work, nodes, this.clock);
    this.deployments.set(deployment.id, deployment);
    for (const node of nodes) this.hooks.wiped(node);
    void this.run(deployment, discarded);
    return { deployment, discarded };
  }

  /** The nodes that a scenario lets fail in this deployment. */
  private failing(deployment: Deployment): Set<Node> {
    const [, second] = deployment.nodes;
    const victim = second ?? deployment.nodes[0];
    if (this.hasScenario("node-always-fails")) {
      const always =
        deployment.nodes.find((node) => node.number === 2) ?? (deployment.work.nodes.length > 1 ? victim : undefined);
      return new Set(always ? [always] : []);
    }
    if (!this.hasScenario("node-fails-step") || this.failedOnce || !victim) return new Set();
    this.failedOnce = true;
    return new Set([victim]);
  }

  private async run(deployment: Deployment, discarded: readonly Node[]): Promise<void> {
    const clusters = new Map<string, Node[]>();
    for (const node of deployment.nodes) clusters.set(node.cluster, [...(clusters.get(node.cluster) ?? []), node]);
    const failing = this.failing(deployment);
    const several = clusters.size > 1;
    if (several) {
      deployment.say("---");
      deployment.say("Clusters involved in the operation:");
      for (const [index, cluster] of [...clusters.keys()].entries()) deployment.say(`  [c${index + 1}] : ${cluster}`);
      deployment.say("---");
    }
    try {
      await Promise.all(
        [...clusters].map(([cluster, nodes], index) =>
          deployCluster(deployment, {
            cluster,
            nodes,
            discarded: discarded.filter((node) => node.cluster === cluster),
            label: several ? `c${index + 1}` : "0",
            prefix: several ? `[c${index + 1}] ` : "",
            failing,
            random: this.random,
            halfway: () => this.halfway(),
            booted: (node) => this.hooks.booted(node, deployment.work.environment, deployment.work.keys),
          }),
        ),
      );
      deployment.say(`Deployment #${deployment.id} done`);
      deployment.state = "done";
    } catch (thrown) {
      if (!(thrown instanceof Abort)) throw thrown;
      deployment.state = "aborted";
    }
    deployment.changed();
  }

  private halfway(): void {
    if (!this.hasScenario("lost-link") || this.cutOnce) return;
    this.cutOnce = true;
    this.hooks.cutLink();
  }
}

/** The two lists at the end of a client's output. */
export function summary({ ok, failures }: Deployment): string {
  const well = ok.map((node) => `${node.name}\n`).join("");
  const bad = failures.map(({ node, step, reason }) => `${node.name} (${step}: ${reason})\n`).join("");
  return `\n${ok.length > 0 ? `The deployment is successful on nodes\n${well}` : ""}${failures.length > 0 ? `The deployment failed on nodes\n${bad}` : ""}`;
}
