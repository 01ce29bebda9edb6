/** `virtu usage` on scripted hosts: what two looks a second apart say. */
import { expect, test } from "vitest";
import type { Session } from "../../source/commands/run.ts";
import { usage } from "../../source/commands/usage.ts";
import { fixture, ScriptedPool } from "../instances/fake-pool.ts";
import { isDiscovery, isPoll, libvirtHost } from "../instances/script.ts";

const mounts = (used: number) => `
@@virtu pool
${fixture("libvirt", "pool-dumpxml.stdout")}
@@virtu mounts
Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/vda1        264212084  ${used} ${260_000_000 - used}      12% /
`;

/** web1 uses half of its CPU and the node an eighth of its own; numbers grow with every poll by the time that has passed. */
function open() {
  const began = Date.now();
  const pool = new ScriptedPool(({ line }) => {
    if (isDiscovery(line)) return libvirtHost;
    if (!isPoll(line)) return {};
    const ns = (Date.now() - began) * 1e6;
    const cpu = `@@virtu cpu\nuser: ${Math.round(ns)}\nsystem: 0\nidle: ${Math.round(ns * 7)}\niowait: 0\n`;
    const text = fixture("libvirt", "poll-qemu.stdout").replace("@@virtu stats", `${cpu}@@virtu stats`);
    const [head = "", stats = ""] = text.split("@@virtu stats");
    const counted = stats.replace(/(?<=Domain: 'web1'\n[^']*)cpu\.time=\d+/, `cpu.time=${Math.round(1e12 + ns / 2)}`);
    return { stdout: `${head}@@virtu stats${counted}${mounts(195_000_000)}` };
  });
  const printed: { value: unknown; lines: readonly string[] } = { value: undefined, lines: [] };
  const session = {
    app: { pool, settings: { get: (key: string) => (key === "groups" ? {} : "") } },
    globals: { json: true, yes: false, dryRun: false },
    signal: new AbortController().signal,
    out: {
      result: (value: unknown, lines: readonly string[]) => Object.assign(printed, { value, lines }),
      record: () => {},
      note: () => {},
    },
  } as unknown as Session;
  return { session, printed };
}

test("counts instances, the busiest first", async () => {
  const { session, printed } = open();
  expect(await usage(session, { host: ["hv1"], seconds: "1" })).toBe(0);
  const [first, ...others] = printed.value as { name: string; cpu: number | null; memorySource: string | null }[];
  expect(first).toMatchObject({ name: "web1", memorySource: "balloon", gap: null });
  expect(first?.cpu).toBeGreaterThan(40);
  expect(first?.cpu).toBeLessThan(60);
  expect(others.find(({ name }) => name === "db1")).toMatchObject({ cpu: null, memorySource: null });
});

test("counts nodes with --nodes, and how full their pools are", async () => {
  const { session, printed } = open();
  expect(await usage(session, { host: ["hv1"], seconds: "1", nodes: true })).toBe(0);
  const [node, ...others] = printed.value as { cpu: number; memory: number; storage: number }[];
  expect(others).toEqual([]);
  expect(node).toMatchObject({ host: "hv1", pools: [{ name: "default", percent: expect.closeTo(75, 1) }] });
  expect(node?.storage).toBeCloseTo(75, 1);
  expect(node?.cpu).toBeCloseTo(12.5, 1);
  expect(node?.memory).toBeGreaterThan(0);
  expect(printed.lines.join("\n")).toContain("default 75 %");
});

test("--nodes beside a choice of instances is a contradiction", async () => {
  const { session } = open();
  await expect(usage(session, { host: ["hv1"], nodes: true, tag: ["web"] })).rejects.toMatchObject({
    kind: "usage",
    where: "--nodes",
  });
});
