import { afterEach, describe, expect, test } from "vitest";
import { deploy, findDeployments } from "../../source/journey/deploy.ts";
import { listEnvironments } from "../../source/journey/environments.ts";
import { nodeFacts } from "../../source/journey/nodes.ts";
import { reserve } from "../../source/journey/reserve.ts";
import { type EmbeddedSite, type ScenarioName, startSite } from "../../source/site/index.ts";
import { createPool } from "../../source/ssh/pool.ts";
import type { Pool } from "../../source/ssh/types.ts";

let site: EmbeddedSite;
let pool: Pool;

async function open(...scenarios: ScenarioName[]) {
  site = await startSite({ speed: 200, scenarios });
  pool = createPool({
    sshConfig: site.sshConfigFile,
    asker: { secret: async () => null, hostKey: async () => "no" },
  });
  const context = { pool, stateDir: site.configDir };
  const at = { name: "demo", frontend: site.frontend };
  const job = await reserve(context, at, { nodes: 4, walltimeSeconds: 7200, subnet: null, name: "virtu" });
  return { context, at, job };
}

afterEach(async () => {
  await pool.end();
  await site.end();
});

const quick = { check: { pauseMs: 100 }, link: { pauseMs: 50 } };

describe("on the embedded site, through the real pool", () => {
  test("a link lost, a node that fails once, a node held by another deployment", async () => {
    const { context, at, job } = await open("lost-link", "node-fails-step", "discarded-nodes");
    const { environments } = await listEnvironments(context, at);
    const chosen = environments.find(({ name }) => name === "debian12-min");
    const notices: string[] = [];
    const result = await deploy(
      context,
      at,
      {
        jobId: job.jobId,
        nodes: job.nodes,
        environment: { kind: "environment", name: "debian12-min", version: chosen?.version ?? undefined },
        minimum: 3,
        retries: 2,
      },
      { ...quick, onNotice: (text) => notices.push(text) },
    );
    expect(notices).toContain("The link is back.");
    expect(result).toMatchObject({ failed: [], attempts: 2 });
    expect(result.missing).toHaveLength(1);
    expect([...result.deployed, ...result.missing].sort()).toEqual([...job.nodes].sort());
    // What really is there.
    for (const node of result.deployed) {
      expect(site.world.testbed.node(node)?.deployed).toMatchObject({
        environment: "debian12-min",
        version: chosen?.version,
      });
    }
    expect(site.world.testbed.node(result.missing[0]!)?.deployed ?? null).toBeNull();
    const facts = await nodeFacts(context, at, job);
    expect(facts.filter(({ state }) => state === "reachable").map(({ name }) => name)).toEqual(result.deployed);
    expect(await findDeployments(context, at, { jobId: job.jobId })).toMatchObject([{ state: "done", result }]);
  });
});
