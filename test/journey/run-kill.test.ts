/** virtu killed in the middle of a run, and what the next one makes of it. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Plan } from "../../source/journey/plan.ts";
import { listRuns, resumeRun } from "../../source/journey/run.ts";
import { bundled, untilKilled } from "../child.ts";
import { NodesPool } from "./nodes-pool.ts";
import { planOf } from "./plans.ts";

let bundle: string;
let root: string;
let pool: NodesPool;
let context: { pool: NodesPool; stateDir: string };

beforeAll(async () => {
  bundle = await bundled("test/journey/run-child.ts");
});
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "virtu-kill-"));
  pool = new NodesPool(path.join(root, "nodes"));
  context = { pool, stateDir: path.join(root, "state") };
});
afterEach(() => pool.end());

const lines = 600;
const numbers = Array.from({ length: lines }, (_, index) => String(index + 1));

/** Three steps on two nodes; each notes that it ran. `work` waits at a gate in the middle of its output. */
function plan(): Plan {
  const ran = (id: string) => `echo ${id} >> "$HOME/ran"`;
  return planOf(
    ["a", "b"],
    [
      { id: "first", gives: ["WORD"], script: `${ran("first")}; echo '#virtu give WORD hello'` },
      {
        id: "work",
        needs: ["first"],
        check: 'test -f "$HOME/is-there" || exit 1',
        script: `${ran("work")}
seq 1 300
cat "$HOME/gate" > /dev/null
seq 301 ${lines}
echo "$WORD" > "$HOME/is-there"`,
      },
      { id: "last", needs: ["work*"], script: ran("last") },
    ],
  );
}

/** Carries the run in a process of its own until that kills itself. */
const killed = (stopAt: string, id?: string): Promise<void> =>
  untilKilled(bundle, [root, stopAt, ...(id ? [id] : [])], JSON.stringify(plan()));

function gates(): () => Promise<void> {
  for (const node of ["a", "b"]) {
    mkdirSync(pool.homeOf(node), { recursive: true });
    execFileSync("mkfifo", [path.join(pool.homeOf(node), "gate")]);
  }
  return async () => {
    await Promise.all(["a", "b"].map((node) => writeFile(path.join(pool.homeOf(node), "gate"), "")));
  };
}

async function goOn(id: string, open: () => Promise<void>): Promise<void> {
  const handle = await resumeRun(context, id, { pace: { backOff: 5 } });
  const opened = open();
  const view = await handle.done;
  await opened;
  expect(view.state).toBe("done");
  for (const node of ["a", "b"]) {
    expect(pool.file(node, "ran")).toBe("first\nwork\nlast\n");
    expect(pool.file(node, "is-there")).toBe("hello\n");
    expect(await handle.output("work", node, 0, 10_000)).toEqual(numbers);
    expect(view.cells["work"]?.[node]?.lines).toBe(lines);
  }
}

async function onlyRun(): Promise<string> {
  const runs = await listRuns(context);
  expect(runs).toMatchObject([{ state: "interrupted", pid: null }]);
  return runs[0]?.id ?? "";
}

for (const stopAt of ["in-check", "before-start", "after-start", "in-output", "in-output-at-once"]) {
  test(`killed ${stopAt}, it goes on: every script runs once, no line is lost`, async () => {
    const open = gates();
    await killed(stopAt);
    await goOn(await onlyRun(), open);
  });
}

test("killed as a step ended, before that was written down", async () => {
  const open = gates();
  const opened = open();
  await killed("at-end");
  await opened;
  await goOn(await onlyRun(), async () => {
    // The one that was not killed for may wait yet.
    const { constants } = await import("node:fs");
    const { open: openFile } = await import("node:fs/promises");
    for (const node of ["a", "b"]) {
      const gate = path.join(pool.homeOf(node), "gate");
      await openFile(gate, constants.O_WRONLY | constants.O_NONBLOCK).then(
        (handle) => handle.close(),
        () => undefined,
      );
    }
  });
});

test("killed again while it finds out what the first kill has left", async () => {
  const open = gates();
  await killed("before-start");
  const id = await onlyRun();
  await killed("after-claim", id);
  await killed("after-start", id);
  await killed("in-output", id);
  await goOn(id, open);
});

test("killed while it wrote: half a record and half a line of output are nothing", async () => {
  const open = gates();
  await killed("in-output");
  const id = await onlyRun();
  const folder = path.join(context.stateDir, "runs", id);
  appendFileSync(path.join(folder, "journal.jsonl"), '{"at":1,"kind":"end","step":"wo');
  const [name = ""] = readdirSync(path.join(folder, "out", "work.1"));
  appendFileSync(path.join(folder, "out", "work.1", name), "29");
  await goOn(id, open);
  expect(readFileSync(path.join(folder, "journal.jsonl"), "utf8")).not.toContain('"wo{');
});
