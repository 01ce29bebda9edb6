/** What the parts of the demo share. */
import { VirtuError } from "../errors.ts";
import type { Site } from "../journey/types.ts";
import type { EmbeddedSite } from "../site/index.ts";
import type { Session } from "./run.ts";

export interface Play extends Session {
  embedded: EmbeddedSite;
  site: Site;
  /** So many nodes are reserved. */
  nodes: number;
  step(title: string): void;
  say(text: string): void;
}

/** What was told and what is must agree; else the demo has failed, however well it looked. */
export function agree(what: string, told: unknown, real: unknown): void {
  const [left, right] = [JSON.stringify(told), JSON.stringify(real)];
  if (left === right) return;
  throw new VirtuError({
    kind: "failed",
    what: `${what}: virtu and the site don't agree`,
    why: `virtu ${left}, the site ${right}`,
  });
}
