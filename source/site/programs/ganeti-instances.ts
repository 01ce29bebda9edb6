/** gnt-instance add and remove, gnt-os list: as far as a new cluster needs them. */
import type { Call } from "../machine/machine.ts";
import { asctime } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiInstance, GanetiJob, GanetiNode } from "../world/ganeti.ts";
import { fault } from "./ganeti-fault.ts";
import { mib } from "./ganeti-sizes.ts";

const valued =
  "t disk-template n node o os-type s os-size disk net B backend-parameters H hypervisor-parameters I iallocator O os-parameters file-storage-dir file-driver tags";

const systems: Readonly<Record<string, string>> = {
  "ganeti-os-noop": "noop",
  "ganeti-instance-debootstrap": "debootstrap+default",
};

/** The OS definitions that every member of the cluster has. */
export function knownSystems(call: Call, clusters: Clusters, ganeti: Ganeti): string[] {
  const hosts = ganeti.nodes.flatMap(({ address }) => clusters.systemAt(address) ?? []);
  const known = Object.entries(systems).filter(([name]) =>
    hosts.every(({ packages }) => packages?.installed.has(name)),
  );
  return hosts.length > 0 ? known.map(([, system]) => system) : call.machine ? ["debootstrap+default"] : [];
}

export async function listSystems(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  const names = knownSystems(call, clusters, ganeti);
  await call.process.work(2);
  await call.out(
    [...(call.args.includes("--no-headers") ? [] : ["Name"]), ...names].map((name) => `${name}\n`).join(""),
  );
  return 0;
}

async function follow(call: Call, ganeti: Ganeti, job: GanetiJob, isSubmitted: boolean): Promise<number> {
  if (isSubmitted) {
    await call.err(`JobID: ${job.id}\n`);
    return 0;
  }
  while (!["success", "error", "canceled"].includes(job.status)) {
    let off = () => {};
    try {
      await call.process.guard(
        new Promise<void>((resolve) => {
          off = ganeti.watch(resolve);
        }),
      );
    } finally {
      off();
    }
  }
  if (job.status === "success") return 0;
  await call.err(`${job.failure ?? ""}\n`);
  return 1;
}

/** Where an allocator puts an instance: the online node with the most memory free, beside the one that it has. */
function roomiest(ganeti: Ganeti, beside?: GanetiNode): GanetiNode | undefined {
  const online = ganeti.nodes.filter((node) => node.role !== "O" && node.role !== "D" && node !== beside);
  return online.sort((one, other) => ganeti.memoryFree(other) - ganeti.memoryFree(one))[0];
}

export async function addInstance(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  const { given, words } = options(call.args.slice(1), valued);
  const option = (...names: string[]) => names.map((name) => given.get(name)).find((value) => value !== undefined);
  const [name = ""] = words;
  const refuse = async (type: string, text: string) => {
    await call.err(fault(type, text));
    return 1;
  };
  if (ganeti.find(name)) return refuse("already_exists", `Instance '${name}' is already in the cluster`);
  const template = option("t", "disk-template") ?? ganeti.facts.diskTemplates[0] ?? "plain";
  if (!ganeti.facts.diskTemplates.includes(template)) {
    return refuse("wrong_input", `Disk template '${template}' is not enabled in cluster.`);
  }
  const [wantedNode, wantedSecond] = option("n", "node")?.split(":") ?? [];
  const allocator = option("I", "iallocator");
  const named = (wanted: string | undefined) =>
    ganeti.nodes.find((one) => wanted === undefined || one.name === wanted || one.name.startsWith(`${wanted}.`));
  const node = allocator === undefined ? named(wantedNode) : roomiest(ganeti);
  if (!node) return refuse("unknown_entity", `Node name ${wantedNode} not found`);
  const second = allocator === undefined && wantedSecond !== undefined ? named(wantedSecond) : roomiest(ganeti, node);
  const secondary = template === "drbd" ? (second ?? null) : null;
  const os = option("o", "os-type") ?? "";
  if (os !== "" && !knownSystems(call, clusters, ganeti).includes(os)) {
    return refuse("wrong_input", `OS '${os}' not in supported OS list for node ${node.name}`);
  }
  const parameters = new Map(
    (option("B", "backend-parameters") ?? "").split(",").map((pair) => pair.split("=") as [string, string]),
  );
  const disks =
    template === "diskless"
      ? []
      : [mib(/size=([^,]+)/.exec(option("disk") ?? "")?.[1] ?? option("s", "os-size") ?? "10g")];
  const memory = mib(parameters.get("maxmem") ?? parameters.get("memory") ?? "128");
  const { random } = clusters;
  const instance: GanetiInstance = {
    name,
    uuid: random.uuid(),
    node,
    secondary,
    admin: given.has("no-start") || given.has("no-install") ? "down" : "up",
    alive: false,
    vcpus: Number(parameters.get("vcpus") ?? 1),
    memory,
    minimum: mib(parameters.get("minmem") ?? String(memory)),
    template,
    disks,
    os,
    tags: (option("tags") ?? "").split(",").filter((tag) => tag !== ""),
    mac:
      /mac=([\da-f:]{17})/i.exec(option("net") ?? "")?.[1] ??
      `aa:00:00:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
    port: 11_000 + ganeti.instances.length,
    created: call.machine.clock.now(),
  };
  const job = ganeti.submit("CREATE", instance);
  if (allocator !== undefined) {
    const program = allocator === "." ? "hail" : allocator;
    const text = ` - INFO: Selected nodes for instance ${name} via iallocator ${program}: ${[node, secondary].flatMap((one) => one?.name ?? []).join(", ")}`;
    job.log.push({ at: call.machine.clock.now(), text });
  }
  if (given.has("print-jobid")) await call.out(`${job.id}\n`);
  const status = await follow(call, ganeti, job, given.has("submit"));
  if (status === 0 && !given.has("submit")) {
    const say = (text: string) => call.out(`${asctime(call.machine.clock.now())} ${text}\n`);
    await say("* creating instance disks...");
    await say(`adding instance ${name} to cluster config`);
    if (instance.alive) await say("* starting instance...");
  }
  return status;
}

export async function removeInstance(call: Call, ganeti: Ganeti): Promise<number> {
  const { given, words } = options(call.args.slice(1), valued);
  const instance = ganeti.find(words[0] ?? "");
  if (!instance) {
    await call.err(fault("unknown_entity", `Instance name ${words[0]} not found`));
    return 1;
  }
  // Without a terminal the question is answered no, in silence.
  if (!given.has("f") && !given.has("force")) return 1;
  return follow(call, ganeti, ganeti.submit("REMOVE", instance), given.has("submit"));
}
