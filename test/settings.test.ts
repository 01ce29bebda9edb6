import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Settings } from "../source/settings.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "virtu-settings-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = () => path.join(directory, "settings.json");

describe("settings", () => {
  it("gives defaults without a file, and writes none by reading", async () => {
    const settings = await Settings.open(directory);
    expect(settings.problem).toBeNull();
    expect(settings.get("sites")).toEqual([]);
    expect(settings.get("refreshSeconds")).toBe(4);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("keeps a site over a restart, readable by its owner only", async () => {
    await (await Settings.open(directory)).addSite({
      name: "rennes",
      frontend: "jdoe@frontend.rennes",
      gateway: "access",
    });
    const again = await Settings.open(directory);
    expect(again.site("rennes")).toEqual({ name: "rennes", frontend: "jdoe@frontend.rennes", gateway: "access" });
    expect(again.site("nancy")).toBeUndefined();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("replaces a site of the same name", async () => {
    const settings = await Settings.open(directory);
    await settings.addSite({ name: "rennes", frontend: "old" });
    await settings.addSite({ name: "rennes", frontend: "new" });
    expect(settings.get("sites")).toEqual([{ name: "rennes", frontend: "new" }]);
  });

  it("names file and line of what is not JSON, and leaves the file alone", async () => {
    const broken = '{\n  "hosts": ["hv1"],\n  "sites": [ }\n}\n';
    writeFileSync(file(), broken);
    const settings = await Settings.open(directory);
    expect(settings.problem).toMatchObject({ kind: "usage", where: `${file()}:3` });
    expect(settings.problem?.hint).toContain("Mend");
    expect(settings.get("hosts")).toEqual([]);
    expect(readFileSync(file(), "utf8")).toBe(broken);
  });

  it("names the line of a fault deep in a site", async () => {
    writeFileSync(file(), '{"sites": [\n{"name": "a", "frontend": "f"},\n{"name": "b",\n"frontend": 7}\n]}');
    const { problem } = await Settings.open(directory);
    expect(problem).toMatchObject({ where: `${file()}:4`, why: "sites[1].frontend must be a text" });
  });

  it("names the field and line that can't be used", async () => {
    writeFileSync(file(), '{\n  "hosts": ["hv1"],\n  "refreshSeconds": "often"\n}\n');
    const { problem } = await Settings.open(directory);
    expect(problem).toMatchObject({ kind: "usage", where: `${file()}:3` });
    expect(problem?.why).toContain("refreshSeconds");
  });

  it("copies a broken file aside before it writes, and never over an older copy", async () => {
    writeFileSync(file(), "{ one");
    await (await Settings.open(directory)).set("hosts", ["hv1"]);
    writeFileSync(file(), "{ two");
    await (await Settings.open(directory)).set("hosts", ["hv2"]);
    expect(readFileSync(path.join(directory, "settings.broken-1.json"), "utf8")).toBe("{ one");
    expect(readFileSync(path.join(directory, "settings.broken-2.json"), "utf8")).toBe("{ two");
    const settings = await Settings.open(directory);
    expect(settings.problem).toBeNull();
    expect(settings.get("hosts")).toEqual(["hv2"]);
  });

  it("works again at once after a broken file was replaced", async () => {
    writeFileSync(file(), "{");
    const settings = await Settings.open(directory);
    await settings.set("hosts", ["hv1"]);
    expect(settings.get("hosts")).toEqual(["hv1"]);
    await settings.set("libvirtUri", "test:///default");
    expect((await Settings.open(directory)).get("hosts")).toEqual(["hv1"]);
  });

  it("keeps a setting of a newer version that it does not know", async () => {
    writeFileSync(file(), '{"hosts":["hv1"],"later":{"x":1}}');
    await (await Settings.open(directory)).set("hosts", ["hv2"]);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ hosts: ["hv2"], later: { x: 1 } });
  });
});

describe("groups and limits", () => {
  const problemOf = async (value: unknown) => {
    writeFileSync(file(), JSON.stringify(value, null, 2));
    return (await Settings.open(directory)).problem;
  };

  it("takes rules of names, patterns, tags, hosts, providers and states, and limits", async () => {
    const groups = { lab: [{ glob: "lab-*" }, { tag: "lab", host: "hv1" }], off: [{ state: "stopped" }] };
    const parallel = { default: 4, providers: { ganeti: 2 }, hosts: { hv1: 1 } };
    expect(await problemOf({ groups, parallel })).toBeNull();
    const settings = await Settings.open(directory);
    expect(settings.get("groups")).toEqual(groups);
    expect(settings.get("parallel")).toEqual(parallel);
  });

  it.each<[string, unknown, RegExp, number]>([
    [
      "a field that no rule has",
      { groups: { lab: [{ tag: "a" }, { colour: "red" }] } },
      /groups\.lab\[1\]\.colour is no field/,
      8,
    ],
    ["a rule that holds for all", { groups: { lab: [{}] } }, /groups\.lab\[0\] is an empty rule/, 4],
    ["a rule that is no list", { groups: { lab: { tag: "a" } } }, /groups\.lab must be a list/, 3],
    ["a name with a blank", { groups: { "my lab": [] } }, /is no group's name/, 3],
    [
      "a pattern that is never closed",
      { groups: { lab: [{ glob: "[a" }] } },
      /groups\.lab\[0\]\.glob is no pattern/,
      5,
    ],
    ["a provider that there is not", { groups: { lab: [{ provider: "kvm" }] } }, /must be one of ganeti/, 5],
    ["a limit of nothing", { parallel: { default: 0 } }, /parallel\.default must be a whole number/, 3],
    [
      "a limit for a provider that there is not",
      { parallel: { providers: { kvm: 2 } } },
      /parallel\.providers\.kvm is no provider/,
      4,
    ],
    ["another limit", { parallel: { all: 2 } }, /parallel\.all is no limit/, 3],
  ])("names file and line of %s", async (_what, value, why, line) => {
    const problem = await problemOf(value);
    expect(problem?.why).toMatch(why);
    expect(problem?.where).toBe(`${file()}:${line}`);
  });
});
