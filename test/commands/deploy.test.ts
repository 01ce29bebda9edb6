import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readMinimum } from "../../source/commands/deploy.ts";
import { runProgram } from "../../source/commands/program.ts";
import type { Job } from "../../source/journey/types.ts";
import { type FakeRun, frontend, LocalPool } from "../journey/local-pool.ts";

const dahu = (...numbers: number[]) => numbers.map((n) => `dahu-${n}.grenoble.grid5000.fr`);
const recorded = (name: string) =>
  readFileSync(new URL(`../../fixtures/kadeploy/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
const success: FakeRun = { output: recorded("success.stdout"), ok: dahu(1, 2, 3) };
const partial: FakeRun = { output: recorded("partial-failure.stdout"), ok: dahu(1, 3), ko: dahu(2) };
const total: FakeRun = { output: recorded("total-failure.stdout"), ko: dahu(1, 2, 3) };

const world = vi.hoisted(() => ({ pool: null as unknown, jobs: [] as unknown[], others: [] as unknown[] }));
vi.mock("../../source/app.ts", () => ({
  openApp: async () => ({
    settings: { problem: null },
    pool: world.pool,
    stateDir: (world.pool as LocalPool).stateDir,
    site: (name: string) => ({ name, frontend }),
    end: async () => undefined,
  }),
}));
vi.mock("../../source/journey/jobs.ts", () => ({
  listJobs: async () => world.jobs,
  getJob: async (_: unknown, __: unknown, id: number) =>
    [...world.jobs, ...world.others].find((job) => (job as Job).jobId === id),
}));

let pool: LocalPool;
let out: string[];
let err: string[];

beforeEach(() => {
  pool = new LocalPool();
  world.pool = pool;
  world.jobs = [{ jobId: 1874, state: "Running", nodes: dahu(1, 2, 3), owner: "alice", end: null }];
  world.others = [];
  out = [];
  err = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  await pool.end();
});

async function virtu(...words: string[]): Promise<number> {
  await runProgram(words, "test");
  return Number(process.exitCode);
}
const deploy = (...words: string[]) =>
  virtu("deploy", "--site", "grenoble", "--job", "1874", "--environment", "debian11-min", ...words);
const json = () => JSON.parse(out.join("")) as unknown;

describe("virtu deploy", () => {
  test("all up: the documented JSON, and status 0", async () => {
    pool.runs(success);
    expect(await deploy("--yes", "--json")).toBe(0);
    expect(json()).toEqual({ deployed: dahu(1, 2, 3), failed: [], missing: [], attempts: 1 });
    expect(err).toEqual([]);
  });

  test("progress on standard error, nodes of the same news on one line", async () => {
    pool.runs(success);
    await deploy("--yes");
    expect(err.join("")).toContain("dahu-[1-3].grenoble.grid5000.fr  deployed");
    expect(out.join("")).toContain("3 of 3 nodes deployed in 1 attempt\n");
  });

  test("some failed: status 3, with step and reason", async () => {
    pool.runs(partial);
    expect(await deploy("--yes", "--json", "--retries", "0")).toBe(3);
    expect(json()).toEqual({
      deployed: dahu(1, 3),
      failed: [
        { node: dahu(2)[0], step: "SetDeploymentEnvUntrusted-wait_reboot", reason: "Unreachable after the reboot" },
      ],
      missing: [],
      attempts: 1,
    });
  });

  test.each(["2", "66%"])("with --min %s that is enough", async (min) => {
    pool.runs(partial);
    expect(await deploy("--yes", "--retries", "0", "--min", min)).toBe(0);
  });

  test("none up: status 1", async () => {
    pool.runs(total);
    expect(await deploy("--yes", "--json", "--retries", "0")).toBe(1);
    expect(json()).toMatchObject({ deployed: [], failed: [{ node: dahu(1)[0] }, {}, {}] });
  });

  test("refused as a whole: an error in JSON on standard error", async () => {
    pool.runs({ output: recorded("error-rights.stderr"), status: 6 });
    expect(await deploy("--yes", "--json")).toBe(1);
    expect(out).toEqual([]);
    expect(JSON.parse(err.join(""))).toMatchObject({
      error: { kind: "refused", why: expect.stringMatching(/no right/) },
    });
  });

  test("--dry-run prints the exact line and starts nothing", async () => {
    expect(await deploy("--dry-run", "--json", "--retries", "0")).toBe(0);
    const { commands, id } = json() as { commands: string[]; id: string };
    expect(commands).toEqual([
      `cd "$HOME"/.virtu/deployments/${id} && RUBYOPT=-r"$PWD"/live.rb kadeploy3 -f 1/nodes -e debian11-min -k -o 1/ok -n 1/ko --write-workflow-id 1/wid`,
    ]);
    expect(pool.sent).toEqual([]);
  });

  test("without --yes and without a terminal nothing is erased; the nodes are named", async () => {
    expect(await deploy()).toBe(2);
    expect(err.join("")).toContain(dahu(2)[0]);
    expect(pool.sent).toEqual([]);
  });

  test("a private key is refused before anything is asked", async () => {
    const file = path.join(pool.home, "id");
    await writeFile(file, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    expect(await deploy("--yes", "--key", file)).toBe(2);
    expect(err.join("")).toMatch(/private key/);
  });

  test.each([
    [["--min", "4"], /minimum/],
    [["--min", "0%"], /minimum/],
    [["--retries", "x"], /Retries/],
    [["--image", "a.env"], /one thing to deploy/],
    [["--environment", "a:b"], /NAME:VERSION/],
  ])("%j is a usage error", async (words, text) => {
    expect(await deploy("--yes", ...words)).toBe(2);
    expect(err.join("")).toMatch(text);
    expect(pool.sent).toEqual([]);
  });

  test("somebody else's job", async () => {
    world.others = [{ jobId: 9, state: "Running", nodes: dahu(1), owner: "bob", end: null }];
    expect(await virtu("deploy", "--site", "grenoble", "--job", "9", "--environment", "a", "--yes")).toBe(1);
    expect(err.join("")).toContain("it is bob's");
  });

  test("a job that waits", async () => {
    world.jobs = [{ jobId: 1874, state: "Waiting", nodes: [], owner: "alice", end: null }];
    expect(await deploy("--yes")).toBe(1);
    expect(err.join("")).toMatch(/it is Waiting[\s\S]*Wait until it runs/);
  });

  test("an image on the frontend, and a version", async () => {
    pool.runs(success, success);
    await virtu("deploy", "--site", "grenoble", "--job", "1874", "--image", "~/image/xen.env", "--yes");
    await virtu("deploy", "--site", "grenoble", "--job", "1874", "--environment", "debian12-min:2024102413", "--yes");
    const [first, second] = pool.file("fake/calls").split("\n");
    expect(first).toContain(`-a ${pool.home}/image/xen.env`);
    expect(second).toContain("-e debian12-min --env-version 2024102413");
  });

  test("is listed, and found again by its id", async () => {
    pool.runs(partial);
    await deploy("--yes", "--json", "--retries", "0");
    const result = json();
    out.length = 0;
    expect(await virtu("deployments", "--site", "grenoble", "--json")).toBe(0);
    const [known] = json() as { id: string; state: string; result: unknown }[];
    expect(known).toMatchObject({ jobId: 1874, title: "debian11-min", state: "done", result, problem: null });
    out.length = 0;
    expect(await virtu("deploy", "--site", "grenoble", "--resume", known!.id, "--json")).toBe(3);
    expect(json()).toEqual(result);
  });
});

test.each([
  [undefined, 7, 7],
  ["3", 7, 3],
  ["50%", 7, 4],
  ["100%", 7, 7],
  ["0.1%", 7, 1],
])("a minimum of %s of %i nodes is %i", (text, nodes, minimum) => {
  expect(readMinimum(text, nodes)).toBe(minimum);
});
