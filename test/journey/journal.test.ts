import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Journal, parseJournal, readJournal } from "../../source/journey/journal.ts";
import { factsFrom, learn, valuesFor } from "../../source/journey/run-model.ts";
import { problemOf, schedule } from "../../source/journey/run-schedule.ts";
import { planOf } from "./plans.ts";

let file: string;
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(os.tmpdir(), "virtu-journal-")), "journal.jsonl");
});

const first = { kind: "run", version: 1, id: "r" } as const;

describe("a journal", () => {
  test("keeps records in the order they came, also many at once", async () => {
    const { journal } = await Journal.open(file, () => 5);
    const kept = [journal.append(first)];
    for (let n = 0; n < 100; n += 1)
      kept.push(journal.append({ kind: "start", step: "s", node: `n${n}`, try: 1, remote: null }));
    await Promise.all(kept.map((one) => one.kept));
    const records = await readJournal(file);
    expect(records[0]).toEqual({ at: 5, ...first });
    expect(records.slice(1).map((record) => "node" in record && record.node)).toEqual(
      Array.from({ length: 100 }, (_, n) => `n${n}`),
    );
    await journal.close();
  });

  test("is on disk once it says so", async () => {
    const { journal } = await Journal.open(file, () => 5);
    await journal.append(first).kept;
    expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify({ at: 5, ...first })}\n`);
    await journal.close();
  });

  const whole = `${JSON.stringify({ at: 1, ...first })}\n`;
  test.each([
    ["half a record", '{"at":2,"kind":"st'],
    ["a record without its newline", JSON.stringify({ at: 2, kind: "over", state: "done" })],
    ["what a disk leaves after a power cut", "\0\0\0\0\n"],
    ["half a character", Buffer.from("é").subarray(0, 1).toString("latin1")],
  ])("takes %s at its end for nothing, and goes on after it", async (_, rest) => {
    writeFileSync(file, whole + rest, "latin1");
    const { journal, records } = await Journal.open(file, () => 9);
    expect(records).toHaveLength(1);
    await journal.append({ kind: "over", state: "done" }).kept;
    await journal.close();
    expect((await readJournal(file)).map(({ kind, at }) => [kind, at])).toEqual([
      ["run", 1],
      ["over", 9],
    ]);
  });

  test("with damage in the middle is not guessed at", () => {
    expect(() => parseJournal(`${whole}nonsense\n${whole}`, "j")).toThrow(/j:2/);
  });
});

describe("what records make of a run", () => {
  const plan = planOf(
    ["a", "b"],
    [
      { id: "x", gives: ["V"] },
      { id: "y", needs: ["x*"] },
    ],
  );
  const end = (node: string, ok: boolean, more = {}) =>
    ({ at: 2, kind: "end", step: "x", node, ok, status: ok ? 0 : 1, text: "", gives: {}, ...more }) as const;

  test("a start without an end has to be looked at, one that never came to run has not", () => {
    const facts = factsFrom(plan, [{ at: 1, kind: "start", step: "x", node: "a", try: 1, remote: "x.1" }]);
    const cell = facts.cells.get("x")?.get("a");
    expect(cell).toMatchObject({ state: "started", unknown: true, remote: "x.1", tries: 1 });
    learn(facts, { at: 2, kind: "void", step: "x", node: "a", remote: "x.1" });
    expect(cell).toMatchObject({ state: "pending", unknown: false, tries: 1 });
  });

  test("retried, a step whose end nobody knows is looked at before it is started again", () => {
    const facts = factsFrom(plan, [
      { at: 1, kind: "start", step: "x", node: "a", try: 1, remote: "x.1" },
      end("a", false, { unknown: true }),
      { at: 3, kind: "decision", decision: { do: "retry", step: "x", nodes: ["a"] }, by: "user" },
    ]);
    expect(facts.cells.get("x")?.get("a")).toMatchObject({ state: "started", remote: "x.1", unknown: true });
  });

  test("a failed node blocks what needs all nodes, until it is out", () => {
    const facts = factsFrom(plan, [end("a", true), end("b", false)]);
    expect(schedule(facts).ready).toEqual([]);
    expect([...schedule(facts).blocked]).toEqual(["y a", "y b"]);
    expect(problemOf(facts, schedule(facts).failed)).toContain("Step x failed on b");
    learn(facts, { at: 3, kind: "decision", decision: { do: "leave-out", nodes: ["b"] }, by: "user" });
    expect(schedule(facts).ready.map(({ step, node }) => `${step.id} ${node.name}`)).toEqual(["y a"]);
  });

  test("a node's own value goes before another's", () => {
    const facts = factsFrom(plan, [end("a", true, { gives: { V: "1" } })]);
    expect(valuesFor(facts, "b").get("V")).toBe("1");
    learn(facts, end("b", true, { gives: { V: "2" } }));
    expect(valuesFor(facts, "a").get("V")).toBe("1");
    expect(valuesFor(facts, "b").get("V")).toBe("2");
  });
});
