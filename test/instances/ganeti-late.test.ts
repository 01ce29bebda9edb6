/** A node that is late makes its own rows late and no others, whichever way the cluster is asked. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createInventory } from "../../source/instances/inventory.ts";
import type { Snapshot } from "../../source/instances/types.ts";
import { FakeCluster, short } from "./fake-cluster.ts";
import { ganetiOn } from "./fake-luxi.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const two = () => ({ web1: { node: "node1", status: "running" }, web2: { node: "node2", status: "running" } });

/** Waits for it, and says how many milliseconds that took. */
async function timed<T>(work: Promise<T>): Promise<{ value: T; took: number }> {
  const began = Date.now();
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  while (!done) await vi.advanceTimersByTimeAsync(50);
  return { value: await ended, took: Date.now() - began };
}

async function whole(snapshot: Snapshot): Promise<Snapshot> {
  let now = snapshot;
  while (now.rest) now = await now.rest();
  return now;
}

const shown = ({ instances }: Snapshot) =>
  instances.map(({ name, status, late }) => `${short(name)} ${status}${late ? " late" : ""}`).sort();
const nodesOf = ({ nodes }: Snapshot) =>
  nodes.map(({ name, memoryFree, late }) => `${short(name)} ${memoryFree}${late ? " late" : ""}`);

describe.each(["LUXI", "gnt-*"] as const)("by %s", (way) => {
  const list = (ganeti: ReturnType<typeof ganetiOn>) => timed(ganeti.list({ parts: true }));

  test("while all are quick it is one question for the whole cluster", async () => {
    const cluster = new FakeCluster(way, two());
    const { value } = await list(ganetiOn(cluster.pool));
    expect(shown(value)).toEqual(["web1 running", "web2 running"]);
    expect(value.rest).toBeUndefined();
    expect(cluster.asked).toEqual(["instance", "node"]);
    expect(cluster.pool.calls).toHaveLength(way === "LUXI" ? 0 : 1);
  });

  test("a QEMU that hangs: the other node's rows are there at once from then on, its own come when they come", async () => {
    const cluster = new FakeCluster(way, two());
    const ganeti = ganetiOn(cluster.pool);
    await list(ganeti);
    cluster.hangs["node1"] = 5000;
    const found = await list(ganeti);
    expect(found.took).toBeLessThan(3500);
    expect(shown(found.value)).toEqual(["web1 running late", "web2 running"]);
    // The node itself answers.
    expect(nodesOf(found.value)).toEqual(["node1 2048", "node2 2048"]);
    expect(found.value.notes).toEqual([expect.stringMatching(/^node1\.example\.org has not answered in time since /)]);

    cluster.asked.length = 0;
    cluster.instances["web1"] = { node: "node1", status: "ERROR_down" };
    cluster.instances["web2"] = { node: "node2", status: "ADMIN_down" };
    const next = await list(ganeti);
    expect(next.took).toBeLessThan(200);
    expect(shown(next.value)).toEqual(["web1 running late", "web2 stopped"]);
    expect(cluster.asked.filter((one) => one.startsWith("instance !"))).toEqual(["instance !node1"]);
    expect(cluster.asked).not.toContain("instance node2");

    const { value, took } = await timed(whole(next.value));
    expect(shown(value)).toEqual(["web1 error late", "web2 stopped"]);
    expect(took).toBeGreaterThan(4000);
    const [{ late } = {}] = value.instances.filter(({ name }) => short(name) === "web1");
    expect(late).toMatchObject({ node: "node1.example.org" });
    // It has been late since the first list; what is known of it is newer.
    expect(late?.seenAt).toBeGreaterThan(late?.since ?? Number.POSITIVE_INFINITY);
  });

  test("where it is late before it is known who is to blame, the next list asks each node at once", async () => {
    const cluster = new FakeCluster(way, two());
    cluster.hangs["node1"] = 5000;
    cluster.slowConfigured = 6000;
    const ganeti = ganetiOn(cluster.pool);
    expect((await list(ganeti)).took).toBeGreaterThan(4900);
    const { value, took } = await list(ganeti);
    expect(took).toBeLessThan(3000);
    expect(shown(value)).toEqual(["web1 running late", "web2 running"]);
  });

  test("whose QEMU it is that hangs is told by its node, and is kept up to date", async () => {
    const cluster = new FakeCluster(way, { ...two(), web3: { node: "node1", status: "running" } });
    const words = ({ instances }: Snapshot) => instances.map(({ statusDetail }) => statusDetail);
    const ganeti = ganetiOn(cluster.pool);
    cluster.waiting.push("web3", "web2");
    cluster.hangs["node1"] = 5000;
    const { value } = await timed(list(ganeti).then((first) => whole(first.value)));
    expect(words(value)).toEqual(["running", "running", "running (QEMU does not answer)"]);
    // Ganeti does not wait for it any more: it hangs all the same.
    cluster.hangs["node1"] = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    await timed(whole((await list(ganeti)).value));
    await vi.advanceTimersByTimeAsync(10_000);
    const { value: hung } = await list(ganeti);
    expect(words(hung)).toEqual(["running", "running", "running (QEMU does not answer)"]);
    expect(hung.instances.some(({ late }) => late)).toBe(false);
    cluster.waiting.length = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    await timed(whole((await list(ganeti)).value));
    expect(words((await list(ganeti)).value)).toEqual(["running", "running", "running"]);
    const probes = () => cluster.pool.lines().filter((line) => line.includes("@@virtu node $(")).length;
    const before = probes();
    await vi.advanceTimersByTimeAsync(10_000);
    await timed(whole((await list(ganeti)).value));
    expect(probes()).toBe(before);
  });

  test("one that is quick again is asked with all others again", async () => {
    const cluster = new FakeCluster(way, two());
    const ganeti = ganetiOn(cluster.pool);
    cluster.hangs["node1"] = 5000;
    await list(ganeti);
    cluster.hangs["node1"] = 0;
    // The question under way still waits, the next one does not.
    const { value } = await timed(whole((await list(ganeti)).value));
    expect(shown(value)).toEqual(["web1 running", "web2 running"]);
    cluster.asked.length = 0;
    await list(ganeti);
    expect(cluster.asked).toEqual(["instance", "node"]);
  });

  test("seen for the first time while it hangs: what the configuration knows is there, its status is not made up", async () => {
    const cluster = new FakeCluster(way, two());
    cluster.hangs["node1"] = 5000;
    const { value } = await list(ganetiOn(cluster.pool));
    expect(shown(value)).toEqual(["web1 unknown late", "web2 running"]);
    const web1 = value.instances.find(({ name }) => short(name) === "web1");
    expect(web1).toMatchObject({
      ...{ node: "node1.example.org", vcpus: 1, memoryMiB: 128, statusDetail: "its node has not answered yet" },
      late: { seenAt: null },
    });
  });

  test("whoever wants all of it waits for all of it", async () => {
    const cluster = new FakeCluster(way, two());
    cluster.hangs["node1"] = 5000;
    const { value, took } = await timed(ganetiOn(cluster.pool).list({}));
    expect(value.rest).toBeUndefined();
    expect(value.instances.map(({ status }) => status)).toEqual(["running", "running"]);
    // It is not asked a second time in vain: the first question's answer serves.
    expect(took).toBeLessThan(8000);
  });

  test("a node that says nothing at all is given up, and is late in both tables", async () => {
    const cluster = new FakeCluster(way, two(), ["node1", "node2", "node3"]);
    const ganeti = ganetiOn(cluster.pool);
    await list(ganeti);
    cluster.silent["node2"] = 3_600_000;
    const found = await list(ganeti);
    expect(shown(found.value)).toEqual(["web1 running", "web2 running late"]);
    expect(nodesOf(found.value)).toEqual(["node1 2048", "node2 2048 late", "node3 2048"]);
    cluster.pool.calls.length = 0;
    const all = await timed(ganeti.list({}));
    expect(all.took).toBeLessThan(40_000);
    expect(shown(all.value)).toEqual(["web1 running", "web2 running late"]);
    // It is left alone for a while, by the next list, too.
    cluster.asked.length = 0;
    await timed(ganeti.list({}));
    expect(cluster.asked.filter((one) => /^\w+ node2$/.test(one))).toEqual([]);
    await vi.advanceTimersByTimeAsync(15_000);
    await timed(ganeti.list({}));
    expect(cluster.asked.filter((one) => /^\w+ node2$/.test(one)).sort()).toEqual(["instance node2", "node node2"]);
    // LUXI itself is well.
    if (way === "LUXI") expect(cluster.pool.calls).toEqual([]);
  });

  test("a master that is slow altogether has no late nodes", async () => {
    const cluster = new FakeCluster(way, two());
    for (const node of cluster.nodes) cluster.silent[node] = 3000;
    const ganeti = ganetiOn(cluster.pool);
    const { value } = await list(ganeti);
    expect(shown(value)).toEqual(["web1 running", "web2 running"]);
    expect(nodesOf(value)).toEqual(["node1 2048", "node2 2048"]);
    cluster.asked.length = 0;
    expect(shown((await list(ganeti)).value)).toEqual(["web1 running", "web2 running"]);
    // It has learnt how long it takes there.
    expect(cluster.asked).toEqual(["instance", "node"]);
  });

  test("an instance that leaves a late node is shown where it is now", async () => {
    const cluster = new FakeCluster(way, two());
    const ganeti = ganetiOn(cluster.pool);
    cluster.hangs["node1"] = 5000;
    await list(ganeti);
    cluster.instances["web1"] = { node: "node2", status: "running" };
    const { value } = await list(ganeti);
    expect(value.instances.map(({ name, node, late }) => [short(name), short(node), late])).toEqual([
      ["web1", "node2", undefined],
      ["web2", "node2", undefined],
    ]);
    // No instance is left there that could hang.
    await timed(whole(value));
    cluster.asked.length = 0;
    await list(ganeti);
    expect(cluster.asked).toEqual(["instance", "node"]);
  });
});

test("where one can go is known without the node that is late, which is none of the places", async () => {
  const cluster = new FakeCluster("LUXI", two(), ["node1", "node2", "node3"]);
  const ganeti = ganetiOn(cluster.pool);
  cluster.silent["node2"] = 3_600_000;
  const { value } = await timed(ganeti.list({ parts: true }));
  const web1 = value.instances.find(({ name }) => short(name) === "web1");
  if (!web1) throw new Error("no web1");
  const { value: targets, took } = await timed(ganeti.targets("migrate", web1, {}));
  expect(took).toBeLessThan(1000);
  expect(targets.map(({ name, refusal }) => [short(name), refusal])).toEqual([
    ["node3", null],
    ["node2", "it does not answer"],
  ]);
});

test("what came of an action on a late node is told by an answer of afterwards; others are not kept waiting by it", async () => {
  const cluster = new FakeCluster("LUXI", two());
  const inventory = createInventory({ pool: cluster.pool, hosts: [{ name: "node1" }] });
  const keyOf = (name: string) => inventory.view().instances.find((row) => short(row.name) === name)?.key ?? "";
  try {
    cluster.hangs["node1"] = 5000;
    await timed(inventory.refresh());
    const [slow, quick] = ["web1", "web2"].map((name) => inventory.act({ do: "shutdown" }, [keyOf(name)]));
    const ended = await timed(quick?.done ?? Promise.reject());
    expect(ended.value).toMatchObject([{ state: "done", statusAfter: "stopped" }]);
    expect(ended.took).toBeLessThan(1000);
    const late = await timed(slow?.done ?? Promise.reject());
    expect(late.value).toMatchObject([{ state: "done", statusBefore: "running", statusAfter: "stopped" }]);
    expect(late.took).toBeGreaterThan(3000);
  } finally {
    inventory.end();
  }
});

test("the inventory shows each part as it comes, and knows how old it is", async () => {
  const cluster = new FakeCluster("LUXI", two());
  const inventory = createInventory({ pool: cluster.pool, hosts: [{ name: "node1" }] });
  const rows = () => inventory.view().instances.map(({ name, status, stale }) => `${short(name)} ${status} ${stale}`);
  try {
    await timed(inventory.refresh());
    expect(rows()).toEqual(["web1 running false", "web2 running false"]);
    const seenAt = inventory.view().instances[0]?.seenAt ?? 0;
    cluster.hangs["node1"] = 5000;
    cluster.instances["web1"] = { node: "node1", status: "ADMIN_down" };
    cluster.instances["web2"] = { node: "node2", status: "ADMIN_down" };
    await vi.advanceTimersByTimeAsync(1000);
    const refreshed = inventory.refresh();
    await vi.advanceTimersByTimeAsync(3500);
    expect(rows()).toEqual(["web1 running true", "web2 stopped false"]);
    expect(inventory.view().instances[0]?.seenAt).toBe(seenAt);
    expect(inventory.view().hosts[0]).toMatchObject({ state: "ok", late: [{ node: "node1.example.org" }] });
    await timed(refreshed);
    expect(rows()).toEqual(["web1 stopped true", "web2 stopped false"]);
    expect(inventory.view().instances[0]?.seenAt).toBeGreaterThan(seenAt);
  } finally {
    inventory.end();
  }
});
