/**
 * The install journeys on a real dom0, and Ganeti with xen-pvm there: a cluster of one node beside domains of `xl` and of
 * libvirt. Every outcome is asked of `gnt-instance`, `xl` and `virsh`, by an ssh of the test's own.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { discover } from "../../../source/instances/discover.ts";
import type { Instance, Provider } from "../../../source/instances/types.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { Pool } from "../../../source/ssh/types.ts";
import { TestAsker } from "../../ssh/server.ts";
import type { ActionJson, InstanceJson } from "../instances.ts";
import { carry, fingerprint, foundDone, stepsThat, whatHappened } from "../journey/carry.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { openXen, type XenHost } from "./host.ts";

// Each gnt-* and each of their jobs starts Pythons in an emulated processor: a cluster takes minutes, an instance one.
vi.setConfig({ testTimeout: 900_000 });
const slowly = 400_000;

const teardown = new Teardown();
let xen: XenHost;
let options: VirtuOptions;
let pool: Pool;

beforeAll(async () => {
  xen = await openXen(teardown);
  options = { sshConfig: xen.sshConfig, home: teardown.directory("home"), timeoutMs: 800_000 };
  pool = createPool({ sshConfig: xen.sshConfig, asker: new TestAsker() });
  teardown.add(() => pool.end());
});
afterAll(() => teardown.run());

const installLibvirt = ["install", "libvirt", "--nodes", "xen1", "--yes"];
const installGaneti = [
  ...["install", "ganeti", "--nodes", "xen1", "--cluster-name", "cluster1", "--cluster-address", "10.0.2.20"],
  ...["--hypervisor", "xen-pvm", "--bridge", "xenbr0", "--storage", "diskless", "--yes"],
];

const gnt = (command: string) => xen.exec(command, slowly);
/** `ADMIN_down N` */
const ganetiSays = async (name: string) =>
  (await xen.try(`gnt-instance list --no-headers --separator=' ' -o status,oper_state ${name}`, slowly)).stdout.trim();
const xlSays = async (name: string) => (await xen.domains()).get(name)?.state ?? "gone";
const headless = (...words: string[]) => virtu([...words, "--host", "xen1", "--json"], options);

const others = / (db1|keep1|crash1|web1|vdb|vweb) /;

/** Waits for the table of all three providers to say just this: a daemon that is too slow for Ganeti reads as a node that is down. */
async function shows(...wanted: string[]): Promise<void> {
  let rows: string[] = [];
  const look = async () => {
    const ran = await headless("instances");
    // Nobody answered in time.
    if (!ran.stdout.startsWith("[")) return false;
    const all = ran.json<InstanceJson[]>().map((one) => `${one.provider} ${one.name} ${one.statusDetail}`);
    rows = all.filter((row) => !others.test(row));
    return rows.join() === wanted.join();
  };
  await until(wanted.join(", "), look, slowly).catch((thrown: Error) => {
    throw new Error(`${thrown.message}; it says ${rows.join(", ")}`);
  });
}

/** Acts by virtu. A job that Ganeti itself could not start in its time is given to it once more. */
async function act(...words: string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const ran = await headless(...words, "--yes");
    const [outcome] = ran.json<ActionJson[]>();
    if (tries < 4 && outcome?.ok === false && /could not start the job/.test(outcome.error ?? "")) continue;
    expect(outcome, ran.stderr).toMatchObject({ ok: true, error: null, job: expect.stringMatching(/^\d+$/) });
    return;
  }
}

async function found(provider: string, name: string): Promise<{ provider: Provider; instance: Instance }> {
  const { providers } = await discover(pool, { name: "xen1" });
  const one = providers.find((other) => other.name === provider);
  const instance = (await one?.list({ timeoutMs: slowly }))?.instances.find((other) => other.name === name);
  if (!one || !instance) throw new Error(`${provider} shows no ${name}`);
  return { provider: one, instance };
}

test("makes the dom0 a host of libvirt, by its driver for Xen", async () => {
  const carried = await carry(teardown, installLibvirt, options);
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
  expect(stepsThat(carried.outcome, "done")).toEqual(expect.arrayContaining(["packages xen1", "network xen1"]));
  // It runs already, with a domain: it is not started anew.
  expect(stepsThat(carried.outcome, "already")).toContain("daemon xen1");
  expect(await xen.exec("virsh -q -c xen:///system net-list")).toMatch(/^ *default +active +yes/);
  expect(await xen.exec("virsh -q -c xen:///system pool-list")).toMatch(/^ *default +active +yes/);
  expect(await xen.exec("virsh -q -c xen:///system domstate vweb")).toBe("running");
  expect(await xen.exec("dpkg -s dnsmasq-base | grep ^Status")).toBe("Status: install ok installed");
});

let run = "";

test("makes it a cluster for Xen, and names the guest beside which Ganeti can't verify it", async () => {
  const carried = await carry(teardown, installGaneti, options);
  run = carried.outcome?.run ?? "";
  expect(carried, whatHappened(carried)).toMatchObject({ status: 1, outcome: { ok: false } });
  expect(stepsThat(carried.outcome, "done")).toEqual(
    expect.arrayContaining(["packages xen1", "kernel-links xen1", "init xen1"]),
  );
  // What the other journey has done, and what was there before.
  expect(stepsThat(carried.outcome, "already")).toEqual(
    expect.arrayContaining(["hosts xen1", "lists xen1", "bridge xen1", "bridge-keep xen1"]),
  );
  const version = await xen.exec("uname -r");
  expect(await xen.exec("readlink /boot/vmlinuz-3-xenU /boot/initrd-3-xenU")).toBe(
    `vmlinuz-${version}\ninitrd.img-${version}`,
  );
  expect(await gnt("gnt-cluster info")).toMatch(/^ +xen_cmd: xl$/m);
  expect(await xen.exec("xl list | grep -cE '^(web1|crash1|vweb) '")).toBe("3");
  const verify = carried.outcome?.steps.find(({ step }) => step === "verify");
  expect(verify).toMatchObject({
    state: "failed",
    error: expect.stringMatching(/could not finish: Job \d+ has failed/),
  });
  expect(JSON.stringify(carried.events)).toMatch(/The guest (web1|crash1|vweb) runs on a node and is not Ganeti's/);
});

test("goes on once those are off, and finds everything done when it is run again", async () => {
  await xen.exec("xl destroy web1; xl destroy crash1; virsh -c xen:///system destroy vweb");
  const carried = await carry(teardown, ["resume", run, "--retry", "verify"], options);
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true } });
  // Its collectors look at Xen every five seconds, which takes an emulated processor half of its time.
  await xen.exec("/usr/lib/ganeti/daemon-util stop ganeti-mond || true");
  expect(await gnt("gnt-node list --no-headers --separator=' ' -o name,role,cnodes,pinst_cnt")).toMatch(/^xen1\S* M /);
  const before = await fingerprint(xen);
  await foundDone(teardown, installGaneti, options);
  await foundDone(teardown, installLibvirt, options);
  expect(await fingerprint(xen)).toBe(before);
});

test("shows an instance once, as Ganeti's, and not a file of xl's by which it would run twice", async () => {
  const kernel = "kernel_path=/srv/xen/vmlinux,initrd_path=/srv/xen/initrd.gz,kernel_args=console=hvc0 vmname=gweb";
  await gnt(
    `cd / && gnt-instance add -t diskless -o noop --no-install --no-name-check --no-ip-check -B memory=128,vcpus=1 -H 'xen-pvm:${kernel}' -n "$(hostname -f)" gweb`,
  );
  await xen.exec("sed 's/ci1/gweb/' /etc/xen/build.cfg >/etc/xen/gweb.cfg; xl create -q /etc/xen/build.cfg");
  await shows("xen ci1 running", "ganeti gweb ADMIN_down");
});

test("starts it: a domain of Xen, and running for Ganeti", async () => {
  await act("start", "gweb");
  expect(await xlSays("gweb")).toMatch(/^[r-][b-]----$/);
  await until("Ganeti sees it run", async () => (await ganetiSays("gweb")) === "running Y", slowly);
  await shows("xen ci1 running", "ganeti gweb running");
});

test("gives its console by Ganeti's own way", async () => {
  const { provider, instance } = await found("ganeti", "gweb");
  const way = provider.console(instance);
  if ("refusal" in way) throw new Error(way.refusal);
  const { stream, ended } = await pool.pty(way.host, way.command, { columns: 80, rows: 24 });
  let text = "";
  stream.on("data", (data: Buffer) => {
    text += data.toString();
  });
  await until("a login prompt", () => /gweb login: /.test(text), slowly);
  stream.write("root\r");
  await until("a shell", () => text.includes("gweb# "), slowly);
  stream.write("echo $((6*7))-$(hostname)\r");
  await until("the command's output", () => text.includes("42-gweb"), slowly);
  stream.write(way.leave ?? "");
  expect(await ended).toMatchObject({ outcome: "exited", status: 0 });
});

test("leaves it alone as a domain of xl's where Ganeti itself can't be used", async () => {
  const master = "/var/lib/ganeti/ssconf_master_node";
  await xen.exec(`mv ${master} ${master}.away`);
  try {
    const { provider, instance } = await found("xen", "gweb");
    expect(instance).toMatchObject({ status: "running", facts: { managedBy: "ganeti" } });
    for (const action of ["shutdown", "reboot", "pause", "save", "rename", "set-memory"] as const) {
      expect(provider.refuses(action, instance)).toMatch(/ganeti on that host looks after it/);
    }
  } finally {
    await xen.exec(`mv ${master}.away ${master}`);
  }
});

test("reboots it: another domain of the same name, and the same instance", async () => {
  const before = (await xen.domains()).get("gweb")?.id ?? 0;
  await act("reboot", "gweb");
  expect((await xen.domains()).get("gweb")?.id).toBeGreaterThan(before);
  await until("Ganeti sees it run", async () => (await ganetiSays("gweb")) === "running Y", slowly);
});

test("shuts it down: gone from Xen, with the domain of xl's beside it untouched", async () => {
  await act("shutdown", "gweb");
  await until("Ganeti sees it down", async () => (await ganetiSays("gweb")) === "ADMIN_down N", slowly);
  expect(await xlSays("gweb")).toBe("gone");
  expect(await xlSays("ci1")).not.toBe("gone");
});
