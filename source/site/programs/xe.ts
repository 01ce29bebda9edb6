/** XenServer's xe, as far as virtu calls it: written from the rules of xapi's own sources, not from a recording. */
import type { Call, Program } from "../machine/machine.ts";
import type { PoolGuest, XenPool } from "../world/xenserver.ts";
import { XeError } from "./xe-error.ts";
import { addDisk, addMedium, objectVerbs } from "./xe-hardware.ts";
import { guestFields, list, lists, record } from "./xe-lists.ts";

const badState = (guest: PoolGuest, expected: string) =>
  new XeError(
    `You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running.  The parameters returned are the VM's handle, and the expected and actual VM state at the time of the call.\nvm: ${guest.uuid} (${guest.name})\nexpected: ${expected}\nactual: ${guest.state}\n`,
  );

type Verb = (
  pool: XenPool,
  guest: PoolGuest,
  given: ReadonlyMap<string, string>,
  call: Call,
) => Promise<string> | string;

/** A change that is a task of xapi's, from one of these states. */
function task(
  operation: string,
  states: readonly PoolGuest["state"][],
  seconds: number,
  change: (pool: XenPool, guest: PoolGuest, given: ReadonlyMap<string, string>) => void,
): Verb {
  return async (pool, guest, given, call) => {
    const forced = given.get("force") === "true";
    if (!forced && !states.includes(guest.state)) throw badState(guest, states[0] ?? "");
    await pool.carry(guest, operation, () => call.process.work(forced ? 4 : seconds));
    change(pool, guest, given);
    return "";
  };
}

const bytesOf = (text = "") => Number.parseInt(text, 10) * (text.endsWith("GiB") ? 1024 ** 3 : 1024 ** 2);

function takeSnapshot(memory: boolean): Verb {
  return async (pool, guest, given, call) => {
    await pool.carry(guest, memory ? "checkpoint" : "snapshot", () => call.process.work(10));
    const uuid = pool.random.uuid();
    const name = given.get("new-name-label") ?? "";
    pool.snapshots.push({ uuid, of: guest.uuid, name, description: "", at: pool.clock.now(), memory });
    return `${uuid}\n`;
  };
}

const start = task("start", ["halted"], 12, (pool, guest) => pool.boot(guest));

const verbs: Readonly<Record<string, Verb>> = {
  "vm-start": (pool, guest, given, call) => {
    const most = Math.max(...pool.hosts.map(({ uuid }) => pool.free(uuid)));
    if (guest.memory > most) {
      throw new XeError(
        `Not enough host memory is available to perform this operation.\nneeded: ${guest.memory}\navailable: ${most}\n`,
      );
    }
    return start(pool, guest, given, call);
  },
  "vm-shutdown": task("clean_shutdown", ["running"], 40, (pool, guest) => pool.off(guest, "halted")),
  "vm-reboot": task("clean_reboot", ["running"], 40, (pool, guest) => pool.boot(guest)),
  "vm-pause": task("pause", ["running"], 2, (_pool, guest) => {
    guest.state = "paused";
  }),
  "vm-unpause": task("unpause", ["paused"], 2, (_pool, guest) => {
    guest.state = "running";
  }),
  "vm-suspend": task("suspend", ["running"], 20, (pool, guest) => pool.off(guest, "suspended")),
  "vm-resume": task("resume", ["suspended"], 20, (pool, guest) => pool.boot(guest)),
  "vm-migrate": task("pool_migrate", ["running"], 30, (_pool, guest, given) => {
    guest.host = given.get("host-uuid") ?? guest.host;
  }),
  "vm-destroy": (pool, guest) => remove(pool, guest, false),
  "vm-uninstall": (pool, guest, given) => {
    if (given.get("force") === "true" && guest.state !== "halted") pool.off(guest, "halted");
    return `The following items are about to be destroyed\nVM : ${guest.uuid} (${guest.name})\n${remove(pool, guest, true)}All objects destroyed\n`;
  },
  "vm-disk-add": addDisk,
  "vm-cd-add": addMedium,
  "vm-clone": task("clone", ["halted"], 20, (pool, guest, given) => {
    const name = given.get("new-name-label") ?? guest.name;
    pool.guests.push({ ...guest, uuid: pool.random.uuid(), name, tags: [...guest.tags] });
  }),
  "vm-snapshot": takeSnapshot(false),
  "vm-checkpoint": takeSnapshot(true),
  "vm-memory-set": (_pool, guest, given) => {
    guest.memory = bytesOf(given.get("memory"));
    return "";
  },
  "vm-memory-dynamic-range-set": (_pool, guest, given) => {
    guest.memory = bytesOf(given.get("max"));
    return "";
  },
  "vm-vcpu-hotplug": (_pool, guest, given) => {
    guest.vcpus = Number(given.get("new-vcpus"));
    return "";
  },
  "vm-param-set": (_pool, guest, given) => {
    for (const [key, value] of given) {
      if (key === "name-label") guest.name = value;
      if (key === "name-description") guest.description = value;
      if (key === "other-config:auto_poweron") guest.autostart = value === "true";
      if (key === "VCPUs-max") guest.maximumVcpus = Number(value);
      if (key === "VCPUs-at-startup") guest.vcpus = Number(value);
    }
    return "";
  },
  "vm-param-add": (_pool, guest, given) => {
    guest.tags.push(given.get("param-key") ?? "");
    return "";
  },
  "vm-param-remove": (_pool, guest, given) => {
    guest.tags = guest.tags.filter((tag) => tag !== given.get("param-key"));
    return "";
  },
  "vm-param-get": (pool, guest, given) => {
    const field = guestFields(pool, guest)[given.get("param-name") ?? ""];
    if (!field) throw new XeError("Error: Unknown field\n");
    return `${field[1]}\n`;
  },
  "vm-param-list": (pool, guest) => {
    const fields = guestFields(pool, guest);
    return record(fields, Object.keys(fields));
  },
};

function remove(pool: XenPool, guest: PoolGuest, withDisks: boolean): string {
  if (guest.state !== "halted") throw badState(guest, "halted");
  pool.parts.forget(guest.uuid, withDisks);
  pool.guests.splice(pool.guests.indexOf(guest), 1);
  return "";
}

async function answer(call: Call, pool: XenPool): Promise<string> {
  const [verb = "", ...words] = call.args;
  const minimal = words.includes("--minimal");
  const given = new Map(
    words
      .filter((word) => word.includes("="))
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  const kind = /^(\w+)-list$/.exec(verb)?.[1] ?? "";
  if (Object.hasOwn(lists, kind)) return list(pool, kind, given, minimal);
  if (verb === "event-wait") {
    await pool.someTask((promise) => call.process.guard(promise));
    return "";
  }
  if (verb === "pool-param-set") return "";
  if (verb.startsWith("snapshot-")) return onSnapshot(call, pool, verb, given);
  const onObject = Object.hasOwn(objectVerbs, verb) ? objectVerbs[verb] : undefined;
  if (onObject) return onObject(pool, given, call);
  const act = verbs[verb];
  if (!act) throw new XeError(`Unknown command: ${verb}\nFor usage run: 'xe help'\n`);
  const uuid = given.get("uuid");
  if (uuid === undefined) throw new XeError("Required parameter not found: uuid\nFor usage run: 'xe help'\n");
  const guest = pool.guest(uuid);
  if (!guest) throw new XeError("Error: No matching VMs found\n");
  return act(pool, guest, given, call);
}

async function onSnapshot(
  call: Call,
  pool: XenPool,
  verb: string,
  given: ReadonlyMap<string, string>,
): Promise<string> {
  const snapshot = pool.snapshots.find(({ uuid }) => uuid === (given.get("snapshot-uuid") ?? given.get("uuid")));
  const guest = pool.guest(snapshot?.of ?? "");
  if (!snapshot || !guest) throw new XeError("Error: No matching VMs found\n");
  if (verb === "snapshot-param-set") snapshot.description = given.get("name-description") ?? "";
  else if (verb === "snapshot-revert") {
    await pool.carry(guest, "revert", () => call.process.work(10));
    pool.off(guest, snapshot.memory ? "suspended" : "halted");
  } else if (verb === "snapshot-uninstall") pool.snapshots.splice(pool.snapshots.indexOf(snapshot), 1);
  else throw new XeError(`Unknown command: ${verb}\nFor usage run: 'xe help'\n`);
  return "";
}

export function xe(pool: XenPool): Program {
  return async (call) => {
    if (call.process.user !== "root") {
      await call.err("Authentication failed\nFor usage run: 'xe help'\n");
      return 1;
    }
    try {
      await call.out(await answer(call, pool));
      return 0;
    } catch (thrown) {
      if (!(thrown instanceof XeError)) throw thrown;
      await call.err(thrown.message);
      return 1;
    }
  };
}
