/** A plan as text: what will run, to the letter. */
import { count } from "../text.ts";
import type { Cell, Plan, Step } from "./plan.ts";

const indented = (text: string, by: string) =>
  text
    .replace(/\n+$/, "")
    .split("\n")
    .map((line) => `${by}${line}`);

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Nodes with the same commands in one step, in the plan's order. */
function groups(plan: Plan, step: Step, node: string | undefined): { nodes: string[]; cell: Cell }[] {
  const found = new Map<string, { nodes: string[]; cell: Cell }>();
  for (const { name } of plan.nodes) {
    const cell = step.cells[name];
    if (!cell || (node !== undefined && name !== node)) continue;
    const key = JSON.stringify([cell.check, cell.script, cell.undo]);
    const group = found.get(key);
    if (group) group.nodes.push(name);
    else found.set(key, { nodes: [name], cell });
  }
  return [...found.values()];
}

function needsText(step: Step): string {
  return step.needs.map(({ step: id, on }) => (on === "all-nodes" ? `${id} on all nodes` : id)).join(", ");
}

/**
 * The preview of a plan, with every command; of one node's part if asked. Nodes with the same commands are shown once.
 * Secrets are not in a plan, so nothing has to be hidden.
 */
export function planLines(plan: Plan, node?: string): string[] {
  const lines = [plan.title];
  if (node === undefined) {
    lines.push(`  nodes: ${plan.nodes.map(({ name }) => name).join(", ")}`);
    if (plan.minimum < plan.nodes.length)
      lines.push(`  goes on by itself while at least ${count(plan.minimum, "node")} are in`);
  }
  plan.steps.forEach((step, index) => {
    const parts = groups(plan, step, node);
    if (parts.length === 0) return;
    lines.push("", `${index + 1}. ${step.title}  (${step.id}, about ${duration(step.usualSeconds)})`);
    lines.push(`   why: ${step.why}`, `   changes: ${step.changes}`);
    if (step.needs.length > 0) lines.push(`   after: ${needsText(step)}`);
    if (step.secret !== null) lines.push(`   reads on standard input: ${step.secret}`);
    if (step.gives.length > 0) lines.push(`   gives: ${step.gives.join(", ")}`);
    for (const { nodes, cell } of parts) {
      if (node === undefined)
        lines.push(`   on ${nodes.length === plan.nodes.length ? "all nodes" : nodes.join(", ")}:`);
      if (cell.check !== null) lines.push("     nothing to do if:", ...indented(cell.check, "       "));
      lines.push("     runs:", ...indented(cell.script, "       "));
      if (cell.undo !== null) lines.push("     undone by:", ...indented(cell.undo, "       "));
    }
  });
  return lines;
}
