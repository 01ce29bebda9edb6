import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { GanetiOffers } from "../../source/instances/create-offers.ts";
import type { CompareOptions } from "../../source/journey/compare.ts";
import { phases } from "../../source/journey/compare-model.ts";
import type { ComparisonPlan, ComparisonWish } from "../../source/journey/compare-plan.ts";
import type { ComparisonView, MadeNow, PlaceFacts, Sample } from "../../source/journey/compare-types.ts";
import { compareText } from "../../source/ui/screens/home.tsx";
import { fakeWorkspace, keys, openUi, stillInventory } from "./harness.tsx";
import { hostOf, providerOf } from "./instance-fakes.ts";

const placeOf = (id: string, what: string): PlaceFacts => {
  const [host = "", provider = ""] = id.split(":");
  return {
    ...{ id, host: { name: host }, provider: provider as PlaceFacts["provider"], label: "", what },
    ...{ startsAtOnce: false, ready: null },
  };
};
const places = [
  placeOf("gnt1:ganeti", "its system noop is installed, 1024 MiB drbd, 256 MiB, 1 vCPU"),
  placeOf("hv1:libvirt", "an empty disk of 1024 MiB that nothing boots from, 256 MiB, 1 vCPU"),
];
const setup = { tag: "k3x9q2", places, also: [], uri: null, rounds: 1, count: 1, together: false, limitSeconds: 60 };

const sampleOf = (place: string, phase: Sample["phase"], own: Partial<Sample> = {}): Sample => ({
  ...{ place, round: 1, name: "virtu-compare-k3x9q2-1", phase, state: "done", seconds: 2, readySeconds: null },
  ...{ requests: 4, text: "", ...own },
});

const viewOf = (own: Partial<ComparisonView> = {}): ComparisonView => ({
  ...{ id: "20261125-070000-compare-ab12", setup, state: "done", startedAt: 1_000_000_000, endedAt: 1_000_042_000 },
  ...{ samples: [], made: [], now: [], ...own },
});

const whole = viewOf({
  samples: phases.flatMap((phase, index) => [
    sampleOf("gnt1:ganeti", phase, { seconds: 4 - index / 2, text: phase === "migrate" ? "moved as it ran" : "" }),
    phase === "migrate"
      ? sampleOf("hv1:libvirt", phase, { state: "refused", seconds: null, text: "no second libvirt host is named" })
      : phase === "stop"
        ? sampleOf("hv1:libvirt", phase, { state: "failed", seconds: null, text: "the guest is still running" })
        : sampleOf("hv1:libvirt", phase, { seconds: 1 }),
  ]),
});

const made: MadeNow = {
  ...{ place: "hv1:libvirt", round: 1, name: "virtu-compare-k3x9q2-2", image: null, moved: false, gone: false },
  left: [{ what: "instance virtu-compare-k3x9q2-2 on hv1", why: "it is locked", how: "hv1: virsh undefine it" }],
  request: {
    ...{ provider: "libvirt", name: "virtu-compare-k3x9q2-2", memoryMiB: 64, vcpus: 1, start: false, uuid: "u" },
    ...{ media: { kind: "none" }, osinfo: null, disks: [], nics: [], arch: null, machine: null, firmware: null },
    ...{ virtType: null, graphics: "none" },
  },
};

const ganeti = providerOf({
  ...{ name: "ganeti", cluster: "gnt", place: "ganeti/gnt", attachment: { host: { name: "gnt1" }, label: "gnt" } },
});
const libvirt = providerOf({ place: "libvirt/hv1" });

function planOf(problems: ComparisonPlan["problems"] = []): ComparisonPlan {
  const row = { name: "virtu-compare-k3x9q2-1" } as ComparisonPlan["places"][number]["rows"][number];
  const offers = {} as GanetiOffers;
  const line = (host: string, text: string) => [{ host, line: text }];
  return {
    ...{ id: whole.id, setup, problems, silent: [] },
    places: [
      {
        ...{ facts: places[0]!, provider: ganeti, offers, rows: [row] },
        lines: [
          { phase: "create", lines: line("gnt1", "gnt-instance add --submit virtu-compare-k3x9q2-1"), note: null },
        ],
      },
      {
        ...{ facts: places[1]!, provider: libvirt, offers, rows: [row] },
        lines: [{ phase: "migrate", lines: [], note: "no second libvirt host is named" }],
      },
    ],
    reach: { pool: {} as never, homes: new Map(), all: [], silent: new Map() },
  };
}

const inventory = () =>
  stillInventory(
    { hosts: [hostOf("gnt1"), hostOf("hv1")], instances: [], nodes: [], pending: [], runs: [] },
    { providers: () => [libvirt, ganeti] },
  );

test("from the places to the exact commands, then live; taken back only after a question", async () => {
  const wishes: ComparisonWish[] = [];
  let options: CompareOptions = {};
  let carried: ComparisonPlan | null = null;
  const journeys = {
    planComparison: async (_context: unknown, wish: ComparisonWish) => {
      wishes.push(wish);
      return planOf();
    },
    carryComparison: (_context: unknown, plan: ComparisonPlan, given: CompareOptions = {}) => {
      [carried, options] = [plan, given];
      return new Promise<ComparisonView>((resolve) =>
        given.signal?.addEventListener("abort", () => resolve(viewOf({ state: "cancelled" }))),
      );
    },
  };
  const ui = openUi({ place: { screen: "compare" }, inventory: inventory(), journeys });
  await ui.waitFor("[ ] gnt1 · ganeti gnt");
  await ui.press(keys.enter);
  await ui.waitFor("a comparison needs two places");
  await ui.press("a");
  await ui.waitFor("2 places of 2");
  await ui.press(keys.enter);
  await ui.waitFor("What is made on each of 2 places");
  await ui.press(keys.backspace.repeat(4), "much", keys.enter);
  await ui.waitFor("a size like 512M or 2G");
  expect(wishes).toEqual([]);
  await ui.press(keys.backspace.repeat(4), "512M", keys.enter);
  await ui.waitFor("create   gnt-instance add --submit virtu-compare-k3x9q2-1");
  await ui.waitFor("migrate – no second libvirt host is named");
  expect(wishes).toMatchObject([
    {
      ...{
        on: [
          { host: { name: "gnt1" }, provider: "ganeti" },
          { host: { name: "hv1" }, provider: "libvirt" },
        ],
        also: [],
      },
      ...{ sizes: { memoryMiB: 512, diskMiB: 1024 }, rounds: 1, count: 1, together: false, ready: null },
    },
  ]);
  await ui.press(keys.enter);
  await ui.waitFor("Beginning");
  expect(carried).not.toBeNull();
  const name = "virtu-compare-k3x9q2-1";
  options.onView?.(
    viewOf({
      ...{ state: "running", endedAt: null, samples: [sampleOf("gnt1:ganeti", "create")] },
      made: [{ ...made, place: "gnt1:ganeti", name, left: [] }],
      now: [
        { place: "gnt1:ganeti", round: 1, name, phase: "start", text: "Ganeti job 42", since: 1_000_000_000 - 65_000 },
      ],
    }),
  );
  await ui.waitFor("◐ 1:05 Ganeti job 42");
  const frame = (await ui.waitFor("round 1 of 1")).join("\n");
  expect(frame).toMatch(/❯create +2\.00 s ━+ +·/);
  expect(frame).toMatch(/ {11}Ganeti gnt1 +libvirt hv1/);
  await ui.press("c");
  await ui.waitFor("gnt1:ganeti/virtu-compare-k3x9q2-1");
  expect(options.signal?.aborted).toBe(false);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("Taken back: all that it made is gone.");
  expect(options.signal?.aborted).toBe(true);
});

test("what stands in its way keeps it from being started", async () => {
  const problems = [{ place: "gnt1:ganeti", field: "memory", text: "no node has room for 512 MiB" }];
  const ui = openUi({
    ...{ place: { screen: "compare" }, inventory: inventory() },
    journeys: {
      planComparison: async () => planOf(problems),
      carryComparison: () => Promise.reject(new Error("it was started")),
    },
  });
  await ui.waitFor("gnt1");
  await ui.press("a", keys.enter);
  await ui.waitFor("What is made on each of 2 places");
  await ui.press(keys.enter);
  await ui.waitFor("✗ memory: no node has room for 512 MiB");
  await ui.press(keys.enter);
  await ui.waitFor("› memory: no node has room for 512 MiB");
  expect(ui.navigation.here()).toEqual({ screen: "compare" });
});

test("side by side at its end: bars against the slowest, what failed or was refused, and each place in full", async () => {
  const journeys = { listComparisons: async () => [{ view: whole, pid: null }] };
  const ui = openUi({ place: { screen: "comparison", id: whole.id }, journeys });
  const frame = await ui.waitFor("took 42 s");
  const line = (start: string) => frame.find((text) => text.slice(1).startsWith(start)) ?? "";
  expect(line("create")).toMatch(/4\.00 s ━{10,} +1\.00 s ━+╸?─+/);
  // A quarter of the slowest.
  const bars = line("create").split("s ");
  expect(bars[2]?.match(/━/g)?.length).toBeLessThan((bars[1]?.match(/━/g)?.length ?? 0) / 3);
  expect(line("migrate")).toMatch(/2\.50 s ━+ +–/);
  expect(line("stop")).toMatch(/2\.00 s ━+ +✗/);
  expect(frame.length).toBe(24);
  await ui.press(keys.down, keys.down, keys.down);
  await ui.waitFor("libvirt hv1: – · no second libvirt host is named");
  await ui.waitFor("Ganeti gnt1: 2.50 s · 4 requests · moved as it ran");
  await ui.press("y");
  await ui.waitFor("Copied the table.");
  expect(ui.copied[0]).toContain("| migrate | 2.50 s | – |");
});

test("more places than have room are looked at to the left and right", async () => {
  const many = Array.from({ length: 6 }, (_, index) => placeOf(`hv${index + 1}:libvirt`, "x"));
  const view = { ...whole, setup: { ...setup, places: many } };
  const ui = openUi({
    ...{ place: { screen: "comparison", id: view.id } },
    journeys: { listComparisons: async () => [{ view, pid: null }] },
  });
  const frame = await ui.waitFor("places 1–3 of 6");
  expect(frame.join("\n")).toContain("libvirt hv3");
  expect(frame.find((line) => line.includes("libvirt hv1"))).not.toContain("hv4");
  await ui.press(keys.right);
  const next = await ui.waitFor("places 2–4 of 6");
  expect(next.find((line) => line.includes("libvirt hv2"))).toContain("libvirt hv4");
});

test("kept ones are listed; what one has left is taken away after a question, and said before", async () => {
  const left = viewOf({ state: "interrupted", endedAt: null, made: [made] });
  let list = [{ view: left, pid: null as number | null }];
  const cleaned: string[] = [];
  const ui = openUi({
    ...{ place: { screen: "comparisons" } },
    journeys: {
      listComparisons: async () => list,
      cleanComparison: async (_context, id) => {
        cleaned.push(id);
        const view = { ...left, endedAt: 1_000_050_000, made: [{ ...made, gone: true, left: [] }] };
        list = [{ view, pid: null }];
        return view;
      },
    },
  });
  await ui.waitFor("A comparison was broken off: 1 instance may be left. See Compare tools.");
  await ui.waitFor(/today +Ganeti and libvirt +⚠ broken off · 1 may be left/);
  await ui.press(keys.enter);
  await ui.waitFor("left behind: instance virtu-compare-k3x9q2-2 on hv1: it is locked");
  await ui.waitFor("take it away: hv1: virsh undefine it");
  await ui.press(keys.esc, "D");
  await ui.waitFor("hv1:libvirt/virtu-compare-k3x9q2-2");
  expect(cleaned).toEqual([]);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("All that the comparison had left is gone.");
  expect(cleaned).toEqual([left.id]);
  await ui.press("D");
  await ui.waitFor("nothing is left behind");
});

test("one that another virtu carries is left to it", async () => {
  const view = viewOf({ state: "running", endedAt: null, made: [made] });
  const ui = openUi({
    ...{ place: { screen: "comparisons" } },
    journeys: { listComparisons: async () => [{ view, pid: 4711 }] },
  });
  await ui.waitFor("running");
  await ui.press("D");
  await ui.waitFor("process 4711 carries it: another virtu of this machine");
});

test("it is written into a file by its ending; over another only after a question, and with the reason where it can't be", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-compare-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, "c.csv");
  const ui = openUi({
    ...{ place: { screen: "comparison", id: whole.id }, columns: 120 },
    journeys: { listComparisons: async () => [{ view: whole, pid: null }] },
  });
  await ui.waitFor("took 42 s");
  await ui.press("w");
  await ui.waitFor("12 times of 2 places.");
  await ui.press(keys.backspace.repeat(40), path.join(directory, "c.txt"), keys.enter);
  await ui.waitFor("a name that ends in .csv, .json or .md");
  await ui.press(keys.backspace.repeat(3), "csv", keys.enter);
  await ui.waitFor("took 42 s");
  expect(readFileSync(file, "utf8").trim().split("\r\n")).toHaveLength(13);
  await ui.press("w");
  await ui.waitFor("12 times of 2 places.");
  await ui.press(keys.backspace.repeat(40), file, keys.enter);
  await ui.waitFor("Overwrite the file?");
  writeFileSync(file, "mine");
  await ui.press(keys.enter);
  await ui.waitFor("12 times of 2 places.");
  expect(readFileSync(file, "utf8")).toBe("mine");
  await ui.press(keys.backspace.repeat("c.csv".length), "no/c.csv", keys.enter);
  const told = await ui.waitFor("The comparison can't be written");
  expect(told.join("\n")).toContain(`there is no directory ${path.join(directory, "no")}`);
  await ui.press(keys.backspace.repeat("no/c.csv".length), "c.csv", keys.enter);
  await ui.waitFor("Overwrite the file?");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("took 42 s");
  expect(readFileSync(file, "utf8").trim().split("\r\n")).toHaveLength(13);
});

test("Home says when the last one was and of what", async () => {
  const workspace = fakeWorkspace({
    journeys: { listComparisons: async () => [{ view: whole, pid: null }] },
    now: 1_090_000,
  });
  await workspace.comparing.refresh();
  expect(compareText(workspace.state)).toBe("last: Ganeti and libvirt, yesterday");
  const ui = openUi({ place: { screen: "home" }, workspace });
  await ui.waitFor(/Compare tools +last: Ganeti and libvirt, yesterday/);
  const none = fakeWorkspace({});
  expect(compareText(none.state)).toBe("");
  await none.comparing.refresh();
  expect(compareText(none.state)).toBe("the same life cycle on two or more hosts, timed");
});
