/** What an action on a guest of XenServer or XCP-ng runs, and how long it may take. */
import type { Command } from "../ssh/command.ts";
import { type XeAccess, xeActionLimit, xeLongLimit } from "../tools/xe.ts";
import {
  xeAutostart,
  xeOnSnapshot,
  xeSetMemory,
  xeSetVcpus,
  xeSnapshot,
  xeTags,
  xeVerbs,
} from "../tools/xe-actions.ts";
import { xeAddCard, xeAddDisk, xeGrowDisk, xeRemoveCard, xeRemoveDisk } from "../tools/xe-hardware.ts";
import { uuidOf } from "../tools/xe-parse.ts";
import type { Action, ActionLimits, Instance } from "./types.ts";
import { xeSubject } from "./xenserver-rows.ts";

const defaultShutdownSeconds = 120;

/** The command of an action and its limit in seconds, or why there is none for what it asks. */
export type XePlan = { command: Command; seconds: number; text: string } | { refusal: string };

export interface XePlanning {
  access: XeAccess;
  /** The pool's UUID. */
  pool: string;
  /** UUIDs of its hosts by name. */
  hosts: ReadonlyMap<string, string>;
}

export function planXe(around: XePlanning, action: Action, instance: Instance, { limitSeconds }: ActionLimits): XePlan {
  const { access, pool, hosts } = around;
  const vm = xeSubject(instance);
  const quick = (command: Command, text = "xe runs") => ({ command, seconds: xeActionLimit, text });
  const long = (command: Command, text: string) => ({ command, seconds: xeLongLimit, text });
  switch (action.do) {
    case "start":
      return quick(xeVerbs.start(access, vm));
    case "shutdown": {
      const seconds = limitSeconds ?? defaultShutdownSeconds;
      return {
        command: xeVerbs.shutdown(access, vm, seconds),
        seconds,
        text: `shutting down, for ${seconds} s at most`,
      };
    }
    case "reboot":
      return quick(xeVerbs.reboot(access, vm, action.how === "hard"));
    case "force-off":
    case "discard-save":
      return quick(xeVerbs.forceOff(access, vm));
    case "pause":
      return quick(xeVerbs.pause(access, vm));
    case "resume":
      return quick(xeVerbs.resume(access, vm));
    case "save":
      return long(xeVerbs.suspend(access, vm), "writing its memory");
    case "restore":
      return long(xeVerbs.wake(access, vm), "reading its memory back");
    case "autostart":
      return quick(xeAutostart(access, vm, pool, action.on));
    case "rename":
      return quick(xeVerbs.set(access, vm, "name-label", action.to));
    case "note":
      return quick(xeVerbs.set(access, vm, "name-description", action.text));
    case "remove":
      return quick(xeVerbs.remove(access, vm, action.keepDisks));
    case "migrate": {
      const to = action.to === null ? null : (uuidOf(action.to) ?? hosts.get(action.to) ?? null);
      return to === null
        ? { refusal: "choose the host of the pool that it goes to" }
        : long(xeVerbs.migrate(access, vm, to, action.live), "moving it");
    }
    case "snapshot-create":
      return long(xeSnapshot(access, vm, action), "taking the snapshot");
    case "snapshot-revert":
      return long(xeOnSnapshot(access, vm, action.name, "revert"), "reverting");
    case "snapshot-delete":
      return long(xeOnSnapshot(access, vm, action.name, "uninstall"), "deleting the snapshot");
    case "clone":
      return long(xeVerbs.clone(access, vm, action.to), "cloning");
    case "set-memory":
      return quick(xeSetMemory(access, vm, action.mebibytes));
    case "set-vcpus":
      return quick(xeSetVcpus(access, vm, action.count));
    case "disk-add":
      return quick(xeAddDisk(access, vm, action.mebibytes, action.pool));
    case "disk-grow":
      return long(xeGrowDisk(access, vm, action.disk, action.mebibytes), "growing its disk");
    case "disk-remove":
      return quick(xeRemoveDisk(access, vm, action.disk, action.keepVolume), "taking its disk out");
    case "nic-add":
      return quick(xeAddCard(access, vm, action.network), "adding a network card");
    case "nic-remove":
      return quick(xeRemoveCard(access, vm, action.nic), "removing a network card");
    case "media-insert":
      return quick(xeVerbs.insert(access, vm, action.path));
    case "media-eject":
      return quick(xeVerbs.eject(access, vm));
    case "tag":
      return quick(xeTags(access, vm, action.add, action.remove));
    default:
      return { refusal: "xe can't do that" };
  }
}
