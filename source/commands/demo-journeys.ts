/** The demo's second half: nodes configured and made a Ganeti cluster, each outcome held against the site's own state. */
import { VirtuError } from "../errors.ts";
import { createInventory } from "../instances/inventory.ts";
import { askNodes } from "../journey/ask-nodes.ts";
import { planConfigure } from "../journey/configure.ts";
import { jobKeyPair, keptSecret } from "../journey/configure-keys.ts";
import type { NodeStates } from "../journey/configure-types.ts";
import { planInstallGaneti } from "../journey/install-ganeti.ts";
import { subnetAddress } from "../journey/install-ganeti-choose.ts";
import type { GanetiRequest } from "../journey/install-ganeti-types.ts";
import { nodeRef } from "../journey/nodes-ref.ts";
import type { Plan, PlanNode, RunHandle, RunView } from "../journey/plan.ts";
import { startRun } from "../journey/run.ts";
import type { Job } from "../journey/types.ts";
import { count } from "../text.ts";
import { agree, type Play } from "./demo-check.ts";

const clusterName = "cluster1.demo";
/** A failed step is tried again so often. */
const retries = 2;
/** A node that does not come back within so long is left out. */
const lostMs = 8000;

/** Configures the job's nodes; those that are still in. */
export async function configureNodes(play: Play, job: Job): Promise<PlanNode[]> {
  const { app, site, step, say, embedded } = play;
  step(`Configure ${count(job.nodes.length, "node")}`);
  const nodes = job.nodes.map((name) => ({ name, host: nodeRef(app, site, job.jobId, name) }));
  const of = { site: site.name, jobId: job.jobId };
  const pair = await jobKeyPair(app, of.site, of.jobId);
  const states = await ask(play, nodes);
  const plan = planConfigure(
    {
      site: site.name,
      jobId: job.jobId,
      nodes,
      minimum: nodes.length,
      publicKeys: [],
      pair: { publicKey: pair.publicKey },
      copyKey: null,
      upgrade: true,
      password: null,
      timezone: "Europe/Paris",
      locale: null,
      extras: [],
    },
    states,
  );
  const view = await carry(play, plan, (name) => keptSecret(app, of, name));
  const left = nodes.filter(({ name }) => !view.out.includes(name));
  const systems = left.flatMap(({ name }) => embedded.world.testbed.node(name)?.deployed?.system ?? []);
  const upgraded = systems.filter(({ packages }) => packages?.hasLists && packages.toUpgrade().length === 0);
  agree("the upgraded nodes", left.length, upgraded.length);
  say(`${count(left.length, "node")} configured`);
  return left;
}

/** Makes a cluster of the nodes and looks at it as the instance table does. */
export async function installGaneti(play: Play, job: Job, nodes: readonly PlanNode[]): Promise<void> {
  const { site, step, say, embedded, app, signal } = play;
  step(`Install Ganeti on ${count(nodes.length, "node")}`);
  const request: GanetiRequest = {
    site: site.name,
    jobId: job.jobId,
    nodes,
    minimum: nodes.length,
    clusterName,
    clusterAddress: job.subnet === null ? null : subnetAddress(job.subnet),
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
  };
  const plan = planInstallGaneti(request, await ask(play, nodes));
  if ("problems" in plan) {
    const why = plan.problems.map(({ node, text }) => (node === null ? text : `${node}: ${text}`)).join("; ");
    throw new VirtuError({ kind: "failed", what: "The cluster can't be planned", why });
  }
  const view = await carry(play, plan, async () => null);
  const members = nodes.filter(({ name }) => !view.out.includes(name)).map(({ name }) => name);
  const real = embedded.world.clusters.all().find(({ name }) => name === clusterName);
  agree(
    "the members of the cluster",
    members,
    real?.nodes.map(({ name }) => name),
  );
  const master = nodes.find(({ name }) => name === request.master);
  if (!master) return;
  const inventory = createInventory({ pool: app.pool, hosts: [master.host] });
  try {
    await inventory.refresh(undefined, { signal });
    const told = inventory.view().nodes.map(({ name }) => name);
    agree("the nodes in the table", [...told].sort(), [...members].sort());
    say(`${clusterName}: ${count(told.length, "node")}, ${count(inventory.view().instances.length, "instance")}`);
  } finally {
    inventory.end();
  }
}

async function ask({ app, signal }: Play, nodes: readonly PlanNode[]): Promise<NodeStates> {
  const { states, failed } = await askNodes(app, nodes, { signal });
  for (const error of failed.values()) throw error;
  return states;
}

const isOver = (view: RunView) => view.state === "done" || view.state === "failed" || view.state === "cancelled";

/** Cells that failed or are lost, of nodes that are still in. */
function failures(view: RunView): { step: string; node: string; text: string; state: string; tries: number }[] {
  return Object.entries(view.cells).flatMap(([step, cells]) =>
    Object.entries(cells).flatMap(([node, { state, text, tries }]) =>
      (state === "failed" || state === "lost") && !view.out.includes(node) ? [{ step, node, text, state, tries }] : [],
    ),
  );
}

/** Says of each step that is through, once, on how many nodes it did something. */
function tellSteps(plan: Plan, view: RunView, told: Set<string>, say: (text: string) => void): void {
  for (const step of plan.steps) {
    const cells = Object.entries(view.cells[step.id] ?? {}).filter(([node]) => !view.out.includes(node));
    const ended = cells.filter(([, { state }]) => state === "done" || state === "already");
    if (cells.length === 0 || ended.length < cells.length || told.has(step.id)) continue;
    told.add(step.id);
    const done = ended.filter(([, { state }]) => state === "done").length;
    say(`${step.title}: ${done > 0 ? count(done, "node") : "nothing to do"}`);
  }
}

/** Carries a plan to its end: what fails is tried again, then its node is left out. */
async function carry(
  { app, say, signal }: Play,
  plan: Plan,
  secrets: (name: string) => Promise<string | null>,
): Promise<RunView> {
  const handled = new Set<string>();
  /** When a node was first seen lost in a step, epoch milliseconds. */
  const lostSince = new Map<string, number>();
  const told = new Set<string>();
  let handle: RunHandle | null = null;
  const look = (view: RunView) => {
    tellSteps(plan, view, told, say);
    if (isOver(view)) return;
    for (const { step, node, text, state, tries } of failures(view)) {
      const key = `${step} ${node} ${tries}`;
      if (handled.has(key)) continue;
      if (state === "lost") {
        if (!lostSince.has(key)) lostSince.set(key, Date.now());
        if (Date.now() - (lostSince.get(key) ?? 0) < lostMs) continue;
      }
      handled.add(key);
      const again = state === "failed" && tries <= retries;
      say(`${node}, ${step}: ${text}; ${again ? "once more" : "left out"}`);
      handle?.decide(again ? { do: "retry", step, nodes: [node] } : { do: "leave-out", nodes: [node] });
    }
  };
  const pace = { backOff: 200, patience: 3000, lostPatience: 4000 };
  handle = await startRun(app, plan, { secrets, signal, onView: look, onNotice: say, pace });
  const leave = () => void handle?.detach();
  signal.addEventListener("abort", leave, { once: true });
  const timer = setInterval(() => handle && look(handle.view()), 1000);
  try {
    look(handle.view());
    const view = await handle.done;
    if (view.state === "done") return view;
    const [first] = failures(view);
    throw new VirtuError({
      kind: "failed",
      what: `${plan.title}: ${view.state}`,
      where: first?.node,
      why: first?.text,
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", leave);
    await handle.detach();
  }
}
