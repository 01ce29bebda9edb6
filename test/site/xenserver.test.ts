/**
 * Disks and cards of guests on the embedded site's pool of XCP-ng, changed as xapi's sources say and looked at in the pool
 * itself; what they use, by its host's records; storage and networks.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { discover } from "../../source/instances/discover.ts";
import type { Action, ActionOutcome, Instance, Provider } from "../../source/instances/types.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { createPool } from "../../source/ssh/pool.ts";
import type { Pool } from "../../source/ssh/types.ts";
import { runProgram } from "../program.ts";
import { TestAsker } from "../ssh/server.ts";

let site: EmbeddedSite;
let pool: Pool;
let xe: Provider;

beforeAll(async () => {
  site = await startSite({ speed: 400 });
  pool = createPool({ sshConfig: site.sshConfigFile, asker: new TestAsker() });
  const { providers } = await discover(pool, { name: "xcp1" });
  const found = providers.find(({ name }) => name === "xenserver");
  if (!found) throw new Error("no pool");
  xe = found;
});
afterAll(async () => {
  await pool.end();
  await site.end();
});

/** Of the two that are called pbx the one that runs; `files, old` is off. */
async function guest(name: string): Promise<Instance> {
  const { instances } = await xe.list({});
  const found = instances.find((one) => one.name === name && (name !== "pbx" || one.status === "running"));
  if (!found) throw new Error(`no ${name}`);
  return found;
}

async function act(name: string, action: Action): Promise<ActionOutcome> {
  const found = await guest(name);
  const refusal = xe.refuses(action.do, found);
  if (refusal !== null) return { ok: false, job: null, text: null, error: refusal, detail: null };
  return xe.act(action, found, {});
}

const parts = () => site.world.xenPool.parts;
const imagesOf = async (name: string) => {
  const { id } = await guest(name);
  return parts()
    .drivesOf(id)
    .map(({ image }) => parts().images.find(({ uuid }) => uuid === image));
};
const gib = 1024 ** 3;

test("adds a disk where it is told to by name, grows it while its guest is off, and takes it out", async () => {
  expect(await act("files, old", { do: "disk-add", mebibytes: 2048, pool: "nfs1" })).toMatchObject({ ok: true });
  const { disks } = await xe.details(await guest("files, old"), {});
  expect(disks).toMatchObject([
    { id: "xvda", kind: "disk", sizeMiB: 10_240, format: "Local storage" },
    { id: "xvdb", kind: "disk", sizeMiB: 2048, format: "nfs1" },
  ]);
  expect(await act("files, old", { do: "disk-grow", disk: "xvdb", mebibytes: 4096 })).toMatchObject({ ok: true });
  expect((await imagesOf("files, old")).map((image) => (image?.bytes ?? 0) / gib)).toEqual([10, 4]);
  expect((await act("pbx", { do: "disk-grow", disk: "xvda", mebibytes: 40_960 })).error).toMatch(
    /only while its guest is off/,
  );

  const [, second] = await imagesOf("files, old");
  expect(await act("files, old", { do: "disk-remove", disk: "xvdb", keepVolume: true })).toMatchObject({ ok: true });
  expect(await imagesOf("files, old")).toHaveLength(1);
  expect(parts().images).toContain(second);
});

test("a running guest's disk is unplugged and, where that is wanted, deleted", async () => {
  expect(await act("pbx", { do: "disk-add", mebibytes: 1024, pool: null })).toMatchObject({ ok: true });
  const [, image] = await imagesOf("pbx");
  const action = { do: "disk-remove", disk: "xvdb", keepVolume: false } as const;
  expect(xe.preview(action, await guest("pbx"), {})[0]).toMatch(/vbd-unplug.*vbd-destroy.*vdi-destroy/);
  expect(xe.preview(action, await guest("files, old"), {})[0]).not.toContain("vbd-unplug");
  expect(await act("pbx", action)).toMatchObject({ ok: true });
  expect(parts().images).not.toContain(image);
  expect(await imagesOf("pbx")).toHaveLength(1);
  expect((await act("pbx", action)).error).toBe("there is no disk xvdb");
});

test("a card is put into the first free place, on a network by its name, and removed by its place", async () => {
  const network = "Pool-wide network associated with eth1";
  expect(await act("pbx", { do: "nic-add", network })).toMatchObject({ ok: true });
  const { nics, networks } = await xe.details(await guest("pbx"), {});
  expect(networks).toContain(network);
  expect(nics.map((nic) => [nic.id, nic.network])).toEqual([
    ["0", "Pool-wide network associated with eth0"],
    ["1", network],
  ]);
  expect(await act("pbx", { do: "nic-remove", nic: "0" })).toMatchObject({ ok: true });
  expect((await xe.details(await guest("pbx"), {})).nics.map(({ id }) => id)).toEqual(["1"]);
  expect((await act("pbx", { do: "nic-add", network: "none" })).error).toBe("there is no network called none");
  parts().networks.push({ uuid: "11111111-2222-4333-8444-555555555555", name: network, bridge: "xenbr2" });
  expect((await act("pbx", { do: "nic-add", network })).error).toMatch(/there are several of network/);
  parts().networks.pop();
});

test("refuses what a saved guest can't have, with the reason", async () => {
  for (const action of ["disk-add", "disk-remove", "nic-add", "nic-remove"] as const) {
    expect(xe.refuses(action, await guest("desktop"))).toMatch(/its memory is saved/);
  }
});

async function look() {
  const { instances, nodes } = await xe.list({ usageWithinMs: 0 });
  return { pbx: instances.find(({ name, status }) => name === "pbx" && status === "running"), nodes };
}

test("what guests and hosts use is read from the host's records, by its socket", async () => {
  const first = await look();
  expect(first.pbx?.usage).toMatchObject({ memorySource: "balloon" });
  expect(first.pbx).not.toHaveProperty("usageGap");
  await vi.waitFor(async () => {
    const { pbx, nodes } = await look();
    for (const counter of ["cpuNs", "diskReadBytes", "diskWrittenBytes", "netInBytes", "netOutBytes"] as const) {
      expect(pbx?.usage?.[counter]).toBeGreaterThan(first.pbx?.usage?.[counter] ?? Number.NaN);
    }
    expect(nodes[0]?.cpu?.busyNs).toBeGreaterThan(0);
  }, 10_000);
  const used = first.pbx?.usage?.memoryMiB ?? 0;
  expect(used).toBeGreaterThan(1024);
  expect(used).toBeLessThan(first.pbx?.memoryMiB ?? 0);
  expect(first.nodes.map(({ name, pools }) => [name, pools?.map((pool) => pool.name)])).toEqual([
    ["xcp1", ["Local storage", "nfs1"]],
    ["xcp2", []],
  ]);
});

/** What `virtu usage` of the built program counted in a second. */
async function usage(...words: string[]): Promise<Record<string, unknown>[]> {
  const options = { sshConfig: site.sshConfigFile, config: site.configDir };
  const ran = await runProgram(["usage", "--seconds", "1", "--json", ...words, "--host", "xcp1"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  return ran.json();
}

test("virtu usage counts guests and hosts of the pool", async () => {
  const number = expect.any(Number);
  const [pbx] = await usage("--state", "running");
  expect(pbx).toMatchObject({
    ...{ name: "pbx", provider: "xenserver", memorySource: "balloon", gap: null },
    ...{ cpu: number, memory: number, diskRead: number, diskWrite: number, netIn: number, netOut: number },
  });
  const hosts = await usage("--nodes");
  expect(hosts.find(({ name }) => name === "xcp1")).toMatchObject({
    ...{ cpu: number, memory: number, gap: null },
    pools: [{ name: "Local storage", percent: number }, { name: "nfs1" }],
  });
  expect(hosts.find(({ name }) => name === "xcp2")).toMatchObject({
    ...{ cpu: null, memory: number },
    gap: "xcp2 is none of virtu's hosts: add it as xcp2 or 172.16.20.2",
  });
});

test("of a guest that goes where virtu may not ask, xe still tells what its vCPUs do", async () => {
  expect(await act("pbx", { do: "migrate", to: "xcp2", live: true })).toMatchObject({ ok: true });
  await look();
  const moved = await look();
  expect(moved.pbx?.usage).toMatchObject({ memoryMiB: null, diskReadBytes: null, cpuNs: expect.any(Number) });
  expect(moved.pbx?.usageGap).toMatch(/^xe tells of vCPUs alone: xcp2 is none of virtu's hosts/);
});

test("storage and networks are listed, with who uses them, and not changed", async () => {
  const view = await xe.stores?.list({});
  expect(view?.pools.map(({ name, type }) => [name, type])).toEqual([
    ["xcp1:Local storage", "ext"],
    ["nfs1", "nfs"],
    ["ISO library", "iso"],
  ]);
  expect(view?.pools[0]?.volumes.map(({ usedBy }) => usedBy)).toContainEqual(["files, old"]);
  expect(view?.networks[0]).toMatchObject({ bridge: "xenbr0", usedBy: expect.arrayContaining(["pbx", "desktop"]) });
  const remove = { do: "pool-remove", pool: "nfs1" } as const;
  expect(xe.stores?.refuses(remove, view ?? { pools: [], networks: [], problems: [] })).toMatch(/with their guests/);
});
