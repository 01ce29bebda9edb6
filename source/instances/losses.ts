/** What an action takes away, for every place that asks before: screens and headless commands. Pure. */
import type { Request } from "./target.ts";
import type { Instance } from "./types.ts";

/**
 * - `none`: nothing is taken from anybody, and it is undone as quickly;
 * - `interrupts`: what runs there stops or stands still for a time;
 * - `loses`: something can't be had back.
 */
export type Severity = "none" | "interrupts" | "loses";

const interrupting: readonly Request["do"][] = ["shutdown", "reboot", "pause", "save", "move", "evacuate", "master"];
const losing: readonly Request["do"][] = [
  "force-off",
  "reset",
  "discard-save",
  "remove",
  "failover",
  "snapshot-revert",
  "snapshot-delete",
  "disk-remove",
];

export function severityOf(request: Request): Severity {
  if (losing.includes(request.do) || isHard(request)) return "loses";
  if (interrupting.includes(request.do)) return "interrupts";
  if (request.do === "migrate" && !request.live) return "interrupts";
  return (request.do === "offline" || request.do === "drain") && request.on ? "interrupts" : "none";
}

/** Whether it is as if the plug were pulled. */
function isHard(request: Request): boolean {
  return request.do === "force-off" || request.do === "reset" || (request.do === "reboot" && request.how === "hard");
}

type Losing = Pick<Instance, "status" | "facts" | "late"> & { stale?: boolean };

/** What this instance loses, in a few words; empty when nothing. */
export function lossOf(request: Request, { facts, status, stale, late }: Losing): string {
  const stops = request.do === "shutdown" || request.do === "force-off" || request.do === "save";
  if (stops && facts["persistent"] === false) return "it is gone for good: its host keeps no definition of it";
  const own = ownLoss(request, facts);
  if (own !== "") return own;
  if (request.do === "failover" && status !== "stopped") return "it is started anew: unsaved data is lost";
  if (!isHard(request)) return stale ? `its ${late ? "node" : "host"} does not answer now` : "";
  if (status === "stopped") return "";
  return status === "paused" ? "what it holds in memory is lost" : "unsaved data is lost";
}

function ownLoss(request: Request, facts: Instance["facts"]): string {
  switch (request.do) {
    case "remove": {
      const saved = facts["managedSave"] === true ? ", its saved memory" : "";
      return request.keepDisks
        ? `its definition${saved} and snapshots go; its disks stay`
        : `its definition, disks${saved} and snapshots go for good`;
    }
    case "discard-save":
      return "the memory that was saved is lost; it boots next time";
    case "snapshot-revert":
      return `all that came after ${request.name} is lost`;
    case "snapshot-delete":
      return `its snapshot ${request.name} goes`;
    case "disk-remove":
      return request.keepVolume ? `its disk ${request.disk} is taken out` : `all on its disk ${request.disk} is lost`;
    default:
      return "";
  }
}

export interface LossGroup<T> {
  loss: string;
  instances: readonly T[];
}

/** The instances by what they lose, the heaviest losses first, those that lose nothing last. */
export function lossGroups<T extends Losing>(request: Request, instances: readonly T[]): LossGroup<T>[] {
  const groups = new Map<string, T[]>();
  for (const instance of instances) {
    const loss = lossOf(request, instance);
    const group = groups.get(loss);
    if (group) group.push(instance);
    else groups.set(loss, [instance]);
  }
  const weight = (loss: string) => (loss === "" ? 2 : loss.includes("for good") ? 0 : 1);
  return [...groups]
    .map(([loss, members]) => ({ loss, instances: members }))
    .sort((one, other) => weight(one.loss) - weight(other.loss));
}
