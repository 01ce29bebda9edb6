/** `virtu up`, `virtu down` and what other commands say of a way, on the embedded site. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runProgram } from "../../source/commands/program.ts";
import type { WayReport } from "../../source/journey/up-report.ts";
import { type Opened, open } from "../site/site.ts";

let opened: Opened;
let file: string;
let out: string[];
let err: string[];

const plan = `site: frontend.demo
nodes: 2
walltime: 2:00
deploy: {environment: debian12-min}
configure: {upgrade: false, password: generate}
install: {provider: ganeti, cluster: cluster1, storage: "lvm:/dev/sdb"}
instances: [{name: web, disk: 5g}]
`;

beforeEach(async () => {
  opened = await open({ nodes: 4 });
  file = path.join(opened.embedded.configDir, "way.yaml");
  writeFileSync(file, plan);
  out = [];
  err = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function virtu(...words: string[]): Promise<number> {
  out.length = 0;
  err.length = 0;
  process.exitCode = 0;
  const { sshConfigFile, configDir } = opened.embedded;
  await runProgram([...words, "-F", sshConfigFile, "--config", configDir], "test");
  return Number(process.exitCode);
}

const printed = () => out.join("");
const records = () =>
  printed()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const report = () => records().at(-1) as unknown as WayReport;
const states = () => report().stages.map(({ state }) => state);
const jobs = () => [...opened.embedded.world.oar.jobs.values()].filter(({ name }) => name === "virtu");
const cluster = () => opened.embedded.world.clusters.all().find(({ name }) => name === "cluster1");

test("a dry run prints every stage with its commands, and does nothing", async () => {
  expect(await virtu("up", file, "--dry-run")).toBe(0);
  expect(printed()).toMatch(
    /1\. Reserve the nodes\n.*\n +oarsub -t deploy -n virtu -l slash_22=1\+nodes=2,walltime=2:00:00/,
  );
  expect(printed()).toContain("kadeploy3 -f 1/nodes -e debian12-min");
  expect(printed()).toMatch(/gnt-instance add --submit -t plain .* web\n/);
  expect(jobs()).toEqual([]);
  expect(await virtu("runs", "--json")).toBe(0);
  expect(JSON.parse(printed())).toEqual([]);
});

test("a plan that is none: status 2, the fault with file, line and column, as text and as JSON", async () => {
  writeFileSync(file, plan.replace("walltime", "waltime"));
  expect(await virtu("up", file)).toBe(2);
  expect(err.join("")).toContain(`${file}:3:1`);
  expect(err.join("")).toContain('did you mean "walltime"?');
  expect(await virtu("up", file, "--json")).toBe(2);
  expect(JSON.parse(err.join(""))).toMatchObject({ error: { kind: "usage", where: `${file}:3:1` } });
  expect(await virtu("up", `${file}.not`)).toBe(2);
  expect(err.join("")).toContain("there is no such file");
});

test("the whole way, told line by line; again nothing to do; taken back in two steps", async () => {
  expect(await virtu("up", file, "--json")).toBe(0);
  const events = records().slice(0, -1);
  expect(events).toContainEqual(expect.objectContaining({ stage: "reserve", state: "running" }));
  expect(events).toContainEqual(
    expect.objectContaining({ stage: "install", step: "packages", node: "paravance-2.demo", state: "done" }),
  );
  expect(events).toContainEqual({ rootPassword: expect.stringMatching(/^[\w-]{23}$/) });
  const { run, job } = report();
  expect(report()).toMatchObject({ ok: true, changed: true, state: "done", file });
  expect(job).toEqual({ site: "frontend.demo", jobId: jobs()[0]?.id });
  expect(report().steps).toContainEqual(
    expect.objectContaining({ step: "install/verify", node: "paravance-1.demo", state: "done", error: null }),
  );
  expect(cluster()?.instances.map(({ name }) => name)).toEqual(["web"]);

  // Again, by the file, by the id and by a part of it.
  for (const words of [
    ["up", file],
    ["resume", run],
    ["resume", run.slice(0, -2)],
  ]) {
    expect(await virtu(...words, "--json")).toBe(0);
    expect(states()).toEqual(["already", "already", "already", "already", "already"]);
    expect(report()).toMatchObject({ run, ok: true, changed: false });
    expect(new Set(report().steps.map(({ state }) => state))).toEqual(new Set(["already"]));
  }
  expect(jobs()).toHaveLength(1);
  expect(await virtu("runs", "--json")).toBe(0);
  expect((JSON.parse(printed()) as unknown[])[0]).toMatchObject({ id: run, kind: "up", state: "done" });
  expect(await virtu("runs", run)).toBe(0);
  expect(printed()).toContain("Make the first instances: nothing to do · all of 1 instance");
  expect(await virtu("cancel", run)).toBe(0);
  expect(printed()).toContain("is over already");

  // Nothing is lost without a yes.
  expect(await virtu("down", file)).toBe(2);
  expect(err.join("")).toContain("2 nodes with all that is on them");
  expect(await virtu("down", file, "--keep-job", "--dry-run")).toBe(0);
  expect(printed()).toContain("gnt-cluster destroy --yes-do-it");
  expect(cluster()?.instances).toHaveLength(1);
  expect(await virtu("down", file, "--keep-job", "--yes", "--json")).toBe(0);
  expect(cluster()).toBeUndefined();
  expect(jobs().map(({ state }) => state)).toEqual(["Running"]);

  // What is missing again is made again.
  expect(await virtu("up", file, "--json")).toBe(0);
  expect(states()).toEqual(["already", "already", "already", "done", "done"]);
  expect(await virtu("down", file, "--yes", "--json")).toBe(0);
  expect(report()).toMatchObject({ run, state: "undone", changed: true });
  expect(jobs().map(({ state }) => state)).not.toContain("Running");
  expect(await virtu("down", file, "--yes")).toBe(0);
  expect(printed()).toContain("has made nothing that is left");
}, 60_000);
