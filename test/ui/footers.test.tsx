/** The last line at 80 columns: on every screen the way to help, and first what one does there. */
import { expect, test } from "vitest";
import type { Place } from "../../source/ui/navigation.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, rowOf } from "./instance-fakes.ts";

const web1 = rowOf("web1");
const own = [web1.key];
const key = web1.key;

const places: Place[] = [
  ...(["home", "sites", "jobs", "nodes", "instances", "runs", "sessions", "log"] as const).map((screen) => ({
    screen,
  })),
  ...(["consoles", "stores", "columns", "views", "scheduled", "provider-jobs", "hosts"] as const).map((screen) => ({
    screen,
  })),
  ...(["add-site", "reserve", "create", "export", "up", "configure", "install", "add-host"] as const).map((screen) => ({
    screen,
  })),
  { screen: "install-ganeti" },
  { screen: "install-libvirt" },
  { screen: "instance", key },
  { screen: "snapshots", key },
  { screen: "hardware", key },
  { screen: "definition", key },
  { screen: "chart", keys: own },
  { screen: "bulk", run: null },
  { screen: "waves", keys: [] },
  { screen: "schedule", keys: own },
  { screen: "actions", keys: own },
  { screen: "action", action: "note", keys: own, of: null },
  { screen: "move-to", action: "migrate", keys: own },
];

const open = (place: Place) => {
  const refuses = (action: string) => (action === "start" ? "it runs already" : null);
  const ui = openUi({ place, inventory: fakeInventory({ instances: [web1] }, { refuses }), site: null });
  const footer = () => ui.screen().findLast((line) => line.trim() !== "") ?? "";
  return { ui, footer };
};

test.each(places)("%j tells how to get help, in fields by a key that is no text", async (place) => {
  const { ui, footer } = open(place);
  await ui.waitFor(/(\?|F1) help\s*$/);
  expect(footer().length).toBeLessThan(80);
  await ui.press(footer().includes("F1 help") ? "\u001bOP" : "?");
  await ui.waitFor("WHAT IT DOES HERE");
  // Its keys do nothing while they are read.
  await ui.press("1", keys.esc);
  await ui.waitFor(/^(?![\s\S]*WHAT IT DOES HERE)/);
  expect(ui.navigation.here()).toEqual(place);
});

test("the instance table has room for marking and the filter, and one instance for its actions", async () => {
  const table = open({ screen: "instances" });
  await table.ui.waitFor("1 instance");
  expect(table.footer()).toBe(" t shut  r reboot  x off⚠  ⏎ console  space mark  m more  / filter  Esc  ? help");
  await table.ui.press("n");
  await table.ui.waitFor(/n instances {2}/);
  expect(table.footer()).not.toContain("node table");
  const one = open({ screen: "instance", key });
  await one.ui.waitFor("web1");
  expect(one.footer()).toMatch(/^ t shut {2}r reboot {2}x off⚠ {2}⏎ console {2}m more {2}/);
});

test("Esc is offered where it leads somewhere", async () => {
  const { ui, footer } = open({ screen: "home" });
  await ui.waitFor("? help");
  expect(footer()).not.toContain("Esc");
  ui.workspace.notify("warning", "something waits", true);
  // What it does first: nobody waits for another screen.
  await ui.waitFor("Esc seen");
  await ui.press(keys.esc);
  await ui.waitFor(/^(?![\s\S]*something waits)/);
});
