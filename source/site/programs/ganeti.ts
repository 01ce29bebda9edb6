/** gnt-cluster, gnt-instance, gnt-node, gnt-job of Ganeti 3.0. */

import type { Call, Program } from "../machine/machine.ts";
import { asctime, fullName } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiInstance, GanetiJob, PowerOpcode } from "../world/ganeti.ts";
import { changes } from "./ganeti-change.ts";
import { fault } from "./ganeti-fault.ts";
import { instanceFields, nodeFields, usualInstanceFields, usualNodeFields } from "./ganeti-fields.ts";
import { addInstance, listSystems, removeInstance } from "./ganeti-instances.ts";
import { isOver, jobVerbs, type Verbs } from "./ganeti-jobs.ts";
import { masterFailover, nodeChanges } from "./ganeti-node-change.ts";
import { addNode, init, verify } from "./ganeti-setup.ts";
import { diagnoseSystems, listStorage, listVolumes } from "./ganeti-storage.ts";
import { filterOf, printTable } from "./ganeti-table.ts";
import { destroyCluster, removeNode } from "./ganeti-teardown.ts";
import { GuestConsoleRefused, joinConsole } from "./guest-console.ts";

const valued = "o output F filter separator units timeout n node t type";

async function act(call: Call, ganeti: Ganeti, opcode: PowerOpcode): Promise<number> {
  const { given, words } = options(call.args.slice(1), valued);
  const found: GanetiInstance[] = [];
  for (const word of words) {
    const instance = ganeti.find(word);
    if (instance) found.push(instance);
  }
  if (found.length < words.length || words.length === 0) {
    await call.err(fault("wrong_input", "Selection filter does not match any instances"));
    return 1;
  }
  // Without a terminal the question whether to act on several is answered no, in silence.
  if (found.length > 1 && !given.has("force-multiple") && !given.has("f")) return 1;
  const timeout = given.has("timeout") ? Number(given.get("timeout")) : undefined;
  const jobs = found.map((instance) => ganeti.submit(opcode, instance, timeout));
  const nameOf = (job: GanetiJob) => job.instance?.name ?? "";
  if (given.has("paused")) for (const instance of found) ganeti.guest(instance).awaitsConsole = true;
  if (given.has("submit")) {
    await call.out(jobs.map((job) => `${job.id}: ${nameOf(job)}\n`).join(""));
    return 0;
  }
  if (jobs.length > 1) await call.out(`Submitted jobs ${jobs.map(({ id }) => id).join(", ")}\n`);
  let status = 0;
  for (const job of jobs) {
    await call.out(`Waiting for job ${job.id} for ${nameOf(job)} ...\n`);
    let told = 0;
    await isOver(call, ganeti, job, async () => {
      for (; told < job.log.length; told += 1) {
        const entry = job.log[told];
        if (entry) await call.out(`${asctime(entry.at)} ${entry.text}\n`);
      }
    });
    if (job.status === "success") continue;
    status = 1;
    await call.err(`Job ${job.id} for ${nameOf(job)} has failed: ${job.failure}\n`);
  }
  return status;
}

/** KVM's serial line through socat, or Xen's: one of them has it at a time. */
async function openConsole(call: Call, ganeti: Ganeti): Promise<number> {
  const [word = ""] = options(call.args.slice(1), valued).words;
  const instance = ganeti.find(word);
  if (!instance) {
    await call.err(fault("unknown_entity", `Instance '${word}' not known`));
    return 1;
  }
  if (!instance.alive) {
    await call.err(
      `Failure: command execution error:\nInstance ${instance.name} is not running (state ${ganeti.status(instance)})\n`,
    );
    return 1;
  }
  try {
    await joinConsole(call, ganeti.guest(instance), false);
  } catch (thrown) {
    if (!(thrown instanceof GuestConsoleRefused)) throw thrown;
    await call.err("xenconsole: Could not lock /var/lock/xenconsole.4: Resource temporarily unavailable\n");
    return 11;
  }
  return 0;
}

async function instances(call: Call, ganeti: Ganeti): Promise<number> {
  const { words } = options(call.args.slice(1), valued);
  const fields = instanceFields(ganeti);
  const filter = filterOf(call, fields);
  const chosen: GanetiInstance[] = [];
  for (const word of words) {
    const instance = ganeti.find(word);
    if (!instance) {
      await call.err(fault("unknown_entity", `Instance name ${word} not found`));
      return 1;
    }
    chosen.push(instance);
  }
  const rows = (words.length > 0 ? chosen : [...ganeti.instances].sort((a, b) => (a.name < b.name ? -1 : 1))).filter(
    (one) => !filter || filter(one),
  );
  return printTable(call, fields, usualInstanceFields, rows);
}

const verbs: Readonly<Record<string, Verbs>> = {
  "gnt-instance": {
    list: instances,
    startup: (call, ganeti) => act(call, ganeti, "STARTUP"),
    start: (call, ganeti) => act(call, ganeti, "STARTUP"),
    shutdown: (call, ganeti) => act(call, ganeti, "SHUTDOWN"),
    stop: (call, ganeti) => act(call, ganeti, "SHUTDOWN"),
    reboot: (call, ganeti) => act(call, ganeti, "REBOOT"),
    console: openConsole,
    add: (call, ganeti, clusters) => addInstance(call, clusters, ganeti),
    remove: removeInstance,
    ...changes,
  },
  "gnt-network": { list: () => Promise.resolve(0) },
  "gnt-os": {
    list: (call, ganeti, clusters) => listSystems(call, clusters, ganeti),
    diagnose: (call, ganeti, clusters) => diagnoseSystems(call, clusters, ganeti),
  },
  "gnt-node": {
    list: (call, ganeti) => {
      const fields = nodeFields(ganeti);
      const filter = filterOf(call, fields);
      return printTable(call, fields, usualNodeFields, filter ? ganeti.nodes.filter(filter) : ganeti.nodes);
    },
    "list-storage": listStorage,
    volumes: listVolumes,
    add: (call, ganeti, clusters) => addNode(call, clusters, ganeti),
    remove: removeNode,
    ...nodeChanges,
  },
  "gnt-job": jobVerbs,
  "gnt-cluster": {
    destroy: destroyCluster,
    verify: (call, ganeti, clusters) => verify(call, clusters, ganeti),
    info: async (call, ganeti) => {
      const { hypervisors, netdev, group, diskTemplates } = ganeti.facts;
      await call.out(
        `Cluster name: ${ganeti.name}\nCluster UUID: ${ganeti.groupUuid}\nMaster node: ${ganeti.master.name}\nArchitecture (this node): 64bits (x86_64)\nTags: (none)\nDefault hypervisor: ${hypervisors[0]}\nEnabled hypervisors: ${hypervisors.join(", ")}\nCluster parameters: \n  master netdev: ${netdev}\n  lvm volume group: ${group}\n  default instance allocator: hail\n  enabled disk templates: ${diskTemplates.join(", ")}\nDefault nic parameters: \n  default: \n    link: ${netdev}\n    mode: bridged\n`,
      );
      return 0;
    },
    modify: async () => 0,
    "master-ping": async () => 0,
    version: async (call, ganeti) => {
      const { version } = ganeti.facts;
      const [major, minor] = version.split(".");
      await call.out(
        `Software version: ${version.replace(/[-~].*/, "")}\nInternode protocol: ${major}0${minor}0000\nConfiguration format: ${major}0${minor}0000\nOS api version: 20\nExport interface: 0\nVCS version: (ganeti) version ${version}\n`,
      );
      return 0;
    },
  },
};

const notInitialised = "Cluster not initialized or this machine is not part of a cluster";
const masterFile = "/var/lib/ganeti/ssconf_master_node";

/** One of the gnt-* programs, of a version; off the master they refuse, `getmaster` excepted. */
export function gnt(program: string, clusters: Clusters, version: string): Program {
  return async (call) => {
    const [verb = ""] = call.args;
    if (verb === "--version") {
      await call.out(`${program} (ganeti ${version}) ${version.replace(/[-~].*/, "")}\n`);
      return 0;
    }
    const ganeti = clusters.of(call.machine);
    if (program === "gnt-cluster" && verb === "getmaster") {
      if (ganeti) await call.out(`${ganeti.master.name}\n`);
      else {
        const why = `[Errno 2] No such file or directory: '${masterFile}'`;
        await call.err(`Corrupt configuration file: Can't read ssconf file ${masterFile}: ${why}\nAborting.\n`);
      }
      return ganeti ? 0 : 2;
    }
    const run = verbs[program]?.[verb];
    if (!run && !(program === "gnt-cluster" && (verb === "init" || verb === "master-failover"))) {
      await call.err(`Usage: ${program} {command} [options...] [argument...]\n`);
      return 1;
    }
    if (call.process.user !== "root") {
      await call.err(
        "It seems you don't have permissions to connect to the master daemon.\nPlease retry as a different user.\n",
      );
      return 1;
    }
    if (program === "gnt-cluster" && verb === "init") return init(call, clusters);
    if (program === "gnt-cluster" && verb === "master-failover" && ganeti)
      return masterFailover(call, clusters, ganeti);
    if (!ganeti || !run) {
      await call.err(fault("wrong_input", notInitialised));
      return 1;
    }
    if (fullName(call.machine) !== ganeti.master.name) {
      const where = `This is not the master node, please connect to node '${ganeti.master.name}' and rerun the command`;
      await call.err(fault("wrong_input", where));
      return 1;
    }
    return run(call, ganeti, clusters);
  };
}
