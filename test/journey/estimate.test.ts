import { mkdtempSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  loadDurations,
  type Progress,
  rememberDurations,
  secondsLeft,
  usualSteps,
} from "../../source/journey/estimate.ts";
import { aptShare } from "../../source/tools/apt-progress.ts";
import { planOf } from "./plans.ts";

let place: { stateDir: string };
beforeEach(() => {
  place = { stateDir: mkdtempSync(path.join(os.tmpdir(), "virtu-estimate-")) };
});

const plan = planOf(
  ["a", "b"],
  [
    { id: "fetch", usualSeconds: 10 },
    { id: "side", usualSeconds: 5 },
    { id: "own", needs: ["fetch"], usualSeconds: 20 },
    { id: "join", needs: ["own*"], nodes: ["a"], usualSeconds: 7 },
  ],
);

function left(known: Record<string, Progress> = {}): number {
  return secondsLeft(plan, usualSteps(plan, {}), (step, node) => known[`${step} ${node}`] ?? { state: "waits" });
}

describe("the time that is left", () => {
  test("is that of the longest way, not the sum", () => {
    expect(left()).toBe(37);
  });

  test("goes by the slowest node where all are waited for", () => {
    const part = { state: "part" } as const;
    expect(left({ "fetch a": part, "own a": part })).toBe(37);
    expect(left({ "fetch a": part, "own a": part, "fetch b": part })).toBe(27);
  });

  test("counts what runs by its own word, or by what it usually takes", () => {
    const part = { state: "part" } as const;
    const before = { "fetch a": part, "fetch b": part, "own b": part, "side a": part, "side b": part } as const;
    expect(left({ ...before, "own a": { state: "runs", seconds: 15, share: null } })).toBe(12);
    expect(left({ ...before, "own a": { state: "runs", seconds: 30, share: 0.5 } })).toBe(37);
    expect(left({ ...before, "own a": { state: "runs", seconds: 90, share: null } })).toBe(8);
  });
});

test("what steps took is learned by kind and step, one number a run", async () => {
  await rememberDurations(place, "configure", new Map([["fetch", [1, 2, 90]]]));
  await rememberDurations(place, "configure", new Map([["fetch", [4]]]));
  await rememberDurations(place, "configure", new Map([["fetch", [6]]]));
  const durations = await loadDurations(place);
  expect(durations).toEqual({ "configure/fetch": [2, 4, 6] });
  expect(usualSteps(plan, durations).get("fetch")).toBe(4);
  expect(usualSteps({ ...plan, kind: "install-ganeti" }, durations).get("fetch")).toBe(10);
});

test("a file that is damaged is as good as none", async () => {
  writeFileSync(path.join(place.stateDir, "durations.json"), '{"configure/fetch": "long"');
  expect(await loadDurations(place)).toEqual({});
});

test("apt's lines", () => {
  expect(aptShare("dlstatus:12:50.0000:Retrieving file 12 of 24")).toBeCloseTo(0.15);
  expect(aptShare("pmstatus:dpkg-exec:0.0000:Running dpkg")).toBeCloseTo(0.3);
  expect(aptShare("pmstatus:libc6:amd64:100.0000:Installed libc6:amd64")).toBe(1);
  expect(aptShare("Unpacking libc6:amd64 (2.36) ...")).toBeNull();
});
