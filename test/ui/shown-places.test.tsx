/** A place whose screen is not loaded yet: the frame stays as it was, and is the new one's as soon as that is there. */
import { expect, test, vi } from "vitest";

const loading = vi.hoisted(() => {
  let load = (): void => {};
  const loaded = new Promise<void>((resolve) => {
    load = resolve;
  });
  return { loaded, load: () => load() };
});
// The harness loads all screens; this one takes until it is told.
vi.mock("../../source/ui/screens/index.ts", async (original) => {
  const real = await original<typeof import("../../source/ui/screens/index.ts")>();
  let isThere = false;
  return {
    ...real,
    screenOf: (place: { screen: "log" }) => (place.screen === "log" && !isThere ? null : real.screenOf(place)),
    loadScreen: async () => {
      await loading.loaded;
      isThere = true;
    },
  };
});

const { openUi } = await import("./harness.tsx");

test("the frame stays whole until the screen is loaded", async () => {
  const ui = openUi({ place: { screen: "home" } });
  await ui.waitFor("none now");
  const before = ui.screen();
  await ui.press("7");
  expect(ui.screen()).toEqual(before);
  expect(ui.navigation.here()).toEqual({ screen: "log" });
  loading.load();
  await ui.waitFor("[7 Feed]");
  expect(ui.screen().join("\n")).toContain("all that happened");
});
