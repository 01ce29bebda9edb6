import { beforeEach, describe, expect, it } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { followJob, type ReserveEvent, reserve } from "../../source/journey/reserve.ts";
import type { ReserveRequest } from "../../source/journey/types.ts";
import { FakePool, lost, recorded, unreachable } from "./fake-pool.ts";
import { jobJson, jobsAnswer, jobsOf, recordedNow, reply } from "./oar-replies.ts";

const site = { name: "nancy", frontend: "fnancy" };
const request: ReserveRequest = { nodes: 2, walltimeSeconds: 3600, subnet: 22, name: "virtu" };
const initial_request = "oarsub -t deploy -n virtu -l slash_22=1+nodes=2,walltime=1:00:00 sleep infinity";
const now = recordedNow;

let pool: FakePool;
let events: ReserveEvent[];
const context = () => ({ pool, stateDir: "/nowhere" });
const options = () => ({ onEvent: (event: ReserveEvent) => events.push(event), pause: async () => {} });
const said = () => events.map(({ kind }) => kind);

const waiting = (id: number, change = {}) =>
  jobJson("oarstat-f-J-waiting", { Job_Id: id, initial_request, submissionTime: now, ...change });
const running = (id: number, change = {}) =>
  jobJson("oarstat-f-J-j-running", { Job_Id: id, initial_request, submissionTime: now, startTime: now, ...change });
const submitted = (id: number) =>
  `[ADMISSION RULE] Modify resource description with type constraints\nOAR_JOB_ID=${id}\n`;
const list = "oarstat -f -J -u";
const look = (id: number) => `oarstat -f -J -j ${id})`;

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
  events = [];
  pool.answer(list, jobsOf(now));
});

describe("reserving", () => {
  it("submits once and waits until the job runs", async () => {
    pool.answer("oarsub", submitted(12));
    pool.answer(
      look(12),
      jobsOf(now, waiting(12, { scheduledStart: null })),
      jobsOf(now, waiting(12, { scheduledStart: now + 900 })),
      jobsOf(now, running(12)),
    );
    const job = await reserve(context(), site, request, options());
    expect(job).toMatchObject({
      jobId: 12,
      state: "Running",
      nodes: ["grisou-1.nancy.grid5000.fr", "grisou-2.nancy.grid5000.fr"],
      endsAt: now + 3600,
    });
    expect(job).not.toHaveProperty("events");
    expect(pool.count("oarsub")).toBe(1);
    expect(said()).toEqual(["submitting", "submitted", "state", "state", "state"]);
    expect(events[3]?.text).toMatch(/^job 12 waits; it should start at \d\d:\d\d, in 15 min$/);
    expect(events[0]?.text).toBe("oarsub -t deploy -n virtu -l slash_22=1+nodes=2,walltime=1:00:00 'sleep infinity'");
  });

  it("gives the waiting job at once when it shall not wait", async () => {
    pool.answer("oarsub", submitted(12)).answer(look(12), jobsOf(now, waiting(12)));
    expect(await reserve(context(), site, request, { ...options(), wait: false })).toMatchObject({
      jobId: 12,
      state: "Waiting",
    });
    expect(pool.count(look(12))).toBe(1);
  });

  it("tells what the site's rules changed", async () => {
    pool
      .answer("oarsub", "# Set walltime to default (3600 s).\nOAR_JOB_ID=12\n")
      .answer(look(12), jobsOf(now, running(12)));
    await reserve(context(), site, request, options());
    expect(events.filter(({ kind }) => kind === "note").map(({ text }) => text)).toEqual([
      "Set walltime to default (3600 s).",
    ]);
  });

  it.each([
    ["err-impossible-nodes", /does not have 2 nodes and a \/22 subnet/, /fewer nodes/],
    ["err-property-unknown", /no such subnets/, /without a subnet/],
    ["err-property-sql", /no property named grisou/, /single quotes/],
    ["err-queue-unknown", /no queue named nope/, /default/],
    ["err-queue-admin", /rule of this site: only member of the group admin/, /rule/],
    ["err-root", /root can't submit/, /ordinary user/],
    ["resa-conflict", /can't be had/, /could start at 2026-11-22 12:12:00/],
    ["resa-past", /has passed/, /later/],
    ["resa-bad-date", /can't read the date/, /site's time/],
    ["resa-too-many2", /more than 2 waiting advance reservations/, /release one/],
    ["err-type-unknown", /unknown job type/, /rule/],
    ["err-resource-syntax", /does not understand nodes/, /oarsub --help/],
  ])("explains the refusal %s", async (name, why, hint) => {
    pool.answer("oarsub", reply(name));
    const error = await failure(reserve(context(), site, request, options()));
    expect(error).toMatchObject({ kind: "refused", what: "OAR refused the reservation", where: "nancy" });
    expect(error.why).toMatch(why);
    expect(error.hint).toMatch(hint);
    expect(error.detail).not.toContain("OAR_JOB_ID");
    const { stdout, stderr } = recorded(`oar/${name}`);
    expect(`${stdout}${stderr}`).toContain(error.detail?.split("\n").at(-1));
    expect(pool.count("oarsub")).toBe(1);
    expect(pool.count("-J -j")).toBe(0);
  });

  it("does not call it refused when oarsub ended well without a number", async () => {
    pool.answer("oarsub", "Thank you for your request.\n");
    const error = await failure(reserve(context(), site, request, options()));
    expect(error).toMatchObject({ kind: "unparsed", detail: "Thank you for your request." });
    expect(error.hint).toContain("before you reserve again");
  });

  it("goes on with a queued job when OAR's server is down, and says so", async () => {
    pool.answer("oarsub", reply("almighty-down-oarsub"));
    pool.answer(look(24), jobsOf(now, waiting(24)), jobsOf(now, running(24)));
    expect(await reserve(context(), site, request, options())).toMatchObject({ jobId: 24, state: "Running" });
    expect(events.find(({ kind }) => kind === "warning")?.text).toMatch(/server does not answer: job 24 is queued/);
  });

  it("does not even start oarsub when OAR can't answer", async () => {
    pool.answer(list, reply("db-down-oarstat-J"));
    expect(await failure(reserve(context(), site, request, options()))).toMatchObject({
      kind: "connection",
      what: "The reservation can't be made",
      why: "OAR's database does not answer",
    });
    pool.answer(list, { status: 127, stderr: "sh: 1: oarstat: not found\n" });
    const error = await failure(reserve(context(), site, request, options()));
    expect(error.why).toBe("this frontend has no OAR (oarstat is not found)");
    expect(pool.count("oarsub")).toBe(0);
  });
});

describe("a submission whose link breaks", () => {
  it("is found among the new jobs and never sent again", async () => {
    const older = running(5, { submissionTime: now - 900 });
    const other = waiting(13, { initial_request: initial_request.replace("nodes=2", "nodes=3") });
    pool.answer("oarsub", lost);
    pool.answer(
      list,
      jobsOf(now, older),
      unreachable("fnancy"),
      jobsOf(now + 4, older, other),
      jobsOf(now + 6, older, other, waiting(14)),
    );
    pool.answer(look(14), jobsOf(now, running(14)));
    expect(await reserve(context(), site, request, options())).toMatchObject({ jobId: 14 });
    expect(pool.count("oarsub")).toBe(1);
    expect(said().slice(0, 3)).toEqual(["submitting", "link", "submitted"]);
  });

  it("needs no search when the number was heard before", async () => {
    pool.answer("oarsub", { ...lost, stdout: submitted(12) }).answer(look(12), jobsOf(now, running(12)));
    expect(await reserve(context(), site, { ...request, start: "2026-12-01 10:00:00" }, options())).toMatchObject({
      jobId: 12,
    });
    expect(pool.count(list)).toBe(1);
  });

  it("is said to be unknown when no such job comes up", async () => {
    pool.answer("oarsub", lost).answer(list, jobsOf(now));
    const error = await failure(reserve(context(), site, request, options()));
    expect(error).toMatchObject({ kind: "connection", what: "Nobody knows whether the nodes are reserved" });
    expect(error.why).toBe("the link broke while oarsub ran, and OAR shows no such job yet");
    expect(error.hint).toContain("virtu jobs --site nancy");
    expect(pool.count("oarsub")).toBe(1);
    expect(pool.count(list)).toBeGreaterThan(3);
  });

  it("is said to be unknown when the frontend stays away", async () => {
    pool.answer("oarsub", lost).answer(list, jobsOf(now), unreachable("fnancy"));
    const error = await failure(reserve(context(), site, request, options()));
    expect(error.why).toBe("the link broke while oarsub ran, and connection refused");
  });

  it("that hangs because the database went away is ended by a time limit of its own", async () => {
    pool.answer("oarsub", { outcome: "timeout", stderr: recorded("oar/db-down-oarsub").stderr });
    pool.answer(list, jobsOf(now), reply("db-down-oarstat-J"));
    const error = await failure(reserve(context(), site, request, options()));
    expect(error).toMatchObject({
      kind: "timeout",
      why: "oarsub did not end in its time, and OAR's database does not answer",
    });
    expect(error.hint).toContain("may still be trying");
    expect(error.detail).toContain("DBI connect");
    const limits = pool.ran.filter(({ line }) => line.startsWith("oarsub")).map(({ options }) => options.timeoutMs);
    expect(limits).toEqual([60_000]);
  });

  it("is not taken for a job that was there before, nor for one of another name", async () => {
    const twin = waiting(9);
    pool.answer("oarsub", lost).answer(list, jobsOf(now, twin), jobsOf(now, twin, waiting(10, { name: "other" })));
    expect((await failure(reserve(context(), site, request, options()))).kind).toBe("connection");
  });

  it("is not cancelled by the signal once it is sent: the number is told, the job stays", async () => {
    const abort = new AbortController();
    pool.answer("oarsub", (_line, { signal }) => {
      expect(signal).toBeUndefined();
      abort.abort();
      return submitted(12);
    });
    const error = await failure(reserve(context(), site, request, { ...options(), signal: abort.signal }));
    expect(error).toMatchObject({ kind: "cancelled", what: "virtu no longer waits for job 12; the job stays" });
    expect(error.hint).toContain("virtu release --site nancy 12");
    expect(pool.count("oardel")).toBe(0);
  });
});

describe("following a job", () => {
  const follow = (id: number, more = {}) => followJob(context(), site, id, { ...options(), ...more });

  it("outlives a lost link", async () => {
    pool.answer(look(3), jobsOf(now, waiting(3)), lost, unreachable("fnancy"), jobsOf(now, running(3)));
    expect(await follow(3)).toMatchObject({ state: "Running" });
    expect(said()).toEqual(["state", "link", "link", "state"]);
    expect(events[1]?.text).toMatch(/job 3 is not touched by that/);
  });

  it("goes on under the number that OAR gave it anew", async () => {
    pool
      .answer(look(27), jobsAnswer("oarstat-f-J-cpuset-error-resubmitted"))
      .answer(look(28), jobsOf(now, running(28)));
    expect(await follow(27)).toMatchObject({ jobId: 28 });
    expect(events[0]).toMatchObject({ kind: "resubmitted", jobId: 27 });
    expect(events[0]?.text).toContain("as job 28");
  });

  it("does not take a late start for a failure", async () => {
    const late = waiting(9, { reservation: "Scheduled", scheduledStart: now - 20, startTime: now - 20 });
    pool.answer(
      look(9),
      jobsOf(now, late),
      jobsOf(now + 5, late),
      jobsOf(now + 40, running(9, { startTime: now + 35, walltime: 545 })),
    );
    expect(await follow(9)).toMatchObject({ state: "Running", endsAt: now + 35 + 545 });
    expect(events.filter(({ kind }) => kind === "warning").map(({ text }) => text)).toEqual([
      "the start of job 9 has come; OAR starts a reservation up to a minute late, its end stays",
    ]);
  });

  it.each([
    ["oarstat-f-J-deleted", 2, "failed", "Job 2 has ended already", "you released it"],
    ["oarstat-f-J-walltime-exceeded", 18, "failed", "Job 18 has ended already", "its walltime was over"],
    ["oarstat-f-J-launch-error", 23, "failed", "Job 23 has ended already", /could not start it/],
  ])("explains the end %s", async (name, id, kind, what, why) => {
    pool.answer(look(id), jobsAnswer(name));
    const error = await failure(follow(id));
    expect(error).toMatchObject({ kind, what, where: "nancy" });
    expect(error.why).toMatch(why);
    expect(error.detail).toContain(":");
  });

  it("explains a reservation that OAR took and could not keep", async () => {
    const refused = waiting(2, {
      state: "Error",
      reservation: "Scheduled",
      message: "Reservation too old",
      startTime: now - 5,
      stopTime: now - 5,
    });
    pool.answer(look(2), jobsOf(now, refused));
    expect(await failure(follow(2))).toMatchObject({
      kind: "refused",
      what: "Job 2 ended before it ran",
      why: "OAR could not give the reservation at that time (Reservation too old)",
    });
  });

  it("ends at its limit, the job stays", async () => {
    pool.answer(look(3), jobsOf(now, waiting(3)));
    const error = await failure(follow(3, { limitMs: 0 }));
    expect(error).toMatchObject({
      kind: "timeout",
      what: "Job 3 did not start within 0 s; it stays",
      why: "OAR says Waiting",
    });
  });

  it("ends with the signal while it pauses, the job stays", async () => {
    const abort = new AbortController();
    pool.answer(look(3), jobsOf(now, waiting(3)));
    const { pause: _, ...rest } = options();
    const following = followJob(context(), site, 3, {
      ...rest,
      signal: abort.signal,
      onEvent: () => queueMicrotask(() => abort.abort()),
    });
    expect(await failure(following)).toMatchObject({
      kind: "cancelled",
      what: "virtu no longer waits for job 3; the job stays",
    });
  });

  it("says when the number is unknown, though not at the first look", async () => {
    pool.answer(look(3), jobsOf(now), jobsOf(now, running(3)));
    expect(await follow(3)).toMatchObject({ state: "Running" });
    pool.answer(look(4), jobsOf(now));
    expect(await failure(follow(4))).toMatchObject({ kind: "failed", what: "Job 4 is gone" });
  });

  it("does not wait on after a refusal to let virtu in", async () => {
    pool.answer(look(3), new VirtuError({ kind: "host-key", what: "The host key has changed" }));
    expect((await failure(follow(3))).kind).toBe("host-key");
  });
});
