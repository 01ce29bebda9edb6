/** What every provider has in common about when an action makes sense. */
import type { ActionName, BasicActionName, Instance } from "./types.ts";

export function isBasic(action: ActionName): action is BasicActionName {
  return action === "start" || action === "shutdown" || action === "reboot" || action === "force-off";
}

/** The state that an action wants is there already: nothing to do, and nothing to complain about in a script. */
export function isAlready(action: ActionName, instance: Pick<Instance, "status">): boolean {
  if (action === "start") return instance.status === "running";
  return (action === "shutdown" || action === "force-off") && instance.status === "stopped";
}

/** Null, or why an action can't be done in this state. An error or unknown state never forbids to try. */
export function refusalByStatus(action: ActionName, instance: Pick<Instance, "status">): string | null {
  if (instance.status === "running" && action === "start") return "it runs already";
  if (instance.status === "stopped") {
    if (action === "reboot") return "it is off: start it instead";
    if (action !== "start") return "it is off already";
  }
  if (instance.status === "paused" && action !== "force-off") {
    return action === "start"
      ? "it is paused, not off"
      : "it is paused and can't hear that: resume it, or force it off";
  }
  return null;
}
