import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { environmentVersions, listEnvironments } from "../../source/journey/environments.ts";
import { frontend, LocalPool } from "./local-pool.ts";

const site = { name: "grenoble", frontend };
const recorded = (name: string) => readFileSync(new URL(`../../fixtures/kadeploy/${name}`, import.meta.url), "utf8");

let pool: LocalPool;
let context: { pool: LocalPool; stateDir: string };
beforeEach(() => {
  pool = new LocalPool();
  context = { pool, stateDir: pool.stateDir };
});
afterEach(() => pool.end());

const kaenv3 = (stdout: string, stderr = "", status = 0) =>
  pool.program(
    "kaenv3",
    `#!/bin/sh\necho "$*" >> "$HOME/fake/kaenv"\ncat <<'EOT'\n${stdout}EOT\ncat >&2 <<'EOT'\n${stderr}EOT\nexit ${status}\n`,
  );

function image(name: string, text: string): string {
  const file = path.join(pool.home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe("what can be deployed", () => {
  test("recorded environments and images of both folders, in one round trip", async () => {
    kaenv3(recorded("kaenv3-list.stdout"));
    const xen = image("image/xen.env", recorded("kaenv3-print.stdout"));
    const old = image("image/old one.env", recorded("2012-print.stdout"));
    image("image/notes.txt", "name: not an image");
    const other = image("shared/b.env", "name: b\nimage:\n  file: b.tgz\n");
    const { environments, problem } = await listEnvironments(context, { ...site, imageFolder: "~/shared" });
    expect(problem).toBeNull();
    expect(environments.map(({ kind, name, file }) => [kind, name, file])).toEqual([
      ["image", "b", other],
      ["image", "squeeze-x64-xen", old],
      ["image", "virtu-xen", xen],
      ["environment", "debian11-min", null],
      ["environment", "debian11-x64-big-with-nfs", null],
      ["environment", "virtu-xen", null],
    ]);
    expect(environments[1]?.problem).toMatch(/2012/);
    expect(pool.sent).toHaveLength(1);
  });

  test("a Kadeploy of 2012 takes files of 2012", async () => {
    kaenv3(recorded("2012-kaenv3-list.stdout"));
    image("image/old.env", recorded("2012-print.stdout"));
    const { environments } = await listEnvironments(context, site);
    expect(environments[0]?.problem).toBeNull();
  });

  test("no image folder, no environment: an empty list is no error", async () => {
    kaenv3(recorded("kaenv3-none.stdout"));
    expect(await listEnvironments(context, site)).toEqual({ environments: [], problem: null });
  });

  test("kaenv3 fails: images are listed all the same, with the reason for the rest", async () => {
    kaenv3("", recorded("error-unreachable.stderr"), 1);
    image("image/xen.env", recorded("kaenv3-print.stdout"));
    const { environments, problem } = await listEnvironments(context, site);
    expect(environments).toHaveLength(1);
    expect(problem).toMatchObject({ where: "grenoble", why: expect.stringMatching(/server does not answer/) });
    expect(problem?.detail).toBe("The localhost server is unreachable");
  });

  test.each([
    ["kaenv3 fails and there is no image", "", recorded("error-unreachable.stderr"), 1, /server does not answer/],
    ["a table that nobody knows", "+----+\n| id |\n", "", 0, /does not know/],
  ])("%s: an error", async (_, stdout, stderr, status, why) => {
    kaenv3(stdout, stderr, status);
    const error = await listEnvironments(context, site).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VirtuError);
    expect((error as VirtuError).why).toMatch(why);
  });

  test("no kaenv3 on the host", async () => {
    await expect(listEnvironments(context, site)).rejects.toMatchObject({ why: "there is no kaenv3 on this host" });
  });
});

test("versions of one environment, newest first, of its architecture", async () => {
  kaenv3("debian12-min 9 x86_64 deploy a\ndebian12-min 10 x86_64 deploy b\ndebian12-min 11 aarch64 deploy c\n");
  const versions = await environmentVersions(context, site, { name: "debian12-min", user: "deploy", arch: "x86_64" });
  expect(versions.map(({ version }) => version)).toEqual(["10", "9"]);
  expect(pool.file("fake/kaenv")).toBe("-l debian12-min -s -u deploy\n");
});
