import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { carry } from "../../source/commands/carry.ts";
import { runProgram } from "../../source/commands/program.ts";
import { exit, type Session } from "../../source/commands/run.ts";
import type { Plan } from "../../source/journey/plan.ts";
import { listRuns } from "../../source/journey/run.ts";
import { NodesPool } from "../journey/nodes-pool.ts";
import { planOf } from "../journey/plans.ts";

const world = vi.hoisted(() => ({ pool: null as unknown, stateDir: "" }));
vi.mock("../../source/app.ts", () => ({
  openApp: async () => ({
    settings: { problem: null },
    pool: world.pool,
    stateDir: world.stateDir,
    end: async () => undefined,
  }),
}));

let pool: NodesPool;
let out: string[];
let err: string[];
let interrupt: AbortController;

beforeEach(() => {
  const root = mkdtempSync(path.join(os.tmpdir(), "virtu-runs-"));
  pool = new NodesPool(path.join(root, "nodes"));
  world.pool = pool;
  world.stateDir = path.join(root, "state");
  out = [];
  err = [];
  interrupt = new AbortController();
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  await pool.end();
});

async function virtu(...words: string[]): Promise<number> {
  out.length = 0;
  err.length = 0;
  await runProgram(words, "test");
  return Number(process.exitCode);
}

const printed = () => out.join("");
const records = () =>
  printed()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** As a command that has planned something does. */
function started(plan: Plan, more: { json?: boolean; dryRun?: boolean } = {}): Promise<number> {
  const { json = false, dryRun = false } = more;
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const session = {
    app: { pool, stateDir: world.stateDir },
    globals: { json, dryRun, yes: true },
    signal: interrupt.signal,
    out: {
      result: (value: unknown, lines: readonly string[]) => (json ? line(JSON.stringify(value)) : lines.forEach(line)),
      record: (value: unknown, text: string) => line(json ? JSON.stringify(value) : text),
      note: (text: string) => process.stderr.write(`${text}\n`),
    },
  } as unknown as Session;
  return carry(session, plan);
}

const mayFail = (more: Partial<Plan> = {}) =>
  planOf(
    ["a", "b"],
    [
      {
        id: "pack",
        title: "Install packages",
        check: '[ -f "$HOME/done" ]',
        script: 'echo looking; [ -f "$HOME/ok" ] && touch "$HOME/done"',
      },
      { id: "last", needs: ["pack"], check: '[ -f "$HOME/last" ]', script: 'touch "$HOME/last"' },
    ],
    more,
  );

function ready(...nodes: string[]): void {
  for (const node of nodes) {
    mkdirSync(pool.homeOf(node), { recursive: true });
    writeFileSync(path.join(pool.homeOf(node), "ok"), "");
  }
}

describe("a plan carried without a screen", () => {
  test("tells each end, then the whole; twice, and nothing was to do", async () => {
    ready("a", "b");
    expect(await started(mayFail())).toBe(exit.done);
    expect(printed()).toMatch(/a {2}Install packages: done in 0:0\d/);
    expect(printed()).toMatch(/test on 2 nodes: done on 2 nodes after/);
    out.length = 0;
    expect(await started(mayFail(), { json: true })).toBe(exit.done);
    const all = records();
    expect(all[0]).toMatchObject({ step: "pack", state: "already", time: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(all.at(-1)).toMatchObject({ ok: true, changed: false, run: expect.any(String) });
    expect(all.at(-1).steps).toHaveLength(4);
  });

  test("with --dry-run only says what it would do", async () => {
    expect(await started(mayFail(), { dryRun: true })).toBe(exit.done);
    expect(printed()).toContain('touch "$HOME/done"');
    expect(pool.sent).toEqual([]);
  });

  test("some nodes left out: status 3", async () => {
    ready("a");
    expect(await started(mayFail({ minimum: 1 }), { json: true })).toBe(exit.some);
    expect(records().at(-1)).toMatchObject({ ok: false, changed: true, out: ["b"], state: "done" });
    expect(records().at(-1).steps).toContainEqual({
      step: "last",
      node: "b",
      state: "skipped",
      seconds: null,
      error: null,
    });
  });

  test("that needs somebody is left, and says how to go on; resume --retry does", async () => {
    ready("a");
    expect(await started(mayFail())).toBe(exit.some);
    const [run] = await listRuns({ stateDir: world.stateDir });
    expect(printed()).toContain(`virtu resume ${run?.id} --retry pack`);
    expect(printed()).toContain("b  pack failed: exit status 1: looking");

    expect(await virtu("resume", "--json")).toBe(exit.some);
    expect(await virtu("resume", "--retry", "nothing")).toBe(exit.usage);
    ready("b");
    expect(await virtu("resume", run?.id ?? "", "--retry", "pack:b", "--json")).toBe(exit.done);
    expect(records().at(-1)).toMatchObject({ run: run?.id, ok: true });
  });

  test("resume --leave-out and --skip", async () => {
    ready("a");
    await started(mayFail());
    expect(await virtu("resume", "--leave-out", "b")).toBe(exit.some);
    await started(mayFail());
    expect(await virtu("resume", "--skip", "pack", "--json")).toBe(exit.done);
    expect(pool.file("b", "ran")).toBe("");
  });

  test("Ctrl-C leaves it running and says how to go on", async () => {
    const plan = planOf(["a"], [{ id: "x", script: 'while [ ! -f "$HOME/ok" ]; do sleep 0.05; done' }]);
    pool.before = (_, line) => {
      if (line.includes("--pid=")) interrupt.abort();
    };
    await expect(started(plan)).rejects.toMatchObject({ kind: "cancelled" });
    const [run] = await listRuns({ stateDir: world.stateDir });
    expect(run?.state).toBe("interrupted");
    expect(err.join("")).toContain(`virtu resume ${run?.id}`);
    pool.before = () => undefined;
    ready("a");
    expect(await virtu("resume")).toBe(exit.done);
  });
});

describe("runs", () => {
  test("lists them, shows one, and its kept output", async () => {
    ready("a");
    await started(mayFail());
    await virtu("runs", "--json");
    const [run] = JSON.parse(printed());
    expect(run).toMatchObject({ state: "needs-you", nodes: ["a", "b"], progress: { ended: 2, of: 4 } });
    await virtu("runs");
    expect(printed()).toContain(`${run.id}  needs-you`);
    await virtu("runs", run.id);
    expect(printed()).toContain("pack  Install packages: 1 done, 1 failed");
    expect(await virtu("runs", run.id, "--output", "pack", "b")).toBe(exit.done);
    expect(printed()).toBe("looking\n");
    expect(await virtu("runs", run.id, "--output", "pack", "c")).toBe(exit.usage);
    expect(await virtu("runs", "nothing")).toBe(exit.usage);
  });

  test("cancel ends one for good and frees its nodes", async () => {
    await started(mayFail());
    const [run] = await listRuns({ stateDir: world.stateDir });
    expect(await virtu("cancel", run?.id ?? "", "--yes")).toBe(exit.done);
    expect((await listRuns({ stateDir: world.stateDir }))[0]?.state).toBe("cancelled");
    expect(pool.file("a", ".virtu/lock/owner")).toBe("");
    expect(await virtu("resume")).toBe(exit.usage);
  });
});
