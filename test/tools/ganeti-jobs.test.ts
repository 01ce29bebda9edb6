import { describe, expect, test } from "vitest";
import { parseFailure } from "../../source/tools/ganeti-errors.ts";
import {
  failureText,
  furtherJobs,
  jobFields,
  jobRecord,
  jobsCommand,
  originOf,
  parseJobs,
  parseResults,
  subjectOf,
} from "../../source/tools/ganeti-jobs.ts";
import { luxiRows, parseLuxiReply } from "../../source/tools/luxi.ts";
import { parsePython } from "../../source/tools/python-literal.ts";
import { fixture } from "../instances/fake-pool.ts";

function byLuxi() {
  const reply = parseLuxiReply(fixture("ganeti", "two-ways-job-records.json"));
  const rows = reply?.ok ? luxiRows(reply.result, jobFields) : null;
  return (rows ?? []).flatMap((row) => jobRecord(row) ?? []);
}

const byGnt = () => parseJobs(fixture("ganeti", "two-ways-jobs.stdout"));

describe.each([
  ["gnt-job list", byGnt],
  ["LUXI", byLuxi],
])("jobs by %s", (_, read) => {
  const jobs = read();
  const job = (id: string) => {
    const found = jobs.find((other) => other.id === id);
    if (!found) throw new Error(`no job ${id}`);
    return found;
  };

  test("have state, times and log", () => {
    expect(jobs).toHaveLength(13);
    expect(job("15")).toMatchObject({ status: "success", summary: "INSTANCE_MIGRATE(web5.example.org)" });
    expect(job("15").received).toBeCloseTo(1_795_576_845.547821, 3);
    expect(job("15").log[1]).toMatchObject({
      serial: 2,
      text: "* checking disk consistency between source and target",
    });
    expect(job("19").log[0]?.text).toBe(
      "INFO: Evacuating instances from node 'node1.example.org': web0.example.org, web3.example.org",
    );
    expect(job("41")).toMatchObject({ status: "canceled", log: [] });
  });

  test("name whom they are about, also where their summary does not", () => {
    const subjects = ["10", "14", "19", "37", "48", "49"].map((id) => subjectOf(job(id)));
    const full = (name: string) => `${name}.example.org`;
    expect(subjects).toEqual([full("web0"), full("web0"), full("node1"), full("node3"), full("web5"), null]);
  });

  test("tell which program asked for them", () => {
    expect(["10", "19", "49"].map((id) => originOf(job(id)).program)).toEqual([
      "gnt-instance",
      "gnt-node",
      "gnt-debug",
    ]);
  });

  test("that leave their work to others name those", () => {
    expect(furtherJobs(job("19").results)).toEqual(["20", "21"]);
    expect(furtherJobs(job("15").results)).toEqual([]);
  });

  test("that failed say why as the programs do", () => {
    expect(parseFailure(failureText("error", job("14").results))).toEqual({
      type: "wrong_state",
      text: "Instance 'web0.example.org' is marked to be up, cannot rename",
    });
    expect(failureText("canceled", job("41").results)).toBe("Unhandled Ganeti error: Job was canceled");
    expect(failureText("error", [["OpExecError", ["no space left"]]])).toBe(
      "Failure: command execution error:\nno space left",
    );
    expect(failureText("error", [])).toContain("error");
  });
});

test("both ways give the same jobs", () => {
  expect(byLuxi()).toEqual(byGnt());
});

test("the newest jobs are asked for by one command that fails as gnt-job fails", () => {
  expect(jobsCommand({ directory: "/usr/sbin/", sudo: false }, 50).line).toBe(
    fixture("ganeti", "two-ways-jobs.cmd").trim().replace("[node1] ", ""),
  );
  expect(parseJobs("")).toEqual([]);
});

test("the jobs that an evacuation left are read from its result", () => {
  expect(furtherJobs(parseResults(fixture("ganeti", "evacuate-results.stdout")))).toEqual(["20", "21"]);
});

test("who asked is known of RAPI, the watcher and a reason that was given", () => {
  const origin = (...reason: unknown[]) =>
    originOf({ operations: [{ reason }] } as unknown as Parameters<typeof originOf>[0]);
  expect(origin(["gnt:client:gnt-instance", "shutdown", 1], ["gnt:user", "new disks", 1])).toEqual({
    program: "gnt-instance",
    reason: "new disks",
  });
  expect(origin(["gnt:library:rlib2:instances", "", 1]).program).toBe("RAPI");
  expect(origin(["gnt:watcher", "", 1]).program).toBe("ganeti-watcher");
  expect(origin()).toEqual({ program: null, reason: null });
});

test.each([
  ["None", null],
  ["[1, -2.5, 'a', \"it's\", True, (False,)]", [1, -2.5, "a", "it's", true, [false]]],
  ["{'a': {'b': []}, 1: 'x\\n\\x41\\u00e9\\\\'}", { a: { b: [] }, 1: "x\nAé\\" }],
  ["[1", undefined],
  ["[1 2]", undefined],
  ["open('x')", undefined],
  ["", undefined],
])("Python's %s is read", (text, value) => {
  expect(parsePython(text)).toEqual(value);
});
