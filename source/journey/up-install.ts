/** The way's fourth stage: the nodes made a Ganeti cluster or libvirt hosts. */
import { VirtuError } from "../errors.ts";
import { planInstallGaneti } from "./install-ganeti.ts";
import { chooseStorage, readStorage, subnetAddress } from "./install-ganeti-choose.ts";
import { findingLines, verifyFindings } from "./install-ganeti-findings.ts";
import type { PlanProblem } from "./install-ganeti-types.ts";
import { planInstallLibvirt } from "./install-libvirt.ts";
import type { Plan, PlanNode, RunView } from "./plan.ts";
import { readOutput } from "./run.ts";
import type { StageEnd } from "./up-model.ts";
import { nodeNamed } from "./up-requests.ts";
import { carryStage, type StageRun } from "./up-run.ts";
import { allNodes, ended, type Stage, type Walk } from "./up-stage.ts";
import type { UpGaneti, UpLibvirt } from "./up-types.ts";

export const installStage: Stage = {
  id: "install",
  title: "Install the VM manager",
  isIn: ({ install }) => install !== null,
  carry: installManager,
};

async function installManager(walk: Walk): Promise<StageEnd> {
  const { install } = walk.plan;
  if (!install) return ended("already", "");
  const run = install.provider === "ganeti" ? ganetiRun(walk, install) : libvirtRun(walk, install);
  const { view, end } = await carryStage(walk, run);
  if (end.state !== "done" && end.state !== "already") return end;
  const installed = view.plan.nodes.map(({ name }) => name).filter((name) => !view.out.includes(name));
  const master = install.provider === "ganeti" ? masterOf(install, installed, walk) : null;
  await walk.learn({ installed, master });
  await tellFindings(walk, view);
  const what = install.provider === "ganeti" ? `${install.cluster}: ` : "";
  return { ...end, text: `${what}${end.text}` };
}

async function tellFindings(walk: Walk, view: RunView): Promise<void> {
  const output = (step: string, node: string, from: number, count: number) =>
    readOutput(walk.context, view.id, { step, node }, { from, count });
  for (const finding of await verifyFindings({ output }, view)) walk.say(findingLines(finding).join(" · "));
}

function masterOf(install: UpGaneti, names: readonly string[], walk: Walk): string {
  if (install.master === null) return walk.learned.master ?? names[0] ?? "";
  return nodeNamed(names, install.master) ?? install.master;
}

function ganetiRun(walk: Walk, install: UpGaneti): StageRun {
  const wish = readStorage({ storage: install.storage, group: install.group, disks: install.disks });
  if (wish === null) throw new VirtuError({ kind: "usage", what: `${install.storage} is no storage` });
  const plan = async (
    { states }: Parameters<StageRun["plan"]>[0],
    asked: readonly PlanNode[],
    minimum: number,
  ): Promise<Plan> => {
    const nodes = asked.filter(({ name }) => states.has(name));
    const names = nodes.map(({ name }) => name);
    const made = planInstallGaneti(
      {
        site: walk.plan.nodes.kind === "hosts" ? null : walk.plan.nodes.site,
        jobId: walk.job?.jobId ?? null,
        nodes,
        minimum,
        clusterName: install.cluster,
        clusterAddress: install.address ?? (walk.job?.subnet ? subnetAddress(walk.job.subnet) : null),
        master: masterOf(install, names, walk),
        hypervisors: install.hypervisors,
        storage: chooseStorage(wish, nodes, states, install.erase),
        bridge: install.bridge,
        systems: install.systems,
      },
      states,
    );
    if ("problems" in made) throw refused(made.problems);
    return made;
  };
  return { stage: "install", kind: "install-ganeti", devices: wish.devices, plan };
}

function libvirtRun(walk: Walk, { users, pool }: UpLibvirt): StageRun {
  return {
    stage: "install",
    kind: "install-libvirt",
    plan: async ({ states }, nodes, minimum) =>
      planInstallLibvirt(
        {
          site: walk.plan.nodes.kind === "hosts" ? null : walk.plan.nodes.site,
          jobId: walk.job?.jobId ?? null,
          nodes: nodes.filter(({ name }) => states.has(name)),
          minimum,
          users,
          poolDirectory: pool,
        },
        states,
      ),
  };
}

function refused(problems: readonly PlanProblem[]): VirtuError {
  const [first] = problems;
  const line = ({ node, text }: PlanProblem) => (node === null ? text : `${node}: ${text}`);
  return new VirtuError({
    kind: "refused",
    what: "A cluster can't be made so",
    where: first?.node ?? undefined,
    why: first?.text,
    hint: first?.hint ?? "Change the plan, then go on.",
    detail: problems.length > 1 ? problems.map(line).join("\n") : undefined,
  });
}

/** The nodes that have the VM manager, as the pool takes them. */
export function installedNodes(walk: Walk): PlanNode[] {
  return allNodes(walk).filter(({ name }) => walk.learned.installed.includes(name));
}
