/** What headless commands say and do of the site's Ganeti cluster: its jobs, its nodes, one instance, what happens. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { runProgram } from "../../source/commands/program.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { userLine } from "../../source/ssh/command.ts";
import { createPool } from "../../source/ssh/pool.ts";

const master = "gnt1.demo";
let site: EmbeddedSite;
beforeAll(async () => {
  site = await startSite({ speed: 400 });
});
afterAll(() => site.end());

let stdout = "";
let stderr = "";
beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Runs one on the cluster's master. */
async function virtu(...words: string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  [stdout, stderr] = ["", ""];
  const where = ["--host", master, "-F", site.sshConfigFile, "--config", site.configDir];
  await runProgram([...words, ...where], "1.2.3");
  const status = process.exitCode;
  process.exitCode = undefined;
  return { status, stdout, stderr };
}

const json = (text: string) => JSON.parse(text) as Record<string, unknown>[];

test("jobs are listed with what became of them, the newest first; one that is over can't be taken back", async () => {
  const done = await virtu("reboot", "web1.demo", "--yes", "--json");
  expect(done.status, done.stderr).toBe(0);
  const id = String(json(done.stdout)[0]?.["job"]);
  const listed = await virtu("ganeti-jobs", "--json");
  expect(listed.status, listed.stderr).toBe(0);
  expect(json(listed.stdout)[0]).toMatchObject({
    ...{ cluster: "gnt.demo", id, state: "success", summary: "INSTANCE_REBOOT(web1.demo)", cancellable: false },
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  expect((await virtu("ganeti-jobs")).stdout).toMatch(new RegExp(`^gnt\\.demo +${id} +success .*REBOOT`, "m"));
  const late = await virtu("ganeti-jobs", "cancel", id, "--yes");
  expect(late.status).toBe(1);
  expect(late.stderr).not.toBe("");
  const unknown = await virtu("ganeti-jobs", "cancel", "gnt.demo/99999", "--yes", "--json");
  expect(unknown.status).toBe(2);
  expect(JSON.parse(unknown.stderr)).toMatchObject({ error: { kind: "usage", what: "There is no job 99999" } });
  const only = await virtu("ganeti-jobs", "cancel", id, "--dry-run");
  expect(only).toMatchObject({ status: 0, stdout: expect.stringContaining("would be taken back") });
});

test("a node is drained and used again by jobs; what a command does is shown first, and asks", async () => {
  const node = "gnt2.demo";
  const shown = await virtu("node", "drain", node, "--dry-run");
  expect(shown).toMatchObject({ status: 0, stdout: expect.stringMatching(/gnt-node modify -f --drained=yes/) });
  const asked = await virtu("node", "evacuate", node);
  expect(asked.status).toBe(2);
  expect(asked.stderr).toContain(`Evacuate ${node} needs a yes`);
  const rolesOf = async () => {
    const listed = await virtu("instances", "--nodes", "--json");
    return json(listed.stdout).find(({ name }) => name === node)?.["roles"];
  };
  const before = await rolesOf();
  const drained = await virtu("node", "drain", node, "--yes", "--json");
  expect(json(drained.stdout)[0]).toMatchObject({ name: node, ok: true, error: null, job: expect.any(String) });
  expect(await rolesOf()).toContain("drained");
  expect((await virtu("node", "undrain", node, "--yes")).status).toBe(0);
  expect(await rolesOf()).not.toContain("drained");
  expect(before).not.toContain("drained");
});

test("a node whose instances can't all go is not half emptied: which they are is said", async () => {
  const kept = await virtu("node", "evacuate", "gnt3.demo", "--yes", "--json");
  expect(kept.status).toBe(1);
  expect(json(kept.stdout)[0]).toMatchObject({
    ...{ name: "gnt3.demo", ok: false, job: expect.any(String) },
    error: expect.stringMatching(/on this node only hold db1\.demo \(plain\).*nothing else was moved/),
  });
});

test("all that is known of an instance, each thing once", async () => {
  const shown = await virtu("show", "web1.demo");
  expect(shown.status, shown.stderr).toBe(0);
  const names = shown.stdout.split("\n").map((line) => line.slice(0, 16).trim());
  expect(names).toEqual(expect.arrayContaining(["name", "status", "node", "memory", "hypervisor", "tags"]));
  expect(names.filter((name) => name === "tags")).toHaveLength(1);
  // Nothing limits them: nothing is said of a limit.
  expect(shown.stdout).toMatch(/^vcpus +2$/m);
});

test("the picture of a guest's screen, which its node takes", async () => {
  const file = path.join(site.configDir, "web1.ppm");
  const taken = await virtu("screenshot", "web1.demo", "--output", file, "--json");
  expect(taken.status, taken.stderr).toBe(0);
  expect(JSON.parse(taken.stdout)).toMatchObject({ name: "web1.demo", width: 720, height: 400 });
  expect(readFileSync(file).subarray(0, 2).toString()).toBe("P6");
});

test("events tell of a job from its beginning to its end", async () => {
  const following = virtu("events", "--for", "6", "--json");
  const asker = { secret: async () => null, hostKey: async () => "no" as const };
  const pool = createPool({ sshConfig: site.sshConfigFile, asker });
  onTestFinished(() => pool.end());
  // Until the stream is there, nobody is told.
  await vi.waitFor(
    async () => {
      await pool.exec({ name: master }, userLine("gnt-instance reboot web1.demo"));
      expect(stdout).toContain("INSTANCE_REBOOT: done");
    },
    { timeout: 5000, interval: 100 },
  );
  const told = await following;
  expect(told.status).toBe(0);
  const events = told.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events[0]).toMatchObject({ provider: "ganeti", cluster: "gnt.demo", name: "web1.demo", by: "gnt-instance" });
});
