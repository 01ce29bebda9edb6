/** Ways from nothing to instances on the embedded site, each outcome held against what the site is. */
import { expect, test } from "vitest";
import { carryWay, readSource, type UpOptions } from "../../source/journey/up.ts";
import type { WayView } from "../../source/journey/up-types.ts";
import { briefly, type Opened, open } from "./site.ts";

const plan = `
site: demo
nodes: 3
walltime: 2:00
deploy:
  environment: debian12-min
configure:
  upgrade: false
  password: generate
  timezone: Europe/Paris
install:
  provider: ganeti
  cluster: cluster1
  storage: lvm:/dev/sdb
instances:
  - name: web
    count: 2
    memory: 256m
    disk: 5g
`;

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

test("a way from nothing to instances; the second time nothing is left to do", async () => {
  const opened = await open({ nodes: 4 });
  const { context, embedded } = opened;
  const notes: string[] = [];
  const passwords: string[] = [];
  const more = { onNote: (text: string) => notes.push(text), onPassword: (text: string) => passwords.push(text) };
  const source = await readSource(context, { text: plan });
  const first = await carryWay(context, source, options(opened, more));
  console.log(notes.join("\n"));
  console.log(first.stages);
  expect(states(first)).toEqual(["reserve done", "deploy done", "configure done", "install done", "instances done"]);
  expect(passwords).toHaveLength(1);
  const cluster = embedded.world.clusters.all().find(({ name }) => name === "cluster1");
  expect(cluster?.instances.map(({ name, alive, node }) => `${name} ${alive} ${node.name}`)).toEqual([
    "web1 true paravance-1.demo",
    "web2 true paravance-2.demo",
  ]);
  const jobs = embedded.world.oar.jobs.size;
  const again = await readSource(context, { way: first.id });
  const second = await carryWay(context, again, options(opened, more));
  console.log(second.stages);
  expect(states(second)).toEqual([
    "reserve already",
    "deploy already",
    "configure already",
    "install already",
    "instances already",
  ]);
  expect(passwords).toHaveLength(1);
  expect(embedded.world.oar.jobs.size).toBe(jobs);
}, 60_000);
