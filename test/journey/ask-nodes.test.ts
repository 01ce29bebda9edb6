import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { askNodes } from "../../source/journey/ask-nodes.ts";
import { verifyFindings } from "../../source/journey/install-ganeti-findings.ts";
import type { RunView } from "../../source/journey/plan.ts";
import type { ExecResult, Pool } from "../../source/ssh/types.ts";

const whole = readFileSync(new URL("../../fixtures/node/t13-bare.stdout", import.meta.url), "utf8");
const exited: ExecResult = {
  outcome: "exited",
  status: 0,
  signal: null,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 1,
};

/** A pool whose nodes answer by name, and how many were asked at the same time at most. */
function poolOf(answers: Record<string, Partial<ExecResult> | VirtuError>) {
  const seen = { atOnce: 0, commands: [] as string[] };
  let now = 0;
  const exec: Pool["exec"] = async (host, command) => {
    now += 1;
    seen.atOnce = Math.max(seen.atOnce, now);
    seen.commands.push(command.line);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    const answer = answers[host.name] ?? { stdout: whole };
    if (answer instanceof VirtuError) throw answer;
    return { ...exited, ...answer };
  };
  return { pool: { exec } as Pool, seen };
}
const nodesOf = (...names: string[]) => names.map((name) => ({ name, host: { name } }));

describe("nodes are asked", () => {
  test("once each, a few at a time, with the disks that were named", async () => {
    const { pool, seen } = poolOf({});
    const names = Array.from({ length: 40 }, (_, n) => `n${n}`);
    const { states, failed } = await askNodes({ pool }, nodesOf(...names), { devices: ["/dev/sd b"] });
    expect([...states.keys()].sort()).toEqual([...names].sort());
    expect(failed.size).toBe(0);
    expect(seen.commands).toHaveLength(40);
    expect(seen.atOnce).toBe(12);
    expect(seen.commands[0]).toContain("'/dev/sd b'");
  });

  test("and one that fails, stops in the middle or is not root is told apart", async () => {
    const gone = new VirtuError({ kind: "connection", what: "No way there" });
    const { pool } = poolOf({
      gone,
      cut: { stdout: whole.slice(0, 400), outcome: "lost", status: null },
      late: { stdout: "", outcome: "timeout", status: null },
      user: { stdout: whole.replace(/^@virtu user\n0$/m, "@virtu user\n1000") },
    });
    const told: string[] = [];
    const { states, failed } = await askNodes({ pool }, nodesOf("gone", "cut", "late", "user", "good"), {
      onAnswer: (name, error) => told.push(`${name} ${error?.kind ?? "answers"}`),
    });
    expect([...states.keys()]).toEqual(["good"]);
    expect(told.sort()).toEqual(["cut connection", "gone connection", "good answers", "late timeout", "user usage"]);
    expect(failed.get("user")?.hint).toContain("root@HOST");
  });

  test("until it is cancelled", async () => {
    const { pool } = poolOf({ a: new VirtuError({ kind: "cancelled", what: "Cancelled" }) });
    await expect(askNodes({ pool }, nodesOf("a"), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "cancelled",
    });
  });
});

test("what verify found is read from the output of the node that ran it", async () => {
  const found = readFileSync(new URL("../../fixtures/node/t13-verify-nobridge.stdout", import.meta.url), "utf8");
  const cells = { verify: { node1: { tries: 1 }, node2: { tries: 0 } } } as unknown as RunView["cells"];
  const output = async (_step: string, node: string) => (node === "node1" ? found.split("\n") : ["- ERROR: stale"]);
  const findings = await verifyFindings({ output }, { cells } as RunView);
  expect(findings.map(({ code }) => code)).toEqual(["ENODENET", "ENODEOS", "ENODEOS", ""]);
});
