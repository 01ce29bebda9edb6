/** What a hand finds that walks through the program: each was cut, jumped, or did what nobody expects. */
import { expect, test } from "vitest";
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
