/** When libvirt can do an action to a domain, and why not. */
import { isPerProcess } from "../tools/virsh.ts";
import { verbOf } from "./action-words.ts";
import { isBasic, refusalByStatus } from "./rules.ts";
import type { ActionName, Instance, Refusal } from "./types.ts";

const off = (instance: Instance) => instance.status === "stopped";
const transientOnly = "it is transient: libvirt keeps no definition of it";
const savedFirst = "its memory is saved and would no longer fit: restore it, or discard what was saved";

type Rule = (instance: Instance) => Refusal;

const running: Rule = (instance) =>
  off(instance) ? "it is off" : instance.status === "paused" ? "it is paused: resume it first" : null;
const active: Rule = (instance) => (off(instance) ? "it is off" : null);
const defined: Rule = ({ facts }) => (facts["persistent"] === false ? transientOnly : null);
const unsaved: Rule = ({ facts }) => (facts["managedSave"] === true ? savedFirst : null);
const stopped: Rule = ({ status }) =>
  status === "running" ? "it runs: shut it down first" : status === "paused" ? "it is paused, not off" : null;
const saved: Rule = (instance) =>
  !off(instance) ? "it is not off" : instance.facts["managedSave"] === true ? null : "nothing of it is saved";

const none: Rule = () => null;
/** The first that refuses decides. */
const rules: Readonly<Partial<Record<ActionName, readonly Rule[]>>> = {
  reset: [active],
  pause: [running],
  resume: [
    (instance) => (off(instance) ? "it is off: start it instead" : instance.status === "running" ? "it runs" : null),
  ],
  save: [active, defined],
  restore: [saved],
  "discard-save": [saved],
  autostart: [defined],
  rename: [defined, stopped, unsaved],
  remove: [defined, stopped],
  migrate: [unsaved],
  "snapshot-create": [unsaved],
  "snapshot-revert": [none],
  "snapshot-delete": [none],
  clone: [defined, stopped],
  "set-memory": [unsaved],
  "set-vcpus": [unsaved],
  "disk-add": [unsaved],
  "disk-grow": [unsaved],
  "disk-remove": [unsaved],
  "nic-add": [unsaved],
  "nic-remove": [unsaved],
  "media-insert": [unsaved],
  "media-eject": [unsaved],
  tag: [none],
  note: [none],
  define: [defined, unsaved],
};

/** Null, or why not now. `uri`: the test driver forgets with each call what was done to it. */
export function refusal(uri: string, action: ActionName, instance: Instance): Refusal {
  if (isBasic(action)) return refusalByStatus(action, instance);
  const own = rules[action];
  if (!own) return `libvirt has no "${verbOf(action)}"`;
  if (isPerProcess(uri)) return "virsh's test driver would forget it at once";
  for (const rule of own) {
    const reason = rule(instance);
    if (reason !== null) return reason;
  }
  return null;
}
