import { describe, expect, test } from "vitest";
import type { Action, Instance } from "../../source/instances/types.ts";
import { XenServerProvider } from "../../source/instances/xenserver.ts";
import { fixture, type Reply, ScriptedPool } from "./fake-pool.ts";

const lost = { outcome: "lost" } as const;
const poll = { stdout: fixture("xenserver", "poll.stdout") };
const found = {
  directory: "/usr/bin/",
  sudo: false,
  root: true,
  hostUuid: "c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10",
  pool: { uuid: "p-1", name: "lab", master: "c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10" },
  status: 0,
  text: "",
};

function provider(script: (line: string) => Reply | undefined) {
  const pool = new ScriptedPool(({ line }) => {
    const reply = line.startsWith("echo @@virtu hosts") ? poll : script(line);
    if (!reply) throw new Error(`nobody answers ${line}`);
    return reply;
  });
  return { pool, xe: new XenServerProvider({ pool, host: { name: "xcp-1" }, found, lookMs: 1 }) };
}

async function guests(): Promise<Instance[]> {
  return (await provider(() => undefined).xe.list({})).instances;
}

async function guest(id: string): Promise<Instance> {
  const one = (await guests()).find((other) => other.id.endsWith(id));
  if (!one) throw new Error(`no ${id}`);
  return one;
}
const [web, suspended, halted, moving] = ["aa02", "9b03", "9b04", "9b05"];

/** Acts where the command answers so, and then the power state one after the other (the last for good). */
async function act(
  action: Action,
  instance: Instance,
  reply: Reply,
  states: (string | Reply)[] = [],
  limitSeconds?: number,
) {
  const { pool, xe } = provider((line) => {
    if (!line.includes("param-name=power-state")) return reply;
    const state = states.length > 1 ? states.shift() : states[0];
    return typeof state === "string" ? { stdout: `${state}\n` } : state;
  });
  return { pool, outcome: await xe.act(action, instance, { limitSeconds }) };
}

describe("list", () => {
  test("gives guests and hosts of the pool in one round trip, guests of one name apart", async () => {
    const { pool, xe } = provider(() => undefined);
    const { instances, nodes } = await xe.list({});
    expect(pool.calls).toHaveLength(1);
    expect(
      instances.map(({ name, status, statusDetail, node, vcpus, memoryMiB }) => [
        name,
        status,
        statusDetail,
        node,
        vcpus,
        memoryMiB,
      ]),
    ).toEqual([
      ["web-1", "running", "running", "xcp-1", 2, 1024],
      ["db, replica", "stopped", "suspended", null, 1, 1024],
      ["web-1", "stopped", "halted", null, 1, 512],
      ["moving", "running", "running", "xcp-2", 1, 1024],
    ]);
    expect(new Set(instances.map(({ key }) => key)).size).toBe(4);
    expect(instances[0]).toMatchObject({
      key: "xenserver/p-1/5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02",
      cluster: "lab",
      facts: { autostart: true, tags: "lab, shop", ip: "10.158.0.12", type: "hvm", domainId: 4, vcpusMax: 4 },
    });
    expect(
      nodes.map(({ name, roles, memoryFree, primaryInstances }) => [name, roles, memoryFree, primaryInstances]),
    ).toEqual([
      ["xcp-1", ["master"], 8192, 1],
      ["xcp-2", ["disabled"], 14_336, 1],
      ["xcp-3", [], 512, 0],
    ]);
  });

  test("explains why it can't be read", async () => {
    const failing = (reply: Reply) =>
      new XenServerProvider({ pool: new ScriptedPool(() => reply), host: { name: "xcp-1" }, found }).list({});
    const refused = {
      stdout: "@@virtu hosts\n@@virtu end 1\n",
      stderr: "Error: Connection refused (calling connect )\n",
    };
    await expect(failing(refused)).rejects.toMatchObject({ kind: "refused", why: expect.stringMatching(/xapi/) });
    await expect(failing({ stdout: "@@virtu hosts\n@@virtu end 124\n" })).rejects.toMatchObject({ kind: "timeout" });
    await expect(failing(lost)).rejects.toMatchObject({ kind: "connection" });
  });
});

describe("an action", () => {
  test("is one call of xe on one guest", async () => {
    const { pool, outcome } = await act({ do: "start" }, await guest(halted), {});
    expect(outcome).toMatchObject({ ok: true, error: null });
    expect(pool.lines()).toEqual(["timeout -k 5 300 /usr/bin/xe vm-start 'uuid=0a2d7c44-9f2e-4d0a-b7f1-2c1f5d8e9b04'"]);
    const failed = await act({ do: "start" }, await guest(halted), {
      status: 1,
      stderr: "Error code: SR_FULL\nError parameters: \n",
    });
    expect(failed.outcome).toMatchObject({ ok: false, error: expect.stringMatching(/no room left/) });
  });

  test("shuts down within its limit; a guest that did not listen is offered to be forced off", async () => {
    const late = await act({ do: "shutdown" }, await guest(web), { status: 124 }, ["running"], 5);
    expect(late.pool.lines()[0]).toMatch(/^timeout -k 5 5 /);
    expect(late.outcome.error).toMatch(/after 5 s the guest is still running.*Force off/);
    expect(late.outcome.unheard).toBe(true);
    // It went off in the moment in which the client was cut off.
    expect((await act({ do: "shutdown" }, await guest(web), { status: 124 }, ["halted"], 5)).outcome.ok).toBe(true);
  });

  test("whose answer was lost is known by the guest's state", async () => {
    expect((await act({ do: "save" }, await guest(web), lost, [lost, "suspended"])).outcome.ok).toBe(true);
    expect((await act({ do: "start" }, await guest(halted), lost, ["halted"])).outcome.error).toMatch(/halted/);
    await expect(act({ do: "clone", to: "x" }, await guest(halted), lost)).rejects.toMatchObject({
      kind: "connection",
    });
  });

  test("migrates to a host by its name, from targets that xapi and their memory allow", async () => {
    const hosts = poll.stdout.split("@@virtu vms")[0];
    const possible = "@@virtu possible\nc1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c12\n";
    const { xe } = provider(() => ({ stdout: `${possible}${hosts}` }));
    await xe.list({});
    const one = await guest(web);
    expect((await xe.targets("migrate", one, {})).map(({ name, refusal }) => [name, refusal])).toEqual([
      ["xcp-2", "it is in maintenance"],
      ["xcp-3", "it has only 512 MiB free"],
    ]);
    expect(await xe.targets("migrate", { ...one, memoryMiB: 256 }, {})).toContainEqual(
      expect.objectContaining({ name: "xcp-3", refusal: null, memoryFreeMiB: 512 }),
    );
    expect(xe.preview({ do: "migrate", to: "xcp-3", live: true }, one)[0]).toMatch(
      /host-uuid=c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c12 'live=true'$/,
    );
    expect(xe.preview({ do: "migrate", to: null, live: true }, one)).toEqual([]);
  });
});

test("refuses what makes no sense now, with the reason", async () => {
  const { xe } = provider(() => undefined);
  expect(xe.refuses("start", await guest(suspended))).toMatch(/restore it/);
  expect(xe.refuses("restore", await guest(suspended))).toBeNull();
  expect(xe.refuses("force-off", await guest(suspended))).toBeNull();
  expect(xe.refuses("remove", await guest(web))).toMatch(/shut it down/);
  expect(xe.refuses("clone", await guest(halted))).toBeNull();
  expect(xe.refuses("shutdown", await guest(moving))).toMatch(/xapi works on it: pool_migrate/);
  expect(xe.refuses("force-off", await guest(moving))).toBeNull();
  expect(xe.refuses("reset", await guest(web))).toMatch(/reboot it hard/);
});

test("opens the console on the host where the guest runs", async () => {
  const { xe } = provider(() => undefined);
  await xe.list({});
  const here = xe.console(await guest(web));
  const there = xe.console(await guest(moving));
  if ("refusal" in here || "refusal" in there) throw new Error("no console");
  expect(here.host).toEqual({ name: "xcp-1" });
  expect(there.host).toEqual({ name: "172.16.20.2", via: { name: "xcp-1" }, user: "root" });
  expect(here.command.line).toMatch(/^\/usr\/sbin\/xl console "\$\(.*param-name=dom-id.*\)"$/);
  expect(xe.console(await guest(halted))).toMatchObject({ refusal: "web-1 is halted" });
});

test("tells each task of xapi once", async () => {
  const told: string[] = [];
  const tasks =
    "@@virtu tasks\nuuid ( RO)                : t-1\n          name-label ( RO): Async.VM.start\n    name-description ( RO): \n              status ( RO): pending\n\n\n";
  const { xe } = provider(() => ({ ...lost, stdout: `${tasks}${tasks}${tasks.replace("t-1", "t-2")}` }));
  const watching = xe.watch({
    signal: new AbortController().signal,
    onReady: () => {},
    onEvent: ({ text }) => told.push(text),
  });
  await expect(watching).rejects.toMatchObject({ kind: "connection" });
  expect(told).toEqual(["Async.VM.start", "Async.VM.start"]);
});

test("counts what its vCPUs do by xe where the host forbids to read its records; without an answer there is no usage", async () => {
  const load = (shares: string) =>
    `@@virtu load\nuuid ( RO)                 : 5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02\n    VCPUs-utilisation (MRO): ${shares}\n\n\n`;
  let load1 = load("0: 0.500; 1: 0.250");
  let now = 1000;
  const pool = new ScriptedPool(({ line }) => ({
    stdout: `${poll.stdout}${line.includes("VCPUs-utilisation") ? load1 : ""}`,
  }));
  const xe = new XenServerProvider({ pool, host: { name: "xcp-1" }, found, now: () => now });
  const look = async (looked: boolean) => (await xe.list(looked ? { usageWithinMs: 0 } : {})).instances;
  const counted = async (looked = true) => (await look(looked)).map(({ usage }) => usage?.cpuNs);
  expect(await counted()).toEqual([0, undefined, undefined, undefined]);
  now += 10_000;
  expect((await counted())[0]).toBe(7.5e9);
  // Nobody looks: xapi is not asked, and what is known keeps its own time for a while.
  now += 2000;
  expect((await look(false))[0]?.usage).toMatchObject({ at: 11_000, cpuNs: 7.5e9 });
  load1 = load("0: 1.000; 1: 1.000");
  expect((await counted())[0]).toBe(11.5e9);
  now += 70_000;
  expect((await counted(false))[0]).toBeUndefined();
  load1 = "@@virtu load\n";
  const [running, off] = await look(true);
  expect(running?.usageGap).toMatch(/^xcp-1 does not open \/var\/lib\/xcp\/xcp-rrdd/);
  expect(off?.usageGap).toBeUndefined();
  expect(pool.calls).toHaveLength(6);
});

test("says why its storage can't be listed, and changes none of it", async () => {
  const none = { pools: [], networks: [], problems: [] };
  const one = new XenServerProvider({
    pool: new ScriptedPool(() => ({ stdout: "@@virtu end 1\n", stderr: "Authentication failed\n" })),
    ...{ host: { name: "xcp-1" }, found },
  });
  await expect(one.stores.list({})).rejects.toMatchObject({ kind: "refused", why: expect.stringMatching(/no rights/) });
  expect(one.stores.refuses({ do: "pool-create", pool: "a", directory: "/a" }, none)).toMatch(/xe's alone/);
  expect(await one.stores.act({ do: "network-stop", network: "a" }, {})).toMatchObject({ ok: false });
});
