import { execFileSync } from "node:child_process";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { deploy, followDeployment, startDeployment } from "../../source/journey/deploy.ts";
import { knownHostsFileOf, nodeFacts, nodeRef } from "../../source/journey/nodes.ts";
import type { NodeFacts } from "../../source/journey/types.ts";
import { frontend, LocalPool } from "./local-pool.ts";

const site = { name: "grenoble", frontend };
const nodes = ["dahu-10.g", "dahu-2.g", "dahu-2.g", "dahu-1.g"];

let pool: LocalPool;
let context: { pool: LocalPool; stateDir: string };
beforeEach(() => {
  pool = new LocalPool();
  context = { pool, stateDir: pool.stateDir };
});
afterEach(() => pool.end());

const facts =
  "@kernel\n6.1.0\n@os\n@cpus\n8\n@memory\nMemTotal: 1048576 kB\n@disks\n@address\n1.1.1.1 5 10.0.0.9 22\n@uptime\n5.0 1\n@end\n";

describe("the nodes of a job", () => {
  test("each once, in the order people count; one dead node stops no other", async () => {
    pool.program("getent", '#!/bin/sh\nshift\nfor name in "$@"; do echo "10.0.0.$# $name"; done\n');
    pool.answer = (node) => {
      if (node === "dahu-1.g")
        return new VirtuError({ kind: "connection", what: "No session", why: "no route to host" });
      if (node === "dahu-10.g") return new VirtuError({ kind: "authentication", what: "root is refused" });
      return { stdout: facts };
    };
    const seen: NodeFacts[][] = [];
    const found = await nodeFacts(context, site, { jobId: 7, nodes }, { onUpdate: (list) => seen.push(list) });
    expect(found.map(({ name, state }) => [name, state])).toEqual([
      ["dahu-1.g", "reserved"],
      ["dahu-2.g", "reachable"],
      ["dahu-10.g", "reserved"],
    ]);
    expect(found[0]).toMatchObject({ reason: expect.stringContaining("no route to host"), address: "10.0.0.2" });
    expect(found[1]).toMatchObject({ cpus: 8, memoryMiB: 1024, address: "10.0.0.9", reason: null });
    expect(found[2]?.reason).toMatch(/nothing is deployed yet/);
    expect(pool.asked.sort()).toEqual(["dahu-1.g", "dahu-10.g", "dahu-2.g"]);
    expect(seen.at(-1)).toEqual(found);
    // The frontend is asked for the deployments, then for the addresses of those that don't answer.
    expect(pool.sent).toHaveLength(2);
    expect(pool.sent[1]).not.toContain("dahu-2.g");
  });

  test("a link lost in the answer is a reason, not an empty node", async () => {
    pool.answer = () => ({ outcome: "lost", status: null });
    const [node] = await nodeFacts(context, site, { jobId: 7, nodes: ["dahu-1.g"] });
    expect(node).toMatchObject({ kernel: null, reason: expect.stringMatching(/connection broke/) });
  });

  test("what the last deployment says of a node that does not answer; one on its way is left alone", async () => {
    const [up, failed, held, on] = ["dahu-1.g", "dahu-2.g", "dahu-3.g", "dahu-4.g"] as const;
    pool.runs(
      {
        output: [
          "Launching a deployment on dahu-[1-3].g",
          `The nodes ${held} are already involved in deployment, let's discard them`,
        ],
        ok: [up],
        ko: [failed],
      },
      { output: ["Performing a Deploy[SetDeploymentEnvUntrusted] step", "  reboot", "@wait here"] },
    );
    execFileSync("mkfifo", [path.join(pool.home, "fake", "here")]);
    const environment = { kind: "environment", name: "a" } as const;
    const request = { jobId: 7, environment, minimum: 1, retries: 0 };
    await deploy(context, site, { ...request, nodes: [up, failed, held] }, { id: "20260101-000000-7-aaaa" });
    const id = await startDeployment(context, site, { ...request, nodes: [on] }, { id: "20260102-000000-7-aaaa" });
    const stop = new AbortController();
    await followDeployment(context, site, id, {
      signal: stop.signal,
      onUpdate: ({ progress }) => progress[0]?.microStep === "reboot" && stop.abort(),
    }).catch(() => undefined);
    pool.asked.length = 0;
    pool.answer = () => new VirtuError({ kind: "connection", what: "No session", why: "connection refused" });
    const found = await nodeFacts(context, site, { jobId: 7, nodes: [up, failed, held, on, "dahu-5.g"] });
    expect(found.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      [up, "unreachable", "connection refused"],
      [failed, "failed", "Kadeploy gives no reason"],
      [held, "unreachable", "in use by another deployment"],
      [on, "deploying", "reboot"],
      ["dahu-5.g", "reserved", "nothing is deployed yet (connection refused)"],
    ]);
    expect(pool.asked).not.toContain(on);
  });

  test("no more than a few at a time", async () => {
    let now = 0;
    let most = 0;
    pool.exec = async (host) => {
      if (host.name === frontend) throw new VirtuError({ kind: "connection", what: "No link" });
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
      return { outcome: "exited", status: 0, signal: null, stdout: facts, stderr: "", truncated: false, durationMs: 1 };
    };
    const many = Array.from({ length: 100 }, (_, n) => `dahu-${n}.g`);
    expect(await nodeFacts(context, site, { jobId: 7, nodes: many })).toHaveLength(100);
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(16);
  });

  test("an abort rejects", async () => {
    await expect(nodeFacts(context, site, { jobId: 7, nodes }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "cancelled",
    });
  });
});

test("a node is reached as root through its frontend, with the keys of its job", () => {
  expect(nodeRef({ stateDir: "/s" }, { ...site, gateway: "access" }, 7, "dahu-1.g")).toEqual({
    name: "root@dahu-1.g",
    user: "root",
    via: { name: frontend, via: { name: "access" } },
    knownHostsFile: path.join("/s", "jobs", "grenoble", "7", "known_hosts"),
  });
});

test.each(["../../etc", "..", "user@host:22", "a/b"])(
  "a site named %s gets a folder of its own, below ours",
  (name) => {
    const file = knownHostsFileOf({ stateDir: "/s" }, { name, frontend }, 7);
    expect(path.normalize(file)).toBe(file);
    expect(path.dirname(path.dirname(path.dirname(file)))).toBe("/s/jobs");
  },
);
