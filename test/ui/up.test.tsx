import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { readSource } from "../../source/journey/up.ts";
import { checkUpPlan } from "../../source/journey/up-file.ts";
import type { StageId, StageView, WayView } from "../../source/journey/up-types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { type Chosen, planText, readChosen } from "../../source/ui/screens/up-fields.ts";
import { stageRow } from "../../source/ui/screens/way-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { jobOf, keys, openUi, rennes } from "./harness.tsx";
import { failure, runOf } from "./run-fakes.ts";

const around = { site: rennes, job: jobOf(), free: null };
const chosen: Chosen = {
  nodes: { from: "reserve", nodes: "4", walltime: "2:00", subnet: "22", cluster: "", queue: "", minimum: "75%" },
  system: { deploy: "yes", environment: "debian12-min", key: "" },
  configure: { configure: "yes", keys: "", upgrade: "no", password: "generate", timezone: "Europe/Paris", run: "" },
  manager: {
    ...{ provider: "ganeti", cluster: "cluster1", address: "", hypervisor: "kvm", storage: "lvm", disk: "/dev/sdb" },
    ...{ bridge: "", system: "noop" },
  },
  instances: { count: "2", name: "web", memory: "512m", vcpus: "1", size: "10g", start: "yes" },
};

const titles: Record<StageId, string> = {
  reserve: "Reserve the nodes",
  deploy: "Deploy the system",
  configure: "Configure the nodes",
  install: "Install the VM manager",
  instances: "Make the first instances",
};

const now = 1_000_000_000;
const stage = (id: StageId, state: StageView["state"], more: Partial<StageView> = {}): StageView => ({
  id,
  title: titles[id],
  state,
  startedAt: state === "waiting" ? null : now - 90_000,
  endedAt: state === "done" ? now - 30_000 : null,
  text: "",
  hint: null,
  ...more,
});

function wayOf(more: Partial<WayView> = {}): WayView {
  return {
    id: "20261125-030000-up-abcd",
    title: "ganeti on 4 nodes of rennes",
    file: "/home/jdoe/virtu.yaml",
    plan: checkUpPlan(planText(chosen, around), "plan"),
    state: "running",
    startedAt: now - 90_000,
    endedAt: null,
    stages: [
      stage("reserve", "done", { text: "job 1874 runs on 4 nodes" }),
      stage("deploy", "done", { text: "4 of 4 nodes up with debian12-min" }),
      stage("configure", "running"),
      stage("install", "waiting"),
      stage("instances", "waiting"),
    ],
    site: "rennes",
    jobId: 1874,
    deployment: "20261125-030100-1874-wxyz",
    runs: { configure: "20261125-030200-configure-1234" },
    ...more,
  };
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "virtu-up-ui-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("what is chosen", () => {
  it("is a plan's file, in the words of the file", () => {
    expect(planText(chosen, around)).toBe(`# virtu up FILE goes this way; virtu down FILE takes it back.
site: rennes
nodes: 4
walltime: 2:00
subnet: 22
minimum: 75%
deploy:
  environment: debian12-min
configure:
  upgrade: false
  password: generate
  timezone: Europe/Paris
install:
  provider: ganeti
  cluster: cluster1
  hypervisors:
    - kvm
  storage: lvm:/dev/sdb
  systems:
    - noop
instances:
  - name: web
    count: 2
    memory: 512m
    vcpus: 1
    disk: 10g
`);
    expect(readChosen(chosen, around)).toMatchObject({ plan: { instances: [{ name: "web1" }, { name: "web2" }] } });
  });

  it("of hosts, of a job, and an image", () => {
    const hosts = { ...chosen, nodes: { from: "hosts", hosts: "a, node-[1,3] c", minimum: "" } };
    expect(readChosen(hosts, around)).toMatchObject({
      plan: { nodes: { kind: "hosts", names: ["a", "node-1", "node-3", "c"] }, deploy: null },
    });
    const job = { ...chosen, nodes: { from: "job", minimum: "" }, system: { deploy: "yes", environment: "~/i/x.env" } };
    expect(readChosen(job, around)).toMatchObject({
      plan: { nodes: { kind: "job", jobId: 1874 }, deploy: { environment: { kind: "image", file: "~/i/x.env" } } },
    });
  });

  it("says each fault at its own field", () => {
    const wrong: Chosen = {
      ...chosen,
      nodes: { ...chosen.nodes, nodes: "four", minimum: "0%" },
      manager: { ...chosen.manager, address: "10.0.0" },
      instances: { ...chosen.instances, memory: "lots" },
    };
    expect(readChosen(wrong, around)).toEqual({
      faults: {
        nodes: { nodes: expect.stringContaining("whole number"), minimum: expect.stringContaining("1% to 100%") },
        manager: { address: expect.stringContaining("IPv4") },
        instances: { memory: expect.stringContaining("not a size") },
      },
    });
  });
});

/** The real reading of plans over a way that only shows its stages. */
function journeys(carryWay?: Journeys["carryWay"]): Partial<Journeys> {
  return {
    readSource,
    carryWay:
      carryWay ??
      (async (_context, _source, options) => {
        await Promise.resolve();
        options.onView?.(wayOf());
        return new Promise<WayView>(() => {});
      }),
  };
}

async function toSummary(ui: ReturnType<typeof openUi>): Promise<void> {
  for (const heading of ["1 of 6", "2 of 6", "3 of 6", "4 of 6", "5 of 6"]) {
    await ui.waitFor(heading);
    await ui.press(keys.enter);
  }
  await ui.waitFor("What will be done");
}

describe("the form", () => {
  it("goes forward and back, loses nothing, and holds what is wrong at its field", async () => {
    const ui = openUi({ place: { screen: "runs" }, above: [{ screen: "up" }], journeys: journeys() });
    await ui.waitFor("where the nodes come from");
    await ui.press(keys.down, keys.backspace, "x", keys.enter);
    await ui.waitFor("A whole number of nodes");
    await ui.press(keys.backspace, "3", keys.enter);
    await ui.waitFor("2 of 6");
    await ui.press(keys.enter);
    await ui.waitFor("3 of 6");
    await ui.press(keys.esc);
    await ui.waitFor("2 of 6");
    await ui.press(keys.esc);
    await ui.waitFor(/1 of 6[\s\S]*\[ 3 /);
    // From the first step Esc leaves the form, and what was typed is there again.
    await ui.press(keys.esc);
    await ui.waitFor("No run yet");
    await ui.press("u");
    await ui.waitFor(/1 of 6[\s\S]*\[ 3 /);
  });

  it("shows every command known before, and the file; saves it, and never over another without a word", async () => {
    const ui = openUi({ place: { screen: "runs" }, above: [{ screen: "up" }], journeys: journeys() });
    await toSummary(ui);
    const lines = await ui.waitFor("oarsub -t deploy");
    expect(lines.join("\n")).toMatch(/kadeploy3\s+-f 1\/nodes/);
    await ui.press("f");
    await ui.waitFor("walltime: 2:00");
    await ui.press("y");
    expect(ui.copied[0]).toContain("provider: ganeti");
    const file = path.join(directory, "way.yaml");
    writeFileSync(file, "mine\n");
    const clear = keys.backspace.repeat("virtu.yaml".length);
    await ui.press("w", ...clear, file, keys.enter);
    await ui.waitFor("Overwrite the file?");
    await ui.press(keys.enter);
    await ui.waitFor("Save the plan as a file");
    expect(readFileSync(file, "utf8")).toBe("mine\n");
    await ui.press(keys.esc);
    await ui.waitFor("walltime: 2:00");
    await ui.press("w", keys.enter);
    await ui.waitFor("Overwrite the file?");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("Saved as");
    await ui.waitFor("walltime: 2:00");
    expect(readFileSync(file, "utf8")).toContain("provider: ganeti");
  });

  it("starts after a question, and is where the stages are", async () => {
    const carryWay = vi.fn(journeys().carryWay as Journeys["carryWay"]);
    const ui = openUi({
      place: { screen: "home" },
      above: [{ screen: "up" }],
      clock: () => now,
      journeys: journeys(carryWay),
    });
    await toSummary(ui);
    await ui.press(keys.enter);
    await ui.waitFor("4 nodes are reserved on rennes");
    await ui.press(keys.down, keys.enter);
    const lines = await ui.waitFor("◐ working");
    expect(ui.navigation.here()).toEqual({ screen: "way", id: wayOf().id });
    expect(carryWay.mock.calls[0]?.[1]).toMatchObject({
      id: null,
      file: null,
      plan: { install: { provider: "ganeti" } },
    });
    expect(lines.find((line) => line.includes("Reserve"))).toMatch(/● done +Reserve the nodes +1:00 job 1874 runs/);
    expect(lines.find((line) => line.includes("Configure"))).toMatch(/◐ working +Configure the nodes +1:30/);
    await ui.press("1");
    await ui.waitFor("◐ ganeti on 4 nodes of rennes · Configure the nodes");
  });

  it("says why it can't be started, and keeps the summary", async () => {
    const refused = new VirtuError({ kind: "refused", what: "Run x is carried by another virtu", hint: "Leave that." });
    const ui = openUi({
      place: { screen: "up" },
      journeys: journeys(() => Promise.reject(refused)),
    });
    await toSummary(ui);
    await ui.press(keys.enter, keys.down, keys.enter);
    await ui.waitFor("carried by another virtu");
    await ui.waitFor("What will be done");
  });
});

describe("a way", () => {
  const open = (view: WayView, more: Partial<Journeys> = {}) =>
    openUi({
      place: { screen: "runs" },
      above: [{ screen: "way", id: view.id }],
      clock: () => now,
      journeys: { listWays: async () => [{ view, pid: 4711 }], ...more },
    });

  it("keeps its rows within the width", () => {
    for (const width of [78, 198]) {
      for (const one of wayOf().stages) expect(widthOf(stageRow(one, "asking 4 nodes", width, now))).toBe(width);
    }
  });

  it("opens each stage's own screen, and says why one has none yet", async () => {
    const ui = open(wayOf());
    await ui.waitFor("◐ under way");
    // The cursor begins where something is done.
    await ui.waitFor(/❯◐ working +Configure/);
    await ui.press(keys.up, keys.enter);
    expect(ui.navigation.here()).toEqual({ screen: "deployment", id: wayOf().deployment });
    await ui.press(keys.esc, keys.down, keys.enter);
    expect(ui.navigation.here()).toEqual({ screen: "run", id: wayOf().runs.configure });
    await ui.press(keys.esc, keys.down, keys.enter);
    await ui.waitFor("this stage has not begun");
  });

  it("says how far the run of a stage is, and that it stands still, where one sees it", async () => {
    const id = wayOf().runs.configure as string;
    const moving = runOf(["paravance-11", "paravance-12"], { id });
    const still = runOf(["paravance-11", "paravance-12"], {
      id,
      state: "needs-you",
      cells: { packages: { "paravance-11": failure() } },
    });
    const ui = open(wayOf());
    await ui.waitFor("◐ under way");
    ui.workspace.store.dispatch({ type: "run", view: moving });
    await ui.waitFor(/◐ working +Configure the nodes .*step \d+ of 11/);
    ui.workspace.store.dispatch({ type: "run", view: still });
    const lines = await ui.waitFor(/❯⚠ needs you +Configure the nodes .*⏎: 1 node stands still/);
    expect(lines.join("\n")).toMatch(/ganeti on 4 nodes of rennes · ⚠ needs you/);
  });

  it("goes along with what is done, until the cursor is put elsewhere", async () => {
    const ui = open(wayOf());
    await ui.waitFor(/❯◐ working +Configure/);
    const later = (more: Partial<WayView>) => ui.workspace.store.dispatch({ type: "way", view: wayOf(more) });
    const [reserve, deploy] = wayOf().stages as [StageView, StageView];
    later({
      stages: [reserve, deploy, stage("configure", "done"), stage("install", "running"), stage("instances", "waiting")],
    });
    await ui.waitFor(/❯◐ working +Install/);
    await ui.press(keys.up);
    later({
      stages: [reserve, deploy, stage("configure", "done"), stage("install", "done"), stage("instances", "running")],
    });
    await ui.waitFor(/◐ working +Make the first instances/);
    await ui.waitFor(/❯● done +Configure/);
  });

  it("says what failed and what to do, and goes on by a key", async () => {
    const failed = wayOf({
      state: "failed",
      stages: [stage("reserve", "failed", { text: "Job 1874 has ended already", hint: "virtu down forgets it." })],
    });
    const carryWay = vi.fn<Journeys["carryWay"]>(() => new Promise(() => {}));
    const source = { id: failed.id, file: null, text: "", plan: failed.plan };
    const ui = open(failed, { readSource: async () => source, carryWay });
    await ui.waitFor("✗ failed");
    await ui.waitFor("To do: virtu down forgets it.");
    await ui.press("r");
    expect(carryWay.mock.calls[0]?.[1]).toBe(source);
  });

  it("names what taking it back loses, and asks", async () => {
    const done = wayOf({ state: "done", stages: [stage("reserve", "done")] });
    const source = { id: done.id, file: null, text: "", plan: done.plan };
    const losses = ["job 1874: 4 nodes with all that is on them", "the cluster cluster1"];
    const undoing = { losses, stays: [], plan: null, jobId: 1874, commands: [] };
    const downWay = vi.fn<Journeys["downWay"]>(async () => wayOf({ state: "undone" }));
    const ui = open(done, { readSource: async () => source, planDown: async () => undoing, downWay });
    await ui.waitFor("● done");
    await ui.press("D");
    await ui.waitFor("job 1874: 4 nodes with all that is on them");
    await ui.press(keys.enter);
    expect(downWay).not.toHaveBeenCalled();
    await ui.press("D");
    await ui.waitFor("the cluster cluster1");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("taken back");
    expect(downWay.mock.calls[0]?.[2]).toBe(undoing);
  });

  it("is carried on by itself when nobody carries it, its runs left to it", async () => {
    const view = wayOf({ state: "interrupted" });
    const source = { id: view.id, file: null, text: "", plan: view.plan };
    const carryWay = vi.fn<Journeys["carryWay"]>(async (_context, _source, options) => {
      options.onPassword?.("abcde-fghij");
      options.onView?.(wayOf());
      options.onNote?.("asking 4 nodes what they are", "configure");
      return new Promise(() => {});
    });
    const resumeRun = vi.fn<Journeys["resumeRun"]>(() => new Promise(() => {}));
    const ui = openUi({
      place: { screen: "runs" },
      clock: () => now,
      journeys: {
        listWays: async () => [{ view, pid: null }],
        listRuns: async () => [
          {
            ...{
              id: view.runs.configure ?? "",
              kind: "configure",
              title: "configure 4 nodes",
              site: null,
              jobId: null,
            },
            ...{ state: "interrupted", nodes: ["a"], out: [], startedAt: now, endedAt: null, pid: null },
            progress: { ended: 1, of: 4 },
          },
        ],
        readSource: async () => source,
        carryWay,
        resumeRun,
      },
    });
    await ui.waitFor(/way · ganeti on 4 nodes/);
    await ui.waitFor(/\? interrupted +configure 4 nodes/);
    expect(carryWay).toHaveBeenCalledTimes(1);
    expect(resumeRun).not.toHaveBeenCalled();
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("asking 4 nodes what they are");
  });
});
