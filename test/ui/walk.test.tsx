/** What a hand finds that walks through the program: each was cut, jumped, or did what nobody expects. */
import { expect, test } from "vitest";
import { storeLine, storeRows } from "../../source/ui/screens/stores-rows.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, rowOf } from "./instance-fakes.ts";

const rows = [rowOf("web1"), rowOf("web2")];

test("a question outlives a window that is too small for it, and gets no key that nobody sees", async () => {
  const inventory = fakeInventory({ instances: rows });
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("2 instances");
  await ui.press("x");
  await ui.waitFor("Force off web1?");
  ui.resize(40, 10);
  await ui.waitFor("virtu needs 60×16; this is 40×10. q");
  await ui.press(keys.down, keys.enter, keys.esc, "4");
  expect(inventory.asked).toEqual([]);
  ui.resize(80, 24);
  await ui.waitFor("Force off web1?");
  await ui.waitFor("❯ Leave it");
  await ui.press(keys.down, keys.enter);
  expect(inventory.asked).toEqual(["force-off web1"]);
  ui.resize(40, 10);
  await ui.waitFor("virtu needs");
  await ui.press("q");
  expect(ui.left).toBe(true);
});

test("what is typed into a form outlives it too", async () => {
  const ui = openUi({
    place: { screen: "hosts" },
    above: [{ screen: "add-host" }],
    inventory: fakeInventory({}),
    site: null,
  });
  await ui.waitFor(/Host +\[/);
  await ui.press("hv");
  ui.resize(40, 10);
  await ui.waitFor("virtu needs");
  await ui.press("zz");
  ui.resize(80, 24);
  await ui.waitFor(/Host +\[ hv +\]/);
});

/** Lines of the body that a word of an earlier sentence has wrapped into: they begin without the margin. */
const wrapped = (lines: string[]) => lines.slice(3, -2).filter((line) => /^[a-z]/.test(line));

test.each([
  [{ screen: "scheduled" } as const, /@ on the instances has something done at a time/],
  [
    { screen: "bulk", run: null } as const,
    /Nothing was done since virtu started: mark instances, and choose an action\./,
  ],
  [{ screen: "runs" } as const, /No run yet: .* u goes the whole way\./],
])("what an empty list says fits on its line at 80 columns: %j", async (place, text) => {
  const ui = openUi({ place, inventory: fakeInventory({ instances: rows }), site: null });
  expect(wrapped(await ui.waitFor(text))).toEqual([]);
});

test("hints beside fields are whole at 80 columns", async () => {
  const inventory = fakeInventory({ instances: rows });
  const when = openUi({ place: { screen: "schedule", keys: [] }, inventory, site: null });
  await when.waitFor("+2h, tomorrow 7:30, 2026-11-26 19:00");
  const file = openUi({ place: { screen: "instances" }, above: [{ screen: "export" }], inventory, site: null });
  await file.waitFor(/as in the table *$/m);
});

test("the menu of an instance that is shown says its name once on the way to it", async () => {
  const key = rows[0]?.key ?? "";
  const inventory = fakeInventory({ instances: rows });
  const place = { screen: "instances" } as const;
  const ui = openUi({
    place,
    above: [
      { screen: "instance", key },
      { screen: "actions", keys: [key] },
    ],
    inventory,
    site: null,
  });
  await ui.waitFor("instances ▸ web1 ▸ all actions");
});

test("a lease tells until when at 80 columns", () => {
  const lease = {
    mac: "52:54:00:8d:90:01",
    address: "192.168.122.254/24",
    hostname: null,
    instance: "shop-db",
    until: "2026-11-25 10:13:33",
  };
  const network = {
    name: "default",
    active: true,
    autostart: true,
    bridge: "virbr0",
    forward: "nat",
    address: null,
    dhcp: null,
    usedBy: [],
    leases: [lease],
  };
  const value = { pools: [], problems: [], networks: [network] };
  const places = [{ place: "p", host: "hv1", label: "qemu:///system" }];
  const found = storeRows(places, { p: { value, at: 1, loading: false, error: null } }).find(
    ({ kind }) => kind === "lease",
  );
  expect(
    found &&
      storeLine(found, 78)
        .replace(/\u001b\[\d*m/g, "")
        .trimEnd(),
  ).toMatch(/shop-db +until 11-25 10:13$/);
});
