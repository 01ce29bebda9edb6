import { describe, expect, it } from "vitest";
import type { RunView } from "../../source/journey/plan.ts";
import { cellText } from "../../source/ui/screens/run-cell.ts";
import { nextTrouble, placeOf } from "../../source/ui/screens/run-cursor.ts";
import { countsRow, geometry, matrixRow, nodeHeads, nodeMap } from "../../source/ui/screens/run-matrix.ts";
import {
  countStates,
  countsText,
  runLine,
  runShare,
  stepNumber,
  troubleLine,
} from "../../source/ui/screens/run-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi } from "./harness.tsx";
import { cellOf, failure, handleOf, nodeNames, now, runOf, summaryOf } from "./run-fakes.ts";

const bare = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");

/** The run's screen over a fake handle. */
function watching(run: RunView, options: { columns?: number; rows?: number } = {}) {
  const handle = handleOf(run);
  const ui = openUi({
    place: { screen: "runs" },
    above: [{ screen: "run", id: run.id }],
    clock: () => now,
    ...options,
    journeys: {
      listRuns: async () => [summaryOf(run)],
      resumeRun: async (_context, _id, given) => {
        handle.onView = given?.onView ?? (() => {});
        return handle;
      },
    },
  });
  return { ui, handle };
}

const four = runOf(nodeNames(4));
const many = runOf(nodeNames(200));

describe("a cell", () => {
  it("says its state by a symbol and a word or a time", () => {
    expect(bare(cellText(cellOf("already"), 12, now))).toBe("✓ already   ");
    expect(bare(cellText(cellOf("done"), 12, now))).toBe("✓ 1:12      ");
    expect(bare(cellText(cellOf("done", { text: "sda5" }), 12, now))).toBe("✓ sda5      ");
    expect(bare(cellText(failure(), 12, now))).toBe("✗ exit 100  ");
    expect(bare(cellText(failure({ status: null }), 12, now))).toBe("✗ failed    ");
    expect(bare(cellText(cellOf("lost"), 12, now))).toBe("? lost 1:12 ");
    expect(bare(cellText(cellOf("running", { startedAt: now - 4000 }), 12, now))).toBe("◐ 0:04      ");
    expect(bare(cellText(cellOf("left-out"), 12, now))).toBe("– left out  ");
    expect(bare(cellText(undefined, 12, now))).toBe("–           ");
  });

  it("draws apt's progress as a bar of its own width, whatever apt says", () => {
    for (const share of [0, 0.42, 1, 1.7, -1]) {
      const text = cellText(cellOf("running", { share }), 12, now);
      expect(widthOf(text)).toBe(12);
      expect(bare(text)).toMatch(/^◐ [━╸─]{5} *\d+% $/);
    }
    expect(bare(cellText(cellOf("running", { share: 0.42 }), 12, now))).toContain("42%");
  });
});

describe("a run in text", () => {
  it("puts names over columns: whole if they fit, else what tells them apart under what they share", () => {
    expect(nodeHeads(["paravance-11.rennes.org", "paravance-12.rennes.org"], 12)).toEqual([
      ["paravance-11", "paravance-12"],
    ]);
    expect(nodeHeads(["paravance-11", "parasilo-4"], 11)).toEqual([
      ["paravance- ", "parasilo-  "],
      ["11         ", "4          "],
    ]);
  });

  it("keeps every row of the matrix within its columns, at any size", () => {
    for (const n of [1, 4, 20, 200]) {
      const run = runOf(nodeNames(n));
      for (const width of [58, 78, 198]) {
        const layout = geometry(run, width);
        const nodes = nodeNames(n).slice(0, layout.fit);
        run.plan.steps.forEach((_, index) => {
          const row = matrixRow(run, index, layout, nodes, { step: "packages", node: nodes[0] ?? "" }, now);
          expect(widthOf(row)).toBeLessThanOrEqual(width);
          expect(widthOf(countsRow(run, index, layout, width, false, now))).toBeLessThanOrEqual(width);
        });
        expect(widthOf(runLine(run, width, now))).toBeLessThanOrEqual(width);
      }
    }
  });

  it("counts states worst first, and drops the words of the best when room is short", () => {
    const cells = Object.values(many.cells["packages"] ?? {}).map((view) => ({ view }));
    expect(countStates(cells)).toEqual([
      ["failed", 20],
      ["done", 180],
    ]);
    expect(bare(countsText(countStates(cells), 40)).trimEnd()).toBe("20 ✗ failed  180 ✓ done");
    expect(bare(countsText(countStates(cells), 18)).trimEnd()).toBe("20 ✗ failed  180 ✓");
  });

  it("weighs steps by the time they take, and is whole only when the run says so", () => {
    const share = runShare(four, now);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
    expect(runShare({ ...four, state: "done" }, now)).toBe(1);
    expect(stepNumber(four)).toBe(6);
  });

  it("goes from failure to failure, round and round", () => {
    const first = placeOf(many);
    expect(first).toEqual({ step: "packages", node: nodeNames(200)[2] });
    const second = nextTrouble(many, first?.step ?? null, first?.node ?? null);
    expect(second).toEqual({ step: "packages", node: nodeNames(200)[12] });
    expect(nextTrouble(many, "packages", nodeNames(200)[192] ?? "")).toEqual(first);
    expect(nextTrouble(runOf(nodeNames(2)), null, null)).toBeNull();
  });

  it("tells lost nodes from failed ones", () => {
    const cells = { ...four.cells, bridge: { [nodeNames(4)[0] as string]: cellOf("lost") }, packages: {} };
    expect(troubleLine({ ...four, cells })).toContain("can't be reached; what runs there goes on");
    expect(troubleLine(four)).toContain("1 node stands still");
  });

  it("maps each node of a step, the selected one always among the lines", () => {
    const step = many.plan.steps[1] as (typeof many.plan.steps)[number];
    const map = nodeMap(many, step, nodeNames(200)[150] ?? "", 50, 2);
    expect(map).toHaveLength(2);
    expect(map.some((line) => line.includes("\u001b[7m"))).toBe(true);
    expect(map.every((line) => widthOf(line) <= 50)).toBe(true);
  });
});

describe("the run's screen", () => {
  it.each([
    [1, 80, 24],
    [4, 80, 24],
    [200, 80, 24],
    [1, 200, 50],
    [4, 200, 50],
    [200, 200, 50],
    [7, 60, 16],
  ])("shows %i nodes at %i×%i: all steps, and no line too long", async (n, columns, rows) => {
    const { ui } = watching(runOf(nodeNames(n)), { columns, rows });
    const lines = await ui.waitFor(/step \d of 11/);
    expect(lines).toHaveLength(rows);
    const text = lines.join("\n");
    expect(text).toContain("STEP");
    expect(text).toContain("paravance-1");
    expect(lines[rows - 1]).toContain("? help");
    // The frame of the output is closed: nothing under it was pushed off the screen.
    expect(text).toMatch(/└─+┘/);
  });

  it("has a column for each node with its reason and its last lines under them", async () => {
    const { ui } = watching(four);
    const text = (await ui.waitFor("line 39 of the output")).join("\n");
    expect(text).toContain("❯ 2 packages");
    expect(text).toMatch(/packages .*✓ 1:12 .*✓ 1:12 .*✗ exit 100 .*✓ 1:12/);
    expect(text).toContain("┌ paravance-13 · packages · ✗ exit 100 · 0:31");
    expect(text).toContain("E: Could not get lock");
    expect(text).toContain("✗ 1 node stands still");
    expect(text).toMatch(/cluster init .*· .*– .*– .*–/);
  });

  it("counts many nodes by step, and turns to columns and back", async () => {
    const { ui } = watching(many);
    await ui.waitFor("20 ✗ failed  180 ✓ done");
    await ui.press("v");
    await ui.waitFor(/STEP +paravance-11/);
    await ui.press("v");
    await ui.waitFor("NODES, worst first");
  });

  it("moves by cell, scrolls over nodes that have no room, and comes to the next failure", async () => {
    const { ui } = watching(many);
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press("v");
    await ui.press(keys.down, keys.right);
    await ui.waitFor("┌ paravance-14 · hosts file · ✓ done");
    await ui.press(keys.right, keys.right, keys.right);
    await ui.waitFor(/STEP +paravance-14 +paravance-15 +paravance-16 +paravance-17/);
    await ui.press("n");
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press("n");
    await ui.waitFor("┌ paravance-23 · packages");
  });

  it("stays where it is put while the run goes on, and follows it until then", async () => {
    const { ui, handle } = watching(runOf(nodeNames(2)));
    await ui.waitFor("❯ 6 bridge");
    const moved = (step: string): RunView => {
      const run = runOf(nodeNames(2));
      const node = nodeNames(2)[0] as string;
      return { ...run, cells: { ...run.cells, bridge: {}, [step]: { [node]: cellOf("running") } } };
    };
    handle.show(moved("cluster"));
    await ui.waitFor("❯ 7 cluster init");
    await ui.press(keys.up);
    await ui.waitFor("❯ 6 bridge");
    handle.show(moved("verify"));
    await ui.waitFor(/11 cluster verify +◐/);
    expect(ui.screen().join("\n")).toContain("❯ 6 bridge");
  });

  it("decides: retry here, retry all, skip, pause, go on", async () => {
    const { ui, handle } = watching(many);
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press("r", "R", "s", "p");
    const failed = nodeNames(200).filter((_, index) => index % 10 === 2);
    expect(handle.decided).toEqual([
      { do: "retry", step: "packages", nodes: [failed[0]] },
      { do: "retry", step: "packages", nodes: failed },
      { do: "skip", step: "packages", nodes: [failed[0]] },
      { do: "pause" },
    ]);
    handle.show({ ...many, state: "paused" });
    await ui.waitFor("Paused:");
    // The footer names what the key does now.
    await ui.waitFor(/p go on {2}/);
    await ui.press("p");
    expect(handle.decided.at(-1)).toEqual({ do: "go-on" });
  });

  it("refuses to retry what did not fail, and says where to go", async () => {
    const { ui, handle } = watching(four);
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press(keys.left, "r");
    await ui.waitFor("this step did not fail on this node");
    expect(handle.decided).toEqual([]);
  });

  it("leaves nodes out after a question only, one or all that failed", async () => {
    const { ui, handle } = watching(many);
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press("o");
    await ui.waitFor("Go on without paravance-13?");
    await ui.press("2", keys.enter);
    await ui.waitFor("┌ paravance-13 · packages");
    expect(handle.decided).toEqual([]);
    await ui.press("o", keys.down, keys.down, keys.enter);
    expect(handle.decided).toEqual([{ do: "leave-out", nodes: nodeNames(200).filter((_, index) => index % 10 === 2) }]);
  });

  it("cancels after a question that names what is stopped", async () => {
    const { ui, handle } = watching(four);
    await ui.waitFor("┌ paravance-13 · packages");
    await ui.press("c");
    await ui.waitFor("bridge xen-br0: stopped on paravance-[11-12,14]");
    await ui.press(keys.enter);
    expect(handle.decided).toEqual([]);
    await ui.press("c", keys.down, keys.enter);
    expect(handle.decided).toEqual([{ do: "cancel" }]);
  });

  it("offers what comes next when it is done, and shows the hosts there", async () => {
    const { ui, handle } = watching({ ...four, plan: { ...four.plan, kind: "configure" } });
    await ui.waitFor("step 6 of 11");
    await ui.press("e");
    expect(ui.navigation.here().screen).toBe("run");
    handle.finish("done");
    await ui.waitFor("Done. e goes on to the nodes");
    expect(ui.screen().join("\n")).toContain("100 %");
    await ui.press("e");
    expect(ui.navigation.here().screen).toBe("nodes");
  });

  it("shows the plan with every command of the run", async () => {
    const { ui } = watching(four);
    await ui.waitFor("step 6 of 11");
    await ui.press("d");
    await ui.waitFor("touch /run/sources");
    await ui.press("/", "bridge", keys.enter);
    await ui.waitFor("touch /run/bridge");
    expect(ui.screen().join("\n")).not.toContain("touch /run/sources");
  });

  it("says why a run can't be opened, and tries again on r", async () => {
    let tries = 0;
    const ui = openUi({
      place: { screen: "run", id: "x" },
      journeys: {
        resumeRun: () => {
          tries += 1;
          return Promise.reject(new Error("the journal is gone"));
        },
      },
    });
    await ui.waitFor("the journal is gone");
    await ui.press("r");
    await ui.waitFor("the journal is gone");
    expect(tries).toBe(2);
  });
});

describe("the output of a step", () => {
  const node = nodeNames(4)[2] as string;
  const long = (lines: number): RunView => ({
    ...four,
    cells: { ...four.cells, packages: { ...four.cells["packages"], [node]: cellOf("running", { lines }) } },
  });

  /** Opens the output over the run. */
  async function reading(lines: number, columns = 80, rows = 24) {
    const { ui, handle } = watching(long(lines), { columns, rows });
    await ui.waitFor(/step \d of 11/);
    ui.navigation.open({ screen: "run-output", id: four.id, step: "packages", node });
    await ui.waitFor(`of ${lines}`);
    return { ui, handle };
  }

  it("follows the end, holds while one scrolls, follows again", async () => {
    const { ui, handle } = await reading(5000);
    await ui.waitFor("line 4999 of the output");
    handle.show(long(5300));
    await ui.waitFor("line 5299 of the output");
    await ui.press(keys.up);
    await ui.waitFor("line 5283 of the output");
    handle.show(long(6000));
    await ui.waitFor("of 6000");
    expect(ui.screen().join("\n")).not.toContain("line 5999");
    await ui.press("f");
    await ui.waitFor("line 5999 of the output");
    await ui.press(keys.home);
    await ui.waitFor(/line 0 of the output/);
  });

  it("reads only what is shown, of a million lines too", async () => {
    const { ui, handle } = await reading(1_000_000);
    await ui.waitFor("line 999999 of the output");
    await ui.press(keys.home, keys.pageDown, keys.pageDown, keys.end);
    await ui.waitFor("line 999999 of the output");
    expect(Math.max(...handle.reads.map(([, count]) => count))).toBeLessThan(50);
  });

  it("finds what is not shown, forth and back, and what comes later", async () => {
    const { ui, handle } = await reading(5000);
    await ui.press("/", "line 1234", keys.enter);
    await ui.waitFor("1 found");
    await ui.press("n");
    await ui.waitFor("line 1234 of the output");
    handle.show(long(20_000));
    await ui.waitFor("of 11 found");
    await ui.press("n");
    await ui.waitFor("line 12340 of the output");
    await ui.press("N");
    await ui.waitFor("line 1234 of the output");
    await ui.press(keys.esc);
    await ui.waitFor("Kept in");
  });

  it("shows long lines to their ends", async () => {
    const handle = handleOf(long(3), (line) => (line === 1 ? `${"a".repeat(70)} reason: ${"z".repeat(60)}!` : "short"));
    const ui = openUi({
      place: { screen: "run", id: four.id },
      clock: () => now,
      journeys: { resumeRun: async () => handle },
    });
    await ui.waitFor("step 6 of 11");
    ui.navigation.open({ screen: "run-output", id: four.id, step: "packages", node });
    await ui.waitFor(/^ a{70} reas/m);
    await ui.press(keys.right);
    await ui.waitFor(/^ a{31} reason: z+…$/m);
    await ui.waitFor("from column 40");
    await ui.press(keys.right);
    await ui.waitFor(/^ +z+!$/m);
    // There is nothing further right.
    await ui.press(keys.right);
    await ui.waitFor("no line goes on to the right");
    await ui.press(keys.left, keys.left);
    await ui.waitFor(/^ a{70} reas/m);
  });

  it("copies the command that prints all of it", async () => {
    const { ui } = await reading(10);
    await ui.press("y");
    expect(ui.copied).toEqual([`virtu runs ${four.id} --output packages ${node}`]);
  });

  it("keeps control sequences of a node off the screen", async () => {
    const handle = handleOf(long(1), () => "\u001b[2Jgone\u0007");
    const ui = openUi({
      place: { screen: "run", id: four.id },
      clock: () => now,
      journeys: { resumeRun: async () => handle },
    });
    await ui.waitFor("step 6 of 11");
    ui.navigation.open({ screen: "run-output", id: four.id, step: "packages", node });
    await ui.waitFor(/^ gone$/m);
  });
});

it("a leads from a finished installation to the five steps on its host, over its instances", async () => {
  const done: RunView = { ...four, state: "done", endedAt: now, out: nodeNames(4).slice(0, 1), problem: null };
  const { ui } = watching(done);
  await ui.workspace.runs.open(done.id);
  await ui.waitFor("a makes an instance");
  await ui.press("a");
  await ui.waitFor("▸ create");
  expect(ui.navigation.here()).toEqual({ screen: "create", host: four.plan.nodes[1]?.host.name });
  await ui.press(keys.esc);
  await ui.waitFor("▸ instances");
});
