import { expect, test } from "vitest";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, rowOf } from "./instance-fakes.ts";

test("?: every sentence and every reason is whole at 80 columns, and what does not fit is a page further", async () => {
  const rows = [rowOf("db1.lab.example.org", { status: "stopped" })];
  const ui = openUi({ place: { screen: "instances" }, inventory: fakeInventory({ instances: rows }), site: null });
  await ui.waitFor("1 instance");
  await ui.press("?");
  await ui.waitFor("WHAT IT DOES HERE");
  const place = () => / (\d+)–(\d+) of (\d+) /.exec(ui.screen().join("\n"));
  let all = ui.screen().join("\n");
  let pages = 1;
  for (let at = place(); at && at[2] !== at[3]; at = place(), pages += 1) {
    await ui.press(keys.pageDown);
    await ui.waitFor(new RegExp(` (?!${at[1]}–)\\d+–\\d+ of`));
    all += ui.screen().join("\n");
  }
  expect(pages).toBeGreaterThan(2);
  expect(all).not.toContain("…");
  const flat = all.replace(/\s+/g, " ");
  expect(flat).toContain("Show all that can be done with it or the marked ones, and why not");
  expect(flat).toContain(
    "Draw what it, or all that are marked, use over time not now: nothing is known of what it uses",
  );
  await ui.press(keys.esc);
  await ui.waitFor("1 instance");
});
