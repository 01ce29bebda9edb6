/** A cluster asked by LUXI and by the gnt-* programs: whichever way it is, the answers are the same. */
import { describe, expect, test, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { ActionEvent, HostNode, Instance, NodeAction, Snapshot } from "../../source/instances/types.ts";
import { ganetiOn, LuxiPool, LuxiRefusal, type LuxiScript, recordedReply } from "./fake-luxi.ts";
import { type Reply, recorded, type Script } from "./fake-pool.ts";

const forbidden = new VirtuError({ kind: "refused", what: "The host forbids forwarding" });

/** The job that is followed ends so. */
interface JobEnd {
  status: string;
  results: unknown[];
  messages?: string[];
}

const luxiOf =
  (jobs: Record<string, JobEnd>): LuxiScript =>
  (method, args) => {
    if (method === "QueryClusterInfo") return recordedReply("two-ways-cluster");
    if (method === "WaitForJobChange") {
      const [id, , before] = args;
      const job = jobs[String(id)];
      if (!job) return new LuxiRefusal(["JobLost", ["Can't load job file"]]);
      if (before === null) return [["running", [null]], []];
      const log = (job.messages ?? []).map((text, index) => [index + 1, [1_795_576_881, 0], "message", text]);
      return [[job.status, job.results], log];
    }
    const [what, fields, filter] = args as [string, string[], unknown[] | null];
    if (what === "instance") return recordedReply(filter ? "two-ways-instance" : "two-ways-instances");
    if (what === "node") return recordedReply("two-ways-nodes");
    if (what === "network") return recordedReply("two-ways-networks");
    return recordedReply(fields.length === 1 ? "two-ways-job-ids" : "two-ways-job-records");
  };

const failures: Record<string, string> = {
  wrong_state: "Failure: prerequisites not met for this operation:\nerror type: wrong_state, error details:\n",
};

const gntOf =
  (jobs: Record<string, JobEnd>, submit: Reply[]): Script =>
  ({ line }) => {
    if (line.includes("--submit")) return submit.shift() ?? { status: 1, stderr: "nothing more is expected" };
    const watched = /gnt-job watch (\d+)/.exec(line)?.[1];
    if (watched) {
      const job = jobs[watched];
      const log = (job?.messages ?? []).map((text) => `Wed Nov 25 03:21:21 2026 ${text}\n`).join("");
      const [error] = (job?.results ?? []) as [string, [string, string]][];
      const stderr =
        error?.[0] === "OpPrereqError" ? `Job ${watched} failed: ${failures[error[1][1]]}${error[1][0]}\n` : "";
      return { stdout: log, stderr, status: job?.status === "success" ? 0 : 1 };
    }
    if (line.includes("-o opresult")) return recorded("ganeti", "evacuate-results");
    if (line.includes("@@virtu cluster")) return recorded("ganeti", "two-ways-details");
    if (line.includes("@@virtu instances")) return recorded("ganeti", "two-ways-list");
    if (line.includes("gnt-job list")) return recorded("ganeti", "two-ways-jobs");
    throw new Error(`nobody answers ${line}`);
  };

const node = (name: string, roles: string[], counts: [number, number] = [1, 0]) =>
  ({ name: `${name}.example.org`, roles, primaryInstances: counts[0], secondaryInstances: counts[1] }) as HostNode;

describe.each([["LUXI"], ["gnt-*"]])("by %s", (way) => {
  async function cluster(jobs: Record<string, JobEnd> = {}, submit: Reply[] = []) {
    const pool = new LuxiPool(gntOf(jobs, submit), luxiOf(jobs), way === "LUXI" ? null : forbidden);
    const ganeti = ganetiOn(pool);
    const web = (name: string, { instances }: Snapshot) => {
      const found = instances.find((one) => one.name === `${name}.example.org`);
      if (!found) throw new Error(`no ${name}`);
      return found;
    };
    const events: ActionEvent[] = [];
    const actOn = (action: NodeAction, on: HostNode) =>
      ganeti.nodes.act(action, on, { onEvent: (event) => events.push(event) });
    return { pool, ganeti, web, events, actOn };
  }

  test("the list has every state as what it is", async () => {
    const { ganeti, pool } = await cluster();
    const { instances, nodes } = await ganeti.list({});
    expect(instances.map(({ name, status, statusDetail, node: on }) => [name, status, statusDetail, on])).toEqual(
      [
        ["web0", "error", "ERROR_down", "node1"],
        ["web1", "error", "ERROR_nodedown", "node2"],
        ["web2", "error", "ERROR_nodeoffline", "node3"],
        ["web3", "running", "running", "node1"],
        ["web4", "error", "ERROR_nodedown", "node2"],
        ["web5", "error", "ERROR_up", "node1"],
      ].map(([name, status, word, on]) => [`${name}.example.org`, status, word, `${on}.example.org`]),
    );
    expect(instances[2]?.facts).toMatchObject({
      ...{ tags: "owner:me,x:1,y", ip: "None,192.168.77.77", created: "2026-11-25 03:20:16 UTC" },
      ...{ disksMiB: "1024", diskTemplate: "sharedfile", displayPort: null },
    });
    expect(nodes.map(({ roles, memoryFree }) => [roles[0], memoryFree === null])).toEqual([
      ["master", false],
      ["candidate", true],
      ["offline", true],
    ]);
    expect(pool.calls.length).toBe(way === "LUXI" ? 0 : 1);
  });

  test("details need no job", async () => {
    const { ganeti, pool, web } = await cluster();
    const details = await ganeti.details(web("web2", await ganeti.list({})), {});
    expect(details).toMatchObject({
      disks: [{ id: "disk/0", kind: "disk", sizeMiB: 1024, format: "sharedfile" }],
      nics: [
        { id: "nic/0", network: "br0", addresses: [] },
        { id: "nic/1", network: "br0", addresses: ["192.168.77.77"] },
      ],
      ...{ snapshots: [], tags: ["owner:me", "x:1", "y"], networks: ["br0", "network=lan"] },
      definition: { language: "text", editable: false },
    });
    expect(details.definition.text).toMatch(/^name: web2\.example\.org$/m);
    expect(details.definition.text).not.toMatch(/null|\[|hv\//);
    expect(pool.calls.some(({ line }) => line.includes("gnt-instance info"))).toBe(false);
  });

  test("targets say what would keep it from going there", async () => {
    const { ganeti, web } = await cluster();
    const targets = await ganeti.targets("migrate", web("web2", await ganeti.list({})), {});
    expect(targets.map(({ name, refusal }) => [name, refusal])).toEqual([
      ["node1.example.org", null],
      ["node2.example.org", "it does not answer"],
    ]);
    expect(targets[0]?.memoryFreeMiB).toBeGreaterThan(20_000);
  });

  test("jobs are listed newest first, with their log and why they failed", async () => {
    const { ganeti } = await cluster();
    const jobs = await ganeti.jobs.list({});
    expect(jobs.map(({ id }) => id).slice(0, 3)).toEqual(["50", "49", "48"]);
    expect(jobs.find(({ id }) => id === "14")).toMatchObject({
      ...{ state: "error", cancellable: false, summary: "INSTANCE_RENAME(web0.example.org)" },
      log: ["Instance 'web0.example.org' is marked to be up, cannot rename"],
    });
    expect(jobs.find(({ id }) => id === "45")?.log.at(-1)).toMatch(/policy forbids it: disk-size\/1 value 512/);
    expect(jobs.find(({ id }) => id === "41")?.log).toEqual(["the job was cancelled"]);
  });

  test("an action is followed to its end", async () => {
    const jobs = { 60: { status: "success", results: [null], messages: ["* migrating", " - INFO: done"] } };
    const { ganeti, events, web, pool } = await cluster(jobs, [{ stderr: "JobID: 60\n" }]);
    const action = { do: "migrate", to: "node2.example.org", live: true } as const;
    const outcome = await ganeti.act(action, web("web3", await ganeti.list({})), {
      onEvent: (event) => events.push(event),
    });
    expect(outcome).toMatchObject({ ok: true, job: "60" });
    expect(events.map(({ text }) => text)).toEqual(["Ganeti job 60", "job 60: migrating", "job 60: INFO: done"]);
    expect(pool.calls.some(({ line }) => line.includes("gnt-job watch"))).toBe(way !== "LUXI");
  });

  test("a failed action says why", async () => {
    const results = [["OpPrereqError", ["Instance 'web3.example.org' is marked to be offline", "wrong_state"]]];
    const { ganeti, web } = await cluster({ 60: { status: "error", results } }, [{ stderr: "JobID: 60\n" }]);
    const outcome = await ganeti.act({ do: "set-vcpus", count: 2 }, web("web3", await ganeti.list({})), {});
    expect(outcome).toMatchObject({ ok: false, job: "60", error: expect.stringMatching(/marked offline.*--online/) });
    expect(outcome.detail).toContain("error type: wrong_state");
  });

  test("an evacuation is over when the jobs that it left are", async () => {
    const further = [
      {
        jobs: [
          [true, 20],
          [true, 21],
        ],
      },
    ];
    const good = { 20: { status: "success", results: [null], messages: ["* moving"] } };
    const full = "Instance 'web0.example.org' is marked to be offline";
    const jobs: Record<string, JobEnd> = {
      19: { status: "success", results: further },
      ...good,
      21: { status: "error", results: [["OpPrereqError", [full, "wrong_state"]]] },
    };
    const submit = [{ stderr: "JobID: 19\n" }];
    const { actOn, events } = await cluster(jobs, submit);
    const outcome = await actOn({ do: "evacuate", which: "primary" }, node("node1", ["master"]));
    expect(outcome).toMatchObject({ ok: false, job: "19", error: "1 of 2 jobs failed: job 21: it is marked offline" });
    expect(events.map(({ text }) => text)).toContain("job 20: moving");
  });

  test("an evacuation of everything asks for both kinds, and takes it well when there is nothing to do", async () => {
    const none = { stdout: "No instances to evacuate on node(s) node1.example.org, exiting.\n" };
    const { actOn, pool } = await cluster({}, [none, none]);
    const outcome = await actOn({ do: "evacuate", which: "all" }, node("node1", ["master"]));
    expect(outcome).toMatchObject({ ok: true, job: null, text: "there was nothing to evacuate" });
    expect(pool.lines().filter((line) => line.includes("evacuate"))).toHaveLength(2);
  });
});

describe("between the two ways", () => {
  test("gnt-* serves when LUXI breaks in the middle, and LUXI is left alone for a while", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const pool = new LuxiPool(gntOf({}, []), luxiOf({}), new VirtuError({ kind: "connection", what: "no socket" }));
      const ganeti = ganetiOn(pool);
      expect((await ganeti.list({})).instances).toHaveLength(6);
      pool.trouble = null;
      await ganeti.list({});
      expect(pool.asked).toEqual([]);
      vi.setSystemTime(Date.now() + 6000);
      await ganeti.list({});
      expect(pool.asked.map(({ method }) => method)).toEqual(["Query", "Query"]);
      expect(pool.calls).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a daemon that answers nonsense is no obstacle", async () => {
    const pool = new LuxiPool(gntOf({}, []), () => "nonsense");
    expect((await ganetiOn(pool).list({})).instances).toHaveLength(6);
  });

  test("a job whose LUXI connection breaks is followed by gnt-job watch, and nothing is told twice", async () => {
    const jobs = { 60: { status: "success", results: [null], messages: ["one", "two"] } };
    const pool: LuxiPool = new LuxiPool(gntOf(jobs, [{ stderr: "JobID: 60\n" }]), (method, args) => {
      if (method !== "WaitForJobChange") return luxiOf(jobs)(method, args);
      if (args[2] === null) return [["running", [null]], [[1, [1, 0], "message", "one"]]];
      pool.cut();
      return null;
    });
    const ganeti = ganetiOn(pool);
    const texts: string[] = [];
    const [instance] = (await ganeti.list({})).instances as [Instance];
    const outcome = await ganeti.act({ do: "start" }, instance, { onEvent: ({ text }) => texts.push(text) });
    expect(outcome.ok).toBe(true);
    expect(texts).toEqual(["Ganeti job 60", "job 60: one", "job 60: two"]);
  });
});
