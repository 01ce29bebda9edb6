/** The site's cluster as virtu drives it: by the socket of its master daemon, and by the gnt-* programs alone. */
import { describe, expect, test, vi } from "vitest";
import { discover } from "../../source/instances/discover.ts";
import { GanetiProvider } from "../../source/instances/ganeti.ts";
import type { Action, NodeAction, ProviderEvent } from "../../source/instances/types.ts";
import { open } from "./site.ts";

const socket = "/var/run/ganeti/socket/ganeti-query";

describe.each([["LUXI"], ["gnt-*"]])("by %s", (way) => {
  async function cluster() {
    const opened = await open();
    const { ganeti: world, machines } = opened.embedded.world;
    if (way !== "LUXI") for (const machine of machines.values()) machine.sockets.delete(socket);
    const [provider] = (await discover(opened.pool, { name: world.master.name })).providers;
    if (!(provider instanceof GanetiProvider)) throw new Error("no cluster");
    const instance = async (name: string) => {
      const found = (await provider.list({})).instances.find((one) => one.name === `${name}.demo`);
      if (!found) throw new Error(`no ${name}`);
      return found;
    };
    const node = async (name: string) => {
      const found = (await provider.list({})).nodes.find((one) => one.name === `${name}.demo`);
      if (!found) throw new Error(`no ${name}`);
      return found;
    };
    const act = async (name: string, action: Action) => provider.act(action, await instance(name), {});
    const actOn = async (name: string, action: NodeAction) => provider.nodes.act(action, await node(name), {});
    return { opened, world, provider, instance, node, act, actOn };
  }

  test("instances are migrated, failed over, moved, renamed and removed", async () => {
    const { world, act, provider, instance } = await cluster();
    expect(await act("web1", { do: "migrate", to: "gnt2.demo", live: true })).toMatchObject({ ok: true });
    expect(world.find("web1.demo")).toMatchObject({ node: { name: "gnt2.demo" }, secondary: { name: "gnt1.demo" } });
    expect(await act("proxy", { do: "failover", to: "gnt3.demo" })).toMatchObject({ ok: true });
    expect(world.find("proxy.demo")?.node.name).toBe("gnt3.demo");
    expect(await act("db1", { do: "migrate", to: "gnt1.demo", live: true })).toMatchObject({
      ...{ ok: false, error: "Instance's disk layout 'plain' does not allow migrations" },
    });
    expect(await act("db1", { do: "move", to: "gnt1.demo" })).toMatchObject({ ok: true });
    expect(world.find("db1.demo")?.node.name).toBe("gnt1.demo");
    expect(await act("mail", { do: "rename", to: "post.demo" })).toMatchObject({ ok: false });
    expect(await act("db2", { do: "rename", to: "db9.demo" })).toMatchObject({ ok: true });
    expect((await instance("db9")).status).toBe("stopped");
    expect(await act("wiki", { do: "remove", keepDisks: false })).toMatchObject({ ok: true });
    expect(world.find("wiki.demo")).toBeUndefined();
    expect((await provider.targets("migrate", await instance("web2"), {})).map(({ name }) => name)).toEqual([
      "gnt3.demo",
    ]);
  });

  test("what instances use is counted on their nodes, and follows one that moves", async () => {
    const { world, act, provider, instance } = await cluster();
    const look = async () => {
      const { instances, nodes } = await provider.list({ usageWithinMs: 0 });
      return { web1: instances.find(({ name }) => name === "web1.demo"), instances, nodes };
    };
    const first = await look();
    expect(first.nodes.map(({ cpu, usageGap }) => [typeof cpu?.busyNs, usageGap])).toEqual(
      world.nodes.map(() => ["number", undefined]),
    );
    for (const { status, usage, usageGap } of first.instances) {
      expect([status === "running", usageGap]).toEqual([usage !== undefined, undefined]);
    }
    await vi.waitFor(async () => {
      const { usage } = (await look()).web1 ?? {};
      expect(usage?.cpuNs).toBeGreaterThan(first.web1?.usage?.cpuNs ?? Number.NaN);
      expect(usage?.netInBytes).toBeGreaterThan(first.web1?.usage?.netInBytes ?? Number.NaN);
    }, 10_000);
    expect(await act("web1", { do: "migrate", to: "gnt2.demo", live: true })).toMatchObject({ ok: true });
    expect((await look()).web1?.usage).toMatchObject({ memorySource: "resident", cpuNs: expect.any(Number) });
    expect(await act("web1", { do: "force-off" })).toMatchObject({ ok: true });
    expect((await instance("web1")).usage).toBeUndefined();
  });

  test("sizes, devices and tags are changed, and seen in the details", async () => {
    const { act, provider, instance } = await cluster();
    for (const action of [
      { do: "set-vcpus", count: 3 },
      { do: "set-memory", mebibytes: 768 },
      { do: "disk-add", mebibytes: 2048, pool: null },
      { do: "disk-grow", disk: "disk/0", mebibytes: 8192 },
      { do: "nic-add", network: "br1" },
      { do: "media-insert", disk: null, path: "/iso/rescue.iso" },
      { do: "tag", add: ["tier:front"], remove: ["owner:jdoe"] },
    ] satisfies Action[]) {
      expect(await act("web1", action), action.do).toMatchObject({ ok: true });
    }
    const web1 = await instance("web1");
    expect(web1).toMatchObject({ vcpus: 3, memoryMiB: 768 });
    const details = await provider.details(web1, {});
    expect(details).toMatchObject({
      disks: [
        { id: "disk/0", sizeMiB: 8192, format: "drbd" },
        { id: "disk/1", sizeMiB: 2048 },
        { id: "cdrom", kind: "cdrom", source: "/iso/rescue.iso" },
      ],
      nics: [
        { id: "nic/0", network: "br0" },
        { id: "nic/1", network: "br1" },
      ],
      ...{ tags: ["env:prod", "tier:front"], networks: ["br0", "br1"] },
    });
  });

  test("nodes are drained, set offline and evacuated", async () => {
    const { world, actOn, node, instance, provider } = await cluster();
    expect(await actOn("gnt2", { do: "drain", on: true })).toMatchObject({ ok: true });
    expect((await node("gnt2")).roles).toEqual(["drained"]);
    expect(await actOn("gnt2", { do: "drain", on: false })).toMatchObject({ ok: true });
    expect(await actOn("gnt3", { do: "offline", on: true })).toMatchObject({ ok: true });
    const db1 = await instance("db1");
    expect(db1.statusDetail).toBe("ERROR_nodeoffline");
    expect(provider.refuses("start", db1)).toMatch(/gnt3\.demo is marked offline/);
    const stuck = await actOn("gnt2", { do: "evacuate", which: "primary" });
    expect(stuck).toMatchObject({
      ok: false,
      error: expect.stringMatching(/on this node only hold db2\.demo \(plain\)/),
    });
    world.instances.splice(
      0,
      world.instances.length,
      ...world.instances.filter(({ template }) => template !== "plain"),
    );
    await actOn("gnt3", { do: "offline", on: false });
    const left = await actOn("gnt2", { do: "evacuate", which: "all" });
    expect(left, JSON.stringify(left)).toMatchObject({ ok: true });
    expect(await node("gnt2")).toMatchObject({ primaryInstances: 0, secondaryInstances: 0 });
  });

  test("a job that waits is taken back", async () => {
    const { opened, world, provider, act } = await cluster();
    opened.embedded.setSpeed(20);
    const first = act("web1", { do: "reboot" });
    await vi.waitFor(() => expect([...world.jobs.values()].some(({ status }) => status === "running")).toBe(true));
    const second = act("web1", { do: "migrate", to: null, live: true });
    await vi.waitFor(async () => {
      const [newest] = await provider.jobs.list({});
      expect(newest).toMatchObject({ state: "waiting", cancellable: true });
    });
    const [newest] = await provider.jobs.list({});
    await provider.jobs.cancel(newest?.id ?? "", {});
    expect(await second).toMatchObject({ ok: false, error: "the job was cancelled" });
    opened.embedded.setSpeed(1000);
    expect(await first).toMatchObject({ ok: true });
    await expect(provider.jobs.cancel(newest?.id ?? "", {})).rejects.toMatchObject({
      why: expect.stringMatching(/over/),
    });
  });

  test("another node becomes the master, and is asked from then on", async () => {
    const { world, actOn, provider, act, node } = await cluster();
    expect(await actOn("gnt2", { do: "master" })).toMatchObject({ ok: true });
    expect(world.master.name).toBe("gnt2.demo");
    expect((await node("gnt2")).roles).toEqual(["master"]);
    expect(provider.target.name).toBe("gnt2.demo");
    expect(await act("proxy", { do: "reboot" })).toMatchObject({ ok: true });
    expect(await actOn("gnt2", { do: "offline", on: true })).toMatchObject({
      error: expect.stringMatching(/master/),
    });
  });
});

test("what others do is told as it happens, also after the master has moved", async () => {
  const opened = await open();
  const { ganeti: world } = opened.embedded.world;
  const [provider] = (await discover(opened.pool, { name: "gnt1.demo" })).providers;
  if (!(provider instanceof GanetiProvider)) throw new Error("no cluster");
  await provider.list({});
  const events: ProviderEvent[] = [];
  const abort = new AbortController();
  const watch = () => {
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const ended = provider.watch({
      signal: abort.signal,
      onReady: ready,
      onEvent: (event) => events.push(event),
    });
    return { isReady, ended };
  };
  const first = watch();
  await first.isReady;
  world.submit("SHUTDOWN", world.instances[0] as never);
  await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ text: expect.stringMatching(/done$/), changes: true }), {
    timeout: 5000,
  });
  expect(events[0]).toMatchObject({ name: "web1.demo", by: "gnt-instance", changes: false });
  expect(events[0]?.key).toBe((await provider.list({})).instances.find(({ name }) => name === "web1.demo")?.key);

  const [, candidate] = (await provider.list({})).nodes;
  if (!candidate) throw new Error("no second node");
  const moved = provider.nodes.act({ do: "master" }, candidate, {});
  await expect(first.ended).rejects.toMatchObject({ kind: "connection" });
  await moved;
  const second = watch();
  await second.isReady;
  world.submit("STARTUP", world.instances[0] as never);
  await vi.waitFor(() => expect(events.at(-1)?.text).toMatch(/STARTUP: done$/), { timeout: 5000 });
  abort.abort();
  await second.ended;
});
