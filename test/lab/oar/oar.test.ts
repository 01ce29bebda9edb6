import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { must, run, Teardown, until, type VirtuRan, virtu, virtuProcess } from "../lab.ts";
import { type OarLab, oarLab } from "./oar.ts";

const teardown = new Teardown();
let lab: OarLab;
let home: string;

interface JobRecord {
  jobId: number;
  state: string;
  name: string;
  command: string;
  nodes: string[];
  subnet: string | null;
  submittedAt: string;
  predictedStart: string | null;
  startedAt: string | null;
  endsAt: string | null;
  end: { kind: string; text: string } | null;
}

beforeAll(async () => {
  home = teardown.directory("oar-home");
  lab = await oarLab(teardown);
  await lab.clear();
});
afterAll(() => teardown.run());

const options = () => ({ home, sshConfig: lab.sshConfig });
const ask = (...args: string[]): Promise<VirtuRan> => virtu([...args, "--site", "frontend", "--json"], options());
const reserve = (...args: string[]) => ask("reserve", "--nodes", "1", "--walltime", "10 min", ...args);

describe("a reservation's life", () => {
  let job: JobRecord;

  it("has no jobs before", async () => {
    expect((await ask("jobs")).json()).toEqual([]);
  });

  it("is reserved, and runs where OAR says", async () => {
    const ran = await ask("reserve", "--nodes", "2", "--walltime", "0:30");
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    job = ran.json();
    const truth = await lab.job(job.jobId);
    expect(truth).toMatchObject({
      state: "Running",
      owner: lab.user,
      types: ["deploy"],
      walltime: 1800,
      name: "virtu",
      command: "sleep infinity",
    });
    expect(truth?.initial_request).toBe(
      "oarsub -t deploy -n virtu -l slash_22=1+nodes=2,walltime=0:30:00 sleep infinity",
    );
    expect(job).toMatchObject({ state: "Running", name: "virtu", command: "sleep infinity" });
    expect(job.nodes).toEqual(truth?.assigned_network_address.toSorted());
    expect(job.nodes).toHaveLength(2);
    expect(Date.parse(job.startedAt ?? "") / 1000).toBe(truth?.startTime);
    expect(Date.parse(job.endsAt ?? "") - Date.parse(job.startedAt ?? "")).toBe(1_800_000);
    const rows = await must("oarstat", ["-p", "-j", String(job.jobId)]);
    const row = rows.split("\n").find((line) => line.includes("type = 'subnet'")) ?? "";
    expect(job.subnet).toBe(`${/subnet_address = '([^']*)'/.exec(row)?.[1]}/22`);
  });

  it("is listed, with the nodes of OAR's own node file", async () => {
    const list = (await ask("jobs")).json<JobRecord[]>();
    expect(list).toEqual([expect.objectContaining({ ...job, predictedStart: null })]);
    const file = readFileSync(`/var/lib/oar/${job.jobId}`, "utf8").trim().split("\n");
    expect(list[0]?.nodes).toEqual([...new Set(file)].sort());
  });

  it("is extended, and OAR has granted it", async () => {
    const ran = await ask("extend", String(job.jobId), "+0:30:00");
    expect(ran.json()).toEqual({ jobId: job.jobId, walltime: 3600, granted: 1800, pending: 0 });
    expect(ran.status).toBe(0);
    expect((await lab.job(job.jobId))?.walltime).toBe(3600);
  });

  it("is not extended by more than the site allows", async () => {
    const ran = await ask("extend", String(job.jobId), "9h");
    expect(ran.status).toBe(1);
    expect(ran.error()).toMatchObject({
      kind: "refused",
      why: "that is more than this site allows",
      hint: "At most 1 h 30 min more can be asked for.",
    });
    expect((await lab.job(job.jobId))?.walltime).toBe(3600);
  });

  it("tells that an extension is pending while somebody waits for the nodes", async () => {
    const next = (await ask("reserve", "--nodes", "4", "--walltime", "10 min", "--no-wait")).json<JobRecord>();
    await until("OAR has planned the next job", async () => {
      const [, waiting] = (await ask("jobs")).json<JobRecord[]>();
      return waiting?.predictedStart;
    });
    const ran = await ask("extend", String(job.jobId), "0:30");
    expect(ran.status).toBe(3);
    const { granted, pending } = ran.json<{ granted: number; pending: number }>();
    expect(granted + pending).toBe(1800);
    expect(granted).toBeLessThan(60);
    expect(await must("oarwalltime", [String(job.jobId)])).toMatch(/Pending\/unsatisfied: +\+0:(30|29):/);
    const released = await ask("release", String(next.jobId), "--yes");
    expect(released.json()).toMatchObject({ jobId: next.jobId, end: { kind: "released" } });
    expect((await lab.job(next.jobId))?.state).toBe("Error");
  });

  it("is not released without a yes", async () => {
    const ran = await ask("release", String(job.jobId));
    expect(ran.status).toBe(2);
    expect(ran.error()).toMatchObject({ kind: "usage", detail: expect.stringContaining(job.nodes[0] ?? "") });
    expect((await lab.job(job.jobId))?.state).toBe("Running");
  });

  it("is released, and has really ended when that returns", async () => {
    const ran = await ask("release", String(job.jobId), "--yes");
    expect((await lab.job(job.jobId))?.state).toBe("Error");
    expect(ran).toMatchObject({ status: 0 });
    expect(ran.json()).toEqual({
      jobId: job.jobId,
      state: "Error",
      end: { kind: "released", text: "you released it" },
    });
    expect((await ask("jobs")).json()).toEqual([]);
    // Once more is no error.
    expect((await ask("release", String(job.jobId), "--yes")).status).toBe(0);
  });
});

describe("what OAR refuses", () => {
  it.each([
    ["too many nodes", ["--nodes", "99"], /does not have 99 nodes/],
    ["a cluster that is not there", ["--cluster", "nope"], /that are so/],
    ["an unknown property", ["--properties", "memory > 3"], /no property named memory/],
    ["text without quotes", ["--properties", "cluster=paravance"], /no property named paravance/],
    ["an unknown queue", ["--queue", "nope"], /no queue named nope/],
    ["a queue for others", ["--queue", "admin"], /rule of this site/],
    ["a date that has passed", ["--start", "2020-01-01 10:00:00"], /has passed/],
  ])("%s", async (_, args, why) => {
    const ran = await reserve(...args);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toBe("");
    expect(ran.error()).toMatchObject({ kind: "refused", where: "frontend", detail: expect.stringMatching(/\w/) });
    expect(ran.error()["why"]).toMatch(why);
    expect(await lab.alive()).toEqual([]);
  });

  it("root", async () => {
    const ran = await virtu(
      ["reserve", "--nodes", "1", "--walltime", "1", "--site", "frontend-root", "--json"],
      options(),
    );
    expect(ran.error()).toMatchObject({ kind: "refused", why: "root can't submit jobs" });
  });

  it("nonsense goes nowhere", async () => {
    const ran = await ask("reserve", "--nodes", "0", "--walltime", "0:90");
    expect(ran.status).toBe(2);
    expect(ran.error()).toMatchObject({ kind: "usage", where: "--nodes, --walltime" });
  });

  it("a job of nobody", async () => {
    expect((await ask("release", "999999", "--yes")).error()).toMatchObject({ what: "There is no job 999999" });
    expect((await ask("extend", "999999", "1h")).error()).toMatchObject({
      why: "OAR knows no job of that number here",
    });
  });
});

describe("requests that OAR takes", () => {
  afterEach(() => lab.clear());

  it("prints the exact command, which a user's own shell takes too", async () => {
    const ran = await reserve(
      "--dry-run",
      "--cluster",
      "paravance",
      "--properties",
      "memnode > 3",
      "--subnet",
      "21",
      "--no-wait",
    );
    const [line = ""] = ran.json<{ commands: string[] }>().commands;
    expect(await lab.alive()).toEqual([]);
    const out = await must("ssh", ["-F", lab.sshConfig, "frontend", line]);
    const id = Number(/^OAR_JOB_ID=(\d+)$/m.exec(out)?.[1]);
    await lab.state(id, "Running");
    const [job] = (await ask("jobs")).json<JobRecord[]>();
    // Two neighbouring /22.
    expect(job?.subnet).toMatch(/^10\.144\.[08]\.0\/21$/);
  });

  it("nodes alone, of a cluster and a property", async () => {
    const job = (
      await reserve("--subnet", "none", "--cluster", "paravance", "--properties", "memnode >= 131072")
    ).json<JobRecord>();
    expect(job).toMatchObject({ state: "Running", subnet: null });
    expect((await lab.job(job.jobId))?.assigned_network_address).toHaveLength(1);
  });

  it("a start at a date, be it late", async () => {
    const start = await must("date", ["-d", "+20 sec", "+%F %T"]);
    const ran = await reserve("--start", start);
    expect(ran).toMatchObject({ status: 0 });
    const job = ran.json<JobRecord>();
    const truth = await lab.job(job.jobId);
    expect(truth).toMatchObject({ state: "Running", initial_request: expect.stringContaining(`-r ${start}`) });
    expect(Date.parse(job.endsAt ?? "") / 1000).toBe((truth?.startTime ?? 0) + (truth?.walltime ?? 0));
  });

  it("a walltime that runs out is told from a release", async () => {
    const { jobId } = (await ask("reserve", "--nodes", "1", "--walltime", "15 s")).json<JobRecord>();
    await lab.state(jobId, "Error");
    expect((await ask("release", String(jobId), "--yes")).json()).toMatchObject({
      state: "Error",
      end: { kind: "walltime" },
    });
  });

  it("one that waits is left at its limit and by Ctrl-C, and stays", async () => {
    const first = (await ask("reserve", "--nodes", "4", "--walltime", "1h")).json<JobRecord>();
    const ran = await reserve("--timeout", "3");
    expect(ran.status).toBe(1);
    expect(ran.error()).toMatchObject({
      kind: "timeout",
      hint: expect.stringContaining("virtu release --site frontend"),
    });
    const words = ["--site", "frontend", "--nodes", "1", "--walltime", "1h"];
    const waiting = virtuProcess(teardown, ["reserve", ...words], options());
    await waiting.says(/ waits/);
    waiting.kill("SIGINT");
    const { status, stderr } = await waiting.ended;
    expect(status).toBe(130);
    const jobId = Number(/no longer waits for job (\d+); the job stays/.exec(stderr)?.[1]);
    expect(await lab.job(jobId)).toMatchObject({ state: "Waiting" });
    expect(await lab.alive()).toHaveLength(3);
    expect(await lab.job(first.jobId)).toMatchObject({ state: "Running" });
  });
});

describe("a broken site", () => {
  afterEach(async () => {
    rmSync(join(lab.stateDir, "hold-oarsub"), { force: true });
    rmSync(join(lab.stateDir, "hold-oarsub.reached"), { force: true });
    await lab.database("up");
    await lab.server("up");
    await lab.clear();
  });

  it("loses the link in the middle of a submission: the job is found, and there is one", async () => {
    const hold = join(lab.stateDir, "hold-oarsub");
    writeFileSync(hold, "");
    // The user's own oarsub says that it has got there.
    writeFileSync(`${hold}.reached`, "");
    await must("chown", [lab.user, `${hold}.reached`]);
    const old = (await must("stat", ["-c", "%Y", `${hold}.reached`])).trim();
    await must("touch", ["-d", "2020-01-01", `${hold}.reached`]);
    const reserving = reserve();
    await until(
      "oarsub has submitted",
      async () => Number(await must("stat", ["-c", "%Y", `${hold}.reached`])) >= Number(old),
    );
    await lab.cutLinks();
    const ran = await reserving;
    expect(ran).toMatchObject({ status: 0 });
    const job = ran.json<JobRecord>();
    expect(await lab.alive()).toEqual([job.jobId]);
    expect(await lab.job(job.jobId)).toMatchObject({ state: "Running", owner: lab.user });
    expect(existsSync(hold)).toBe(true);
  });

  it("without its server queues the job, and says so", async () => {
    await lab.server("down");
    const text = await virtu(
      ["reserve", "--site", "frontend", "--nodes", "1", "--walltime", "10 min", "--no-wait"],
      options(),
    );
    expect(text).toMatchObject({ status: 0 });
    expect(text.stderr).toMatch(/OAR's server does not answer: job \d+ is queued/);
    const [jobId = 0] = await lab.alive();
    expect(await lab.job(jobId)).toMatchObject({ state: "Waiting" });
    const released = await ask("release", String(jobId), "--yes");
    expect(released.status).toBe(1);
    expect(released.error()).toMatchObject({ why: "OAR's server does not run", hint: expect.stringMatching(/again/) });
    await lab.server("up");
    expect((await ask("release", String(jobId), "--yes")).json()).toMatchObject({
      jobId,
      state: "Error",
      end: { kind: "released" },
    });
  });

  it("without its database is not asked for anything", async () => {
    await lab.server("down");
    await lab.database("down");
    for (const ran of [
      await reserve(),
      await ask("jobs"),
      await ask("release", "1", "--yes"),
      await ask("extend", "1", "1h"),
    ]) {
      expect(ran.status).toBe(1);
      expect(ran.error()).toMatchObject({ kind: "connection", why: "OAR's database does not answer" });
    }
    // Nothing is left behind that goes on trying, to submit or delete at some later time.
    expect(await run("pgrep", ["-fa", "^/usr/bin/perl /usr/lib/oar/oar(sub|del|walltime)"])).toMatchObject({
      stdout: "",
    });
    await lab.database("up");
    expect(await lab.alive()).toEqual([]);
  });
});
