import { expect, it } from "vitest";
import { keys, openUi } from "./harness.tsx";

it("hides nothing in the smallest terminal: neither a line of the menu nor a numbered screen", async () => {
  const ui = openUi({ place: { screen: "home" }, columns: 60, rows: 16 });
  const lines = await ui.waitFor("Sites");
  expect(lines[1]).toBe("[1 Home] 2 Jobs 3 Nodes 4 Instances 5 Runs 6 Sessions 7 Feed");
  for (const title of ["Reserve nodes", "Runs", "Compare tools", "Nodes", "Hosts", "Sites"]) {
    expect(lines.some((line) => new RegExp(` ${title}( {2}|$)`).test(line))).toBe(true);
  }
  ui.workspace.notify("warning", "something waits", true);
  await ui.waitFor("something waits");
  // One line less: the menu scrolls, and takes none out of its middle.
  for (let line = 1; line < 12; line += 1) await ui.press(keys.down);
  await ui.waitFor(/Compare tools[\s\S]*Nodes[\s\S]*Hosts[\s\S]*❯ Sites/);
});

it("shows where one is, the numbered screens and what comes first", async () => {
  const ui = openUi({
    place: { screen: "home" },
    journeys: { freeNodes: async () => ({ total: 72, alive: 70, free: 14, clusters: [] }) },
  });
  await ui.waitFor("14 of 72 nodes free now");
  await ui.press("2");
  await ui.waitFor("[2 Jobs]");
  await ui.press(keys.esc);
  const lines = await ui.waitFor("[1 Home]");
  expect(lines[0]).toContain("virtu · rennes");
  expect(lines.length).toBe(24);
  // Where one begins is where one looks for the way out, and for how to move.
  expect(lines[23]).toBe(" ⏎ open  S site  q quit  ? help");
  await ui.press("?");
  await ui.waitFor(/↑ k +Move up/);
});
