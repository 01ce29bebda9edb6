/**
 * From a reservation to a cluster, by virtu alone: nodes of the real OAR, deployed, configured and made a Ganeti cluster; the
 * program is killed on the way and its frontend's links are cut.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InstanceJson } from "../instances.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { beginnings, type Carried, carry, stepsThat, unchanged, whatHappened } from "./carry.ts";
import { openSite, type Site } from "./site.ts";
import { software } from "./software.ts";

const teardown = new Teardown();
let site: Site;
let options: VirtuOptions;
let targets: string[];
let scripts: string;

const clusterName = "cluster1.oar.lab";
const nodes = (): LabNode[] => site.names.map((name) => site.node(name));
const master = (): LabNode => site.node(site.names[0] ?? "");

beforeAll(async () => {
  site = await openSite(teardown, { nodes: 2, ...(await software("bookworm")) });
  await site.oar.clear();
  options = { sshConfig: site.sshConfig, home: teardown.directory("journey-home"), timeoutMs: 300_000 };
  scripts = teardown.directory("journey-scripts");
});
afterAll(async () => {
  await site?.oar.clear();
  await teardown.run();
});

/**
 * Carries a journey and kills the program as soon as one of these steps runs on some node; goes on with `virtu resume`, to
 * be killed in the next one, until it comes to its end.
 */
async function killedIn(steps: readonly string[], args: readonly string[]): Promise<Carried> {
  let words = args;
  for (const wanted of steps) {
    let cut: Promise<string> | null = null;
    const carried = await carry(teardown, words, options, ({ step, state, node }, kill) => {
      if (step !== wanted || state !== "running" || cut) return;
      // Once the script is there, in the middle of it.
      cut = until(`${step} runs on ${node}`, async () => {
        const found = await site.node(node).try(`kill -0 "$(cat /root/.virtu/runs/*/${step}.*/worker)"`);
        return found.status === 0 && `${step} ${node}`;
      });
      void cut.then(kill);
    });
    expect(await cut, `${wanted} never ran:\n${carried.stderr}`).not.toBeNull();
    expect(carried).toMatchObject({ status: null, outcome: null });
    const [run] = (await virtu(["runs", "--json"], options)).json<{ id: string; state: string }[]>();
    expect(run).toMatchObject({ state: "interrupted" });
    words = ["resume", run?.id ?? ""];
  }
  const last = await carry(teardown, words, options);
  expect(last, whatHappened(last)).toMatchObject({ status: 0, outcome: { ok: true } });
  return last;
}

/** Everything begun was begun once. */
async function onceEach(steps: readonly string[]): Promise<void> {
  for (const node of nodes()) {
    const counts = await beginnings(node);
    expect(
      Object.values(counts).filter((count) => count !== 1),
      JSON.stringify(counts),
    ).toEqual([]);
  }
  const all = (await Promise.all(nodes().map(beginnings))).flatMap((counts) => Object.keys(counts));
  for (const step of steps)
    expect(
      all.some((name) => name.endsWith(` ${step}`)),
      step,
    ).toBe(true);
}

it("reserves and deploys bare nodes", async () => {
  const reserved = await virtu(
    ["reserve", "--site", "frontend", "--nodes", "2", "--walltime", "1h", "--json"],
    options,
  );
  expect(reserved, reserved.stderr).toMatchObject({ status: 0 });
  const { jobId } = reserved.json<{ jobId: number }>();
  targets = ["--site", "frontend", "--job", String(jobId)];
  const deployed = await virtu(
    ["deploy", ...targets, "--environment", "debian12-min", "--key", site.key, "--yes", "--json"],
    options,
  );
  expect(deployed, deployed.stderr).toMatchObject({ status: 0 });
  expect(deployed.json<{ deployed: string[] }>().deployed).toEqual(site.names);
  expect((await site.oar.job(jobId))?.assigned_network_address.toSorted()).toEqual(site.names);
  for (const node of nodes()) expect((await node.try("command -v gnt-cluster")).status).not.toBe(0);
});

describe("configure", () => {
  const words = () => ["configure", ...targets, "--yes", "--script", join(scripts, "slow.sh")];
  const script = (name: string) =>
    writeFileSync(
      join(scripts, `${name}.sh`),
      `echo began >>/root/${name}; sleep 1; echo line; sleep 3; echo ended >>/root/${name}\n`,
    );

  it("is killed twice, and does everything once", async () => {
    script("slow");
    const last = await killedIn(["upgrade", "extra-1"], words());
    expect(stepsThat(last.outcome, "failed", "skipped", "cancelled")).toEqual([]);
    await onceEach(["upgrade", "extra-1", "hosts"]);
    for (const node of nodes()) {
      expect(await node.exec("cat /root/slow")).toBe("began\nended");
      // dpkg itself: each package was upgraded once, and nothing is left to be.
      expect(await node.exec("grep -c ' upgrade ' /var/log/dpkg.log")).not.toBe("0");
      expect(await node.exec("grep ' upgrade ' /var/log/dpkg.log | cut -d ' ' -f 4 | sort | uniq -d")).toBe("");
      expect(await node.exec("apt-get -s full-upgrade | grep -c '^Inst' || true")).toBe("0");
    }
    // The nodes reach one another by name, without a question.
    const [first, second] = site.names;
    const there = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes";
    expect(await site.node(first ?? "").exec(`${there} ${second} hostname -f`)).toBe(second);
    expect(await site.node(second ?? "").exec(`${there} ${first?.split(".")[0]} hostname -f`)).toBe(first);
  });

  it("loses every link in the middle of a step, and finds the step again", async () => {
    script("cut");
    let cut: Promise<number> | null = null;
    const more = ["--no-upgrade", "--script", join(scripts, "cut.sh")];
    const carried = await carry(teardown, [...words(), ...more], options, ({ step, state }) => {
      if (step === "extra-2" && state === "running") cut ??= site.oar.cutLinks();
    });
    expect(await cut).toBeGreaterThan(0);
    expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
    expect(stepsThat(carried.outcome, "done")).toEqual(site.names.map((name) => `extra-2 ${name}`));
    for (const node of nodes()) expect(await node.exec("cat /root/cut")).toBe("began\nended");
  });

  it("changes nothing when it is run again", () => unchanged(teardown, words(), options, nodes()));
});

describe("install ganeti", () => {
  const words = () => [
    ...["install", "ganeti", ...targets, "--yes", "--cluster-name", clusterName, "--cluster-address", "10.158.66.100"],
    ...["--hypervisor", "fake", "--storage", "lvm:/dev/sdb", "--bridge", "br0"],
  ];

  it("is killed in five steps, and makes the cluster once", async () => {
    const last = await killedIn(["packages", "bridge", "init", "add-nodes", "verify"], words());
    expect(stepsThat(last.outcome, "failed", "skipped", "cancelled")).toEqual([]);
    await onceEach(["packages", "volume-group", "bridge", "init", "add-nodes", "verify"]);
    // Ganeti's own log of commands, a process each.
    const ran = async (command: string) =>
      await master().exec(
        `grep -o 'gnt-[a-z]* [a-z]* pid=[0-9]*' /var/log/ganeti/commands.log | sort -u | grep -c '^${command} ' || true`,
      );
    expect(await ran("gnt-cluster init")).toBe("1");
    expect(await ran("gnt-node add")).toBe("1");
    for (const node of nodes()) {
      expect(await node.exec("grep -c ' install ganeti:' /var/log/dpkg.log")).toBe("1");
      expect((await node.exec("vgs --noheadings -o vg_seqno xenvg 2>/dev/null")).trim()).toBe("1");
      expect(await node.exec(`grep -c ${clusterName} /etc/hosts`)).toBe("1");
    }
  });

  it("made a cluster of both nodes that Ganeti finds clean, over the bridges", async () => {
    const verified = await master().try("gnt-cluster verify --error-codes");
    expect(verified, verified.stdout).toMatchObject({ status: 0 });
    expect(verified.stdout).not.toMatch(/ - (ERROR|WARNING)/);
    expect(await master().exec("gnt-node list --no-headers --separator=' ' -o name,role")).toBe(
      site.names.map((name, index) => `${name} ${index === 0 ? "M" : "C"}`).join("\n"),
    );
    expect(await master().exec("gnt-cluster info")).toMatch(/Enabled hypervisors: fake$/m);
    expect(await master().exec("ip -brief -4 address show br0")).toMatch(/10\.158\.66\.11\/24.* 10\.158\.66\.100\/32/);
    for (const node of nodes()) {
      expect(await node.exec("ls /sys/class/net/br0/brif")).toBe("eth0");
      // What would undo the bridge is gone.
      expect(await node.exec("find /var/lib/virtu -name rollback")).toBe("");
    }
  });

  it("has an instance, which virtu lists and starts", async () => {
    const name = "web1.oar.lab";
    await master().exec(`gnt-instance add -t diskless -o noop -n ${site.names[1]} --no-ip-check --no-name-check \\
      --no-start -B memory=128,vcpus=1 ${name}`);
    const host = ["--host", site.names[0] ?? "", "--json"];
    const list = async () => {
      const listed = await virtu(["instances", ...host], options);
      expect(listed, listed.stderr).toMatchObject({ status: 0 });
      return listed.json<InstanceJson[]>();
    };
    const known = { name, provider: "ganeti", cluster: clusterName, node: site.names[1] };
    expect(await list()).toEqual([expect.objectContaining({ ...known, status: "stopped" })]);
    const started = await virtu(["start", name, ...host, "--yes"], options);
    expect(started, started.stderr).toMatchObject({ status: 0 });
    expect(await list()).toEqual([expect.objectContaining({ ...known, status: "running" })]);
    expect(await master().exec("gnt-instance list --no-headers -o status")).toBe("running");
  });

  it("changes nothing when it is run again", () => unchanged(teardown, words(), options, nodes()));
});

describe("all of it by one file", () => {
  const file = () => join(scripts, "up.yaml");
  const up = () => ["up", file(), "--yes"];
  let jobId = 0;

  beforeAll(async () => {
    const released = await virtu(["release", ...targets.slice(0, 2), targets[3] ?? "", "--yes", "--json"], options);
    expect(released, released.stderr).toMatchObject({ status: 0 });
    writeFileSync(
      file(),
      `site: frontend
nodes: 2
walltime: 1h
deploy:
  environment: debian12-min
  key: ${site.key}
configure:
  upgrade: false
  password: generate
install:
  provider: ganeti
  cluster: ${clusterName}
  address: 10.158.66.100
  hypervisors: [fake]
  storage: lvm:/dev/sdb
  bridge: br0
instances:
  - {name: web1.oar.lab, memory: 128m}
`,
    );
  });

  it("goes from nothing to an instance that runs, killed on the way and gone on with", async () => {
    const before = site.deployments();
    let cut: Promise<string> | null = null;
    const killed = await carry(teardown, up(), options, ({ step, state, node }, kill) => {
      if (step !== "packages" || state !== "running" || cut) return;
      cut = until(`${step} runs on ${node}`, async () => {
        const found = await site.node(node).try(`kill -0 "$(cat /root/.virtu/runs/*/packages.*/worker)"`);
        return found.status === 0 && `${step} ${node}`;
      });
      void cut.then(kill);
    });
    expect(await cut, whatHappened(killed)).not.toBeNull();
    expect(killed).toMatchObject({ status: null, outcome: null });
    expect(killed.rootPassword).toMatch(/^[\w-]{16,}$/);
    const carried = await carry(teardown, up(), options);
    expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
    expect(site.deployments()).toBe(before + 1);
    const [way] = (await virtu(["runs", "--json"], options)).json<{ kind: string; jobId: number; state: string }[]>();
    expect(way).toMatchObject({ kind: "up", state: "done" });
    jobId = way?.jobId ?? 0;
    expect((await site.oar.job(jobId))?.state).toBe("Running");
    expect(await master().exec("gnt-instance list --no-headers --separator=' ' -o name,status,oper_ram")).toBe(
      "web1.oar.lab running 128",
    );
    const listed = await virtu(["instances", "--host", site.names[0] ?? "", "--json"], options);
    expect(listed.json<InstanceJson[]>()).toEqual([
      expect.objectContaining({ name: "web1.oar.lab", cluster: clusterName, status: "running", memoryMiB: 128 }),
    ]);
  });

  it("changes nothing when it is gone again", () => unchanged(teardown, up(), options, nodes()));

  it("is taken back: the instance and the cluster while the job stays, then the job", async () => {
    const kept = await virtu(["down", file(), "--keep-job", "--yes", "--json"], options);
    expect(kept, kept.stderr).toMatchObject({ status: 0 });
    expect((await master().try("gnt-cluster info")).status).not.toBe(0);
    for (const node of nodes()) expect((await node.try("test -e /var/lib/ganeti/config.data")).status).toBe(1);
    expect((await site.oar.job(jobId))?.state).toBe("Running");
    const gone = await virtu(["down", file(), "--yes", "--json"], options);
    expect(gone, gone.stderr).toMatchObject({ status: 0 });
    expect(["Terminated", "Error"]).toContain((await site.oar.job(jobId))?.state);
    const again = await virtu(["down", file(), "--yes"], options);
    expect(again, again.stderr).toMatchObject({ status: 0, stdout: expect.stringContaining("nothing that is left") });
  });
});
