/** The package as a user gets it: packed, installed into an empty folder without development dependencies, and run there. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const project = join(import.meta.dirname, "..", "..");
const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string };
const folder = mkdtempSync(join(tmpdir(), "virtu-pack-"));
const installed = join(folder, "empty");

function run(command: string, args: string[], cwd: string): SpawnSyncReturns<string> {
  const env = { ...process.env, HOME: folder, NODE_OPTIONS: "", NODE_PATH: "" };
  return spawnSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 230_000 });
}

const virtu = (...args: string[]) => run(join(installed, "node_modules", ".bin", "virtu"), args, installed);

beforeAll(() => {
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], project);
  expect(packed, packed.stderr).toMatchObject({ status: 0 });
  const tarball = join(folder, `virtu-${version}.tgz`);
  const install = ["install", "--prefix", installed, "--omit=dev", "--no-audit", "--no-fund", tarball];
  const made = run("npm", install, folder);
  expect(made, made.stderr).toMatchObject({ status: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("brings what it needs, and nothing else", () => {
  const packages = readdirSync(join(installed, "node_modules")).filter((name) => !name.startsWith("."));
  expect(packages).toEqual(["virtu"]);
  const files = readdirSync(join(installed, "node_modules", "virtu"));
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist", "package.json"]));
  for (const ours of ["source", "test", "fixtures", "cli.tsx"]) expect(files).not.toContain(ours);
});

test("virtu --version", () => {
  expect(virtu("--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test("virtu --help names the subcommands", () => {
  const help = virtu("--help");
  expect(help).toMatchObject({ status: 0, stderr: "" });
  for (const name of ["reserve", "deploy", "nodes", "instances", "start", "exec", "demo"]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  }
});

test("virtu with an unknown option is a usage error", () => {
  expect(virtu("instances", "--no-such-option")).toMatchObject({ status: 2, stdout: "" });
});

test("virtu demo --headless plays the main job", () => {
  const demo = virtu("demo", "--headless");
  expect(demo, `${demo.stdout}${demo.stderr}`).toMatchObject({ status: 0 });
  expect(demo.stdout).toMatch(/oarsub .*-n virtu -l slash_22=1\+nodes=4,/);
  expect(demo.stdout).toContain("4 of 4 nodes deployed");
  expect(demo.stdout).toMatch(/^All of it worked.*\n$/m);
});
