import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ReserveRequest } from "../../source/journey/types.ts";
import { addWalltime, jobs, remove, submit, walltimeForm } from "../../source/tools/oar.ts";
import { parseRemoval, parseWalltimeAnswer, parseWalltimeForm } from "../../source/tools/oar-change.ts";
import { parseJobs } from "../../source/tools/oar-jobs.ts";
import { parseNodes, subnetOf } from "../../source/tools/oar-nodes.ts";
import { parseSubmission } from "../../source/tools/oar-submit.ts";
import { recorded } from "../journey/fake-pool.ts";
import { jobsAnswer } from "../journey/oar-replies.ts";

const request: ReserveRequest = { nodes: 4, walltimeSeconds: 9000, subnet: 22, name: "virtu" };

/** The words that a shell makes of a line. */
function words(line: string): string[] {
  return execFileSync("/bin/sh", ["-c", `for w in ${line}; do printf '%s\\0' "$w"; done`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

describe("oarsub's command", () => {
  it("is the line of 2012, but passive", () => {
    expect(submit(request).line).toBe(
      "oarsub -t deploy -n virtu -l slash_22=1+nodes=4,walltime=2:30:00 'sleep infinity'",
    );
  });

  it("leaves the subnet out", () => {
    expect(submit({ ...request, subnet: null }).line).toBe(
      "oarsub -t deploy -n virtu -l nodes=4,walltime=2:30:00 'sleep infinity'",
    );
  });

  it("gives a condition with -p when only nodes are asked for", () => {
    const all = {
      ...request,
      subnet: null,
      cluster: "paravance",
      properties: "memnode > 3",
      queue: "default",
      project: "p1",
      start: "2026-03-02 19:00:00",
    };
    expect(words(submit(all).line)).toEqual([
      "oarsub",
      "-t",
      "deploy",
      "-n",
      "virtu",
      "-q",
      "default",
      "--project",
      "p1",
      "-p",
      "cluster='paravance' AND (memnode > 3)",
      "-r",
      "2026-03-02 19:00:00",
      "-l",
      "nodes=4,walltime=2:30:00",
      "sleep infinity",
    ]);
  });

  it("keeps a condition away from the subnet, which has no cluster", () => {
    const line = words(submit({ ...request, cluster: "paravance" }).line);
    expect(line).toContain("slash_22=1+{cluster='paravance'}/nodes=4,walltime=2:30:00");
    expect(line).not.toContain("-p");
  });
});

describe("the other commands", () => {
  it("name the job and nothing else", () => {
    expect(remove(12).line).toBe("LC_ALL=C oardel 12");
    expect(walltimeForm(12).line).toBe("LC_ALL=C oarwalltime 12");
    expect(addWalltime(12, 1800).line).toBe("LC_ALL=C oarwalltime 12 +0:30:00");
  });
});

describe("the command about jobs, run by a shell", () => {
  const bin = mkdtempSync(path.join(tmpdir(), "virtu-oar-"));
  afterAll(() => rmSync(bin, { recursive: true }));
  const run = (line: string) => {
    try {
      return {
        stdout: execFileSync("/bin/sh", ["-c", line], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
          env: { PATH: `${bin}:${process.env["PATH"]}` },
        }),
        status: 0,
      };
    } catch (thrown) {
      const { stdout, status } = thrown as { stdout: string; status: number };
      return { stdout, status };
    }
  };
  const oarstat = (script: string) => writeFileSync(path.join(bin, "oarstat"), `#!/bin/sh\n${script}`, { mode: 0o755 });
  const fixture = (name: string) => new URL(`../../fixtures/oar/${name}.stdout`, import.meta.url).pathname;

  it("asks for the resources of a running job in the same trip, unless they are known", () => {
    oarstat(
      `case "$*" in *-p*) cat ${fixture("oarstat-p-running")};; *) cat ${fixture("oarstat-f-J-j-running")};; esac`,
    );
    const answer = parseJobs(run(jobs({ known: [], text: false }).line).stdout);
    expect(answer.jobs.map(({ jobId, subnet }) => [jobId, subnet])).toEqual([[1, "10.144.0.0/22"]]);
    expect(answer.told).toEqual([1]);
    expect(Math.abs(answer.now - Date.now() / 1000)).toBeLessThan(60);
    expect(parseJobs(run(jobs({ known: [7, 1], text: false }).line).stdout).told).toEqual([]);
  });

  it("does so for text too, in UTC", () => {
    oarstat(
      `case "$TZ $*" in *-p*) cat ${fixture("oarstat-p-running")};; *-J*) exit 8;; UTC0*) cat ${fixture("oarstat-f-j-running")};; esac`,
    );
    const {
      jobs: [job],
    } = parseJobs(run(jobs({ jobId: 1, known: [], text: true }).line).stdout);
    expect(job).toMatchObject({ jobId: 1, state: "Running", subnet: "10.144.0.0/22" });
  });

  it("asks nothing more for a waiting job, and keeps oarstat's status", () => {
    oarstat(`case "$*" in *-p*) echo never;; *) cat ${fixture("oarstat-f-J-waiting")};; esac`);
    expect(run(jobs({ known: [], text: false }).line).stdout).not.toContain("never");
    oarstat("echo 'DB connection error, exiting.' >&2; exit 25");
    expect(run(jobs({ known: [], text: false }).line).status).toBe(25);
  });
});

describe("oarsub's answer", () => {
  const read = (name: string) => {
    const { stdout, stderr, status } = recorded(`oar/${name}`);
    return parseSubmission(stdout, stderr, status);
  };

  it("is a number", () => {
    expect(read("oarsub-deploy-env")).toMatchObject({ jobId: 2, refusal: null, serverDown: false, notes: [] });
    expect(read("oarsub-J")).toMatchObject({ jobId: 3, refusal: null });
    expect(read("resa-ok-command")).toMatchObject({ jobId: 10, refusal: null });
    expect(read("err-walltime-none")).toMatchObject({ jobId: 8, notes: ["Set default walltime to 7200."] });
  });

  it("is a number behind the messages of today's rules", () => {
    const out = "# Filtering out exotic resources (vianden).\n# Set walltime to default (3600 s).\nOAR_JOB_ID=256908\n";
    expect(parseSubmission(out, "", 0)).toMatchObject({
      jobId: 256_908,
      notes: ["Filtering out exotic resources (vianden).", "Set walltime to default (3600 s)."],
    });
    const resa =
      "OAR_JOB_ID=9\n# Advance reservation request: waiting for validation...\n# Reservation not valid --> KO (too big)\n";
    expect(parseSubmission(resa, "", 10)).toMatchObject({ refusal: "reservation", about: "too big", notes: [] });
  });

  it.each([
    ["err-impossible-nodes", "resources", null],
    ["err-property-unknown", "property", "slash_99"],
    ["err-property-sql", "property", "grisou"],
    ["err-queue-unknown", "queue", "nope"],
    ["err-queue-admin", "rule", "Only member of the group admin can submit jobs in the admin queue"],
    ["err-core-with-deploy", "rule", "'core' resource is not allowed with a deploy job"],
    ["err-type-unknown", "rule", "unknown job type: deploi"],
    ["err-root", "root", null],
    ["err-resource-syntax", "syntax", "nodes"],
    ["err-walltime-text", "syntax", ",walltime=abc"],
    ["err-bad-option", "syntax", null],
    ["err-two-args", "syntax", null],
    ["resa-bad-date", "date", null],
    ["resa-past", "reservation", "Reservation too old"],
    ["resa-too-many2", "rule", "you cannot have more than 2 waiting advance reservations."],
  ])("%s: %s", (name, refusal, about) => {
    const submission = read(name);
    expect(submission).toMatchObject({ refusal, about });
    // OAR_JOB_ID=-5 is no job; a refused reservation has a number of a job that never runs.
    expect(submission.jobId === null || refusal === "reservation").toBe(true);
  });

  it("tells when the reservation could be", () => {
    expect(read("resa-conflict")).toMatchObject({
      refusal: "reservation",
      jobId: 11,
      possibleStart: "2026-11-22 12:12:00",
    });
  });

  it("is a queued job when the server is down, whatever oarsub says", () => {
    expect(read("almighty-down-oarsub")).toMatchObject({ jobId: 24, serverDown: true, refusal: null });
  });

  it("proves nothing when it was cut off", () => {
    expect(parseSubmission("", "", null)).toMatchObject({ jobId: null, refusal: null });
    const { stdout, stderr } = recorded("oar/db-down-oarsub");
    expect(parseSubmission(stdout, stderr.split("\n").slice(0, 4).join("\n"), null).jobId).toBe(26);
  });
});

describe("oarstat's answer", () => {
  const read = (name: string) => parseJobs(jobsAnswer(name)).jobs[0];

  it("is nothing when there is no job", () => {
    for (const name of [null, "oarstat-J-nosuch", "oarstat-s-J-nosuch"])
      expect(parseJobs(jobsAnswer(name)).jobs).toEqual([]);
  });

  it("is a running job", () => {
    expect(read("oarstat-f-J-j-running")).toMatchObject({
      jobId: 1,
      state: "Running",
      name: "virtu",
      owner: "jdoe",
      queue: "default",
      types: ["deploy"],
      command: "sleep 300",
      nodes: ["grisou-1.nancy.grid5000.fr", "grisou-2.nancy.grid5000.fr"],
      walltimeSeconds: 3600,
      submittedAt: 1_795_343_580,
      predictedStart: null,
      startedAt: 1_795_343_581,
      endsAt: 1_795_347_181,
      end: null,
      resubmittedAs: null,
    });
  });

  it("is the same job as text, in the other naming generation", () => {
    const { initialRequest: _, ...json } = read("oarstat-f-J-j-running") as object & { initialRequest: string };
    const { initialRequest: _2, ...text } = read("oarstat-f-j-running") as object & { initialRequest: string };
    expect(text).toEqual(json);
  });

  it.each(["waiting", "deleted", "exit7", "walltime-exceeded", "launch-error"])(
    "%s reads alike as text and as JSON",
    (name) => {
      const facts = ({
        jobId,
        state,
        startedAt,
        endsAt,
        submittedAt,
        nodes,
        end,
        walltimeSeconds,
        predictedStart,
        owner,
      }: NonNullable<ReturnType<typeof read>>) => ({
        jobId,
        state,
        startedAt,
        endsAt,
        submittedAt,
        nodes,
        end,
        walltimeSeconds,
        predictedStart,
        owner,
      });
      const [text, json] = [read(`oarstat-f-${name}`), read(`oarstat-f-J-${name}`)].map((job) => job && facts(job));
      // The two were recorded at two moments of the same job.
      if (name === "waiting") expect({ ...text, predictedStart: 0 }).toEqual({ ...json, predictedStart: 0 });
      else expect(text).toEqual(json);
    },
  );

  it("is a waiting job with and without a predicted start", () => {
    expect(read("oarstat-f-J-waiting")?.predictedStart).toBeGreaterThan(1_795_343_655);
    expect(read("submit-then-stat-immediately")).toMatchObject({
      state: "Waiting",
      predictedStart: null,
      startedAt: null,
      endsAt: null,
    });
    expect(read("hold-oarstat-f-J")).toMatchObject({ jobId: 4, state: "Hold", name: null, predictedStart: null });
  });

  it("is a reservation, then its late start with the end where it was", () => {
    expect(read("resa-run-waiting")).toMatchObject({
      reservation: "Scheduled",
      predictedStart: 1_795_345_656,
      startedAt: null,
      nodes: [],
    });
    const late = read("resa-run-running");
    expect(late).toMatchObject({ state: "Running", startedAt: 1_795_345_711, walltimeSeconds: 545, end: null });
    expect(late?.endsAt).toBe(1_795_345_656 + 600);
  });

  it.each([
    ["oarstat-f-J-deleted", "released", "you released it"],
    ["oarstat-f-J-walltime-exceeded", "walltime", "its walltime was over"],
    ["oarstat-f-J-terminated", "finished", "its command ended"],
    ["oarstat-f-J-exit7", "finished", "its command ended with status 7"],
    ["oarstat-f-J-baddir", "failed", "the folder /nonexistent can't be entered there"],
    [
      "oarstat-f-J-launch-error",
      "failed",
      "OAR could not start it: its server does not reach the host that runs deploy jobs",
    ],
    [
      "oarstat-f-J-cpuset-error-resubmitted",
      "failed",
      "OAR put it in again as job 28: OAR could not prepare its nodes and suspects them now",
    ],
  ])("%s ended as %s", (name, kind, text) => {
    expect(read(name)?.end).toEqual({ kind, text });
  });

  it("names the number of the job that was put in again, not of the one it came from", () => {
    expect(read("oarstat-f-J-cpuset-error-resubmitted")?.resubmittedAs).toBe(28);
    expect(read("oarstat-f-J-resubmitted-as")?.resubmittedAs).toBe(29);
  });

  it("is no end when a walltime was changed", () => {
    expect(read("walltime-oarstat-after")).toMatchObject({ state: "Running", end: null, walltimeSeconds: 4127 });
  });

  it("is unparsed with what came, when it is something else", () => {
    for (const body of ["<html>", '{"1": 5}', '{"x": {"state": "Running"}}', '{"1": {"state": "Sleeping"}}']) {
      expect(() => parseJobs(`==virtu now 5==\n${body}\n`)).toThrow(
        expect.objectContaining({
          kind: "unparsed",
          detail: expect.stringContaining(body.slice(0, 3).trim()[0] ?? ""),
        }),
      );
    }
    expect(() => parseJobs("Welcome to the frontend!\n")).toThrow(
      expect.objectContaining({ kind: "unparsed", detail: "Welcome to the frontend!\n" }),
    );
  });
});

describe("resources", () => {
  it("tell the subnet of a job, or that there is none", () => {
    const all = recorded("oar/oarstat-p-running").stdout;
    expect(subnetOf(all)).toBe("10.144.0.0/22");
    expect(
      subnetOf(
        all
          .split("\n")
          .filter((line) => !line.includes("'subnet'"))
          .join("\n"),
      ),
    ).toBeNull();
    expect(subnetOf("")).toBeNull();
  });

  it("join to the subnet that covers them", () => {
    const row = (address: string) =>
      ` type = 'subnet' , subnet_prefix = '22' , host = '' , subnet_address = '${address}' `;
    expect(subnetOf([row("10.144.12.0"), row("10.144.8.0")].join("\n"))).toBe("10.144.8.0/21");
    expect(subnetOf(["10.158.12.0", "10.158.0.0", "10.158.4.0", "10.158.8.0"].map(row).join("\n"))).toBe(
      "10.158.0.0/20",
    );
  });

  it("count nodes, not cores and not subnets", () => {
    const rows = JSON.parse(recorded("oar/oarnodes-J").stdout) as Record<string, Record<string, unknown>>;
    const count = (change: (row: Record<string, unknown>) => object) =>
      parseNodes(
        JSON.stringify(Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, { ...row, ...change(row) }]))),
      );
    const free = count(() => ({ jobs: undefined }));
    expect(free).toEqual([{ name: "grisou", total: 4, alive: 4, free: 4 }]);
    const busy = count((row) => ({ jobs: row["resource_id"] === 3 ? "12, 13" : undefined }));
    expect(busy).toEqual([{ name: "grisou", total: 4, alive: 4, free: 3 }]);
    const dead = count((row) => ({
      jobs: undefined,
      state: String(row["network_address"]).startsWith("grisou-4") ? "Absent" : "Alive",
    }));
    expect(dead).toEqual([{ name: "grisou", total: 4, alive: 3, free: 3 }]);
    expect(parseNodes("")).toEqual([]);
    expect(() => parseNodes("no")).toThrow(expect.objectContaining({ kind: "unparsed", detail: "no" }));
  });
});

describe("oardel's answer", () => {
  it.each([
    ["oardel-running", "registered"],
    ["oardel-ok", "registered"],
    ["oardel-again", "already"],
    ["oardel-notmine", "not-yours"],
    ["oardel-nosuch", "not-yours"],
    ["almighty-down-oardel", "server-down"],
    ["oardel-badid", "other"],
  ])("%s: %s", (name, outcome) => {
    const { stdout, stderr, status } = recorded(`oar/${name}`);
    expect(parseRemoval(stdout, stderr, status)).toEqual({ outcome });
  });
});

describe("oarwalltime's answer", () => {
  const form = (name: string) => parseWalltimeForm(recorded(`oar/${name}`).stdout);

  it("tells what was granted and what was not", () => {
    expect(form("walltime-query-after")).toEqual({
      running: true,
      walltime: 4127,
      possible: 7200,
      granted: 527,
      pending: 1273,
    });
    expect(form("walltime-query-pending")).toEqual({
      running: true,
      walltime: 600,
      possible: 7200,
      granted: 0,
      pending: 3600,
    });
    expect(form("walltime-query-waiting")).toMatchObject({ running: false, walltime: null });
    expect(form("walltime-nosuch-query")).toBeNull();
    expect(
      parseWalltimeForm(
        "Walltime change status for job 5 (job is running):\n  Current walltime:       2:0:0\n  Possible increase:  UNLIMITED\n  Already granted:       -0:1:0\n  Pending/unsatisfied:    0:0:0\n",
      ),
    ).toEqual({ running: true, walltime: 7200, possible: null, granted: -60, pending: 0 });
  });

  it.each([
    ["walltime-increase", "accepted"],
    ["walltime-absolute", "accepted"],
    ["walltime-notrunning", "not-running"],
    ["walltime-too-much", "too-much"],
    ["walltime-nosuch", "unknown-job"],
    ["walltime-nosuch-query", "unknown-job"],
    ["walltime-syntax", "other"],
  ])("%s: %s", (name, outcome) => {
    const { stdout, status } = recorded(`oar/${name}`);
    expect(parseWalltimeAnswer(stdout, status).outcome).toBe(outcome);
  });

  it("knows the refusals that were not recorded, by the words of its source", () => {
    expect(parseWalltimeAnswer("Not available: functionality is disabled.\n", 5).outcome).toBe("disabled");
    expect(parseWalltimeAnswer("FUNCTIONALITY IS DISABLED\n", 2).outcome).toBe("disabled");
    expect(parseWalltimeAnswer("Forbidden: job 5 does not belong to you.\n", 3).outcome).toBe("not-yours");
    expect(
      parseWalltimeAnswer("Forbidden: walltime change is not allowed for a job with walltime < 1:0:0.\n", 3).outcome,
    ).toBe("too-short");
  });
});
