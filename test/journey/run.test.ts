import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { CellState, Plan, RunHandle, RunView } from "../../source/journey/plan.ts";
import { listRuns, lookAtRun, planLines, type RunOptions, resumeRun, startRun } from "../../source/journey/run.ts";
import { NodesPool } from "./nodes-pool.ts";
import { planOf, type StepText } from "./plans.ts";

let pool: NodesPool;
let context: { pool: NodesPool; stateDir: string };
let seen: RunView[];
let waiters: { fits: (view: RunView) => boolean; resolve: (view: RunView) => void }[];
const handles: RunHandle[] = [];

beforeEach(() => {
  const root = mkdtempSync(path.join(os.tmpdir(), "virtu-run-"));
  pool = new NodesPool(path.join(root, "nodes"));
  context = { pool, stateDir: path.join(root, "state") };
  seen = [];
  waiters = [];
});
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.detach();
  await pool.end();
});

const quick: RunOptions = {
  pace: { backOff: 5, patience: 100, lostPatience: 300_000 },
  onView: (view) => {
    seen.push(view);
    for (const { fits, resolve } of waiters) if (fits(view)) resolve(view);
  },
};

/** The first view from now on that fits. */
function until(fits: (view: RunView) => boolean, handle?: RunHandle): Promise<RunView> {
  const now = handle?.view();
  if (now && fits(now)) return Promise.resolve(now);
  return new Promise((resolve) => waiters.push({ fits, resolve }));
}

async function start(plan: Plan, options: RunOptions = {}): Promise<RunHandle> {
  const handle = await startRun(context, plan, { ...quick, ...options });
  handles.push(handle);
  return handle;
}

async function resume(id: string, options: RunOptions = {}): Promise<RunHandle> {
  const handle = await resumeRun(context, id, { ...quick, ...options });
  handles.push(handle);
  return handle;
}

const finish = async (plan: Plan, options: RunOptions = {}) => (await start(plan, options)).done;

function states(view: RunView): Record<string, CellState[]> {
  return Object.fromEntries(
    Object.entries(view.cells).map(([step, cells]) => [step, Object.values(cells).map(({ state }) => state)]),
  );
}

function gate(node: string, name = "gate"): () => Promise<void> {
  mkdirSync(pool.homeOf(node), { recursive: true });
  execFileSync("mkfifo", [path.join(pool.homeOf(node), name)]);
  return () => writeFile(path.join(pool.homeOf(node), name), "");
}

function put(node: string, name: string): void {
  mkdirSync(pool.homeOf(node), { recursive: true });
  writeFileSync(path.join(pool.homeOf(node), name), "");
}

const journalOf = (id: string) => readFileSync(path.join(context.stateDir, "runs", id, "journal.jsonl"), "utf8");
const ran = (id: string) => `echo ${id} >> "$HOME/ran"`;
const atGate = (view: RunView, step: string, node: string, lines: number) =>
  view.cells[step]?.[node]?.state === "running" && view.cells[step]?.[node]?.lines === lines;

/** A process that has ended may wait to be looked at by nobody. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${Number(pid)}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function refusal(promise: Promise<unknown>): Promise<VirtuError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(VirtuError);
  return thrown as VirtuError;
}

describe("a run", () => {
  test("carries steps in the order of their needs, gives values on, and keeps the output", async () => {
    const plan = planOf(
      ["a", "b"],
      [
        { id: "find", gives: ["DISK"], script: (node) => `echo looking; echo '#virtu give DISK sd ${node}'` },
        { id: "use", needs: ["find"], script: 'echo "$DISK" > "$HOME/disk"' },
        { id: "join", needs: ["use*"], nodes: ["a"], script: 'cat "$HOME/disk" "$HOME/../b/disk"' },
      ],
    );
    const handle = await start(plan);
    const view = await handle.done;
    expect(view.state).toBe("done");
    expect(states(view)).toEqual({ find: ["done", "done"], use: ["done", "done"], join: ["done"] });
    expect(view.cells["find"]?.["a"]).toMatchObject({ text: "sd a", status: 0, tries: 1, lines: 1 });
    expect(await handle.output("join", "a", 0, 10)).toEqual(["sd a", "sd b"]);
    expect(await handle.output("find", "b", 0, 10)).toEqual(["looking"]);
    expect(pool.file("a", ".virtu/lock/owner")).toBe("");
  });

  test("a value that only one node gives is known on all", async () => {
    const plan = planOf(
      ["a", "b"],
      [
        { id: "key", nodes: ["b"], gives: ["KEY"], script: 'echo "#virtu give KEY it\'s \\$b"' },
        { id: "use", needs: ["key*"], script: 'echo "$KEY"' },
      ],
    );
    const handle = await start(plan);
    await handle.done;
    expect(await handle.output("use", "a", 0, 10)).toEqual(["it's $b"]);
  });

  test("steps without mutual needs run at the same time", async () => {
    // Each waits for the other: one after the other they would never end.
    const open = [gate("a", "one"), gate("a", "two")];
    const meet = (mine: string, other: string) => `echo > "$HOME/${mine}" & cat "$HOME/${other}" > /dev/null; wait`;
    const view = await finish(
      planOf(
        ["a"],
        [
          { id: "x", script: meet("one", "two") },
          { id: "y", script: meet("two", "one") },
        ],
      ),
    );
    expect(states(view)).toEqual({ x: ["done"], y: ["done"] });
    expect(open).toHaveLength(2);
  });

  test("a second time nothing is done, and it says so step by step", async () => {
    const plan = planOf(
      ["a", "b"],
      [
        { id: "one", check: '[ -f "$HOME/one" ]', script: `${ran("one")}; touch "$HOME/one"` },
        {
          id: "two",
          needs: ["one"],
          gives: ["V"],
          check: 'if [ -f "$HOME/two" ]; then echo "#virtu give V 7"; else exit 1; fi',
          script: `${ran("two")}; touch "$HOME/two"; echo '#virtu give V 7'`,
        },
        {
          id: "three",
          needs: ["two"],
          check: '[ "$(cat "$HOME/three")" = "$V" ]',
          script: 'echo "$V" > "$HOME/three"',
        },
      ],
    );
    expect(states(await finish(plan))).toEqual({
      one: ["done", "done"],
      two: ["done", "done"],
      three: ["done", "done"],
    });
    const again = await finish(plan);
    expect(states(again)).toEqual({
      one: ["already", "already"],
      two: ["already", "already"],
      three: ["already", "already"],
    });
    expect(again.cells["two"]?.["a"]?.text).toBe("7");
    expect(pool.file("a", "ran")).toBe("one\ntwo\n");
  });

  test("a check that does not say what the step gives leaves it to do", async () => {
    const view = await finish(
      planOf(["a"], [{ id: "x", check: "true", gives: ["V"], script: "echo '#virtu give V 1'" }]),
    );
    expect(states(view)).toEqual({ x: ["done"] });
  });

  test("apt's progress is a share and no line of output", async () => {
    const open = gate("a");
    const script = `echo 'dlstatus:1:50.0:Retrieving'; echo 'pmstatus:libc6:amd64:50.0000:Unpacking'; echo text
cat "$HOME/gate"`;
    const handle = await start(planOf(["a"], [{ id: "x", progress: "apt", script }]));
    const view = await until((now) => atGate(now, "x", "a", 1), handle);
    expect(view.cells["x"]?.["a"]?.share).toBeCloseTo(0.65);
    expect(view.secondsLeft).toBeLessThan(10);
    expect(await handle.output("x", "a", 0, 10)).toEqual(["text"]);
    await open();
    await handle.done;
  });

  test("is told to the letter before it runs", () => {
    const plan = planOf(["a", "b"], [{ id: "x", check: "test -f x", script: (node) => `touch ${node}` }]);
    const all = planLines(plan).join("\n");
    for (const text of ["test -f x", "touch a", "touch b", "It is tested."]) expect(all).toContain(text);
    expect(planLines(plan, "a").join("\n")).not.toContain("touch b");
  });

  test.each<[string, StepText[]]>([
    ["needs later", [{ id: "x", needs: ["y"] }, { id: "y" }]],
    ["two steps x", [{ id: "x" }, { id: "x" }]],
    ["no name of a step", [{ id: "../x" }]],
    ["can't be detached", [{ id: "x", secret: "password" }]],
  ])("a plan that makes no sense is refused: %s", async (_, steps) => {
    const error = await refusal(start(planOf(["a"], steps)));
    expect(error.kind).toBe("usage");
    expect(await listRuns(context)).toEqual([]);
  });
});

describe("a failure", () => {
  test("stops that node's line only, and asks; retry goes on where it was", async () => {
    const handle = await start(
      planOf(
        ["a", "b"],
        [
          { id: "x", script: `${ran("x")}; echo some output; echo 'E: no such package' >&2; test -f "$HOME/ok"` },
          { id: "y", needs: ["x"], script: ran("y") },
          { id: "z", needs: ["x*"], script: ran("z") },
        ],
      ),
    );
    put("b", "ok");
    const asked = await until(({ state }) => state === "needs-you", handle);
    expect(asked.cells["x"]?.["a"]).toMatchObject({
      state: "failed",
      status: 1,
      text: "exit status 1: E: no such package",
    });
    if (asked.cells["x"]?.["b"]?.state === "done") {
      expect(states(asked)).toEqual({ x: ["failed", "done"], y: ["blocked", "done"], z: ["blocked", "blocked"] });
    }
    expect(asked.problem).toContain("Step x failed on a");
    expect((await listRuns(context))[0]).toMatchObject({ state: "needs-you", pid: process.pid });
    put("a", "ok");
    handle.decide({ do: "retry", step: "x", nodes: ["a", "b"] });
    const view = await handle.done;
    expect(states(view)).toEqual({ x: ["done", "done"], y: ["done", "done"], z: ["done", "done"] });
    expect(view.cells["x"]?.["a"]?.tries).toBe(2);
  });

  const oneFails: StepText[] = [
    { id: "x", script: 'test "$(basename "$HOME")" != b' },
    { id: "y", needs: ["x*"], script: ran("y") },
  ];

  test("skipped, what comes after it goes on", async () => {
    const handle = await start(planOf(["a", "b"], oneFails));
    await until(({ state }) => state === "needs-you", handle);
    handle.decide({ do: "skip", step: "x", nodes: ["b"] });
    expect(states(await handle.done)).toEqual({ x: ["done", "skipped"], y: ["done", "done"] });
  });

  test("its node left out, the others go on", async () => {
    const handle = await start(planOf(["a", "b"], oneFails));
    await until(({ state }) => state === "needs-you", handle);
    handle.decide({ do: "leave-out", nodes: ["b"] });
    const view = await handle.done;
    expect(view).toMatchObject({ state: "done", out: ["b"] });
    expect(states(view)).toEqual({ x: ["done", "failed"], y: ["done", "left-out"] });
  });

  test("within the minimum nodes are left out without asking, below it somebody is asked", async () => {
    const script = 'case "$(basename "$HOME")" in b|c) exit 7;; esac';
    const plan = planOf(
      ["a", "b", "c"],
      [
        { id: "x", script },
        { id: "y", needs: ["x*"] },
      ],
      { minimum: 2 },
    );
    const handle = await start(plan);
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.out).toHaveLength(1);
    expect(view.problem).toContain("fewer than 2 nodes");
    expect(view.cells["y"]?.["a"]?.state).toBe("blocked");
    handle.decide({ do: "leave-out", nodes: ["b", "c"] });
    expect(states(await handle.done)["y"]).toEqual(["done", "left-out", "left-out"]);
  });

  test("a step past its limit is ended on the node, with all that it started", async () => {
    const handle = await start(
      planOf(["a"], [{ id: "x", limitSeconds: 1, script: 'sleep 600 & echo $! > "$HOME/pid"; wait' }]),
    );
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.cells["x"]?.["a"]?.text).toMatch(/^took longer than its limit of 1 s and was ended/);
    await expect.poll(() => isRunning(pool.file("a", "pid"))).toBe(false);
  });

  test("a check that can't tell is a failure, with what it said", async () => {
    const handle = await start(planOf(["a"], [{ id: "x", check: "echo looked; no-such-program" }]));
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.cells["x"]?.["a"]).toMatchObject({ state: "failed", tries: 0, lines: 2 });
    expect(view.cells["x"]?.["a"]?.text).toContain("its check ended with status 127");
    expect((await handle.output("x", "a", 0, 9))[0]).toBe("looked");
  });

  test("a script that does not give what it promises has failed", async () => {
    const handle = await start(planOf(["a"], [{ id: "x", gives: ["V"] }]));
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.cells["x"]?.["a"]?.text).toBe("it ended well but did not give V");
  });

  test("a step whose keeper was killed is not taken for done, nor run again by itself, nor left running", async () => {
    const script = `${ran("x")}; echo $$ > "$HOME/pid"; echo here; sleep 600`;
    const handle = await start(planOf(["a"], [{ id: "x", script }]));
    await until((now) => atGate(now, "x", "a", 1), handle);
    process.kill(Number(pool.file("a", `.virtu/runs/${handle.id}/x.1/pid`)), "SIGKILL");
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.cells["x"]?.["a"]).toMatchObject({ state: "failed", status: null });
    expect(view.cells["x"]?.["a"]?.text).toMatch(/^ended without saying so.*its last line: here$/);
    expect(pool.file("a", "ran")).toBe("x\n");
    await expect.poll(() => isRunning(pool.file("a", "pid"))).toBe(false);
  });

  test("a node that never answers fails after a while; the others go on", async () => {
    pool.down.add("b");
    const handle = await start(planOf(["a", "b"], [{ id: "x" }, { id: "y", needs: ["x"] }], { minimum: 1 }));
    const view = await handle.done;
    expect(states(view)).toEqual({ x: ["done", "failed"], y: ["done", "left-out"] });
    expect(view.cells["x"]?.["b"]?.text).toBe("can't be reached: connection refused");
    expect(seen.some((now) => now.cells["x"]?.["b"]?.state === "lost")).toBe(true);
  });
});

describe("pause, cancel, detach", () => {
  test("paused, nothing new starts; what runs goes on", async () => {
    const open = gate("a");
    const handle = await start(
      planOf(
        ["a"],
        [
          { id: "x", script: 'echo x; cat "$HOME/gate"' },
          { id: "y", needs: ["x"] },
        ],
      ),
    );
    await until((now) => atGate(now, "x", "a", 1), handle);
    handle.decide({ do: "pause" });
    await open();
    const paused = await until((now) => now.cells["x"]?.["a"]?.state === "done", handle);
    expect(paused.state).toBe("paused");
    expect(states(paused)).toEqual({ x: ["done"], y: ["pending"] });
    handle.decide({ do: "go-on" });
    expect((await handle.done).state).toBe("done");
  });

  test("cancelled, steps are ended on their nodes and the nodes are free", async () => {
    const handle = await start(
      planOf(
        ["a"],
        [
          { id: "x", script: 'echo $$ > "$HOME/pid"; echo x; sleep 600' },
          { id: "y", needs: ["x"], script: ran("y") },
        ],
      ),
    );
    await until((now) => atGate(now, "x", "a", 1), handle);
    handle.decide({ do: "cancel" });
    const view = await handle.done;
    expect(view.state).toBe("cancelled");
    await expect.poll(() => isRunning(pool.file("a", "pid"))).toBe(false);
    expect(pool.file("a", "ran")).toBe("");
    expect(pool.file("a", ".virtu/lock/owner")).toBe("");
    expect((await listRuns(context))[0]?.state).toBe("cancelled");
    expect((await (await resume(handle.id)).done).state).toBe("cancelled");
  });

  test("cancelled while a step is being started, it is ended all the same", async () => {
    let handle: RunHandle | null = null;
    pool.before = async (_, line) => {
      if (!line.includes("setsid -f")) return;
      handle?.decide({ do: "cancel" });
      // The command to end it comes first.
      while (!pool.sent.some((sent) => sent.line.includes("kill -TERM"))) await new Promise(setImmediate);
    };
    handle = await start(planOf(["a"], [{ id: "x", script: 'echo $$ > "$HOME/pid"; sleep 600' }]));
    expect((await handle.done).state).toBe("cancelled");
    await expect.poll(() => isRunning(pool.file("a", "pid"))).toBe(false);
  });

  test("detached, it goes on there; a later virtu has all of it", async () => {
    const open = gate("a");
    const handle = await start(
      planOf(["a"], [{ id: "x", script: `${ran("x")}; seq 1 9; cat "$HOME/gate"; seq 10 99` }]),
    );
    await until((now) => atGate(now, "x", "a", 9), handle);
    await handle.detach();
    expect((await listRuns(context))[0]).toMatchObject({
      state: "interrupted",
      pid: null,
      progress: { ended: 0, of: 1 },
    });
    expect((await lookAtRun(context, handle.id)).cells["x"]?.["a"]?.state).toBe("lost");
    await open();
    const again = await resume(handle.id);
    expect((await again.done).state).toBe("done");
    expect(await again.output("x", "a", 0, 200)).toHaveLength(99);
    expect(pool.file("a", "ran")).toBe("x\n");
  });
});

describe("losses", () => {
  test("a link cut in mid step is tried again; no line is lost, none comes twice, others go on", async () => {
    const open = gate("a");
    const script = `${ran("x")}; seq 1 500; test -p "$HOME/gate" && cat "$HOME/gate"; seq 501 1000`;
    const handle = await start(
      planOf(
        ["a", "b"],
        [
          { id: "x", script },
          { id: "y", needs: ["x"] },
        ],
      ),
    );
    await until((now) => atGate(now, "x", "a", 500), handle);
    pool.down.add("a");
    pool.cut("a");
    const lost = await until(
      (now) => now.cells["x"]?.["a"]?.state === "lost" && now.cells["y"]?.["b"]?.state === "done",
    );
    expect(lost.cells["x"]?.["a"]?.text).toBe("connection refused");
    await open();
    pool.down.delete("a");
    const view = await handle.done;
    expect(states(view)).toEqual({ x: ["done", "done"], y: ["done", "done"] });
    expect(await handle.output("x", "a", 0, 2000)).toEqual(Array.from({ length: 1000 }, (_, at) => String(at + 1)));
    expect(pool.file("a", "ran")).toBe("x\n");
  });

  test("a line cut in two by the loss counts once", async () => {
    const open = gate("a");
    const handle = await start(
      planOf(["a"], [{ id: "x", script: `echo whole; printf 'first half'; cat "$HOME/gate"; echo ', second half'` }]),
    );
    await until((now) => atGate(now, "x", "a", 1), handle);
    pool.cut("a");
    await open();
    await handle.done;
    expect(await handle.output("x", "a", 0, 9)).toEqual(["whole", "first half, second half"]);
  });

  test("the answer to a start is lost: the node is asked, the script runs once", async () => {
    let losses = 1;
    pool.after = (_, line) => (line.includes("setsid -f") && losses-- > 0 ? "lost" : undefined);
    const view = await finish(planOf(["a"], [{ id: "x", script: ran("x") }]));
    expect(view.state).toBe("done");
    expect(pool.file("a", "ran")).toBe("x\n");
  });

  test("a start that comes late, after the node was asked, runs nothing", async () => {
    let late: { node: string; line: string; stdin: string } | undefined;
    pool.before = (node, line) => {
      if (!line.includes("setsid -f") || late) return;
      late = { node, line, stdin: pool.sent.at(-1)?.stdin ?? "" };
      throw new VirtuError({ kind: "connection", what: "No link" });
    };
    const view = await finish(planOf(["a"], [{ id: "x", script: ran("x") }]));
    expect(view.state).toBe("done");
    expect(pool.file("a", "ran")).toBe("x\n");
    const { stdin = "", line = "" } = late ?? {};
    expect(() =>
      execFileSync("sh", ["-c", line], {
        input: stdin,
        env: { ...process.env, HOME: pool.homeOf("a") },
        stdio: "pipe",
      }),
    ).toThrow();
    expect(pool.file("a", "ran")).toBe("x\n");
  });

  test("what restarts its node is judged by its check", async () => {
    const script = 'touch "$HOME/new"; kill -9 -"$(cat "$HOME"/.virtu/runs/*/x.1/pid)"';
    const view = await finish(planOf(["a"], [{ id: "x", check: '[ -f "$HOME/new" ]', script }]));
    expect(states(view)).toEqual({ x: ["done"] });
  });
});

describe("a secret", () => {
  const plan = () =>
    planOf(
      ["a", "b"],
      [
        {
          id: "pw",
          detached: false,
          secret: "root password",
          check: '[ -f "$HOME/pw" ]',
          script: 'read -r pw; echo "got $pw" ; echo "$pw" > "$HOME/pw"',
        },
      ],
    );

  test("is asked once, given on standard input, and kept nowhere", async () => {
    let asked = 0;
    const secrets = async () => {
      asked += 1;
      return "s3cr3t-word";
    };
    const handle = await start(plan(), { secrets });
    expect((await handle.done).state).toBe("done");
    expect(asked).toBe(1);
    expect(pool.file("b", "pw")).toBe("s3cr3t-word\n");
    expect(await handle.output("pw", "a", 0, 9)).toEqual(["got ******"]);
    const kept = execFileSync("grep", ["-rlc", "s3cr3t-word", context.stateDir, pool.homeOf("a")], {
      encoding: "utf8",
    });
    expect(kept.trim()).toBe(path.join(pool.homeOf("a"), "pw"));
    expect(pool.sent.some(({ line }) => line.includes("s3cr3t-word"))).toBe(false);
  });

  test("of many lines is kept out of the output line by line", async () => {
    const script = 'cat > "$HOME/key"; cat "$HOME/key"';
    const given = planOf(["a"], [{ id: "k", detached: false, secret: "key", script }]);
    const handle = await start(given, { secrets: async () => "BEGIN\nAAAA\nEND\n" });
    await handle.done;
    expect(pool.file("a", "key")).toBe("BEGIN\nAAAA\nEND\n");
    expect(await handle.output("k", "a", 0, 9)).toEqual(["******", "******", "******"]);
  });

  test("that nobody gives fails the step, which can be tried again", async () => {
    const handle = await start(plan());
    const view = await until(({ state }) => state === "needs-you", handle);
    expect(view.cells["pw"]?.["a"]?.text).toContain("root password");
    await handle.detach();
    const again = await resume(handle.id, { secrets: async () => "later" });
    again.decide({ do: "retry", step: "pw", nodes: ["a", "b"] });
    expect((await again.done).state).toBe("done");
  });

  test("whose step was cut off: the check decides, and else it is run again", async () => {
    let losses = 1;
    pool.after = (node, line) => (line.includes("read -r pw") && node === "a" && losses-- > 0 ? "lost" : undefined);
    const view = await finish(plan(), { secrets: async () => "word" });
    expect(states(view)).toEqual({ pw: ["already", "done"] });
  });
});

describe("locks", () => {
  test("two runs don't have the same node; the second says who has it, and changes nothing", async () => {
    const open = gate("a");
    const first = await start(planOf(["a", "b"], [{ id: "x", script: 'cat "$HOME/gate"; true' }]));
    put("b", "gate");
    const error = await refusal(start(planOf(["c", "b"], [{ id: "x", script: ran("x") }])));
    expect(error).toMatchObject({ kind: "refused", where: "b", what: "Another run has this node" });
    expect(error.why).toContain(first.id);
    expect(pool.file("c", "ran")).toBe("");
    expect(pool.file("c", ".virtu/lock/owner")).toBe("");
    expect(await listRuns(context)).toHaveLength(1);
    await open();
    await first.done;
    expect((await finish(planOf(["c", "b"], [{ id: "x" }]))).state).toBe("done");
  });

  test("a mark that was left can be taken, on demand only", async () => {
    const plan = planOf(["a"], [{ id: "x", script: "false" }]);
    const left = await start(plan);
    await until(({ state }) => state === "needs-you", left);
    await left.detach();
    expect((await refusal(start(planOf(["a"], [{ id: "y" }])))).hint).toContain(`virtu resume ${left.id}`);
    expect((await finish(planOf(["a"], [{ id: "y" }]), { takeLock: true })).state).toBe("done");
  });

  test("one virtu at a time carries a run", async () => {
    const open = gate("a");
    const handle = await start(planOf(["a"], [{ id: "x", script: 'cat "$HOME/gate"' }]));
    const error = await refusal(resume(handle.id));
    expect(error).toMatchObject({ kind: "refused", where: `process ${process.pid}` });
    await open();
    await handle.done;
  });
});

test("200 nodes that print as fast as they can lose no line", async () => {
  const nodes = Array.from({ length: 200 }, (_, at) => `node-${at + 1}`);
  const handle = await start(planOf(nodes, [{ id: "x", script: "seq 1 500" }]));
  const view = await handle.done;
  expect(view.state).toBe("done");
  expect(new Set(Object.values(view.cells["x"] ?? {}).map(({ lines }) => lines))).toEqual(new Set([500]));
  const numbers = Array.from({ length: 500 }, (_, at) => String(at + 1));
  for (const node of nodes) expect(await handle.output("x", node, 0, 1000)).toEqual(numbers);
  // Told a few times a second, not with every line.
  expect(seen.length).toBeLessThan(1000);
}, 120_000);

test("old runs that are over are forgotten, those that are open are kept", async () => {
  const folder = path.join(context.stateDir, "runs");
  const past = (number: number) => `20200101-0000${String(number).padStart(2, "0")}-configure-aaaa`;
  for (let number = 0; number < 62; number += 1) {
    const run = path.join(folder, past(number));
    mkdirSync(run, { recursive: true });
    writeFileSync(path.join(run, "plan.json"), JSON.stringify(planOf(["a"], [{ id: "x" }])));
    const records: object[] = [{ at: 1, kind: "run", version: 1, id: past(number) }];
    if (number !== 1) records.push({ at: 2, kind: "over", state: "done" });
    writeFileSync(path.join(run, "journal.jsonl"), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }
  const { id } = await (await start(planOf(["a"], [{ id: "x" }]))).done;
  await expect.poll(async () => (await listRuns(context)).length).toBe(61);
  const left = (await listRuns(context)).map((run) => run.id);
  expect([left[0], left.at(-1), left.at(-2)]).toEqual([id, past(1), past(3)]);
});

test("durations are learned from what ran", async () => {
  await finish(planOf(["a"], [{ id: "x", script: "true", usualSeconds: 100 }]));
  const open = gate("a");
  const handle = await start(
    planOf(
      ["a"],
      [
        { id: "w", script: 'cat "$HOME/gate"', usualSeconds: 30 },
        { id: "x", needs: ["w"], usualSeconds: 100 },
      ],
    ),
  );
  expect(handle.view().secondsLeft).toBeLessThanOrEqual(31);
  await open();
  await handle.done;
  expect(
    journalOf(handle.id)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).kind),
  ).toEqual(["run", "carried", "start", "end", "start", "end", "over"]);
});
