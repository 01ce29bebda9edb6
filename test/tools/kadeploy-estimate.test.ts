import { describe, expect, test } from "vitest";
import { phasesTaken, secondsLeft, usualOf } from "../../source/tools/kadeploy-estimate.ts";
import { advance, conclude, progressOf, startKadeploy } from "../../source/tools/kadeploy-progress.ts";

const usual = { "boot-mini-os": 200, "copy-image": 40, "boot-new": 60 };
const at = (...lines: [number, string][]) =>
  progressOf(
    lines.reduce((state, [time, line]) => advance(state, line, time), startKadeploy(["a-1.x", "a-2.x"], 1000)),
  );

describe("how long it still takes", () => {
  test("by what it usually took: all of it before the start, the rest of the phase later", () => {
    expect(secondsLeft(at(), usual, 1000)).toBe(300);
    const booting = at([1000, "Performing a Deploy[SetDeploymentEnvUntrusted] step"]);
    expect(secondsLeft(booting, usual, 1050)).toBe(250);
    const copying = at(
      [1000, "Performing a Deploy[SetDeploymentEnvUntrusted] step"],
      [1190, "End of step Deploy[SetDeploymentEnvUntrusted] after 190s"],
      [1190, "Performing a Deploy[BroadcastEnvKascade] step"],
    );
    expect(secondsLeft(copying, usual, 1200)).toBe(30 + 60);
  });

  test("a phase that takes too long is about to end, never in the past", () => {
    const booting = at([1000, "Performing a Deploy[SetDeploymentEnvUntrusted] step"]);
    expect(secondsLeft(booting, usual, 9000)).toBe(5 + 40 + 60);
  });

  test("without experience the first phase sets the measure", () => {
    const slow = at(
      [1000, "Performing a Deploy[SetDeploymentEnvUntrusted] step"],
      [1504, "End of step Deploy[SetDeploymentEnvUntrusted] after 504s"],
    );
    // Twice the guess of 252 s, so twice the 54 s of each other phase.
    expect(secondsLeft(slow, null, 1504)).toBe(216);
  });

  test("nothing is left once no node is on its way", () => {
    const { state } = conclude(startKadeploy(["a-1.x"], 1000), { ok: ["a-1.x"], ko: [], status: 0 });
    expect(secondsLeft(progressOf(state), usual, 1000)).toBeNull();
  });
});

test("experience is the slowest node of a deployment, and the median of several", () => {
  const nodes = at(
    [1000, "Performing a Deploy[SetDeploymentEnvUntrusted] step"],
    [1010, "End of step Deploy[SetDeploymentEnvUntrusted] after 10s"],
    [1010, "Performing a Deploy[BroadcastEnvKascade] step"],
    [1020, "End of step Deploy[BroadcastEnvKascade] after 11s"],
    [1020, "Performing a Deploy[BootNewEnvKexec] step"],
    [1030, "End of step Deploy[BootNewEnvKexec] after 12s"],
    [1030, "End of deployment for a-[1-2].x after 33s"],
  );
  expect(phasesTaken(nodes)).toEqual({ "boot-mini-os": 10, "copy-image": 11, "boot-new": 12 });
  expect(phasesTaken(at())).toBeNull();
  const of = (seconds: number) => ({ "boot-mini-os": seconds, "copy-image": 1, "boot-new": 1 });
  expect(usualOf([of(100), of(900), of(120)])?.["boot-mini-os"]).toBe(120);
  expect(usualOf([])).toBeNull();
});
