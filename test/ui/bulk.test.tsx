import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ActionItem, ActionRunView, Found } from "../../source/instances/inventory-types.ts";
import type { ScheduledJob } from "../../source/instances/schedule.ts";
import type { Provider } from "../../source/instances/types.ts";
import { fakeWorkspace, idlePool, keys, openUi, type TestUi } from "./harness.tsx";
import { fakeInventory, itemOf, now, rowOf } from "./instance-fakes.ts";

const rows = [
  rowOf("db1", { status: "stopped", facts: { tags: "db" } }),
  ...Array.from({ length: 5 }, (_, index) => rowOf(`web${index + 1}`, { facts: { tags: "web" } })),
  rowOf("mail", { host: "hv2" }),
];

const marks = (ui: TestUi) =>
  ui
    .screen()
    .map((line) => /^[❯ ]\* (\S+)/.exec(line)?.[1] ?? "")
    .filter(Boolean);

const openTable = (inventory = fakeInventory({ instances: rows })) => ({
  inventory,
  ui: openUi({ place: { screen: "instances" }, inventory, site: null }),
});

test("marks all from the last mark to the cursor, either way", async () => {
  const { ui } = openTable();
  await ui.waitFor("7 instances");
  await ui.press("V");
  await ui.waitFor("mark one end by space first");
  await ui.press(keys.down, keys.down, keys.space, keys.down, "V");
  await ui.waitFor("3 marked");
  expect(marks(ui)).toEqual(["web2", "web3", "web4"]);
  await ui.press(keys.home, "V");
  await ui.waitFor("5 marked");
  expect(marks(ui)).toEqual(["db1", "web1", "web2", "web3", "web4"]);
});

test("marks by words, with how many fit while they are typed; what means nothing is said", async () => {
  const { ui } = openTable();
  await ui.waitFor("7 instances");
  await ui.press("+");
  await ui.waitFor(/tag= +db, web/);
  await ui.press("tag=we");
  await ui.waitFor("0 instances");
  await ui.press("b host=hv1");
  await ui.waitFor("5 instances: web1, web2, web3, web4, …");
  await ui.press(" colour=red", keys.enter);
  await ui.waitFor("✗ colour=red means nothing here");
  for (let n = 0; n < " colour=red".length; n += 1) await ui.press(keys.backspace);
  await ui.press(keys.enter);
  await ui.waitFor("5 marked");
  await ui.press("+");
  await ui.waitFor("5 instances: web1");
  for (let n = 0; n < "tag=web host=hv1".length; n += 1) await ui.press(keys.backspace);
  await ui.press("ma*", keys.tab);
  await ui.waitFor("1 marked");
  expect(marks(ui)).toEqual(["mail"]);
});

test("asks once for many: equal losses together, who is left out and why, all of it by scrolling", async () => {
  const many = Array.from({ length: 60 }, (_, index) => {
    const own =
      index === 7
        ? { facts: { persistent: false } }
        : { status: index < 2 ? ("stopped" as const) : ("running" as const) };
    return rowOf(`vm${String(index).padStart(2, "0")}`, own);
  });
  const { ui, inventory } = openTable(fakeInventory({ instances: many }));
  await ui.waitFor("60 instances");
  await ui.press("a", "x");
  await ui.waitFor("Force off 58 instances?");
  const screen = await ui.waitFor("lines 1–9 of 64");
  expect(screen.join("\n")).toMatch(
    /1 instance: it is gone for good[\s\S]*vm07 [\s\S]*57 instances: unsaved data is lost[\s\S]*vm02 /,
  );
  for (let page = 0; page < 8; page += 1) await ui.press(keys.pageDown);
  await ui.waitFor(/Left out: 2.*\n.*vm00: it is off already.*\n.*vm01: it is off already/);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("60 marked");
  expect(inventory.asked[0]?.split(" ")).toHaveLength(59);
});

const item = (index: number, own: Partial<ActionItem>): ActionItem => {
  const row = rowOf(`vm${index}`);
  return itemOf(row, "shutdown", { id: index, key: row.key, name: row.name, ...own });
};

const runOf = (items: readonly ActionItem[], own: Partial<ActionRunView> = {}): ActionRunView => ({
  run: 1,
  request: { do: "shutdown" },
  items,
  waves: [],
  startedAt: now - 64_000,
  endedAt: null,
  ...own,
});

const mixed = [
  item(1, { state: "done", text: "done", statusAfter: "stopped", startedAt: now - 60_000, endedAt: now - 50_000 }),
  item(2, { state: "queued", startedAt: null, text: "queued" }),
  item(3, { state: "failed", error: "it may not listen to ACPI", startedAt: now - 60_000, endedAt: now }),
  item(4, { state: "running", text: "shutting down: 4 s of 120 s", startedAt: now - 4000 }),
];

test("shows how a run goes, worst first, and takes back what is queued", async () => {
  const cancelled: number[] = [];
  const inventory = fakeInventory(
    { instances: rows, runs: [runOf(mixed)] },
    {
      cancelRun: (run) => {
        cancelled.push(run);
        return 1;
      },
    },
  );
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("7 instances");
  await ui.press("B");
  await ui.waitFor("shut down 4 instances · 2 of 4 · 1:04");
  await ui.waitFor("1 ✗ failed  1 ◐ running  1 ○ queued  1 ● done");
  // Half of it has ended, which is seen without colours as well.
  await ui.waitFor(/^ ━{38}─{38} *$/m);
  const lines = ui.screen().filter((line) => /\bvm\d/.test(line));
  expect(lines.map((line) => /vm\d/.exec(line)?.[0])).toEqual(["vm3", "vm4", "vm2", "vm1"]);
  expect(lines[0]).toMatch(/^❯vm3 +✗ failed +1:00 hv1 +it may not listen to ACPI/);
  expect(lines[3]).toMatch(/vm1 +● done +0:10 hv1 +it is stopped/);
  await ui.press("r");
  await ui.waitFor("wait for its end");
  await ui.press("c");
  await ui.waitFor("1 action taken back");
  expect(cancelled).toEqual([1]);
});

test("one long name takes no room of what came of the others", async () => {
  const long = "a-very-long-name-of-a-guest-that-somebody-gave.lab.example.org";
  const items = [...mixed, item(5, { name: long, state: "done", statusAfter: "stopped", endedAt: now })];
  const inventory = fakeInventory({ instances: rows, runs: [runOf(items)] });
  const ui = openUi({ place: { screen: "instances" }, above: [{ screen: "bulk", run: 1 }], inventory, site: null });
  await ui.waitFor(/vm3 +✗ failed +1:00 hv1 +it may not listen to A/);
  await ui.waitFor(/a-very-long-nam… ● done .*it is stopped/);
  ui.resize(200, 50);
  await ui.waitFor(/a-very-long-name-of-a-guest-that-somebo… ● done/);
});

test("when it is over, what failed is done again and the new run shown; the old one is a key away", async () => {
  const over = runOf([mixed[0], mixed[2]] as ActionItem[], { endedAt: now });
  const again = runOf([item(5, { state: "running" })], { run: 2 });
  const inventory = fakeInventory({ instances: rows, runs: [over] });
  inventory.retry = (run) => {
    inventory.asked.push(`retry ${run}`);
    inventory.set({ runs: [again, over] });
    return { run: 2, items: () => [], done: Promise.resolve([]), cancel: () => {} };
  };
  const ui = openUi({ place: { screen: "instances" }, above: [{ screen: "bulk", run: null }], inventory, site: null });
  await ui.waitFor("shut down 2 instances · ended");
  await ui.press("r");
  await ui.waitFor("shut down vm5 · 0 of 1");
  expect(inventory.asked).toEqual(["retry 1"]);
  await ui.press(keys.left);
  await ui.waitFor("shut down 2 instances · ended");
  await ui.press(keys.right);
  await ui.waitFor("shut down vm5");
});

test("shows the waves of a run with what is waited for, and why one failed", async () => {
  const until = [{ kind: "port", port: 5432 }] as const;
  const waves = [
    { title: "group=db", until, state: "failed" as const, text: "db1: port 5432: db1 does not answer after 60 s" },
    { title: "tag=web", until: [], state: "cancelled" as const, text: "" },
  ];
  const run = runOf([item(1, { state: "done" })], { waves, endedAt: now, request: { do: "start" } });
  const inventory = fakeInventory({ instances: rows, runs: [run] });
  const ui = openUi({ place: { screen: "bulk", run: null }, inventory, site: null });
  await ui.waitFor(/wave 1 +group=db +✗ failed +db1: port 5432: db1 does not answer/);
  await ui.waitFor(/wave 2 +tag=web +\? not begun/);
});

test("saves what came of a run where the user says, and asks before it overwrites", async () => {
  const run = runOf([mixed[0], mixed[2]] as ActionItem[], { endedAt: now });
  const workspace = fakeWorkspace({ inventory: fakeInventory({ instances: rows, runs: [run] }), site: null });
  const ui = openUi({ workspace, place: { screen: "bulk", run: null } });
  await ui.waitFor("shut down 2 instances");
  const file = path.join(workspace.context.stateDir, "run.txt");
  const type = async () => {
    await ui.press("w");
    await ui.waitFor(/File +\[/);
    for (let n = 0; n < 90; n += 1) await ui.press(keys.backspace);
    await ui.press(file, keys.enter);
  };
  await type();
  await ui.waitFor("What came of it is in");
  expect(readFileSync(file, "utf8")).toMatch(/^shut down 2 instances: 1 failed, 1 done/);
  await type();
  await ui.waitFor("Overwrite the file?");
  await ui.press(keys.enter);
  await ui.waitFor(/File +\[/);
});

test("starts in waves that are typed: how many each means, what is wrong, then for real", async () => {
  const asked: unknown[] = [];
  const inventory = fakeInventory({ instances: rows.map((row) => ({ ...row, status: "stopped" as const })) });
  inventory.act = (request, acted, options) => {
    asked.push({ request, acted, waves: options?.waves?.map(({ title, keys: own }) => [title, own.length]) });
    return { run: 1, items: () => [], done: Promise.resolve([]), cancel: () => {} };
  };
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("7 instances");
  await ui.press("W", keys.tab, "tag=db until hap");
  await ui.waitFor(/"hap" is no condition: there are running/);
  for (let n = 0; n < 3; n += 1) await ui.press(keys.backspace);
  await ui.press("port 5432 within 60", keys.tab, "web*");
  await ui.waitFor(/Wave 1 .*1 instance$/m);
  await ui.waitFor(/Wave 2 .*5 instances/);
  await ui.press(keys.enter);
  await ui.waitFor("run of actions");
  expect(asked).toMatchObject([
    {
      request: { do: "start" },
      waves: [
        ["tag=db", 1],
        ["glob=web*", 5],
      ],
    },
  ]);
});

test("keeps an action for a time that is typed: what it means, who carries it, who is left out", async () => {
  const inventory = fakeInventory({ instances: rows });
  const asked: string[] = [];
  const target = { name: "hv1" };
  const line = { line: "virsh shutdown web1" };
  const provider = {
    name: "libvirt",
    target,
    unattended: (_action: unknown, { name }: { name: string }) => (name === "mail" ? null : line),
  };
  inventory.find = (key) => {
    const instance = rows.find((row) => row.key === key);
    return instance ? ({ kind: "instance", provider, instance } as unknown as Found) : null;
  };
  inventory.providers = () => [provider] as unknown as Provider[];
  const pool = Object.assign(idlePool(), {
    exec: async (host: { name: string }, command: { line: string }, options: { stdin?: string }) => {
      if (options.stdin) asked.push(`${host.name} ${/at -t (\d+)/.exec(command.line)?.[1]} ${options.stdin}`);
      const stdout = `@@host ${now / 1000} +0000 UTC\n${options.stdin ? "@@kept at 7\n" : ""}`;
      return { outcome: "exited", status: 0, signal: null, stdout, stderr: "", truncated: false, durationMs: 1 };
    },
  });
  const ui = openUi({ place: { screen: "instances" }, inventory, pool, site: null });
  await ui.waitFor("7 instances");
  await ui.press("a", "@", "never");
  await ui.waitFor("✗ it is no time");
  for (let n = 0; n < 5; n += 1) await ui.press(keys.backspace);
  await ui.press("+2h");
  await ui.waitFor(/in 2 h/);
  await ui.waitFor("hv1: db1, web1, web2, web3, web4, web5");
  await ui.waitFor("left out: mail: shut down takes more than one command");
  await ui.press(keys.enter);
  await ui.waitFor("Kept by hv1");
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain(`hv1 ${new Date(now + 7_200_000).toISOString().slice(0, 13).replace(/\D/g, "")}`);
  expect(asked[0]).toContain("one web5 'virsh shutdown web1'");
});

test("lists what the hosts keep to be done at a time, and asks before it is taken back", async () => {
  const at = now / 1000 + 3600;
  const job = (own: Partial<ScheduledJob>): ScheduledJob => ({
    ...{ id: "1234abcd", host: "hv1", at, madeAt: null, action: "shutdown", names: ["web1", "web2"], state: "waiting" },
    ...{ carrier: "at", startedAt: null, endedAt: null, results: [], clock: null },
    ...own,
  });
  const workspace = fakeWorkspace({ inventory: fakeInventory({ instances: rows }), site: null });
  const ui = openUi({ workspace, place: { screen: "scheduled" } });
  await ui.waitFor("The hosts keep nothing");
  const results = [{ name: "db1", status: 1 }];
  const value = [job({}), job({ id: "b", state: "failed", names: ["db1"], results })];
  workspace.store.dispatch({ type: "scheduled", change: { value, at: now } });
  await ui.waitFor("1 action to come, the next in 1 h");
  await ui.waitFor(/○ waiting +hv1 +at +shut down web1, web2/);
  await ui.waitFor(/✗ failed +hv1 +at +shut down db1: status 1/);
  await ui.press("D");
  await ui.waitFor("Take this back?");
  await ui.waitFor("web1 on hv1");
  await ui.press(keys.esc, keys.down, "D");
  await ui.waitFor("Forget what came of this?");
});
