/** How long a deployment still takes. Pure. */
import type { MacroStep, NodeProgress } from "../journey/types.ts";
import { macroSteps } from "./kadeploy-progress.ts";

export type PhaseSeconds = Record<MacroStep, number>;

/** Without any experience: six minutes, of which booting the mini-OS takes 70 % and the others 15 % each. */
const guess: PhaseSeconds = { "boot-mini-os": 252, "copy-image": 54, "boot-new": 54 };

/** A phase that takes longer than it should is believed to end in so many seconds. */
const nearly = 5;

function leftFor(node: NodeProgress, usual: PhaseSeconds | null, now: number): number {
  const expected = usual ?? guess;
  // Without experience of this image, a node's first phase tells how slow its hardware is.
  const first = node.phases["boot-mini-os"];
  const scale = usual === null && first.state === "done" && first.seconds ? first.seconds / guess["boot-mini-os"] : 1;
  let left = 0;
  for (const step of macroSteps) {
    const { state, startedAt } = node.phases[step];
    if (state === "done") continue;
    const whole = expected[step] * scale;
    const spent = state === "running" && startedAt !== null ? now - startedAt : 0;
    left += spent > 0 ? Math.max(whole - spent, nearly) : whole;
  }
  return left;
}

/** Seconds until the last node that is still on its way is up; null when none is. */
export function secondsLeft(
  nodes: readonly NodeProgress[],
  usual: PhaseSeconds | null,
  nowSeconds: number,
): number | null {
  const under = nodes.filter(({ state }) => state === "pending" || state === "running");
  if (under.length === 0) return null;
  return Math.max(...under.map((node) => leftFor(node, usual, nowSeconds)));
}

/** What the phases took, from nodes that went through all three: the slowest of them, which is what one waits for. */
export function phasesTaken(nodes: readonly NodeProgress[]): PhaseSeconds | null {
  const whole = nodes.filter(
    ({ state, phases }) => state === "deployed" && macroSteps.every((step) => phases[step].seconds !== null),
  );
  if (whole.length === 0) return null;
  const slowest = (step: MacroStep) => Math.max(...whole.map(({ phases }) => phases[step].seconds ?? 0));
  return {
    "boot-mini-os": slowest("boot-mini-os"),
    "copy-image": slowest("copy-image"),
    "boot-new": slowest("boot-new"),
  };
}

/** The median of past deployments, phase by phase; null of none. */
export function usualOf(past: readonly PhaseSeconds[]): PhaseSeconds | null {
  if (past.length === 0) return null;
  const median = (step: MacroStep) => {
    const sorted = past.map((seconds) => seconds[step]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? guess[step];
  };
  return { "boot-mini-os": median("boot-mini-os"), "copy-image": median("copy-image"), "boot-new": median("boot-new") };
}
