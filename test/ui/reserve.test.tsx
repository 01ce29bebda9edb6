import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Job } from "../../source/journey/types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { commandBox, wrapCommand } from "../../source/ui/components/command-box.tsx";
import {
  requestLines,
  requestOf,
  reserveErrors,
  reserveFields,
  reserveMeanings,
} from "../../source/ui/screens/reserve-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi, rennes } from "./harness.tsx";
import { freeNodes, now, running, waiting } from "./job-fakes.ts";

const form = { place: { screen: "jobs" as const }, above: [{ screen: "reserve" as const }] };
const free = { freeNodes: async () => freeNodes } satisfies Partial<Journeys>;

describe("the command in its box", () => {
  const line = "oarsub -t deploy -n virtu -l slash_22=1+nodes=4,walltime=2:30:00 'sleep infinity'";

  it("is broken between words, and reads the same to a shell", () => {
    const lines = wrapCommand(line, 40);
    expect(lines.every((text) => text.length <= 40)).toBe(true);
    expect(lines.slice(0, -1).every((text) => text.endsWith(" \\"))).toBe(true);
    expect(lines.map((text) => text.replace(/ \\$/, "").trim()).join(" ")).toBe(line);
    expect(lines.some((text) => text.includes("'sleep infinity'"))).toBe(true);
  });
  it("stays one line where it has room", () => {
    expect(wrapCommand(line, 100)).toEqual([line]);
  });
  it("keeps its right edge straight and says how much is hidden", () => {
    const long = ["a ".repeat(200).trim()];
    expect(commandBox("will run on f", long, 60, 3, "Ctrl-Y copies all").join("\n")).toMatch(
      /… \d+ more: Ctrl-Y copies all/,
    );
    const box = commandBox("will run on f", ["a ".repeat(200).trim()], 40, 3).map((text) =>
      text.replace(/\u001b\[\d+m/g, ""),
    );
    expect(box.every((text) => widthOf(text) === 40)).toBe(true);
    expect(box).toHaveLength(5);
    expect(box[3]).toMatch(/… \d+ more/);
  });
});

describe("the form in words", () => {
  const values = {
    nodes: "4",
    walltime: "2:30",
    subnet: "22",
    cluster: "",
    when: "",
    start: "",
    name: "virtu",
    more: "",
  };

  it("makes the request that was typed", () => {
    expect(requestOf({ ...values, cluster: "paravance", properties: "memnode > 1", queue: "q" })).toMatchObject({
      nodes: 4,
      walltimeSeconds: 9000,
      subnet: 22,
      cluster: "paravance",
      properties: "memnode > 1",
      queue: "q",
      start: undefined,
    });
    expect(requestOf({ ...values, walltime: "0:90" })).toBeNull();
    expect(requestOf({ ...values, subnet: "none" })?.subnet).toBeNull();
  });
  it("wants a date only when one is to be given", () => {
    expect(requestOf({ ...values, start: "nonsense" })).not.toBeNull();
    expect(reserveErrors({ ...values, when: "date", start: "nonsense" }).start).toBeTruthy();
    expect(reserveErrors({ ...values, when: "date" }).start).toMatch(/^When\?/);
    expect(requestOf({ ...values, when: "date", start: "2026-03-02 19:00" })?.start).toBe("2026-03-02 19:00:00");
  });
  it("says what each value means", () => {
    const meanings = reserveMeanings(values, freeNodes, "rennes", now);
    expect(meanings.nodes).toBe("23 of 72 free now: 9 parasilo, 14 paravance");
    expect(meanings.walltime).toMatch(/^2 h 30 min: until \d\d:\d\d if it starts now$/);
    expect(meanings.subnet).toBe("1,022 addresses for your VMs");
    expect(reserveMeanings({ ...values, cluster: "parasilo" }, freeNodes, "rennes", now).nodes).toBe(
      "9 of 28 free now on parasilo",
    );
    expect(reserveMeanings({ ...values, nodes: "100" }, freeNodes, "rennes", now).nodes).toBe(
      "more than the 72 that rennes has",
    );
  });
  it("opens the rarely used fields by itself when one of them is wrong", () => {
    const field = reserveFields(freeNodes, now).find(({ id }) => id === "queue");
    expect(field?.shown?.(values)).toBe(false);
    expect(field?.shown?.({ ...values, more: "open" })).toBe(true);
    expect(field?.shown?.({ ...values, properties: "'" })).toBe(true);
  });
  it("repeats the request for the summary", () => {
    const request = requestOf(values);
    expect(request && requestLines(request, rennes)).toEqual([
      "4 nodes of any cluster on rennes, for 2 h 30 min",
      "as soon as they are free",
      "a /22 subnet: 1,022 addresses for your VMs",
      "job virtu, default queue",
    ]);
  });
});

describe("reserving", () => {
  it("shows the exact line all the time, with every field open at 80×24 too", async () => {
    const ui = openUi({ now, ...form, journeys: free });
    const lines = await ui.waitFor("23 of 72 free now");
    expect(lines.join("\n")).toMatch(/oarsub -t deploy -n virtu -l slash_22=1\+nodes=4,walltime=2:00:00 \\/);
    await ui.press(keys.backspace, "9");
    await ui.waitFor("nodes=9,");
    // Start at a date, and the rarely used fields.
    await ui.press(keys.tab, keys.tab, keys.tab, keys.tab, keys.right, keys.tab, keys.tab, keys.tab, keys.right);
    const open = await ui.waitFor("▾ open");
    expect(open.join("\n")).toMatch(/properties[\s\S]*queue[\s\S]*project[\s\S]*will run on[\s\S]*oarsub[\s\S]*└/);
    // A field of choices says how another one is taken.
    expect(open[23]).toMatch(/^ ⏎ go on {2}Tab next field {2}←→ choose {2}.*F1 help$/);
  });

  it("says what is wrong while it is typed, and does not go on", async () => {
    const reserve = vi.fn<Journeys["reserve"]>();
    const ui = openUi({ now, ...form, journeys: { ...free, reserve } });
    await ui.waitFor("23 of 72 free now");
    await ui.press(keys.tab, keys.backspace, keys.backspace, "9", "0");
    await ui.waitFor("✗ Minutes go up to 59");
    await ui.press(keys.enter);
    await ui.waitFor(/✗ Walltime: Minutes go up to 59/);
    expect(reserve).not.toHaveBeenCalled();
  });

  it("copies the command", async () => {
    const ui = openUi({ now, ...form, journeys: free });
    await ui.waitFor("23 of 72 free now");
    await ui.press(keys.ctrlY);
    await ui.waitFor("Copied the command");
    expect(ui.copied).toEqual([expect.stringContaining("slash_22=1+nodes=4,walltime=2:00:00 'sleep infinity'")]);
  });

  it("submits after the summary only, waits, and goes on to the nodes by itself", async () => {
    let runs: (job: Job) => void = () => {};
    const reserve = vi.fn<Journeys["reserve"]>((_context, _site, _request, options) => {
      options?.onEvent?.({ kind: "submitted", text: "OAR has taken it as job 1875", jobId: 1875, job: null });
      options?.onEvent?.({ kind: "state", text: "job 1875 waits", jobId: 1875, job: waiting });
      return new Promise((resolve) => {
        runs = resolve;
      });
    });
    let listed = [waiting];
    const ui = openUi({ now, ...form, journeys: { ...free, reserve, listJobs: async () => listed } });
    await ui.waitFor("23 of 72 free now");
    await ui.press(keys.enter);
    await ui.waitFor("This is what will be asked for");
    expect(reserve).not.toHaveBeenCalled();
    await ui.press(keys.enter);
    const lines = (await ui.waitFor("in 12:30, at")).join("\n");
    expect(lines).toMatch(/Waiting for 4 nodes on rennes/);
    expect(lines).toMatch(/◐ waiting/);
    expect(lines).toMatch(/its turn, when nodes are free/);
    expect(lines).toMatch(/Esc leaves it in the queue/);
    expect(reserve.mock.calls[0]?.[2]).toMatchObject({ nodes: 4, walltimeSeconds: 7200, subnet: 22, name: "virtu" });
    const job = { ...running, jobId: 1875 };
    listed = [job];
    runs(job);
    await ui.waitFor("4 nodes of job 1875");
    await ui.waitFor("i deploy");
  });

  it("leaves the job in the queue on Esc", async () => {
    const reserve: Journeys["reserve"] = (_context, _site, _request, options) => {
      options?.onEvent?.({ kind: "state", text: "job 1875 waits", jobId: 1875, job: waiting });
      return new Promise(() => {});
    };
    const ui = openUi({ now, ...form, journeys: { ...free, reserve, listJobs: async () => [waiting] } });
    await ui.waitFor("23 of 72 free now");
    await ui.press(keys.enter, keys.enter);
    await ui.waitFor("Esc leaves it in the queue");
    await ui.press(keys.esc);
    await ui.waitFor("WHERE AND WHY");
    await ui.waitFor("1875");
  });

  it("shows a refusal in the user's words with OAR's own under it, and keeps what was typed", async () => {
    const refused = new VirtuError({
      kind: "refused",
      what: "OAR refused the reservation",
      where: "rennes",
      why: "this site does not have 49 nodes",
      hint: "Ask for fewer nodes.",
      detail: "There are not enough resources for your request\nOAR_JOB_ID=-5",
    });
    const ui = openUi({ now, ...form, journeys: { ...free, reserve: () => Promise.reject(refused) } });
    await ui.waitFor("23 of 72 free now");
    await ui.press("9", keys.enter, keys.enter);
    const lines = (await ui.waitFor("this site does not have 49 nodes")).join("\n");
    expect(lines).toContain("Ask for fewer nodes.");
    expect(lines).toContain("| OAR_JOB_ID=-5");
    await ui.press(keys.esc);
    await ui.waitFor("nodes=49,");
  });

  it("comes back from the summary to the fields as they were", async () => {
    const ui = openUi({ now, ...form, journeys: free });
    await ui.waitFor("23 of 72 free now");
    await ui.press("2", keys.enter);
    await ui.waitFor("42 nodes of any cluster");
    await ui.press(keys.esc);
    await ui.waitFor("[ 42");
  });

  it("begins with the fields when it is opened anew, not with a summary that was left", async () => {
    const ui = openUi({ now, ...form, journeys: free });
    await ui.waitFor("23 of 72 free now");
    await ui.press("2", keys.enter);
    await ui.waitFor("42 nodes of any cluster");
    await ui.press("1");
    await ui.waitFor("[1 Home]");
    await ui.press(keys.enter);
    await ui.waitFor("[ 42");
    await ui.press(keys.enter);
    await ui.waitFor("42 nodes of any cluster");
    await ui.press("2");
    await ui.waitFor("[2 Jobs]");
    await ui.press("n");
    await ui.waitFor("[ 42");
  });

  it("warns of the usage policy where there is one", async () => {
    const site = { name: "rennes", frontend: "frontend.rennes.grid5000.fr" };
    // A Monday, 15:00 in France: two hours more than the day allows would cross 19:00.
    const monday = Date.UTC(2025, 10, 17, 14, 0) / 1000;
    const ui = openUi({ now: monday, site, ...form, journeys: free });
    await ui.waitFor("23 of 72 free now");
    await ui.press(keys.tab, keys.backspace, keys.backspace, keys.backspace, keys.backspace, "6");
    await ui.waitFor("This job would cross 19:00 on Monday");
  });
});
