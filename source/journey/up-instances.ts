/** The way's last stage: the first instances. What is there already by its name is left as it is. */
import { VirtuError } from "../errors.ts";
import { createInstance } from "../instances/create.ts";
import { discover } from "../instances/discover.ts";
import type { Provider, Snapshot } from "../instances/types.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import type { PlanNode } from "./plan.ts";
import type { Context } from "./types.ts";
import { installedNodes } from "./up-install.ts";
import type { StageEnd } from "./up-model.ts";
import { type Making, makingOf, nodeNamed, noNode, requestFor } from "./up-requests.ts";
import { ended, type Stage, type Walk } from "./up-stage.ts";
import type { UpInstance, UpPlan } from "./up-types.ts";

export const instancesStage: Stage = {
  id: "instances",
  title: "Make the first instances",
  isIn: ({ instances }) => instances.length > 0,
  carry: makeInstances,
};

/** A host that makes instances, and what it has. */
interface Maker {
  node: PlanNode;
  provider: Provider;
  snapshot: Snapshot;
}

async function makeInstances(walk: Walk): Promise<StageEnd> {
  const { plan } = walk;
  const makers = await findMakers(walk);
  const has = (name: string) => makers.some(({ snapshot }) => snapshot.instances.some((one) => one.name === name));
  const missing = plan.instances.filter(({ name }) => !has(name));
  const before = plan.instances.length - missing.length;
  if (missing.length === 0) return ended("already", `all of ${count(before, "instance")} are there`);
  const failed: string[] = [];
  // One after the other: a host's storage is slower by many at once, and a failure names itself.
  for (const [index, instance] of missing.entries()) {
    walk.say(`${instance.name}, ${index + 1} of ${missing.length}`);
    const why = await makeOne(walk, makers, instance);
    if (why !== null) failed.push(`${instance.name}: ${why}`);
  }
  const made = missing.length - failed.length;
  const text = `${made} made${before > 0 ? `, ${before} there before` : ""}`;
  if (failed.length === 0) return ended("done", `${text}: ${plan.instances.map(({ name }) => name).join(", ")}`);
  return ended("failed", `${text}; ${failed.join("; ")}`, "Going on tries those again; what is made stays.");
}

/** Ganeti: the master alone. libvirt: every node. */
async function findMakers(walk: Walk): Promise<Maker[]> {
  const { plan, learned, context, signal } = walk;
  const nodes = installedNodes(walk).filter(
    ({ name }) => plan.install?.provider !== "ganeti" || name === learned.master,
  );
  const provider = plan.install?.provider ?? "ganeti";
  return Promise.all(nodes.map((node) => findMaker(context, node, provider, signal)));
}

/** The provider on a node, with what it has. Rejects when it does not answer. */
async function findMaker(
  context: Context,
  node: PlanNode,
  wanted: Making["provider"],
  signal?: AbortSignal,
): Promise<Maker> {
  const { providers, problems } = await discover(context.pool, node.host, { signal, priority: "user" });
  const provider = providers.find(({ name }) => name === wanted);
  if (provider) return { node, provider, snapshot: await provider.list({ signal, priority: "user" }) };
  const why = `no ${wanted} answers`;
  throw problems[0] ?? new VirtuError({ kind: "failed", what: "No instance can be made there", where: node.name, why });
}

/** The nodes that take instances, as the provider calls them. */
const namesIn = ({ snapshot }: Maker) =>
  snapshot.nodes.filter(({ roles }) => !roles.includes("offline")).map(({ name }) => name);

/** Null, or why it was not made. */
async function makeOne(walk: Walk, makers: readonly Maker[], instance: UpInstance): Promise<string | null> {
  const { plan, context, signal, learned } = walk;
  const maker = makerFor(plan, makers, instance);
  const making = makingOf(plan);
  if (!making) return "the plan installs nothing that makes it";
  const index = plan.instances.findIndex(({ name }) => name === instance.name);
  const about = { names: namesIn(maker), index, again: learned.begun.includes(instance.name) };
  const request = requestFor(making, instance, about);
  // Noted before: after a kill nobody could tell what is left of it.
  await walk.learn({ begun: [...new Set([...learned.begun, instance.name])] });
  const outcome = await createInstance(maker.provider, request, {
    pool: context.pool,
    signal,
    onEvent: ({ text }) => walk.say(`${instance.name}: ${text}`),
  });
  for (const note of outcome.notes) walk.say(`${instance.name}: ${note}`);
  if (!outcome.ok) {
    if (signal.aborted) throw cancelled();
    // An earlier virtu may have been killed while it was made: then its job came to its end meanwhile.
    const now = await maker.provider.list({ signal, priority: "user" });
    if (!now.instances.some(({ name }) => name === instance.name)) {
      const left = outcome.leftBehind.length > 0 ? ` (left behind: ${outcome.leftBehind.join(", ")})` : "";
      return `${outcome.error ?? "it was not made"}${left}`;
    }
  }
  await walk.learn({ made: [...new Set([...walk.learned.made, instance.name])] });
  return null;
}

/** Where an instance is made: the node that it names, else the one with the fewest. */
function makerFor(plan: UpPlan, makers: readonly Maker[], { name, node }: UpInstance): Maker {
  const [first] = makers;
  if (!first) throw new VirtuError({ kind: "failed", what: "No node can make instances" });
  if (plan.install?.provider === "ganeti") return first;
  if (node === null) {
    const index = plan.instances.findIndex((one) => one.name === name);
    return makers[index % makers.length] ?? first;
  }
  const names = makers.map((maker) => maker.node.name);
  const found = makers.find((maker) => maker.node.name === nodeNamed(names, node));
  if (found) return found;
  throw noNode(name, node, names);
}
