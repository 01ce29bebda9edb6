import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { listRecorded, listVersions, parseRecorded } from "../../source/tools/kaenv.ts";

const recorded = (name: string) => readFileSync(new URL(`../../fixtures/kadeploy/${name}`, import.meta.url), "utf8");
const short = (text: string) =>
  parseRecorded(text).environments.map(({ name, version, arch, user, description }) => [
    name,
    version,
    arch,
    user,
    description,
  ]);

describe("kaenv3 -l", () => {
  test("3.3: long names and versions shift their rows", () => {
    expect(short(recorded("kaenv3-list.stdout"))).toEqual([
      ["virtu-xen", "1", null, "alice", "Wheezy + Xen 4.1 + ganeti prerequis..."],
      ["debian11-min", "2022090711", null, "alice", "debian 11 (bullseye) for x64 - min"],
      ["debian11-x64-big-with-nfs", "3", null, "alice", "debian 11 big"],
    ]);
    expect(parseRecorded(recorded("kaenv3-list.stdout"))).toMatchObject({ of2012: false, strange: [] });
  });

  test("2012: header and rows don't line up", () => {
    const list = parseRecorded(recorded("2012-kaenv3-list.stdout"));
    expect(list.environments).toMatchObject([
      {
        kind: "environment",
        name: "squeeze-x64-xen",
        version: "3",
        user: "deploy",
        description: "Debian Squeeze x64 Xen",
      },
    ]);
    expect(list.of2012).toBe(true);
  });

  test("an architecture, before or after the user", () => {
    expect(short("debian12-min 2024102413 x86_64 deploy debian 12 (bookworm) min")).toEqual([
      ["debian12-min", "2024102413", "x86_64", "deploy", "debian 12 (bookworm) min"],
    ]);
    expect(short("Name Version User Arch Description\ndebian12-min 1 deploy aarch64 bookworm")).toEqual([
      ["debian12-min", "1", "aarch64", "deploy", "bookworm"],
    ]);
    // A description may begin with one.
    expect(short("mine 1 alice aarch64 build")).toEqual([["mine", "1", null, "alice", "aarch64 build"]]);
  });

  test("none", () => {
    expect(parseRecorded(recorded("kaenv3-none.stdout"))).toEqual({ environments: [], of2012: false, strange: [] });
  });

  test("what is no table is kept for the error", () => {
    expect(parseRecorded(recorded("error-unreachable.stderr")).strange).toEqual([
      "The localhost server is unreachable",
    ]);
  });
});

test("the commands", () => {
  expect(listRecorded().line).toBe("LC_ALL=C kaenv3 -l");
  expect(listVersions("debian12-min", "deploy").line).toBe("LC_ALL=C kaenv3 -l debian12-min -s -u deploy");
  expect(listVersions("a'b", null).line).toBe("LC_ALL=C kaenv3 -l 'a'\\''b' -s");
});
