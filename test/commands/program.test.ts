import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runProgram } from "../../source/commands/program.ts";

let stdout = "";
let stderr = "";
beforeEach(() => {
  stdout = "";
  stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const statusOf = async (...argv: string[]) => {
  await runProgram(argv, "1.2.3");
  const status = process.exitCode;
  process.exitCode = undefined;
  return status;
};

describe("the command line", () => {
  it("lists every command and the exit statuses in its help", async () => {
    expect(await statusOf("--help")).toBe(0);
    for (const command of ["reserve", "jobs", "extend", "release", "environments", "deploy", "nodes", "instances"]) {
      expect(stdout).toMatch(new RegExp(`^ +${command} `, "m"));
    }
    expect(stdout).toContain("Exit status: 0 done, 1 failed, 2 usage, 3 some targets failed.");
  });

  it("ends with 2 and a word of help for what it does not know", async () => {
    expect(await statusOf("jobs", "--site", "x", "--nonsense")).toBe(2);
    expect(stderr).toMatch(/^virtu: unknown option '--nonsense'$/m);
    expect(stderr).toContain("--help");
  });

  it("names a missing option, as JSON where JSON is asked for", async () => {
    expect(await statusOf("jobs")).toBe(2);
    expect(stderr).toContain("--site");
    stderr = "";
    expect(await statusOf("jobs", "--json")).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { kind: "usage", what: expect.stringContaining("--site") } });
    expect(stdout).toBe("");
  });

  it("refuses a subcommand that it has not", async () => {
    expect(await statusOf("destroy-everything")).toBe(2);
    expect(stderr).toContain("destroy-everything");
  });

  it("says what was probably meant, and takes no word too many", async () => {
    expect(await statusOf("instnces")).toBe(2);
    expect(stderr).toContain("there is no command 'instnces' (did you mean instances?)");
    stderr = "";
    expect(await statusOf("instances", "web1", "--host", "hv1")).toBe(2);
    expect(stderr).toContain("too many arguments");
    expect(stdout).toBe("");
  });

  it("knows help as a word", async () => {
    expect(await statusOf("help")).toBe(0);
    expect(stdout).toMatch(/^ +reserve /m);
    stdout = "";
    expect(await statusOf("help", "jobs")).toBe(0);
    expect(stdout).toContain("Usage: virtu jobs [options]");
  });

  it("takes the global options on either side of the subcommand", async () => {
    const missing = ["-F", "/nonexistent/ssh_config"];
    expect(await statusOf(...missing, "jobs", "--site", "x", "--json")).toBe(2);
    const before = stderr;
    stderr = "";
    expect(await statusOf("jobs", "--site", "x", "--json", ...missing)).toBe(2);
    expect(JSON.parse(stderr)).toEqual(JSON.parse(before));
    expect(before).toContain("/nonexistent/ssh_config");
  });
});
