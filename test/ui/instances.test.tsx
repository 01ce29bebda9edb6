import { expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { InstanceRow } from "../../source/instances/inventory-types.ts";
import { keys, openUi, type TestUi } from "./harness.tsx";
import { fakeInventory, hostOf, itemOf, now, rowOf } from "./instance-fakes.ts";

const rows = [
  rowOf("db1", { status: "stopped", memoryMiB: 4096, vcpus: 4 }),
  rowOf("web1", { memoryMiB: 1024, vcpus: 2 }),
  rowOf("web2", { memoryMiB: 256 }),
  rowOf("web10", { host: "hv2", status: "error", statusDetail: "crashed" }),
];

const open = (inventory = fakeInventory({ instances: rows }), size: { columns?: number; rows?: number } = {}) => ({
  ui: openUi({ place: { screen: "instances" }, inventory, site: null, ...size }),
  inventory,
});

/** Names in the order of the table, with the mark and the cursor that stand before them. */
function table(ui: TestUi): string[] {
  const lines = ui.screen();
  const header = lines.findIndex((line) => /^ {3}NAME/.test(line));
  return lines
    .slice(header + 1)
    .map((line) => /^[❯ ][* ] \S+/.exec(line)?.[0] ?? "")
    .filter((text) => text.trim() !== "");
}

test("shows every instance with status, node, size and where it comes from", async () => {
  const { ui } = open();
  await ui.waitFor("4 instances · 2 ● running  1 ○ stopped  1 ⚠ error · by name");
  expect(ui.screen().find((line) => line.includes("db1"))).toMatch(/^❯ {2}db1 +○ stopped +hv1 +4 +4G libvirt · hv1$/);
  expect(ui.screen().find((line) => line.includes("web10"))).toMatch(/⚠ error +hv2 .*crashed · libvirt/);
});

test.each([
  ["running", "in shutdown", "◐ stopping"],
  ["running", "going away", "◐ going away"],
  ["paused", "paused (migration)", "◐ migrating"],
  ["paused", "paused", "‖ paused"],
  ["paused", "pmsuspended", "‖ asleep"],
  ["unknown", "being built", "◐ being built"],
  ["stopped", "saved", "○ saved"],
  ["stopped", "suspended", "○ saved"],
  ["stopped", "shut off (failed)", "⚠ off, failed"],
  ["stopped", "shut off", "○ stopped"],
  ["running", "saved", "● running"],
] as const)("a state that is %s, in the provider's words %s, is shown as %s", async (status, statusDetail, shown) => {
  const { ui } = open(fakeInventory({ instances: [rowOf("web1", { status, statusDetail })] }));
  await ui.waitFor(new RegExp(`web1 +${shown} +hv1`));
});

test("marks by space and goes on, marks all and none; marks survive the filter and a refresh", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  await ui.press(keys.down, keys.space, keys.space);
  await ui.waitFor("2 marked");
  expect(table(ui)).toEqual(["   db1", " * web1", " * web2", "❯  web10"]);
  await ui.press("/", "web2");
  await ui.waitFor("1 of 4 · 2 marked (1 not shown)");
  await ui.press(keys.esc);
  inventory.set({ instances: rows.map((row) => ({ ...row })).filter(({ name }) => name !== "web1") });
  await ui.waitFor("1 marked");
  expect(table(ui)).toEqual(["   db1", " * web2", "❯  web10"]);
  await ui.press("a");
  await ui.waitFor("3 marked");
  await ui.press("a");
  await ui.waitFor(/^ 3 instances · 1 ●/m);
});

test("what was looked for stays under the cursor when its filter goes; one that is given up moves nothing", async () => {
  const { ui } = open();
  await ui.waitFor("4 instances");
  await ui.press("/", "web2", keys.esc);
  await ui.waitFor("4 instances");
  await ui.waitFor(/❯ {2}db1/);
  await ui.press("/", "web2", keys.enter);
  await ui.waitFor("1 of 4");
  await ui.press(keys.esc);
  await ui.waitFor("4 instances");
  await ui.waitFor(/❯ {2}web2/);
});

test("all of what a filter shows is marked, and nothing else", async () => {
  const { ui } = open();
  await ui.waitFor("4 instances");
  await ui.press("/", "web !hv2", keys.enter, "a", keys.esc);
  await ui.waitFor("4 instances · 2 marked");
  expect(table(ui)).toEqual(["   db1", "❯* web1", " * web2", "   web10"]);
});

test("sorts by the next column and turns the order round; the header says so", async () => {
  const { ui } = open();
  await ui.waitFor("NAME ▲");
  const names = () => table(ui).map((text) => text.slice(3));
  await ui.press("o");
  await ui.waitFor("STATUS ▲");
  expect(names()).toEqual(["web10", "web1", "web2", "db1"]);
  await ui.press("o", "o", "o");
  await ui.waitFor("▲MEM");
  expect(names()).toEqual(["web2", "web10", "web1", "db1"]);
  await ui.press("O");
  await ui.waitFor("by memory, most first");
  expect(names()).toEqual(["db1", "web1", "web10", "web2"]);
  // The cursor went with its row.
  expect(table(ui)[0]).toBe("❯  db1");
});

test("starts at once, and says why it does not start what runs", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  await ui.press("s");
  expect(inventory.asked).toEqual(["start db1"]);
  await ui.press(keys.down, "s");
  await ui.waitFor("web1: it runs already");
  expect(inventory.asked).toEqual(["start db1"]);
});

test("of the marked ones, those for which it makes no sense are left out and named", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  await ui.press("a", "s");
  await ui.waitFor("Left out: web1: it runs already · web2: it runs already");
  expect(inventory.asked).toEqual(["start db1 web10"]);
});

test("who is left out is written into the log when something is done, not when the question is answered with no", async () => {
  const { ui } = open();
  await ui.waitFor("4 instances");
  await ui.press("a", "t");
  await ui.waitFor("Left out: 1");
  await ui.press(keys.enter);
  await ui.waitFor("4 instances");
  const told = () => ui.workspace.state.log.filter(({ text }) => text.includes("left out"));
  expect(told()).toEqual([]);
  await ui.press("t");
  await ui.waitFor("Left out: 1");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("4 instances");
  expect(told().map(({ text }) => text)).toEqual(["shut down left out: it is off already"]);
});

test("force off always asks, names what is lost, and keeps the safe answer under the cursor", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  await ui.press(keys.down, "x");
  await ui.waitFor("Force off web1?");
  await ui.waitFor(/web1 +libvirt +hv1 +unsaved data is lost/);
  await ui.press(keys.enter);
  await ui.waitFor("4 instances");
  await ui.press("x", "2");
  await ui.waitFor("Force off web1?");
  expect(inventory.asked).toEqual([]);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("4 instances");
  expect(inventory.asked).toEqual(["force-off web1"]);
});

test("a clean shut down of one does not ask, of several or of one that is not under the cursor it does", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  await ui.press(keys.down, "t");
  expect(inventory.asked).toEqual(["shutdown web1"]);
  await ui.press(keys.space, "t");
  await ui.waitFor("Shut down web1?");
  await ui.press(keys.esc, keys.space, "r");
  await ui.waitFor("Reboot 2 instances?");
  expect(ui.screen().join("\n")).toMatch(/web1 .*\n.*web2 /);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("4 instances");
  expect(inventory.asked).toEqual(["shutdown web1", "reboot web1 web2"]);
});

test("a row tells what is done with it and how it ended, the log how it came to that", async () => {
  const { ui, inventory } = open();
  await ui.waitFor("4 instances");
  const [, web1, web2] = rows as [InstanceRow, InstanceRow, InstanceRow];
  const stopping = itemOf(web1, "shutdown", { id: 1, run: 7, job: "57", text: "waiting for locks" });
  const queued = itemOf(web2, "shutdown", { id: 2, run: 7, state: "queued", text: "queued", startedAt: null });
  const show = (...items: (typeof stopping)[]) => {
    inventory.set({
      instances: rows.map((row) => ({ ...row, action: items.find(({ key }) => key === row.key) ?? null })),
      pending: items.filter(({ endedAt }) => endedAt === null),
    });
    for (const item of items) inventory.emit("action", item);
  };
  show(stopping, queued);
  await ui.waitFor("◐ stopping #57");
  await ui.waitFor("◐ queued");
  await ui.waitFor("shut down 2 instances · 0 of 2 · 1 queued, c takes back");
  await ui.waitFor(/hv1\/web1 +shutdown: waiting for locks \(job 57\)/);
  const failed = {
    ...stopping,
    state: "failed" as const,
    error: "the guest is still running after 120 s",
    endedAt: now,
  };
  const done = { ...queued, state: "done" as const, text: "done", startedAt: now, endedAt: now };
  show(failed, done);
  await ui.waitFor(/web1 +● running ✗ +hv1 +shut down failed: the guest is/);
  await ui.waitFor(/web2 +● running ✓/);
  await ui.waitFor("shut down 2 instances · ended · 1 ✗ failed");
  await ui.press("l");
  await ui.waitFor(/^(?![\s\S]*ended · 1 ✗)/);
});

test("takes back what has not started", async () => {
  const [, web1, web2] = rows as [InstanceRow, InstanceRow, InstanceRow];
  const back: number[] = [];
  const running = itemOf(web1, "start", { id: 4 });
  const queued = itemOf(web2, "start", { id: 5, state: "queued" });
  const inventory = fakeInventory(
    { instances: rows, pending: [running, queued] },
    { cancel: (id: number) => back.push(id) > 0 },
  );
  const { ui } = open(inventory);
  await ui.waitFor("4 instances");
  await ui.press("c");
  await ui.waitFor("1 action taken back");
  expect(back).toEqual([5]);
  inventory.set({ pending: [] });
  await ui.waitFor(/^(?![\s\S]*actions ◐)/);
  await ui.press("c");
  await ui.waitFor("nothing is queued");
});

test("a silent host's rows stay, with their age; what is wrong is said above the last line", async () => {
  const error = new VirtuError({ kind: "connection", what: "The host can't be reached", why: "timed out" });
  const old = now - 4 * 60_000;
  const { ui } = open(
    fakeInventory({
      hosts: [
        hostOf("hv1"),
        hostOf("hv2", { state: "stale", seenAt: old, error }),
        hostOf("hv3", { state: "error", seenAt: null, error }),
      ],
      instances: rows.map((row) => (row.host === "hv2" ? { ...row, stale: true, seenAt: old } : row)),
    }),
  );
  await ui.waitFor(/web10 .* 4 min ago/);
  await ui.waitFor(/hv2: not answering since \d\d:\d\d: .*; H tells more/);
  await ui.waitFor("hv3: The host can't be reached: timed out; H tells more");
  await ui.waitFor("1 host ● · 2 down ✗");
});

test("a node that is late: its rows have their age, the others are as ever; who is late is said", async () => {
  const late = { node: "node1.example.org", since: now - 3 * 60_000, seenAt: now - 2 * 60_000 };
  const { ui } = open(
    fakeInventory({
      hosts: [hostOf("hv1", { late: [late] })],
      instances: rows.map((row) => (row.name === "web10" ? { ...row, stale: true, seenAt: late.seenAt, late } : row)),
    }),
  );
  await ui.waitFor(/web10 .* 2 min ago/);
  await ui.waitFor(/node1\.example\.org: not answering in time since \d\d:\d\d; H tells more/);
  await ui.waitFor(/^(?![\s\S]*down ✗)/);
  await ui.press("/", "web10", keys.enter, "d");
  await ui.waitFor(/2 min ago: node1\.example\.org has not\s+answered in time since \d\d:\d\d/);
});

test("an empty table says why, and what to do", async () => {
  const error = new VirtuError({ kind: "refused", what: "No VM manager was found" });
  const inventory = fakeInventory({ hosts: [] });
  const { ui } = open(inventory);
  await ui.waitFor("No host yet. H adds one");
  inventory.set({ hosts: [hostOf("hv1", { state: "discovering", seenAt: null, providers: [] })] });
  await ui.waitFor("Asking hv1 what runs there");
  inventory.set({ hosts: [hostOf("hv1")] });
  await ui.waitFor("libvirt on hv1: no instance there yet.");
  inventory.set({ hosts: [hostOf("hv1", { state: "error", seenAt: null, providers: [], error })] });
  await ui.waitFor("The host can't be used. H shows why");
  await ui.waitFor("hv1: No VM manager was found; H tells more");
  inventory.set({ hosts: [hostOf("hv1")], instances: rows });
  await ui.press("/", "nothing like it");
  await ui.waitFor("No instance holds all of these words");
});

test("describes an instance: facts, origin, latest action in the provider's words, the commands", async () => {
  const web1 = rowOf("web1", { facts: { autostart: true, managedSave: false, title: "front \u001b[31mend" } });
  const action = itemOf(web1, "shutdown", {
    state: "failed",
    error: "no",
    detail: "error: said\nlibvirt",
    endedAt: now,
  });
  const { ui } = open(fakeInventory({ instances: [{ ...web1, action }] }), { rows: 50 });
  await ui.waitFor("1 instance");
  await ui.press("d");
  await ui.waitFor("What the provider knows");
  const text = ui.screen().join("\n");
  for (const wanted of [
    /autostart +yes/,
    /title +front end/,
    /reached through +hv1/,
    /\| error: said\n.*\| libvirt/,
    "virsh force-off web1",
  ]) {
    expect(text).toMatch(wanted);
  }
  expect(text).toContain("start  not now: it runs already");
  await ui.press(keys.esc);
  await ui.waitFor("1 instance ·");
});

test("shows the nodes with Ganeti's numbers, and the instances again", async () => {
  const node = {
    key: "n1",
    name: "node-1",
    provider: "ganeti" as const,
    cluster: "c1",
    host: "hv1",
    roles: ["master"],
    diskTotal: 102_400,
    diskFree: 51_200,
    memoryTotal: 65_536,
    memoryNode: 1024,
    memoryFree: 32_768,
    primaryInstances: 3,
    secondaryInstances: 0,
    seenAt: now,
    stale: false,
  };
  const { ui } = open(
    fakeInventory({
      instances: rows,
      nodes: [{ ...node, key: "n10", name: "node-10" }, { ...node, key: "n2", name: "node-2" }, node],
    }),
  );
  await ui.waitFor("4 instances");
  await ui.press("n");
  await ui.waitFor(/NODE .* DTotal +DFree +MTotal +MNode +MFree +Pinst +Sinst/);
  const lines = ui.screen().filter((line) => /node-\d+ .*master/.test(line));
  expect(lines.map((line) => /node-\d+/.exec(line)?.[0])).toEqual(["node-1", "node-2", "node-10"]);
  expect(lines[0]).toMatch(/ master +– +100G +50G +64G +1G +32G +3 +0$/);
  const below = ui.screen().slice(ui.screen().findIndex((line) => line.includes("─ node-1 ─")));
  expect(below.join("\n")).toMatch(
    /CPU +–\n memory .* 50 % {2}32G used of 64G\n storage +█████░░░░░ {2}50 % {2}50G free of 100G/,
  );
  await ui.press(keys.esc);
  await ui.waitFor("4 instances");
});

test("columns keep their width when a long name goes, and wide terminals show more", async () => {
  const long = rowOf("a-very-long-name-of-an-instance");
  const inventory = fakeInventory({
    instances: [long, rowOf("web1", { facts: { autostart: true, os: "debian12", ip: "10.0.0.7" } })],
  });
  const { ui } = open(inventory, { columns: 160 });
  await ui.waitFor("AUTO");
  await ui.waitFor(/yes +debian12 +ip 10\.0\.0\.7/);
  const at = () =>
    ui
      .screen()
      .find((line) => line.includes("STATUS"))
      ?.indexOf("STATUS");
  const before = at();
  inventory.set({ instances: inventory.view().instances.slice(1) });
  await ui.waitFor("1 instance ·");
  expect(at()).toBe(before);
});

test("every row fits every terminal it is made for", async () => {
  const inventory = fakeInventory({
    instances: [...rows, rowOf("名前がとても長いインスタンスの名前です"), rowOf("x".repeat(70), { status: "paused" })],
  });
  const { ui } = open(inventory);
  for (const columns of [60, 79, 80, 81, 100, 132, 200]) {
    ui.resize(columns, 24);
    await ui.waitFor(new RegExp(`^─{${columns}}$`, "m"));
    await ui.waitFor("WHERE");
    // The table begins below the counts and keeps its lines: none wraps.
    expect(table(ui).length).toBe(6);
  }
  ui.resize(59, 20);
  await ui.waitFor("virtu needs 60×16; this is 59×20");
});
