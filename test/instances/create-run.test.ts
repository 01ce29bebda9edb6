import { expect, test } from "vitest";
import { placeOf, runCreate } from "../../source/instances/create-run.ts";
import type { CreateRow } from "../../source/instances/create-types.ts";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import { libvirtRequest } from "../create-requests.ts";
import { ScriptedPool } from "./fake-pool.ts";

test("on one host one at a time works on its storage, while hosts don't wait for each other", async () => {
  /** By host: what is under way there, and the most that ever was. */
  const under = new Map<string, { now: number; most: number }>();
  const all = { now: 0, most: 0 };
  const pool = new ScriptedPool(async ({ host, line }) => {
    if (!/vol-create-as|virt-install/.test(line)) return {};
    const count = under.get(host.name) ?? { now: 0, most: 0 };
    under.set(host.name, count);
    for (const one of [count, all]) {
      one.now += 1;
      one.most = Math.max(one.most, one.now);
    }
    await new Promise((resolve) => setImmediate(resolve));
    count.now -= 1;
    all.now -= 1;
    return {};
  });
  const places = await Promise.all(
    ["hv1", "hv2"].map((name) => {
      const provider = new LibvirtProvider({ pool, host: { name }, uri: "qemu:///system" });
      return placeOf(provider, { provider: "libvirt" } as Parameters<typeof placeOf>[1]);
    }),
  );
  const disks = [{ kind: "new", pool: "default", volume: null, sizeMiB: 64, format: "qcow2" }] as const;
  const rows = ["hv1", "hv2", "hv1", "hv2", "hv1"].map((host, index): CreateRow => {
    const name = `web${index}`;
    const request = libvirtRequest({ name, disks });
    return { name, host, provider: "libvirt", request, where: "", address: null, commands: [], problems: [] };
  });
  const outcomes = await runCreate({ rows }, { pool, places, ready: null, parallel: 3 });
  expect(outcomes.map(({ name, ok }) => [name, ok])).toEqual(rows.map(({ name }) => [name, true]));
  expect([...under].map(([host, { most }]) => [host, most])).toEqual([
    ["hv1", 1],
    ["hv2", 1],
  ]);
  expect(all.most).toBe(2);
});
