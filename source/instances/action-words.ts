/** What people call each action, and what an instance is doing meanwhile: one table for screens and headless commands. */
import type { RequestName } from "./target.ts";

interface Words {
  /** In a question or a report: `shut down`. */
  verb: string;
  /** While it runs, short enough for a status: `stopping`. */
  doing: string;
}

const words: Readonly<Record<RequestName, Words>> = {
  start: { verb: "start", doing: "starting" },
  shutdown: { verb: "shut down", doing: "stopping" },
  reboot: { verb: "reboot", doing: "rebooting" },
  reset: { verb: "reset", doing: "resetting" },
  "force-off": { verb: "force off", doing: "forcing off" },
  pause: { verb: "pause", doing: "pausing" },
  resume: { verb: "resume", doing: "resuming" },
  save: { verb: "save", doing: "saving" },
  restore: { verb: "restore", doing: "restoring" },
  "discard-save": { verb: "discard the saved memory of", doing: "discarding" },
  autostart: { verb: "set autostart of", doing: "changing" },
  rename: { verb: "rename", doing: "renaming" },
  remove: { verb: "remove", doing: "removing" },
  migrate: { verb: "migrate", doing: "migrating" },
  failover: { verb: "fail over", doing: "failing over" },
  move: { verb: "move", doing: "moving" },
  "snapshot-create": { verb: "take a snapshot of", doing: "snapshotting" },
  "snapshot-revert": { verb: "revert", doing: "reverting" },
  "snapshot-delete": { verb: "delete a snapshot of", doing: "changing" },
  clone: { verb: "clone", doing: "cloning" },
  "set-memory": { verb: "change the memory of", doing: "changing" },
  "set-vcpus": { verb: "change the vCPUs of", doing: "changing" },
  "disk-add": { verb: "add a disk to", doing: "changing" },
  "disk-grow": { verb: "grow a disk of", doing: "growing" },
  "disk-remove": { verb: "remove a disk of", doing: "changing" },
  "nic-add": { verb: "add a network card to", doing: "changing" },
  "nic-remove": { verb: "remove a network card of", doing: "changing" },
  "media-insert": { verb: "insert media into", doing: "changing" },
  "media-eject": { verb: "eject media of", doing: "changing" },
  tag: { verb: "tag", doing: "tagging" },
  note: { verb: "change the note of", doing: "changing" },
  define: { verb: "redefine", doing: "changing" },
  evacuate: { verb: "evacuate", doing: "evacuating" },
  drain: { verb: "drain", doing: "draining" },
  offline: { verb: "set offline", doing: "changing" },
  master: { verb: "make master", doing: "failing over" },
};

export function verbOf(action: RequestName): string {
  return words[action].verb;
}

/** The verb without what follows it, to stand alone: `take a snapshot`, `change the memory`. */
export function shortVerbOf(action: RequestName): string {
  return words[action].verb.replace(/ (?:of|to|into)$/, "");
}

export function doingOf(action: RequestName): string {
  return words[action].doing;
}
