/** Small plans for tests of runs. */
import type { Cell, Need, Plan, Step } from "../../source/journey/plan.ts";

export type StepText = Partial<Omit<Step, "cells" | "needs">> & {
  id: string;
  check?: string | null;
  script?: string | ((node: string) => string);
  /** `base` needs it on this node, `base*` on all. */
  needs?: readonly string[];
  nodes?: readonly string[];
};

function need(text: string): Need {
  return text.endsWith("*") ? { step: text.slice(0, -1), on: "all-nodes" } : { step: text, on: "this-node" };
}

export function stepOf(text: StepText, nodes: readonly string[]): Step {
  const { check = null, script = "true", needs = [], nodes: own = nodes, ...rest } = text;
  const cell = (node: string): Cell => ({
    check,
    script: typeof script === "string" ? script : script(node),
    undo: null,
  });
  return {
    title: `Step ${text.id}`,
    why: "It is tested.",
    changes: "Nothing else.",
    detached: true,
    secret: null,
    limitSeconds: 60,
    progress: null,
    gives: [],
    usualSeconds: 10,
    ...rest,
    needs: needs.map(need),
    cells: Object.fromEntries(own.map((node) => [node, cell(node)])),
  };
}

export function planOf(nodes: readonly string[], steps: readonly StepText[], more: Partial<Plan> = {}): Plan {
  return {
    kind: "configure",
    title: `test on ${nodes.length} nodes`,
    site: null,
    jobId: null,
    nodes: nodes.map((name) => ({ name, host: { name } })),
    steps: steps.map((text) => stepOf(text, nodes)),
    minimum: nodes.length,
    ...more,
  };
}
