/** Runs on many, through the inventory: limits, retries, waves, summaries, and what a picture of thousands costs. */
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createInventory, type Inventory, type InventoryOptions } from "../../source/instances/inventory.ts";
import { limitsOf } from "../../source/instances/limits.ts";
import { summaryFile, summaryJson, summaryText } from "../../source/instances/run-summary.ts";
import type { Wave } from "../../source/instances/waves.ts";
import { type Reply, ScriptedPool } from "./fake-pool.ts";
import { domains, gate, isDiscovery, isPoll, libvirtHost } from "./script.ts";

const open: Inventory[] = [];
afterEach(() => {
  for (const inventory of open.splice(0)) inventory.end();
});

/** Hosts whose domains obey, but for those that a test forbids. */
async function world(
  running: Record<string, Record<string, boolean>>,
  own: {
    refuse?: Set<string>;
    before?: (word: string) => Promise<unknown>;
    look?: () => Promise<unknown>;
    answers?: (line: string) => Reply;
  } = {},
  options: Partial<InventoryOptions> = {},
) {
  const asked: string[] = [];
  const pool = new ScriptedPool(async ({ host, line }): Promise<Reply> => {
    const here = running[host.name] ?? {};
    if (isDiscovery(line)) return libvirtHost;
    if (isPoll(line)) {
      await own.look?.();
      return domains(here);
    }
    const [, verb, name = ""] = /virsh -c \S+ (\w+) (\S+)$/.exec(line) ?? [];
    if (!verb) return own.answers?.(line) ?? { status: 1 };
    if (verb === "domstate") return { stdout: here[name] ? "running\n" : "shut off\n" };
    asked.push(`${verb} ${name}`);
    await own.before?.(`${verb} ${name}`);
    if (own.refuse?.has(name))
      return { status: 1, stderr: `error: Failed to ${verb}\nerror: access denied: not now\n` };
    here[name] = verb === "start";
    return {};
  });
  const inventory = createInventory({ pool, hosts: Object.keys(running).map((name) => ({ name })), ...options });
  open.push(inventory);
  await inventory.refresh();
  const key = (name: string) => inventory.view().instances.find((row) => row.name === name)?.key ?? name;
  return { inventory, pool, asked, running, key };
}

const guests = (count: number, on: boolean) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`vm${index}`, on]));

const wave = (keys: string[], own: Partial<Wave> = {}): Wave => ({
  title: keys.join(" "),
  keys,
  also: [],
  until: [],
  withinSeconds: 1,
  ...own,
});

describe("runs", () => {
  test("go by the settings' limits, and by a run's own instead", async () => {
    const closed = gate();
    const { inventory, asked } = await world(
      { hv1: guests(9, true) },
      { before: () => closed.opened },
      { limits: limitsOf({ default: 2, providers: { libvirt: 3 } }) },
    );
    const keys = inventory.view().instances.map(({ key }) => key);
    const first = inventory.act({ do: "force-off" }, keys.slice(0, 5));
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    const second = inventory.act({ do: "force-off" }, keys.slice(5), { parallel: 5 });
    await vi.waitFor(() => expect(asked).toHaveLength(5));
    closed.open();
    await Promise.all([first.done, second.done]);
    expect(asked).toHaveLength(9);
  });

  test("looks at what came of them leave their host twice the time between them that one takes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const looks: number[] = [];
    const slow: Partial<InventoryOptions> = { limits: limitsOf({ default: 1 }) };
    const look = () => new Promise((resolve) => setTimeout(resolve, 500));
    const watched = {
      look: () => {
        looks.push(Date.now());
        return look();
      },
    };
    const made = world({ hv1: guests(3, true) }, watched, slow);
    await vi.advanceTimersByTimeAsync(500);
    const { inventory } = await made;
    looks.length = 0;
    const { done } = inventory.act(
      { do: "force-off" },
      inventory.view().instances.map(({ key }) => key),
    );
    const since = Date.now();
    await vi.advanceTimersByTimeAsync(5000);
    await done;
    // The first as soon as one has ended, one for the others that ended meanwhile, and no third.
    expect(looks.map((at) => at - since)).toEqual([0, 1500]);
    // Who asks for it does not wait.
    const asked = inventory.refresh();
    expect(looks.map((at) => at - since)).toEqual([0, 1500, 5000]);
    await vi.advanceTimersByTimeAsync(500);
    await asked;
  });

  test("retry asks again for those that failed, in the same way, and for no other", async () => {
    const refuse = new Set(["vm1", "vm3"]);
    const { inventory, asked } = await world({ hv1: guests(5, true) }, { refuse });
    const keys = inventory.view().instances.map(({ key }) => key);
    const run = inventory.act({ do: "force-off" }, keys, { parallel: 4 });
    expect(inventory.retry(run.run)).toBeNull();
    const items = await run.done;
    expect(items.filter(({ state }) => state === "failed").map(({ name }) => name)).toEqual(["vm1", "vm3"]);
    refuse.clear();
    asked.length = 0;
    const again = await inventory.retry(run.run)?.done;
    expect(again?.map(({ name, state }) => `${name} ${state}`)).toEqual(["vm1 done", "vm3 done"]);
    expect(asked).toEqual(["destroy vm1", "destroy vm3"]);
    expect(inventory.view().runs.map(({ run: number }) => number)).toEqual([run.run + 1, run.run]);
    expect(inventory.retry(run.run + 1)).toBeNull();
  });

  test("what is queued can be taken back as a whole, and what has begun goes on", async () => {
    const closed = gate();
    const { inventory, running } = await world({ hv1: guests(5, true) }, { before: () => closed.opened });
    const keys = inventory.view().instances.map(({ key }) => key);
    const run = inventory.act({ do: "force-off" }, keys);
    expect(inventory.cancelRun(run.run)).toBe(3);
    expect(inventory.cancelRun(run.run)).toBe(0);
    closed.open();
    expect((await run.done).map(({ state }) => state)).toEqual(["done", "done", "cancelled", "cancelled", "cancelled"]);
    expect(Object.values(running["hv1"] ?? {}).filter(Boolean)).toHaveLength(3);
  });

  test("a change to one of many leaves the other rows the same objects", async () => {
    const { inventory } = await world({ hv1: guests(50, true) });
    const before = inventory.view().instances;
    inventory.act({ do: "force-off" }, [before[7]?.key ?? ""]);
    const after = inventory.view().instances;
    expect(after.filter((row, index) => row !== before[index]).map(({ name }) => name)).toEqual([before[7]?.name]);
  });

  test("an action on many is one change of the picture, not one for each", async () => {
    const closed = gate();
    const { inventory } = await world({ hv1: guests(50, true) }, { before: () => closed.opened });
    const keys = inventory.view().instances.map(({ key }) => key);
    let changes = 0;
    inventory.on("change", () => {
      changes += 1;
      expect(inventory.view().pending).toHaveLength(50);
    });
    const run = inventory.act({ do: "force-off" }, keys);
    await Promise.resolve();
    expect(changes).toBe(1);
    inventory.removeAllListeners("change");
    closed.open();
    await run.done;
  });
});

describe("waves", () => {
  test("begin one after the other, and say so meanwhile", async () => {
    const closed = gate();
    const { inventory, asked, key } = await world(
      { hv1: { db1: false, web1: false, web2: false } },
      { before: async (word) => word === "start db1" && closed.opened },
    );
    const waves = [wave([key("db1")], { title: "db" }), wave([key("web1"), key("web2")])];
    const run = inventory.act(
      { do: "start" },
      waves.flatMap(({ keys }) => keys),
      { waves },
    );
    await vi.waitFor(() => expect(asked).toEqual(["start db1"]));
    expect(
      run
        .items()
        .map(({ text }) => text)
        .slice(1),
    ).toEqual(["waits for db", "waits for db"]);
    expect(inventory.view().runs[0]?.waves.map(({ state }) => state)).toEqual(["acting", "waiting"]);
    expect(inventory.refuses("start", key("web1"))).toBe("a start is queued");
    closed.open();
    expect((await run.done).map(({ state }) => state)).toEqual(["done", "done", "done"]);
    expect(asked).toEqual(["start db1", "start web1", "start web2"]);
  });

  test("wait for a port that the instance's host is asked for, of those that ran already too", async () => {
    let answers = 0;
    const { inventory, asked, key, pool } = await world(
      { hv1: { db1: true, db2: false, web1: false } },
      {
        answers: (line) => {
          if (!line.includes("/dev/tcp")) return { status: 1 };
          if (line.includes("db1")) answers += 1;
          return { status: line.includes("db1") && answers < 2 ? 1 : 0 };
        },
      },
    );
    const until = [{ kind: "port", port: 5432 }] as const;
    const waves = [wave([key("db2")], { also: [key("db1")], until, withinSeconds: 20 }), wave([key("web1")])];
    const run = inventory.act({ do: "start" }, [key("db2"), key("web1")], { waves });
    expect((await run.done).map(({ state }) => state)).toEqual(["done", "done"]);
    expect(answers).toBe(2);
    expect(asked).toEqual(["start db2", "start web1"]);
    const question = pool.lines().find((line) => line.includes("/dev/tcp"));
    expect(question).toMatch(/^timeout 3 bash -c 'exec 3<>"\/dev\/tcp\/\$0\/\$1"' db[12] 5432 /);
  });

  test("stop where a condition does not hold, say why, and go on from there by a retry", async () => {
    let listens = false;
    const { inventory, asked, key } = await world(
      { hv1: { db1: false, web1: false } },
      { answers: () => ({ status: listens ? 0 : 1 }) },
    );
    const until = [{ kind: "port", port: 5432 }] as const;
    const waves = [wave([key("db1")], { title: "db", until, withinSeconds: 0 }), wave([key("web1")])];
    const run = inventory.act({ do: "start" }, [key("db1"), key("web1")], { waves });
    const [db1, web1] = await run.done;
    expect(db1?.state).toBe("done");
    expect(web1).toMatchObject({
      state: "cancelled",
      error: "wave 1 (db) failed: db1: port 5432: db1 does not answer after 0 s",
    });
    expect(inventory.view().runs[0]?.waves.map(({ state }) => state)).toEqual(["failed", "cancelled"]);
    listens = true;
    const again = await inventory.retry(run.run)?.done;
    expect(again?.map(({ name, state }) => `${name} ${state}`)).toEqual(["web1 done"]);
    expect(asked).toEqual(["start db1", "start web1"]);
  });

  test("stop where one of a wave failed, or go on where that was asked for", async () => {
    const refuse = new Set(["db1"]);
    const stopping = await world({ hv1: { db1: false, web1: false } }, { refuse });
    const waves = (key: (name: string) => string) => [wave([key("db1")]), wave([key("web1")])];
    const both = (key: (name: string) => string) => [key("db1"), key("web1")];
    const stopped = stopping.inventory.act({ do: "start" }, both(stopping.key), { waves: waves(stopping.key) });
    expect((await stopped.done).map(({ state }) => state)).toEqual(["failed", "cancelled"]);
    const going = await world({ hv1: { db1: false, web1: false } }, { refuse });
    const options = { waves: waves(going.key), onFailure: "go-on" } as const;
    const gone = going.inventory.act({ do: "start" }, both(going.key), options);
    expect((await gone.done).map(({ state }) => state)).toEqual(["failed", "done"]);
  });

  test("can be taken back between two", async () => {
    const { inventory, asked, key } = await world({ hv1: { db1: false, web1: false } });
    const waves = [wave([key("db1")], { until: [{ kind: "wait", seconds: 600 }] }), wave([key("web1")])];
    const run = inventory.act({ do: "start" }, [key("db1"), key("web1")], { waves });
    await vi.waitFor(() => expect(inventory.view().runs[0]?.waves[0]?.state).toBe("checking"));
    expect(inventory.cancelRun(run.run)).toBe(1);
    expect((await run.done).map(({ state }) => state)).toEqual(["done", "cancelled"]);
    expect(asked).toEqual(["start db1"]);
  });
});

describe("a summary", () => {
  const finished = async () => {
    const { inventory } = await world({ hv1: guests(3, true) }, { refuse: new Set(["vm1"]) });
    const run = inventory.act(
      { do: "force-off" },
      inventory.view().instances.map(({ key }) => key),
    );
    await run.done;
    const [view] = inventory.view().runs;
    if (!view) throw new Error("the run is not kept");
    return view;
  };

  test("names what failed first, with the state before and after", async () => {
    const view = await finished();
    expect(summaryJson(view)).toMatchObject({
      action: "force-off",
      counts: { done: 2, failed: 1 },
      items: [{ name: "vm1", state: "failed", statusBefore: "running", statusAfter: "running" }, { name: "vm0" }, {}],
    });
    const lines = summaryText(view).split("\n");
    expect(lines[0]).toBe("force off 3 instances: 1 failed, 2 done");
    expect(lines[3]).toMatch(/^failed +hv1\/vm1 running -> running: /);
  });

  test("is JSON in a file whose name says so, else text", async () => {
    const view = await finished();
    expect(JSON.parse(summaryFile(view, "run.JSON"))).toMatchObject({ action: "force-off" });
    expect(summaryFile(view, "run.txt")).toMatch(/^force off 3 instances/);
  });
});
