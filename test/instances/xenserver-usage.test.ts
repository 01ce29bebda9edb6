/** What XenServer's guests and hosts use, by sockets that answer from a script. */
import { type Duplex, duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { ProviderOptions } from "../../source/instances/types.ts";
import { XenServerProvider } from "../../source/instances/xenserver.ts";
import type { HostRef, RequestOptions } from "../../source/ssh/types.ts";
import { fixture, ScriptedPool } from "./fake-pool.ts";

const poll = fixture("xenserver", "poll.stdout");
const records = fixture("xenserver", "rrd_updates.xml");
const [web, moving] = ["5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02", "0a2d7c44-9f2e-4d0a-b7f1-2c1f5d8e9b05"];
const xcp1 = "c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10";
const xcp2 = "c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c11";
const rrdd = "/var/lib/xcp/xcp-rrdd";
const xapi = "/var/lib/xcp/xapi";

const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const noSocket = new VirtuError({
  kind: "connection",
  what: "The host could not connect",
  why: `${rrdd}: open failed`,
});

/** `silent`: the connection is there, and nothing comes. */
type Answer = string | VirtuError | "silent";

class RrdPool extends ScriptedPool {
  readonly asked: { host: string; path: string; request: string }[] = [];
  readonly ends: Duplex[] = [];
  answer: (host: string, path: string) => Answer = (_host, path) => (path === rrdd ? ok(records) : noSocket);

  override async forward(host: HostRef, to: object, options?: RequestOptions): Promise<Duplex> {
    const path = "socketPath" in to ? String(to.socketPath) : "";
    const answer = this.answer(host.name, path);
    if (options?.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    if (answer instanceof VirtuError) {
      this.asked.push({ host: host.name, path, request: "" });
      throw answer;
    }
    const [near, far] = duplexPair();
    this.ends.push(near);
    far.once("data", (chunk: Buffer) => {
      this.asked.push({ host: host.name, path, request: chunk.toString() });
      if (answer !== "silent") far.end(answer);
    });
    far.on("error", () => {});
    return near;
  }
}

const shares = `@@virtu load\nuuid ( RO)                 : ${web}\n    VCPUs-utilisation (MRO): 0: 0.500; 1: 0.250\n\n\n`;

function provider({ hostUuid = xcp1, known = [] as HostRef[], stores = "", rrdLimitMs = 6000 } = {}) {
  const host = { poll };
  const pool = new RrdPool(({ line }) => ({
    stdout: `${host.poll}${line.includes("sr-list") ? stores : ""}${line.includes("VCPUs-utilisation") ? shares : ""}`,
  }));
  const clock = { now: 1_000_000 };
  const found = {
    ...{ directory: "/usr/bin/", sudo: false, root: true, hostUuid, status: 0, text: "" },
    pool: { uuid: "p-1", name: "lab", master: xcp1 },
  };
  const xe = new XenServerProvider({
    pool,
    host: { name: "pool.lab" },
    known,
    found,
    rrdLimitMs,
    now: () => clock.now,
  });
  const look = async (seconds = 0, options: ProviderOptions = { usageWithinMs: 0 }) => {
    clock.now += seconds * 1000;
    const { instances, nodes } = await xe.list(options);
    const one = (id: string) => instances.find((instance) => instance.id === id);
    return { web: one(web), moving: one(moving), nodes };
  };
  return { pool, host, look, lines: () => pool.lines() };
}

test("counts CPU, memory, disks and network of guests, and the host's CPU, by one request for each look", async () => {
  const { pool, look, lines } = provider();
  const first = await look();
  expect(first.web?.usage).toMatchObject({ cpuNs: 0, memoryMiB: 768, memorySource: "balloon", diskReadBytes: 0 });
  expect(pool.asked).toEqual([{ host: "pool.lab", path: rrdd, request: expect.stringContaining("?start=-20&") }]);
  const { web: seen, nodes } = await look(4);
  expect(seen?.usage).toEqual({
    ...{ at: 1_004_000, memoryMiB: 768, memorySource: "balloon", cpuNs: 1.4 * 4e9 },
    ...{ diskReadBytes: 8292 * 4, diskWrittenBytes: 65_536 * 4, netInBytes: 5096 * 4, netOutBytes: 2049 },
  });
  expect(seen?.usageGap).toBeUndefined();
  expect(nodes[0]).toMatchObject({ name: "xcp-1", cpu: { busyNs: 4e9, totalNs: 16e9, at: 1_004_000 } });
  // The mean of what has passed since then.
  const third = await look(10);
  expect((third.web?.usage?.diskReadBytes ?? 0) - (seen?.usage?.diskReadBytes ?? 0)).toBe((6144 + 100) * 10);
  expect(pool.asked).toHaveLength(3);
  expect(pool.ends.every(({ destroyed }) => destroyed)).toBe(true);
  // Of moving's host nobody tells: xe is still asked what its vCPUs do.
  expect(lines().every((line) => line.includes("VCPUs-utilisation"))).toBe(true);
});

test("nobody is asked while nobody looks, nor sooner than there can be news", async () => {
  const { pool, look, lines } = provider();
  const unseen = await look(0, {});
  expect(unseen.web?.usageGap).toBe("it is counted only while somebody looks at it");
  expect(unseen.nodes[0]).toMatchObject({ usageGap: "it is counted only while somebody looks at it" });
  expect(unseen.nodes[0]?.pools).toBeUndefined();
  expect(lines()[0]).not.toMatch(/utilisation|sr-list/);
  await look(0, { usageWithinMs: 4000 });
  await look(2, { usageWithinMs: 1000 });
  expect(pool.asked).toHaveLength(1);
  const kept = await look(2, { usageWithinMs: 1000 });
  expect(pool.asked).toHaveLength(2);
  expect(kept.web?.usage).toMatchObject({ at: 1_004_000, memoryMiB: 768 });
  // What is known keeps its own time for a while, then it is no more that of now.
  expect((await look(30, {})).web?.usage).toEqual(kept.web?.usage);
  expect((await look(40, {})).web?.usage).toBeUndefined();
});

test("a guest without an agent has all but its memory, and the reason", async () => {
  const { pool, look } = provider();
  pool.answer = () => ok(records.replaceAll("memory_internal_free", "memory_other"));
  await look();
  const { web: seen } = await look(4);
  expect(seen?.usage).toMatchObject({ memoryMiB: null, memorySource: null, diskReadBytes: 8292 * 4 });
  expect(seen?.usageGap).toMatch(/no guest agent in it tells/);
});

test("asks those other hosts of the pool that the user has named, now or later, and says which he has not", async () => {
  const known: HostRef[] = [{ name: "root@172.16.20.9" }];
  const { pool, look } = provider({ known });
  pool.answer = (host) => ok(host === "pool.lab" ? records : records.replaceAll(xcp1, xcp2).replaceAll(web, moving));
  const before = await look();
  expect(before.moving?.usageGap).toMatch(/^xcp-2 is none of virtu's hosts: add it as xcp-2 or 172\.16\.20\.2$/);
  expect(before.nodes.map(({ usageGap }) => usageGap?.slice(0, 5))).toEqual([undefined, "xcp-2", "xcp-3"]);
  const named = { name: "root@172.16.20.2:22" };
  known.push(named);
  await look(4);
  const { moving: seen, nodes } = await look(4);
  expect(seen?.usage).toMatchObject({ memoryMiB: 768, diskReadBytes: 8292 * 4 });
  expect(nodes[1]?.cpu).toMatchObject({ busyNs: 4e9, totalNs: 16e9 });
  // Both run guests, and all of them are in the records: xe needs not be asked any more.
  await look(4);
  expect(pool.lines().at(-1)).not.toContain("VCPUs-utilisation");
  // It was another host: its numbers are not those of this one.
  pool.answer = (host) => ok(host === "pool.lab" ? records : records.replaceAll(xcp1, "0".repeat(36)));
  expect((await look(4)).nodes[1]?.usageGap).toBe("xcp-2 is another host by that name");
});

test("by xapi's socket where the daemon has none; that one is tried first from then on", async () => {
  const { pool, look } = provider();
  pool.answer = (_host, path) => (path === xapi ? ok(records) : noSocket);
  await look();
  expect((await look(4)).web?.usage?.memoryMiB).toBe(768);
  expect(pool.asked.map(({ path }) => path)).toEqual([rrdd, xapi, xapi]);
});

const withheld: [string, Answer, RegExp][] = [
  [
    "forbidden",
    new VirtuError({ kind: "refused", what: "The host forbids forwarding" }),
    /does not open .* AllowStreamLocalForwarding$/,
  ],
  [
    "out of reach",
    new VirtuError({ kind: "connection", what: "The host can't be reached", why: "no route" }),
    /can't be asked: The host can't be reached: no route/,
  ],
  ["not there", noSocket, /does not open \/var\/lib\/xcp\/xcp-rrdd over SSH: that takes root/],
  ["refused", "HTTP/1.1 401 Unauthorised\r\n\r\n<html>", /answered 401 Unauthorised/],
  ["not readable", ok("<html>moved</html>"), /gave an answer that can't be read/],
  ["broken off", ok(records).slice(0, -100), /broke off its answer/],
];
test.each(withheld)(
  "records that are %s leave the vCPUs' use by xe, and are asked more and more seldom",
  async (_what, answer, why) => {
    const { pool, look, lines } = provider();
    pool.answer = () => answer;
    await look();
    const { web: seen, nodes } = await look(4);
    expect(seen?.usage).toMatchObject({ cpuNs: 0.75 * 4e9, memoryMiB: null, diskReadBytes: null, netInBytes: null });
    expect(seen?.usageGap).toMatch(/^xe tells of vCPUs alone: xcp-1 /);
    expect(seen?.usageGap).toMatch(why);
    expect(nodes[0]?.usageGap).toMatch(why);
    const once = pool.asked.length;
    await look(20);
    expect(pool.asked).toHaveLength(once);
    await look(10);
    expect(pool.asked).toHaveLength(2 * once);
    await look(50);
    expect(pool.asked).toHaveLength(2 * once);
    expect(lines().every((line) => line.includes("VCPUs-utilisation"))).toBe(true);
    // It is well again.
    pool.answer = () => ok(records);
    await look(10);
    const well = await look(4);
    expect(well.web?.usage?.memoryMiB).toBe(768);
    expect(well.web?.usageGap).toBeUndefined();
  },
);

test("a host that falls silent keeps nobody waiting for ever, and cancelling is no failure of its", async () => {
  const { pool, look } = provider();
  pool.answer = () => "silent";
  const abort = new AbortController();
  const cancelled = look(0, { usageWithinMs: 0, signal: abort.signal });
  setImmediate(() => abort.abort());
  await expect(cancelled).resolves.toMatchObject({
    web: { usageGap: expect.stringMatching(/only while somebody looks/) },
  });
  expect(pool.ends.every(({ destroyed }) => destroyed)).toBe(true);
  const short = provider({ rrdLimitMs: 20 });
  short.pool.answer = () => "silent";
  const late = await short.look();
  expect(late.nodes[0]?.usageGap).toBe("xcp-1 did not answer within 0.02 s");
  expect(late.web?.usage?.cpuNs).toBe(0);
});

test("a start begins anew: no counter goes on from the guest before it", async () => {
  const { host, look } = provider();
  await look();
  expect((await look(4)).web?.usage?.netOutBytes).toBe(2049);
  host.poll = poll.replace("power-state ( RO): running", "power-state ( RO): halted");
  expect((await look(4)).web).not.toHaveProperty("usage");
  host.poll = poll;
  expect((await look(4)).web?.usage).toMatchObject({ cpuNs: 0, netOutBytes: 0 });
});

test("storage repositories are shown with the host that has them, the shared ones with the master, and read once a minute", async () => {
  const gib = (count: number) => String(count * 1024 ** 3);
  const sr = (uuid: string, name: string, size: string, used: string) =>
    `uuid ( RO)                    : ${uuid}\n              name-label ( RW): ${name}\n           physical-size ( RO): ${size}\n    physical-utilisation ( RO): ${used}\n\n\n`;
  const pbd = (uuid: string, host: string) =>
    `uuid ( RO)       : p\n    sr-uuid ( RO): ${uuid}\n    host-uuid ( RO): ${host}\n\n\n`;
  const stores = [
    `@@virtu srs\n${sr("s1", "Local storage", gib(500), gib(475))}${sr("s2", "nfs1", gib(2000), gib(700))}`,
    `${sr("s3", "Local storage", gib(100), "0")}${sr("s4", "unplugged", gib(9), gib(9))}${sr("s5", "DVD", "-1", "-1")}`,
    `@@virtu pbds\n${pbd("s1", xcp1)}${pbd("s2", xcp2)}${pbd("s2", xcp1)}${pbd("s3", xcp2)}${pbd("s5", xcp1)}`,
  ].join("");
  const { look, lines } = provider({ stores });
  const { nodes } = await look();
  expect(nodes.map(({ pools }) => pools)).toEqual([
    [
      { name: "Local storage", totalMiB: 500 * 1024, freeMiB: 25 * 1024 },
      { name: "nfs1", totalMiB: 2000 * 1024, freeMiB: 1300 * 1024 },
    ],
    [{ name: "Local storage", totalMiB: 100 * 1024, freeMiB: 100 * 1024 }],
    [],
  ]);
  expect(nodes[0]).toMatchObject({ diskTotal: 2500 * 1024, diskFree: 1325 * 1024 });
  expect((await look(4)).nodes[0]?.pools).toHaveLength(2);
  await look(60);
  expect(lines().map((line) => line.includes("sr-list"))).toEqual([true, false, true]);
});
