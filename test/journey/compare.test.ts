import { describe, expect, test } from "vitest";
import { csvOf } from "../../source/instances/export.ts";
import { comparisonFormat, comparisonText } from "../../source/journey/compare-export.ts";
import { comparisonFrom, leftOf, measuresOf, notGone, spreadOf } from "../../source/journey/compare-model.ts";
import type { ComparisonEntry, PlaceFacts, Sample } from "../../source/journey/compare-types.ts";
import {
  cellLongText,
  cellText,
  dayText,
  differences,
  leftLines,
  secondsText,
  subjectText,
} from "../../source/journey/compare-words.ts";

const place = (id: string, own: Partial<PlaceFacts> = {}): PlaceFacts => {
  const [host = "", provider = ""] = id.split(":");
  return {
    ...{ id, host: { name: host }, provider: provider as PlaceFacts["provider"], label: "", what: "a copy of /img" },
    ...{ startsAtOnce: false, ready: null, ...own },
  };
};

const sample = (own: Partial<Sample>): Sample => ({
  ...{ place: "gnt1:ganeti", round: 1, name: "virtu-compare-x-1", phase: "start", state: "done", seconds: 1 },
  ...{ readySeconds: null, requests: 2, text: "", ...own },
});

const setup = {
  ...{ tag: "x", places: [place("gnt1:ganeti"), place("root@hv1.lab:libvirt")], also: [], uri: null },
  ...{ rounds: 2, count: 1, together: false, limitSeconds: 60 },
};

const request = {
  ...{ provider: "libvirt" as const, name: "virtu-compare-x-2", memoryMiB: 64, vcpus: 1, start: false, uuid: "u" },
  ...{ media: { kind: "none" as const }, osinfo: null, disks: [], nics: [], arch: null, machine: null },
  ...{ firmware: null, virtType: null, graphics: "none" as const },
};

const make = (name: string): ComparisonEntry => ({
  ...{ kind: "make", place: "root@hv1.lab:libvirt", round: 1, name, request: { ...request, name }, image: null },
});

const viewOf = (...entries: ComparisonEntry[]) => {
  const all: ComparisonEntry[] = [{ kind: "comparison", version: 1, id: "20261125-1", setup }, ...entries];
  const view = comparisonFrom(all.map((entry, index) => ({ ...entry, at: 1000 * index })));
  if (!view) throw new Error("no view");
  return view;
};

const samples = (...some: Partial<Sample>[]) =>
  viewOf(...some.map((one) => ({ kind: "sample", ...sample(one) }) as const));

describe("from the journal", () => {
  test("what was made and is not known to be gone may be left, moved or not", () => {
    const left = [{ what: "volume", why: "in use", how: "hv1: virsh vol-delete" }];
    const before = viewOf(
      make("a"),
      make("b"),
      make("c"),
      { kind: "move", name: "a", to: "hv2" },
      { kind: "gone", name: "b" },
    );
    expect(before).toMatchObject({ state: "interrupted", endedAt: null });
    expect(notGone(before).map(({ name, moved }) => [name, moved])).toEqual([
      ["a", true],
      ["c", false],
    ]);
    expect(leftLines(before).slice(0, 1)).toEqual(["may be left: a on root@hv1.lab:libvirt"]);
    const after = viewOf(make("a"), { kind: "left", name: "a", left }, { kind: "over", state: "cancelled" });
    expect(after).toMatchObject({ state: "cancelled", endedAt: 3000 });
    expect(leftOf(after)).toEqual(left);
    expect(leftLines(after)).toEqual([
      "left behind: volume: in use",
      "  take it away: hv1: virsh vol-delete",
      "virtu compare --clean 20261125-1 takes away what it can.",
    ]);
    expect(leftOf(viewOf(make("a"), { kind: "left", name: "a", left }, { kind: "gone", name: "a" }))).toEqual([]);
  });
});

describe("what the times say", () => {
  test("median and spread of an even and an odd number", () => {
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([5])).toEqual({ median: 5, min: 5, max: 5, n: 1 });
    expect(spreadOf([9, 1, 2])).toEqual({ median: 2, min: 1, max: 9, n: 3 });
    expect(spreadOf([4, 10, 1, 2])).toEqual({ median: 3, min: 1, max: 10, n: 4 });
  });

  test("only what was done has a time; failed, refused and skipped are told apart", () => {
    const hv1 = "root@hv1.lab:libvirt";
    const view = samples(
      { seconds: 1.2 },
      { seconds: 1.6, round: 2 },
      { place: hv1, seconds: 0.1 },
      { place: hv1, round: 2, state: "failed", seconds: null, text: "no memory" },
      { place: hv1, phase: "migrate", state: "refused", seconds: null, text: "no second libvirt host is named" },
      { place: hv1, phase: "stop", state: "skipped", seconds: null, text: "it did not run" },
      { phase: "reboot", state: "failed", seconds: null, text: "no node" },
      { phase: "remove", state: "cancelled", seconds: null, text: "Cancelled" },
    );
    const rows = new Map(measuresOf(view).map(({ id, of, cells }) => [id, cells.map((cell) => cellText(cell, of))]));
    expect(Object.fromEntries(rows)).toEqual({
      ...{ create: ["·", "·"], start: ["1.40 s", "0.10 s ✗1"], reboot: ["✗", "·"], migrate: ["·", "–"] },
      ...{ stop: ["·", "·"], remove: ["·", "·"] },
    });
    const start = measuresOf(view).find(({ id }) => id === "start");
    expect(start?.cells.map((cell) => cellLongText(cell, "done"))).toEqual([
      "1.40 s (1.20–1.60, 2 times)",
      "0.10 s ✗1",
    ]);
    expect(differences(view)).toEqual([
      "start: libvirt hv1: ✗ no memory.",
      "reboot: Ganeti gnt1: ✗ no node.",
      "migrate: libvirt hv1: – no second libvirt host is named.",
    ]);
  });

  test("places that say the same stand together, and what was waited for has rows of its own", () => {
    const ready = { by: "ping" as const, pattern: null, address: null, limitSeconds: 60 };
    const waits = { ...setup, places: [place("gnt1:ganeti", { ready }), place("hv1:libvirt", { ready })] };
    const entries = [
      sample({ text: "as one", seconds: 1, readySeconds: 9 }),
      sample({ text: "as one", place: "hv1:libvirt", seconds: 2 }),
    ];
    const view = { ...samples(), setup: waits, samples: entries };
    expect(differences(view)).toEqual(["start: Ganeti gnt1, libvirt hv1: as one."]);
    expect(measuresOf(view).map(({ id }) => id)).toEqual([
      ...["create", "start", "start-ready", "reboot", "reboot-ready", "migrate", "stop", "remove"],
    ]);
    expect(measuresOf(view)[2]?.cells.map((cell) => cellText(cell, "ready"))).toEqual(["9.00 s", "·"]);
  });
});

describe("in words and files", () => {
  test("times, days and who was compared", () => {
    expect([0.041, 9.994, 9.996, 42.04, 99.96, 125].map(secondsText)).toEqual([
      ...["0.04 s", "9.99 s", "10.0 s", "42.0 s", "100 s", "125 s"],
    ]);
    const noon = new Date(2026, 10, 25, 12).getTime();
    const at = (hours: number) => dayText(noon - hours * 3_600_000, noon);
    expect([at(0), at(11.9), at(12.1), at(50)]).toEqual(["today", "today", "yesterday", "2 days ago"]);
    expect(subjectText(setup)).toBe("Ganeti and libvirt");
    expect(subjectText({ ...setup, places: [place("a:libvirt"), place("b:libvirt")] })).toBe("libvirt a and libvirt b");
  });

  test("CSV holds every time, and no text of a host becomes a formula or a column", () => {
    const view = samples(
      { seconds: 1.23456, text: '=cmd("x"),\u001b[31m1' },
      { state: "failed", seconds: null, text: "no" },
    );
    const lines = comparisonText(view, "csv").trimEnd().split("\r\n");
    expect(lines[0]).toBe("comparison,host,provider,round,instance,phase,state,seconds,ready_seconds,requests,text");
    expect(lines[1]).toBe(`20261125-1,gnt1,ganeti,1,virtu-compare-x-1,start,done,1.235,,2,"'=cmd(""x""),1"`);
    expect(lines[2]).toContain(",start,failed,,,2,no");
    expect(csvOf({ columns: ["a"], rows: [], objects: [] })).toBe("a\r\n");
  });

  test("Markdown stands side by side, and a bar in a text stays in its cell", () => {
    const lines = comparisonText(samples({ text: "a | b" }), "md").split("\n");
    expect(lines[0]).toBe("# Ganeti and libvirt compared, 1970-01-01T00:00:00Z");
    expect(lines).toContain("|  | Ganeti gnt1 | libvirt hv1 |");
    expect(lines).toContain("| start | 1.00 s | · |");
    expect(lines).toContain("- start: Ganeti gnt1: a \\| b.");
  });

  test("JSON has medians and all samples", () => {
    const json = JSON.parse(comparisonText(samples({ seconds: 1 }, { seconds: 3 }), "json"));
    expect(
      json.cells.find(
        ({ measure, place: on }: { measure: string; place: string }) => measure === "start" && on === "gnt1:ganeti",
      ),
    ).toMatchObject({
      ...{ median: 2, min: 1, max: 3, n: 2, requests: 2, failed: 0 },
    });
    expect(json.samples).toHaveLength(2);
  });

  test("the ending of a name says the kind of file", () => {
    expect(["a.CSV", "b.json", "c.md", "d.txt", "e"].map(comparisonFormat)).toEqual(["csv", "json", "md", null, null]);
  });
});
