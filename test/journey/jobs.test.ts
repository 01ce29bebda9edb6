import { beforeEach, describe, expect, it } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { extend, freeNodes, getJob, listJobs, release, takeOver } from "../../source/journey/jobs.ts";
import { FakePool, lost, recorded, unreachable } from "./fake-pool.ts";
import { jobJson, jobsAnswer, jobsOf, recordedNow as now, reply } from "./oar-replies.ts";

const site = { name: "nancy", frontend: "fnancy", gateway: "access" };
let pool: FakePool;
const context = () => ({ pool, stateDir: "/nowhere" });
const quick = { pause: async () => {} };
const list = "oarstat -f -J -u";
const look = (id: number) => `oarstat -f -J -j ${id})`;
const running = (id: number, change = {}) => jobJson("oarstat-f-J-j-running", { Job_Id: id, ...change });
const ended = (name: string, id: number) => jobsOf(now, jobJson(name, { Job_Id: id }));

async function failure(promise: Promise<unknown>): Promise<VirtuError> {
  const thrown = await promise.then(
    (value) => expect.fail(`no error but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(thrown instanceof VirtuError)) throw thrown;
  return thrown;
}

beforeEach(() => {
  pool = new FakePool();
});

describe("the list of jobs", () => {
  it("is one round trip, with the subnets of running jobs, each asked for once", async () => {
    const answer = (told: string) => `${jobsOf(now, running(1), jobJson("oarstat-f-J-waiting")).trimEnd()}\n${told}`;
    pool.answer(list, answer(`==virtu resources 1==\n${recorded("oar/oarstat-p-running").stdout}`), answer(""));
    const first = await listJobs(context(), site, { priority: "poll" });
    expect(first.map(({ jobId, state, subnet }) => [jobId, state, subnet])).toEqual([
      [1, "Running", "10.144.0.0/22"],
      [3, "Waiting", null],
    ]);
    expect(pool.ran).toHaveLength(1);
    expect(pool.ran[0]).toMatchObject({ host: "fnancy", options: { priority: "poll" } });
    const second = await listJobs(context(), site);
    expect(second[0]?.subnet).toBe("10.144.0.0/22");
    expect(pool.ran[0]?.line).toContain("'  '");
    expect(pool.ran[1]?.line).toContain("' 1 '");
  });

  it("is empty when OAR prints nothing", async () => {
    pool.answer(list, jobsAnswer(null));
    expect(await listJobs(context(), site)).toEqual([]);
  });

  it("is read as text where Perl has no JSON, and asked for as text from then on", async () => {
    pool.answer(list, { status: 1, stderr: "No Perl JSON module is available on the system...\n" });
    pool.answer("TZ=UTC0 oarstat -f -u", jobsAnswer("oarstat-f-j-running"));
    expect((await listJobs(context(), site))[0]).toMatchObject({
      jobId: 1,
      state: "Running",
      startedAt: 1_795_343_581,
    });
    await listJobs(context(), site);
    expect(pool.count(list)).toBe(1);
    expect(pool.count("TZ=UTC0")).toBe(2);
  });

  it.each([
    [{ ...recorded("oar/db-down-oarstat-J") }, "connection", "OAR's database does not answer"],
    [
      { status: 127, stderr: "bash: line 1: oarstat: command not found\n" },
      "failed",
      "this frontend has no OAR (oarstat is not found)",
    ],
    [lost, "connection", "the connection broke before the answer"],
    [{ outcome: "timeout" as const }, "timeout", "OAR did not answer in time"],
    [{ status: 3, stderr: "what?\n" }, "failed", "oarstat ended with status 3"],
    ["Welcome!\n", "unparsed", "its answer does not begin with the frontend's clock"],
  ])("%#: a failure is said", async (answer, kind, why) => {
    pool.answer(list, answer);
    expect(await failure(listJobs(context(), site))).toMatchObject({ kind, why });
  });
});

describe("one job", () => {
  it("is looked up alive or ended", async () => {
    pool.answer(look(2), jobsAnswer("oarstat-f-J-deleted"));
    expect(await getJob(context(), site, 2)).toMatchObject({ jobId: 2, state: "Error", end: { kind: "released" } });
  });

  it("is unknown when OAR prints nothing", async () => {
    pool.answer(look(9999), jobsAnswer("oarstat-J-nosuch"));
    expect(await failure(getJob(context(), site, 9999))).toMatchObject({
      kind: "refused",
      what: "There is no job 9999",
    });
  });

  it.each([0, -5, 1.5, Number.NaN])("%s is no number of a job, and nothing is sent", async (id) => {
    for (const action of [getJob, release])
      expect(await failure(action(context(), site, id))).toMatchObject({ kind: "usage" });
    expect(await failure(extend(context(), site, id, "+1"))).toMatchObject({ kind: "usage" });
    expect(pool.ran).toEqual([]);
  });

  it("is taken over only while it runs", async () => {
    pool
      .answer(look(1), jobsAnswer("oarstat-f-J-j-running"))
      .answer(look(3), jobsAnswer("oarstat-f-J-waiting"))
      .answer(look(18), jobsAnswer("oarstat-f-J-walltime-exceeded"));
    expect(await takeOver(context(), site, 1)).toMatchObject({ jobId: 1 });
    expect(await failure(takeOver(context(), site, 3))).toMatchObject({ why: "OAR says Waiting" });
    expect(await failure(takeOver(context(), site, 18))).toMatchObject({ why: "it has ended: its walltime was over" });
  });
});

describe("releasing", () => {
  it("waits until the job has really ended", async () => {
    pool.answer("oardel 2", reply("oardel-running"));
    pool.answer(
      look(2),
      jobsOf(now, running(2)),
      jobsOf(now, running(2)),
      jobsOf(now, running(2, { state: "Finishing" })),
      jobsAnswer("oarstat-f-J-deleted"),
    );
    const states: string[] = [];
    const job = await release(context(), site, 2, { ...quick, onState: ({ state }) => states.push(state) });
    expect(job).toMatchObject({ jobId: 2, state: "Error", end: { kind: "released", text: "you released it" } });
    expect(states).toEqual(["Running", "Finishing", "Error"]);
  });

  it("is done when the job had ended before", async () => {
    pool.answer(look(4), ended("oarstat-f-J-walltime-exceeded", 4));
    expect(await release(context(), site, 4, quick)).toMatchObject({ jobId: 4, end: { kind: "walltime" } });
    expect(pool.count("oardel")).toBe(0);
    // And when it ends between the look and the request.
    pool.answer("oardel 5", reply("oardel-again"));
    pool.answer(look(5), jobsOf(now, running(5)), ended("oarstat-f-J-walltime-exceeded", 5));
    expect(await release(context(), site, 5, quick)).toMatchObject({ jobId: 5, end: { kind: "walltime" } });
  });

  it("tells somebody else's job from one that is not there", async () => {
    pool.answer("oardel 1", reply("oardel-notmine")).answer(look(1), jobsOf(now, running(1, { owner: "alice" })));
    expect(await failure(release(context(), site, 1, quick))).toMatchObject({
      kind: "refused",
      why: "it is alice's, not yours",
    });
    pool.answer("oardel 9999", reply("oardel-nosuch")).answer(look(9999), jobsOf(now));
    expect(await failure(release(context(), site, 9999, quick))).toMatchObject({ what: "There is no job 9999" });
  });

  it("asks again after a lost link, and is done however the first one went", async () => {
    pool.answer("oardel 2", lost, reply("oardel-again"));
    pool.answer(look(2), jobsOf(now, running(2)), unreachable("fnancy"), jobsAnswer("oarstat-f-J-deleted"));
    expect(await release(context(), site, 2, quick)).toMatchObject({ state: "Error" });
    expect(pool.count("oardel")).toBe(2);
  });

  it("does not say that it is done while OAR's server is down", async () => {
    pool.answer("oardel 21", reply("almighty-down-oardel")).answer(look(21), jobsOf(now, running(21)));
    const error = await failure(release(context(), site, 21, quick));
    expect(error).toMatchObject({
      kind: "failed",
      what: "Job 21 is to be released, but has not ended yet",
      why: "OAR's server does not run",
    });
    expect(error.hint).toMatch(/again when the server is back/);
  });

  it("asks again when nothing comes of it, then gives up waiting", async () => {
    pool.answer("oardel 2", reply("oardel-running")).answer(look(2), jobsOf(now, running(2)));
    expect(await failure(release(context(), site, 2, quick))).toMatchObject({
      kind: "timeout",
      why: "OAR still says Running",
    });
    expect(pool.count("oardel")).toBeGreaterThan(1);
  });

  it("says that the release goes on when the waiting is cancelled", async () => {
    const abort = new AbortController();
    pool.answer("oardel 2", reply("oardel-running")).answer(look(2), jobsOf(now, running(2)));
    const error = await failure(release(context(), site, 2, { signal: abort.signal, onState: () => abort.abort() }));
    expect(error).toMatchObject({ kind: "cancelled" });
    expect(error.what).toMatch(/its release is with OAR and goes on/);
  });
});

describe("extending", () => {
  const form = (walltime: string, granted: string, pending: string) =>
    `Walltime change status for job 1 (job is running):\n  Current walltime:      ${walltime}\n  Possible increase:     +2:0:0\n  Already granted:      ${granted}\n  Pending/unsatisfied: ${pending}\n`;
  const query = /oarwalltime \d+$/;
  beforeEach(() => {
    pool.answer(look(1), jobsOf(now, running(1))).answer(look(2), jobsOf(now, running(2)));
  });
  const ask = (jobId = 1, more = "+0:30:00") => extend(context(), site, jobId, more, quick);

  it("reads back what was granted, not what was accepted", async () => {
    pool.answer(
      query,
      form("1:0:0", "0:0:0", "0:0:0"),
      form("1:0:0", "0:0:0", "+0:30:0"),
      reply("walltime-query-after"),
    );
    pool.answer("oarwalltime 1 +0:30:00", reply("walltime-increase"));
    expect(await ask()).toEqual({ jobId: 1, walltime: 4127, granted: 527, pending: 1273 });
  });

  it("counts this request only", async () => {
    pool.answer(query, form("1:30:0", "+0:30:0", "0:0:0"), form("2:0:0", "+1:0:0", "0:0:0"));
    pool.answer("oarwalltime 1 +0:30:00", reply("walltime-absolute"));
    expect(await ask()).toEqual({ jobId: 1, walltime: 7200, granted: 1800, pending: 0 });
  });

  it("is pending when nothing comes of it", async () => {
    pool.answer(query, reply("walltime-query"), reply("walltime-query-pending"));
    pool.answer("oarwalltime 2 +1:00:00", reply("walltime-blocked"));
    expect(await ask(2, "1h")).toEqual({ jobId: 2, walltime: 600, granted: 0, pending: 3600 });
  });

  it.each([
    ["walltime-too-much", /more than this site allows/, /At most 2 h more/],
    ["walltime-notrunning", /does not run/, /running job/],
  ])("explains %s", async (name, why, hint) => {
    pool.answer(query, reply("walltime-query")).answer("oarwalltime 1 +", reply(name));
    const error = await failure(ask(1, "+9:00"));
    expect(error.kind).toBe("refused");
    expect(error.why).toMatch(why);
    expect(error.hint).toMatch(hint);
    expect(error.detail).toContain("Forbidden");
  });

  it.each([
    ["walltime-query-waiting", "it does not run"],
    ["walltime-nosuch-query", "OAR knows no job of that number here"],
  ])("asks for nothing after %s", async (name, why) => {
    pool.answer(query, reply(name));
    expect(await failure(ask())).toMatchObject({ kind: "refused", why });
    expect(pool.count("+0:30:00")).toBe(0);
  });

  it("explains a site that has it switched off", async () => {
    pool.answer(query, { stdout: "FUNCTIONALITY IS DISABLED\n", status: 2 });
    expect(await failure(ask())).toMatchObject({ why: "this site does not let jobs be extended" });
  });

  it("shows what it can't read", async () => {
    pool.answer(query, "Bonjour\n");
    expect(await failure(ask())).toMatchObject({ kind: "unparsed", detail: "Bonjour\n" });
  });

  it("is not sent again after a lost link: the form tells whether it arrived", async () => {
    pool.answer(query, reply("walltime-query"), reply("walltime-query-pending"));
    pool.answer("oarwalltime 1 +1:00:00", lost);
    expect(await ask(1, "1h")).toMatchObject({ granted: 0, pending: 3600 });
    expect(pool.count("+1:00:00")).toBe(1);
    pool.answer(query, reply("walltime-query"));
    expect(await failure(ask(1, "1h"))).toMatchObject({ kind: "connection" });
  });

  it.each(["-0:10", "0:90", "", "soon"])("refuses %j before anything is sent", async (more) => {
    expect(await failure(ask(1, more))).toMatchObject({ kind: "usage", where: more });
    expect(pool.ran).toEqual([]);
  });
});

describe("free nodes", () => {
  it("are counted, and not again while the count is young", async () => {
    pool.answer("oarnodes -J", reply("oarnodes-J"));
    const counts = await freeNodes(context(), site);
    expect(counts.clusters.map(({ name, total, alive }) => [name, total, alive])).toEqual([["grisou", 4, 4]]);
    expect(counts).toMatchObject({ total: 4, alive: 4, free: counts.clusters[0]?.free });
    await freeNodes(context(), site);
    expect(pool.ran).toHaveLength(1);
    await freeNodes(context(), site, { maxAgeMs: 0 });
    expect(pool.ran).toHaveLength(2);
  });

  it("are not counted from a list that was cut off", async () => {
    pool.answer("oarnodes -J", { stdout: "{}", truncated: true });
    expect((await failure(freeNodes(context(), site))).why).toMatch(/too long/);
  });
});

describe("with its database away", () => {
  it("OAR is not sent what would try for ever", async () => {
    pool.answer("oarstat", reply("db-down-oarstat-J"));
    const why = "OAR's database does not answer";
    expect(await failure(release(context(), site, 2, quick))).toMatchObject({ what: "Job 2 can't be released", why });
    expect(await failure(extend(context(), site, 2, "1h", quick))).toMatchObject({
      what: "Job 2 can't be extended",
      why,
    });
    expect(pool.count("oardel") + pool.count("oarwalltime")).toBe(0);
  });

  it("and a hanging oardel is not started again", async () => {
    pool.answer(look(2), jobsOf(now, running(2))).answer("oardel", { outcome: "timeout" });
    expect(await failure(release(context(), site, 2, quick))).toMatchObject({ kind: "timeout" });
    expect(pool.count("oardel")).toBe(1);
  });
});
