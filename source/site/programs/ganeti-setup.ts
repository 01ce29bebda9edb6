/** Making a cluster: gnt-cluster init and verify, gnt-node add. */
import type { Call } from "../machine/machine.ts";
import { asctime, fullName, resolveName } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import { Ganeti } from "../world/ganeti.ts";
import { fault } from "./ganeti-fault.ts";
import { letsIn } from "./ssh-client.ts";

const valued =
  "enabled-hypervisors enabled-disk-templates vg-name master-netdev master-netmask nic-parameters N hypervisor-parameters H backend-parameters B file-storage-dir shared-file-storage-dir gluster-storage-dir secondary-ip s mac-prefix m candidate-pool-size C default-iallocator I uid-pool drbd-usermode-helper node-group g primary-ip-version";

const usualKernels: Readonly<Record<string, string>> = {
  kvm: "/boot/vmlinuz-3-kvmU",
  "xen-pvm": "/boot/vmlinuz-3-xenU",
};

/** All values of an option that may be given several times: `-H kvm:kernel_path=,boot_order=disk -H …`. */
function repeated(args: readonly string[], names: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    for (const name of names) {
      if (arg === name) return args[index + 1] ?? [];
      if (arg.startsWith(`${name}=`)) return arg.slice(name.length + 1);
    }
    return [];
  });
}

function hypervisorParameters(args: readonly string[]): Map<string, Map<string, string>> {
  const all = new Map<string, Map<string, string>>();
  for (const text of repeated(args, ["-H", "--hypervisor-parameters"])) {
    const [hypervisor = "", ...rest] = text.split(":");
    const known = all.get(hypervisor) ?? new Map<string, string>();
    for (const pair of rest.join(":").split(",")) {
      const [name = "", ...value] = pair.split("=");
      known.set(name, value.join("="));
    }
    all.set(hypervisor, known);
  }
  return all;
}

async function refuse(call: Call, type: string, text: string): Promise<number> {
  await call.err(fault(type, text));
  return 1;
}

export async function init(call: Call, clusters: Clusters): Promise<number> {
  const { machine } = call;
  const args = call.args.slice(1);
  const { given, words } = options(args, valued);
  if (given.has("no-drbd-storage")) {
    await call.err(
      "Usage\n=====\n  gnt-cluster init [<opts>...] <cluster-name>\n\ngnt-cluster: error: no such option: --no-drbd-storage\n",
    );
    return 2;
  }
  if (clusters.of(machine)) return refuse(call, "wrong_state", "Cluster is already initialised");
  const [name = ""] = words;
  const found = resolveName(machine, name);
  if (!found) {
    return refuse(
      call,
      "resolver_error",
      `The given name (${name}) does not resolve: Temporary failure in name resolution`,
    );
  }
  const own = fullName(machine);
  const system = clusters.systemAt(resolveName(machine, own)?.address ?? "");
  if (!system) return refuse(call, "environment_error", `Cluster name '${own}' resolves to a loopback address`);
  const templates = (given.get("enabled-disk-templates") ?? "drbd,plain").split(",");
  const usesLvm = templates.includes("plain") || templates.includes("drbd");
  const group = given.get("vg-name") || "xenvg";
  if (usesLvm && !system.storage.groups.some((one) => one.name === group)) {
    return refuse(call, "wrong_input", `Error: volume group '${group}' missing`);
  }
  if (templates.includes("drbd")) {
    const file = "/sys/module/drbd/parameters/usermode_helper";
    const text = `Error while checking drbd helper (disable drbd with --enabled-disk-templates if you are not using drbd): The file ${file} cannot be opened, check if the module is loaded ([Errno 2] No such file or directory: '${file}')`;
    return refuse(call, "environment_error", text);
  }
  const paths = "/etc/ganeti/file-storage-paths";
  if (templates.some((one) => /file/.test(one)) && !machine.files.find(paths)) {
    await call.err(
      `Failure: prerequisites not met for this operation:\nNo paths are valid or path file '${paths}' was not accessible.\n`,
    );
    return 1;
  }
  const netdev = given.get("master-netdev") ?? "xen-br0";
  if (!system.network.link(netdev)) {
    return refuse(call, "wrong_input", `Invalid master netdev given (${netdev}): 'Device "${netdev}" does not exist.'`);
  }
  await call.process.work(12);
  const version = system.packages?.installed.get("ganeti") ?? "3.0.2-3";
  const ganeti = new Ganeti(machine.clock, {
    name: found.names[0] ?? name,
    uuid: clusters.random.uuid(),
    nodes: [clusters.member(system, own, "M", usesLvm ? group : null)],
    instances: [],
    hypervisors: (given.get("enabled-hypervisors") ?? "xen-pvm").split(","),
    diskTemplates: templates,
    version,
    group: usesLvm ? group : null,
    netdev,
    parameters: hypervisorParameters(args),
  });
  if (!usesLvm && given.has("vg-name")) {
    await call.out(
      "You specified a volume group with --vg-name, but you did not enable any disk template that uses lvm.\n",
    );
  }
  makeKey(call);
  clusters.join(machine, ganeti);
  clusters.writeFiles(ganeti);
  return 0;
}

/** Root's own key, by which the master logs in on the others; one that is there is kept. */
function makeKey({ machine }: Call): void {
  const { files } = machine;
  files.makeDirectory("/root/.ssh", "root", { parents: true, mode: 0o700 });
  if (files.find("/root/.ssh/id_rsa")) return;
  const body = `AAAAB3NzaC1yc2EAAAADAQABAAABgQ${Buffer.from(machine.name).toString("base64").replaceAll("=", "")}`;
  files.writeText("/root/.ssh/id_rsa", "(the site's simulated key)\n", "root", 0o600);
  files.writeText("/root/.ssh/id_rsa.pub", `ssh-rsa ${body} root@${machine.hostName}\n`);
  const known = files.find("/root/.ssh/authorized_keys") ? files.readText("/root/.ssh/authorized_keys") : "";
  files.writeText("/root/.ssh/authorized_keys", `${known}ssh-rsa ${body} root@${machine.hostName}\n`, "root", 0o600);
}

const warning = (name: string) => `-- WARNING -- 
Performing this operation is going to perform the following
changes to the target machine (${name}) and the current cluster
nodes:
* A new SSH daemon key pair is generated on the target machine.
* The public SSH keys of all master candidates of the cluster
  are added to the target machine's 'authorized_keys' file.
* In case the target machine is a master candidate, its newly
  generated public SSH key will be distributed to all other
  cluster nodes.

`;

export async function addNode(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  const { machine } = call;
  const { given, words } = options(call.args.slice(1), valued);
  const [word = ""] = words;
  const found = resolveName(machine, word);
  if (!found) {
    return refuse(
      call,
      "resolver_error",
      `The given name (${word}) does not resolve: Temporary failure in name resolution`,
    );
  }
  const name = found.names[0] ?? word;
  if (ganeti.nodes.some((node) => node.name === name)) {
    await call.err(`Node ${name} already in the cluster (as ${name}) - please retry with '--readd'\n`);
    return 1;
  }
  await call.err(warning(name));
  const target = clusters.systemAt(found.address);
  const failed = async (why: string, status: number) => {
    await call.err(
      `${why}\nFailure: command execution error:\nCommand 'ssh -oEscapeChar=none -oHashKnownHosts=no root@${name} '/bin/sh -c /usr/lib/ganeti/prepare-node-join'' failed: exited with exit code ${status}\n`,
    );
    return 1;
  };
  if (!target) return failed(`ssh: connect to host ${name} port 22: No route to host`, 255);
  const knownHosts = "/etc/ssh/ssh_known_hosts";
  const isKnown = machine.files.find(knownHosts) && machine.files.readText(knownHosts).includes(name);
  if (!given.has("no-ssh-key-check") && !isKnown) return failed("Host key verification failed.", 255);
  if (!letsIn(machine, target.machine)) {
    return failed(`root@${name}: Permission denied (publickey,password).`, 255);
  }
  if (!target.packages?.installed.has("ganeti")) {
    return failed("/bin/sh: 1: /usr/lib/ganeti/prepare-node-join: not found", 127);
  }
  if (clusters.of(target.machine)) return refuse(call, "wrong_state", `Node ${name} is a member of another cluster`);
  await call.process.work(3);
  const isCandidate = ganeti.nodes.length < 10;
  ganeti.nodes.push(clusters.member(target, name, isCandidate ? "C" : "R", ganeti.facts.group));
  clusters.join(target.machine, ganeti);
  clusters.writeFiles(ganeti);
  const kind = isCandidate ? "a master candidate" : "a regular node";
  await call.out(`${asctime(machine.clock.now())}  - INFO: Node will be ${kind}\n`);
  return 0;
}

interface Finding {
  code: string;
  node: string;
  text: string;
}

/** What gnt-cluster verify finds wrong with the nodes as they are now. */
function findings(clusters: Clusters, ganeti: Ganeti): Finding[] {
  const { facts } = ganeti;
  return ganeti.nodes.flatMap((node): Finding[] => {
    const system = node.answers ? clusters.systemAt(node.address) : null;
    if (!node.answers) return [];
    if (!system || !node.answers()) {
      const text = "while contacting node: Error 113: No route to host";
      return [{ code: "ENODERPC", node: node.name, text }];
    }
    const found: Finding[] = [];
    for (const hypervisor of facts.hypervisors) {
      const kernel = facts.parameters.get(hypervisor)?.get("kernel_path") ?? usualKernels[hypervisor] ?? "";
      if (kernel === "" || system.machine.files.find(kernel)) continue;
      const text = `hypervisor ${hypervisor} parameter verify failure (source cluster): Parameter 'kernel_path' fails validation: not found or not a file (current value: '${kernel}')`;
      found.push({ code: "ENODEHV", node: node.name, text });
    }
    if (facts.group !== null && !system.storage.groups.some(({ name }) => name === facts.group)) {
      const text = `node didn't return data for the volume group '${facts.group}' - it is either missing or broken`;
      found.push({ code: "ENODELVM", node: node.name, text: "unable to check volume groups" });
      found.push({ code: "ENODELVM", node: node.name, text });
    }
    if (!system.network.link(facts.netdev)) {
      found.push({ code: "ENODENET", node: node.name, text: `missing bridges: ${facts.netdev}` });
    }
    return found;
  });
}

export async function verify(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  const { given } = options(call.args.slice(1), "ignore-errors I node-group");
  const ignored = new Set((given.get("ignore-errors") ?? given.get("I") ?? "").split(","));
  const count = ganeti.nodes.length;
  const now = () => asctime(call.machine.clock.now());
  const say = async (...lines: string[]) => call.out(lines.map((line) => `${now()} ${line}\n`).join(""));
  await call.out("Submitted jobs 5, 6\nWaiting for job 5 ...\n");
  await call.process.work(2);
  await say("* Verifying cluster config", "* Verifying cluster certificate files");
  await say("* Verifying hypervisor parameters", "* Verifying all nodes belong to an existing group");
  await call.out("Waiting for job 6 ...\n");
  await say("* Verifying group 'default'", `* Gathering data (${count} nodes)`);
  await say(`* Gathering information about nodes (${count} nodes)`);
  await call.process.work(4);
  await say(`* Gathering disk information (${count} nodes)`, "* Verifying configuration file consistency");
  await say("* Verifying node status");
  let errors = 0;
  for (const { code, node, text } of findings(clusters, ganeti)) {
    const severity = ignored.has(code) ? "WARNING" : "ERROR";
    if (severity === "ERROR") errors += 1;
    const line = given.has("error-codes")
      ? `${severity}:${code}:node:${node}:${text}`
      : `${severity}: node ${node}: ${text}`;
    await say(`  - ${line}`);
  }
  await say("* Verifying instance status", "* Verifying orphan volumes", "* Verifying N+1 Memory redundancy");
  await say("* Other Notes", "* Hooks Results");
  return errors > 0 ? 1 : 0;
}
