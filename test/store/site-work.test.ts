import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Deployment } from "../../source/journey/types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { currentJob, deploymentOf, hasEnded, secondsLeft } from "../../source/store/known.ts";
import { publicKeys } from "../../source/store/public-keys.ts";
import { fakeWorkspace, jobOf, rennes } from "../ui/harness.tsx";
import { deployed, deploying, ended, factsOf, freeNodes, now, running, waiting } from "../ui/job-fakes.ts";

const request = { nodes: 4, walltimeSeconds: 7200, subnet: 22, name: "virtu" };

describe("jobs", () => {
  it("asks once at a time, however often it is wanted", async () => {
    const listJobs = vi.fn<Journeys["listJobs"]>(async () => [running]);
    const { site, state } = fakeWorkspace({ journeys: { listJobs } });
    await Promise.all([site.refresh(), site.refresh()]);
    expect(listJobs).toHaveBeenCalledTimes(1);
    expect(state.jobs.value).toEqual([]);
  });

  it("keeps what was known when the frontend does not answer", async () => {
    let works = true;
    const workspace = fakeWorkspace({
      journeys: {
        listJobs: async () => {
          if (works) return [running];
          throw new VirtuError({ kind: "connection", what: "gone" });
        },
      },
    });
    await workspace.site.refresh();
    works = false;
    await workspace.site.refresh();
    expect(workspace.state.jobs).toMatchObject({ value: [running], loading: false, error: { what: "gone" } });
  });

  it("drops a job that OAR does not know any more, keeps one whose end can't be asked", async () => {
    let listed = [running, waiting];
    const getJob: Journeys["getJob"] = async (_context, _site, jobId) => {
      const kind = jobId === 1875 ? "refused" : "connection";
      throw new VirtuError({ kind, what: "no" });
    };
    const workspace = fakeWorkspace({ journeys: { listJobs: async () => listed, getJob } });
    await workspace.site.refresh();
    listed = [];
    await workspace.site.refresh();
    expect(workspace.state.jobs.value.map(({ jobId }) => jobId)).toEqual([1874]);
  });

  it("forgets everything of a site when another is chosen, late answers included", async () => {
    let answer: (jobs: (typeof running)[]) => void = () => {};
    const listJobs: Journeys["listJobs"] = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const workspace = fakeWorkspace({ journeys: { listJobs, freeNodes: async () => freeNodes } });
    const pending = workspace.site.refresh();
    workspace.site.takeOver(1874);
    workspace.site.choose({ name: "nancy", frontend: "frontend.nancy" });
    answer([running]);
    await pending;
    expect(workspace.state).toMatchObject({ jobId: null, jobs: { value: [], at: null }, free: { value: null } });
  });
});

it("says when the walltime is nearly over, once, and that the job has ended", async () => {
  let listed = [{ ...running, endsAt: now + 300 }];
  const journeys: Partial<Journeys> = { listJobs: async () => listed, getJob: async () => ended({ jobId: 1874 }) };
  const workspace = fakeWorkspace({ now, journeys });
  workspace.site.takeOver(1874);
  await workspace.site.refresh();
  workspace.store.flush();
  expect(workspace.state.notice).toMatchObject({
    text: expect.stringMatching(/ends at \d\d:\d\d: what is on its nodes is lost then/),
    until: null,
  });
  workspace.dismiss();
  await workspace.site.refresh();
  workspace.store.flush();
  expect(workspace.state.notice).toBeNull();
  listed = [];
  await workspace.site.refresh();
  workspace.store.flush();
  expect(workspace.state.notice?.text).toContain("Job 1874 has ended");
});

describe("a reservation", () => {
  it("goes from being sent to the running job, with what was said on the way", async () => {
    let finish: () => void = () => {};
    const counted: (number | undefined)[] = [];
    const workspace = fakeWorkspace({
      journeys: {
        freeNodes: async (_context, _site, options) => {
          counted.push(options?.maxAgeMs);
          return freeNodes;
        },
        reserve: async (_context, _site, _request, options) => {
          options?.onEvent?.({ kind: "note", text: "a rule set the project", jobId: null, job: null });
          options?.onEvent?.({ kind: "state", text: "job 1875 waits", jobId: 1875, job: waiting });
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return { ...running, jobId: 1875 };
        },
      },
    });
    const reserved = workspace.site.jobs.reserve(request);
    expect(workspace.state.reservation).toMatchObject({
      jobId: 1875,
      text: "job 1875 waits",
      notes: ["a rule set the project"],
    });
    expect(workspace.state.jobId).toBe(1875);
    finish();
    expect((await reserved)?.state).toBe("Running");
    expect(currentJob(workspace.state)?.state).toBe("Running");
    expect(workspace.state.notice?.text).toBe("Job 1875 runs on 4 nodes.");
    // What was counted a moment before does not hold any more.
    expect(counted.at(-1)).toBe(0);
  });

  it("does not take the place of a later one when it fails late", async () => {
    const fails: ((thrown: unknown) => void)[] = [];
    let time = now;
    const workspace = fakeWorkspace({
      journeys: { reserve: () => new Promise((_resolve, reject) => fails.push(reject)) },
      clock: () => time * 1000,
    });
    const first = workspace.site.jobs.reserve(request);
    time += 5;
    void workspace.site.jobs.reserve({ ...request, nodes: 2 });
    fails[0]?.(new VirtuError({ kind: "refused", what: "no" }));
    expect(await first).toBeNull();
    expect(workspace.state.reservation).toMatchObject({ request: { nodes: 2 }, error: null });
  });
});

describe("extending and releasing", () => {
  it("keeps granted and pending apart", async () => {
    const result = { jobId: 1874, walltime: 9000, granted: 600, pending: 1200 };
    const workspace = fakeWorkspace({ journeys: { extend: async () => result } });
    await workspace.site.jobs.extend(1874, "+0:30");
    expect(workspace.state.extending).toEqual({ jobId: 1874, working: false, result, error: null });
  });
  it("releases a job once at a time, and marks it while it goes", async () => {
    let finish: (job: typeof running) => void = () => {};
    const release = vi.fn<Journeys["release"]>(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const workspace = fakeWorkspace({ journeys: { release, getJob: async () => ended({ jobId: 1874 }) } });
    const going = workspace.site.jobs.release(1874);
    void workspace.site.jobs.release(1874);
    expect(workspace.state.releasing).toEqual([1874]);
    finish(ended({ jobId: 1874 }));
    await going;
    expect(release).toHaveBeenCalledTimes(1);
    expect(workspace.state.releasing).toEqual([]);
    expect(workspace.state.jobs.value.every(hasEnded)).toBe(true);
  });
});

describe("deployments", () => {
  it("finds again what runs, once, and follows it", async () => {
    const findDeployments = vi.fn<Journeys["findDeployments"]>(async () => [deploying, deployed]);
    const followDeployment = vi.fn<Journeys["followDeployment"]>(() => new Promise(() => {}));
    const workspace = fakeWorkspace({
      journeys: { listJobs: async () => [running], findDeployments, followDeployment },
    });
    await workspace.site.refresh();
    await vi.waitFor(() => expect(workspace.state.deploymentsAt).not.toBeNull());
    await workspace.site.refresh();
    expect(findDeployments).toHaveBeenCalledTimes(1);
    expect(followDeployment).toHaveBeenCalledTimes(1);
  });

  it("starts, follows, and asks the nodes anew when it has ended", async () => {
    let end: (deployment: Deployment) => void = () => {};
    const nodeFacts = vi.fn<Journeys["nodeFacts"]>(async (_context, _site, job) =>
      job.nodes.map((name) => factsOf(name)),
    );
    const workspace = fakeWorkspace({
      journeys: {
        listJobs: async () => [running],
        nodeFacts,
        startDeployment: async (_context, _site, _request, options) => options?.id ?? "",
        followDeployment: (_context, _site, _id, options) =>
          new Promise((resolve) => {
            end = (deployment) => {
              options?.onUpdate?.(deployment);
              if (deployment.result) resolve(deployment.result);
            };
          }),
      },
    });
    await workspace.site.refresh();
    const { environment, nodes } = deploying;
    await workspace.site.deploy.start(
      { jobId: 1874, nodes, environment, minimum: 4, retries: 0, keyFile: "/k.pub" },
      "1874-a",
    );
    end({ ...deployed, id: "1874-a" });
    await vi.waitFor(() => expect(nodeFacts).toHaveBeenCalledTimes(1));
    expect(workspace.state.notice).toMatchObject({ tone: "warning", text: "2 nodes deployed, 2 not.", until: null });
    // The key that was given is given again.
    expect(workspace.site.deploy.retryOf("1874-a")).toEqual({
      request: { jobId: 1874, nodes: [nodes[2], nodes[3]], environment, keyFile: "/k.pub", minimum: 2, retries: 2 },
    });
  });

  it("has nothing to try again while it runs, or when every node is up", () => {
    const workspace = fakeWorkspace();
    expect(workspace.site.deploy.retryOf("1874-a")).toEqual({ why: "it has not ended yet" });
    const result = { deployed: deploying.nodes, failed: [], missing: [], attempts: 1 };
    workspace.store.dispatch({ type: "deployment", deployment: { ...deployed, result } });
    expect(workspace.site.deploy.retryOf("1874-a")).toEqual({ why: "every node is up" });
  });

  it("keeps why one could not be started, and lets it be followed again after an error", async () => {
    const error = new VirtuError({ kind: "refused", what: "no room" });
    const followDeployment = vi.fn<Journeys["followDeployment"]>(() => Promise.reject(error));
    const workspace = fakeWorkspace({ journeys: { startDeployment: () => Promise.reject(error), followDeployment } });
    const { environment, nodes } = deploying;
    await workspace.site.deploy.start({ jobId: 1874, nodes, environment, minimum: 4, retries: 0 }, "x");
    expect(workspace.state.started["x"]?.error).toBe(error);
    workspace.site.deploy.follow("x");
    await vi.waitFor(() => expect(workspace.state.log.some(({ text }) => text.includes("no room"))).toBe(true));
    await vi.waitFor(() => {
      workspace.site.deploy.follow("x");
      expect(followDeployment.mock.calls.length).toBeGreaterThan(1);
    });
  });
});

describe("what is known", () => {
  it("shows a notice that waits for an answer again when the one over it has had its time", () => {
    let time = now * 1000;
    const workspace = fakeWorkspace({ clock: () => time });
    workspace.notify("warning", "ten minutes left", true);
    workspace.notify("info", "copied");
    expect(workspace.state.notice?.text).toBe("copied");
    time += 10_000;
    workspace.store.dispatch({ type: "tick", now: time });
    expect(workspace.state.notice?.text).toBe("ten minutes left");
    workspace.dismiss();
    expect(workspace.state.notice).toBeNull();
  });

  it("takes the newest deployment of a job", () => {
    const workspace = fakeWorkspace();
    workspace.store.dispatch({ type: "deployment", deployment: deploying });
    workspace.store.dispatch({ type: "deployment", deployment: { ...deploying, id: "b", startedAt: now } });
    workspace.store.dispatch({
      type: "deployment",
      deployment: { ...deploying, id: "c", jobId: 2, startedAt: now + 1 },
    });
    expect(deploymentOf(workspace.state, 1874)?.id).toBe("b");
    expect(deploymentOf(workspace.state, 9)).toBeNull();
  });
  it("counts the time left of a running job only", () => {
    expect(secondsLeft(running, now * 1000)).toBe(8900);
    expect(secondsLeft(running, (now + 9999) * 1000)).toBe(0);
    expect(secondsLeft(waiting, now * 1000)).toBeNull();
    expect(secondsLeft(null, now)).toBeNull();
    expect(hasEnded(jobOf())).toBe(false);
  });
});

it("finds the user's public keys, certificates left out, and none where there is no directory", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-keys-"));
  try {
    for (const name of ["id_rsa.pub", "id_ed25519.pub", "id_ed25519-cert.pub", "id_rsa"])
      writeFileSync(path.join(directory, name), "");
    expect(publicKeys(directory)).toEqual(["id_ed25519.pub", "id_rsa.pub"].map((name) => path.join(directory, name)));
    expect(publicKeys(path.join(directory, "none"))).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it("works on the site of the settings", () => {
  expect(fakeWorkspace().state.site).toBe(rennes);
});
