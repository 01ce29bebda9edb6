/** Ways from nothing to instances on the embedded site, each outcome held against what the site is. */
import { expect, test } from "vitest";
import { release } from "../../source/journey/jobs.ts";
import { carryWay, listWays, lookAtWay, readSource, type UpOptions } from "../../source/journey/up.ts";
import { downWay, planDown } from "../../source/journey/up-down.ts";
import type { WayView } from "../../source/journey/up-types.ts";
import { briefly, type Opened, open, reserveNodes } from "./site.ts";

const plan = `
site: demo
nodes: 3
walltime: 2:00
deploy: {environment: debian12-min}
configure: {upgrade: false, password: generate, timezone: Europe/Paris}
install: {provider: ganeti, cluster: cluster1, storage: "lvm:/dev/sdb"}
instances: [{name: web, count: 2, memory: 256m, disk: 5g}]
`;
const deployOnly = "site: demo\nnodes: 2\nwalltime: 1\ndeploy: {environment: debian12-min}\n";

function options(opened: Opened, more: Partial<UpOptions> = {}): UpOptions {
  return {
    site: () => opened.site,
    pause: briefly,
    pace: { backOff: 50, patience: 2000, lostPatience: 3000 },
    check: { pauseMs: 30 },
    ...more,
  };
}

const states = (view: WayView) => view.stages.map(({ id, state }) => `${id} ${state}`);

async function go(opened: Opened, what: { text: string } | { way: string }, more: Partial<UpOptions> = {}) {
  return carryWay(opened.context, await readSource(opened.context, what), options(opened, more));
}

async function down(opened: Opened, way: string, keepJob: boolean) {
  const source = await readSource(opened.context, { way });
  const undo = { ...options(opened), keepJob };
  const undoing = await planDown(opened.context, source, undo);
  return { undoing, view: await downWay(opened.context, source, undoing, undo) };
}

test("a way from nothing to instances; the second time nothing is left to do", async () => {
  const opened = await open({ nodes: 4 });
  const { embedded } = opened;
  const passwords: string[] = [];
  const more = { onPassword: (text: string) => passwords.push(text) };
  const first = await go(opened, { text: plan }, more);
  expect(states(first)).toEqual(["reserve done", "deploy done", "configure done", "install done", "instances done"]);
  expect(passwords).toHaveLength(1);
  const cluster = embedded.world.clusters.all().find(({ name }) => name === "cluster1");
  expect(cluster?.instances.map(({ name, alive, node, memory }) => `${name} ${alive} ${node.name} ${memory}`)).toEqual([
    "web1 true paravance-1.demo 256",
    "web2 true paravance-2.demo 256",
  ]);
  const jobs = embedded.world.oar.jobs.size;
  const second = await go(opened, { way: first.id }, more);
  expect(new Set(second.stages.map(({ state }) => state))).toEqual(new Set(["already"]));
  expect(passwords).toHaveLength(1);
  expect(embedded.world.oar.jobs.size).toBe(jobs);
}, 30_000);

test("one at a time goes a way; what nobody carries is interrupted", async () => {
  const opened = await open({ nodes: 4 });
  const abort = new AbortController();
  let refused: unknown = null;
  const left = go(
    opened,
    { text: deployOnly },
    {
      signal: abort.signal,
      onDeployment: () => {
        if (refused !== null) return;
        refused = listWays(opened.context)
          .then(async ([way]) => {
            expect(way).toMatchObject({ view: { state: "running" }, pid: process.pid });
            await go(opened, { way: way?.view.id ?? "" });
          })
          .catch((thrown: unknown) => thrown)
          .finally(() => abort.abort());
      },
    },
  );
  await expect(left).rejects.toMatchObject({ kind: "cancelled" });
  expect(await refused).toMatchObject({ kind: "refused", what: expect.stringContaining("carried by another virtu") });
  const [way] = await listWays(opened.context);
  expect(way).toMatchObject({ view: { state: "interrupted" }, pid: null });
  expect(states(await go(opened, { way: way?.view.id ?? "" }))).toEqual(["reserve done", "deploy done"]);
}, 30_000);

test("a job that has ended meanwhile is said, with what to do; taken back, the way begins anew", async () => {
  const opened = await open({ nodes: 4 });
  const { context, embedded } = opened;
  const first = await go(opened, { text: deployOnly });
  await release(context, opened.site, first.jobId ?? 0, { pause: briefly });
  const second = await go(opened, { way: first.id });
  expect(second.state).toBe("failed");
  expect(second.stages[0]).toMatchObject({
    state: "failed",
    text: expect.stringContaining(`Job ${first.jobId} has ended already`),
    hint: expect.stringContaining("virtu down forgets it"),
  });
  const { undoing, view } = await down(opened, first.id, false);
  expect(undoing).toMatchObject({ losses: [], plan: null, jobId: null });
  expect(view.state).toBe("undone");
  expect((await lookAtWay(context, first.id)).state).toBe("undone");
  expect([...embedded.world.oar.jobs.values()].filter(({ state }) => state === "Running")).not.toContainEqual(
    expect.objectContaining({ name: "virtu" }),
  );
}, 30_000);

test("a deployment that misses the minimum stops the way; going on tries the failed node alone", async () => {
  const opened = await open({ nodes: 4, scenarios: ["node-fails-step"] });
  const once = deployOnly.replace("debian12-min}", "debian12-min, retries: 0}");
  const first = await go(opened, { text: once });
  expect(states(first)).toEqual(["reserve done", "deploy failed"]);
  expect(first.stages[1]?.text).toMatch(/^only 1 of 2 nodes up with debian12-min, 2 are wanted: paravance-/);
  const second = await go(opened, { way: first.id });
  expect(states(second)).toEqual(["reserve already", "deploy done"]);
  const folders = (await opened.on("cat .virtu/deployments/*/nodes")).stdout.trim().split("\n");
  expect(folders).toHaveLength(3);
}, 30_000);

test("with a minimum, the nodes that are well are enough", async () => {
  const opened = await open({ nodes: 4, scenarios: ["node-fails-step"] });
  const text = `minimum: 1\n${deployOnly.replace("debian12-min}", "debian12-min, retries: 0}")}configure: {upgrade: false}\n`;
  const view = await go(opened, { text });
  expect(states(view)).toEqual(["reserve done", "deploy done", "configure done"]);
  expect(view.stages[2]?.text).toContain("on 1 node");
}, 30_000);

test("another environment is refused while the way's cluster stands on the nodes, and deployed once that is taken back", async () => {
  const opened = await open({ nodes: 4 });
  const job = await reserveNodes(opened, 2);
  const text = plan.replace("nodes: 3\nwalltime: 2:00", `job: ${job.jobId}`);
  const first = await go(opened, { text });
  expect(first.stages.map(({ state }) => state)).toEqual(["already", "done", "done", "done", "done"]);
  const { context, embedded } = opened;
  const source = await readSource(context, { way: first.id });
  const other = text.replace("debian12-min", "debian13-min");
  const changed = { ...source, text: other, plan: (await readSource(context, { text: other })).plan };
  const refused = await carryWay(context, changed, options(opened));
  expect(refused.stages[1]).toMatchObject({ state: "failed", hint: expect.stringContaining("virtu down --keep-job") });
  expect(embedded.world.clusters.all().some(({ name }) => name === "cluster1")).toBe(true);
  await down(opened, first.id, true);
  expect(embedded.world.clusters.all().some(({ name }) => name === "cluster1")).toBe(false);
  const again = await carryWay(context, changed, options(opened));
  expect(again.stages.map(({ state }) => state)).toEqual(["already", "done", "done", "done", "done"]);
  expect(embedded.world.testbed.node("paravance-1.demo")?.deployed?.environment).toBe("debian13-min");
}, 60_000);

test("a run that needs somebody stops the way, and going on tries the step again", async () => {
  const opened = await open({ nodes: 4, scenarios: ["node-fails-upgrade"] });
  const text = `${deployOnly}configure: {pair: false}\n`;
  const first = await go(opened, { text });
  expect(first.state).toBe("needs-you");
  expect(first.stages[2]).toMatchObject({
    state: "needs-you",
    hint: expect.stringContaining("--leave-out paravance-"),
  });
  const second = await go(opened, { way: first.id });
  expect(states(second)).toEqual(["reserve already", "deploy already", "configure done"]);
  expect(second.runs.configure).toBe(first.runs.configure);
}, 30_000);
