/**
 * Which instances are meant by rules instead of names: patterns, tags, groups, hosts, providers, states. Pure.
 *
 * Values of one kind are alternatives, kinds are all required: `tag=web tag=db state=running` means what runs and has one
 * of the two tags.
 */
import { VirtuError } from "../errors.ts";
import { globOf } from "./glob.ts";
import { type Selection, select } from "./select.ts";
import type { Instance, ProviderName, Status } from "./types.ts";

/** One rule of a group: everything that it names must hold. */
export interface GroupRule {
  name?: string;
  glob?: string;
  tag?: string;
  host?: string;
  provider?: ProviderName;
  state?: Status;
}

/** The groups of the settings: what any rule of a group holds for belongs to it. */
export type Groups = Readonly<Record<string, readonly GroupRule[]>>;

export interface Selector {
  /** `NAME` or `HOST/NAME`, each one must be there. */
  names: readonly string[];
  globs: readonly string[];
  tags: readonly string[];
  groups: readonly string[];
  hosts: readonly string[];
  providers: readonly string[];
  states: readonly string[];
  all: boolean;
}

export const noSelector: Selector = {
  names: [],
  globs: [],
  tags: [],
  groups: [],
  hosts: [],
  providers: [],
  states: [],
  all: false,
};

export const providerNames: readonly ProviderName[] = ["ganeti", "libvirt", "xen", "xenserver"];
export const statusNames: readonly Status[] = ["running", "stopped", "paused", "error", "unknown"];

export type Selectable = Pick<Instance, "key" | "name" | "host" | "cluster" | "node" | "provider" | "status" | "facts">;

/** The tags of an instance: what its provider keeps under `facts.tags`, parted by commas or blanks. */
export function tagsOf({ facts }: Pick<Instance, "facts">): string[] {
  const tags = facts["tags"];
  return typeof tags === "string" ? tags.split(/[\s,]+/).filter(Boolean) : [];
}

/** HOST is the host as it was named, its bare name, the cluster, or the node that it runs on (with or without domain). */
export function isOn(instance: Pick<Instance, "host" | "cluster" | "node">, host: string): boolean {
  const bare = instance.host.replace(/^[^@]*@/, "");
  const node = instance.node ?? "";
  return [
    instance.host,
    bare,
    bare.replace(/:\d+$/, ""),
    instance.cluster,
    instance.cluster?.split(".")[0],
    node,
    node.split(".")[0],
  ].includes(host);
}

type Test = (instance: Selectable) => boolean;

const any =
  (tests: readonly Test[]): Test =>
  (instance) =>
    tests.some((test) => test(instance));

function nameTest(pattern: string): Test {
  const glob = globOf(pattern);
  if (!glob) throw usage(`${pattern} is no pattern`, "a [ in it is never closed");
  const withHost = pattern.includes("/");
  return ({ name, host, cluster }) => {
    const names = cluster === null ? [name] : [name, name.split(".")[0] ?? name];
    return names.some((one) => glob.test(withHost ? `${host}/${one}` : one));
  };
}

function oneOf<T extends string>(kind: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found) return found;
  throw usage(`There is no ${kind} ${value}`, `there are ${known.join(", ")}`);
}

const wordTest = (word: string): Test => {
  // A plain name in a group: as `select` reads it, but several may be called so.
  const slash = word.lastIndexOf("/");
  const name = slash < 1 ? word : word.slice(slash + 1);
  return (instance) =>
    (instance.name === name || (instance.cluster !== null && instance.name.startsWith(`${name}.`))) &&
    (slash < 1 || isOn(instance, word.slice(0, slash)));
};

function ruleTest(rule: GroupRule): Test {
  const tests: Test[] = [];
  const { name, glob, tag, host, provider, state } = rule;
  if (name !== undefined) tests.push(wordTest(name));
  if (glob !== undefined) tests.push(nameTest(glob));
  if (tag !== undefined) tests.push((instance) => tagsOf(instance).includes(tag));
  if (host !== undefined) tests.push((instance) => isOn(instance, host));
  if (provider !== undefined) tests.push((instance) => instance.provider === provider);
  if (state !== undefined) tests.push((instance) => instance.status === state);
  return (instance) => tests.every((test) => test(instance));
}

function groupTest(name: string, groups: Groups): Test {
  const rules = Object.hasOwn(groups, name) ? groups[name] : undefined;
  if (rules) return any(rules.map(ruleTest));
  const names = Object.keys(groups);
  throw new VirtuError({
    kind: "usage",
    what: `There is no group ${name}`,
    why: names.length > 0 ? `the settings know ${names.join(", ")}` : "the settings know none",
    hint: 'Groups stand in the settings: "groups": {"lab": [{"glob": "lab-*"}, {"tag": "lab"}]}.',
  });
}

/** What a selector's rules (all but its names) ask of an instance. Throws a usage error for what means nothing. */
export function testOf(selector: Selector, groups: Groups): Test {
  const { globs, tags, groups: named, hosts, providers, states } = selector;
  const kinds: Test[][] = [
    globs.map(nameTest),
    tags.map((tag) => (instance: Selectable) => tagsOf(instance).includes(tag)),
    named.map((name) => groupTest(name, groups)),
    hosts.map((host) => (instance: Selectable) => isOn(instance, host)),
    providers.map((word) => {
      const provider = oneOf("provider", word, providerNames);
      return (instance: Selectable) => instance.provider === provider;
    }),
    states.map((word) => {
      const state = oneOf("state", word, statusNames);
      return (instance: Selectable) => instance.status === state;
    }),
  ];
  const tests = kinds.filter((kind) => kind.length > 0).map(any);
  return (instance) => tests.every((test) => test(instance));
}

/** Whether it says at all which instances are meant. */
export function choosesSomething(selector: Selector): boolean {
  const { names, globs, tags, groups, hosts, providers, states, all } = selector;
  return all || [names, globs, tags, groups, hosts, providers, states].some((kind) => kind.length > 0);
}

/** Whether the instances are chosen by rules, so that whoever asks has not named each of them. */
export function isByRule({ names }: Selector): boolean {
  return names.length === 0;
}

/**
 * The instances that a selector means: those named, in the order of the names, or else all, as far as they pass its
 * rules. Throws a usage error when it chooses nothing, means nothing, or a name is not there.
 */
export function selectBy<T extends Selectable>(
  instances: readonly T[],
  selector: Selector,
  options: { groups: Groups; silentHosts?: readonly string[] },
): Selection<T> {
  if (!choosesSomething(selector)) {
    const hint = "Name instances, choose by --glob, --tag, --group, --provider or --state, or take them --all.";
    throw new VirtuError({ kind: "usage", what: "No instance is named", hint });
  }
  const { names } = selector;
  const test = testOf(selector, options.groups);
  const { found, unseen } =
    names.length > 0 ? select(instances, names, options.silentHosts) : { found: [...instances], unseen: [] };
  return { found: found.filter(test), unseen };
}

function usage(what: string, why: string): VirtuError {
  return new VirtuError({ kind: "usage", what, why });
}
