/** The journeys of configuring and installing, on the embedded site, each outcome held against what the site is. */

import { expect, test } from "vitest";
import { createInstance } from "../../source/instances/create.ts";
import { discover } from "../../source/instances/discover.ts";
import { createInventory } from "../../source/instances/inventory.ts";
import type { Provider } from "../../source/instances/types.ts";
import { askNodes } from "../../source/journey/ask-nodes.ts";
import { planConfigure } from "../../source/journey/configure.ts";
import { keyPairSecret, passwordSecret } from "../../source/journey/configure-types.ts";
import { deploy } from "../../source/journey/deploy.ts";
import { planInstallGaneti } from "../../source/journey/install-ganeti.ts";
import { nodeRef } from "../../source/journey/nodes-ref.ts";
import type { Decision, Plan, PlanNode, RunView } from "../../source/journey/plan.ts";
import { startRun } from "../../source/journey/run.ts";
import type { Job } from "../../source/journey/types.ts";
import { requestFor } from "../../source/journey/up-requests.ts";
import type { HostRef } from "../../source/ssh/types.ts";
import { briefly, type Opened, open, reserveNodes } from "./site.ts";

const pair = {
  publicKey: `ssh-ed25519 ${Buffer.from("a key of the job").toString("base64").replace(/^/, "AAAAC3")} job`,
  privateKey: "PRIVATE\n",
};

async function deployed(
  opened: Opened,
  count: number,
  environment = "debian12-min",
): Promise<{ job: Job; nodes: PlanNode[] }> {
  const job = await reserveNodes(opened, count);
  const request = {
    jobId: job.jobId,
    nodes: job.nodes,
    environment: { kind: "environment", name: environment } as const,
    minimum: count,
    retries: 2,
  };
  await deploy(opened.context, opened.site, request, { pause: briefly } as never);
  const nodes = job.nodes.map((name) => ({ name, host: nodeRef(opened.context, opened.site, job.jobId, name) }));
  return { job, nodes };
}

async function configurePlan(opened: Opened, nodes: PlanNode[]): Promise<Plan> {
  const { states, failed } = await askNodes(opened.context, nodes);
  expect([...failed.values()]).toEqual([]);
  return planConfigure(
    {
      site: "demo",
      jobId: null,
      nodes,
      minimum: nodes.length,
      publicKeys: [],
      pair: { publicKey: pair.publicKey },
      copyKey: null,
      upgrade: true,
      password: { mark: "abcd" },
      timezone: "Europe/Paris",
      locale: "fr_FR.UTF-8",
      extras: [{ title: "mine", script: "echo hello > /root/mine\n" }],
    },
    states,
  );
}

async function ganetiPlan(opened: Opened, nodes: PlanNode[]): Promise<Plan> {
  const { states, failed } = await askNodes(opened.context, nodes);
  expect([...failed.values()]).toEqual([]);
  const plan = planInstallGaneti(
    {
      site: "demo",
      jobId: null,
      nodes,
      minimum: nodes.length,
      clusterName: "cluster1",
      clusterAddress: "10.158.0.1",
      master: nodes[0]?.name ?? "",
      hypervisors: ["kvm"],
      storage: {
        kind: "lvm",
        group: "xenvg",
        disks: Object.fromEntries(nodes.map(({ name }) => [name, "/dev/sdb"])),
        erase: [],
      },
      bridge: null,
      systems: ["noop"],
    },
    states,
  );
  if ("problems" in plan) throw new Error(JSON.stringify(plan.problems));
  return plan;
}

const secrets = async (name: string) =>
  name === keyPairSecret ? pair.privateKey : name === passwordSecret ? "correct horse battery" : null;

function tally(view: RunView): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const cells of Object.values(view.cells)) {
    for (const { state } of Object.values(cells)) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Carries a plan to its end; `decide` is asked for each cell that failed. */
async function carry(
  opened: Opened,
  plan: Plan,
  decide?: (step: string, node: string) => Decision,
): Promise<{ view: RunView; failed: string[]; output(step: string, node: string): Promise<string> }> {
  const failed: string[] = [];
  const pace = { backOff: 50, patience: 500, lostPatience: 800 };
  const handle = await startRun(opened.context, plan, { secrets, pace });
  for (
    let view = handle.view();
    decide && !["done", "failed", "cancelled"].includes(view.state);
    view = handle.view()
  ) {
    for (const [step, cells] of Object.entries(view.cells)) {
      for (const [node, { state, status }] of Object.entries(cells)) {
        const isFailed = view.state === "needs-you" && state === "failed";
        if ((!isFailed && state !== "lost") || view.out.includes(node)) continue;
        failed.push(`${step} ${state} ${status}`);
        handle.decide(decide(step, node));
      }
    }
    await briefly();
  }
  const view = await handle.done;
  await handle.detach();
  return { view, failed, output: async (step, node) => (await handle.output(step, node, 0, 10_000)).join("\n") };
}

const systemOf = ({ embedded }: Opened, name: string) => embedded.world.testbed.node(name)?.deployed?.system;

test("fresh nodes are configured, and the second time nothing is left to do", async () => {
  const opened = await open({ nodes: 4 });
  const { nodes } = await deployed(opened, 2);
  const before = systemOf(opened, "paravance-1")?.machine.files.readText("/etc/shadow");
  const first = await carry(opened, await configurePlan(opened, nodes));
  expect(first.view.state).toBe("done");
  // Only there was nothing to repair, and the locales' package is part of the image.
  expect(tally(first.view)).toEqual({ already: 4, done: 20 });
  for (const { name } of nodes) {
    const system = systemOf(opened, name);
    expect(system?.packages?.toUpgrade()).toEqual([]);
    expect(system?.machine.files.readText("/root/.ssh/authorized_keys")).toContain(pair.publicKey);
    expect(system?.machine.files.readText("/root/.ssh/id_ed25519")).toContain(pair.privateKey);
    expect(system?.machine.files.readText("/etc/hosts")).toMatch(
      /172\.16\.96\.1 paravance-1\.demo paravance-1\n172\.16\.96\.2/,
    );
    expect(system?.machine.files.readText("/etc/shadow")).not.toBe(before);
    expect(system?.machine.files.look("/etc/localtime")).toMatchObject({ target: "/usr/share/zoneinfo/Europe/Paris" });
    expect(system?.machine.files.readText("/root/mine")).toBe("hello\n");
  }
  const progress = first.view.cells.upgrade?.["paravance-1.demo"];
  expect(progress).toMatchObject({ state: "done", status: 0 });
  const second = await carry(opened, await configurePlan(opened, nodes));
  expect(Object.keys(tally(second.view))).toEqual(["already"]);
});

test("nodes become a cluster, which carries instances; the second time nothing is left to do", async () => {
  const opened = await open({ nodes: 4 });
  const { nodes } = await deployed(opened, 3, "debian13-min");
  const first = await carry(opened, await ganetiPlan(opened, nodes));
  expect(first.view.state).toBe("done");
  expect(await first.output("verify", "paravance-1.demo")).toContain("* Gathering data (3 nodes)");
  const cluster = opened.embedded.world.clusters.all().find(({ name }) => name === "cluster1");
  expect(cluster?.nodes.map(({ name, role }) => `${name} ${role}`)).toEqual([
    "paravance-1.demo M",
    "paravance-2.demo C",
    "paravance-3.demo C",
  ]);
  for (const { name } of nodes) {
    const system = systemOf(opened, name);
    expect(system?.storage.groups).toMatchObject([{ name: "xenvg", device: { name: "sdb" } }]);
    expect(system?.network.link("br0")).toMatchObject({
      kind: "bridge",
      addresses: [{ address: system?.node.address }],
    });
    expect(system?.network.link("eno1")).toMatchObject({ master: "br0", addresses: [] });
  }
  expect(Object.keys(tally((await carry(opened, await ganetiPlan(opened, nodes))).view))).toEqual(["already"]);
  const master = nodes[0]?.host as HostRef;
  const wanted = {
    ...{ name: "vm1.demo", memoryMiB: 512, vcpus: 2, disksGiB: [5], os: null, image: null, node: "paravance-2" },
    ...{ network: null, bridge: null, start: true },
  };
  const making = { provider: "ganeti", template: "plain", system: "noop" } as const;
  const { providers } = await discover(opened.pool, master);
  const request = requestFor(making, wanted, { names: nodes.map(({ name }) => name), index: 0, again: false });
  expect(await createInstance(providers[0] as Provider, request, { pool: opened.pool })).toMatchObject({
    ...{ ok: true, job: "41" },
  });
  const inventory = createInventory({ pool: opened.pool, hosts: [master] });
  await inventory.refresh();
  const { instances, nodes: table } = inventory.view();
  inventory.end();
  expect(instances).toMatchObject([{ name: "vm1.demo", status: "running", node: "paravance-2.demo", vcpus: 2 }]);
  expect(table.map(({ name }) => name)).toEqual(nodes.map(({ name }) => name));
});

test("node-fails-upgrade: one node's package fails once; node-loses-apt-lock and slow-upgrade only take longer", async () => {
  const scenarios = ["node-fails-upgrade", "node-loses-apt-lock", "slow-upgrade"] as const;
  const opened = await open({ nodes: 4, scenarios });
  const { nodes } = await deployed(opened, 2);
  const retry = (step: string, node: string): Decision => ({ do: "retry", step, nodes: [node] });
  const { view, failed, output } = await carry(opened, await configurePlan(opened, nodes), retry);
  expect(failed).toEqual(["upgrade failed 100"]);
  expect(view.state).toBe("done");
  const said = await Promise.all(nodes.map(({ name }) => output("upgrade", name)));
  expect(said.join("")).toContain("It is held by process 977 (unattended-upgr)");
});

test("node-dies-in-install: the others become a cluster without it", async () => {
  const opened = await open({ nodes: 4, scenarios: ["node-dies-in-install"] });
  const { nodes } = await deployed(opened, 3);
  const leaveOut = (_step: string, node: string): Decision => ({ do: "leave-out", nodes: [node] });
  const { view, failed } = await carry(opened, await ganetiPlan(opened, nodes), leaveOut);
  // It is lost as soon as nobody answers, and failed where that was only found out at the step's limit.
  expect(failed).toEqual([expect.stringMatching(/^packages (lost|failed) null$/)]);
  expect(view).toMatchObject({ state: "done", out: [expect.stringMatching(/^paravance-[123]\.demo$/)] });
  const cluster = opened.embedded.world.clusters.all().find(({ name }) => name === "cluster1");
  expect(cluster?.nodes.length).toBe(2);
}, 20_000);
