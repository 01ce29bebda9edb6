/** What instances and nodes of a cluster use: asked of each node, and only while somebody looks. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseNodeUsage } from "../../source/tools/ganeti-usage.ts";
import { ganetiOn } from "./fake-luxi.ts";
import { recorded, ScriptedPool } from "./fake-pool.ts";

const stat = (pid: number, command: string, user: number, system: number, pages: number) =>
  `${pid} (${command}) S 1 ${pid} ${pid} 0 -1 1077936192 900 0 0 0 ${user} ${system} 0 0 20 0 4 0 1000 1 ${pages} 18446744073709551615`;

function answer(seconds: number): string {
  const busy = 1000 + seconds * 100;
  return `@@virtu node 4096 100
cpu  ${busy} 0 0 ${seconds * 300} 0 0 0 0 50 0
kvm web0.example.org ${stat(700, "qemu-system-x86", seconds * 50, 10, 65_536)}
io read_bytes: 4096
io write_bytes: ${seconds * 1000}
nic 500 ${seconds * 2000}
nic 1 1
kvm db1.example.org ${stat(701, "bash", 9999, 1, 10)}
io read_bytes: 77
@@virtu end
`;
}

const listed = recorded("ganeti", "list-two-nodes");
const kvm = { ...listed, stdout: (listed.stdout ?? "").replaceAll("|fake|", "|kvm|") };
const isProbe = (line: string) => line.includes("@@virtu node $(");

function cluster(
  reply: (node: string) => object = () => ({ stdout: answer(Math.floor(Date.now() / 1000)) }),
  list = kvm,
) {
  const pool = new ScriptedPool(({ line }) => {
    if (!isProbe(line)) return list;
    return reply(/ root@(\S+) /.exec(line)?.[1] ?? "master");
  });
  return { pool, ganeti: ganetiOn(pool), probes: () => pool.lines().filter(isProbe) };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a process is its instance's use; a number that another program has now is none", () => {
  const found = parseNodeUsage(answer(100).replace("@@virtu end", "waits web0.example.org\n@@virtu end"));
  expect(found?.cpu).toEqual({ busyNs: 11_000 * 1e7, totalNs: 41_000 * 1e7 });
  expect([...(found?.waiting ?? [])]).toEqual(["web0.example.org"]);
  expect([...(found?.instances ?? [])]).toEqual([
    [
      "web0.example.org",
      {
        ...{ cpuNs: (5000 + 10) * 1e7, memoryMiB: 256, memorySource: "resident" },
        ...{ diskReadBytes: 4096, diskWrittenBytes: 100_000, netInBytes: 200_001, netOutBytes: 501 },
      },
    ],
  ]);
  expect(parseNodeUsage(answer(1).replace("@@virtu end", ""))).toBeNull();
});

test("Xen's domains are told by xentop", () => {
  const xentop = recorded("xen", "xentop").stdout ?? "";
  const text = `@@virtu node 4096 100\ncpu  1 0 0 3\n@@virtu xentop\n${xentop}\n@@virtu end\n`;
  const found = [...(parseNodeUsage(text)?.instances ?? [])];
  expect(found.length).toBeGreaterThan(0);
  expect(found.map(([name]) => name)).not.toContain("Domain-0");
  for (const [, usage] of found) expect(usage).toMatchObject({ memoryMiB: null, cpuNs: expect.any(Number) });
});

test("nobody who does not look at it makes a node be asked, and its rows say so", async () => {
  const { ganeti, probes } = cluster();
  const { instances, nodes } = await ganeti.list({});
  expect(probes()).toEqual([]);
  expect(instances.find(({ status }) => status === "running")).toMatchObject({
    usageGap: expect.stringContaining("looks at it"),
  });
  expect(nodes[0]).not.toHaveProperty("cpu");
});

test("each node is asked once an interval: the master itself, the others by its login there", async () => {
  const { ganeti, probes } = cluster();
  const first = await ganeti.list({ usageWithinMs: 10_000 });
  expect(probes().filter((line) => line.includes(" ssh ")).length).toBe(probes().length - 1);
  const asked = probes().length;
  expect(asked).toBe(first.nodes.length);
  const web0 = first.instances.find(({ name }) => name === "web0.example.org");
  expect(web0?.usage).toMatchObject({ at: 1_000_000, memoryMiB: 256 });
  expect(first.nodes[0]?.cpu).toMatchObject({ at: 1_000_000 });
  // What changed is read at once; what is used is not asked for sooner, and keeps its time.
  vi.setSystemTime(1_004_000);
  const second = await ganeti.list({ usageWithinMs: 10_000 });
  expect(probes().length).toBe(asked);
  expect(second.instances.find(({ name }) => name === "web0.example.org")?.usage).toEqual(web0?.usage);
  vi.setSystemTime(1_010_000);
  await ganeti.list({ usageWithinMs: 10_000 });
  expect(probes().length).toBe(2 * asked);
  // A chart wants it every two seconds: a login is not made as often.
  vi.setSystemTime(1_012_000);
  await ganeti.list({ usageWithinMs: 2000 });
  expect(probes().length).toBe(2 * asked);
});

test("a node that can't be asked is left alone for a while; its rows say why, the others' are whole", async () => {
  const { ganeti, probes } = cluster((node) =>
    node === "master" ? { stdout: answer(1) } : { status: 255, stderr: "root@node2: Permission denied (publickey).\n" },
  );
  const { instances, nodes } = await ganeti.list({ usageWithinMs: 0 });
  const why = "the master can't log in there: root@node2: Permission denied (publickey).";
  expect(nodes.map(({ cpu, usageGap }) => [cpu !== undefined, usageGap])).toEqual([
    [true, undefined],
    [false, why],
  ]);
  expect(instances.find(({ node }) => node === nodes[1]?.name)?.usageGap).toBe(`${nodes[1]?.name}: ${why}`);
  const asked = probes().length;
  vi.setSystemTime(1_020_000);
  await ganeti.list({ usageWithinMs: 0 });
  expect(probes().length).toBe(asked + 1);
  vi.setSystemTime(1_040_000);
  await ganeti.list({ usageWithinMs: 0 });
  expect(probes().length).toBe(asked + 3);
});

test("numbers that nobody asked for since are no more those of now", async () => {
  const { ganeti } = cluster();
  await ganeti.list({ usageWithinMs: 10_000 });
  vi.setSystemTime(1_100_000);
  const { instances } = await ganeti.list({});
  expect(instances.filter(({ usage }) => usage)).toEqual([]);
});

test("the fake hypervisor runs nothing: that is said, not counted", async () => {
  const { ganeti } = cluster(undefined, listed as typeof kvm);
  const { instances } = await ganeti.list({ usageWithinMs: 0 });
  const [running] = instances.filter(({ status }) => status === "running");
  expect(running?.usage).toBeUndefined();
  expect(running?.usageGap).toContain("fake hypervisor");
});
