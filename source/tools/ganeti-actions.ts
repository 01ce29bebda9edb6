/**
 * What is done to instances and nodes, as Ganeti's commands: each is one job or several one after another. Names are full
 * ones: Ganeti takes a short name for whatever begins so. `-f` because without a terminal a question is answered no, in
 * silence and with status 1. Measured on 3.0.2 and 3.1.0~rc2.
 */
import type { Action, NodeAction } from "../instances/types.ts";
import type { Command } from "../ssh/command.ts";
import { type GanetiAccess, gnt } from "./ganeti.ts";

export interface GanetiStep {
  program: "gnt-instance" | "gnt-node";
  /** Without `--submit` and the program. */
  words: readonly string[];
  /** What it is done to, behind everything else. */
  operands: readonly string[];
  /** The job's class: finds a job whose number was lost. */
  opcode: string;
  /** Full name of the instance or node in it. */
  subject: string;
}

/** Submits it as a job; prints its number, see `parseSubmitted`. */
export function stepCommand(access: GanetiAccess, step: GanetiStep): Command {
  return gnt(access, step.program, [...step.words, "--submit", ...step.operands]);
}

export interface StepFacts {
  /** Full name. */
  name: string;
  diskTemplate: string | null;
}

/** Ganeti moves these only between their two nodes, and takes no target for them. */
export function isMirrored(diskTemplate: string | null): boolean {
  return diskTemplate === "drbd";
}

/** Ganeti ends an instance by force that has not shut down after so many seconds (the help of 3.0 says minutes and means seconds). */
function limitWords(option: string, limitSeconds: number | undefined): string[] {
  return limitSeconds === undefined ? [] : [`${option}=${Math.round(limitSeconds)}`];
}

/** A disk or NIC as `details` names it (`disk/0`), as Ganeti's options take it (`0`). */
function index(id: string): string {
  return id.replace(/^(?:disk|nic)\//, "");
}

/** The steps of an action, one job each, or null for what Ganeti has not. */
export function stepsOf(
  action: Action,
  { name, diskTemplate }: StepFacts,
  limitSeconds?: number,
): readonly GanetiStep[] | null {
  const step = (opcode: string, words: readonly string[], more: readonly string[] = []): GanetiStep => ({
    ...{ program: "gnt-instance", words, operands: [name, ...more], opcode: `OP_${opcode}`, subject: name },
  });
  const modify = (...words: readonly string[]) => [step("INSTANCE_SET_PARAMS", ["modify", ...words])];
  const target = (to: string | null) => (to === null || isMirrored(diskTemplate) ? [] : ["-n", to]);
  switch (action.do) {
    case "start":
      return [step("INSTANCE_STARTUP", ["startup"])];
    case "shutdown":
      return [step("INSTANCE_SHUTDOWN", ["shutdown", ...limitWords("--timeout", limitSeconds)])];
    case "force-off":
      // No time to shut down cleanly: the node ends the instance at once.
      return [step("INSTANCE_SHUTDOWN", ["shutdown", "--timeout=0"])];
    case "reboot":
      // Ganeti's own default (`hard`) asks the guest to shut down and starts it then; `soft` leaves it to the hypervisor,
      // and KVM's kills at once; `full` takes the disks down and up as well.
      return action.how === "hard"
        ? [step("INSTANCE_REBOOT", ["reboot", "--type=full", "--shutdown-timeout=0"])]
        : [step("INSTANCE_REBOOT", ["reboot", ...limitWords("--shutdown-timeout", limitSeconds)])];
    case "rename":
      return [step("INSTANCE_RENAME", ["rename"], [action.to])];
    case "remove":
      return action.keepDisks ? null : [step("INSTANCE_REMOVE", ["remove", "-f"])];
    case "migrate":
      // Never `--allow-failover`: a failover stops the guest, and that was not asked for.
      return [
        step("INSTANCE_MIGRATE", [
          "migrate",
          "-f",
          `--migration-mode=${action.live ? "live" : "non-live"}`,
          ...target(action.to),
        ]),
      ];
    case "failover":
      return [step("INSTANCE_FAILOVER", ["failover", "-f", ...target(action.to)])];
    case "move":
      return [step("INSTANCE_MOVE", ["move", "-f", "-n", action.to])];
    case "tag":
      return [
        ...(action.add.length > 0 ? [step("TAGS_SET", ["add-tags"], action.add)] : []),
        ...(action.remove.length > 0 ? [step("TAGS_DEL", ["remove-tags"], action.remove)] : []),
      ];
    case "set-memory":
      return modify(`--backend-parameters=memory=${action.mebibytes}`);
    case "set-vcpus":
      return modify(`--backend-parameters=vcpus=${action.count}`);
    case "disk-add":
      return modify(`--disk=add:size=${action.mebibytes}M`);
    case "disk-grow":
      return [step("INSTANCE_GROW_DISK", ["grow-disk", "--absolute"], [index(action.disk), `${action.mebibytes}M`])];
    case "disk-remove":
      return modify(`--disk=${index(action.disk)}:${action.keepVolume ? "detach" : "remove"}`);
    case "nic-add":
      return modify(`--net=add:${action.network.includes("=") ? action.network : `link=${action.network}`}`);
    case "nic-remove":
      return modify(`--net=${index(action.nic)}:remove`);
    case "media-insert":
      return modify(`--hypervisor-parameters=cdrom_image_path=${action.path.replaceAll(/[\\,]/g, "\\$&")}`);
    case "media-eject":
      return modify("--hypervisor-parameters=cdrom_image_path=");
    default:
      return null;
  }
}

/** The steps of an action on a node; null for the change of the master, which is no job. */
export function nodeStepsOf(
  action: NodeAction,
  node: { name: string; roles: readonly string[] },
): readonly GanetiStep[] | null {
  const step = (opcode: string, words: readonly string[]): GanetiStep => ({
    ...{ program: "gnt-node", words, operands: [node.name], opcode: `OP_${opcode}`, subject: node.name },
  });
  // A candidate that goes leaves its place to another node; Ganeti refuses to leave it empty unless it may choose one.
  const promote = node.roles.includes("candidate") ? ["--auto-promote"] : [];
  const modify = (word: string, on: boolean) => [
    step("NODE_SET_PARAMS", ["modify", "-f", `--${word}=${on ? "yes" : "no"}`, ...(on ? promote : [])]),
  ];
  switch (action.do) {
    case "evacuate":
      // "It is not possible to evacuate all instances at once": the allocator takes primaries and secondaries apart.
      return (action.which === "all" ? (["primary", "secondary"] as const) : [action.which]).map((which) =>
        step("NODE_EVACUATE", ["evacuate", "-f", `--${which}-only`]),
      );
    case "drain":
      return modify("drained", action.on);
    case "offline":
      return modify("offline", action.on);
    case "master":
      return null;
  }
}
