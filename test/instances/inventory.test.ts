import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { createInventory, type Inventory, type InventoryOptions } from "../../source/instances/inventory.ts";
import { type Reply, type Script, ScriptedPool } from "./fake-pool.ts";
import {
  dead,
  domains,
  type Gate,
  ganetiHost,
  ganetiList,
  gate,
  isDiscovery,
  isEvents,
  isGanetiList,
  isPoll,
  libvirtHost,
} from "./script.ts";

const open: Inventory[] = [];
afterEach(() => {
  for (const inventory of open.splice(0)) inventory.end();
});

function inventoryOf(pool: ScriptedPool, hosts: string[], options: Partial<InventoryOptions> = {}): Inventory {
  const inventory = createInventory({ pool, hosts: hosts.map((name) => ({ name })), ...options });
  open.push(inventory);
  return inventory;
}

const names = (inventory: Inventory) => inventory.view().instances.map(({ host, name }) => `${host}/${name}`);
const keyOf = (inventory: Inventory, name: string, host?: string) => {
  const found = inventory.view().instances.find((row) => row.name === name && (!host || row.host === host));
  if (!found) throw new Error(`${name} is not there`);
  return found.key;
};
const states = (inventory: Inventory) => inventory.view().hosts.map(({ host, state }) => `${host} ${state}`);

/** libvirt hosts with these domains; an action changes them as it would. */
class Hosts {
  readonly running: Record<string, Record<string, boolean>>;
  down = new Set<string>();
  /** Awaited before an action is carried out. */
  before: (line: string) => Promise<unknown> = async () => {};
  readonly pool: ScriptedPool;

  constructor(running: Record<string, Record<string, boolean>>) {
    this.running = running;
    this.pool = new ScriptedPool((call) => this.answer(call));
  }

  private answer: Script = async ({ host, line }): Promise<Reply> => {
    if (this.down.has(host.name)) return dead;
    if (isDiscovery(line)) return libvirtHost;
    // Nothing is told by itself: the interval counts.
    if (isEvents(line)) return { status: 1, stderr: "error: this driver has no events\n" };
    const here = this.running[host.name] ?? {};
    if (isPoll(line)) return domains(here);
    const [, verb, name = ""] = /virsh -c \S+ (\w+) (\S+)$/.exec(line) ?? [];
    if (verb === "domstate") return { stdout: here[name] ? "running\n" : "shut off\n" };
    await this.before(line);
    if (!(name in here)) return { status: 1, stderr: `error: failed to get domain '${name}'\n` };
    here[name] = verb === "start" || verb === "reboot";
    return {};
  };
}

describe("reading", () => {
  test("asks each host once what it runs, and once for every refresh", async () => {
    const { pool } = new Hosts({ hv1: { web1: true }, hv2: { web1: false } });
    const inventory = inventoryOf(pool, ["hv1", "hv2"]);
    expect(states(inventory)).toEqual(["hv1 discovering", "hv2 discovering"]);
    await inventory.refresh();
    await inventory.refresh();
    expect(states(inventory)).toEqual(["hv1 ok", "hv2 ok"]);
    expect(pool.lines("hv1").map((line) => (isDiscovery(line) ? "what" : "list"))).toEqual(["what", "list", "list"]);
    expect(names(inventory)).toEqual(["hv1/web1", "hv2/web1"]);
    expect(new Set(inventory.view().instances.map(({ key }) => key)).size).toBe(2);
  });

  test("keeps what a dead host showed, with its age, and goes on with the others", async () => {
    const hosts = new Hosts({ hv1: { web1: true }, hv2: { db1: true } });
    const inventory = inventoryOf(hosts.pool, ["hv1", "hv2"]);
    await inventory.refresh();
    const seenAt = inventory.view().hosts[1]?.seenAt;
    hosts.down.add("hv2");
    hosts.running["hv1"] = { web1: false };
    await inventory.refresh();
    expect(states(inventory)).toEqual(["hv1 ok", "hv2 stale"]);
    expect(inventory.view().hosts[1]).toMatchObject({ error: dead, seenAt });
    expect(inventory.view().instances.map(({ name, status, stale }) => [name, status, stale])).toEqual([
      ["db1", "running", true],
      ["web1", "stopped", false],
    ]);
    expect(
      inventory
        .view()
        .nodes.map(({ host, stale }) => `${host} ${stale}`)
        .sort(),
    ).toEqual(["hv1 false", "hv2 true"]);
    hosts.down.clear();
    await inventory.refresh();
    expect(inventory.view().instances.every(({ stale }) => !stale)).toBe(true);
    expect(inventory.view().hosts[1]?.error).toBeNull();
  });

  test("says that a host which answers runs nothing it knows", async () => {
    const pool = new ScriptedPool(() => ({ stdout: "@@virtu probe ganeti\n@@virtu probe libvirt\n" }));
    const inventory = inventoryOf(pool, ["plain"]);
    await inventory.refresh();
    expect(inventory.view().hosts[0]).toMatchObject({ state: "error", error: { what: "No VM manager was found" } });
  });

  test("shows one provider where the other can't be used, and names the problem", async () => {
    const pool = new ScriptedPool(({ line }) => {
      if (isDiscovery(line)) {
        const refusal =
          "/usr/bin/virsh\nerror: Failed to connect socket to '/x': Permission denied\n@@virtu status 1\n";
        const { stdout } = ganetiHost("node1", "node1.example.org");
        return { stdout: stdout + refusal };
      }
      return ganetiList({ "web1.example.org": "running" });
    });
    const inventory = inventoryOf(pool, ["node1"]);
    await inventory.refresh();
    expect(inventory.view().hosts[0]).toMatchObject({ state: "ok", problems: [{ what: /libvirt can't be used/ }] });
    expect(names(inventory)).toEqual(["node1/web1.example.org"]);
    await inventory.refresh();
    expect(pool.lines().filter(isDiscovery)).toHaveLength(1);
  });

  test("shows what one provider of a host tells while another one takes its time", async () => {
    const slow = gate<Reply>();
    const pool = new ScriptedPool(({ line }) => {
      if (isDiscovery(line)) {
        const { stdout } = ganetiHost("node1", "node1.example.org");
        return { stdout: stdout + libvirtHost.stdout.replace(/^.*\n.*\n/, "") };
      }
      return isGanetiList(line) ? ganetiList({ "web1.example.org": "running" }) : slow.opened;
    });
    const inventory = inventoryOf(pool, ["node1"]);
    const refreshed = inventory.refresh();
    await vi.waitFor(() => expect(names(inventory)).toEqual(["node1/web1.example.org"]));
    slow.open(domains({ guest1: true }));
    await refreshed;
    expect(names(inventory)).toEqual(["node1/guest1", "node1/web1.example.org"]);
  });

  test("looks again what is there when a provider refuses its list", async () => {
    let refuses = false;
    const pool = new ScriptedPool(({ line }) => {
      if (isDiscovery(line)) return libvirtHost;
      return refuses ? { status: 1, stderr: "error: failed to connect to the hypervisor\n" } : domains({ web1: true });
    });
    const inventory = inventoryOf(pool, ["hv1"]);
    await inventory.refresh();
    refuses = true;
    await inventory.refresh();
    expect(inventory.view().hosts[0]).toMatchObject({ state: "stale", providers: [{ name: "libvirt" }] });
    refuses = false;
    await inventory.refresh();
    expect(states(inventory)).toEqual(["hv1 ok"]);
    expect(pool.lines().filter(isDiscovery)).toHaveLength(2);
  });

  test("drops the rows of a provider that is gone", async () => {
    let gone = false;
    const pool = new ScriptedPool(({ line }) => {
      if (isDiscovery(line)) return gone ? { stdout: "@@virtu probe ganeti\n@@virtu probe libvirt\n" } : libvirtHost;
      return gone ? { status: 127, stderr: "sh: 1: virsh: not found\n" } : domains({ web1: true });
    });
    const inventory = inventoryOf(pool, ["hv1"]);
    await inventory.refresh();
    gone = true;
    await inventory.refresh();
    expect(inventory.view().instances).toMatchObject([{ name: "web1", stale: true }]);
    await inventory.refresh();
    expect(inventory.view().instances).toEqual([]);
    expect(inventory.view().hosts[0]?.error?.what).toBe("No VM manager was found");
  });

  test("gives the same picture as long as nothing changed", async () => {
    const inventory = inventoryOf(new Hosts({ hv1: { web1: true } }).pool, ["hv1"]);
    await inventory.refresh();
    const view = inventory.view();
    expect(inventory.view()).toBe(view);
    const changed = vi.fn();
    inventory.on("change", changed);
    await inventory.refresh();
    expect(changed).toHaveBeenCalled();
    expect(inventory.view()).not.toBe(view);
  });

  test("keeps the order of names while some come and others go", async () => {
    const hosts = new Hosts({
      hv1: { "vm-10": true, "vm-2": true, "vm-9": false },
      hv2: { "vm-3": true, "vm-9": true },
    });
    const inventory = inventoryOf(hosts.pool, ["hv1", "hv2"]);
    await inventory.refresh();
    expect(names(inventory)).toEqual(["hv1/vm-2", "hv2/vm-3", "hv1/vm-9", "hv2/vm-9", "hv1/vm-10"]);
    const before = inventory.view().instances;
    hosts.running["hv1"] = { "vm-1": true, "vm-10": true, "vm-9": false, "vm-11": true };
    await inventory.refresh(["hv1"]);
    expect(names(inventory)).toEqual(["hv1/vm-1", "hv2/vm-3", "hv1/vm-9", "hv2/vm-9", "hv1/vm-10", "hv1/vm-11"]);
    // The rows of a host that was not asked are the same objects.
    const after = inventory.view().instances;
    expect(after.filter((row) => before.includes(row)).map(({ host, name }) => `${host}/${name}`)).toEqual([
      "hv2/vm-3",
      "hv2/vm-9",
    ]);
  });

  test("forgets a host that is removed", async () => {
    const inventory = inventoryOf(new Hosts({ hv1: { web1: true }, hv2: { db1: true } }).pool, ["hv1"]);
    inventory.addHost({ name: "hv2" });
    await inventory.refresh();
    inventory.removeHost("hv1");
    expect(names(inventory)).toEqual(["hv2/db1"]);
    expect(states(inventory)).toEqual(["hv2 ok"]);
  });
});

describe("a cluster that several hosts reach", () => {
  const cluster = (down: Set<string>) =>
    new ScriptedPool(({ host, line }) => {
      if (down.has(host.name) || down.has(host.via?.name ?? "")) return dead;
      if (isDiscovery(line)) return ganetiHost(host.name, "node1.example.org");
      return ganetiList({ "web1.example.org": "running" });
    });

  test("is shown once, through its master", async () => {
    const pool = cluster(new Set());
    const inventory = inventoryOf(pool, ["node2", "node1"]);
    await inventory.refresh();
    await inventory.refresh();
    expect(names(inventory)).toEqual(["node1/web1.example.org"]);
    expect(inventory.view().nodes).toHaveLength(1);
    expect(inventory.view().hosts[0]?.providers[0]?.sharedWith).toBe("node1");
    expect(states(inventory)).toEqual(["node2 ok", "node1 ok"]);
    expect(pool.lines("node2").filter(isGanetiList)).toEqual([]);
  });

  test("tells the status after an action, also when another host than its master answered first", async () => {
    const master = gate();
    const masterListed = gate();
    let lists = 0;
    let status = "running";
    const pool = new ScriptedPool(async ({ host, line }) => {
      if (isDiscovery(line)) {
        if (host.name === "node1") await master.opened;
        return ganetiHost(host.name, "node1.example.org");
      }
      if (isGanetiList(line)) {
        // The other host's list is asked first and answered last.
        lists += 1;
        const first = lists === 1;
        if (first) {
          master.open();
          await masterListed.opened;
        } else setImmediate(() => masterListed.open());
        return ganetiList({ "web1.example.org": status });
      }
      if (line.includes("--submit")) {
        status = "ADMIN_down";
        return { stdout: "41: web1.example.org\n" };
      }
      return { stdout: "" };
    });
    const inventory = inventoryOf(pool, ["node1", "node2"]);
    await inventory.refresh();
    const [item] = await inventory.act({ do: "shutdown" }, [keyOf(inventory, "web1.example.org")]).done;
    expect(item).toMatchObject({ state: "done", job: "41", statusAfter: "stopped" });
  });

  test("is shown through another host when the first is dead", async () => {
    const down = new Set<string>();
    const inventory = inventoryOf(cluster(down), ["node2", "node3"]);
    await inventory.refresh();
    await inventory.refresh();
    expect(names(inventory)).toEqual(["node2/web1.example.org"]);
    const key = keyOf(inventory, "web1.example.org");
    down.add("node2");
    await inventory.refresh();
    await inventory.refresh();
    expect(names(inventory)).toEqual(["node3/web1.example.org"]);
    expect(keyOf(inventory, "web1.example.org")).toBe(key);
    expect(inventory.view().instances[0]?.stale).toBe(false);
    inventory.removeHost("node2");
    expect(names(inventory)).toEqual(["node3/web1.example.org"]);
  });

  test("is another one where only the name is the same", async () => {
    const pool = new ScriptedPool(({ host, line }) => {
      if (!isDiscovery(line)) return ganetiList({ "web1.example.org": "running" });
      const reply = ganetiHost(host.name, `${host.name}.example.org`);
      return host.name === "a1" ? reply : { stdout: reply.stdout.replace("339f199a", "77777777") };
    });
    const inventory = inventoryOf(pool, ["a1", "b1"]);
    await inventory.refresh();
    expect(names(inventory)).toEqual(["a1/web1.example.org", "b1/web1.example.org"]);
    expect(keyOf(inventory, "web1.example.org", "a1")).not.toBe(keyOf(inventory, "web1.example.org", "b1"));
  });
});

describe("watching", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("polls at the interval only while somebody looks", async () => {
    const { pool } = new Hosts({ hv1: { web1: true } });
    const asked = () => pool.lines().filter((line) => !isEvents(line)).length;
    const inventory = inventoryOf(pool, ["hv1"], { intervalMs: 4000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(0);
    const unwatch = inventory.watch();
    const second = inventory.watch();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(2);
    expect(pool.calls.every(({ options }) => options.priority === "poll")).toBe(true);
    await vi.advanceTimersByTimeAsync(8000);
    expect(asked()).toBe(4);
    unwatch();
    unwatch();
    await vi.advanceTimersByTimeAsync(4000);
    expect(asked()).toBe(5);
    second();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(5);
  });

  test("who wants it more often gets it, and only as long as he looks; who wants it seldom is asked for seldom", async () => {
    const { pool } = new Hosts({ hv1: { web1: true } });
    const inventory = inventoryOf(pool, ["hv1"], { intervalMs: 4000 });
    const seldom = inventory.watch({ everyMs: 60_000 });
    await vi.advanceTimersByTimeAsync(59_000);
    const asked = () => pool.lines("hv1").filter(isPoll).length;
    expect(asked()).toBe(1);
    const usual = inventory.watch();
    const often = inventory.watch({ everyMs: 1000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked()).toBeGreaterThanOrEqual(10);
    often();
    await vi.advanceTimersByTimeAsync(2000);
    const before = asked();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked() - before).toBe(10);
    usual();
    seldom();
  });

  test("who begins to look while another one looks seldom does not wait for that one's time", async () => {
    const { pool } = new Hosts({ hv1: { web1: true } });
    const inventory = inventoryOf(pool, ["hv1"], { intervalMs: 4000 });
    inventory.watch({ everyMs: 60_000 });
    await vi.advanceTimersByTimeAsync(10_000);
    const asked = () => pool.lines("hv1").filter(isPoll).length;
    expect(asked()).toBe(1);
    inventory.watch();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(2);
    inventory.end();
  });

  test("who looks at one host has that one asked often, and no other one sooner", async () => {
    const { pool } = new Hosts({ hv1: { web1: true }, hv2: { db1: true } });
    const inventory = inventoryOf(pool, ["hv1", "hv2"], { intervalMs: 20_000 });
    const asked = (host: string) => pool.lines(host).filter(isPoll).length;
    const close = inventory.watch({ everyMs: 1000, hosts: ["hv1"] });
    await vi.advanceTimersByTimeAsync(10_500);
    expect(asked("hv1")).toBeGreaterThanOrEqual(10);
    expect(asked("hv2")).toBe(0);
    const all = inventory.watch();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked("hv1")).toBeGreaterThanOrEqual(20);
    expect(asked("hv2")).toBe(1);
    all();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked("hv2")).toBe(1);
    close();
    const before = asked("hv1");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked("hv1")).toBe(before);
  });

  test("asks a dead host less and less, and says when again", async () => {
    const hosts = new Hosts({ hv1: { web1: true }, hv2: {} });
    hosts.down.add("hv2");
    const inventory = inventoryOf(hosts.pool, ["hv1", "hv2"], { intervalMs: 1000 });
    const unwatch = inventory.watch();
    await vi.advanceTimersByTimeAsync(0);
    expect(inventory.view().hosts[1]).toMatchObject({ state: "error", retryAt: Date.now() + 2000 });
    await vi.advanceTimersByTimeAsync(300_000);
    expect(hosts.pool.lines("hv2").length).toBeLessThan(15);
    expect(hosts.pool.lines("hv1").length).toBeGreaterThan(250);
    const tried = hosts.pool.lines("hv2").length;
    hosts.down.clear();
    await inventory.refresh(["hv2"]);
    expect(hosts.pool.lines("hv2").length).toBeGreaterThan(tried);
    expect(inventory.view().hosts[1]).toMatchObject({ state: "ok", retryAt: null });
    unwatch();
  });

  test("a slow answer holds back neither other hosts nor piles up questions", async () => {
    const hosts = new Hosts({ hv1: { web1: true }, hv2: {} });
    const slow = gate<Reply>();
    const pool = new ScriptedPool((call) =>
      call.host.name === "hv2" ? slow.opened : isDiscovery(call.line) ? libvirtHost : domains({ web1: true }),
    );
    const inventory = inventoryOf(pool, ["hv1", "hv2"], { intervalMs: 1000 });
    const unwatch = inventory.watch();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pool.lines("hv2")).toHaveLength(1);
    expect(pool.lines("hv1").length).toBeGreaterThan(10);
    expect(inventory.view().hosts.map(({ refreshing }) => refreshing)[1]).toBe(true);
    unwatch();
    slow.open(hosts.down.size === 0 ? dead : {});
  });
});

describe("acting", () => {
  test("runs a few at a time on each host, and shows the state that a fresh look sees", async () => {
    const guests = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, true]));
    const hosts = new Hosts({ hv1: { ...guests }, hv2: { ...guests } });
    const gates = new Map<string, Gate<void>>();
    const begun: string[] = [];
    let host = "";
    const { pool } = hosts;
    hosts.before = (line) => {
      host = pool.calls.at(-1)?.host.name ?? "";
      const word = `${host}/${line.split(" ").at(-1)}`;
      begun.push(word);
      const closed = gate();
      gates.set(word, closed);
      return closed.opened;
    };
    const inventory = inventoryOf(pool, ["hv1", "hv2"]);
    await inventory.refresh();
    const run = inventory.act(
      { do: "force-off" },
      inventory.view().instances.map(({ key }) => key),
    );
    expect(inventory.view().pending).toHaveLength(8);
    await vi.waitFor(() => expect(begun).toHaveLength(4));
    expect([...begun].sort()).toEqual(["hv1/a", "hv1/b", "hv2/a", "hv2/b"]);
    const row = (name: string) => inventory.view().instances.find((other) => `${other.host}/${other.name}` === name);
    expect(row("hv1/a")?.action).toMatchObject({ state: "running", action: "force-off", statusBefore: "running" });
    expect(row("hv1/c")?.action).toMatchObject({ state: "queued" });
    gates.get("hv1/a")?.open();
    await vi.waitFor(() => expect(begun).toContain("hv1/c"));
    expect(begun).not.toContain("hv2/c");
    hosts.before = async () => {};
    for (const closed of gates.values()) closed.open();
    const items = await run.done;
    expect(items).toHaveLength(8);
    expect(items.every(({ state, statusAfter }) => state === "done" && statusAfter === "stopped")).toBe(true);
    expect(inventory.view().pending).toEqual([]);
    expect(row("hv1/a")).toMatchObject({ status: "stopped", action: { state: "done" } });
  });

  test("takes back what has not started, and nothing else", async () => {
    const hosts = new Hosts({ hv1: { a: true, b: true, c: true } });
    const closed = gate();
    hosts.before = () => closed.opened;
    const inventory = inventoryOf(hosts.pool, ["hv1"], { limits: { default: 1, providers: {}, hosts: {} } });
    await inventory.refresh();
    const events: string[] = [];
    inventory.on("action", ({ name, state }) => events.push(`${name} ${state}`));
    const run = inventory.act(
      { do: "force-off" },
      ["a", "b", "c"].map((name) => keyOf(inventory, name)),
    );
    const [a, b] = run.items();
    expect(inventory.cancel(b?.id ?? 0)).toBe(true);
    expect(inventory.cancel(a?.id ?? 0)).toBe(false);
    run.cancel();
    closed.open();
    const items = await run.done;
    expect(items.map(({ state }) => state)).toEqual(["done", "cancelled", "cancelled"]);
    expect(items[1]).toMatchObject({ statusBefore: "running", statusAfter: "running" });
    expect(hosts.running["hv1"]).toEqual({ a: false, b: true, c: true });
    expect(events).toContain("b cancelled");
  });

  test("refuses a second action on an instance while one is under way, and does not hide that one", async () => {
    const hosts = new Hosts({ hv1: { a: true } });
    const closed = gate();
    hosts.before = () => closed.opened;
    const inventory = inventoryOf(hosts.pool, ["hv1"]);
    await inventory.refresh();
    const key = keyOf(inventory, "a");
    const first = inventory.act({ do: "force-off" }, [key]);
    expect(inventory.refuses("reboot", key)).toMatch(/force-off is under way/);
    const [refused] = await inventory.act({ do: "reboot" }, [key]).done;
    expect(refused).toMatchObject({ state: "failed", error: expect.stringMatching(/under way/) });
    expect(inventory.view().instances[0]?.action).toMatchObject({ action: "force-off", state: "running" });
    closed.open();
    expect((await first.done)[0]?.state).toBe("done");
    expect(inventory.refuses("start", key)).toBeNull();
  });

  test("fails at once for what makes no sense or is not there, and does the rest", async () => {
    const hosts = new Hosts({ hv1: { a: true, b: false } });
    const inventory = inventoryOf(hosts.pool, ["hv1"]);
    await inventory.refresh();
    const run = inventory.act({ do: "start" }, [keyOf(inventory, "a"), keyOf(inventory, "b"), "libvirt/hv1/gone"]);
    expect((await run.done).map(({ state, error }) => [state, error])).toEqual([
      ["failed", "it runs already"],
      ["done", null],
      ["failed", "it is no longer there"],
    ]);
  });

  test("reports a host that was lost on the way, and the status as not seen", async () => {
    const hosts = new Hosts({ hv1: { a: true } });
    hosts.before = async () => {
      hosts.down.add("hv1");
      throw new VirtuError({ kind: "connection", what: "The session broke", why: "reset" });
    };
    const inventory = inventoryOf(hosts.pool, ["hv1"]);
    await inventory.refresh();
    const [item] = await inventory.act({ do: "reboot" }, [keyOf(inventory, "a")]).done;
    expect(item).toMatchObject({ state: "failed", error: "The session broke: reset", statusAfter: null });
  });

  test("looks twice for the status after an action: a broken link is often back at once", async () => {
    const hosts = new Hosts({ hv1: { a: true } });
    const inventory = inventoryOf(hosts.pool, ["hv1"]);
    await inventory.refresh();
    inventory.on("action", ({ state }) => {
      if (state === "done") hosts.down.add("hv1");
    });
    inventory.on("change", () => {
      if (inventory.view().hosts[0]?.state === "stale") hosts.down.clear();
    });
    const [item] = await inventory.act({ do: "force-off" }, [keyOf(inventory, "a")]).done;
    expect(item).toMatchObject({ state: "done", statusAfter: "stopped" });
    expect(hosts.pool.lines().filter(isPoll).length).toBeGreaterThan(2);
  });

  test("stops following when it is told to, and says that it goes on", async () => {
    const hosts = new Hosts({ hv1: { a: true, b: true } });
    hosts.before = () => new Promise(() => {});
    const inventory = inventoryOf(hosts.pool, ["hv1"], { limits: { default: 1, providers: {}, hosts: {} } });
    await inventory.refresh();
    const abort = new AbortController();
    const keys = [keyOf(inventory, "a"), keyOf(inventory, "b")];
    const run = inventory.act({ do: "force-off" }, keys, { signal: abort.signal });
    abort.abort();
    const items = await run.done;
    expect(items.map(({ state, text }) => `${state}: ${text}`)).toEqual([
      "failed: no longer followed; it goes on where it runs",
      "cancelled: not started",
    ]);
  });

  test("waits no longer than it is told to, and says that it goes on", async () => {
    const hosts = new Hosts({ hv1: { a: false } });
    hosts.before = () => new Promise(() => {});
    const inventory = inventoryOf(hosts.pool, ["hv1"]);
    await inventory.refresh();
    const [item] = await inventory.act({ do: "start" }, [keyOf(inventory, "a")], { limitSeconds: 0.01 }).done;
    expect(item).toMatchObject({ state: "failed", error: expect.stringMatching(/goes on/), statusAfter: "stopped" });
  });

  test("shows what would run, and where", async () => {
    const inventory = inventoryOf(new Hosts({ hv1: { a: true } }).pool, ["hv1"]);
    await inventory.refresh();
    const key = keyOf(inventory, "a");
    expect(inventory.preview({ do: "force-off" }, [key, "nonsense"])).toEqual([
      { key, host: "hv1", lines: ["LC_ALL=C.UTF-8 virsh -c qemu:///system destroy a"] },
    ]);
  });
});
