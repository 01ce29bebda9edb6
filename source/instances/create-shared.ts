/** What several instances of one plan can't have in common. Pure. */
import type { CreateProblem } from "./create-types.ts";

/** `shares`: a disk is there already, or has a name: there is one of each. */
export function sharedDisks(shares: boolean): CreateProblem[] {
  const text = "several instances can't share a disk: leave its name to be chosen";
  return shares ? [{ field: "disks", text }] : [];
}
