/** The plan behind OAR's predictions: which node is taken from when to when. Epoch seconds. */
import type { Oar } from "./oar.ts";
import type { Wanted } from "./oar-request.ts";
import type { Node, Resource, Testbed } from "./testbed.ts";

export class Plan {
  private readonly held = new Map<Node, { from: number; to: number }[]>();

  constructor(
    private readonly testbed: Testbed,
    private readonly now: number,
  ) {}

  hold(nodes: readonly Node[], from: number, seconds: number): void {
    for (const node of nodes) {
      const spans = this.held.get(node) ?? [];
      // One that should have ended still holds its nodes.
      spans.push({ from, to: Math.max(from + seconds, this.now + 1) });
      this.held.set(node, spans);
    }
  }

  private usable(wanted: Wanted): Node[] {
    return this.testbed.nodes.filter((node) => {
      const [core] = this.testbed.coresOf(node);
      return node.state === "Alive" && core !== undefined && wanted.fits(this.testbed.properties(core));
    });
  }

  /** Nodes for the whole walltime from then on, or null. */
  freeAt(wanted: Wanted, at: number, usable = this.usable(wanted)): Node[] | null {
    const to = at + wanted.walltime;
    const free = usable.filter((node) => (this.held.get(node) ?? []).every((span) => span.to <= at || span.from >= to));
    return free.length >= wanted.nodes ? free.slice(0, wanted.nodes) : null;
  }

  /** When it can start at the earliest; Infinity without nodes when never. */
  earliest(wanted: Wanted, from: number): { at: number; nodes: Node[] } {
    const usable = this.usable(wanted);
    const ends = [...this.held.values()].flat().map((span) => span.to);
    const moments = [from, ...new Set(ends.filter((to) => to > from))].sort((a, b) => a - b);
    for (const at of moments) {
      const nodes = this.freeAt(wanted, at, usable);
      if (nodes) return { at, nodes };
    }
    return { at: Number.POSITIVE_INFINITY, nodes: [] };
  }

  /** Until when a node stays free from a moment on. */
  freeUntil(node: Node, from: number): number {
    const next = (this.held.get(node) ?? []).map((span) => span.from).filter((start) => start >= from);
    return Math.min(Number.POSITIVE_INFINITY, ...next);
  }
}

export function coresOf(testbed: Testbed, nodes: readonly Node[]): Resource[] {
  return nodes.flatMap((node) => testbed.coresOf(node));
}

/** The subnets that a job gets: the first whole blocks that no job has a part of; null while there are not so many. */
export function subnetsFor(oar: Oar, wanted: Wanted): Resource[] | null {
  const taken = new Set<Resource>();
  for (const job of oar.jobs.values()) {
    if (!["Terminated", "Error"].includes(job.state)) for (const subnet of job.subnets) taken.add(subnet);
  }
  const size = 1 << (22 - wanted.subnetBits);
  const blocks = new Map<number, Resource[]>();
  for (const resource of oar.testbed.resources) {
    if (resource.subnet === null || taken.has(resource)) continue;
    const block = Math.floor((resource.subnet - 1) / size);
    blocks.set(block, [...(blocks.get(block) ?? []), resource]);
  }
  const whole = [...blocks.values()].filter(({ length }) => length === size).slice(0, wanted.subnets);
  return whole.length < wanted.subnets ? null : whole.flat();
}
