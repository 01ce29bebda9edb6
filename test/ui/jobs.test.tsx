import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { extensionText, jobNote, jobRow, jobState, jobTime, queueReason } from "../../source/ui/screens/job-text.ts";
import { foldNames } from "../../source/ui/screens/node-names.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { jobOf, keys, openUi } from "./harness.tsx";
import { ended, now, running, waiting } from "./job-fakes.ts";

const bare = (text: string) => text.replace(/\u001b\[\d+m/g, "");

describe("a job in words", () => {
  it("tells how it ended, whatever OAR calls it", () => {
    expect(jobState(ended()).word).toBe("time over");
    expect(jobState(ended({ end: { kind: "released", text: "" } })).tone).toBe("idle");
    expect(jobState(ended({ end: { kind: "failed", text: "" } })).tone).toBe("bad");
    expect(jobState(running, true).word).toBe("releasing");
  });
  it("counts down to its end, or to its predicted start", () => {
    expect(jobTime(running, now)).toBe("2:28:20 left");
    expect(jobTime(waiting, now)).toBe("in 12:30");
    expect(jobTime(waiting, now + 751)).toBe("any moment");
    expect(jobTime({ ...waiting, predictedStart: null }, now)).toBe("not planned");
  });
  it("gives OAR's reason only when it is one", () => {
    expect(queueReason(waiting)).toBe("its turn, when nodes are free");
    expect(queueReason({ ...waiting, message: "FIFO scheduling (Not enough resources)" })).toBe("Not enough resources");
    expect(jobNote(ended())).toBe("its walltime was over");
  });
  it("keeps its columns at any width", () => {
    for (const width of [78, 198]) {
      for (const job of [running, waiting, ended(), jobOf({ name: "a very long name of a job for nothing" })]) {
        expect(widthOf(bare(jobRow(job, { current: true, releasing: false }, width, now)))).toBe(width);
      }
    }
  });
  it("says what was granted apart from what was only accepted", () => {
    expect(extensionText({ granted: 1800, pending: 0 })).toBe("Granted: 30 min more.");
    expect(extensionText({ granted: 0, pending: 1800 })).toMatch(
      /^Accepted, nothing granted yet\. 30 min still asked for/,
    );
    expect(extensionText({ granted: 600, pending: 1200 })).toMatch(/^Granted so far: 10 min more\. 20 min still/);
  });
});

it("folds names of nodes", () => {
  const names = ["p-2.x.fr", "p-10.x.fr", "p-1.x.fr", "p-3.x.fr", "q-01.x.fr", "front.x.fr"];
  expect(foldNames(names)).toBe("p-[1-3,10], q-01, front");
  expect(foldNames(["a-1.x.fr", "a-1.y.fr"])).toBe("a-1.x.fr, a-1.y.fr");
});

const jobs = { listJobs: async () => [running, waiting, ended()] } satisfies Partial<Journeys>;

describe("the jobs screen", () => {
  it("lists jobs, newest first, with state, time and reason", async () => {
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: jobs });
    const lines = await ui.waitFor("● running");
    const rows = lines.filter((line) => /^.? +18\d\d /.test(line));
    expect(rows.map((row) => /18\d\d/.exec(row)?.[0])).toEqual(["1875", "1874", "1860"]);
    expect(rows[0]).toContain("◐ waiting");
    expect(rows[0]).toContain("in 12:30");
    expect(rows[1]).toContain("2:28:20 left");
    expect(rows[2]).toContain("○ time over");
  });

  it("takes over a running job and goes to its nodes", async () => {
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: jobs });
    await ui.waitFor("● running");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("[3 Nodes]");
    expect(ui.workspace.state.jobId).toBe(1874);
    await ui.waitFor("4 nodes of job 1874");
  });

  it("refuses to extend a job that waits, and says why", async () => {
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: jobs });
    await ui.waitFor("● running");
    await ui.press("e");
    await ui.waitFor("job 1875 does not run: waiting");
  });

  it("asks before a release, names what is lost, and releases only on yes", async () => {
    const release = vi.fn<Journeys["release"]>(async () => ended({ jobId: 1874 }));
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: { ...jobs, release } });
    await ui.waitFor("● running");
    await ui.press(keys.down, "D");
    const lines = await ui.waitFor("Release job 1874?");
    expect(lines.join("\n")).toMatch(/4 nodes: paravance-\[11-12,30-31\]/);
    await ui.press(keys.enter);
    await ui.waitFor("● running");
    expect(release).not.toHaveBeenCalled();
    await ui.press("D", keys.down, keys.enter);
    await ui.waitFor("Job 1874 has ended; its nodes are given back.");
    expect(release.mock.calls[0]?.[2]).toBe(1874);
  });

  it("says what to do when there is no job", async () => {
    const ui = openUi({ now, place: { screen: "jobs" } });
    await ui.waitFor("You have no job on rennes.");
    await ui.press("n");
    await ui.waitFor("will run on frontend.rennes");
  });

  it("shows in place why the frontend can't be asked, and keeps the jobs that were known", async () => {
    const error = new VirtuError({
      kind: "failed",
      what: "The jobs can't be listed",
      where: "rennes",
      why: "this frontend has no OAR",
      hint: "Check the site's frontend.",
      detail: "sh: oarstat: not found",
    });
    let works = true;
    const listJobs = async () => {
      if (!works) throw error;
      return [running];
    };
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: { listJobs } });
    await ui.waitFor("● running");
    works = false;
    await ui.press("R");
    const lines = await ui.waitFor("The jobs can't be listed");
    expect(lines.join("\n")).toMatch(/● running/);
    const empty = openUi({ now, place: { screen: "jobs" }, journeys: { listJobs } });
    const all = (await empty.waitFor("this frontend has no OAR")).join("\n");
    expect(all).toContain("Check the site's frontend.");
    expect(all).toContain("| sh: oarstat: not found");
  });

  it("asks once how a job ended that has left OAR's list", async () => {
    const getJob = vi.fn<Journeys["getJob"]>(async () => ended({ jobId: 1874 }));
    let listed = [running];
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: { listJobs: async () => listed, getJob } });
    await ui.waitFor("● running");
    listed = [];
    await ui.press("R");
    await ui.waitFor("○ time over");
    await ui.press("R");
    await ui.workspace.site.refresh();
    expect(getJob).toHaveBeenCalledTimes(1);
  });
});

it("keeps every line within the terminal at 80×24 and 200×50", async () => {
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
  ] as const) {
    const ui = openUi({ now, place: { screen: "jobs" }, journeys: jobs, columns, rows });
    const lines = await ui.waitFor("● running");
    expect(lines.length).toBe(rows);
    expect(lines[rows - 1]).toContain("? help");
    expect(lines[0]).toContain("virtu · rennes");
  }
});
