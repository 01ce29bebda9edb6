import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planConfigure } from "../../source/journey/configure.ts";
import {
  jobKeyPair,
  keptSecret,
  makeKeyPair,
  makePassword,
  ownPrivateKey,
  passwordMark,
} from "../../source/journey/configure-keys.ts";
import type { ConfigureRequest } from "../../source/journey/configure-types.ts";
import type { Plan } from "../../source/journey/plan.ts";
import type { NodeState } from "../../source/tools/node-state.ts";
import { parseNodeState } from "../../source/tools/node-state-parse.ts";

const answer = readFileSync(new URL("../../fixtures/node/t13-bare.stdout", import.meta.url), "utf8");
const clock = Number(/^@virtu clock\n(\d+)/m.exec(answer)?.[1]);

/** A bare node with another number in its names and addresses. */
const nodeState = (n: number, change: Partial<NodeState> = {}): NodeState => ({
  ...parseNodeState(answer.replaceAll("node1", `node${n}`).replaceAll("192.168.77.11", `192.168.77.1${n}`), clock),
  ...change,
});
const nodes = [1, 2].map((n) => ({ name: `node${n}`, host: { name: `node${n}` } }));
const states = (one: Partial<NodeState> = {}) =>
  new Map([
    ["node1", nodeState(1, one)],
    ["node2", nodeState(2)],
  ]);
const request = (change: Partial<ConfigureRequest> = {}): ConfigureRequest => ({
  site: null,
  jobId: null,
  nodes,
  minimum: 2,
  publicKeys: [],
  pair: null,
  copyKey: null,
  upgrade: false,
  password: null,
  timezone: null,
  locale: null,
  extras: [],
  ...change,
});
const ids = (plan: Plan) => plan.steps.map(({ id }) => id);
const stepOf = (plan: Plan, id: string) => plan.steps.find((step) => step.id === id)!;

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "virtu-keys-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the plan", () => {
  test("holds only what was asked for and what a node lacks", () => {
    expect(ids(planConfigure(request(), states()))).toEqual(["hosts", "known-hosts"]);
    const all = planConfigure(
      request({
        publicKeys: ["ssh-ed25519 AAAAyou you"],
        pair: makeKeyPair("x"),
        copyKey: { fileName: "id_rsa", publicKey: "ssh-rsa AAAAmine me" },
        upgrade: true,
        password: { mark: "ab" },
        timezone: "Europe/Paris",
        locale: "fr_FR.UTF-8",
        extras: [
          { title: "one", script: "true" },
          { title: "two", script: "false" },
        ],
      }),
      states({ hostname: "localhost", fullName: "localhost", clockAheadSeconds: -3600 }),
    );
    expect(ids(all)).toEqual([
      ..."host-name hosts clock let-in key-pair known-hosts copy-key repair lists upgrade locales password timezone locale extra-1 extra-2".split(
        " ",
      ),
    ]);
    expect(Object.keys(stepOf(all, "host-name").cells)).toEqual(["node1"]);
    expect(Object.keys(stepOf(all, "clock").cells)).toEqual(["node1"]);
    expect(stepOf(all, "clock").cells["node1"]?.script).toContain("- -3600");
  });

  test("names only steps that it has, in an order in which they may run", () => {
    const plan = planConfigure(
      request({
        upgrade: true,
        extras: [
          { title: "a", script: "a" },
          { title: "b", script: "b" },
        ],
      }),
      states(),
    );
    const seen = new Set<string>();
    for (const { id, needs } of plan.steps) {
      for (const need of needs) expect(seen).toContain(need.step);
      seen.add(id);
    }
    expect(stepOf(plan, "extra-2").needs).toEqual([{ step: "extra-1", on: "this-node" }]);
    expect(stepOf(plan, "extra-1").needs.map(({ step }) => step)).toEqual([
      "hosts",
      "known-hosts",
      "repair",
      "lists",
      "upgrade",
    ]);
  });

  test("holds no secret: what takes one reads it, and is kept nowhere on the node", () => {
    const pair = makeKeyPair("x");
    const plan = planConfigure(request({ pair, password: { mark: "ab" } }), states());
    expect(JSON.stringify(plan)).not.toContain(pair.privateKey.split("\n")[1]);
    for (const id of ["key-pair", "password"]) expect(stepOf(plan, id)).toMatchObject({ detached: false });
    expect(stepOf(plan, "key-pair").secret).toBe("job-key");
    expect(stepOf(plan, "password").secret).toBe("root-password");
    expect(stepOf(plan, "hosts")).toMatchObject({ detached: true, secret: null });
  });

  test("leaves a node its own key, and lets it in by that", () => {
    const own = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOWN root@node1";
    const plan = planConfigure(request({ pair: makeKeyPair("x") }), states({ ownKey: own }));
    expect(Object.keys(stepOf(plan, "key-pair").cells)).toEqual(["node2"]);
    expect(stepOf(plan, "let-in").cells["node2"]?.script).toContain("AAAAC3NzaC1lZDI1NTE5AAAAIOWN");
  });

  test("goes on without nodes that were not asked", () => {
    const plan = planConfigure(request(), new Map([["node2", nodeState(2)]]));
    expect(plan.nodes.map(({ name }) => name)).toEqual(["node2"]);
    expect(Object.keys(stepOf(plan, "hosts").cells)).toEqual(["node2"]);
  });
});

describe("key pairs", () => {
  test("are such as ssh-keygen reads", () => {
    for (const comment of ["a", "virtu-site-1874", "seven b"]) {
      const pair = makeKeyPair(comment);
      const file = path.join(directory, "key");
      writeFileSync(file, pair.privateKey, { mode: 0o600 });
      const said = spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
      expect(said).toMatchObject({ status: 0, stdout: `${pair.publicKey}\n` });
    }
  });

  test("are made once for a job, and readable by the user alone", async () => {
    const context = { stateDir: directory };
    const pair = await jobKeyPair(context, "rennes", 7);
    expect(await jobKeyPair(context, "rennes", 7)).toEqual(pair);
    expect((await jobKeyPair(context, "rennes", 8)).publicKey).not.toBe(pair.publicKey);
    const file = path.join(directory, "jobs", "rennes", "7", "id_ed25519");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await keptSecret(context, { site: "rennes", jobId: 7 }, "job-key")).toBe(pair.privateKey);
    expect(await keptSecret(context, { site: "rennes", jobId: 7 }, "root-password")).toBeNull();
    await jobKeyPair(context, "../..", 7);
    expect(existsSync(path.join(directory, "jobs", "..%2F..", "7", "id_ed25519"))).toBe(true);
  });

  test("of the user's are copied with their public half only", async () => {
    const pair = makeKeyPair("me");
    const file = path.join(directory, "id_mine");
    writeFileSync(file, pair.privateKey);
    await expect(ownPrivateKey(file)).rejects.toMatchObject({ kind: "usage", hint: "Make it with ssh-keygen -y." });
    writeFileSync(`${file}.pub`, `${pair.publicKey}\n`);
    expect(await ownPrivateKey(file)).toEqual({ ...pair, fileName: "id_mine" });
    await expect(ownPrivateKey(`${file}.pub`)).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("passwords", () => {
  test("are known again by a mark that others can't make", async () => {
    const [here, there] = ["a", "b"].map((name) => ({ stateDir: mkdtempSync(path.join(directory, name)) }));
    const mark = await passwordMark(here!, "secret");
    expect(mark).toMatch(/^[0-9a-f]{6}$/);
    expect(await passwordMark(here!, "secret")).toBe(mark);
    expect(await passwordMark(here!, "Secret")).not.toBe(mark);
    expect(await passwordMark(there!, "secret")).not.toBe(mark);
  });

  test("that are made differ and can be read out", () => {
    expect(makePassword()).toMatch(/^([a-km-zA-HJ-NP-Z2-9]{5}-){3}[a-km-zA-HJ-NP-Z2-9]{5}$/);
    expect(makePassword()).not.toBe(makePassword());
  });
});
