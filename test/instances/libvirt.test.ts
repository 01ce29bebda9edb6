import { describe, expect, test } from "vitest";
import type { VirtuError } from "../../source/errors.ts";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import type { Action, ActionName, BasicActionName, Instance, ProviderEvent } from "../../source/instances/types.ts";
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
    expect(outcome).toMatchObject({
      ...{ ok: false, unheard: true, error: expect.stringMatching(/still running.*Force off/) },
    });
    // Nobody knows whether it heard: nothing is offered.
    expect((await act("shutdown", {}, [lost], 0.01)).outcome).not.toHaveProperty("unheard");
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

const shop = {
  ...{
    key: "libvirt/hv1/qemu:///system/u1",
    id: "u1",
    name: "shop",
    status: "running",
    statusDetail: "running",
    memoryMiB: 512,
  },
  facts: { uuid: "u1", persistent: true, managedSave: false, vcpusMax: 2, memoryMaxKiB: 1_048_576, tags: "a,b" },
} as unknown as Instance;
const off = { ...shop, status: "stopped", statusDetail: "shut off" } as Instance;

describe("what is run for an action", () => {
  const { libvirt } = provider(() => undefined);
  const lines = (action: Action, instance = shop) =>
    libvirt.preview(action, instance).map((line) => line.replaceAll("LC_ALL=C.UTF-8 virsh -c qemu:///system ", ""));

  test.each<[Action, Instance, string]>([
    [{ do: "reboot", how: "hard" }, shop, "destroy shop && start shop"],
    [{ do: "save" }, shop, "managedsave shop"],
    [{ do: "resume" }, { ...shop, statusDetail: "pmsuspended" }, "dompmwakeup shop"],
    [{ do: "rename", to: "-x" }, off, "domrename --domain shop --new-name -x"],
    [{ do: "remove", keepDisks: true }, off, "undefine shop --managed-save --snapshots-metadata --nvram"],
    [
      { do: "remove", keepDisks: false },
      off,
      "undefine shop --managed-save --snapshots-metadata --nvram --remove-all-storage",
    ],
    [
      { do: "snapshot-create", name: "s 1", description: "it's", memory: false },
      shop,
      "snapshot-create-as --domain shop --name 's 1' --description 'it'\\''s' --atomic --disk-only",
    ],
    [{ do: "set-memory", mebibytes: 1024 }, shop, "setmem shop 1024M --live --config"],
    [{ do: "set-memory", mebibytes: 2048 }, shop, "setmaxmem shop 2048M --config && setmem shop 2048M --config"],
    [{ do: "set-vcpus", count: 2 }, shop, "setvcpus shop 2 --live --config"],
    [{ do: "set-vcpus", count: 4 }, off, "setvcpus shop 4 --maximum --config && setvcpus shop 4 --config"],
    [
      { do: "nic-add", network: "bridge:br0" },
      off,
      "attach-interface --domain shop --type bridge --source br0 --model virtio --config",
    ],
    [
      { do: "tag", add: ["c"], remove: ["a"] },
      shop,
      "metadata --domain shop --uri urn:virtu:1 --key virtu --set '<tags><tag>b</tag><tag>c</tag></tags>' --live --config",
    ],
    [{ do: "tag", add: [], remove: ["a", "b"] }, off, "metadata --domain shop --uri urn:virtu:1 --remove --config"],
  ])("%j", (action, instance, line) => {
    expect(lines(action, instance)).toEqual([line]);
  });

  test("changes only the running one of what has no definition", () => {
    const transient = { ...shop, facts: { ...shop.facts, persistent: false } };
    expect(lines({ do: "set-vcpus", count: 2 }, transient)).toEqual(["setvcpus shop 2 --live"]);
    expect(libvirt.refuses("save", transient)).toMatch(/transient/);
  });

  test("what needs more than a line can't be left to the host", () => {
    expect(libvirt.unattended({ do: "shutdown" }, shop)?.line).toBe(
      "LC_ALL=C.UTF-8 virsh -c qemu:///system shutdown shop",
    );
    for (const action of [
      { do: "migrate", to: "hv2", live: true },
      { do: "remove", keepDisks: false },
      { do: "define", text: "" },
    ] as const) {
      expect(libvirt.unattended(action, shop)).toBeNull();
    }
  });
});

test("refuses what would hurt, with the reason", () => {
  const { libvirt } = provider(() => undefined);
  const saved = { ...off, facts: { ...off.facts, managedSave: true } };
  expect(libvirt.refuses("disk-add", saved)).toMatch(/saved/);
  expect(libvirt.refuses("restore", off)).toMatch(/nothing/);
  expect(libvirt.refuses("remove", shop)).toMatch(/shut it down/);
  expect(libvirt.refuses("failover", shop)).toMatch(/libvirt has no/);
  expect(libvirt.refuses("migrate", shop)).toBeNull();
  expect(provider(() => undefined, "test:///default").libvirt.refuses("save", shop)).toMatch(/test driver/);
});

describe("removing with the disks", () => {
  const table = (uuid: string, path: string) =>
    `@@virtu disks ${uuid}\n Type   Device   Target   Source\n---------\n file   disk     vda      ${path}\n file   cdrom    sda      -\n\n`;
  const remove = async (disks: string, reply: Reply) => {
    const { pool, libvirt } = provider((line) => (line.includes("@@virtu disks") ? { stdout: disks } : reply));
    return { pool, outcome: await libvirt.act({ do: "remove", keepDisks: false }, off, {}) };
  };

  test("touches nothing when another domain has one of them", async () => {
    const { pool, outcome } = await remove(table("u1", "/i/a b.qcow2") + table("u2", "/i/a b.qcow2"), {});
    expect(outcome).toMatchObject({
      ok: false,
      error: expect.stringMatching(/vda \(\/i\/a b\.qcow2\) is another domain's/),
    });
    expect(pool.calls).toHaveLength(1);
  });

  test("names what went, and what stayed behind", async () => {
    const gone = await remove(table("u1", "/i/a.qcow2") + table("u2", "/i/b.qcow2"), {
      stdout: "Domain 'shop' has been undefined\nVolume 'vda'(/i/a.qcow2) removed.\n\n",
    });
    expect(gone.outcome).toMatchObject({ ok: true, text: "deleted: /i/a.qcow2" });
    const left = await remove(table("u1", "/i/a.qcow2"), {
      stdout: "Domain 'shop' has been undefined\n",
      stderr: "error: Failed to remove storage volume 'vda'(/i/a.qcow2)\nerror: cannot unlink file\n",
      status: 1,
    });
    expect(left.outcome).toMatchObject({ ok: false, error: expect.stringMatching(/removed, but not all: vda/) });
  });
});

describe("a migration", () => {
  const unsafe = { stdout: "error: Unsafe migration: Migration without shared storage is unsafe\n@@virtu status 1\n" };
  const move = async (replies: (Reply | undefined)[]) => {
    const { pool, libvirt } = provider(() => replies.shift());
    const texts: string[] = [];
    const outcome = await libvirt.act({ do: "migrate", to: "hv2.example.org", live: true }, shop, {
      onEvent: ({ text }) => texts.push(text),
    });
    return { pool, outcome, texts };
  };

  test("copies the disks only where libvirt finds no shared storage", async () => {
    const shared = await move([{ stdout: "Migration: [ 43 %]\nMigration: [100 %]\n@@virtu status 0\n" }]);
    expect(shared.outcome).toMatchObject({ ok: true });
    expect(shared.texts).toEqual(["migrating to hv2.example.org: 43 %", "migrating to hv2.example.org: 100 %"]);
    expect(shared.pool.lines()[0]).toContain("--desturi qemu+ssh://hv2.example.org/system");
    const apart = await move([unsafe, { stdout: "missing /i/shop.qcow2\n" }, { stdout: "@@virtu status 0\n" }]);
    expect(apart.outcome).toMatchObject({ ok: true, text: expect.stringMatching(/copied/) });
    expect(apart.pool.lines().map((line) => line.includes("--copy-storage-all"))).toEqual([false, false, true]);
  });

  test("never writes over a file of the other host", async () => {
    const { outcome, pool } = await move([unsafe, { stdout: "held /i/shop.qcow2\n" }]);
    expect(outcome).toMatchObject({ ok: false, error: expect.stringMatching(/overwrite/) });
    expect(pool.calls).toHaveLength(2);
  });

  test("whose answer was lost has worked when the domain is gone from here", async () => {
    expect((await move([lost, recorded("libvirt", "err-no-domain")])).outcome.ok).toBe(true);
    await expect(move([lost, { stdout: "running\n" }])).rejects.toMatchObject({ kind: "connection" });
  });
});

describe("events", () => {
  const start = "c0a92ec1-aa59-49b5-a59e-0068edd58b08 web1\n\n@@virtu ready\n";
  const watch = async (lines: string, end: Reply) => {
    const seen: ProviderEvent[] = [];
    let ready = 0;
    const { libvirt } = provider((line) =>
      line.includes("domuuid") ? { stdout: "ac33113b-6531-4f50-82e6-d30d76d1982f\n\n" } : { stdout: lines, ...end },
    );
    const failure = await libvirt
      .watch?.({ signal: new AbortController().signal, onReady: () => ready++, onEvent: (event) => seen.push(event) })
      .catch((thrown: VirtuError) => thrown);
    return { seen, ready, failure };
  };

  test("are told with key and time; noise and a domain's unknown name are dealt with", async () => {
    const { seen, ready, failure } = await watch(
      `${start}2026-11-22 10:37:29.418+0000: event 'lifecycle' for domain 'web1': Stopped Shutdown
2026-11-22 10:40:03.077+0000: event 'balloon-change' for domain 'web1': 195584KiB
2026-11-22 10:40:04.000+0000: event 'reboot' for domain 'it's new'
2026-11-22 10:40:05.000+0000: event 'lifecycle' for domain 'web1': Undefined Renamed
2026-11-22 10:40:05.001+0000: event 'lifecycle' for domain 'web2': Defined Renamed
`,
      { status: 1, stderr: "error: Disconnected from qemu:///system due to end of file\n" },
    );
    const web = "libvirt/hv1/qemu:///system/c0a92ec1-aa59-49b5-a59e-0068edd58b08";
    expect(seen.map(({ at, key, name, text }) => [at, key, name, text])).toEqual([
      [Date.parse("2026-11-22T10:37:29.418Z"), web, "web1", "Stopped Shutdown"],
      [expect.any(Number), "libvirt/hv1/qemu:///system/ac33113b-6531-4f50-82e6-d30d76d1982f", "it's new", "reboot"],
      [expect.any(Number), web, "web1", "Undefined Renamed"],
      [expect.any(Number), web, "web2", "Defined Renamed"],
    ]);
    expect(ready).toBe(1);
    expect(failure).toMatchObject({ kind: "connection" });
  });

  test("that can't be had: a daemon that is not there may come back, one that refuses won't", async () => {
    expect((await watch("", recorded("libvirt", "err-no-daemon-system"))).failure).toMatchObject({
      kind: "connection",
    });
    expect((await watch("", recorded("libvirt", "perm-group-denied"))).failure).toMatchObject({ kind: "refused" });
    expect(provider(() => undefined, "test:///default").libvirt.watch).toBeUndefined();
  });
});
