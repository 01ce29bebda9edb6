/** The steps of the form from nothing to instances: their fields, the plan's file that they make, whose faults are theirs. Pure. */
import type { FreeNodes } from "../../journey/jobs.ts";
import type { Job, Site } from "../../journey/types.ts";
import { readUpPlan } from "../../journey/up-file.ts";
import type { UpPlan } from "../../journey/up-types.ts";
import { type Written, writeUpPlan } from "../../journey/up-write.ts";
import { count } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";

export const upSteps = ["nodes", "system", "configure", "manager", "instances"] as const;
export type UpStep = (typeof upSteps)[number];

export const stepTitles: Record<UpStep, string> = {
  nodes: "where the nodes come from",
  system: "what is put on them",
  configure: "how they are made ready",
  manager: "what makes instances",
  instances: "the first instances",
};

/** What was chosen, step by step. */
export type Chosen = Readonly<Partial<Record<UpStep, Values>>>;

export interface UpAround {
  site: Site | null;
  job: Job | null;
  free: FreeNodes | null;
}

type Choices = NonNullable<FormField["choices"]>;
const text = (id: string, label: string, more: Partial<FormField> = {}): FormField => ({
  id,
  label,
  kind: "text",
  width: 24,
  ...more,
});
const choice = (id: string, label: string, choices: Choices, more: Partial<FormField> = {}): FormField => ({
  id,
  label,
  kind: "choice",
  choices,
  ...more,
});
const words = (...list: [value: string, label: string][]): Choices => list.map(([value, label]) => ({ value, label }));

const is =
  (id: string, ...wanted: string[]) =>
  (values: Values) =>
    wanted.includes(values[id] ?? "");
const yes = is("configure", "yes");
const ganeti = is("provider", "ganeti");
const libvirt = is("provider", "libvirt");

export function fieldsOf(step: UpStep, { site, job, free }: UpAround, chosen: Chosen): FormField[] {
  const from = chosen.nodes?.["from"] ?? "";
  switch (step) {
    case "nodes": {
      const clusters = (free?.clusters ?? []).flatMap(({ name }) =>
        name === "" ? [] : [{ value: name, label: name }],
      );
      const reserved = is("from", "reserve");
      return [
        choice("from", "Nodes", [
          ...(site ? words(["reserve", `reserved on ${site.name}`]) : []),
          ...(site && job ? words(["job", `the ${count(job.nodes.length, "node")} of job ${job.jobId}`]) : []),
          ...words(["hosts", "any hosts"]),
        ]),
        text("nodes", "How many", { width: 7, initial: "4", shown: reserved }),
        text("walltime", "Walltime", { width: 7, initial: "2:00", shown: reserved }),
        choice(
          "subnet",
          "Subnet",
          words(
            ["22", "/22"],
            ["21", "/21"],
            ["20", "/20"],
            ["19", "/19"],
            ["18", "/18"],
            ["16", "/16"],
            ["none", "none"],
          ),
          { shown: reserved },
        ),
        choice("cluster", "Cluster", [{ value: "", label: "any" }, ...clusters], { shown: reserved }),
        text("queue", "Queue", { width: 16, shown: reserved }),
        text("hosts", "Hosts", { width: 40, help: "as ssh knows them: a, b, node-[1-4]", shown: is("from", "hosts") }),
        text("minimum", "At least", { width: 7, help: "empty: all; a number, or a share like 75%" }),
      ];
    }
    case "system":
      if (from === "hosts") return [];
      return [
        choice("deploy", "System", words(["yes", "deployed, what is there is erased"], ["no", "left as it is"])),
        text("environment", "Environment", { width: 34, initial: "debian12-min", shown: is("deploy", "yes") }),
        text("key", "Public key", {
          width: 34,
          help: "a file here; empty: the frontend's own",
          shown: is("deploy", "yes"),
        }),
      ];
    case "configure":
      return [
        choice("configure", "Configure", words(["yes", "yes"], ["no", "no: as they are"])),
        text("keys", "Public keys", { width: 34, help: "files here, let in as root", shown: yes }),
        choice("upgrade", "Packages", words(["yes", "all upgraded"], ["no", "left as they are"]), { shown: yes }),
        choice(
          "password",
          "Password",
          words(["", "left as it is"], ["generate", "made, shown once"], ["ask", "asked when it is set"]),
          { shown: yes },
        ),
        text("timezone", "Time zone", { help: "like Europe/Paris; empty: as it is", shown: yes }),
        text("run", "My command", { width: 34, help: "run as root at the end", shown: yes }),
      ];
    case "manager":
      return [
        choice(
          "provider",
          "VM manager",
          words(["ganeti", "Ganeti: one cluster"], ["libvirt", "libvirt: each node"], ["", "none"]),
        ),
        text("cluster", "Cluster name", { initial: "cluster1", shown: ganeti }),
        text("address", "Address", { width: 17, help: "empty: the first of the job's subnet", shown: ganeti }),
        choice(
          "hypervisor",
          "Hypervisor",
          words(["kvm", "kvm"], ["xen-pvm", "xen-pvm"], ["xen-hvm", "xen-hvm"], ["fake", "fake"]),
          { shown: ganeti },
        ),
        choice("storage", "Storage", words(["file", "files"], ["lvm", "a volume group"], ["diskless", "none"]), {
          shown: ganeti,
        }),
        text("disk", "  disk", {
          width: 18,
          help: "empty: each node's largest free one",
          shown: (v) => ganeti(v) && v["storage"] === "lvm",
        }),
        text("bridge", "Bridge", { width: 17, help: "empty: br0, or xen-br0 for Xen", shown: ganeti }),
        choice("system", "Systems", words(["noop", "noop"], ["debootstrap", "debootstrap"], ["none", "none"]), {
          shown: ganeti,
        }),
        text("pool", "Pool", { width: 34, initial: "/var/lib/libvirt/images", shown: libvirt }),
        text("users", "Users", { help: "accounts beside root", shown: libvirt }),
      ];
    case "instances": {
      if ((chosen.manager?.["provider"] ?? "") === "") return [];
      const some = (values: Values) => values["count"] !== "0";
      return [
        text("count", "How many", { width: 4, initial: "1", help: "0: none yet" }),
        text("name", "Name", { initial: "vm", help: "with several a number follows", shown: some }),
        text("memory", "Memory", { width: 8, initial: "512m", shown: some }),
        text("vcpus", "CPUs", { width: 4, initial: "1", shown: some }),
        text("size", "Disk", { width: 8, initial: "10g", help: "empty: none", shown: some }),
        text("image", "Image", {
          width: 34,
          help: "on the node; empty: an empty disk",
          shown: (v) => some(v) && chosen.manager?.["provider"] === "libvirt",
        }),
        choice("start", "Then", words(["yes", "started"], ["no", "left off"]), { shown: some }),
      ];
    }
  }
}

const list = (line: string | undefined): string[] => (line ?? "").split(/[\s,]+(?![^[]*\])/).filter(Boolean);
/** A number stands in the file as one; anything else as it was typed, so that the fault names it. */
const number = (line: string | undefined): Written => (/^\d+$/.test(line ?? "") ? Number(line) : (line ?? ""));
const maybe = (line: string | undefined): string | undefined => (line === "" ? undefined : line);

/** The plan's file. */
export function planText(chosen: Chosen, { site, job }: UpAround): string {
  const { nodes = {}, system = {}, configure = {}, manager = {}, instances = {} } = chosen;
  const from = nodes["from"];
  const place: Record<string, Written | undefined> =
    from === "hosts"
      ? { nodes: list(nodes["hosts"]) }
      : from === "job"
        ? { site: site?.name, job: job?.jobId }
        : {
            site: site?.name,
            nodes: number(nodes["nodes"]),
            walltime: nodes["walltime"],
            subnet: number(nodes["subnet"]),
            cluster: maybe(nodes["cluster"]),
            queue: maybe(nodes["queue"]),
          };
  return writeUpPlan(
    {
      ...place,
      minimum: nodes["minimum"] ? number(nodes["minimum"]) : undefined,
      deploy: from !== "hosts" && system["deploy"] === "yes" ? deployPart(system) : undefined,
      configure: configure["configure"] === "yes" ? configurePart(configure) : undefined,
      install: manager["provider"] ? managerPart(manager) : undefined,
      instances: manager["provider"] && (instances["count"] ?? "0") !== "0" ? [instancePart(instances)] : undefined,
    },
    "virtu up FILE goes this way; virtu down FILE takes it back.",
  );
}

function deployPart({ environment = "", key }: Values): Written {
  const isImage = environment.includes("/") || environment.endsWith(".env");
  return { [isImage ? "image" : "environment"]: environment, key: maybe(key) };
}

function configurePart({ keys, upgrade, password, timezone, run }: Values): Written {
  const files = list(keys);
  return {
    keys: files.length > 0 ? files : undefined,
    upgrade: upgrade !== "no",
    password: maybe(password),
    timezone: maybe(timezone),
    run: run ? [run] : undefined,
  };
}

function managerPart(values: Values): Written {
  const { provider = "", cluster = "", address, hypervisor = "", storage = "", disk, bridge, system = "" } = values;
  if (provider === "libvirt") {
    const users = list(values["users"]);
    return { provider, pool: maybe(values["pool"]), users: users.length > 0 ? users : undefined };
  }
  return {
    provider,
    cluster,
    address: maybe(address),
    hypervisors: [hypervisor],
    storage: storage === "lvm" && disk ? `lvm:${disk}` : storage,
    bridge: maybe(bridge),
    systems: [system],
  };
}

function instancePart({ count: many = "1", name = "", memory = "", vcpus, size, image, start }: Values): Written {
  return {
    name,
    count: many === "1" ? undefined : number(many),
    memory,
    vcpus: number(vcpus),
    disk: maybe(size),
    image: maybe(image),
    start: start === "no" ? false : undefined,
  };
}

/** Fields of the file by the form's own, where they have another name. */
const fileFields: Readonly<Record<string, readonly [UpStep, string]>> = {
  "deploy.environment": ["system", "environment"],
  "deploy.image": ["system", "environment"],
  "deploy.key": ["system", "key"],
  "configure.keys": ["configure", "keys"],
  "configure.timezone": ["configure", "timezone"],
  "configure.run": ["configure", "run"],
  "install.cluster": ["manager", "cluster"],
  "install.address": ["manager", "address"],
  "install.storage": ["manager", "disk"],
  "install.bridge": ["manager", "bridge"],
  "install.pool": ["manager", "pool"],
  "install.users": ["manager", "users"],
  "instances[1].name": ["instances", "name"],
  "instances[1].count": ["instances", "count"],
  "instances[1].memory": ["instances", "memory"],
  "instances[1].vcpus": ["instances", "vcpus"],
  "instances[1].disk": ["instances", "size"],
  "instances[1].image": ["instances", "image"],
  walltime: ["nodes", "walltime"],
  queue: ["nodes", "queue"],
  minimum: ["nodes", "minimum"],
};

/** The plan, or what is wrong, by step and field. A fault that belongs to no field stands under the empty name of its step. */
export function readChosen(
  chosen: Chosen,
  around: UpAround,
): { plan: UpPlan } | { faults: Partial<Record<UpStep, Record<string, string>>> } {
  const read = readUpPlan(planText(chosen, around));
  if ("plan" in read) return read;
  const faults: Partial<Record<UpStep, Record<string, string>>> = {};
  for (const { field, text: why } of read.faults) {
    const inNodes = chosen.nodes?.["from"] === "hosts" ? "hosts" : "nodes";
    const [step, name] = field === "nodes" ? (["nodes", inNodes] as const) : (fileFields[field] ?? stepOf(field));
    faults[step] = { [name]: why, ...faults[step] };
  }
  return { faults };
}

function stepOf(field: string): readonly [UpStep, string] {
  const [head = ""] = field.split(/[.[]/);
  const steps: Readonly<Record<string, UpStep>> = {
    deploy: "system",
    configure: "configure",
    install: "manager",
    instances: "instances",
  };
  return [steps[head] ?? "nodes", ""];
}
