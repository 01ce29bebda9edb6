import { expect, it } from "vitest";
import { keys, openUi } from "./harness.tsx";

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
