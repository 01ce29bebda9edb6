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
  it("gives defaults without a file, and writes none by reading", () => {
    const settings = new Settings(directory);
    expect(settings.problem).toBeNull();
    expect(settings.get("sites")).toEqual([]);
    expect(settings.get("libvirtUri")).toBe("qemu:///system");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("keeps a site over a restart, readable by its owner only", () => {
    new Settings(directory).addSite({ name: "rennes", frontend: "jdoe@frontend.rennes", gateway: "access" });
    const again = new Settings(directory);
    expect(again.site("rennes")).toEqual({ name: "rennes", frontend: "jdoe@frontend.rennes", gateway: "access" });
    expect(again.site("nancy")).toBeUndefined();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("replaces a site of the same name", () => {
    const settings = new Settings(directory);
    settings.addSite({ name: "rennes", frontend: "old" });
    settings.addSite({ name: "rennes", frontend: "new" });
    expect(settings.get("sites")).toEqual([{ name: "rennes", frontend: "new" }]);
  });

  it("names file and line of what is not JSON, and leaves the file alone", () => {
    const broken = '{\n  "hosts": ["hv1"],\n  "sites": [ }\n}\n';
    writeFileSync(file(), broken);
    const settings = new Settings(directory);
    expect(settings.problem).toMatchObject({ kind: "usage", where: `${file()}:3` });
    expect(settings.problem?.hint).toContain("Mend");
    expect(settings.get("hosts")).toEqual([]);
    expect(readFileSync(file(), "utf8")).toBe(broken);
  });

  it("names the field and line that breaks the schema", () => {
    writeFileSync(file(), '{\n  "hosts": ["hv1"],\n  "refreshSeconds": "often"\n}\n');
    const { problem } = new Settings(directory);
    expect(problem).toMatchObject({ kind: "usage", where: `${file()}:3` });
    expect(problem?.why).toContain("refreshSeconds");
  });

  it("copies a broken file aside before it writes, and never over an older copy", () => {
    writeFileSync(file(), "{ one");
    new Settings(directory).set("hosts", ["hv1"]);
    writeFileSync(file(), "{ two");
    new Settings(directory).set("hosts", ["hv2"]);
    expect(readFileSync(path.join(directory, "settings.broken-1.json"), "utf8")).toBe("{ one");
    expect(readFileSync(path.join(directory, "settings.broken-2.json"), "utf8")).toBe("{ two");
    const settings = new Settings(directory);
    expect(settings.problem).toBeNull();
    expect(settings.get("hosts")).toEqual(["hv2"]);
  });

  it("works again at once after a broken file was replaced", () => {
    writeFileSync(file(), "{");
    const settings = new Settings(directory);
    settings.set("hosts", ["hv1"]);
    expect(settings.get("hosts")).toEqual(["hv1"]);
    settings.set("libvirtUri", "test:///default");
    expect(new Settings(directory).get("hosts")).toEqual(["hv1"]);
  });

  it("keeps a setting of a newer version that it does not know", () => {
    writeFileSync(file(), '{"hosts":["hv1"],"later":{"x":1}}');
    new Settings(directory).set("hosts", ["hv2"]);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ hosts: ["hv2"], later: { x: 1 } });
  });
});
