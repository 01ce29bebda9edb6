/** The socket of Ganeti's master daemon: LUXI, as far as virtu asks it. */
import { type Duplex, duplexPair } from "node:stream";
import type { Machine } from "../machine/machine.ts";
import { fullName } from "../utilities/about.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiJob } from "../world/ganeti.ts";
import { instanceFields, logOf, nodeFields, rawJobFields } from "./ganeti-fields.ts";
import type { Fields } from "./ganeti-table.ts";

const socket = "/var/run/ganeti/socket/ganeti-query";
const end = "\x03";
const over = ["success", "error", "canceled"];

/** Lists that the programs print joined by commas. */
const lists = /^(?:tags|snodes|disk\.sizes|nic\.(?:ips|macs|links|modes))$/;
const missing = { nodata: 2, unavail: 3, offline: 4 };

type Row = [status: number, value: unknown][];

function cells<T>(fields: Fields<T>, names: readonly string[], row: T): Row {
  return names.map((name) => {
    const field = fields[name];
    if (!field) return [1, null];
    const cell = field.value(row);
    if (typeof cell === "object" && cell !== null) return [missing[cell.missing], null];
    if (lists.test(name)) return [0, listOf(String(cell))];
    return [0, cell];
  });
}

function listOf(text: string): (string | null)[] {
  return text === "" ? [] : text.split(",").map((item) => (item === "None" ? null : item));
}

/** `["=", field, value]`, `["!=", …]`, `["|", filter…]` and `["&", …]`; another one passes everything. */
function passes(filter: unknown, value: (field: string) => unknown): boolean {
  if (!Array.isArray(filter)) return true;
  const [sign, ...rest] = filter;
  if (sign === "|") return rest.some((part) => passes(part, value));
  if (sign === "&") return rest.every((part) => passes(part, value));
  if (sign !== "=" && sign !== "!=") return true;
  return (String(value(String(rest[0]))) === String(rest[1])) === (sign === "=");
}

/** The numbers that are asked for, or null where it is no filter by numbers alone. */
function idsIn(filter: unknown): number[] | null {
  if (!Array.isArray(filter)) return null;
  const [sign, ...rest] = filter;
  if (sign === "|") {
    const ids = rest.map(idsIn);
    return ids.some((part) => part === null) ? null : ids.flatMap((part) => part ?? []);
  }
  return sign === "=" && rest[0] === "id" ? [Number(rest[1])] : null;
}

function query(ganeti: Ganeti, args: readonly unknown[]): unknown {
  const [what, names, filter] = args as [string, string[], unknown];
  const described = { fields: names.map((name) => ({ name })) };
  const table = <T extends { name: string }>(fields: Fields<T>, rows: readonly T[]) => ({
    ...described,
    data: rows
      .filter((row) => passes(filter, (field) => fields[field]?.value(row)))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map((row) => cells(fields, names, row)),
  });
  if (what === "instance") return table(instanceFields(ganeti), ganeti.instances);
  if (what === "node") return table(nodeFields(ganeti), ganeti.nodes);
  if (what !== "job") return { ...described, data: [] };
  // A number that does not exist is a row without values.
  const asked = idsIn(filter);
  const fits = (job: GanetiJob) => passes(filter, (field) => rawJobFields[field]?.(job));
  const ids = asked ?? [...ganeti.jobs.values()].filter(fits).map(({ id }) => id);
  const row = (id: number) => {
    const job = ganeti.jobs.get(id);
    return names.map((name) => (name === "id" ? [0, id] : job ? [0, rawJobFields[name]?.(job) ?? null] : [3, null]));
  };
  return { ...described, data: ids.map(row) };
}

/** Answers when the job is another one than it was known to be, or at the end of its time. */
async function waitForChange(ganeti: Ganeti, args: readonly unknown[], gone: Promise<void>): Promise<unknown> {
  const [id, names, before, serial, seconds] = args as [number, string[], unknown, number, number];
  const job = ganeti.jobs.get(id);
  if (!job) return null;
  const look = (): unknown => {
    const values = names.map((name) => rawJobFields[name]?.(job) ?? null);
    const log = (logOf(job) as [number][]).filter(([number]) => number > serial);
    return JSON.stringify(values) !== JSON.stringify(before) || log.length > 0 ? [values, log] : null;
  };
  let stop = () => {};
  const late = new Promise<"nochange">((resolve) => {
    stop = ganeti.clock.afterReal(seconds * 1000, () => resolve("nochange"));
  });
  try {
    for (;;) {
      const seen = look();
      if (seen !== null) return seen;
      let off = () => {};
      const changed = new Promise<null>((resolve) => {
        off = ganeti.watch(() => resolve(null));
      });
      const first = await Promise.race([changed, late, gone.then(() => "nochange" as const)]);
      off();
      if (first !== null) return first;
    }
  } finally {
    stop();
  }
}

function cancelled(ganeti: Ganeti, job: GanetiJob | undefined, id: unknown): [boolean, string] {
  if (!job || over.includes(job.status)) return [false, `Job ${id} not found in queue`];
  return ganeti.cancel(job)
    ? [true, "Job successfully cancelled"]
    : [false, "Job no longer waiting, can't cancel (informed it anyway)"];
}

async function answer(ganeti: Ganeti, method: string, args: readonly unknown[], gone: Promise<void>): Promise<unknown> {
  const { facts, name, master } = ganeti;
  switch (method) {
    case "Query":
      return { success: true, result: query(ganeti, args) };
    case "WaitForJobChange": {
      const result = await waitForChange(ganeti, args, gone);
      return result === null
        ? { success: false, result: ["JobLost", ["Can't load job file"]] }
        : { success: true, result };
    }
    case "CancelJob":
      return { success: true, result: cancelled(ganeti, ganeti.jobs.get(Number(args[0])), args[0]) };
    case "QueryClusterInfo": {
      const version = facts.version.replace(/-.*/, "");
      const nicparams = { default: { link: facts.netdev, mode: "bridged", vlan: "" } };
      return { success: true, result: { software_version: version, name, master: master.name, nicparams } };
    }
    default:
      return {
        success: false,
        result: `Failed to parse request: Unable to parse LUXI request method: Invalid string value for type LuxiReq: ${JSON.stringify(method)}`,
      };
  }
}

function serve(ganeti: Ganeti): Duplex {
  const [near, far] = duplexPair();
  const gone = new Promise<void>((resolve) => far.once("close", () => resolve()));
  const off = ganeti.onMasterMoved(() => far.destroy());
  far.once("close", off);
  near.once("close", () => far.destroy());
  far.once("close", () => near.destroy());
  far.on("error", () => {});
  near.on("error", () => {});
  let text = "";
  let turn = Promise.resolve();
  far.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    const messages = text.split(end);
    text = messages.pop() ?? "";
    for (const message of messages) {
      turn = turn.then(async () => {
        const { method, args } = JSON.parse(message) as { method: string; args: unknown[] };
        const reply = JSON.stringify(await answer(ganeti, method, args, gone));
        if (!far.destroyed) far.write(`${reply}${end}`);
      });
    }
  });
  return near;
}

/** Gives a machine the socket, which is there while the machine is the master of a cluster. */
export function addLuxi(machine: Machine, clusters: Clusters): void {
  machine.sockets.set(socket, (user) => {
    const ganeti = clusters.of(machine);
    return ganeti && user === "root" && ganeti.master.name === fullName(machine) ? serve(ganeti) : null;
  });
}
