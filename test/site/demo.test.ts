/** `virtu demo` as it is built: without a terminal, in one, and ended in a hurry. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Running, startProgram } from "../program.ts";
import { openProgram } from "../terminal.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "virtu-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A temporary directory of its own, to see what is left in it. */
function place(): string {
  return mkdtempSync(path.join(folder, "tmp-"));
}

const start = (args: readonly string[], tmp: string): Running =>
  startProgram(["demo", ...args], { env: { TMPDIR: tmp } });

test("without a terminal it plays the whole main job, and leaves nothing behind", async () => {
  const tmp = place();
  const { status, stdout, stderr } = await start(["--speed", "400"], tmp).ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const titles = stdout.split("\n").filter((line) => /^\d+\. /.test(line));
  expect(titles.map((line) => line.split(" ")[1])).toEqual([
    "Reserve",
    "Choose",
    "Deploy",
    "Look",
    "Configure",
    "Install",
    "Drive",
    "Extend",
    "Release",
    "All",
  ]);
  expect(stdout).toContain("Make the first instances: nothing to do · all of 2 instances are there");
  expect(stdout).toMatch(/paravance-2\.demo {2}failed: fdisk/);
  expect(stdout).toContain("4 of 4 nodes deployed in 2 attempts");
  expect(stdout).toMatch(/Ganeti job 41\n/);
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^All of it worked, in \d+:\d\d\.$/);
  expect(readdirSync(tmp)).toEqual([]);
}, 90_000);

test("what does not work is an error and status 1", async () => {
  const tmp = place();
  const { status, stdout, stderr } = await start(["--headless", "--scenario", "refused-reservation"], tmp).ended;
  expect(status).toBe(1);
  expect(stderr).toMatch(/^virtu: demo: OAR refused the reservation\n/);
  expect(stdout).not.toContain("All of it worked");
  expect(readdirSync(tmp)).toEqual([]);
});

test("a wrong option is status 2, before anything starts", async () => {
  const tmp = place();
  for (const args of [
    ["--scenario", "nope"],
    ["--nodes", "3"],
    ["--nodes", "x"],
    ["--speed", "-1"],
  ]) {
    const { status, stdout, stderr } = await start(args, tmp).ended;
    expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
    expect(stderr).toContain(args.join(" "));
  }
  expect(readdirSync(tmp)).toEqual([]);
});

test("ended by a signal, it still takes its directory away", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const tmp = place();
    const { kill, ended, says } = start(["--headless", "--speed", "5"], tmp);
    await says("OAR has taken it");
    expect(readdirSync(tmp).length).toBe(1);
    kill(signal);
    expect((await ended).status).toBe(130);
    expect(readdirSync(tmp)).toEqual([]);
  }
});

test("in a terminal it opens the screen on the site; its end takes everything along", async () => {
  const tmp = place();
  const terminal = openProgram(["demo", "--speed", "100"], { env: { TMPDIR: tmp } });
  await terminal.waitFor(/16 of 19 nodes free now/);
  terminal.press("4");
  await terminal.waitFor(/28 instances/);
  await terminal.waitFor(/ci-runner\.demo/);
  expect(readdirSync(tmp).length).toBe(1);
  terminal.press("q");
  expect(await terminal.exit, terminal.screen().join("\n")).toBe(0);
  expect(readdirSync(tmp)).toEqual([]);
}, 40_000);
