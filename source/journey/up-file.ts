/** Reads a way from its file: every field checked by hand, so that each fault names its line and what is allowed. Pure. */
import { unfold } from "../tools/nodeset.ts";
import { type Fault, refusal, YamlText } from "../yaml-text.ts";
import { readStorage } from "./install-ganeti-choose.ts";
import type { GanetiHypervisor } from "./install-ganeti-types.ts";
import { checkRequest, type ReserveField, type ReserveValues } from "./reserve-form.ts";
import type { DeployRequest } from "./types.ts";
import { instanceFields, readInstances } from "./up-file-instances.ts";
import type { UpConfigure, UpDeploy, UpGaneti, UpInstance, UpLibvirt, UpMinimum, UpNodes, UpPlan } from "./up-types.ts";
import { Fields } from "./yaml-fields.ts";

const hypervisors: readonly GanetiHypervisor[] = ["kvm", "xen-pvm", "xen-hvm", "fake"];
const systems = ["noop", "debootstrap", "none"] as const;
const reserveFields = [
  "walltime",
  "subnet",
  "cluster",
  "properties",
  "queue",
  "project",
  "name",
  "start",
] as const satisfies readonly ReserveField[];
const topFields = [
  "site",
  "nodes",
  "job",
  ...reserveFields,
  "minimum",
  "deploy",
  "configure",
  "install",
  "instances",
] as const;
const configureFields = [
  "keys",
  "pair",
  "copy-key",
  "upgrade",
  "password",
  "timezone",
  "locale",
  "run",
  "scripts",
] as const;
const ganetiFields = [
  "provider",
  "cluster",
  "address",
  "master",
  "hypervisors",
  "storage",
  "group",
  "disks",
  "erase",
  "bridge",
  "systems",
] as const;
const libvirtFields = ["provider", "users", "pool"] as const;

const host = /^[A-Za-z0-9_][\w.@:[\]-]*$/;
const domainName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const address = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const disk = /^(?:[^\s:/]+:)?\/dev\/\S+$/;
/** An interface's name has at most 15 bytes, in the kernel. */
const interfaceName = /^[A-Za-z0-9][\w.-]{0,14}$/;

/** The plan, or everything that is wrong with the text, in its order. */
export function readUpPlan(text: string): { plan: UpPlan } | { faults: Fault[] } {
  const yaml = new YamlText(text);
  if (yaml.faults.length > 0) return { faults: yaml.faults };
  const top = new Fields(yaml, yaml.root, "", "a plan", topFields);
  const nodes = readNodes(top);
  const plan: UpPlan = {
    nodes: nodes ?? { kind: "hosts", names: [] },
    minimum: readMinimum(top, nodes),
    deploy: readDeploy(top, nodes),
    configure: readConfigure(top),
    install: readInstall(top),
    instances: readInstances(top.groups("instances", "an instance", instanceFields), top),
  };
  if (yaml.faults.length === 0) checkWhole(top, plan);
  if (yaml.faults.length === 0) return { plan };
  return { faults: yaml.sorted() };
}

/** What must fit together, said where one would change it. */
function checkWhole(top: Fields, { install, instances, deploy, configure, nodes }: UpPlan): void {
  if (instances.length > 0 && install === null) {
    top.fault("instances", 'instances need "install": it says whether Ganeti or libvirt makes them');
  }
  if (!deploy && !configure && !install && nodes.kind === "hosts") {
    top.missing("install", "hosts that are there already need one of configure and install");
  }
}

function readNodes(top: Fields): UpNodes | null {
  const site = top.matching("site", host, "a site of the settings, or a host that ssh knows");
  const unwanted = (names: readonly string[], why: string) => {
    for (const name of names) if (top.has(name)) top.fault(name, `"${name}" has no place here: ${why}`);
  };
  if (top.has("job")) {
    unwanted(["nodes", ...reserveFields], "the job is there already");
    if (!top.has("site")) return top.missing("site", "the job belongs to one");
    const jobId = top.whole("job", 1, 999_999_999);
    return site === null || jobId === null ? null : { kind: "job", site, jobId };
  }
  if (!top.has("nodes")) {
    return top.missing("nodes", "how many to reserve on a site, a list of hosts, or the number of a job (job)");
  }
  if (top.isList("nodes")) {
    unwanted(["site", ...reserveFields], '"nodes" is a list of hosts, which nobody reserves');
    const words = top.texts("nodes", /^[A-Za-z0-9_][\w.@:[\],-]*$/, "a host as ssh knows it");
    const names = [...new Set(words.flatMap((word) => unfold(word)))];
    if (names.length === 0) return top.fault("nodes", "the list of hosts is empty");
    return { kind: "hosts", names };
  }
  if (!top.has("site")) return top.missing("site", 'nodes are reserved on one; hosts are a list: "nodes: [a, b]"');
  const values = Object.fromEntries(["nodes", ...reserveFields].map((name) => [name, top.text(name) ?? ""]));
  const checked = checkRequest(values as unknown as ReserveValues);
  if ("request" in checked) return site === null ? null : { kind: "reserve", site, request: checked.request };
  for (const [name, text] of Object.entries(checked.errors)) {
    const sentence = text.replace(/\.$/, "");
    if (!top.has(name)) top.missing(name, sentence);
    else top.fault(name, `${top.given(name)} can't be taken: ${sentence}`);
  }
  return null;
}

function readMinimum(top: Fields, nodes: UpNodes | null): UpMinimum | null {
  const wanted = "a number of nodes, or a share like 80%";
  const text = top.text("minimum", wanted);
  if (text === null) return null;
  const [, digits = "", percent] = /^(\d{1,6}(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const number = digits === "" ? Number.NaN : Number(digits);
  if (percent) {
    return number > 0 && number <= 100
      ? { kind: "share", share: number / 100 }
      : top.fault("minimum", `${top.given("minimum")} is not a share from 1% to 100%`);
  }
  const most = nodes?.kind === "reserve" ? nodes.request.nodes : nodes?.kind === "hosts" ? nodes.names.length : null;
  if (Number.isInteger(number) && number >= 1 && (most === null || number <= most))
    return { kind: "nodes", nodes: number };
  const upTo = most === null ? "" : ` from 1 to ${most}`;
  return top.fault("minimum", `${top.given("minimum")} is not ${wanted.replace("nodes", `nodes${upTo}`)}`);
}

function readDeploy(top: Fields, nodes: UpNodes | null): UpDeploy | null {
  const group = top.group("deploy", "a deployment", ["environment", "image", "key", "retries"]);
  if (!group) return null;
  if (nodes?.kind === "hosts") {
    return top.fault("deploy", "hosts are taken as they are: only a site's nodes can be deployed");
  }
  const environment = readEnvironment(group);
  const key = group.text("key", "a file of public keys on this machine");
  const retries = group.whole("retries", 0, 20) ?? 2;
  return environment && { environment, key, retries };
}

function readEnvironment(group: Fields): DeployRequest["environment"] | null {
  if (group.has("environment") && group.has("image")) {
    return group.fault("image", "an environment and an image: one of them only");
  }
  if (group.has("image")) {
    const file = group.matching("image", /\S/, "an image's .env file on the frontend");
    return file === null ? null : { kind: "image", file };
  }
  if (!group.has("environment")) return group.missing("environment", "NAME or NAME:VERSION, or an image");
  const text = group.text("environment", "NAME or NAME:VERSION");
  const [, name, version] = /^([^\s:]+)(?::(\d+))?$/.exec(text ?? "") ?? [];
  if (name !== undefined) return { kind: "environment", name, version };
  if (text !== null) group.fault("environment", `${group.given("environment")} is not NAME or NAME:VERSION`);
  return null;
}

function readConfigure(top: Fields): UpConfigure | null {
  const group = top.group("configure", "a configuration", configureFields);
  if (!group) return null;
  const password = group.text("password", "generate, stdin or ask");
  const way = (["generate", "stdin", "ask"] as const).find((one) => one === password);
  // What stands there may be one: it is not repeated.
  if (password !== null && !way) {
    group.fault("password", "a password never stands in the file: write generate, stdin or ask");
  }
  return {
    keys: group.texts("keys", /./, "a file of public keys on this machine"),
    pair: group.flag("pair", true),
    copyKey: group.text("copy-key", "a private key's file on this machine"),
    upgrade: group.flag("upgrade", true),
    password: way ?? null,
    timezone: group.matching("timezone", /^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/, "a time zone, like Europe/Paris"),
    locale: group.matching("locale", /^[A-Za-z][\w.@-]*$/, "a locale, like C.UTF-8"),
    run: group.texts("run", /./, "a command of one line; longer ones are scripts"),
    scripts: group.texts("scripts", /./, "a script's file on this machine"),
  };
}

function readInstall(top: Fields): UpGaneti | UpLibvirt | null {
  if (!top.has("install")) return null;
  // Which fields there may be depends on one of them: it is read first, in silence about the others.
  const all = [...new Set([...ganetiFields, ...libvirtFields])];
  const first = top.group("install", "an installation", all);
  if (!first) return null;
  if (!first.has("provider")) return first.missing("provider", "ganeti or libvirt");
  const provider = first.choice("provider", ["ganeti", "libvirt"] as const);
  if (provider === null) return null;
  const group = first.only(`an installation of ${provider}`, provider === "ganeti" ? ganetiFields : libvirtFields);
  return provider === "ganeti" ? readGaneti(group) : readLibvirt(group);
}

function readGaneti(group: Fields): UpGaneti {
  const named = group.matching("cluster", domainName, "a host name for the cluster, like cluster1");
  if (!group.has("cluster")) group.missing("cluster", "the name of the new cluster, like cluster1");
  const disks = group.texts("disks", disk, "a disk, as /dev/sdb or NODE:/dev/sdb");
  const word = group.text("storage", "file, file:/DIRECTORY, lvm, lvm:/dev/DISK or diskless");
  const storage = word ?? (disks.length > 0 ? "lvm" : "file");
  if (readStorage({ storage, group: "xenvg", disks: [] }) === null) {
    group.fault("storage", `${group.given("storage")} is not file, file:/DIRECTORY, lvm, lvm:/dev/DISK or diskless`);
  }
  const chosen = group.choices("hypervisors", hypervisors);
  return {
    provider: "ganeti",
    cluster: named ?? "",
    address: group.matching("address", address, "an IPv4 address that nobody uses"),
    master: group.matching("master", host, "the name of one of the nodes"),
    hypervisors: group.has("hypervisors") ? chosen : ["kvm"],
    storage,
    group: group.matching("group", /^[A-Za-z0-9+_.][\w+.-]*$/, "a volume group's name") ?? "xenvg",
    disks,
    erase: group.texts("erase", disk, "a disk, as /dev/sdb or NODE:/dev/sdb"),
    bridge: group.matching("bridge", interfaceName, "a bridge's name of at most 15 letters and digits"),
    systems: group.has("systems") ? group.choices("systems", systems).filter((one) => one !== "none") : ["noop"],
  };
}

function readLibvirt(group: Fields): UpLibvirt {
  return {
    provider: "libvirt",
    users: group.texts("users", /^[a-z_][\w-]*\$?$/i, "an account's name"),
    pool: group.matching("pool", /^\/\S+$/, "an absolute path, like /srv/images") ?? "/var/lib/libvirt/images",
  };
}

/** One instance by the fields that a plan's file has for it; or what is wrong, by field. */
export function readInstance(
  fields: Readonly<Record<string, string>>,
): { instance: UpInstance } | { errors: Record<string, string> } {
  const yaml = new YamlText(JSON.stringify(fields));
  const group = new Fields(yaml, yaml.root, "", "an instance", instanceFields);
  const [instance] = readInstances([group], group);
  if (instance && yaml.faults.length === 0) return { instance };
  return { errors: Object.fromEntries(yaml.faults.map(({ field, text }) => [field, text])) };
}

/** A file's text as a plan; rejects as `usage` with every fault, each with line, column and field. */
export function checkUpPlan(text: string, file: string): UpPlan {
  const read = readUpPlan(text);
  if ("plan" in read) return read.plan;
  throw refusal(
    "This is not a plan that can be carried",
    file,
    read.faults,
    "virtu up --help shows a plan with its fields.",
  );
}
