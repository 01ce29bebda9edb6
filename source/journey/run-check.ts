/** Refuses a plan that can't be carried, before anything is written or sent. */
import { VirtuError } from "../errors.ts";
import type { Plan } from "./plan.ts";

export function checkPlan(plan: Plan): void {
  const wrong = (why: string) =>
    new VirtuError({ kind: "usage", what: `The plan "${plan.title}" can't be carried`, why });
  const nodes = new Set(plan.nodes.map(({ name }) => name));
  if (nodes.size === 0) throw wrong("it names no node");
  if (nodes.size !== plan.nodes.length) throw wrong("it names a node twice");
  if (!Number.isInteger(plan.minimum) || plan.minimum < 1 || plan.minimum > nodes.size) {
    throw wrong(`a minimum of ${plan.minimum} does not fit ${nodes.size} nodes`);
  }
  const before = new Set<string>();
  for (const step of plan.steps) {
    // The id is a folder's name on the nodes.
    if (!/^[A-Za-z0-9][\w-]*$/.test(step.id)) throw wrong(`"${step.id}" is no name of a step`);
    if (before.has(step.id)) throw wrong(`it has two steps ${step.id}`);
    const early = step.needs.find((need) => !before.has(need.step));
    if (early) throw wrong(`${step.id} needs ${early.step}, which does not come before it`);
    const strange = Object.keys(step.cells).find((node) => !nodes.has(node));
    if (strange !== undefined) throw wrong(`${step.id} is for ${strange}, which is no node of it`);
    if (step.secret !== null && step.detached) throw wrong(`${step.id} takes a secret, and can't be detached`);
    if (!(step.limitSeconds >= 1)) throw wrong(`${step.id} has no time limit`);
    const name = step.gives.find((each) => !/^[A-Za-z_]\w*$/.test(each));
    if (name !== undefined) throw wrong(`${step.id} gives "${name}", which is no name of a variable`);
    before.add(step.id);
  }
}
