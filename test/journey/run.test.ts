import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CellState, Plan, RunHandle, RunView } from "../../source/journey/plan.ts";
import { type RunOptions, startRun } from "../../source/journey/run.ts";
import { NodesPool } from "./nodes-pool.ts";
import { planOf } from "./plans.ts";

let pool: NodesPool;
let context: { pool: NodesPool; stateDir: string };
const handles: RunHandle[] = [];
const quick: RunOptions = { pace: { backOff: 5, patience: 300, lostPatience: 300_000 } };

beforeEach(() => {
  const root = mkdtempSync(path.join(os.tmpdir(), "virtu-run-"));
  pool = new NodesPool(path.join(root, "nodes"));
  context = { pool, stateDir: path.join(root, "state") };
});
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.detach();
  await pool.end();
});

async function start(plan: Plan, options: RunOptions = {}): Promise<RunHandle> {
  const handle = await startRun(context, plan, { ...quick, ...options });
  handles.push(handle);
  return handle;
}

function states(view: RunView): Record<string, CellState[]> {
  return Object.fromEntries(
    Object.entries(view.cells).map(([step, cells]) => [step, Object.values(cells).map(({ state }) => state)]),
  );
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
  });
});
