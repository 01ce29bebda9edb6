/** The feed: what the hosts tell and what virtu did, in one list; and the jobs of clusters. */
import { expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { HostEvent } from "../../source/instances/inventory-types.ts";
import type { ProviderJob } from "../../source/instances/types.ts";
import { feedLimit, noInstances, reduceInstances } from "../../source/store/instance-known.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, hostOf, itemOf, now, providerOf, rowOf } from "./instance-fakes.ts";

const web1 = rowOf("web1");
const event = (text: string, own: Partial<HostEvent> = {}): HostEvent => ({
  at: now - 60_000,
  key: web1.key,
  name: "web1",
  text,
  by: null,
  changes: true,
  host: "hv1",
  provider: "libvirt",
  cluster: null,
  ...own,
});

function open(size: { columns?: number; rows?: number } = {}) {
  const inventory = fakeInventory({ instances: [web1], hosts: [hostOf("hv1", { live: true }), hostOf("hv2")] });
  const ui = openUi({ place: { screen: "log" }, inventory, site: null, ...size });
  return { ui, inventory };
}

test.each([
  [80, 24],
  [200, 50],
])(
  "at %i×%i: when, where, what and by whom, free of control sequences, beside what virtu did",
  async (columns, rows) => {
    const { ui, inventory } = open({ columns, rows });
    await ui.waitFor("[7 Feed]");
    await ui.waitFor("following · 1 of 2 hosts tells of changes");
    inventory.emit("event", event("shut \u001b[2Jdown\nby hand", { by: "ann\u0007" }));
    ui.workspace.log("warning", "hv2", "the link broke");
    inventory.emit("event", event("job 12: 40 %", { name: "12", cluster: "gnt", key: null, changes: false }));
    await ui.waitFor(
      /\d\d:\d\d:\d\d › hv1\/web1 +shut down by hand · by ann *\n.* ! hv2 +the link broke *\n.* › gnt\/12 +job 12: 40 %/,
    );
    await ui.press("v");
    await ui.waitFor(/^(?![\s\S]*the link broke)[\s\S]*what the hosts tell · 2/);
    await ui.press("v");
    await ui.waitFor(/^(?![\s\S]*shut down)[\s\S]*what virtu did · 1[\s\S]*the link broke/);
  },
);

test("the filter looks at all of a line; moving up ends the following, f takes it up again", async () => {
  const { ui, inventory } = open();
  for (let n = 1; n <= 40; n += 1) inventory.emit("event", event(`event number ${n}`, { by: n === 7 ? "ann" : "bob" }));
  await ui.waitFor("event number 40");
  await ui.press(keys.up);
  await ui.waitFor("not following");
  await ui.waitFor(/❯.*event number 40/);
  await ui.press(keys.home);
  await ui.waitFor(/❯.*event number 1 /);
  inventory.emit("event", event("event number 41"));
  await ui.waitFor("happened · 41 ·");
  expect(ui.screen().join("\n")).not.toContain("number 41");
  await ui.press("f");
  await ui.waitFor("event number 41");
  await ui.press("/", "ann", keys.enter);
  await ui.waitFor("event number 7 · by ann");
  await ui.waitFor("1 of 41");
});

test("a line about an instance leads to it", async () => {
  const { ui, inventory } = open();
  inventory.emit("event", event("started"));
  await ui.waitFor("started");
  await ui.press(keys.enter);
  await ui.waitFor("feed ▸ web1");
});

test("the feed keeps its newest lines, and only so many", () => {
  let known = noInstances;
  for (let id = 1; id <= feedLimit + 5; id += 1) {
    known = reduceInstances(known, { type: "feed", lines: [{ ...event(String(id)), id }] });
  }
  expect(known.feed.length).toBe(feedLimit);
  expect(known.feed[0]?.id).toBe(6);
  expect(known.feed.at(-1)?.id).toBe(feedLimit + 5);
});

test("details are kept for the instances that were looked at last", () => {
  let known = noInstances;
  for (let n = 0; n < 60; n += 1) {
    known = reduceInstances(known, { type: "details", key: `i${n}`, change: { loading: true } });
    known = reduceInstances(known, { type: "details", key: "i0", change: { loading: true } });
  }
  expect(Object.keys(known.details).length).toBe(50);
  expect(Object.keys(known.details)).toContain("i0");
  expect(Object.keys(known.details)).not.toContain("i1");
});

const job = (id: string, own: Partial<ProviderJob> = {}): ProviderJob => ({
  id,
  state: "success",
  summary: `INSTANCE_STARTUP(vm${id})`,
  at: now / 1000 - 120,
  cancellable: false,
  log: [],
  ...own,
});

function openJobs(list: () => Promise<ProviderJob[]>, size: { columns?: number; rows?: number } = {}) {
  const cancelled: string[] = [];
  const inventory = fakeInventory(
    {
      instances: [web1],
      hosts: [hostOf("n1", { providers: [{ name: "ganeti", label: "gnt", cluster: "gnt", sharedWith: null }] })],
    },
    {},
    providerOf({
      name: "ganeti",
      cluster: "gnt",
      place: "gnt",
      jobs: {
        list,
        cancel: async (id) => {
          cancelled.push(id);
        },
      },
    }),
  );
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null, ...size });
  return { ui, cancelled, inventory };
}

test.each([
  [80, 24],
  [200, 50],
])("at %i×%i: J shows the queue, a job's log, and takes back what waits after asking", async (columns, rows) => {
  let first = "waiting";
  const { ui, cancelled } = openJobs(
    async () => [
      job("103", { state: first, cancellable: first === "waiting" }),
      job("102", { state: "running", log: ["12:00:01 migrating", "12:00:05 \u001b[31mmemory 40 %"] }),
      job("101"),
    ],
    { columns, rows },
  );
  await ui.waitFor("1 instance");
  await ui.press("J");
  await ui.waitFor("3 jobs · 1 running · 1 waiting");
  await ui.waitFor(/❯ +103 ‖ waiting +2 min gnt +INSTANCE_STARTUP\(vm103\)/);
  await ui.press(keys.down, "c");
  await ui.waitFor("job 102 does not wait: it is running");
  await ui.press(keys.enter);
  await ui.waitFor(/Job 102 on gnt · ◐ running · 2 min/);
  await ui.waitFor("12:00:05 memory 40 %");
  await ui.press(keys.esc, keys.up, "c");
  await ui.waitFor("Take back job 103 of gnt?");
  first = "canceled";
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("Job 103 is taken back.");
  expect(cancelled).toEqual(["103"]);
  await ui.waitFor(/103 ○ canceled/);
});

test("from an instance J leads to the job of its latest action", async () => {
  const { ui, inventory } = openJobs(async () => [job("57", { state: "running", log: ["waiting for locks"] })]);
  const own = { ...web1, provider: "ganeti" as const, cluster: "gnt" };
  inventory.set({ instances: [{ ...own, action: itemOf(own, "shutdown", { job: "57" }) }] });
  await ui.waitFor("◐ stopping #57");
  await ui.press("d", "J");
  await ui.waitFor("Job 57 on gnt · ◐ running");
  await ui.waitFor("waiting for locks");
});

test("a queue that can't be read says where and why, and keeps what was known", async () => {
  let fails = false;
  const { ui } = openJobs(async () => {
    if (fails) throw new VirtuError({ kind: "timeout", what: "gnt-job was cut off", where: "n1", why: "20 s passed" });
    return [job("101")];
  });
  await ui.waitFor("1 instance");
  await ui.press("J");
  await ui.waitFor("1 job ");
  fails = true;
  await ui.press("R");
  await ui.waitFor("✗ n1: gnt-job was cut off");
  expect(ui.screen().join("\n")).toContain("101 ● success");
});

test("where no cluster is shown, there is no queue, and that is said", async () => {
  const { ui } = open();
  ui.navigation.jump({ screen: "instances" });
  await ui.waitFor("1 instance");
  await ui.press("J");
  await ui.waitFor("only Ganeti has a queue of jobs");
});
