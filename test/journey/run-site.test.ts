/** Runs through the real pool, on the embedded site's nodes: what they leave on a node needs no more than its shell. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { deploy } from "../../source/journey/deploy.ts";
import { nodeRef } from "../../source/journey/nodes-ref.ts";
import type { Plan, RunView } from "../../source/journey/plan.ts";
import { resumeRun, startRun } from "../../source/journey/run.ts";
import { type Opened, open, reserveNodes } from "../site/site.ts";
import { planOf, type StepText } from "./plans.ts";

let site: Opened;
let nodes: readonly string[];
let plan: (steps: readonly StepText[], more?: Partial<Plan>) => Plan;

beforeEach(async () => {
  site = await open();
  const job = await reserveNodes(site, 4);
  nodes = job.nodes;
  await deploy(site.context, site.site, {
    jobId: job.jobId,
    nodes: [...nodes],
    environment: { kind: "environment", name: "debian12-min" },
    minimum: 4,
    retries: 0,
  });
  plan = (steps, more) => ({
    ...planOf(nodes, steps, more),
    nodes: nodes.map((name) => ({ name, host: nodeRef(site.context, site.site, job.jobId, name) })),
  });
}, 60_000);

const handles: { detach(): Promise<void> }[] = [];
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.detach();
});

const steps: StepText[] = [
  { id: "name", gives: ["NAME"], script: 'echo "#virtu give NAME $(hostname)"' },
  {
    id: "count",
    limitSeconds: 36_000,
    needs: ["name"],
    check: '[ -f "$HOME/counted" ]',
    script:
      'n=0; while [ $n -lt 300 ]; do n=$((n + 1)); echo "$n of $NAME"; done; for i in 1 2 3 4 5 6 7 8; do sleep 0.2; done; echo over; touch "$HOME/counted"',
  },
  { id: "secret", needs: ["count"], detached: false, secret: "password", script: 'read -r word; [ "$word" = hidden ]' },
];

test("a run on deployed nodes, with the link cut in the middle, and a second time", async () => {
  let cut = false;
  const onView = (view: RunView) => {
    if (cut || Object.values(view.cells["count"] ?? {}).some(({ lines }) => lines < 300)) return;
    cut = true;
    site.embedded.cutLink();
  };
  const options = { secrets: async () => "hidden", pace: { backOff: 20 }, onView };
  const handle = await startRun(site.context, plan(steps), options);
  handles.push(handle);
  const view = await handle.done;
  expect(view.state).toBe("done");
  expect(cut).toBe(true);
  for (const node of nodes) {
    const lines = await handle.output("count", node, 0, 1000);
    expect(lines).toEqual([...Array.from({ length: 300 }, (_, at) => `${at + 1} of ${node.split(".")[0]}`), "over"]);
    expect(view.cells["count"]?.[node]).toMatchObject({ state: "done", tries: 1 });
  }
  const again = await startRun(site.context, plan(steps), options);
  handles.push(again);
  expect((await again.done).cells["count"]?.[nodes[0] ?? ""]?.state).toBe("already");
});

test("left and found again; past its limit a step is ended", async () => {
  const late: StepText[] = [{ id: "late", limitSeconds: 4, script: "echo begun; sleep 60; echo never" }];
  let begun: () => void = () => undefined;
  const atWork = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const handle = await startRun(site.context, plan(late), {
    onView: (view) => Object.values(view.cells["late"] ?? {}).every(({ lines }) => lines === 1) && begun(),
  });
  handles.push(handle);
  await atWork;
  await handle.detach();
  let told: (view: RunView) => void = () => undefined;
  const asked = new Promise<RunView>((resolve) => {
    told = resolve;
  });
  const again = await resumeRun(site.context, handle.id, {
    onView: (view) => view.state === "needs-you" && told(view),
  });
  handles.push(again);
  const view = await asked;
  for (const cell of Object.values(view.cells["late"] ?? {})) {
    expect(cell).toMatchObject({ state: "failed", tries: 1, lines: 1 });
    expect(cell.text).toMatch(/^(took longer than its limit of 4 s|exit status 124)/);
  }
});
