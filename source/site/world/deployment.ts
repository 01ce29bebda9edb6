/** One cluster's part of a deployment: macro-steps, micro-steps, and what happens to nodes that fail one. */
import type { Random } from "../random.ts";
import { fold } from "./fold.ts";
import type { Deployment } from "./kadeploy.ts";
import type { Node } from "./testbed.ts";

/** The deployment was cancelled. */
export class Abort extends Error {}

/** Micro-steps with the seconds they take on real hardware. */
const macros: readonly { name: string; steps: readonly (readonly [string, number])[] }[] = [
  {
    name: "SetDeploymentEnvUntrusted",
    steps: [
      ["switch_pxe", 2],
      ["reboot", 8],
      ["wait_reboot", 125],
      ["send_key_in_deploy_env", 3],
      ["create_partition_table", 8],
      ["format_deploy_part", 10],
      ["mount_deploy_part", 2],
      ["format_swap_part", 2],
    ],
  },
  {
    name: "BroadcastEnvKascade",
    steps: [
      ["send_environment", 35],
      ["manage_user_post_install", 6],
      ["check_kernel_files", 1],
      ["send_key", 2],
      ["install_bootloader", 6],
      ["sync", 4],
    ],
  },
  {
    name: "BootNewEnvKexec",
    steps: [
      ["switch_pxe", 2],
      ["umount_deploy_part", 2],
      ["mount_deploy_part", 2],
      ["kexec", 6],
      ["wait_reboot", 45],
    ],
  },
];

/** How often a macro-step is tried for the same nodes. */
const tries = 2;

export interface ClusterWork {
  cluster: string;
  nodes: Node[];
  discarded: readonly Node[];
  /** The node set's own label: `0` or `c1`. */
  label: string;
  prefix: string;
  /** Nodes that fail create_partition_table, at every try of this deployment. */
  failing: ReadonlySet<Node>;
  random: Random;
  halfway(): void;
  booted(node: Node): void;
}

interface NodeSet {
  nodes: Node[];
  label: string;
  prefix: string;
  macro: number;
  step: number;
  attempt: number;
  /** When this macro-step began. */
  since: number;
}

const failure = { step: "create_partition_table", reason: "fdisk: cannot open /dev/sda: No such device or address" };

function names(nodes: readonly Node[]): string {
  return fold(nodes.map((node) => node.name));
}

export async function deployCluster(deployment: Deployment, work: ClusterWork): Promise<void> {
  const began = now(deployment);
  const { prefix } = work;
  deployment.say(`${prefix}Launching a deployment on ${names([...work.nodes, ...work.discarded])}`);
  if (work.discarded.length > 0) {
    deployment.say(
      `${prefix}The nodes ${names(work.discarded)} are already involved in deployment, let's discard them`,
    );
  }
  const first = { nodes: work.nodes, label: work.label, prefix, macro: 0, step: 0, attempt: 1, since: began };
  await runSet(deployment, work, first, began);
  deployment.say(`${prefix}End of deployment on cluster ${work.cluster} after ${deployment.secondsSince(began)}s`);
}

function now(deployment: Deployment): number {
  return deployment.startedAt + deployment.secondsSince(deployment.startedAt) * 1000;
}

async function runSet(deployment: Deployment, work: ClusterWork, set: NodeSet, began: number): Promise<void> {
  for (; set.macro < macros.length; set.macro += 1) {
    const macro = macros[set.macro];
    if (!macro) return;
    if (set.step === 0) {
      set.since = now(deployment);
      deployment.say(`${set.prefix}Performing a Deploy[${macro.name}] step`);
    }
    while (set.step < macro.steps.length) {
      const [step = "", seconds = 0] = macro.steps[set.step] ?? [];
      deployment.say(`${set.prefix}  ${step}`);
      if (step === "reboot") deployment.say(`${set.prefix}   * Performing a soft reboot on ${names(set.nodes)}`);
      const spread = 0.85 + work.random.next() * 0.3;
      await deployment.pause(seconds * spread);
      if (step === "send_environment") {
        deployment.say(`${set.prefix}   * Broadcast time: ${Math.max(1, deployment.secondsSince(set.since))}s`);
        work.halfway();
      }
      set.step += 1;
      const failed = set.macro === 0 && step === failure.step ? set.nodes.filter((node) => work.failing.has(node)) : [];
      if (failed.length > 0) return fail(deployment, work, set, failed, began);
    }
    deployment.say(`${set.prefix}End of step Deploy[${macro.name}] after ${deployment.secondsSince(set.since)}s`);
    set.step = 0;
    set.attempt = 1;
  }
  for (const node of set.nodes) work.booted(node);
  deployment.ok.push(...set.nodes);
  deployment.say(`${set.prefix}End of deployment for ${names(set.nodes)} after ${deployment.secondsSince(began)}s`);
}

/** Failed nodes try the macro-step again, on their own when others are well. */
async function fail(
  deployment: Deployment,
  work: ClusterWork,
  set: NodeSet,
  failed: Node[],
  began: number,
): Promise<void> {
  const macro = macros[set.macro]?.name ?? "";
  const well = set.nodes.filter((node) => !failed.includes(node));
  const giveUp = set.attempt >= tries;
  if (giveUp) {
    // The last try of a set that fails as a whole ends without a word: the reason stands in the final list.
    for (const node of failed)
      deployment.failures.push({ node, step: `${macro}-${failure.step}`, reason: failure.reason });
    if (well.length === 0) return;
  }
  if (well.length === 0) {
    return runSet(deployment, work, { ...set, step: 0, attempt: set.attempt + 1 }, began);
  }
  deployment.say(`${set.prefix}!!! The nodes ${names(failed)} failed on step ${failure.step}`);
  deployment.say(
    `${set.prefix}Step Deploy[${macro}] failed for ${names(failed)} after ${deployment.secondsSince(set.since)}s`,
  );
  const child = (number: number) => (set.label === "0" ? String(number) : `${set.label}.${number}`);
  deployment.say(`${set.prefix}---`);
  deployment.say(`${set.prefix}Nodeset [${set.label}] split into :`);
  deployment.say(`${set.prefix}  [${child(1)}] ${names(well)}`);
  deployment.say(`${set.prefix}  [${child(2)}] ${names(failed)}`);
  deployment.say(`${set.prefix}---`);
  const rest = { ...set, nodes: well, label: child(1), prefix: `[${child(1)}] ` };
  const again = { ...set, nodes: failed, label: child(2), prefix: `[${child(2)}] `, step: 0, attempt: set.attempt + 1 };
  await Promise.all([
    runSet(deployment, work, rest, began),
    giveUp ? Promise.resolve() : runSet(deployment, work, again, began),
  ]);
}
