import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { NodeProgress } from "../../source/journey/types.ts";
import {
  advance,
  conclude,
  type KadeployState,
  macroSteps,
  progressOf,
  startKadeploy,
} from "../../source/tools/kadeploy-progress.ts";

const folder = new URL("../../fixtures/kadeploy/", import.meta.url);
const lines = (name: string) => readFileSync(new URL(name, folder), "utf8").replace(/\n$/, "").split("\n");
const site = "grenoble.grid5000.fr";
const dahu = (...numbers: number[]) => numbers.map((n) => `dahu-${n}.${site}`);

function play(nodes: readonly string[], output: readonly string[], at: number | null = null): KadeployState {
  return output.reduce((state, line) => advance(state, line, at), startKadeploy(nodes, 1000));
}

const of = (state: KadeployState, node: string): NodeProgress =>
  progressOf(state).find((progress) => progress.node === node)!;
const phases = (progress: NodeProgress) => macroSteps.map((step) => progress.phases[step].state);
const upTo = (output: readonly string[], text: string) => output.slice(0, output.indexOf(text) + 1);

describe("Kadeploy 3.3", () => {
  test("a deployment that succeeds", () => {
    const output = lines("success.stdout");
    const nodes = dahu(1, 2, 3);
    const state = play(nodes, output);
    expect(state.workflowId).toBe("D-c8a65a88-b829-43ce-a059-952dc082b7e5");
    expect(progressOf(state).map(({ node, state }) => [node, state])).toEqual(nodes.map((node) => [node, "deployed"]));
    // Read again later, the durations come from the lines themselves.
    const { phases } = of(state, nodes[0]!);
    expect(macroSteps.map((step) => [phases[step].seconds, phases[step].startedAt])).toEqual([
      [16, 1000],
      [9, 1016],
      [11, 1025],
    ]);
  });

  test("what a node does now, live", () => {
    const output = upTo(lines("success.stdout"), "  kexec");
    const now = of(play(dahu(1, 2, 3), output, 1040), dahu(2)[0]!);
    expect(phases(now)).toEqual(["done", "done", "running"]);
    expect(now).toMatchObject({ microStep: "kexec", state: "running", reason: null });
    expect(now.phases["boot-new"].startedAt).toBe(1040);
  });

  test("a failed node goes its own way once the set is split", () => {
    const output = lines("partial-failure.stdout");
    const midway = play(dahu(1, 2, 3), upTo(output, "[1]   format_deploy_part"));
    expect(of(midway, dahu(1)[0]!).microStep).toBe("format_deploy_part");
    expect(of(midway, dahu(3)[0]!).microStep).toBe("format_deploy_part");
    expect(of(midway, dahu(2)[0]!)).toMatchObject({ microStep: "reboot", state: "running" });
    const end = play(dahu(1, 2, 3), output);
    expect(of(end, dahu(2)[0]!)).toMatchObject({ state: "failed", reason: "Unreachable after the reboot" });
    expect(phases(of(end, dahu(2)[0]!))).toEqual(["failed", "pending", "pending"]);
    const { outcome } = conclude(end, { ok: dahu(1, 3), ko: dahu(2), status: 0 });
    expect(outcome).toEqual({
      deployed: dahu(1, 3),
      failed: [
        { node: dahu(2)[0], step: "SetDeploymentEnvUntrusted-wait_reboot", reason: "Unreachable after the reboot" },
      ],
      missing: [],
      refusal: null,
    });
  });

  test("a phase that failed shows as failed until it is tried again", () => {
    const output = lines("partial-failure.stdout");
    const before = play(
      dahu(1, 2, 3),
      upTo(output, `Step Deploy[SetDeploymentEnvUntrusted] failed for ${dahu(2)[0]} after 7s`),
    );
    expect(of(before, dahu(2)[0]!).phases["boot-mini-os"]).toMatchObject({ state: "failed", seconds: 7 });
    const after = play(dahu(1, 2, 3), upTo(output, "[2]   switch_pxe"));
    expect(of(after, dahu(2)[0]!).phases["boot-mini-os"].state).toBe("running");
  });

  test("every node failed, with status 0", () => {
    const state = play(dahu(1, 2, 3), lines("total-failure.stdout"));
    const { outcome } = conclude(state, { ok: [], ko: dahu(1, 2, 3), status: 0 });
    expect(outcome.deployed).toEqual([]);
    expect(outcome.failed).toHaveLength(3);
    expect(outcome.refusal).toBeNull();
  });

  test("two clusters, sets of sets, and another way to boot after a failure", () => {
    const troll = [1, 2].map((n) => `troll-${n}.${site}`);
    const nodes = [...dahu(4), ...troll];
    const output = lines("multicluster.stdout");
    const midway = play(nodes, upTo(output, "[c2.2]   kexec"));
    expect(of(midway, troll[1]!)).toMatchObject({ state: "deployed" });
    expect(of(midway, troll[0]!)).toMatchObject({ microStep: "kexec", state: "running" });
    expect(of(midway, dahu(4)[0]!)).toMatchObject({ microStep: "wait_reboot", state: "running" });
    const { outcome } = conclude(play(nodes, output), { ok: nodes, ko: [], status: 0 });
    expect(outcome.deployed).toEqual(nodes);
    expect(progressOf(play(nodes, output)).every((node) => node.state === "deployed")).toBe(true);
  });

  test("a node in another deployment is missing, with the reason", () => {
    const state = play(dahu(1, 2), lines("partly-discarded.stdout"));
    const { state: end, outcome } = conclude(state, { ok: dahu(2), ko: [], status: 0 });
    expect(outcome).toMatchObject({ deployed: dahu(2), failed: [], missing: dahu(1), refusal: null });
    expect(of(end, dahu(1)[0]!)).toMatchObject({ state: "missing", reason: "in use by another deployment" });
  });

  test("the status that ENTER prints between the lines changes nothing", () => {
    const state = play(dahu(1, 2), lines("tty-status.stdout"));
    const { outcome } = conclude(state, { ok: dahu(1), ko: dahu(2), status: 0 });
    expect(outcome.failed).toEqual([
      { node: dahu(2)[0], step: "SetDeploymentEnvUntrusted-wait_reboot", reason: "Unreachable" },
    ]);
    expect(state.strange).toEqual([]);
  });

  test.each([1, 2, 4, 5])("verbosity %i", (level) => {
    const state = play(dahu(3), lines(`verbosity-${level}.stdout`));
    expect(of(state, dahu(3)[0]!).state).toBe("deployed");
    expect(state.strange).toEqual([]);
  });

  test("several servers: the name before each line is padded to ten columns", () => {
    const prefixed = (name: string, output: string[]) => output.map((line) => `[${name}] `.padEnd(10) + line);
    const lyon = ["taurus-1.lyon.grid5000.fr"];
    const output = [
      ...prefixed("grenoble", upTo(lines("verbosity-4.stdout"), "  reboot")),
      ...prefixed("lyon", [
        `Launching a deployment on ${lyon[0]}`,
        "Performing a Deploy[SetDeploymentMiniOSUntrusted] step",
        "  switch_pxe",
      ]),
    ];
    const state = play([...dahu(3), ...lyon], output);
    expect(of(state, dahu(3)[0]!)).toMatchObject({ microStep: "reboot", state: "running" });
    expect(of(state, lyon[0]!)).toMatchObject({ microStep: "switch_pxe", state: "running" });
  });

  test("a reason of several lines", () => {
    const state = play(dahu(1, 2), [
      "The deployment failed on nodes",
      `${dahu(1)[0]} (BroadcastEnvKascade-send_environment: tar: short read`,
      "gzip: unexpected end of file)",
      `${dahu(2)[0]} (BroadcastEnvKascade-send_environment: No space left)`,
    ]);
    expect(of(state, dahu(1)[0]!).reason).toBe("tar: short read gzip: unexpected end of file");
    expect(of(state, dahu(2)[0]!).reason).toBe("No space left");
  });
});

describe("a deployment that does not take place", () => {
  test.each([
    ["rights", 6, /no right to deploy/],
    ["all-discarded", 14, /another deployment already/],
    ["no-environment", 1, /no such environment/],
    ["no-environment-chosen", 1, /no environment is chosen/],
    ["unknown-node", 1, /does not know one of the nodes/],
    ["no-image", 1, /file can't be read/],
    ["no-key", 1, /file can't be read/],
    ["bad-option", 1, /does not know an option/],
    ["unreachable", 1, /server does not answer/],
  ])("%s", (name, status, why) => {
    const text = lines(`error-${name}.stderr`);
    const { state, outcome } = conclude(play(dahu(1, 2), text), { ok: [], ko: [], status });
    expect(outcome.missing).toEqual(dahu(1, 2));
    expect(outcome.refusal?.why).toMatch(why);
    expect(outcome.refusal?.detail).toContain(text[0]);
    expect(of(state, dahu(1)[0]!)).toMatchObject({ state: "missing", reason: outcome.refusal?.why });
  });

  test("cancelled by Ctrl-C", () => {
    const state = play(dahu(3, 4), lines("interrupted.stdout"));
    const { outcome } = conclude(state, { ok: [], ko: [], status: 1 });
    expect(outcome.refusal?.why).toBe("it was cancelled");
  });

  test("killed on the frontend: Kadeploy itself goes on", () => {
    const state = play(dahu(1), upTo(lines("success.stdout"), "  switch_pxe"));
    const { outcome } = conclude(state, { ok: [], ko: [], status: 143 });
    expect(outcome.refusal).toMatchObject({ why: expect.stringContaining("signal 15") });
    expect(outcome.refusal?.hint).toMatch(/carries such a deployment on/);
  });
});

describe("Kadeploy 3.1, of 2012", () => {
  const griffon = [1, 2].map((n) => `griffon-${n}.nancy.grid5000.fr`);

  test("its own lines", () => {
    const output = lines("2012-deploy.stdout");
    const midway = play(griffon, upTo(output, `(1)   >>>  ${griffon[0]}`));
    expect(of(midway, griffon[0]!)).toMatchObject({ microStep: "create_partition_table", state: "running" });
    expect(of(midway, griffon[1]!)).toMatchObject({ microStep: "wait_reboot" });
    const end = play(griffon, output);
    expect(of(end, griffon[0]!).state).toBe("deployed");
    expect(of(end, griffon[1]!)).toMatchObject({ state: "failed", reason: "Not reachable after the reboot" });
    const { outcome } = conclude(end, { ok: [griffon[0]!], ko: [griffon[1]!], status: 0 });
    expect(outcome.failed).toEqual([
      { node: griffon[1], step: "wait_reboot", reason: "Not reachable after the reboot" },
    ]);
  });

  test("a phase ends when the next begins", () => {
    const output = [
      "Launching a deployment ...",
      "Performing a SetDeploymentEnvUntrusted step on the nodes: griffon-[1-2].nancy.grid5000.fr",
      "Performing a BroadcastEnvKastafior step on the nodes: griffon-[1-2].nancy.grid5000.fr",
    ];
    const state = output.reduce(
      (state, line, index) => advance(state, line, 1000 + 60 * index),
      startKadeploy(griffon, 1000),
    );
    expect(of(state, griffon[0]!).phases["boot-mini-os"]).toEqual({ state: "done", seconds: 60, startedAt: 1060 });
    expect(phases(of(state, griffon[0]!))).toEqual(["done", "running", "pending"]);
  });

  test("errors are on standard output", () => {
    const { outcome } = conclude(play(griffon, ["ERROR: You must choose an environment", "---"]), {
      ok: [],
      ko: [],
      status: 1,
    });
    expect(outcome.refusal?.why).toBe("no environment is chosen");
  });
});

describe("any beginning of any output", () => {
  const nodes = [
    ...dahu(1, 2, 3, 4),
    ...[1, 2].map((n) => `troll-${n}.${site}`),
    ...[1, 2].map((n) => `griffon-${n}.nancy.grid5000.fr`),
  ];
  const order = { pending: 0, running: 1, failed: 1, done: 2 };

  function expectSane(state: KadeployState): void {
    const progress = progressOf(state);
    expect(progress.map(({ node }) => node)).toEqual(nodes);
    for (const node of progress) {
      const states = phases(node) as (keyof typeof order)[];
      // No phase is ahead of the one before it.
      for (let n = 1; n < states.length; n += 1) {
        if (order[states[n]!] > 0) expect(states[n - 1]).toBe("done");
      }
      if (node.state === "deployed") expect(states).toEqual(["done", "done", "done"]);
      if (node.state === "pending") expect(states).toEqual(["pending", "pending", "pending"]);
      if (node.state === "failed" || node.state === "missing") expect(node.reason).toBeTruthy();
      for (const { startedAt, seconds } of Object.values(node.phases)) {
        if (startedAt !== null) expect(startedAt).toBeGreaterThanOrEqual(1000);
        if (seconds !== null) expect(seconds).toBeGreaterThanOrEqual(0);
      }
    }
  }

  test.each(readdirSync(folder).filter((name) => /\.std/.test(name)))("%s", (name) => {
    let state = startKadeploy(nodes, 1000);
    for (const line of lines(name)) {
      state = advance(state, line, null);
      expectSane(state);
      const { state: end, outcome } = conclude(state, { ok: nodes.slice(0, 2), ko: nodes.slice(2, 3), status: 0 });
      expectSane(end);
      expect([...outcome.deployed, ...outcome.failed.map(({ node }) => node), ...outcome.missing].sort()).toEqual(
        [...nodes].sort(),
      );
    }
  });
});
