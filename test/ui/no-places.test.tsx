import { expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Place } from "../../source/ui/navigation.ts";
import { openUi } from "./harness.tsx";
import { fakeInventory, hostOf } from "./instance-fakes.ts";

const error = new VirtuError({
  kind: "connection",
  what: "The host can't be reached",
  why: "nothing listens on port 9",
});
const places: Place[] = [{ screen: "create" }, { screen: "stores" }, { screen: "compare" }];

test.each(places)("$screen: hosts that can't be used are named with why, and where more is told", async (place) => {
  const inventory = fakeInventory({ hosts: [hostOf("dead", { state: "error", providers: [], error })] });
  const ui = openUi({ place: { screen: "instances" }, above: [place], inventory, site: null });
  const lines = (await ui.waitFor("The host can't be used. H under Instances (4) tells what to do.")).join("\n");
  expect(lines).toContain("dead: The host can't be reached: nothing listens on port 9");
  expect(lines).not.toContain("No host that is shown");
});

test.each(places)("$screen: hosts that answer and are of another kind are no trouble", async (place) => {
  const inventory = fakeInventory({ hosts: [hostOf("bare", { providers: [] })] });
  const ui = openUi({ place: { screen: "instances" }, above: [place], inventory, site: null });
  const lines = (await ui.waitFor(/H under Instances \(4\)\s+adds a host\./)).join("\n");
  expect(lines).toContain("No host that is shown");
  expect(lines).not.toContain("can't be used");
});
