/** What screens need of a node's own answer, and the judgement of its disks. */
export { type Disk, diskRefusal, freeDisks } from "../tools/disks.ts";
export type { NodeState } from "../tools/node-state.ts";
