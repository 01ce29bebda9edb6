import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeUsageCommand, parseNodeUsage } from "../../../source/tools/ganeti-usage.ts";
import type { ActionJson, InstanceJson } from "../instances.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { type GanetiLab, openGaneti } from "./cluster.ts";

const teardown = new Teardown();
let lab: GanetiLab;
let options: VirtuOptions;

beforeAll(async () => {
  lab = await openGaneti(teardown);
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
});
afterAll(() => teardown.run());

const headless = (...words: string[]) => virtu([...words, "--json"], options);

/** One action that must work, and what it reported. */
async function act(action: string, name: string): Promise<ActionJson> {
  const ran = await headless(action, lab.instance(name), "--host", "node1", "--yes");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const [outcome, ...more] = ran.json<ActionJson[]>();
  expect(more).toEqual([]);
  if (!outcome) throw new Error(`${action} ${name} reported nothing`);
  return outcome;
}

/** The number of the newest job that the cluster knows. */
const lastJob = async () =>
  Math.max(...(await lab.master.exec("gnt-job list --no-headers -o id")).split("\n").map((id) => Number(id.trim())));

test("lists what gnt-instance lists, field by field", async () => {
  const ran = await headless("instances", "--host", "node1");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const shown = ran.json<InstanceJson[]>().map((instance) => ({
    ...{ line: [instance.name, instance.statusDetail, instance.node, instance.vcpus, instance.memoryMiB].join("|") },
    ...{ status: instance.status, provider: instance.provider, cluster: instance.cluster, host: instance.host },
  }));
  const real = await lab.master.exec(
    "gnt-instance list --no-headers --separator='|' --units=m -o name,status,pnode,be/vcpus,be/memory",
  );
  const common = { status: "running", provider: "ganeti", cluster: lab.clusterName, host: "node1" };
  expect(shown).toHaveLength(4);
  expect(shown).toEqual(real.split("\n").map((line) => ({ line, ...common })));
});

test("finds the master through another node", async () => {
  const ran = await headless("instances", "--host", "node2");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const names = ran.json<InstanceJson[]>().map(({ name, cluster }) => `${name} of ${cluster}`);
  const real = (await lab.master.exec("gnt-instance list --no-headers -o name")).split("\n");
  expect(names).toEqual(real.map((name) => `${name} of ${lab.clusterName}`));
});

test("tells what each node uses beside the node's own numbers, and why nothing is known of instances that are none", async () => {
  const host = async (node: typeof lab.master) => {
    const [, ...times] = (await node.exec("head -n 1 /proc/stat")).trim().split(/ +/).map(Number);
    const total = times.slice(0, 8).reduce((sum, time) => sum + time, 0);
    return { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) };
  };
  const before = await host(lab.master);
  const ran = await headless("usage", "--nodes", "--host", "node1", "--seconds", "3");
  const after = await host(lab.master);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const found = ran.json<{ name: string; cpu: number | null; memoryMiB: number; gap: string | null }[]>();
  expect(found.map(({ name }) => name).sort()).toEqual([lab.instance("node1"), lab.instance("node2")]);
  const mean = ((after.busy - before.busy) / (after.total - before.total)) * 100;
  // The second one is asked by the master's own login there; both are containers of one machine.
  for (const { cpu, gap } of found) {
    expect(gap).toBeNull();
    expect(Math.abs((cpu ?? Number.NaN) - mean)).toBeLessThan(Math.max(15, mean / 2));
  }
  const instances = (await headless("usage", "--host", "node1", "--seconds", "1")).json<{ cpu: null; gap: string }[]>();
  expect(instances).toHaveLength(4);
  for (const one of instances)
    expect(one).toMatchObject({ cpu: null, gap: expect.stringContaining("fake hypervisor") });
});

test("counts a KVM instance by the process whose number Ganeti keeps, as proc tells it", async () => {
  const kept = "/var/run/ganeti/kvm-hypervisor";
  // A shell that works for a while under QEMU's name stands for a guest; Ganeti's own files name it and its tap.
  const pid = await lab.other.exec(`mkdir -p ${kept}/pid ${kept}/nic/kvm1 && cp /bin/dash /tmp/qemu-system-x86
    printf lo >${kept}/nic/kvm1/0
    /tmp/qemu-system-x86 -c 'n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done; read -r _ </dev/zero' >/dev/null 2>&1 &
    echo $! >${kept}/pid/kvm1; echo 1 >${kept}/pid/gone; echo $!`);
  try {
    const command = nodeUsageCommand({ directory: "", sudo: false }, lab.clusterName, lab.instance("node2"));
    const ask = async () => parseNodeUsage(await lab.master.exec(command.line))?.instances;
    await until("it has worked", async () => ((await ask())?.get("kvm1")?.cpuNs ?? 0) > 0);
    const found = await ask();
    const [seconds, kib] = (await lab.other.exec(`ps -o cputimes=,rss= -p ${pid}`)).trim().split(/ +/).map(Number);
    expect([...(found?.keys() ?? [])]).toEqual(["kvm1"]);
    const usage = found?.get("kvm1");
    expect(Math.abs((usage?.cpuNs ?? 0) / 1e9 - (seconds ?? Number.NaN))).toBeLessThan(2);
    expect(Math.abs((usage?.memoryMiB ?? 0) - (kib ?? Number.NaN) / 1024)).toBeLessThan(1);
    expect(usage).toMatchObject({ memorySource: "resident", diskReadBytes: expect.any(Number) });
    const received = Number(await lab.other.exec("cat /sys/class/net/lo/statistics/rx_bytes"));
    expect(usage?.netOutBytes).toBeLessThanOrEqual(received);
    expect(usage?.netInBytes).toEqual(expect.any(Number));
  } finally {
    await lab.other.exec(`kill -9 ${pid}; rm -r ${kept}/pid/kvm1 ${kept}/pid/gone ${kept}/nic/kvm1`);
  }
});

test("shows a cluster once that was named by two of its nodes", async () => {
  const ran = await headless("instances", "--host", "node1", "--host", "node2");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const names = ran.json<InstanceJson[]>().map(({ name }) => name);
  expect(names).toEqual((await lab.master.exec("gnt-instance list --no-headers -o name")).split("\n"));
});

test("only says what it would do with --dry-run", async () => {
  const before = await lastJob();
  const ran = await virtu(["shutdown", lab.instance("db1"), "--host", "node1", "--dry-run"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.stdout).toMatch(/gnt-instance.* shutdown .*db1/);
  expect(await lastJob()).toBe(before);
  expect(await lab.ask("db1", "status")).toBe("running");
});

test("shuts down, starts and reboots by Ganeti jobs whose numbers it gives", async () => {
  const down = await act("shutdown", "db1");
  expect(down).toMatchObject({ ok: true, statusBefore: "running", statusAfter: "stopped", error: null });
  expect(await lab.job(String(down.job), "status,summary")).toBe(`success|INSTANCE_SHUTDOWN(${lab.instance("db1")})`);
  expect(await lab.ask("db1", "status,admin_state")).toBe("ADMIN_down|down");

  const up = await act("start", "db1");
  expect(up).toMatchObject({ ok: true, statusBefore: "stopped", statusAfter: "running" });
  expect(await lab.job(String(up.job), "status,summary")).toBe(`success|INSTANCE_STARTUP(${lab.instance("db1")})`);
  expect(await lab.ask("db1", "status,admin_state")).toBe("running|up");

  const again = await act("reboot", "db1");
  expect(again).toMatchObject({ ok: true, statusBefore: "running", statusAfter: "running" });
  expect(await lab.job(String(again.job), "status,summary")).toBe(`success|INSTANCE_REBOOT(${lab.instance("db1")})`);
  expect(await lab.ask("db1", "status")).toBe("running");
});

test("acts through a node that is not the master", async () => {
  const ran = await headless("reboot", lab.instance("web2"), "--host", "node2", "--yes");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const [outcome] = ran.json<ActionJson[]>();
  expect(await lab.job(String(outcome?.job), "summary")).toBe(`INSTANCE_REBOOT(${lab.instance("web2")})`);
});

test("acts on several at once, each by its own job", async () => {
  const names = [lab.instance("web1"), lab.instance("db2")];
  const ran = await headless("shutdown", ...names, "--host", "node1", "--host", "node2", "--yes");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const outcomes = ran.json<ActionJson[]>();
  expect(outcomes.map(({ name, ok, statusAfter }) => `${name} ${ok} ${statusAfter}`).sort()).toEqual(
    names.map((name) => `${name} true stopped`).sort(),
  );
  expect(new Set(outcomes.map(({ job }) => job)).size).toBe(2);
  expect(await Promise.all([lab.ask("web1", "status"), lab.ask("db2", "status")])).toEqual([
    "ADMIN_down",
    "ADMIN_down",
  ]);
  const up = await headless("start", ...names, "--host", "node1", "--yes");
  expect(up, up.stderr).toMatchObject({ status: 0 });
  expect(await Promise.all([lab.ask("web1", "status"), lab.ask("db2", "status")])).toEqual(["running", "running"]);
});

test("forces off only after a yes", async () => {
  const name = lab.instance("web1");
  const before = await lastJob();
  const refused = await headless("force-off", name, "--host", "node1");
  expect(refused.status).toBe(2);
  expect(refused.error()).toMatchObject({ what: expect.stringContaining("yes") });
  expect(await lastJob()).toBe(before);
  expect(await lab.ask("web1", "status")).toBe("running");

  const off = await act("force-off", "web1");
  expect(off).toMatchObject({ ok: true, statusAfter: "stopped" });
  expect(await lab.ask("web1", "status")).toBe("ADMIN_down");
  await act("start", "web1");
  expect(await lab.ask("web1", "status")).toBe("running");
});

test("names an instance that is not there, and does nothing", async () => {
  const before = await lastJob();
  const ran = await headless("reboot", "nosuch.lab.example.org", "--host", "node1", "--yes");
  expect(ran.status).toBe(2);
  expect(ran.error()).toMatchObject({ where: "nosuch.lab.example.org" });
  expect(await lastJob()).toBe(before);
});

test("shows the instances of a node that is down as errors, and why an action on one fails", async () => {
  await lab.other.exec("/usr/lib/ganeti/daemon-util stop ganeti-noded");
  try {
    const ran = await headless("instances", "--host", "node1");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    const shown = ran
      .json<InstanceJson[]>()
      .map(({ name, status, statusDetail }) => `${name}|${status}|${statusDetail}`);
    const real = await lab.master.exec("gnt-instance list --no-headers --separator='|' -o name,status");
    expect(real).toContain("ERROR_nodedown");
    const expected = real.split("\n").map((line) => {
      const [name, word] = line.split("|");
      return `${name}|${word === "ERROR_nodedown" ? "error" : word}|${word}`;
    });
    expect(shown).toEqual(expected);

    const failed = await headless("reboot", lab.instance("web2"), "--host", "node1", "--yes");
    expect(failed.status).toBe(1);
    const [outcome] = failed.json<ActionJson[]>();
    expect(outcome).toMatchObject({ ok: false, statusAfter: "error" });
    expect(outcome?.error).toContain("node2.lab.example.org");
    expect(await lab.job(String(outcome?.job), "status")).toBe("error");
  } finally {
    await lab.other.exec("/usr/lib/ganeti/daemon-util start ganeti-noded");
  }
  await until("node2 answering again", async () => (await lab.ask("web2", "status")) === "running");
});
