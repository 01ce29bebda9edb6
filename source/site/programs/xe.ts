/** XenServer's xe, as far as virtu calls it: written from the rules of xapi's own sources, not from a recording. */
import type { Call, Program } from "../machine/machine.ts";
import type { PoolGuest, XenPool } from "../world/xenserver.ts";

class XeError extends Error {}

/** What can be asked of an object: access as xe prints it, and the value. */
type Fields = Readonly<Record<string, readonly [string, string]>>;

const none = "<not in database>";

function guestFields(pool: XenPool, guest: PoolGuest): Fields {
  const live = guest.state === "running" || guest.state === "paused";
  const others = pool.hosts.map(({ uuid }) => uuid).filter((uuid) => pool.free(uuid) >= guest.memory);
  return {
    uuid: [" RO", guest.uuid],
    "name-label": [" RW", guest.name],
    "name-description": [" RW", guest.description],
    "is-control-domain": [" RO", "false"],
    "power-state": [" RO", guest.state],
    "resident-on": [" RO", guest.host ?? none],
    "possible-hosts": ["SRO", others.join("; ")],
    "dom-id": [" RO", String(guest.domainId)],
    "VCPUs-number": [" RO", String(live ? guest.vcpus : 0)],
    "VCPUs-max": [" RW", String(guest.maximumVcpus)],
    "VCPUs-at-startup": [" RW", String(guest.vcpus)],
    "memory-actual": [" RO", String(live ? guest.memory : 0)],
    "memory-static-max": [" RW", String(guest.memory * 2)],
    "memory-dynamic-max": [" RW", String(guest.memory)],
    tags: ["SRW", guest.tags.join("; ")],
    "current-operations": ["SRO", guest.operation === null ? "" : `OpaqueRef:7: ${guest.operation}`],
    "other-config": ["MRW", guest.autostart ? "auto_poweron: true" : ""],
    "HVM-boot-policy": [" RW", "BIOS order"],
    networks: ["MRO", live ? `0/ip: 172.16.30.${guest.domainId}` : ""],
  };
}

const lists: Readonly<Record<string, { shown: string; rows: (pool: XenPool) => Fields[] }>> = {
  vm: { shown: "uuid,name-label,power-state", rows: (pool) => pool.guests.map((guest) => guestFields(pool, guest)) },
  host: {
    shown: "uuid,name-label,name-description",
    rows: (pool) =>
      pool.hosts.map(({ uuid, name, address }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RW", name],
        "name-description": [" RW", "Default install"],
        address: [" RO", address],
        enabled: [" RO", "true"],
        "memory-total": [" RO", String(32 * 1024 ** 3)],
        "memory-free": [" RO", String(pool.free(uuid))],
      })),
  },
  pool: {
    shown: "uuid,name-label,master",
    rows: (pool) => [
      { uuid: [" RO", pool.uuid], "name-label": [" RW", pool.name], master: [" RO", pool.hosts[0]?.uuid ?? none] },
    ],
  },
  snapshot: {
    shown: "uuid,name-label,name-description",
    rows: (pool) =>
      pool.snapshots.map(({ uuid, of, name, description, at, memory }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RW", name],
        "name-description": [" RW", description],
        "snapshot-of": [" RO", of],
        "snapshot-time": [" RO", `${new Date(at).toISOString().replace(/[-]|\.\d+/g, "")}`],
        "power-state": [" RO", memory ? "suspended" : "halted"],
      })),
  },
  task: {
    shown: "uuid,name-label,name-description,status,progress",
    rows: (pool) =>
      pool.tasks.map(({ uuid, name }) => ({
        uuid: [" RO", uuid],
        "name-label": [" RO", name],
        "name-description": [" RO", ""],
        status: [" RO", "pending"],
        progress: [" RO", "0.500"],
      })),
  },
  network: {
    shown: "uuid,name-label,bridge",
    rows: ({ uuid }) => [
      { uuid: [" RO", uuid], "name-label": [" RW", "Pool-wide network"], bridge: [" RO", "xenbr0"] },
    ],
  },
  sr: {
    shown: "uuid,name-label",
    rows: ({ uuid }) => [
      {
        uuid: [" RO", uuid],
        "name-label": [" RW", "Local storage"],
        "content-type": [" RO", "user"],
        "physical-size": [" RO", String(500 * 1024 ** 3)],
        "physical-utilisation": [" RO", String(120 * 1024 ** 3)],
      },
    ],
  },
  vbd: { shown: "uuid", rows: () => [] },
  vif: { shown: "uuid", rows: () => [] },
  cd: { shown: "name-label", rows: () => [] },
};

/** The first key at the left, the others to the right, two empty lines behind each record. */
function record(fields: Fields, keys: readonly string[]): string {
  const heads = keys.map((key) => `${key} (${fields[key]?.[0] ?? " RO"})`);
  const width = Math.max(...heads.map((head) => head.length)) + 4;
  const lines = keys.map((key, index) => {
    const head = heads[index] ?? "";
    return `${index === 0 ? head.padEnd(width) : head.padStart(width)}: ${fields[key]?.[1] ?? ""}\n`;
  });
  return `${lines.join("")}\n\n`;
}

function list(pool: XenPool, kind: string, given: ReadonlyMap<string, string>, minimal: boolean): string {
  const { shown, rows } = lists[kind] ?? { shown: "", rows: () => [] };
  const filters = [...given].filter(([key]) => key !== "params" && !key.endsWith("vm-uuid"));
  const found = rows(pool).filter((fields) => filters.every(([key, wanted]) => fields[key]?.[1] === wanted));
  const asked = (given.get("params") ?? (minimal ? "uuid" : shown)).split(",");
  const [first = "uuid"] = asked;
  if (minimal) return `${found.map((fields) => (fields[first]?.[1] ?? "").replace(/[\\,]/g, "\\$&")).join(",")}\n`;
  return found.map((fields) => record(fields, asked)).join("");
}

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

const verbs: Readonly<Record<string, Verb>> = {
  "vm-start": task("start", ["halted"], 12, (pool, guest) => pool.boot(guest)),
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
  "vm-destroy": (pool, guest) => remove(pool, guest),
  "vm-uninstall": (pool, guest) => remove(pool, guest),
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

function remove(pool: XenPool, guest: PoolGuest): string {
  if (guest.state !== "halted") throw badState(guest, "halted");
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
