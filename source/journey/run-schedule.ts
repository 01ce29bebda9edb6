/** What may start now, what waits for what failed, and whether anything is left to do. Pure. */
import type { Plan, PlanNode, Step } from "./plan.ts";
import { type CellFacts, isEndedWell, type RunFacts } from "./run-model.ts";

export type Chance = "ready" | "waiting" | "blocked";

export interface Schedule {
  /** What may start, in the plan's order. */
  ready: { step: Step; node: PlanNode; cell: CellFacts }[];
  /** Pending cells that wait for a failed one, as `STEP NODE`. */
  blocked: ReadonlySet<string>;
  /** Cells that failed on nodes that are in. */
  failed: { step: Step; node: PlanNode; cell: CellFacts }[];
  /** Cells of nodes that are in that have not ended well, however. */
  open: number;
}

export const cellKey = (step: string, node: string) => `${step} ${node}`;

export function schedule(facts: RunFacts): Schedule {
  const { plan } = facts;
  const blocked = new Set<string>();
  const chances = new Map<string, Map<string, Chance>>();
  const result: Schedule = { ready: [], blocked, failed: [], open: 0 };
  const onAll = new Map<string, Chance>();
  for (const step of plan.steps) {
    const here = new Map<string, Chance>();
    for (const node of plan.nodes) {
      const cell = facts.cells.get(step.id)?.get(node.name);
      if (!cell || facts.out.has(node.name)) continue;
      if (isEndedWell(cell)) {
        here.set(node.name, "ready");
        continue;
      }
      result.open += 1;
      if (cell.state === "failed") {
        result.failed.push({ step, node, cell });
        here.set(node.name, "blocked");
        continue;
      }
      const chance = worst(
        step.needs.map((need) =>
          need.on === "all-nodes"
            ? (onAll.get(need.step) ?? "ready")
            : (chances.get(need.step)?.get(node.name) ?? "ready"),
        ),
      );
      if (chance === "ready" || cell.state === "started") result.ready.push({ step, node, cell });
      else if (chance === "blocked") blocked.add(cellKey(step.id, node.name));
      here.set(node.name, chance === "blocked" ? "blocked" : "waiting");
    }
    chances.set(step.id, here);
    onAll.set(step.id, worst([...here.values()]));
  }
  return result;
}

function worst(chances: readonly Chance[]): Chance {
  if (chances.includes("blocked")) return "blocked";
  return chances.includes("waiting") ? "waiting" : "ready";
}

/** Nodes that are in, in the plan's order. */
export function nodesIn(plan: Plan, out: ReadonlySet<string>): PlanNode[] {
  return plan.nodes.filter(({ name }) => !out.has(name));
}

/**
 * Whether a node that failed is left out without asking: only where the plan's minimum is below its number of nodes, and
 * still holds without it.
 */
export function mayGoWithout(facts: RunFacts, node: string): boolean {
  const { plan, out } = facts;
  if (plan.minimum >= plan.nodes.length || out.has(node)) return false;
  return plan.nodes.length - out.size - 1 >= plan.minimum;
}

/** What the user is asked when nothing moves. */
export function problemOf(facts: RunFacts, failed: Schedule["failed"]): string {
  const [first] = failed;
  if (!first) return "Nothing can go on.";
  const { step, node, cell } = first;
  const nodes = new Set(failed.map((each) => each.node.name)).size;
  const others = nodes > 1 ? ` (and ${nodes - 1} more ${nodes === 2 ? "node" : "nodes"})` : "";
  const short =
    facts.plan.minimum < facts.plan.nodes.length
      ? `; without ${nodes > 1 ? "them" : "it"} fewer than ${facts.plan.minimum} nodes would be left`
      : "";
  return `${step.title} failed on ${node.name}${others}: ${cell.text}${short}`;
}
