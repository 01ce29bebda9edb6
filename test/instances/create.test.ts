import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { createInstance } from "../../source/instances/create.ts";
import { askPlacement } from "../../source/instances/create-ganeti.ts";
import type { CreateEvent, CreateRequest } from "../../source/instances/create-types.ts";
import { GanetiProvider } from "../../source/instances/ganeti.ts";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import { ganetiRequest, libvirtRequest, uuid } from "../create-requests.ts";
import { type Call, type Reply, recorded, ScriptedPool } from "./fake-pool.ts";

const lost = { outcome: "lost" } as const;
const noDomain: Reply = { status: 1, stderr: `error: failed to get domain '${uuid}'\n` };

/** A libvirt host; each kind of command gets the next of its replies, and a plain yes when there is none. */
function libvirt(
  replies: Partial<Record<"volume" | "refresh" | "install" | "domain" | "delete" | "forget" | "define", Reply[]>> = {},
) {
  const pool = new ScriptedPool(({ line }: Call): Reply => {
    if (line.includes("vol-create-as")) return replies.volume?.shift() ?? {};
    if (line.includes("pool-refresh")) return replies.refresh?.shift() ?? {};
    if (line.includes("virt-install")) return replies.install?.shift() ?? recorded("libvirt", "vi-import-real");
    if (line.includes("undefine")) return replies.forget?.shift() ?? {};
    if (line.includes("domstate")) return replies.domain?.shift() ?? noDomain;
    if (line.includes("vol-delete")) return replies.delete?.shift() ?? {};
    if (line.includes("define /dev/stdin")) return replies.define?.shift() ?? {};
    if (line.includes("@@virtu image")) {
      return {
        stdout:
          "@@virtu image\n65536\n 51 46 49 fb 00 00 00 03 00 00 00 00 00 00 00 00\n 00 00 00 00 00 00 00 10 00 00 00 00 40 00 00 00\n",
      };
    }
    return {};
  });
  const host = { name: "hv1" };
  return { pool, provider: new LibvirtProvider({ pool, host, uri: "qemu:///system" }) };
}

async function make({ pool, provider }: ReturnType<typeof libvirt>, request: CreateRequest, retryMs?: number) {
  const events: CreateEvent[] = [];
  const outcome = await createInstance(provider, request, { pool, retryMs, onEvent: (event) => events.push(event) });
  return { pool, outcome, events };
}

const disks = [
  { kind: "new", pool: "default", volume: null, sizeMiB: 64, format: "qcow2" },
  { kind: "new", pool: "default", volume: null, sizeMiB: 64, format: "raw" },
] as const;

describe("on libvirt", () => {
  test("its volumes are made, then it; what virt-install warns of is a note", async () => {
    const { pool, outcome, events } = await make(libvirt(), libvirtRequest({ disks }));
    expect(outcome).toMatchObject({
      name: "web1",
      host: "hv1",
      provider: "libvirt",
      ok: true,
      ready: null,
      error: null,
    });
    expect(outcome.notes).toEqual([expect.stringMatching(/less than the recommended/)]);
    expect(pool.lines().map((line) => /vol-create-as|virt-install/.exec(line)?.[0])).toEqual([
      ...["vol-create-as", "vol-create-as", "virt-install"],
    ]);
    expect(pool.calls.every(({ options }) => options.priority === "user")).toBe(true);
    expect(events.map(({ step }) => step)).toEqual(["disk", "disk", "create", "done"]);
  });

  test("when the second volume can't be made, the first one goes, and virt-install never runs", async () => {
    const there = libvirt({ volume: [{}, recorded("libvirt", "vol-no-space")] });
    const { pool, outcome } = await make(there, libvirtRequest({ disks }));
    expect(outcome).toMatchObject({ ok: false, error: "the pool is full", cleanedUp: ["volume default/web1.qcow2"] });
    expect(outcome.detail).toContain("No space left on device");
    expect(outcome.leftBehind).toEqual([]);
    const lines = pool.lines();
    expect(lines.some((line) => line.includes("virt-install"))).toBe(false);
    expect(lines.at(-1)).toContain("vol-delete --pool default --vol web1.qcow2");
  });

  test("a volume that was there already is not its own, and stays", async () => {
    const there = libvirt({ volume: [recorded("libvirt", "vol-exists")] });
    const { pool, outcome } = await make(there, libvirtRequest({ disks }));
    expect(outcome).toMatchObject({ ok: false, cleanedUp: [], leftBehind: [] });
    expect(pool.lines().some((line) => line.includes("vol-delete"))).toBe(false);
  });

  test("when virt-install fails, its volumes go; and the domain, should there be one of its UUID", async () => {
    const none = await make(libvirt({ install: [recorded("libvirt", "vi-no-memory")] }), libvirtRequest({ disks }));
    expect(none.outcome).toMatchObject({ ok: false, error: "the host has not enough memory" });
    expect(none.outcome.cleanedUp).toEqual(["volume default/web1-2.img", "volume default/web1.qcow2"]);
    const half = libvirt({
      ...{ install: [recorded("libvirt", "vi-no-memory")], domain: [{ stdout: "shut off\n\n" }] },
      delete: [{ status: 1, stderr: "error: Failed to delete vol web1-2.img\nerror: it is busy\n" }],
    });
    const { outcome, pool } = await make(half, libvirtRequest({ disks }));
    expect(outcome.cleanedUp).toEqual(["domain web1", "volume default/web1.qcow2"]);
    expect(outcome.leftBehind).toEqual(["volume default/web1-2.img: it is busy"]);
    // Only what was to be made by this UUID is forgotten, never what bears the name.
    expect(pool.lines().filter((line) => /undefine|destroy/.test(line))).toEqual([
      expect.stringMatching(new RegExp(`destroy ${uuid} .*undefine ${uuid} --nvram$`)),
    ]);
  });

  const busy: Reply = {
    status: 1,
    stderr: "ERROR    internal error: pool 'default' has asynchronous jobs running.\n",
  };

  test("while another program makes a volume in the pool, virt-install is called again, and nothing is taken back", async () => {
    const there = libvirt({ install: [busy, busy] });
    const { pool, outcome } = await make(there, libvirtRequest({ disks: [] }), 1);
    expect(outcome).toMatchObject({ ok: true, error: null, cleanedUp: [] });
    expect(pool.lines().filter((line) => line.includes("virt-install"))).toHaveLength(3);
  });

  test("a pool that can't be read anew just then is asked again, and the image is copied once", async () => {
    const copy = { pool: "default", volume: null, sizeMiB: null };
    const request = libvirtRequest({ media: { kind: "import", image: "/c.qcow2", copy } });
    const { pool, outcome } = await make(libvirt({ refresh: [busy, busy] }), request, 1);
    expect(outcome).toMatchObject({ ok: true, cleanedUp: [] });
    const seen = pool.lines().map((line) => /vol-upload|pool-refresh|virt-install/.exec(line)?.[0]);
    expect(seen.filter(Boolean)).toEqual([
      ...["vol-upload", "pool-refresh", "pool-refresh", "pool-refresh", "virt-install"],
    ]);
  });

  test("when that does not end, it fails with the reason, and its volumes go", async () => {
    const there = libvirt({ install: Array.from({ length: 20 }, () => busy) });
    const { pool, outcome } = await make(there, libvirtRequest({ disks: disks.slice(0, 1) }), 1);
    expect(outcome).toMatchObject({ ok: false, cleanedUp: ["volume default/web1.qcow2"], leftBehind: [] });
    expect(outcome.error).toMatch(/makes a volume in the storage pool default/);
    expect(pool.lines().filter((line) => line.includes("virt-install"))).toHaveLength(8);
  });

  test("when the connection breaks under virt-install, the domain itself tells whether it was made", async () => {
    const there = libvirt({ install: [lost], domain: [{ stdout: "running\n\n" }] });
    expect((await make(there, libvirtRequest({ disks }))).outcome).toMatchObject({ ok: true, cleanedUp: [] });
  });

  test("when the host is gone, what may be there is told", async () => {
    const gone = new VirtuError({ kind: "connection", what: "The host does not answer" });
    const there = libvirt({ volume: [{}, lost], domain: [gone], delete: [gone] });
    const { outcome } = await make(there, libvirtRequest({ disks }));
    expect(outcome.ok).toBe(false);
    expect(outcome.leftBehind).toEqual([
      "volume default/web1-2.img, if it is its own",
      "volume default/web1.qcow2: the host can't be reached",
    ]);
  });

  test("cancelled, it is taken back all the same", async () => {
    const abort = new AbortController();
    const there = libvirt();
    const request = libvirtRequest({ disks });
    const outcome = await createInstance(there.provider, request, {
      ...{ pool: there.pool, signal: abort.signal },
      onEvent: ({ text }) => text.includes("web1-2") && abort.abort(),
    });
    expect(outcome).toMatchObject({ ok: false, error: "Cancelled", cleanedUp: ["volume default/web1.qcow2"] });
  });

  test("a cloud image: its files are sent for its owner alone, and removed when it fails, too", async () => {
    const cloudInit = { user: null, keys: ["ssh-ed25519 AAAA"], hostname: null, network: null, userData: null };
    const copy = { pool: "default", volume: null, sizeMiB: null };
    const request = libvirtRequest({ media: { kind: "cloud", image: "/c.qcow2", copy, cloudInit } });
    const there = libvirt({ install: [recorded("libvirt", "vi-no-memory")] });
    const { pool, outcome } = await make(there, request);
    expect(outcome).toMatchObject({ ok: false, cleanedUp: ["volume default/web1.qcow2"], leftBehind: [] });
    expect(pool.uploads.map(({ path, mode }) => [path.split("/").at(-1), mode])).toEqual([
      ["user-data", 0o600],
      ["meta-data", 0o600],
    ]);
    expect(pool.lines().filter((line) => line.startsWith("rm -r"))).toEqual([`rm -r /tmp/virtu-${uuid}`]);
  });

  test("left off, its definition is printed and defined", async () => {
    const there = libvirt({ install: [{ stdout: "<domain/>" }] });
    const media = { kind: "import", image: "/x.qcow2", copy: null } as const;
    const { pool, outcome } = await make(there, libvirtRequest({ media, start: false }));
    expect(outcome.ok).toBe(true);
    expect(pool.calls.at(-1)?.options.stdin).toBe("<domain/>");
    expect(pool.lines()[0]).toContain("--dry-run --print-xml 1");
  });
});

function ganeti(replies: Partial<Record<"add" | "watch" | "where" | "remove" | "jobs", Reply[]>>) {
  const pool = new ScriptedPool(({ line }: Call): Reply => {
    const kind = line.includes(" add ")
      ? "add"
      : line.includes(" remove ")
        ? "remove"
        : line.includes("gnt-job watch")
          ? "watch"
          : line.startsWith("date")
            ? "jobs"
            : "where";
    const reply = replies[kind]?.shift();
    if (!reply) throw new Error(`nobody answers ${line}`);
    return reply;
  });
  const found = {
    ...{ directory: "/usr/sbin/", root: true, sudo: false, hostname: "node1", group: null },
    ...{ master: "node1.example.org", cluster: "cluster1.example.org" },
  };
  const provider = new GanetiProvider({ pool, found, host: { name: "node1" }, known: [], retryMs: 1 });
  return { pool, provider };
}

const submitted = (id: number): Reply => ({ stderr: `JobID: ${id}\n` });
const dated = (text: string) => `Sun Nov 22 12:05:36 2026  - ${text}\n`;
const failedJob = (text: string): Reply => ({
  status: 1,
  stderr: `Job 15 failed: Failure: command execution error:\n${text}\n`,
});

describe("on Ganeti", () => {
  async function makeThere(replies: Parameters<typeof ganeti>[0], given: Parameters<typeof ganetiRequest>[0] = {}) {
    const { pool, provider } = ganeti(replies);
    const events: CreateEvent[] = [];
    const request = ganetiRequest(given);
    const outcome = await createInstance(provider, request, { pool, onEvent: (event) => events.push(event) });
    return { pool, outcome, events };
  }

  test("its job is followed, and where the allocator put it is told", async () => {
    const log = dated("INFO: Selected nodes for instance web1.example.org via iallocator hail: node2.example.org");
    const { outcome, events } = await makeThere(
      {
        ...{ add: [submitted(15)], watch: [{ stdout: log }] },
        where: [{ stdout: "web1.example.org|node2.example.org|None|running\n" }],
      },
      { placement: { kind: "allocator", name: null } },
    );
    expect(outcome).toMatchObject({
      ok: true,
      job: "15",
      node: "node2.example.org",
      notes: ["hail chose node2.example.org"],
    });
    expect(events.some(({ text, job }) => job === "15" && text.includes("via iallocator hail"))).toBe(true);
  });

  test("refused, nothing is looked for: nothing was made", async () => {
    const { outcome, pool } = await makeThere({ add: [recorded("ganeti", "add-exists")] });
    expect(outcome).toMatchObject({ ok: false, job: null, cleanedUp: [], leftBehind: [] });
    expect(outcome.error).toContain("already in the cluster");
    expect(pool.calls).toHaveLength(1);
    const job: Reply = {
      status: 1,
      stderr: `Job 15 failed: ${recorded("ganeti", "add-nomem").stderr}`,
    };
    const later = await makeThere({ add: [submitted(15)], watch: [job] });
    expect(later.outcome).toMatchObject({ ok: false, job: "15", cleanedUp: [] });
    expect(later.outcome.error).toContain("32768");
    expect(later.pool.calls).toHaveLength(2);
  });

  test("failed half way, what it left in the cluster is removed", async () => {
    const { outcome, pool } = await makeThere({
      ...{ add: [submitted(15)], watch: [failedJob("Could not add os for instance web1"), { stdout: "" }] },
      ...{ where: [{ stdout: "web1.example.org|node1.example.org|None|ADMIN_down\n" }], remove: [submitted(16)] },
    });
    expect(outcome).toMatchObject({ ok: false, cleanedUp: ["instance web1.example.org"], leftBehind: [] });
    expect(pool.lines().at(-2)).toContain("gnt-instance remove --submit -f web1.example.org");
  });

  test("failed before it was in the cluster, there is nothing to remove; what can't be removed is told", async () => {
    const nothing = await makeThere({ add: [submitted(15)], watch: [failedJob("x")], where: [{ stdout: "" }] });
    expect(nothing.outcome).toMatchObject({ ok: false, cleanedUp: [], leftBehind: [] });
    const stays = await makeThere({
      ...{ add: [submitted(15)], watch: [failedJob("x"), failedJob("its node is down")] },
      ...{ where: [{ stdout: "web1.example.org|node1|None|ADMIN_down\n" }], remove: [submitted(16)] },
    });
    expect(stays.outcome.leftBehind).toEqual(["instance web1.example.org: its node is down"]);
  });
});

test("the allocator can be asked beforehand where it would put an instance", async () => {
  const log = dated("INFO: Selected nodes for instance web1.example.org via iallocator hail: node2, node1");
  const request = ganetiRequest({ placement: { kind: "allocator", name: null } });
  const asked = ganeti({ add: [{ stdout: log }, recorded("ganeti", "add-nomem")] });
  expect(await askPlacement(asked.provider, request, null)).toEqual({ allocator: "hail", nodes: ["node2", "node1"] });
  expect(asked.pool.lines()[0]).toMatch(/gnt-instance add --dry-run .*-I \./);
  await expect(askPlacement(asked.provider, request, null)).rejects.toMatchObject({
    ...{ kind: "refused", why: expect.stringContaining("32768") },
  });
});

test("a request of another provider is refused", async () => {
  const { pool, provider } = libvirt();
  await expect(createInstance(provider, ganetiRequest(), { pool })).rejects.toMatchObject({ kind: "usage" });
});
