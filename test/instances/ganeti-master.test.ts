/** The master that moves, by us or by others, and what happens to a cluster while it is watched. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { GanetiProvider } from "../../source/instances/ganeti.ts";
import type { HostNode, ProviderEvent } from "../../source/instances/types.ts";
import { ganetiOn, LuxiPool, LuxiRefusal, recordedReply } from "./fake-luxi.ts";
import { type Call, fixture, type Reply, recorded, ScriptedPool } from "./fake-pool.ts";

const gone = new VirtuError({ kind: "connection", what: "The host does not answer" });
const node = { name: "node2.example.org", roles: ["candidate"] } as unknown as HostNode;

describe("making another node the master", () => {
  function cluster(answer: (call: Call) => Reply) {
    const pool = new ScriptedPool(answer);
    const ganeti = ganetiOn(pool);
    return { pool, ganeti, nodes: ganeti.nodes };
  }

  test("is done on that node, and everything goes there afterwards", async () => {
    const { pool, ganeti, nodes } = cluster(({ line }) =>
      line.includes("master-failover") ? {} : recorded("ganeti", "two-ways-list"),
    );
    expect(nodes.preview({ do: "master" }, node)).toEqual([expect.stringContaining("gnt-cluster master-failover")]);
    expect(await nodes.act({ do: "master" }, node, {})).toMatchObject({ ok: true, job: null });
    expect(pool.calls[0]?.host).toMatchObject({ name: "node2.example.org", via: { name: "node1" }, user: "root" });
    await ganeti.list({});
    expect(pool.calls[1]?.host.name).toBe("node2.example.org");
  });

  test("says why it was not done", async () => {
    const stderr =
      "Failure: prerequisites not met for this operation:\nerror type: wrong_input, error details:\nnode is the master\n";
    const { nodes, ganeti } = cluster(() => ({ status: 1, stderr }));
    expect(await nodes.act({ do: "master" }, node, {})).toMatchObject({ ok: false, error: "node is the master" });
    expect(ganeti.target.name).toBe("node1");
  });

  test("is looked for again when the connection broke meanwhile", async () => {
    const { nodes } = cluster(({ line }) =>
      line.includes("getmaster") ? { stdout: "node2.example.org\n" } : { outcome: "lost" },
    );
    expect(await nodes.act({ do: "master" }, node, {})).toMatchObject({ ok: true });
  });
});

test("a dead master is found anew through the node that was named", async () => {
  const pool = new ScriptedPool(({ host, line }) => {
    if (line.includes("ssconf_master_node")) return { stdout: "node3.example.org\n" };
    return host.name === "node3.example.org" ? recorded("ganeti", "two-ways-list") : gone;
  });
  const ganeti = ganetiOn(pool, { name: "node2" });
  expect((await ganeti.list({})).instances).toHaveLength(6);
  expect(pool.calls.map(({ host }) => host.name)).toEqual(["node1.example.org", "node2", "node3.example.org"]);
  expect(ganeti.target.name).toBe("node3.example.org");
});

test("a dead master that nobody replaced is told as what it is", async () => {
  const pool = new ScriptedPool(({ line }) =>
    line.includes("ssconf_master_node") ? { stdout: "node1.example.org\n" } : gone,
  );
  await expect(ganetiOn(pool, { name: "node2" }).list({})).rejects.toBe(gone);
});

describe("watching", () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** A job as the daemon keeps it; `change` ends the question that waits for it. */
  class Queue {
    readonly rows = new Map<number, { status: string; results: unknown[]; operation: Record<string, unknown> }>();
    private readonly waiting: (() => void)[] = [];
    private last = 49;

    add(operation: Record<string, unknown>): number {
      this.last += 1;
      this.rows.set(this.last, { status: "queued", results: [null], operation });
      return this.last;
    }

    change(id: number, status: string, results: unknown[] = [null]): void {
      Object.assign(this.rows.get(id) ?? {}, { status, results });
      for (const wake of this.waiting.splice(0)) wake();
    }

    async answer(method: string, args: readonly unknown[]): Promise<unknown> {
      if (method === "WaitForJobChange") {
        const [id, , before] = args as [number, unknown, [string] | null];
        const row = this.rows.get(id);
        if (!row) return new LuxiRefusal(["JobLost", ["Can't load job file"]]);
        if (before?.[0] === row.status) await new Promise<void>((resolve) => this.waiting.push(resolve));
        return [[row.status, row.results], []];
      }
      const [what, fields, filter] = args as [string, string[], [string, ...[string, string, number][]] | null];
      if (what !== "job") return recordedReply(what === "node" ? "two-ways-nodes" : "two-ways-instances");
      const byStatus = filter?.[1]?.[1] === "status";
      const ids = !filter || byStatus ? [49, ...this.rows.keys()] : filter.slice(1).map((term) => Number(term[2]));
      const cells = (id: number) => {
        const row = this.rows.get(id);
        const values: Record<string, unknown> = {
          ...{ id, status: row?.status, summary: row && [row.operation["summary"]], received_ts: [1, 2], end_ts: null },
          ...{ opresult: row?.results, ops: row && [row.operation], oplog: [[]] },
        };
        return fields.map((field) => (values[field] === undefined ? [3, null] : [0, values[field]]));
      };
      return { fields: [], data: ids.map(cells) };
    }
  }

  async function watched(queue = new Queue()) {
    const pool = new LuxiPool(
      () => ({}),
      (method, args) => queue.answer(method, args),
    );
    const ganeti: GanetiProvider = ganetiOn(pool);
    await ganeti.list({});
    const events: ProviderEvent[] = [];
    const waiting: { fits: (event: ProviderEvent) => boolean; resolve: (event: ProviderEvent) => void }[] = [];
    const until = (text: RegExp) =>
      new Promise<ProviderEvent>((resolve) => {
        const fits = (event: ProviderEvent) => text.test(event.text);
        const found = events.find(fits);
        if (found) resolve(found);
        else waiting.push({ fits, resolve });
      });
    const abort = new AbortController();
    ends.push(() => abort.abort());
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const watching = ganeti.watch({
      signal: abort.signal,
      onReady: ready,
      onEvent: (event) => {
        events.push(event);
        for (const one of waiting) if (one.fits(event)) one.resolve(event);
      },
    });
    return { queue, pool, ganeti, events, until, abort, watching, isReady };
  }

  const shutdown = {
    ...{
      OP_ID: "OP_INSTANCE_SHUTDOWN",
      instance_name: "web3.example.org",
      summary: "INSTANCE_SHUTDOWN(web3.example.org)",
    },
    reason: [["gnt:client:gnt-instance", "shutdown", 1]],
  };

  test("tells of a job that somebody else began, and that its end changes rows", async () => {
    const { queue, ganeti, until, isReady, abort, watching } = await watched();
    await isReady;
    // What is no job is not told of: the list is read again now and then.
    expect(ganeti.unseenMs).toBe(10_000);
    const id = queue.add(shutdown);
    const begun = await until(/queued/);
    expect(begun).toMatchObject({
      ...{ name: "web3.example.org", by: "gnt-instance", changes: false },
      text: "job 50 INSTANCE_SHUTDOWN: queued",
      key: (await ganeti.list({})).instances.find(({ name }) => name === "web3.example.org")?.key,
    });
    queue.change(id, "running");
    expect((await until(/runs/)).changes).toBe(false);
    queue.change(id, "success");
    expect((await until(/done/)).changes).toBe(true);
    abort.abort();
    await watching;
  });

  test("follows what was under way before, and says why it failed", async () => {
    const before = new Queue();
    const id = before.add(shutdown);
    const { queue, until, isReady, ganeti, events } = await watched(before);
    await isReady;
    queue.change(id, "running");
    await until(/runs/);
    // It is not new: nobody is told that it begins.
    expect(events).toHaveLength(1);
    const web3 = (await ganeti.list({})).instances.find(({ name }) => name === "web3.example.org");
    if (!web3) throw new Error("no web3");
    const way = ganeti.console({ ...web3, facts: { hypervisor: "kvm" } });
    expect("refusal" in way ? null : way.warning).toMatch(/INSTANCE_SHUTDOWN\(web3\.example\.org\) \(job 50\)/);
    queue.change(id, "error", [["OpExecError", ["no space left"]]]);
    expect(await until(/failed/)).toMatchObject({
      text: "job 50 INSTANCE_SHUTDOWN: failed: no space left",
      changes: true,
    });
  });

  test("ends in an error when the master's daemon goes, so that it begins anew elsewhere", async () => {
    const { pool, watching, isReady } = await watched();
    await isReady;
    pool.cut();
    await expect(watching).rejects.toMatchObject({ kind: "connection" });
  });

  test("is done by listing the jobs where forwarding is forbidden, until it is not any more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    ends.push(() => vi.useRealTimers());
    const before = fixture("ganeti", "two-ways-jobs.stdout");
    const last = before.trimEnd().split("\n").at(-1) ?? "";
    const job51 = (status: string, result = "[None]") => {
      const [, , summary = "", received = "", , , ops = "", log = ""] = last.split("\x1f");
      return ["51", status, summary, received, "-", result, ops, log].join("\x1f");
    };
    let stdout = before;
    const forbidden = new VirtuError({ kind: "refused", what: "The host forbids forwarding" });
    const pool = new LuxiPool(
      ({ line }) => (line.includes("gnt-job list") ? { stdout } : recorded("ganeti", "two-ways-list")),
      () => null,
      forbidden,
    );
    const ganeti = ganetiOn(pool);
    await ganeti.list({});
    const events: ProviderEvent[] = [];
    let ready = 0;
    const watching = ganeti.watch({
      signal: new AbortController().signal,
      onReady: () => {
        ready += 1;
      },
      onEvent: (event) => events.push(event),
    });
    const look = async () => {
      events.splice(0);
      await vi.advanceTimersByTimeAsync(4000);
      return events.map(({ text, changes }) => [text, changes]);
    };
    expect(await look()).toEqual([]);
    expect(ready).toBe(1);
    stdout = `${before}${job51("queued")}\n`;
    expect(await look()).toEqual([["job 51 INSTANCE_REBOOT: queued", false]]);
    expect(events[0]).toMatchObject({ name: "web3.example.org", key: expect.stringContaining("/4a519400-") });
    stdout = `${before}${job51("running")}\n`;
    expect(await look()).toEqual([["job 51 INSTANCE_REBOOT: runs", false]]);
    stdout = `${before}${job51("error", "[['OpExecError', ['no space left']]]")}\n`;
    expect(await look()).toEqual([["job 51 INSTANCE_REBOOT: failed: no space left", true]]);
    expect(await look()).toEqual([]);
    pool.trouble = null;
    for (let looks = 0; looks < 4; looks += 1) await look();
    await watching;
  });

  test("leaves a job alone that Ganeti has forgotten", async () => {
    const { queue, until, isReady } = await watched();
    await isReady;
    const id = queue.add(shutdown);
    await until(/queued/);
    queue.rows.delete(id);
    queue.change(id, "success");
    const next = queue.add({
      ...shutdown,
      OP_ID: "OP_INSTANCE_STARTUP",
      summary: "INSTANCE_STARTUP(web3.example.org)",
    });
    await until(/STARTUP: queued/);
    queue.change(next, "success");
    expect(await until(/STARTUP: done/)).toMatchObject({ changes: true });
  });
});
