import { expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { limitsText } from "../../source/ui/screens/extend.tsx";
import { keys, openUi } from "./harness.tsx";
import { now, running } from "./job-fakes.ts";

const place = { place: { screen: "jobs" }, above: [{ screen: "extend", jobId: 1874 }] } as const;
const listJobs = async () => [running];
const limits: Journeys["extensionLimits"] = async () => ({ walltime: 9000, possible: 3600, granted: 0, pending: 0 });

it("says the limits in words", () => {
  expect(limitsText({ walltime: 7200, possible: 3600, granted: 600, pending: 300 })).toBe(
    "At most 1 h more. Its walltime is 2 h. 10 min of that were granted before. 5 min are asked for and not granted; a new request takes their place.",
  );
  expect(limitsText({ walltime: null, possible: null, granted: 0, pending: 0 })).toBe("The site sets no limit.");
});

it("proposes half an hour, shows the command, and tells granted from pending", async () => {
  const extend = vi.fn<Journeys["extend"]>(async () => ({
    jobId: 1874,
    walltime: 10_800,
    granted: 600,
    pending: 1200,
  }));
  const ui = openUi({
    now,
    ...place,
    above: [...place.above],
    journeys: { listJobs, extensionLimits: limits, extend },
  });
  const lines = await ui.waitFor("At most 1 h more.");
  expect(lines.join("\n")).toMatch(/oarwalltime 1874 \+0:30:00/);
  await ui.press(keys.enter);
  await ui.waitFor("Granted so far: 10 min more. 20 min still asked for");
  expect(extend.mock.calls[0]?.[3]).toBe("+0:30");
});

it("refuses more than the site allows before anything is sent", async () => {
  const extend = vi.fn<Journeys["extend"]>();
  const ui = openUi({
    now,
    ...place,
    above: [...place.above],
    journeys: { listJobs, extensionLimits: limits, extend },
  });
  await ui.waitFor("At most 1 h more.");
  await ui.press("\u0015", "+", "2", ":", "0", "0");
  await ui.waitFor("✗ at most 1 h can be asked for");
  await ui.press(keys.enter);
  await ui.waitFor("✗ How much: at most 1 h can be asked for");
  expect(extend).not.toHaveBeenCalled();
});

it("says in place when the site does not extend jobs", async () => {
  const refused = new VirtuError({
    kind: "refused",
    what: "Job 1874 can't be extended",
    why: "this site does not let jobs be extended",
    hint: "Reserve again.",
  });
  const ui = openUi({
    now,
    ...place,
    above: [...place.above],
    journeys: { listJobs, extensionLimits: () => Promise.reject(refused) },
  });
  await ui.waitFor("this site does not let jobs be extended");
});
