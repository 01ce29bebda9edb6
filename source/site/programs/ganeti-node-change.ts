/** gnt-node modify and evacuate, gnt-cluster master-failover: the roles of nodes. */
import type { Call } from "../machine/machine.ts";
import { fullName } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiNode, GanetiWork } from "../world/ganeti.ts";
import { migration } from "./ganeti-change.ts";
import { fault } from "./ganeti-fault.ts";
import type { Verb, Verbs } from "./ganeti-jobs.ts";
import { submitWork } from "./ganeti-submit.ts";

const valued = "D drained O offline C master-candidate I iallocator n new-secondary";

const wrong = (text: string, type = "wrong_state") => fault(type, text).trimEnd();

async function onNode(
  call: Call,
  ganeti: Ganeti,
  run: (node: GanetiNode, given: Map<string, string>) => Promise<number>,
): Promise<number> {
  const { given, words } = options(call.args.slice(1), valued);
  const node = ganeti.nodes.find(({ name }) => name === words[0] || name.startsWith(`${words[0]}.`));
  if (node) return run(node, given);
  await call.err(fault("unknown_entity", `Node '${words[0]}' not known`));
  return 1;
}

const modify: Verb = (call, ganeti, clusters) =>
  onNode(call, ganeti, async (node, given) => {
    const flag = (...names: string[]) => names.map((name) => given.get(name)).find((value) => value !== undefined);
    const drained = flag("D", "drained");
    const offline = flag("O", "offline");
    const work: GanetiWork = {
      summary: `NODE_SET_PARAMS(${node.name})`,
      operation: { OP_ID: "OP_NODE_SET_PARAMS", node_name: node.name },
      on: node,
      seconds: 12,
      log:
        offline === "no" ? [" - WARNING: Transitioning node from offline to online state without using re-add."] : [],
      refusal: () =>
        node.role === "M" && (drained === "yes" || offline === "yes")
          ? wrong("The master role can be changed only via master-failover", "wrong_input")
          : null,
      end: () => {
        node.role = offline === "yes" ? "O" : drained === "yes" ? "D" : node.role === "M" ? "M" : "C";
        clusters.writeFiles(ganeti);
        return [];
      },
    };
    return submitWork(call, ganeti, work, given.has("submit"));
  });

const evacuate: Verb = (call, ganeti) =>
  onNode(call, ganeti, async (node, given) => {
    const primary = given.has("p") || given.has("primary-only");
    const secondary = given.has("s") || given.has("secondary-only");
    const mine = ganeti.instances.filter((one) =>
      primary ? one.node === node : secondary ? one.secondary === node : one.node === node || one.secondary === node,
    );
    if (mine.length === 0) {
      await call.err(`No instances to evacuate on node(s) ${node.name}, exiting.\n`);
      return 0;
    }
    if (!given.has("f") && !given.has("force")) return 1;
    const stuck = mine.filter(({ template }) => template === "plain" || template === "file");
    const work: GanetiWork = {
      summary: `NODE_EVACUATE(${node.name})`,
      operation: { OP_ID: "OP_NODE_EVACUATE", node_name: node.name, mode: primary ? "primary-only" : "secondary-only" },
      on: node,
      seconds: 10,
      log: [` - INFO: Evacuating instances from node '${node.name}': ${mine.map(({ name }) => name).join(", ")}`],
      refusal: () => {
        if (!primary && !secondary) {
          return wrong(
            "Due to an issue with the iallocator interface it is not possible to evacuate all instances at once; specify explicitly whether to evacuate primary or secondary instances",
            "wrong_input",
          );
        }
        const names = stuck.map(({ name, template }) => `${name} (Instances of type ${template} cannot be relocated)`);
        return stuck.length > 0
          ? `Failure: command execution error:\nUnable to evacuate instances ${names.join(", ")}`
          : null;
      },
      end: () => ({
        jobs: mine.map((instance) => {
          const further = primary ? migration(ganeti, instance) : replaceSecondary(ganeti, instance, node);
          return [true, ganeti.submitWork(further, [call.name, "evacuate"]).id];
        }),
      }),
    };
    return submitWork(call, ganeti, work, given.has("submit"));
  });

/** Copies a mirrored instance's disks to another node than the one that goes. */
function replaceSecondary(ganeti: Ganeti, instance: Ganeti["instances"][number], from: GanetiNode): GanetiWork {
  const to = ganeti.nodes.find((one) => one !== from && one !== instance.node && one.role !== "O" && one.role !== "D");
  return {
    summary: `INSTANCE_REPLACE_DISKS(${instance.name})`,
    operation: { OP_ID: "OP_INSTANCE_REPLACE_DISKS", instance_name: instance.name, remote_node: to?.name ?? null },
    on: instance,
    seconds: 90,
    log: [`Replacing disk(s) 0 for instance '${instance.name}'`, ` - INFO: STEP 5/6 Sync devices`],
    refusal: () => (to ? null : wrong("No node is left for a secondary")),
    end: () => {
      if (to) instance.secondary = to;
      return null;
    },
  };
}

/** Makes the node on which it runs the master. */
export async function masterFailover(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  const own = ganeti.nodes.find(({ name }) => name === fullName(call.machine));
  const { master } = ganeti;
  if (!own || own === master) {
    await call.err(
      fault(
        "wrong_input",
        `This commands must be run on the node where you want the new master to be. ${master.name} is already the master`,
      ),
    );
    return 1;
  }
  if (own.role !== "C") {
    await call.err(
      fault("wrong_state", `This node is not among the nominated master candidates. Only those are allowed.`),
    );
    return 1;
  }
  await call.process.work(15);
  master.role = "C";
  own.role = "M";
  clusters.writeFiles(ganeti);
  ganeti.masterMoved();
  return 0;
}

export const nodeChanges: Verbs = { modify, evacuate };
