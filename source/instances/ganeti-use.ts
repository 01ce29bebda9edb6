/**
 * What the instances and nodes of a cluster use, asked of each node while somebody looks: one command a node, through the
 * master, with the last answers kept for as long as they say something.
 */
import { reasonOf } from "../errors.ts";
import type { Cells, InstanceField, NodeField } from "../tools/ganeti.ts";
import { explainNode, type NodeUsage, nodeLimit, nodeUsageCommand, parseNodeUsage } from "../tools/ganeti-usage.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { HostNode, Instance, ProviderOptions } from "./types.ts";

/** However often somebody wants it, a node is not asked sooner again: each question is a login from the master. */
const leastMs = 4000;
/** Numbers older than this are no more those of now. */
const longestMs = 90_000;
const firstRestMs = 30_000;
const longestRestMs = 600_000;

interface NodeState {
  /** Epoch milliseconds of the last answer, and what it was. */
  at: number;
  usage: NodeUsage | null;
  /** Whose monitor took no call, as the answer before that one said. */
  waited: ReadonlySet<string>;
  /** Why the last question failed; null: it did not. */
  why: string | null;
  restMs: number;
  restUntil: number;
}

const none: ReadonlySet<string> = new Set();

const countable = /^(kvm|xen)/;
const notAsked = "it is counted only while somebody looks at it";

export class GanetiUse {
  private readonly nodes = new Map<string, NodeState>();
  private readonly asking = new Map<string, Promise<void>>();
  private online: readonly string[] = [];
  private masterNode: string | null = null;

  constructor(
    private readonly master: GanetiMaster,
    private readonly cluster: string,
  ) {}

  /** Which nodes there are to be asked, as the last list told. True when that was not known before. */
  know(nodes: readonly Cells<NodeField>[]): boolean {
    const first = this.online.length === 0;
    this.online = nodes.flatMap(({ name, role, mtotal }) => (name && role !== "O" && mtotal !== null ? [name] : []));
    this.masterNode = nodes.find(({ role }) => role === "M")?.name ?? null;
    for (const name of this.nodes.keys()) if (!nodes.some((node) => node.name === name)) this.nodes.delete(name);
    return first;
  }

  /**
   * Whether its QEMU takes no call: once is enough where its node is late, which must have a reason; else somebody may have
   * called just then. A QEMU that hangs makes Ganeti wait for its first two calls only: then their queue is full.
   */
  hangs({ name, pnode }: Cells<InstanceField>, late: boolean): boolean {
    const state = this.of(pnode);
    if (name === null || !this.fresh(state)) return false;
    return state.usage.waiting.has(name) && (late || state.waited.has(name));
  }

  /** Nodes with one that may hang. */
  get suspected(): readonly string[] {
    return [...this.nodes].flatMap(([name, { usage }]) => ((usage?.waiting.size ?? 0) > 0 ? [name] : []));
  }

  /** Asks every node, or of these every one, whose numbers are older than wanted. Never rejects: a node that does not answer says why in its rows. */
  async refresh(withinMs: number, options: ProviderOptions, nodes = this.online): Promise<void> {
    const now = Date.now();
    const within = withinMs === 0 ? 0 : Math.max(leastMs, withinMs) * 0.9;
    const due = this.online.filter((name) => {
      if (!nodes.includes(name)) return false;
      const state = this.nodes.get(name);
      return !state || (now - state.at >= within && now >= state.restUntil);
    });
    await Promise.all(due.map((name) => this.asking.get(name) ?? this.begin(name, options)));
  }

  /** One question to a node at a time. */
  private begin(name: string, options: ProviderOptions): Promise<void> {
    const asking = this.ask(name, options).finally(() => this.asking.delete(name));
    this.asking.set(name, asking);
    return asking;
  }

  private async ask(name: string, { signal, priority }: ProviderOptions): Promise<void> {
    const { masterNode, cluster } = this;
    const before = this.nodes.get(name);
    let why: string;
    try {
      const answer = await this.master.run(
        (access) => nodeUsageCommand(access, cluster, name === masterNode ? null : name),
        { signal, priority, timeoutMs: (nodeLimit + 5) * 1000 },
      );
      const usage = parseNodeUsage(answer.stdout);
      if (usage) {
        const waited = before?.usage?.waiting ?? none;
        this.nodes.set(name, { at: Date.now(), usage, waited, why: null, restMs: firstRestMs, restUntil: 0 });
        return;
      }
      why = explainNode(answer.status, answer.stderr);
    } catch (thrown) {
      if (signal?.aborted) return;
      why = reasonOf(thrown);
    }
    const restMs = before?.restMs ?? firstRestMs;
    const rest = { restMs: Math.min(restMs * 2, longestRestMs), restUntil: Date.now() + restMs };
    this.nodes.set(name, { at: before?.at ?? 0, usage: before?.usage ?? null, waited: none, why, ...rest });
  }

  private of(node: string | null): NodeState | null {
    const state = node === null ? undefined : this.nodes.get(node);
    return state ?? null;
  }

  private fresh(state: NodeState | null): state is NodeState & { usage: NodeUsage } {
    return state !== null && state.usage !== null && state.why === null && Date.now() - state.at < longestMs;
  }

  /** What an instance uses, or why that is not known; nothing for one that is off. */
  ofInstance(cells: Cells<InstanceField>, running: boolean): Pick<Instance, "usage" | "usageGap"> {
    if (!running) return {};
    const { hypervisor, pnode, name } = cells;
    if (hypervisor === "fake") return { usageGap: "Ganeti's fake hypervisor runs nothing that could be counted" };
    if (!countable.test(hypervisor ?? ""))
      return { usageGap: `on ${hypervisor} virtu can't count what an instance uses` };
    const state = this.of(pnode);
    if (!this.fresh(state)) return { usageGap: state?.why ? `${pnode}: ${state.why}` : notAsked };
    const usage = state.usage.instances.get(name ?? "");
    return usage ? { usage: { ...usage, at: state.at } } : { usageGap: `no process of it is found on ${pnode}` };
  }

  /** CPU time of a node, or why it is not known. */
  ofNode({ name, role }: Cells<NodeField>): Pick<HostNode, "cpu" | "usageGap"> {
    const state = this.of(name);
    if (this.fresh(state)) return state.usage.cpu ? { cpu: { ...state.usage.cpu, at: state.at } } : {};
    return { usageGap: role === "O" ? "the node is offline" : (state?.why ?? notAsked) };
  }
}
