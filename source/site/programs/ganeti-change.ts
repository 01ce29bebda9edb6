/** gnt-instance: what changes an instance that is there: its node, name, tags, sizes and devices. */
import { options } from "../utilities/input.ts";
import type { Ganeti, GanetiInstance, GanetiNode, GanetiWork } from "../world/ganeti.ts";
import { fault } from "./ganeti-fault.ts";
import type { Verb, Verbs } from "./ganeti-jobs.ts";
import { mib } from "./ganeti-sizes.ts";
import { submitWork } from "./ganeti-submit.ts";

const valued =
  "n target-node B backend-parameters disk net H hypervisor-parameters migration-mode shutdown-timeout I iallocator";

type Given = Map<string, string>;
type Change = Pick<GanetiWork, "seconds" | "log" | "refusal" | "end"> & {
  opcode: string;
  /** The summary has the instance's name. */
  named?: boolean;
  more?: Record<string, unknown>;
};

const wrong = (text: string, type = "wrong_state") => fault(type, text).trimEnd();

/** Without a terminal a question is answered no, in silence. */
const asksFirst = new Set(["migrate", "failover", "move"]);

function changing(
  make: (ganeti: Ganeti, instance: GanetiInstance, given: Given, words: string[]) => Change | GanetiWork | string,
): Verb {
  return async (call, ganeti) => {
    const { given, words } = options(call.args.slice(1), valued);
    const [name = "", ...more] = words;
    const instance = ganeti.find(name);
    if (!instance) {
      await call.err(fault("unknown_entity", `Instance '${name}' not known`));
      return 1;
    }
    if (asksFirst.has(call.args[0] ?? "") && !given.has("f") && !given.has("force")) return 1;
    const change = make(ganeti, instance, given, more);
    if (typeof change === "string") {
      await call.err(change);
      return 1;
    }
    const work = "on" in change ? change : workOf(instance, change);
    return submitWork(call, ganeti, work, given.has("submit"));
  };
}

function workOf(instance: GanetiInstance, change: Change): GanetiWork {
  const { opcode, named = true, more = {}, ...rest } = change;
  const operation = { OP_ID: `OP_${opcode}`, instance_name: instance.name, ...more };
  return { ...rest, operation, on: instance, summary: named ? `${opcode}(${instance.name})` : opcode };
}

function nodeNamed(ganeti: Ganeti, word: string | undefined): GanetiNode | undefined {
  if (word === undefined) return undefined;
  return ganeti.nodes.find(({ name }) => name === word || name.startsWith(`${word}.`));
}

/** Where an instance goes: its secondary, the node that was named, or the one with the most free memory. */
export function destination(ganeti: Ganeti, instance: GanetiInstance, word?: string): GanetiNode | null {
  if (instance.template === "drbd") return instance.secondary;
  const named = nodeNamed(ganeti, word);
  if (named) return named;
  const free = (node: GanetiNode) => node.memoryTotal - node.memoryNode - ganeti.memoryUsed(node);
  const others = ganeti.nodes.filter((node) => node !== instance.node && node.role !== "O" && node.role !== "D");
  return others.sort((one, other) => free(other) - free(one))[0] ?? null;
}

function goTo(instance: GanetiInstance, node: GanetiNode): void {
  if (instance.template === "drbd") instance.secondary = instance.node;
  instance.node = node;
}

const local = (instance: GanetiInstance) => ["plain", "file"].includes(instance.template);

function cannotGo(node: GanetiNode | null): string | null {
  if (!node) return wrong("No node was given and no allocator found one", "wrong_input");
  if (node.role === "O") return wrong(`Can't use offline node: ${node.name}`);
  return node.role === "D" ? wrong(`Can't use drained node: ${node.name}`) : null;
}

/** A live migration, as `gnt-instance migrate` and an evacuation have it done. */
export function migration(ganeti: Ganeti, instance: GanetiInstance, word?: string): GanetiWork {
  const from = instance.node.name;
  const to = destination(ganeti, instance, word);
  const away = instance.node.role === "O";
  return workOf(instance, {
    opcode: "INSTANCE_MIGRATE",
    more: { target_node: to?.name ?? null },
    seconds: 60,
    log: [
      `Migrating instance ${instance.name}`,
      "* checking disk consistency between source and target",
      `* preparing ${to?.name} to accept the instance`,
      `* migrating instance to ${to?.name}`,
      "* starting memory transfer",
      "* memory transfer progress: 48.14 %",
      "* memory transfer complete",
      `* closing instance disks on node ${from}`,
      "* done",
    ],
    refusal: () => {
      if (local(instance)) return wrong(`Instance's disk layout '${instance.template}' does not allow migrations`);
      if (!instance.alive && !away) return wrong(`Instance ${instance.name} is not running`);
      return cannotGo(to);
    },
    end: () => {
      if (to) goTo(instance, to);
      return null;
    },
  });
}

function failover(ganeti: Ganeti, instance: GanetiInstance, given: Given): Change {
  const to = destination(ganeti, instance, given.get("n") ?? given.get("target-node"));
  return {
    opcode: "INSTANCE_FAILOVER",
    seconds: 50,
    log: [
      `Failover instance ${instance.name}`,
      "* checking disk consistency between source and target",
      "* shutting down instance on source node",
      "* deactivating the instance's disks on source node",
      `* activating the instance's disks on target node ${to?.name}`,
      `* starting the instance on the target node ${to?.name}`,
    ],
    refusal: () =>
      local(instance) ? wrong(`Instance's disk layout '${instance.template}' does not allow failovers`) : cannotGo(to),
    end: () => {
      if (to) goTo(instance, to);
      instance.alive = instance.admin === "up";
      if (instance.alive) ganeti.guest(instance).boot();
      return null;
    },
  };
}

function move(ganeti: Ganeti, instance: GanetiInstance, given: Given): Change {
  const to = nodeNamed(ganeti, given.get("n") ?? given.get("target-node")) ?? null;
  return {
    opcode: "INSTANCE_MOVE",
    seconds: 120,
    log: [
      `Shutting down instance ${instance.name} on source node ${instance.node.name}`,
      `Copying data for disk 0`,
      ...["12", "47", "81"].map((percent) => `disk/0 sent ${percent}%, 138.1 MiB/s, ${percent}%`),
      `Removing the disks on the original node`,
      `Starting instance ${instance.name} on node ${to?.name}`,
    ],
    refusal: () => {
      if (!local(instance)) return wrong(`Instance disk template '${instance.template}' does not support moving`);
      if (to === instance.node) return wrong(`Instance ${instance.name} is already on the node ${to.name}`);
      return cannotGo(to);
    },
    end: () => {
      if (to) instance.node = to;
      return null;
    },
  };
}

function rename(ganeti: Ganeti, instance: GanetiInstance, words: string[]): Change {
  const [to = ""] = words;
  return {
    opcode: "INSTANCE_RENAME",
    named: false,
    more: { new_name: to },
    seconds: 10,
    log: [],
    refusal: () => {
      if (instance.admin === "up") return wrong(`Instance '${instance.name}' is marked to be up, cannot rename`);
      return ganeti.find(to) ? wrong(`Instance '${to}' is already in the cluster`, "already_exists") : null;
    },
    end: () => {
      instance.name = to;
      return to;
    },
  };
}

function tags(instance: GanetiInstance, words: string[], add: boolean): Change {
  const missing = words.filter((tag) => !instance.tags.includes(tag));
  return {
    opcode: add ? "TAGS_SET" : "TAGS_DEL",
    named: false,
    more: { kind: "instance", name: instance.name, tags: words },
    seconds: 3,
    log: [],
    refusal: () =>
      !add && missing.length > 0
        ? wrong(`Tag(s) ${missing.map((tag) => `'${tag}'`).join(", ")} not found`, "unknown_entity")
        : null,
    end: () => {
      instance.tags = add
        ? [...new Set([...instance.tags, ...words])].sort()
        : instance.tags.filter((tag) => !words.includes(tag));
      return null;
    },
  };
}

function growDisk(instance: GanetiInstance, given: Given, words: string[]): Change {
  const [index = "", amount = ""] = words;
  const old = instance.disks[Number(index)];
  const size = given.has("absolute") ? mib(amount) : (old ?? 0) + mib(amount);
  return {
    opcode: "INSTANCE_GROW_DISK",
    seconds: 15,
    log: [`Growing disk ${index} of instance '${instance.name}'`],
    refusal: () => {
      if (old === undefined) return wrong(`Invalid disk index: ${index}`, "wrong_input");
      return size < old ? wrong(`Requested size (${size}) is smaller than current disk size (${old})`) : null;
    },
    end: () => {
      instance.disks[Number(index)] = size;
      return null;
    },
  };
}

/** `add:size=2048M`, `1:remove`: the index or `add`, and what is done there. */
function deviceWords(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function modify(ganeti: Ganeti, instance: GanetiInstance, given: Given): Change | string {
  const option = (...names: string[]) => names.map((name) => given.get(name)).find((value) => value !== undefined);
  const steps: (() => void)[] = [];
  for (const pair of (option("B", "backend-parameters") ?? "").split(",").filter(Boolean)) {
    const [name, value = ""] = pair.split("=");
    if (name === "vcpus") steps.push(() => (instance.vcpus = Number(value)));
    if (name === "memory" || name === "maxmem") steps.push(() => (instance.memory = mib(value)));
    if (name === "memory" || name === "minmem") steps.push(() => (instance.minimum = mib(value)));
  }
  const disk = option("disk");
  if (disk !== undefined) {
    const [where, what] = deviceWords(disk);
    steps.push(() => {
      if (where === "add") instance.disks.push(mib(/size=([^,]+)/.exec(what)?.[1] ?? "0"));
      else instance.disks.splice(Number(where), 1);
    });
  }
  const nic = option("net");
  if (nic !== undefined) {
    const [where, what] = deviceWords(nic);
    const link = /link=([^,]+)/.exec(what)?.[1] ?? ganeti.facts.netdev;
    const mac = instance.mac.replace(/..$/, String(10 + (instance.moreNics?.length ?? 0)));
    steps.push(() => {
      instance.moreNics ??= [];
      const more = instance.moreNics;
      if (where === "add") more.push({ mac, link, ip: null });
      else if (Number(where) > 0) more.splice(Number(where) - 1, 1);
    });
  }
  const media = /cdrom_image_path=(.*)$/.exec(option("H", "hypervisor-parameters") ?? "");
  if (media) steps.push(() => (instance.media = media[1] ?? ""));
  if (given.has("online")) steps.push(() => (instance.admin = "down"));
  if (given.has("offline")) steps.push(() => (instance.admin = "offline"));
  if (steps.length === 0) return "Please give at least one of the parameters.\n";
  return {
    opcode: "INSTANCE_SET_PARAMS",
    seconds: 8,
    log: [],
    refusal: () =>
      disk !== undefined && instance.template === "diskless"
        ? wrong("Disk operations not supported for diskless instances")
        : null,
    end: () => {
      for (const step of steps) step();
      return [];
    },
  };
}

export const changes: Verbs = {
  migrate: changing((ganeti, instance, given) =>
    migration(ganeti, instance, given.get("n") ?? given.get("target-node")),
  ),
  failover: changing(failover),
  move: changing(move),
  rename: changing((ganeti, instance, _, words) => rename(ganeti, instance, words)),
  "add-tags": changing((_, instance, __, words) => tags(instance, words, true)),
  "remove-tags": changing((_, instance, __, words) => tags(instance, words, false)),
  "grow-disk": changing((_, instance, given, words) => growDisk(instance, given, words)),
  modify: changing(modify),
};
