/** Carries out one action on a domain and tells how it really ended. */
import { VirtuError } from "../errors.ts";
import type { ExecResult, HostRef, Pool } from "../ssh/types.ts";
import { domainWord, isPerProcess, pollLimit, stateCommand } from "../tools/virsh.ts";
import {
  actionCommand,
  allDisksCommand,
  type Domain,
  isForNextStart,
  parseAllDisks,
  parseLeftDisks,
} from "../tools/virsh-actions.ts";
import { parseDefinition } from "../tools/virsh-definition.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { isPassing, pause } from "../waiting.ts";
import { verbOf } from "./action-words.ts";
import { ask } from "./exec.ts";
import { failure, success } from "./outcomes.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
  ActionName,
  ActionOutcome,
  Instance,
  ProviderOptions,
} from "./types.ts";

/** The domains of one host and connection. */
export interface LibvirtPlace {
  pool: Pool;
  host: HostRef;
  uri: string;
  /** Milliseconds between two looks at a domain that shuts down. */
  lookMs: number;
}

export type ActOptions = ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void };

/** virsh ends itself after `pollLimit`; this is for a host that does not even run it. */
export const lookLimitMs = (pollLimit + 10) * 1000;
const defaultShutdownSeconds = 120;

const minute = 60_000;
/** What writes a guest's memory or copies disks takes as long as they are large; the rest is quick. */
const limits: Readonly<Partial<Record<ActionName, number>>> = {
  save: 60 * minute,
  start: 15 * minute,
  restore: 60 * minute,
  remove: 10 * minute,
  clone: 6 * 60 * minute,
  "snapshot-create": 60 * minute,
  "snapshot-revert": 60 * minute,
  "snapshot-delete": 60 * minute,
  "disk-add": 10 * minute,
};

/** What `domstate` says when an action whose answer was lost has worked. */
const wanted: Readonly<Partial<Record<ActionName, readonly string[]>>> = {
  start: ["running"],
  restore: ["running"],
  "force-off": ["shut off", "gone"],
  pause: ["paused"],
  resume: ["running"],
  save: ["shut off"],
  remove: ["gone"],
};

export function domainOf(instance: Instance): Domain {
  const { facts } = instance;
  const number = (name: string) => (typeof facts[name] === "number" ? (facts[name] as number) : null);
  const kib = number("memoryMaxKiB");
  const tags = facts["tags"];
  return {
    word: domainWord(instance),
    name: instance.name,
    active: instance.status !== "stopped" && instance.status !== "unknown",
    persistent: facts["persistent"] !== false,
    asleep: instance.statusDetail === "pmsuspended",
    vcpusMax: number("vcpusMax"),
    memoryMaxMiB: kib === null ? null : Math.floor(kib / 1024),
    tags: typeof tags === "string" && tags !== "" ? tags.split(",") : [],
  };
}

/** All but a migration. */
export async function act(
  place: LibvirtPlace,
  action: Action,
  instance: Instance,
  options: ActOptions,
): Promise<ActionOutcome> {
  const { pool, host, uri } = place;
  const domain = domainOf(instance);
  const command = actionCommand(uri, action, domain);
  if (!command) return failure(`libvirt has no "${verbOf(action.do)}"`);
  const objection = await objectionTo(place, action, instance, options);
  if (objection !== null) return failure(objection);
  options.onEvent?.({ text: action.do === "shutdown" ? "asking the guest to shut down" : "virsh runs" });
  const result = await pool.exec(host, command, {
    signal: options.signal,
    priority: "user",
    timeoutMs: limits[action.do] ?? minute,
    stdin: action.do === "define" ? action.text : undefined,
  });
  if (result.outcome !== "exited") return afterLoss(place, action, instance, options);
  if (result.status !== 0) return refused(action, result);
  if (isPerProcess(uri)) return success("done; the test driver forgets it at once");
  if (action.do === "shutdown") return awaitOff(place, instance, options);
  return said(action, domain, result);
}

/** Null, or why it must not be done, from what only the host or the action itself tells. Nothing is changed by it. */
async function objectionTo(
  place: LibvirtPlace,
  action: Action,
  instance: Instance,
  options: ActOptions,
): Promise<string | null> {
  if (action.do === "tag") {
    const bad = action.add.find((tag) => !/^[\w.+*/:@-]+$/.test(tag));
    return bad === undefined ? null : `"${bad}" is no tag: letters, digits and . _ + * / : @ - make one`;
  }
  if (action.do === "define") {
    const given = parseDefinition(action.text);
    if (!given) return "the text is no definition of a domain (not well-formed XML)";
    return given.uuid === instance.facts["uuid"] ? null : "the text is another domain's: its uuid must stay";
  }
  const doomed = action.do === "remove" ? !action.keepDisks : action.do === "disk-remove" && !action.keepVolume;
  if (!doomed) return null;
  const { pool, host, uri } = place;
  options.onEvent?.({ text: "looking whose disks they are" });
  const answer = await ask(pool, host, allDisksCommand(uri), "reading the domains' disks", {
    signal: options.signal,
    priority: "user",
    timeoutMs: lookLimitMs,
  });
  const disks = parseAllDisks(answer.stdout);
  const own = (disks.get(instance.id) ?? []).filter(
    ({ target }) => action.do !== "disk-remove" || target === action.disk,
  );
  for (const [uuid, others] of disks) {
    const shared =
      uuid === instance.id ? undefined : own.find(({ source }) => others.some((other) => other.source === source));
    if (shared) return `its disk ${shared.target} (${shared.source}) is another domain's too (${uuid}): keep the disks`;
  }
  return null;
}

function refused(action: Action, { status, stdout, stderr }: ExecResult): ActionOutcome {
  if (action.do === "clone" && status === 127) {
    return failure("virt-clone is not installed there. apt-get install virtinst", stderr);
  }
  const left = action.do === "remove" ? parseLeftDisks(`${stdout}\n${stderr}`) : [];
  if (left.length > 0 && /has been undefined/.test(stdout))
    return failure(`it is removed, but not all: ${left.join("; ")}`, stderr);
  const { why, hint } = explainVirsh(stderr);
  return failure(hint ? `${why}. ${hint}` : why, stderr);
}

/** What there is to say of a success. */
function said(action: Action, domain: Domain, { stdout, stderr }: ExecResult): ActionOutcome {
  if (isForNextStart(action, domain)) return success("written to its definition: it counts from the next start");
  switch (action.do) {
    case "reboot":
      return success(action.how === "hard" ? "started anew" : "the guest was asked to reboot");
    case "remove": {
      const left = parseLeftDisks(`${stdout}\n${stderr}`);
      if (left.length > 0) return failure(`it is removed, but not all: ${left.join("; ")}`, `${stdout}${stderr}`);
      const gone = [...stdout.matchAll(/^Volume '[^']*'\((.*)\) removed/gm)].map(([, path]) => path);
      return success(action.keepDisks ? "its disks are kept" : gone.length > 0 ? `deleted: ${gone.join(", ")}` : null);
    }
    case "snapshot-create":
      return success(
        domain.active && !action.memory ? "the disks alone; libvirt before 9.9 can't revert to such a snapshot" : null,
      );
    default:
      return success();
  }
}

/** After a loss or a time-out nobody knows what virsh did; for many actions the state tells. */
async function afterLoss(
  place: LibvirtPlace,
  action: Action,
  instance: Instance,
  options: ActOptions,
): Promise<ActionOutcome> {
  options.onEvent?.({ text: "no answer from virsh: looking at the domain" });
  if (action.do === "shutdown") return awaitOff(place, instance, options);
  const goal = wanted[action.do];
  if (goal) {
    for (let n = 0, wait = place.lookMs; n < 8; n += 1, wait = Math.min(wait * 2, 15_000)) {
      const state = await lookAt(place, instance, options);
      if (state !== null && goal.includes(state)) return success();
      // Memory is still being written: the domain is paused meanwhile.
      const underWay = action.do === "save" && state !== "gone";
      if (state !== null && !underWay) return failure(`virsh gave no answer, and the domain is ${state}`);
      await pause(wait, options.signal);
    }
  }
  throw new VirtuError({
    kind: "connection",
    what: `Nobody knows whether ${instance.name} got its ${action.do}`,
    where: place.host.name,
    why: "the answer of virsh was lost",
    hint: "Look at the domain before you try again.",
  });
}

/** The domain's state, `gone` when libvirt knows it no more, null when nobody answers now. */
export async function lookAt(place: LibvirtPlace, instance: Instance, options: ActOptions): Promise<string | null> {
  const { pool, host, uri } = place;
  try {
    const answer = await ask(pool, host, stateCommand(uri, domainWord(instance)), "looking at the domain", {
      signal: options.signal,
      priority: "user",
      timeoutMs: lookLimitMs,
    });
    if (answer.status === 0) return answer.stdout.trim();
    // A transient domain is forgotten as soon as it is off.
    return /failed to get domain/.test(answer.stderr) ? "gone" : null;
  } catch (thrown) {
    if (isPassing(thrown)) return null;
    throw thrown;
  }
}

/** ACPI only asks. The guest may take its time, or not listen at all. */
async function awaitOff(place: LibvirtPlace, instance: Instance, options: ActOptions): Promise<ActionOutcome> {
  const limit = options.limitSeconds ?? defaultShutdownSeconds;
  const began = performance.now();
  for (;;) {
    const state = await lookAt(place, instance, options);
    if (state === "shut off" || state === "gone") return success();
    const seconds = (performance.now() - began) / 1000;
    if (seconds >= limit) {
      const now = state === null ? "libvirt does not answer" : `the guest is still ${state}`;
      const error = `${now} after ${limit} s: it may not listen to ACPI. Force off ends it without asking`;
      return { ...failure(error), ...(state === null ? {} : { unheard: true }) };
    }
    options.onEvent?.({ text: `shutting down: ${Math.floor(seconds)} s of ${limit} s` });
    await pause(place.lookMs, options.signal);
  }
}
