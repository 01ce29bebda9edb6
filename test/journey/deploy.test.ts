import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import {
  cancelDeployment,
  deploy,
  deployCommandPreview,
  findDeployments,
  followDeployment,
  newDeploymentId,
  startDeployment,
} from "../../source/journey/deploy.ts";
import { knownHostsFileOf } from "../../source/journey/nodes.ts";
import type { Deployment, DeployRequest } from "../../source/journey/types.ts";
import { type FakeRun, frontend, LocalPool } from "./local-pool.ts";

const site = { name: "grenoble", frontend };
const dahu = (...numbers: number[]) => numbers.map((n) => `dahu-${n}.grenoble.grid5000.fr`);
const recorded = (name: string) =>
  readFileSync(new URL(`../../fixtures/kadeploy/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

const success: FakeRun = { output: recorded("success.stdout"), ok: dahu(1, 2, 3) };
const partial: FakeRun = { output: recorded("partial-failure.stdout"), ok: dahu(1, 3), ko: dahu(2) };
const again: FakeRun = {
  output: [
    "Deployment #D-2 started",
    `Launching a deployment on ${dahu(2)[0]}`,
    "The deployment is successful on nodes",
    ...dahu(2),
  ],
  ok: dahu(2),
};

const request: DeployRequest = {
  jobId: 1874,
  nodes: dahu(1, 2, 3),
  environment: { kind: "environment", name: "debian11-min" },
  minimum: 3,
  retries: 2,
};
const quick = { check: { tries: 3, pauseMs: 1 }, link: { pauseMs: 1 } };

let pool: LocalPool;
let context: { pool: LocalPool; stateDir: string };
beforeEach(() => {
  pool = new LocalPool();
  context = { pool, stateDir: pool.stateDir };
});
afterEach(() => pool.end());

/** A pipe that a run waits at; letting it go on resolves once it has come there. */
function gate(name: string): () => Promise<void> {
  execFileSync("mkfifo", [path.join(pool.home, "fake", name)]);
  return () => writeFile(path.join(pool.home, "fake", name), "");
}

/** The run, waiting at the gate after its line number `after`. */
const waiting = (run: FakeRun, name: string, after: number): FakeRun => ({
  ...run,
  output: [...run.output.slice(0, after), `@wait ${name}`, ...run.output.slice(after)],
});

/** Updates as they come, and a promise for the first that fits. */
function updates() {
  const all: Deployment[] = [];
  const waiters: { fits: (deployment: Deployment) => boolean; resolve: (deployment: Deployment) => void }[] = [];
  return {
    all,
    onUpdate: (deployment: Deployment) => {
      all.push(deployment);
      for (const waiter of waiters) if (waiter.fits(deployment)) waiter.resolve(deployment);
    },
    until: (fits: (deployment: Deployment) => boolean) =>
      new Promise<Deployment>((resolve) => {
        const known = all.find(fits);
        if (known) resolve(known);
        else waiters.push({ fits, resolve });
      }),
  };
}

async function refusal(promise: Promise<unknown>): Promise<VirtuError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(VirtuError);
  return thrown as VirtuError;
}

describe("a deployment", () => {
  test("runs to its end; each node is tried by SSH; its new host keys are expected", async () => {
    pool.runs(success);
    const seen = updates();
    const result = await deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    expect(result).toEqual({ deployed: dahu(1, 2, 3), failed: [], missing: [], attempts: 1 });
    expect(pool.asked.sort()).toEqual(dahu(1, 2, 3));
    expect(pool.forgotten).toEqual([{ file: knownHostsFileOf(context, site, 1874), hosts: dahu(1, 2, 3) }]);
    expect(pool.file("fake/1/nodes")).toBe(`${dahu(1, 2, 3).join("\n")}\n`);
    // Ruby must print each line at once, or there is no progress to follow.
    expect(pool.file("fake/1/rubyopt")).toMatch(/^-r\/.+\/live\.rb$/m);
    expect(seen.all.at(-1)).toMatchObject({ state: "done", title: "debian11-min", problem: null, result });
  });

  test("is shown while it runs", async () => {
    const go = gate("here");
    pool.runs(waiting(success, "here", success.output.indexOf("  send_environment") + 1));
    const seen = updates();
    const end = deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    const now = await seen.until(({ progress }) => progress[1]?.microStep === "send_environment");
    expect(now.progress[1]?.phases).toMatchObject({
      "boot-mini-os": { state: "done", seconds: 16 },
      "copy-image": { state: "running" },
      "boot-new": { state: "pending" },
    });
    expect(now.state).toBe("running");
    expect(now.expectedEnd).toBeGreaterThan(Date.now() / 1000);
    expect(now.result).toBeNull();
    await go();
    await end;
  });

  test("shows the very command that runs", async () => {
    pool.runs(success);
    const id = newDeploymentId(1874);
    const [line] = deployCommandPreview({ ...request, retries: 0 }, id);
    await deploy(context, site, { ...request, retries: 0 }, { ...quick, id });
    const call = pool.file("fake/calls").trim();
    expect(line).toBe(`cd "$HOME"/.virtu/deployments/${id} && RUBYOPT=-r"$PWD"/live.rb kadeploy3 ${call}`);
  });

  test("of an image, with a key that travels through standard input", async () => {
    pool.runs(success);
    const keyFile = path.join(pool.home, "mine.pub");
    await writeFile(keyFile, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMadeUpForATest alice@here\n");
    const environment = { kind: "image", file: "~/image/my xen.env" } as const;
    await deploy(context, site, { ...request, environment, keyFile }, quick);
    expect(pool.file("fake/calls")).toContain(`-a ${pool.home}/image/my xen.env -k key -o`);
    expect(pool.file("fake/1/key")).toContain("AAAAIMadeUpForATest");
    expect(pool.sent.join("\n")).not.toContain("AAAAIMadeUpForATest");
  });
});

describe("nodes that fail", () => {
  test("are tried again alone; the good ones are kept", async () => {
    pool.runs(partial, again);
    const result = await deploy(context, site, request, quick);
    expect(result).toEqual({ deployed: dahu(1, 2, 3), failed: [], missing: [], attempts: 2 });
    expect(pool.file("fake/2/nodes")).toBe(`${dahu(2)[0]}\n`);
  });

  test("are given up after the last try, with step and reason", async () => {
    const fails = {
      ...partial,
      output: [`Launching a deployment on ${dahu(2)[0]}`, ...partial.output.slice(-2)],
      ok: [],
    };
    pool.runs(partial, fails, fails);
    const result = await deploy(context, site, request, quick);
    expect(result).toEqual({
      deployed: dahu(1, 3),
      failed: [
        { node: dahu(2)[0], step: "SetDeploymentEnvUntrusted-wait_reboot", reason: "Unreachable after the reboot" },
      ],
      missing: [],
      attempts: 3,
    });
    expect(pool.file("fake/calls").trim().split("\n")).toHaveLength(3);
  });

  test("are not tried again when nobody asked for it", async () => {
    pool.runs(partial);
    const result = await deploy(context, site, { ...request, retries: 0 }, quick);
    expect(result).toMatchObject({ deployed: dahu(1, 3), attempts: 1 });
  });

  test("keep their reason when the next try is refused as a whole", async () => {
    pool.runs(partial, { output: recorded("error-rights.stderr"), status: 6 });
    const seen = updates();
    const result = await deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    expect(result).toMatchObject({
      deployed: dahu(1, 3),
      failed: [{ reason: "Unreachable after the reboot" }],
      attempts: 2,
    });
    expect(seen.all.at(-1)?.problem?.why).toMatch(/no right to deploy/);
  });

  test("a node in another deployment is missing, and its host key stays", async () => {
    pool.runs({ output: recorded("partly-discarded.stdout"), ok: dahu(2) });
    const result = await deploy(context, site, { ...request, nodes: dahu(1, 2), minimum: 1 }, quick);
    expect(result).toEqual({ deployed: dahu(2), failed: [], missing: dahu(1), attempts: 1 });
    expect(pool.forgotten.flatMap(({ hosts }) => hosts)).toEqual(dahu(2));
  });

  test("a node that Kadeploy takes for up, but SSH does not", async () => {
    pool.runs(success);
    const tries = new Map<string, number>();
    pool.answer = (node) => {
      tries.set(node, (tries.get(node) ?? 0) + 1);
      // The second comes up late, the third never.
      if (node === dahu(2)[0] && tries.get(node) === 3) return {};
      if (node === dahu(1)[0]) return {};
      return new VirtuError({ kind: "connection", what: "No session", why: "connection refused" });
    };
    const seen = updates();
    const result = await deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    expect(result).toEqual({ deployed: dahu(1, 2), failed: [], missing: dahu(3), attempts: 1 });
    expect(seen.all.at(-1)?.progress[2]).toMatchObject({
      state: "missing",
      reason: expect.stringMatching(/connection refused/),
    });
  });

  test("the key of the mini-OS, learned too early, is forgotten again", async () => {
    pool.runs(success);
    let changed = true;
    pool.answer = (node) => {
      if (node !== dahu(2)[0] || !changed) return {};
      changed = false;
      return new VirtuError({ kind: "host-key", what: "The host key has changed" });
    };
    expect((await deploy(context, site, request, quick)).missing).toEqual([]);
    expect(pool.forgotten.map(({ hosts }) => hosts)).toEqual([dahu(1, 2, 3), dahu(2)]);
  });
});

describe("a link that breaks", () => {
  test("does not stop the deployment, and no line comes twice", async () => {
    const go = gate("here");
    pool.runs(waiting(success, "here", 8));
    const seen = updates();
    const notices: string[] = [];
    const end = deploy(context, site, request, {
      ...quick,
      onUpdate: seen.onUpdate,
      onNotice: (text) => notices.push(text),
    });
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    pool.refusals = 2;
    pool.cut();
    await go();
    expect((await end).deployed).toEqual(dahu(1, 2, 3));
    const log = seen.all.at(-1)?.log ?? [];
    expect(log).toEqual(success.output.filter((line) => line !== ""));
    const offsets = pool.sent.flatMap((line) => /^tail -n \+(\d+)/.exec(line)?.[1] ?? []).map(Number);
    // Not from the beginning: the line at which it broke off may come again.
    expect(offsets.at(-1)).toBeGreaterThanOrEqual(8);
    expect(notices).toContain("The link is back.");
  });

  test("in the middle of a line: the whole line counts, once", async () => {
    const [begin, go] = [gate("begin"), gate("here")];
    const [head, tail] = [success.output.slice(0, 8), success.output.slice(9)];
    expect(success.output[8]).toBe("  wait_reboot");
    pool.runs({ ...success, output: [...head, "@wait begin", "@part   wait_", "@wait here", "reboot", ...tail] });
    const seen = updates();
    const end = deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    const part = once(pool.arrivals, "part");
    await begin();
    await part;
    pool.cut();
    await go();
    await end;
    expect(seen.all.at(-1)?.log).toEqual(success.output.filter((line) => line !== ""));
  });

  test("a host that is not there at all ends the following", async () => {
    pool.refusals = 100;
    const error = await refusal(followDeployment(context, site, "20261122-100000-1-aaaa", quick));
    expect(error).toMatchObject({ kind: "connection", why: "connection refused" });
  });

  test("after a line that is no UTF-8 it goes on where it was", async () => {
    const go = gate("here");
    pool.runs({
      ...success,
      output: [...success.output.slice(0, 8), "  \u0000", "@wait here", ...success.output.slice(8)],
    });
    const name = path.join(pool.home, "fake", "1", "output");
    await writeFile(name, readFileSync(name, "latin1").replace("\u0000", "\xe9t\xe9"), "latin1");
    const seen = updates();
    const end = deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    await seen.until(({ log }) => log.at(-1) === "  \ufffdt\ufffd");
    pool.cut();
    await go();
    expect((await end).deployed).toEqual(dahu(1, 2, 3));
    expect(seen.all.at(-1)?.log).toHaveLength(success.output.filter((line) => line !== "").length + 1);
  });

  test("in the middle of the start, with half of the files: nothing starts", async () => {
    pool.runs(success);
    pool.cutInputAfter = 40;
    const error = await refusal(startDeployment(context, site, request));
    expect(error.kind).toBe("connection");
    expect(pool.file("fake/calls")).toBe("");
  });

  test("virtu ends; the deployment goes on, tries again by itself, and is found again", async () => {
    const go = gate("here");
    pool.runs(waiting(partial, "here", 7), again);
    const stop = new AbortController();
    const seen = updates();
    const id = await startDeployment(context, site, request);
    const first = followDeployment(context, site, id, { ...quick, signal: stop.signal, onUpdate: seen.onUpdate });
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    stop.abort();
    expect((await refusal(first)).kind).toBe("cancelled");
    const [found] = await findDeployments(context, site, { jobId: 1874 });
    expect(found).toMatchObject({ id, state: "running", title: "debian11-min", nodes: dahu(1, 2, 3), attempt: 1 });
    expect(found?.progress[0]?.microStep).toBe("reboot");
    await go();
    expect(await followDeployment(context, site, id, quick)).toMatchObject({ deployed: dahu(1, 2, 3), attempts: 2 });
  });
});

describe("cancelling", () => {
  test("interrupts kadeploy3 once and tries nothing again", async () => {
    gate("here");
    pool.runs(waiting(partial, "here", 7), again);
    const seen = updates();
    const id = await startDeployment(context, site, request);
    const end = refusal(followDeployment(context, site, id, { ...quick, onUpdate: seen.onUpdate }));
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    await cancelDeployment(context, site, id);
    const error = await end;
    expect(error.what).toMatch(/was cancelled/);
    expect(error.hint).toMatch(/half written/);
    expect(seen.all.at(-1)?.state).toBe("cancelled");
    expect(pool.file("fake/calls").trim().split("\n")).toHaveLength(1);
    expect(await findDeployments(context, site)).toMatchObject([{ state: "cancelled" }]);
    // Another time is no error: it has ended.
    await cancelDeployment(context, site, id);
    expect((await refusal(followDeployment(context, site, id, quick))).what).toMatch(/was cancelled/);
  });

  test("just after kadeploy3 has told which nodes failed: they are not tried again", async () => {
    gate("here");
    pool.runs({ ...waiting(partial, "here", 7), ok: [], late: true }, again);
    const seen = updates();
    const id = await startDeployment(context, site, request);
    const end = followDeployment(context, site, id, { ...quick, onUpdate: seen.onUpdate });
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    await cancelDeployment(context, site, id);
    expect(await end).toMatchObject({ deployed: [], failed: [{ node: dahu(2)[0] }], attempts: 1 });
    expect(seen.all.at(-1)?.state).toBe("cancelled");
  });

  test("an id that is a path reaches nothing", async () => {
    expect((await refusal(cancelDeployment(context, site, "../../etc"))).kind).toBe("usage");
    expect(pool.sent).toEqual([]);
  });
});

describe("a deployment that does not take place", () => {
  test("Kadeploy refuses", async () => {
    pool.runs({ output: recorded("error-rights.stderr"), status: 6 });
    const error = await refusal(deploy(context, site, request, quick));
    expect(error).toMatchObject({ kind: "refused", why: expect.stringMatching(/no right/), where: "grenoble" });
    expect(error.detail).toContain("[Kadeploy Error #6]");
    expect(pool.asked).toEqual([]);
    expect(pool.forgotten).toEqual([]);
  });

  test("no kadeploy3 on the host", async () => {
    pool.program("setsid", "#!/bin/sh\nexit 1\n");
    execFileSync("rm", [path.join(pool.home, "bin", "kadeploy3")]);
    expect((await refusal(startDeployment(context, site, request))).why).toMatch(/no kadeploy3/);
  });

  test("the script is killed: it is said, and Kadeploy's part is not guessed", async () => {
    gate("here");
    pool.runs(waiting(success, "here", 8));
    const seen = updates();
    const id = await startDeployment(context, site, request);
    const end = refusal(
      followDeployment(context, site, id, { ...quick, link: { quietMs: 20 }, onUpdate: seen.onUpdate }),
    );
    await seen.until(({ progress }) => progress[0]?.microStep === "reboot");
    process.kill(-Number(pool.file(`.virtu/deployments/${id}/pid`)), "SIGKILL");
    expect((await end).why).toMatch(/was killed/);
    expect(seen.all.at(-1)).toMatchObject({ state: "failed", result: { missing: dahu(1, 2, 3) } });
  });

  test.each([
    [{ nodes: [] }, /no node/],
    [{ nodes: ["-x"] }, /no host name/],
    [{ minimum: 4 }, /minimum of 4/],
    [{ retries: -1 }, /retries/],
  ])("%j is refused before anything is sent", async (wrong, why) => {
    const error = await refusal(startDeployment(context, site, { ...request, ...wrong }));
    expect(error).toMatchObject({ kind: "usage", why: expect.stringMatching(why) });
    expect(pool.sent).toEqual([]);
  });
});

describe("what is found again", () => {
  test("an ended one gives its result without a new try", async () => {
    pool.runs(success);
    let id = "";
    const result = await deploy(context, site, request, {
      ...quick,
      onStart: (started) => {
        id = started;
      },
    });
    pool.asked.length = 0;
    expect(await followDeployment(context, site, id, quick)).toEqual(result);
    expect(pool.asked).toEqual([]);
  });

  test("only those of the job that is asked for, newest first", async () => {
    pool.runs(success, success, success);
    const ids = ["20261122-100000-1874-aaaa", "20261122-110000-1875-bbbb", "20261122-120000-1874-cccc"];
    for (const [index, id] of ids.entries())
      await deploy(context, site, { ...request, jobId: [1874, 1875, 1874][index]! }, { ...quick, id });
    expect((await findDeployments(context, site)).map(({ id }) => id)).toEqual([...ids].reverse());
    expect((await findDeployments(context, site, { jobId: 1874 })).map(({ id }) => id)).toEqual([ids[2], ids[0]]);
    const [one] = await findDeployments(context, site, { id: ids[1] });
    expect(one).toMatchObject({ jobId: 1875, state: "done", result: { deployed: dahu(1, 2, 3) } });
  });

  test("old ones go when there are too many; those that run stay", async () => {
    const folder = path.join(pool.home, ".virtu", "deployments");
    for (let n = 10; n < 60; n += 1) {
      const old = path.join(folder, `20200101-0000${n}-1-aaaa`);
      mkdirSync(old, { recursive: true });
      if (n !== 10) await writeFile(path.join(old, "end"), "");
    }
    pool.runs(success);
    await deploy(context, site, request, quick);
    const left = readdirSync(folder).sort();
    expect(left).toHaveLength(41);
    expect(left[0]).toBe("20200101-000010-1-aaaa");
    expect(left[1]).toBe("20200101-000021-1-aaaa");
  });

  test("one that was started on another host of the same home can't be judged from here", async () => {
    const go = gate("here");
    pool.runs(waiting(success, "here", 8));
    const id = await startDeployment(context, site, request);
    await writeFile(path.join(pool.home, ".virtu", "deployments", id, "host"), "elsewhere\n");
    expect(await findDeployments(context, site)).toMatchObject([{ state: "running" }]);
    expect(await refusal(cancelDeployment(context, site, id))).toMatchObject({
      why: "it was started on elsewhere",
      hint: expect.stringMatching(/cancel it there/),
    });
    await go();
    expect((await followDeployment(context, site, id, quick)).deployed).toEqual(dahu(1, 2, 3));
  });

  test("a directory that this program did not write is left out", async () => {
    const strange = path.join(pool.home, ".virtu", "deployments", "20200101-000000-1-aaaa");
    mkdirSync(strange, { recursive: true });
    await writeFile(path.join(strange, "script"), "");
    await writeFile(path.join(strange, "request"), "{broken");
    expect(await findDeployments(context, site)).toEqual([]);
    expect((await refusal(followDeployment(context, site, "20200101-000000-1-aaaa", quick))).kind).toBe("unparsed");
  });

  test("nothing, where nothing was ever deployed", async () => {
    expect(await findDeployments(context, site)).toEqual([]);
    expect((await refusal(followDeployment(context, site, "20261122-100000-1-aaaa", quick))).what).toMatch(/no run/);
  });

  test("how long it took is remembered for the next", async () => {
    const go = gate("here");
    pool.runs(success, waiting(success, "here", 5));
    await deploy(context, site, request, quick);
    const seen = updates();
    const second = deploy(context, site, request, { ...quick, onUpdate: seen.onUpdate });
    const now = Date.now() / 1000;
    // 16 + 9 + 11 s, not the six minutes of a guess.
    const known = await seen.until(({ expectedEnd }) => expectedEnd !== null && expectedEnd < now + 60);
    expect(known.expectedEnd).toBeGreaterThan(now + 20);
    await go();
    await second;
  });
});
