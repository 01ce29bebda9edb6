/** What the built program loads, and what it must not load before it is needed: a start is paid by every command. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

const project = path.join(import.meta.dirname, "..");
const folder = mkdtempSync(path.join(tmpdir(), "virtu-bundle-"));
const built = path.join(folder, "dist");
let outputs: Metafile["outputs"] = {};

beforeAll(() => {
  const args = ["build.mjs", "--metafile", "--outdir", built];
  expect(spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" })).toMatchObject({
    status: 0,
    stderr: "",
  });
  ({ outputs } = JSON.parse(readFileSync(path.join(built, "meta.json"), "utf8")) as Metafile);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A chunk with all that it imports before its first line runs. */
function needed(chunk: string): string[] {
  const found = new Set<string>();
  const follow = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const { path: other, kind } of outputs[name]?.imports ?? []) if (kind === "import-statement") follow(other);
  };
  follow(chunk);
  return [...found].filter((name) => outputs[name]);
}

/** The chunks that are loaded with these files of ours. */
function chunksOf(...entries: string[]): string[] {
  const chunks = entries.map((entry) => {
    const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry);
    if (!found) throw new Error(`${entry} is not loaded late: it has no chunk of its own`);
    return found[0];
  });
  return [...new Set(chunks.flatMap(needed))];
}

/** Packages by name, and files of ours by path. */
function modulesIn(chunks: readonly string[]): string[] {
  const files = chunks.flatMap((chunk) => Object.keys(outputs[chunk]?.inputs ?? {}));
  return [...new Set(files.map((file) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file))].sort();
}

const packages = (chunks: readonly string[]) => modulesIn(chunks).filter((name) => !name.includes("source/"));

const providers = ["ganeti", "libvirt", "xen", "xenserver"].map((name) => `source/instances/${name}.ts`);
const ownMakers = ["ganeti", "libvirt", "xen", "xenserver"].map((name) => `source/instances/create-maker-${name}.ts`);
const makers = [
  ...ownMakers,
  ...["source/instances/create-run.ts", "source/tools/virt-install.ts", "source/tools/ganeti-actions.ts"],
];
const journeys = ["run-engine", "up", "deploy", "reserve", "jobs"].map((name) => `source/journey/${name}.ts`);

test("--version loads a few lines", () => {
  expect(statSync(path.join(built, "cli.js")).size).toBeLessThan(1000);
  expect(readFileSync(path.join(built, "cli.js"), "utf8")).not.toMatch(/^import|;import[^(]/m);
});

test("a headless command has one chunk of the base beside its own, without what it may not need", () => {
  const chunks = chunksOf("source/commands/program.ts", "source/commands/instances.ts");
  expect(chunks.length).toBeLessThanOrEqual(4);
  const allowed = ["ansi-regex", "commander", "get-east-asian-width", "ssh-config", "string-width", "strip-ansi"];
  expect(packages(chunks)).toEqual(allowed);
  const modules = modulesIn(chunks);
  for (const late of [...providers, ...makers, ...journeys]) expect(modules).not.toContain(late);
  expect(modules.filter((name) => name.startsWith("source/ui/"))).toEqual([]);
});

test("what a headless command really loads up to the network is that and ssh2", () => {
  const coverage = path.join(folder, "coverage");
  const config = path.join(folder, "config");
  writeFileSync(config, "Host *\n  HostName 127.0.0.1\n  Port 1\n  UserKnownHostsFile /dev/null\n");
  const args = ["instances", "--json", "--host", "hv1", "-F", config, "--config", path.join(folder, "virtu")];
  const { status, stderr } = spawnSync(process.execPath, [path.join(built, "cli.js"), ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
  });
  expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("connection") });
  const loaded = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(path.join(coverage, file), "utf8")) as { result: { url: string }[] };
    return result.flatMap(({ url }) => (url.startsWith("file:") ? [fileURLToPath(url)] : []));
  });
  const names = new Map(Object.keys(outputs).map((name) => [path.resolve(project, name), name]));
  const chunks = loaded.flatMap((file) => names.get(file) ?? []);
  const expected = chunksOf("source/commands/program.ts", "source/commands/instances.ts", "source/ssh/link.ts");
  expect(chunks.toSorted()).toEqual(expected.toSorted());
});

test("the first frame waits for no journey, provider or further screen, and for no package of theirs", () => {
  const chunks = chunksOf("source/commands/program.ts", "source/ui/open.ts", "source/ui/begin.ts");
  expect(chunks.length).toBeLessThanOrEqual(40);
  for (const late of ["ajv", "conf", "fast-png", "jsonc-parser", "ssh2", "yaml", "@xterm/headless"]) {
    expect(packages(chunks)).not.toContain(late);
  }
  const modules = modulesIn(chunks);
  for (const late of [...providers, ...makers, ...journeys]) expect(modules).not.toContain(late);
  const screens = modules.filter((name) => /^source\/ui\/screens\/[\w-]+\.tsx$/.test(name));
  expect(screens).toEqual(expect.arrayContaining(["source/ui/screens/home.tsx", "source/ui/screens/instances.tsx"]));
  for (const later of ["create", "deploy", "run", "up"])
    expect(screens).not.toContain(`source/ui/screens/${later}.tsx`);
});

test("what makes instances waits until one is to be made on such a provider", () => {
  for (const entry of [...providers, "source/commands/create.ts", "source/ui/screens/part-instances.ts"]) {
    const modules = modulesIn(chunksOf(entry));
    for (const late of ownMakers) expect(modules, entry).not.toContain(late);
  }
  for (const maker of ownMakers) {
    const modules = modulesIn(chunksOf(maker));
    for (const other of ownMakers) if (other !== maker) expect(modules, maker).not.toContain(other);
    for (const late of ["source/ssh/link.ts", ...providers]) expect(modules, maker).not.toContain(late);
  }
});

test("Ink is loaded after what it reads at its import is set", () => {
  const before = packages(chunksOf("source/commands/program.ts", "source/ui/open.ts"));
  for (const late of ["ink", "react", "chalk"]) expect(before).not.toContain(late);
});
