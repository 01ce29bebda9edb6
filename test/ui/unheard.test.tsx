/** Guests that did not hear a shutdown: said on their rows, offered by a key, never by a question that comes by itself. */
import { expect, test } from "vitest";
import type { ActionRunView, InstanceRow } from "../../source/instances/inventory-types.ts";
import { unheardCommands } from "../../source/instances/unheard.ts";
import { keys, openUi, type TestUi } from "./harness.tsx";
import { fakeInventory, itemOf, now, rowOf } from "./instance-fakes.ts";

/** A row whose shutdown was not heard. */
function deaf(name: string, id: number, own: Partial<InstanceRow> = {}): InstanceRow {
  const row = rowOf(name, own);
  const action = itemOf(row, "shutdown", {
    id,
    state: "failed",
    error: "the guest is still running after 120 s: it may not listen to ACPI",
    statusAfter: "running",
    endedAt: now,
    unheard: true,
  });
  return { ...row, action };
}

const footer = (ui: TestUi) => ui.screen().find((line) => line.endsWith("? help"));

const heard = rowOf("web3");
const gone = /^(?![\s\S]*did not shut down)/;

test("a row says that its guest did not hear, and one key offers force, a longer wait, or to leave it", async () => {
  const inventory = fakeInventory({ instances: [rowOf("web1"), rowOf("web2"), heard] });
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("3 instances");
  await ui.press("f");
  await ui.waitFor("none has missed a shutdown");
  inventory.set({ instances: [rowOf("web1"), deaf("web2", 1), heard] });
  await ui.waitFor("web2 did not shut down: f on screen 4 offers what to do.");
  await ui.waitFor(/web2 +● running ✗ +hv1 +not down: f to force or wait/);
  expect(footer(ui)).toContain(" f force  t shut");
  // The cursor is on another row: the offer is for those that did not hear.
  await ui.press("f");
  await ui.waitFor("web2 did not shut down in time");
  await ui.waitFor(/web2 +libvirt +hv1 +unsaved data is lost/);
  const choices = ui.screen().filter((line) => /Leave it as it is|Ask again, and wait 5 min|Force off web2/.test(line));
  expect(choices).toHaveLength(3);
  expect(choices[0]).toContain("❯ Leave it as it is");
  await ui.press(keys.enter);
  await ui.waitFor(gone);
  await ui.waitFor(/not down: f to force or wait/);
  expect(inventory.asked).toEqual([]);
  await ui.press("f", keys.down, keys.enter);
  expect(inventory.asked).toEqual(["shutdown web2"]);
  expect(inventory.options).toEqual([{ limitSeconds: 300 }]);
  await ui.press("f", keys.down, keys.down, keys.enter);
  expect(inventory.asked).toEqual(["shutdown web2", "force-off web2"]);
});

test("the notice says who is left, and goes when the last has gone off by itself", async () => {
  const inventory = fakeInventory({ instances: [rowOf("web1"), heard] });
  const ui = openUi({ place: { screen: "home" }, inventory, site: null });
  await ui.waitFor("Instances");
  inventory.set({ instances: [deaf("web1", 1), deaf("web2", 2), heard] });
  await ui.waitFor("web1, web2 did not shut down: f on screen 4 offers what to do.");
  inventory.set({ instances: [{ ...deaf("web1", 1), status: "stopped" }, deaf("web2", 2), heard] });
  await ui.waitFor("web2 did not shut down: f on");
  // Read, and not said again for those that were in it.
  await ui.press(keys.esc);
  await ui.waitFor(gone);
  inventory.set({ instances: [deaf("web1", 3), deaf("web2", 2), heard] });
  await ui.waitFor("web1, web2 did not shut down");
  inventory.set({ instances: [{ ...deaf("web1", 3), status: "stopped" }, rowOf("web2"), heard] });
  await ui.waitFor(gone);
});

test("who goes off while the question stands is no longer part of it", async () => {
  const inventory = fakeInventory({ instances: [deaf("web1", 1), deaf("web2", 2), heard] });
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("3 instances");
  await ui.press(keys.down, keys.down, "f");
  await ui.waitFor("2 instances did not shut down in time");
  inventory.set({ instances: [{ ...deaf("web1", 1), status: "stopped" }, deaf("web2", 2), heard] });
  await ui.waitFor("web2 did not shut down in time");
  await ui.press(keys.down, keys.down, keys.enter);
  expect(inventory.asked).toEqual(["force-off web2"]);
});

test("the summary of many offers to force those that did not hear, and no others", async () => {
  const rows = [deaf("web1", 1), deaf("web2", 2), heard];
  const failed = itemOf(heard, "shutdown", { id: 3, state: "failed", error: "the domain is locked", endedAt: now });
  const run: ActionRunView = {
    ...{ run: 1, request: { do: "shutdown" }, waves: [], startedAt: now - 130_000, endedAt: now },
    items: [...rows.flatMap(({ action }) => action ?? []), failed],
  };
  const inventory = fakeInventory({
    instances: [rows[0] as InstanceRow, rows[1] as InstanceRow, { ...heard, action: failed }],
    runs: [run],
  });
  const ui = openUi({ place: { screen: "bulk", run: 1 }, inventory, site: null });
  await ui.waitFor("3 ✗ failed  · f: force the 2 that did not hear, or wait");
  expect(footer(ui)).toContain(" f force, or wait  r retry failed");
  await ui.press("f", keys.down, keys.down);
  await ui.waitFor("❯ Force off the 2 that did not hear");
  await ui.press(keys.enter);
  expect(inventory.asked).toEqual(["force-off web1 web2"]);
});

test("the commands to go on with are shell lines, with what names need quoted", () => {
  const rows = [rowOf("web1"), rowOf("a b", { host: "hv2" })];
  expect(unheardCommands(rows, "xen:///system")).toEqual({
    force: "virtu force-off --host hv1,hv2 --uri xen:///system hv1/web1 'hv2/a b'",
    longer: "virtu shutdown --timeout 300 --host hv1,hv2 --uri xen:///system hv1/web1 'hv2/a b'",
  });
});
