import { expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { instanceOf, madeBy } from "../../source/ui/screens/first-instance.tsx";
import { keys, openUi } from "./harness.tsx";
import { cellOf, handleOf, nodeNames, now, planOf, runOf } from "./run-fakes.ts";

const names = nodeNames(3);
const plan = planOf(names);
const steps = plan.steps.map((step) => (step.id === "cluster" ? { ...step, id: "init" } : step));
const done = runOf(names, { plan: { ...plan, steps }, state: "done", endedAt: now, out: [], problem: null });
const cells = Object.fromEntries(
  steps.map((step) => [step.id, Object.fromEntries(Object.keys(step.cells).map((name) => [name, cellOf("done")]))]),
);
const run = { ...done, cells };

it("knows by the run's steps what it has installed, and where", () => {
  expect(madeBy(run)).toEqual({
    nodes: [plan.nodes[0]],
    making: { provider: "ganeti", template: "plain", system: "noop" },
  });
  const libvirt = { ...run, plan: { ...run.plan, kind: "install-libvirt" as const }, out: names.slice(0, 1) };
  expect(madeBy(libvirt)?.nodes).toEqual(plan.nodes.slice(1));
  expect(madeBy({ ...run, plan: { ...run.plan, kind: "configure" } })).toBeNull();
});

it("reads an instance as a plan's file has it", () => {
  const values = { name: "vm1", memory: "1g", vcpus: "2", disk: "10", os: "noop" };
  expect(instanceOf(values)).toMatchObject({
    instance: { name: "vm1", memoryMiB: 1024, vcpus: 2, disksGiB: [10], os: "noop", start: true },
  });
  expect(instanceOf({ ...values, vcpus: "none", name: "" })).toEqual({
    errors: { vcpus: expect.stringContaining("whole number"), name: expect.stringContaining("missing") },
  });
});

function open(makeFirst: Journeys["makeFirst"]) {
  return openUi({
    place: { screen: "runs" },
    above: [{ screen: "run", id: run.id }],
    clock: () => now,
    journeys: { resumeRun: async () => handleOf(run), makeFirst },
  });
}

const outcome = {
  ...{
    name: "vm1",
    host: names[0] ?? "",
    provider: "ganeti" as const,
    ok: true,
    ready: null,
    node: null,
    address: null,
  },
  ...{ job: "41", notes: [], error: null, detail: null, cleanedUp: [], leftBehind: [], seconds: 3 },
};

it("makes one from the finished run, then shows the instances", async () => {
  const makeFirst = vi.fn<Journeys["makeFirst"]>(async () => outcome);
  const ui = open(makeFirst);
  await ui.workspace.runs.open(run.id);
  await ui.waitFor("a makes an instance");
  await ui.press("a");
  await ui.waitFor("A first instance");
  await ui.press(keys.enter);
  await ui.waitFor("vm1 is made and started");
  expect(ui.navigation.here().screen).toBe("instances");
  expect(makeFirst.mock.calls[0]?.slice(1, 3)).toEqual([
    { node: plan.nodes[0], making: { provider: "ganeti", template: "plain", system: "noop" } },
    expect.objectContaining({ name: "vm1", memoryMiB: 512, disksGiB: [10], os: "noop" }),
  ]);
});

it("says why one was not made, and keeps what was typed", async () => {
  const refusals = [
    () => Promise.reject(new VirtuError({ kind: "usage", what: "There is an instance vm9 already" })),
    async () => ({ ...outcome, ok: false, error: "not enough memory", leftBehind: ["instance vm9"] }),
  ];
  const ui = open(() => (refusals.shift() ?? (async () => outcome))());
  await ui.workspace.runs.open(run.id);
  await ui.waitFor("a makes an instance");
  await ui.press("a", keys.backspace, "9", keys.enter);
  await ui.waitFor("There is an instance vm9 already");
  await ui.press(keys.enter);
  await ui.waitFor("not enough memory");
  await ui.waitFor("Left behind: instance vm9.");
  await ui.waitFor("[ vm9 ");
});
