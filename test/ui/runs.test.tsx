import { describe, expect, it, vi } from "vitest";
import type { Journeys } from "../../source/store/journeys.ts";
import { runRows, runRowText, startedText } from "../../source/ui/screens/runs-rows.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi } from "./harness.tsx";
import { handleOf, nodeNames, now, runOf, summaryOf } from "./run-fakes.ts";

const run = runOf(nodeNames(4));
const day = 86_400_000;
const past = summaryOf(run, {
  id: "past",
  title: "configure 4 nodes",
  state: "done",
  startedAt: now - day,
  endedAt: now - day + 95_000,
  out: nodeNames(1),
});
const elsewhere = summaryOf(run, {
  id: "elsewhere",
  title: "install libvirt on 2 nodes",
  pid: 812,
  startedAt: now - 9000,
});

describe("runs in text", () => {
  it("keeps rows within the width, in 80 columns and in 200", () => {
    for (const width of [78, 198]) {
      for (const row of runRows([past, elsewhere], { [run.id]: run }, now)) {
        expect(widthOf(runRowText(row, width, now))).toBe(width);
      }
    }
  });

  it("says the time of today's runs, and the day of others", () => {
    const noon = new Date(2026, 10, 22, 12, 0).getTime();
    expect(startedText(noon, noon + 60_000)).toBe("today 12:00");
    expect(startedText(noon - day, noon)).toBe("11-21 12:00");
  });

  it("knows better of a run that is carried here than its journal's list", () => {
    const [row] = runRows([summaryOf(run, { state: "interrupted", pid: 1 })], { [run.id]: run }, now);
    expect(row).toMatchObject({ state: "running", other: null });
  });
});

describe("the runs' screen", () => {
  const open = (resumeRun: Journeys["resumeRun"] = async () => handleOf(run)) =>
    openUi({
      place: { screen: "runs" },
      clock: () => now,
      journeys: { listRuns: async () => [summaryOf(run, { state: "interrupted" }), elsewhere, past], resumeRun },
    });

  it("lists runs under way and past, newest first, the interrupted one carried on", async () => {
    const ui = open();
    const lines = await ui.waitFor("◐ running");
    expect(lines.find((line) => line.includes("install Ganeti"))).toMatch(/◐ running +install Ganeti .* 4 +\d+ %/);
    expect(lines.find((line) => line.includes("install libvirt"))).toMatch(/◐ elsewhere .*by pid 812/);
    expect(lines.find((line) => line.includes("configure 4 nodes"))).toMatch(/● done .* 3\/4 +100 % .*took 1:35/);
    expect(lines.join("\n")).toContain("goes on by itself when virtu starts");
    expect(lines[0]).toContain("1 run ◐");
  });

  it("opens one; not one that another virtu carries, but for the user's word", async () => {
    const resumeRun = vi.fn<Journeys["resumeRun"]>(async (_context, id) => handleOf({ ...run, id }));
    const ui = open(resumeRun);
    await ui.waitFor("elsewhere");
    await ui.press(keys.home, keys.enter);
    await ui.waitFor("process 812 carries it");
    expect(ui.navigation.here().screen).toBe("runs");
    await ui.press("T");
    await ui.waitFor("process 812 of this machine holds the run");
    await ui.press(keys.down, keys.enter);
    expect(ui.navigation.here()).toEqual({ screen: "run", id: "elsewhere" });
    expect(resumeRun.mock.calls.find(([, id]) => id === "elsewhere")?.[2]?.takeLock).toBe(true);
    await ui.press("5", keys.down, keys.enter);
    await ui.waitFor(/step \d of 11/);
  });

  it("stands on Home with what is under way, and so do the forms", async () => {
    const ui = openUi({
      place: { screen: "home" },
      clock: () => now,
      journeys: {
        listRuns: async () => [summaryOf(run, { state: "interrupted" })],
        resumeRun: async () => handleOf(run),
      },
    });
    await ui.waitFor(/Runs +◐ install Ganeti on 4 nodes · \d+ % · ~4 min left/);
    await ui.press(keys.down, keys.down, keys.enter);
    expect(ui.navigation.places()).toEqual([{ screen: "runs" }, { screen: "configure" }]);
    await ui.press(keys.esc, keys.esc, keys.esc, keys.down, keys.enter);
    expect(ui.navigation.here()).toEqual({ screen: "install" });
  });

  it("asks for a secret twice, hidden, wherever one is", async () => {
    let asked: Promise<string | null> | undefined;
    const ui = open(async (_context, _id, options) => {
      asked = options?.secrets?.("root-password", new AbortController().signal);
      return handleOf(run);
    });
    await ui.waitFor("needs root's new password");
    await ui.press("correct horse 7", keys.enter, "correct horse", keys.enter);
    await ui.waitFor("the two are not the same");
    expect(ui.screen().join("\n")).not.toContain("horse");
    await ui.press(" 7", keys.enter);
    expect(await asked).toBe("correct horse 7");
  });
});
