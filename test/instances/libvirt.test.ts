import { describe, expect, test } from "vitest";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import type { ActionName, BasicActionName, Instance } from "../../source/instances/types.ts";
import { type Reply, recorded, ScriptedPool } from "./fake-pool.ts";

const lost = { outcome: "lost" } as const;
const web1 = { name: "web1", status: "running", facts: {} } as Instance;

function provider(script: (line: string) => Reply | undefined, uri = "qemu:///system") {
  const pool = new ScriptedPool(({ line }) => {
    const reply = script(line);
    if (!reply) throw new Error(`nobody answers ${line}`);
    return reply;
  });
  return { pool, libvirt: new LibvirtProvider({ pool, host: { name: "hv1" }, uri, lookMs: 1 }) };
}

/** Acts on web1 where `verb` answers so and then `domstate` one after the other (the last for good). */
async function act(
  action: BasicActionName,
  verb: Reply,
  states: (string | Reply)[] = [],
  limitSeconds?: number,
  uri?: string,
) {
  const { pool, libvirt } = provider((line) => {
    if (!line.includes(" domstate ")) return verb;
    const state = states.length > 1 ? states.shift() : states[0];
    return typeof state === "string" ? { stdout: `${state}\n\n` } : state;
  }, uri);
  const texts: string[] = [];
  const outcome = await libvirt.act({ do: action }, web1, { limitSeconds, onEvent: ({ text }) => texts.push(text) });
  return { pool, outcome, texts };
}

describe("list", () => {
  test("gives a host's domains in one round trip", async () => {
    const { pool, libvirt } = provider(() => recorded("libvirt", "poll-qemu"));
    const { instances, nodes, notes } = await libvirt.list({});
    expect(pool.calls).toHaveLength(1);
    expect(
      instances.map(({ name, status, statusDetail, vcpus, memoryMiB }) => [
        name,
        status,
        statusDetail,
        vcpus,
        memoryMiB,
      ]),
    ).toEqual([
      ["web1", "running", "running", 1, 160],
      ["ci1", "running", "running", 1, 160],
      ["odd one", "running", "running", 1, 160],
      ["db1", "stopped", "saved", 1, 192],
    ]);
    expect(instances[0]).toMatchObject({
      key: "libvirt/hv1/qemu:///system/5e5e5e5e-0000-4000-8000-000000000001",
      id: "5e5e5e5e-0000-4000-8000-000000000001",
      node: "lvhost1",
      host: "hv1",
      cluster: null,
      facts: { title: "Front-end web", autostart: true, managedSave: false, persistent: true, answers: true },
    });
    expect(nodes).toEqual([expect.objectContaining({ name: "lvhost1", memoryTotal: 24_106, primaryInstances: 4 })]);
    expect(notes).toEqual([]);
  });

  test("keeps every domain while a QEMU hangs, and says whose it is as soon as it is known", async () => {
    const first = await provider(() => recorded("libvirt", "poll-hung-first")).libvirt.list({});
    expect(first.instances.map(({ name, status, vcpus }) => [name, status, vcpus])).toEqual([
      ["web1", "running", null],
      ["ci1", "running", null],
      ["odd one", "running", null],
      ["db1", "stopped", null],
    ]);
    expect(first.notes).toEqual([expect.stringMatching(/hangs/)]);
    const second = await provider(() => recorded("libvirt", "poll-hung-second")).libvirt.list({});
    expect(second.instances.map(({ name, statusDetail, facts }) => [name, statusDetail, facts["answers"]])).toEqual([
      ["web1", "running", true],
      ["ci1", "running (QEMU does not answer)", false],
      ["odd one", "running", true],
      ["db1", "saved", true],
    ]);
    expect(second.notes).toEqual(["the QEMU process of ci1 does not answer"]);
  });

  test("tells the test driver's domains apart by name: their UUIDs may change at each call", async () => {
    const { libvirt } = provider(() => recorded("libvirt", "poll-odd-names"), "test:///odd.xml");
    const { instances } = await libvirt.list({});
    expect(instances.map(({ key }) => key)).toContain("libvirt/hv1/test:///odd.xml/web shut off");
    expect(instances.map(({ name, status }) => [name, status])).toContainEqual(["saved", "stopped"]);
    expect(instances[0]).toMatchObject({ vcpus: null, memoryMiB: null });
  });

  test("explains why it can't be read", async () => {
    const refused = provider(() => recorded("libvirt", "perm-group-denied")).libvirt.list({});
    await expect(refused).rejects.toMatchObject({
      kind: "refused",
      where: "hv1",
      hint: expect.stringMatching(/group/),
    });
    await expect(provider(() => ({ status: 124 })).libvirt.list({})).rejects.toMatchObject({ kind: "timeout" });
    await expect(provider(() => lost).libvirt.list({})).rejects.toMatchObject({ kind: "connection" });
  });
});

describe("an action", () => {
  test("is one virsh call, and a refusal of it is explained", async () => {
    const { pool, outcome } = await act("start", {});
    expect(outcome).toMatchObject({ ok: true, job: null, error: null });
    expect(pool.lines()).toEqual(["LC_ALL=C.UTF-8 virsh -c qemu:///system start web1"]);
    expect(pool.calls[0]?.options.priority).toBe("user");
    const failed = await act("start", recorded("libvirt", "err-start-missing-disk"));
    expect(failed.outcome).toMatchObject({ ok: false, error: expect.stringMatching(/nope\.qcow2 can't be opened/) });
    expect(failed.outcome.detail).toContain("Failed to start domain");
  });

  test("force-off destroys, reboot only asks", async () => {
    expect((await act("force-off", {})).pool.lines()).toEqual(["LC_ALL=C.UTF-8 virsh -c qemu:///system destroy web1"]);
    expect((await act("reboot", {})).outcome).toMatchObject({ ok: true, text: "the guest was asked to reboot" });
  });

  test("shutdown waits until the guest is off", async () => {
    const { outcome, pool, texts } = await act("shutdown", {}, ["running", "in shutdown", "shut off"]);
    expect(outcome.ok).toBe(true);
    expect(pool.lines()).toHaveLength(4);
    expect(texts).toContain("shutting down: 0 s of 120 s");
  });

  test("shutdown of a guest that does not listen ends at the limit and offers to force it off", async () => {
    const { outcome } = await act("shutdown", {}, ["running"], 0.01);
    expect(outcome).toMatchObject({ ok: false, error: expect.stringMatching(/still running.*Force off/) });
  });

  test("shutdown of a transient guest is done when libvirt forgets it", async () => {
    expect((await act("shutdown", {}, [recorded("libvirt", "err-no-domain")])).outcome.ok).toBe(true);
  });

  test("shutdown goes on after a lost connection", async () => {
    expect((await act("shutdown", lost, [lost, "running", "shut off"])).outcome.ok).toBe(true);
  });

  test("whose answer was lost is known by the domain's state", async () => {
    expect((await act("start", lost, [lost, "running"])).outcome.ok).toBe(true);
    expect((await act("start", lost, ["shut off"])).outcome).toMatchObject({
      ok: false,
      error: expect.stringMatching(/shut off/),
    });
    expect((await act("force-off", lost, [recorded("libvirt", "err-no-domain")])).outcome.ok).toBe(true);
    await expect(act("reboot", lost)).rejects.toMatchObject({
      kind: "connection",
      what: expect.stringMatching(/Nobody/),
    });
  });

  test("on the test driver waits for nothing that it would forget", async () => {
    const { outcome, pool } = await act("shutdown", {}, ["running"], 120, "test:///default");
    expect(outcome).toMatchObject({ ok: true, text: expect.stringMatching(/forgets/) });
    expect(pool.lines()).toHaveLength(1);
  });
});

test("refuses what makes no sense in a state", () => {
  const { libvirt } = provider(() => undefined);
  const refuses = (action: ActionName, status: Instance["status"]) => libvirt.refuses(action, { ...web1, status });
  expect(refuses("start", "paused")).toMatch(/paused/);
  expect(refuses("shutdown", "paused")).toMatch(/resume/);
  expect(refuses("force-off", "paused")).toBeNull();
  expect(refuses("start", "running")).toMatch(/already/);
  expect(refuses("start", "error")).toBeNull();
  expect(refuses("force-off", "unknown")).toBeNull();
});
