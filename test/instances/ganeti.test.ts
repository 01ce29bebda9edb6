import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { discover } from "../../source/instances/discover.ts";
import { GanetiProvider } from "../../source/instances/ganeti.ts";
import type { ActionEvent, ActionName, ConsoleWay, HostNode, Instance } from "../../source/instances/types.ts";
import { type Call, type Reply, recorded, ScriptedPool } from "./fake-pool.ts";
import { ganetiHost, ganetiList, isDiscovery, isGanetiList } from "./script.ts";

const lost = { outcome: "lost" } as const;
const instance = {
  name: "web1.example.org",
  status: "running",
  statusDetail: "running",
  facts: {},
} as unknown as Instance;
const submitted: Reply = { stdout: "41: web1.example.org\n" };

/** A provider on the master whose host answers each call by the next of these, by kind of command. */
function provider(replies: { submit?: Reply[]; watch?: Reply[]; jobs?: Reply[]; list?: Reply[] }) {
  const pool = new ScriptedPool(({ line }: Call): Reply => {
    const kind = line.includes("--submit")
      ? "submit"
      : line.includes("gnt-job watch")
        ? "watch"
        : line.startsWith("date +%s")
          ? "jobs"
          : "list";
    const reply = replies[kind]?.shift();
    if (!reply) throw new Error(`nobody answers ${line}`);
    return reply;
  });
  const found = {
    ...{ directory: "/usr/sbin/", root: true, sudo: false, hostname: "node1" },
    ...{ master: "node1.example.org", cluster: "cluster1.example.org", group: null },
  };
  return { pool, ganeti: new GanetiProvider({ pool, found, host: { name: "node1" }, known: [], retryMs: 1 }) };
}

async function act(
  replies: Parameters<typeof provider>[0],
  action: Parameters<GanetiProvider["act"]>[0] = { do: "shutdown" },
) {
  const { pool, ganeti } = provider(replies);
  const events: ActionEvent[] = [];
  const outcome = await ganeti.act(action, instance, { onEvent: (event) => events.push(event) });
  return { pool, outcome, events, texts: events.map(({ text }) => text) };
}

describe("list", () => {
  test("gives instances and nodes of a real cluster in one round trip", async () => {
    const { pool, ganeti } = provider({ list: [recorded("ganeti", "list-two-nodes")] });
    const { instances, nodes, notes } = await ganeti.list({});
    expect(pool.calls).toHaveLength(1);
    expect(
      instances.map(({ name, status, statusDetail, node, vcpus, memoryMiB }) => [
        ...[name, status, statusDetail, node?.split(".")[0], vcpus, memoryMiB],
      ]),
    ).toEqual([
      ["web0.example.org", "running", "running", "node1", 1, 256],
      ["web1.example.org", "running", "running", "node2", 2, 256],
      ["web2.example.org", "running", "running", "node2", 1, 512],
      ["web4.example.org", "stopped", "ADMIN_down", "node1", 1, 128],
      ["web6.example.org", "error", "ERROR_down", "node1", 1, 128],
    ]);
    expect(instances[0]).toMatchObject({ provider: "ganeti", cluster: "cluster1.example.org", host: "node1" });
    expect(instances[0]?.key).toBe(`ganeti/cluster1.example.org@node1.example.org/${instances[0]?.id}`);
    expect(instances[2]?.facts).toMatchObject({ tags: "env:prod,owner:me", ip: null, hypervisor: "fake" });
    expect(nodes[0]).toEqual({
      ...{ key: "ganeti/cluster1.example.org@node1.example.org/node/node1.example.org", name: "node1.example.org" },
      ...{ provider: "ganeti", cluster: "cluster1.example.org", host: "node1", roles: ["master"] },
      ...{ diskTotal: 60_167, diskFree: 56_618, memoryTotal: 24_105, memoryNode: 1114, memoryFree: 21_524 },
      ...{ primaryInstances: 3, secondaryInstances: 0, usageGap: "it is counted only while somebody looks at it" },
    });
    expect(nodes.map(({ roles }) => roles)).toEqual([["master"], ["candidate"]]);
    expect(notes).toEqual([]);
  });

  test("explains a refusal, with Ganeti's own text under it", async () => {
    const { stderr } = recorded("ganeti", "z01-nonroot");
    const { ganeti } = provider({ list: [{ stdout: "@@virtu instances\n@@virtu end 1\n", stderr }] });
    await expect(ganeti.list({})).rejects.toMatchObject({
      ...{ kind: "refused", where: "node1", why: expect.stringMatching(/may not talk/), detail: stderr?.trim() },
    });
  });

  test("rejects a row that it can't read instead of guessing", async () => {
    const stdout = "@@virtu instances\nweb1|u\n@@virtu end 0\n@@virtu nodes\n@@virtu end 0\n";
    const { ganeti } = provider({ list: [{ stdout }] });
    await expect(ganeti.list({})).rejects.toMatchObject({ kind: "unparsed", detail: "web1|u" });
  });

  test("takes a table with fields that this version does not know", async () => {
    const stdout = ganetiList({ web1: "running" }).stdout.replace("@@virtu end 0", "@@virtu end 14");
    const { ganeti } = provider({ list: [{ stdout }] });
    expect((await ganeti.list({})).instances).toHaveLength(1);
  });

  test("follows the master to another node", async () => {
    const pool = new ScriptedPool(({ host, line }) => {
      // It was the master when it was asked what it is.
      if (isDiscovery(line)) return ganetiHost("node2", "node2.example.org");
      return host.name === "node1.example.org" ? ganetiList({ web1: "running" }) : recorded("ganeti", "list-other");
    });
    const [ganeti] = (await discover(pool, { name: "node2" })).providers;
    expect((await ganeti?.list({}))?.instances.map(({ name, host }) => [name, host])).toEqual([["web1", "node2"]]);
    const list = pool.calls.filter(({ line }) => isGanetiList(line));
    expect(list.map(({ host }) => host.name)).toEqual(["node2", "node1.example.org"]);
    expect(list[1]?.host).toMatchObject({ via: { name: "node2" }, user: "root" });
  });
});

describe("an action", () => {
  test("is a job that is followed to its end", async () => {
    const watch = [recorded("ganeti", "k26-watch-live")];
    const { pool, outcome, texts, events } = await act({ submit: [submitted], watch });
    expect(outcome).toMatchObject({ ok: true, job: "41", error: null });
    expect(texts.slice(0, 2)).toEqual([
      "Ganeti job 41",
      "job 41: INFO: Not checking memory on the secondary node as instance will not be started",
    ]);
    expect(events.every(({ job }) => job === "41")).toBe(true);
    expect(pool.lines()).toEqual([
      "LC_ALL=C /usr/sbin/gnt-instance shutdown --submit web1.example.org",
      "LC_ALL=C /usr/sbin/gnt-job watch 41",
    ]);
    expect(pool.calls.every(({ options }) => options.priority === "user")).toBe(true);
  });

  test("fails as its job fails", async () => {
    const { outcome } = await act({ submit: [submitted], watch: [recorded("ganeti", "k11-watch-error")] });
    expect(outcome).toMatchObject({ ok: false, job: "41", error: expect.stringMatching(/not enough memory on node1/) });
    expect(outcome.detail).toContain("insufficient_resources");
  });

  test("fails without a job when Ganeti takes none", async () => {
    const { pool, outcome } = await act({ submit: [recorded("ganeti", "a02-start-unknown")] });
    expect(outcome).toMatchObject({ ok: false, job: null, error: "Ganeti knows no such instance" });
    expect(pool.calls).toHaveLength(1);
  });

  test("finds its job again by number when the connection breaks, and tells nothing twice", async () => {
    const whole = recorded("ganeti", "k26-watch-live");
    const start = whole.stdout?.split("\n").slice(0, 5).join("\n");
    const gone = new VirtuError({ kind: "connection", what: "The host does not answer" });
    const { outcome, texts } = await act({
      submit: [submitted],
      watch: [{ ...lost, stdout: `${start}\n` }, gone, whole],
    });
    expect(outcome).toMatchObject({ ok: true, job: "41" });
    expect(texts).toHaveLength(11);
    expect(new Set(texts).size).toBe(11);
  });

  test("finds a job whose number was lost with the connection", async () => {
    const now = 1_795_344_950;
    const operations = "[{'OP_ID': 'OP_INSTANCE_SHUTDOWN', 'instance_name': 'web1.example.org'}]";
    const stdout = `${now}\n41|INSTANCE_SHUTDOWN(web1.example.org)|[${now - 1}, 5]|${operations}\n`;
    const { outcome } = await act({ submit: [lost], jobs: [lost, { stdout }], watch: [{}] });
    expect(outcome).toMatchObject({ ok: true, job: "41" });
  });

  test("says that nothing was done when the lost submission left no job", async () => {
    const { outcome } = await act({ submit: [lost], jobs: [{ stdout: "1795344950\n" }] });
    expect(outcome).toMatchObject({ ok: false, job: null, error: expect.stringMatching(/nothing was done/) });
  });

  test("stops at once when it is refused the host", async () => {
    const denied = new VirtuError({ kind: "authentication", what: "The host refused the key" });
    await expect(act({ submit: [submitted], watch: [denied] })).rejects.toBe(denied);
  });

  test("is not followed any more after a cancel", async () => {
    const abort = new AbortController();
    const { ganeti } = provider({ submit: [submitted], watch: [lost] });
    const acting = ganeti.act({ do: "start" }, instance, {
      signal: abort.signal,
      onEvent: ({ job }) => job && abort.abort(),
    });
    await expect(acting).rejects.toMatchObject({ kind: "cancelled" });
  });
});

describe("refusals", () => {
  const { ganeti } = provider({});
  const refuses = (action: ActionName, statusDetail: string, facts: Instance["facts"] = {}) => {
    const status = statusDetail === "running" ? "running" : statusDetail.startsWith("ERROR") ? "error" : "stopped";
    return ganeti.refuses(action, { status, statusDetail, facts, node: "node2" } as unknown as Instance);
  };
  const on = (diskTemplate: string, hypervisor = "kvm") => ({ diskTemplate, hypervisor });

  test("are of what makes no sense now, not of what might work", () => {
    expect(refuses("start", "running")).toMatch(/runs already/);
    expect(refuses("shutdown", "running")).toBeNull();
    expect(refuses("reboot", "ADMIN_down")).toMatch(/start it/);
    expect(refuses("force-off", "ADMIN_down")).toMatch(/off already/);
    expect(refuses("start", "ADMIN_down")).toBeNull();
    expect(refuses("start", "ADMIN_offline")).toMatch(/offline/);
    expect(refuses("start", "ERROR_down")).toBeNull();
    expect(refuses("shutdown", "ERROR_down")).toBeNull();
    expect(refuses("rename", "running")).toMatch(/while it is off/);
    expect(refuses("rename", "ADMIN_down")).toBeNull();
    expect(refuses("remove", "running")).toBeNull();
  });

  test("of an offline node lead to failover, which is left", () => {
    for (const action of ["start", "shutdown", "reboot", "migrate", "move", "disk-add"] as const) {
      expect(refuses(action, "ERROR_nodeoffline", on("drbd")), action).toMatch(/node2 is marked offline: fail it over/);
    }
    expect(refuses("failover", "ERROR_nodeoffline", on("drbd"))).toBeNull();
    expect(refuses("start", "ERROR_nodedown")).toBeNull();
  });

  test("are by where the disks are", () => {
    expect(refuses("migrate", "running", on("plain"))).toMatch(/on its node only.*moved/);
    expect(refuses("failover", "running", on("file"))).toMatch(/moved/);
    expect(refuses("move", "running", on("plain"))).toBeNull();
    expect(refuses("move", "running", on("drbd"))).toMatch(/migrate or failover/);
    expect(refuses("migrate", "running", on("sharedfile"))).toBeNull();
    expect(refuses("migrate", "ADMIN_down", on("drbd"))).toMatch(/failover/);
    expect(refuses("disk-grow", "running", on("diskless"))).toMatch(/without disks/);
    expect(refuses("media-insert", "running", on("drbd", "xen-pvm"))).toMatch(/xen-pvm .* no CD drive/);
    expect(refuses("media-insert", "running", on("drbd"))).toBeNull();
  });

  test("of what Ganeti has not at all say what there is instead", () => {
    for (const action of [
      "reset",
      "pause",
      "save",
      "autostart",
      "snapshot-create",
      "clone",
      "note",
      "define",
    ] as const) {
      expect(refuses(action, "running"), action).toMatch(/Ganeti/);
    }
  });

  test("keep an instance whose disks are wanted", async () => {
    const kept = { do: "remove", keepDisks: true } as const;
    expect(ganeti.preview(kept, instance)).toEqual([]);
    expect(await ganeti.act(kept, instance, {})).toMatchObject({ ok: false, error: expect.stringMatching(/kept/) });
  });

  test("of nodes are by their role", () => {
    const node = (role: string, count = 1) =>
      ({ name: "node2", roles: [role], primaryInstances: count, secondaryInstances: 0 }) as unknown as HostNode;
    expect(ganeti.nodes.refuses("offline", node("master"))).toMatch(/another node the master/);
    expect(ganeti.nodes.refuses("drain", node("master"))).toMatch(/another node the master/);
    expect(ganeti.nodes.refuses("master", node("regular"))).toMatch(/candidate/);
    expect(ganeti.nodes.refuses("master", node("candidate"))).toBeNull();
    expect(ganeti.nodes.refuses("evacuate", node("candidate", 0))).toMatch(/no instances/);
    expect(ganeti.nodes.refuses("offline", node("candidate"))).toBeNull();
  });
});

test("several jobs are one line for a timer, of which the second waits for the first", () => {
  const { ganeti } = provider({});
  expect(ganeti.unattended({ do: "tag", add: ["a"], remove: ["b"] }, instance)?.line).toBe(
    "LC_ALL=C /usr/sbin/gnt-instance add-tags --submit web1.example.org a && LC_ALL=C /usr/sbin/gnt-instance remove-tags --submit web1.example.org b",
  );
  expect(ganeti.unattended({ do: "pause" }, instance)).toBeNull();
});

describe("pictures", () => {
  const kvm = { ...instance, node: "node2", facts: { hypervisor: "kvm" } };

  test("are taken on the instance's node, in one round trip", async () => {
    const picture = Buffer.from("P6\n1 1\n255\nabc");
    const { pool, ganeti } = provider({ list: [{ stdout: gzipSync(picture).toString("base64") }] });
    expect(Buffer.from(await ganeti.screenshot(kvm, {}))).toEqual(picture);
    expect(pool.calls).toHaveLength(1);
    expect(pool.calls[0]?.host).toMatchObject({ name: "node2", via: { name: "node1" }, user: "root" });
  });

  test("that can't be had say why: the hypervisor, the instance, or QEMU", async () => {
    const { pool, ganeti } = provider({ list: [{ status: 124 }] });
    expect(ganeti.refusesScreenshot({ ...kvm, facts: { hypervisor: "xen-pvm" } })).toMatch(/xen-pvm gives no picture/);
    expect(ganeti.refusesScreenshot({ ...kvm, status: "error", statusDetail: "ERROR_down" })).toBe("it is off");
    await expect(ganeti.screenshot({ ...kvm, status: "stopped" }, {})).rejects.toMatchObject({ why: "it is off" });
    expect(pool.calls).toHaveLength(0);
    await expect(ganeti.screenshot(kvm, {})).rejects.toMatchObject({
      where: "node2",
      why: expect.stringMatching(/does not answer/),
    });
  });
});

describe("consoles", () => {
  const { ganeti } = provider({});
  const of = (status: Instance["status"], statusDetail: string, hypervisor = "kvm") =>
    ganeti.console({ ...instance, status, statusDetail, node: "node2", facts: { hypervisor } });

  test("are opened on the master, and left by Ctrl-]", () => {
    const way = of("running", "running");
    if ("refusal" in way) throw new Error(way.refusal);
    expect(way.command.line).toBe("LC_ALL=C /usr/sbin/gnt-instance console web1.example.org");
    expect(way).toMatchObject({ host: { name: "node1" }, leave: "\x1d", warning: null });
    expect(way.explain("Console not available for fake hypervisor\n", 0)?.why).toMatch(/fake/);
    expect(
      way.explain("xenconsole: Could not lock /var/lock/xenconsole.1: Resource temporarily unavailable", 11),
    ).toMatchObject({ inUse: true });
    expect(way.explain("login:", 0)).toBeNull();
  });

  test("of an instance that is off can be opened before it is started", () => {
    const way = of("stopped", "ADMIN_down") as ConsoleWay;
    expect(way.start?.line).toMatch(/gnt-instance start --paused \S+ && .*gnt-instance console/);
  });

  test("of KVM can be taken from whoever is at the serial line, on the instance's node", () => {
    const way = of("running", "running") as ConsoleWay;
    expect(way.takeOver?.line).toMatch(/gnt-cluster command -n node2 .*kill.* >\/dev\/null; .*gnt-instance console/);
    expect((of("running", "running", "xen-pvm") as ConsoleWay).takeOver).toBeNull();
  });

  test.each([
    ["     12    2210\n    245    1998\n", "on node2, for 4 min"],
    ["     12    2210\n", null],
  ])("of KVM: who else is at it, by %j", async (stdout, who) => {
    const { pool, ganeti: other } = provider({ list: [{ stdout }] });
    const way = other.console({ ...instance, node: "node2", facts: { hypervisor: "kvm" } }) as ConsoleWay;
    expect(await way.heldBy?.(AbortSignal.timeout(1000))).toBe(who);
    expect(pool.lines()[0]).toMatch(/^LC_ALL=C \/usr\/sbin\/gnt-cluster command -n node2 /);
  });

  test("of KVM: when not even this one is there, nobody can tell", async () => {
    const { ganeti: other } = provider({ list: [{ stdout: "node: node2\n" }] });
    const way = other.console({ ...instance, node: "node2", facts: { hypervisor: "kvm" } }) as ConsoleWay;
    await expect(way.heldBy?.(AbortSignal.timeout(1000))).rejects.toMatchObject({ kind: "unparsed" });
  });

  // As Ganeti 3.0.2 said it.
  test.each([
    ["No serial shell for instance kvm1.example.org\n", 0, "running", { kind: "none" }],
    [
      "Failure: command execution error:\nConsole information for instance kvm1.example.org is unavailable\n",
      ...([1, "running", { kind: "none" }] as const),
    ],
    [
      "Failure: command execution error:\nConsole information for instance kvm1.example.org is unavailable\n",
      ...([1, "ERROR_down", { kind: "off" }] as const),
    ],
    [
      '2026/11/25 07:16:49 socat[1270] E connect(, AF=1 "/var/run/ganeti/kvm-hypervisor/ctrl/kvm1.example.org.serial", 65): Connection refused\n',
      ...([1, "running", { kind: "off", why: expect.stringContaining("QEMU does not run") }] as const),
    ],
  ] as const)("that end with %j say why", (text, status, detail, end) => {
    const way = of(detail === "running" ? "running" : "error", detail) as ConsoleWay;
    expect(way.explain(text, status)).toMatchObject(end);
  });

  test("that can't be had say why", () => {
    expect(of("running", "running", "fake")).toMatchObject({ refusal: expect.stringMatching(/fake/) });
    expect(of("error", "ERROR_nodedown")).toMatchObject({ refusal: expect.stringMatching(/node2 does not answer/) });
  });
});
