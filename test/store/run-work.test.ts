import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { makeConfigurePlan } from "../../source/journey/configure-choice.ts";
import { keyPairSecret, passwordSecret, userKeySecret } from "../../source/journey/configure-types.ts";
import type { RunOptions } from "../../source/journey/run-types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { passwordError, strengthText } from "../../source/store/passwords.ts";
import { hostNames, hostTargets, jobTargets } from "../../source/store/targets.ts";
import { fakeWorkspace, jobOf, rennes } from "../ui/harness.tsx";
import { statesOf } from "../ui/node-fakes.ts";
import { failure, handleOf, nodeNames, runOf, summaryOf } from "../ui/run-fakes.ts";

const nodes = nodeNames(3);
const left = runOf(nodes, { id: "left" });
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("when virtu starts", () => {
  it("carries on what nobody carries, and leaves alone what another virtu has or what is over", async () => {
    const resumeRun = vi.fn<Journeys["resumeRun"]>(async (_context, id) => handleOf({ ...left, id }));
    const workspace = fakeWorkspace({
      journeys: {
        resumeRun,
        listRuns: async () => [
          summaryOf(left, { state: "interrupted" }),
          summaryOf(left, { id: "stuck", state: "needs-you" }),
          summaryOf(left, { id: "elsewhere", state: "running", pid: 812 }),
          summaryOf(left, { id: "over", state: "done" }),
        ],
      },
    });
    await vi.waitFor(() => expect(Object.keys(workspace.state.runs.views).sort()).toEqual(["left", "stuck"]));
    expect(resumeRun.mock.calls.map(([, id]) => id).sort()).toEqual(["left", "stuck"]);
    expect(workspace.state.notice?.text).toContain("was interrupted and goes on now");
  });

  it("says in the run's own place why one can't be carried on", async () => {
    const error = new VirtuError({ kind: "refused", what: "Another virtu has it" });
    const workspace = fakeWorkspace({
      journeys: {
        resumeRun: () => Promise.reject(error),
        listRuns: async () => [summaryOf(left, { state: "interrupted" })],
      },
    });
    await vi.waitFor(() => expect(workspace.state.runs.errors["left"]).toBe(error));
    expect(workspace.state.runs.opening).toEqual([]);
  });
});

describe("a run", () => {
  it("starts, shows every view, says what needs somebody once, and its end", async () => {
    const handle = handleOf(left);
    let options: RunOptions | undefined;
    const startRun: Journeys["startRun"] = async (_context, _plan, given) => {
      options = given;
      handle.onView = given?.onView ?? (() => {});
      return handle;
    };
    const workspace = fakeWorkspace({ journeys: { startRun } });
    expect(await workspace.runs.start(left.plan, {})).toBe("left");
    expect(workspace.state.runs.starting).toBeNull();
    handle.show({ ...left, state: "needs-you", problem: "packages failed on paravance-13" });
    expect(workspace.state.notice).toMatchObject({ tone: "warning", until: null });
    workspace.dismiss();
    handle.show({ ...left, state: "needs-you", problem: "packages failed on paravance-13", secondsLeft: 3 });
    expect(workspace.state.notice).toBeNull();
    expect(workspace.state.runs.views["left"]?.secondsLeft).toBe(3);
    workspace.runs.decide("left", { do: "retry", step: "packages", nodes: nodes.slice(2) });
    expect(handle.decided).toEqual([{ do: "retry", step: "packages", nodes: nodes.slice(2) }]);
    handle.finish("done");
    expect(workspace.state.notice).toMatchObject({ tone: "good" });
    expect(options?.signal?.aborted).toBe(false);
    await workspace.end();
    expect(handle.detached).toBe(true);
    expect(options?.signal?.aborted).toBe(true);
  });

  it("keeps the refusal to start until it has been read", async () => {
    const error = new VirtuError({ kind: "refused", what: "Another run has these nodes" });
    const workspace = fakeWorkspace({ journeys: { startRun: () => Promise.reject(error) } });
    expect(await workspace.runs.start(left.plan, {})).toBeNull();
    expect(workspace.state.runs).toMatchObject({ starting: null, startError: error });
    workspace.runs.forgetStart();
    expect(workspace.state.runs.startError).toBeNull();
  });

  it("gives secrets of the form, the job's own key from here, and asks for any other", async () => {
    let secrets: RunOptions["secrets"];
    const startRun: Journeys["startRun"] = async (_context, _plan, given) => {
      secrets = given?.secrets;
      return handleOf(left);
    };
    const workspace = fakeWorkspace({ journeys: { startRun } });
    await workspace.runs.start(left.plan, { [passwordSecret]: "a good one 123" });
    const { signal } = new AbortController();
    expect(await secrets?.(passwordSecret, signal)).toBe("a good one 123");
    expect(await secrets?.(keyPairSecret, signal)).toContain("OPENSSH PRIVATE KEY");
    expect(await secrets?.(userKeySecret, signal)).toBeNull();
    const asked = secrets?.("other", signal);
    await settled();
    const [question] = workspace.state.questions;
    expect(question).toMatchObject({ kind: "run-secret", question: { title: left.plan.title, name: "other" } });
    workspace.questions.answer(question?.id ?? 0, "typed");
    expect(await asked).toBe("typed");
    expect(JSON.stringify(workspace.state)).not.toContain("a good one 123");
  });

  it("reads output of an open run only", async () => {
    const handle = handleOf(runOf(nodes, { cells: { packages: { [nodes[0] as string]: failure({ lines: 3 }) } } }));
    const workspace = fakeWorkspace({ journeys: { resumeRun: async () => handle } });
    expect(await workspace.runs.output(handle.id, "packages", nodes[0] as string, 0, 9)).toEqual([]);
    expect(await workspace.runs.open(handle.id)).toBe(true);
    expect(await workspace.runs.output(handle.id, "packages", nodes[0] as string, 1, 9)).toHaveLength(2);
  });
});

describe("asking nodes", () => {
  it("counts answers as they come; a new question takes the place of the old one", async () => {
    const answers: (() => void)[] = [];
    const askNodes: Journeys["askNodes"] = async (_context, asked, options) => {
      options?.onAnswer?.(asked[0]?.name ?? "", new VirtuError({ kind: "connection", what: "no route" }));
      await new Promise<void>((resolve) => answers.push(resolve));
      return { states: statesOf(asked.map(({ name }) => name)), failed: new Map() };
    };
    const workspace = fakeWorkspace({ journeys: { askNodes } });
    const first = workspace.runs.asking.ask(hostTargets(["a", "b"]).nodes);
    expect(workspace.state.runs.asked).toMatchObject({ key: "a b", answered: 1, over: false });
    expect(workspace.state.runs.asked?.answers.failed.get("a")?.what).toBe("no route");
    const second = workspace.runs.asking.ask(hostTargets(["c"]).nodes);
    for (const answer of answers) answer();
    await Promise.all([first, second]);
    expect(workspace.state.runs.asked).toMatchObject({ key: "c", answered: 1, over: true });
    expect([...(workspace.state.runs.asked?.answers.states.keys() ?? [])]).toEqual(["c"]);
  });
});

describe("targets", () => {
  it("takes hosts as people write them", () => {
    expect(hostNames("a, root@b  node-[1-3]")).toEqual(["a", "root@b", "node-1", "node-2", "node-3"]);
    expect(hostNames(" ")).toEqual([]);
  });
  it("reaches a job's nodes through its frontend", () => {
    const { nodes: of, jobId } = jobTargets({ stateDir: "/tmp/x" }, rennes, jobOf());
    expect(jobId).toBe(1874);
    expect(of[0]).toMatchObject({ name: "paravance-11", host: { via: { name: "frontend.rennes" }, user: "root" } });
  });
});

describe("configuring", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-configure-"));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("makes the plan with its secrets beside it, none inside", async () => {
    writeFileSync(path.join(directory, "mine.sh"), "echo mine\n");
    const targets = hostTargets(["a", "b", "gone"]);
    const { plan, secrets, generated } = await makeConfigurePlan(
      { pool: fakeWorkspace().context.pool, stateDir: directory },
      targets,
      {
        publicKeyFiles: [],
        pair: true,
        copyKeyFile: null,
        upgrade: true,
        password: { kind: "generated" },
        timezone: null,
        locale: null,
        commands: ["echo hello"],
        scriptFiles: [path.join(directory, "mine.sh")],
        minimum: 2,
      },
      statesOf(["a", "b"]),
    );
    expect(plan.nodes.map(({ name }) => name)).toEqual(["a", "b"]);
    const text = JSON.stringify(plan);
    expect(text).toContain("echo hello");
    expect(text).toContain("echo mine");
    expect(generated).toMatch(/^\S{20,}$/);
    expect(secrets[passwordSecret]).toBe(generated);
    expect(secrets[keyPairSecret]).toContain("PRIVATE KEY");
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    expect(readFileSync(path.join(directory, "hosts", "id_ed25519"), "utf8")).toBe(secrets[keyPairSecret]);
  });

  it("names the file that can't be read", async () => {
    const choice = {
      publicKeyFiles: [],
      pair: false,
      copyKeyFile: null,
      upgrade: false,
      password: { kind: "leave" as const },
      timezone: null,
      locale: null,
      commands: [],
      scriptFiles: ["/nowhere/at/all"],
      minimum: 1,
    };
    const context = { pool: fakeWorkspace().context.pool, stateDir: directory };
    await expect(makeConfigurePlan(context, hostTargets(["a"]), choice, statesOf(["a"]))).rejects.toMatchObject({
      kind: "usage",
      where: "/nowhere/at/all",
    });
  });

  it("takes no password that differs from its repetition, and says how good one is", () => {
    expect(passwordError("correct horse", "correct horse")).toBeNull();
    expect(passwordError("correct horse", "correct hors")).toContain("not the same");
    expect(passwordError("", "")).not.toBeNull();
    expect(strengthText("grid5000")).toContain("weak");
  });
});
