import { expect, test } from "vitest";
import { globOf } from "../../source/instances/glob.ts";
import { noSelector, type Selectable, type Selector, selectBy, tagsOf } from "../../source/instances/selector.ts";
import { selectorOf, selectorText } from "../../source/instances/selector-words.ts";

const instance = (name: string, own: Partial<Selectable> = {}): Selectable => ({
  key: `${own.host ?? "hv1"}/${name}`,
  name,
  host: "hv1",
  cluster: null,
  node: null,
  provider: "libvirt",
  status: "running",
  facts: {},
  ...own,
});

const gnt = { host: "root@gnt1:2222", cluster: "gnt.example.org", provider: "ganeti" } as const;
const all = [
  instance("web1", { facts: { tags: "web,front" } }),
  instance("web2", { status: "stopped", facts: { tags: "web" } }),
  instance("db1", { host: "hv2" }),
  instance("web1", { host: "hv2", status: "stopped" }),
  instance("mail1.example.org", { ...gnt, node: "node2.example.org", facts: { tags: "mail" } }),
];
const groups = {
  lab: [{ glob: "db*" }, { tag: "front", host: "hv1" }],
  off: [{ state: "stopped" as const, provider: "libvirt" as const }],
  named: [{ name: "mail1" }, { name: "hv2/web1" }],
};

const chosen = (own: Partial<Selector>) =>
  selectBy(all, { ...noSelector, ...own }, { groups }).found.map(({ key }) => key.replace("root@gnt1:2222", "gnt1"));

test.each<[string, string, boolean]>([
  ["web*", "web1", true],
  ["web?", "web12", false],
  ["[ab]x", "bx", true],
  ["[!ab]x", "bx", false],
  ["[a-c]1", "b1", true],
  ["[]]", "]", true],
  ["a.b", "axb", false],
  ["a+(b)", "a+(b)", true],
  ["é?", "éà", true],
])("the pattern %s on %s: %s", (pattern, name, fits) => {
  expect(globOf(pattern)?.test(name)).toBe(fits);
});

test("a bracket that is never closed is no pattern, nor is a range from the end", () => {
  expect(globOf("[a")).toBeNull();
  expect(globOf("[z-a]")).toBeNull();
  expect(() => chosen({ globs: ["[a"] })).toThrow(/no pattern/);
});

test("each kind chooses by itself", () => {
  expect(chosen({ globs: ["web*"] })).toEqual(["hv1/web1", "hv1/web2", "hv2/web1"]);
  expect(chosen({ globs: ["hv2/*"] })).toEqual(["hv2/db1", "hv2/web1"]);
  expect(chosen({ globs: ["mail?"] })).toEqual(["gnt1/mail1.example.org"]);
  expect(chosen({ tags: ["web"] })).toEqual(["hv1/web1", "hv1/web2"]);
  expect(chosen({ groups: ["lab"] })).toEqual(["hv1/web1", "hv2/db1"]);
  expect(chosen({ groups: ["named"] })).toEqual(["hv2/web1", "gnt1/mail1.example.org"]);
  expect(chosen({ hosts: ["gnt1"] })).toEqual(["gnt1/mail1.example.org"]);
  expect(chosen({ hosts: ["gnt"] })).toEqual(["gnt1/mail1.example.org"]);
  expect(chosen({ hosts: ["node2"] })).toEqual(["gnt1/mail1.example.org"]);
  expect(chosen({ providers: ["ganeti"] })).toEqual(["gnt1/mail1.example.org"]);
  expect(chosen({ states: ["stopped"] })).toEqual(["hv1/web2", "hv2/web1"]);
  expect(chosen({ all: true })).toHaveLength(5);
});

test("values of a kind are alternatives, kinds all hold", () => {
  expect(chosen({ tags: ["front", "mail"] })).toEqual(["hv1/web1", "gnt1/mail1.example.org"]);
  expect(chosen({ globs: ["web*"], states: ["stopped"] })).toEqual(["hv1/web2", "hv2/web1"]);
  expect(chosen({ groups: ["lab", "off"], hosts: ["hv2"] })).toEqual(["hv2/db1", "hv2/web1"]);
  expect(chosen({ names: ["hv2/web1", "db1"], states: ["running"] })).toEqual(["hv2/db1"]);
});

test("nothing chosen is no choice of all, and what means nothing is refused with what there is", () => {
  expect(() => chosen({})).toThrow("No instance is named");
  expect(() => chosen({ groups: ["prod"] })).toThrow(/no group prod.*lab, off, named/);
  expect(() => chosen({ groups: ["constructor"] })).toThrow(/no group/);
  expect(() => chosen({ providers: ["vmware"] })).toThrow(/ganeti, libvirt, xen, xenserver/);
  expect(() => chosen({ states: ["up"] })).toThrow(/running, stopped/);
  expect(() => chosen({ names: ["web1"], states: ["running"] })).toThrow(/means 2 instances/);
});

test("tags are parted by commas or blanks", () => {
  expect(tagsOf({ facts: { tags: "a, b  c" } })).toEqual(["a", "b", "c"]);
  expect(tagsOf({ facts: {} })).toEqual([]);
});

test("a line of words is a selector, and back", () => {
  const selector = selectorOf(["db1", "web*", "tag=web,front", "host=hv1", "state=stopped"]);
  expect(selector).toMatchObject({ names: ["db1"], globs: ["web*"], tags: ["web", "front"], all: false });
  expect(selectorOf(selectorText(selector).split(" "))).toEqual(selector);
  expect(selectorOf(["all"]).all).toBe(true);
  expect(() => selectorOf(["colour=red"])).toThrow(/means nothing/);
  expect(() => selectorOf(["tag="])).toThrow(/lacks a value/);
});
