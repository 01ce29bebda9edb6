/** What is new in a deployment, in sentences: for plain output and the log. Pure. */
import { fold } from "../tools/nodeset.ts";
import type { Deployment, MacroStep, NodeProgress } from "./types.ts";

/** The phases as people call them. */
export const phaseNames: Record<MacroStep, string> = {
  "boot-mini-os": "boot mini-OS",
  "copy-image": "copy image",
  "boot-new": "boot new system",
};

function standing({ state, reason, phases }: NodeProgress): string | null {
  if (state === "deployed") return "deployed";
  if (state === "failed" || state === "missing") return `${state}: ${reason ?? "no reason given"}`;
  const running = (Object.keys(phaseNames) as MacroStep[]).find((step) => phases[step].state === "running");
  return running ? phaseNames[running] : null;
}

/** A teller with a memory: each call gives what has changed since the last, nodes of the same news together. */
export function deployNews(): (deployment: Deployment) => string[] {
  const told = new Map<string, string>();
  let attempt = 1;
  let checked = false;
  return (deployment) => {
    const lines: string[] = [];
    if (deployment.attempt > attempt) {
      attempt = deployment.attempt;
      lines.push(`attempt ${attempt} of at most ${deployment.retries + 1}`);
    }
    const groups = new Map<string, string[]>();
    for (const node of deployment.progress) {
      const now = standing(node);
      if (now === null || told.get(node.node) === now) continue;
      told.set(node.node, now);
      groups.set(now, [...(groups.get(now) ?? []), node.node]);
    }
    for (const [text, nodes] of groups) lines.push(`${fold(nodes)}  ${text}`);
    if (deployment.state === "checking" && !checked) {
      checked = true;
      lines.push("Kadeploy is done; each deployed node is tried by SSH");
    }
    return lines;
  };
}
