/** Every action on a real cluster, by LUXI and by the gnt-* programs; what became of it is read by gnt-* on the nodes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GanetiProvider } from "../../../source/instances/ganeti.ts";
import { createInventory } from "../../../source/instances/inventory.ts";
import type { Action, ActionOutcome, NodeAction, ProviderEvent } from "../../../source/instances/types.ts";
import type { Pool } from "../../../source/ssh/types.ts";
import { Teardown, until } from "../lab.ts";
import { type GanetiLab, openGaneti, openProviders } from "./cluster.ts";

const teardown = new Teardown();
let lab: GanetiLab;
let pool: Pool;
let luxi: GanetiProvider;
let gnt: GanetiProvider;

beforeAll(async () => {
  lab = await openGaneti(teardown);
  // File storage, for what has disks.
  const paths = "mkdir -p /srv/ganeti/file-storage; echo /srv/ganeti/file-storage >/etc/ganeti/file-storage-paths";
  await Promise.all([lab.master.exec(paths), lab.other.exec(paths)]);
  await lab.master.exec(`gnt-cluster modify --enabled-disk-templates=diskless,file \\
    --ipolicy-disk-templates=diskless,file --ipolicy-vcpu-ratio=64 \\
    --file-storage-dir=/srv/ganeti/file-storage
    gnt-instance add -t file -s 1g -o noop -n node1.${lab.network.domain} --no-name-check --no-ip-check --no-install \\
    --no-start -B memory=128 ${lab.instance("disk1")}`);
  ({ pool, luxi, gnt } = await openProviders(teardown, lab));
});
afterAll(() => teardown.run());

async function instance(provider: GanetiProvider, name: string) {
  const { instances } = await provider.list({});
  const found = instances.find((one) => one.name === lab.instance(name));
  if (!found) throw new Error(`no ${name}`);
  return found;
}

async function node(provider: GanetiProvider, name: string) {
  const found = (await provider.list({})).nodes.find((one) => one.name === `${name}.${lab.network.domain}`);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

const act = async (provider: GanetiProvider, name: string, action: Action): Promise<ActionOutcome> =>
  provider.act(action, await instance(provider, name), {});

const actOn = async (provider: GanetiProvider, name: string, action: NodeAction): Promise<ActionOutcome> =>
  provider.nodes.act(action, await node(provider, name), {});

const full = (name: string) => `${name}.${lab.network.domain}`;

/** One that must work, and the state and summary of its last job as gnt-job tells them. */
async function works(done: Promise<ActionOutcome>): Promise<string> {
  const outcome = await done;
  expect(outcome, JSON.stringify(outcome)).toMatchObject({ ok: true, error: null });
  return lab.job(String(outcome.job), "status,summary");
}

describe("the two ways", () => {
  test("give the same list, details and jobs", async () => {
    // What a node has free changes from moment to moment.
    const steady = <T>(value: T): unknown =>
      JSON.parse(JSON.stringify(value, (key, item) => (/^(?:memory|disk)(?:Free|Node)|freeMiB/.test(key) ? 0 : item)));
    expect(steady(await luxi.list({}))).toEqual(steady(await gnt.list({})));
    const disk1 = await instance(luxi, "disk1");
    const details = await luxi.details(disk1, {});
    expect(steady(details)).toEqual(steady(await gnt.details(disk1, {})));
    expect(details).toMatchObject({ disks: [{ id: "disk/0", sizeMiB: 1024, format: "file" }], networks: ["br0"] });
    expect(await luxi.jobs.list({})).toEqual(await gnt.jobs.list({}));
  });

  test("differ in what they cost", async () => {
    const median = async (work: () => Promise<unknown>) => {
      const times: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        const began = performance.now();
        await work();
        times.push(performance.now() - began);
      }
      return Math.round(times.sort((a, b) => a - b)[2] ?? 0);
    };
    const figures = {
      "list by LUXI": await median(() => luxi.list({})),
      "list by gnt-*": await median(() => gnt.list({})),
      "jobs by LUXI": await median(() => luxi.jobs.list({})),
      "jobs by gnt-*": await median(() => gnt.jobs.list({})),
    };
    console.log("milliseconds (median of 5):", figures);
    expect(figures["list by LUXI"]).toBeLessThan(figures["list by gnt-*"]);
  });
});

describe.each(["LUXI", "gnt-*"])("by %s", (way) => {
  const provider = () => (way === "LUXI" ? luxi : gnt);

  test("power, and a reboot that asks nobody", async () => {
    expect(await works(act(provider(), "db1", { do: "shutdown" }))).toBe(
      `success|INSTANCE_SHUTDOWN(${lab.instance("db1")})`,
    );
    expect(await lab.ask("db1", "status")).toBe("ADMIN_down");
    await works(act(provider(), "db1", { do: "start" }));
    expect(await lab.ask("db1", "status")).toBe("running");
    const outcome = await act(provider(), "db1", { do: "reboot", how: "hard" });
    expect(outcome.ok).toBe(true);
    const operation = await lab.job(String(outcome.job), "ops");
    expect(operation).toMatch(/'reboot_type': 'full'/);
    expect(operation).toMatch(/'shutdown_timeout': 0/);
    expect(await lab.ask("db1", "status")).toBe("running");
  });

  test("migration and failover to the node that was chosen", async () => {
    const home = await lab.ask("web1", "pnode");
    const away = home === full("node1") ? full("node2") : full("node1");
    const targets = await provider().targets("migrate", await instance(provider(), "web1"), {});
    expect(targets).toMatchObject([{ name: away, refusal: null }]);
    expect(await works(act(provider(), "web1", { do: "migrate", to: away, live: true }))).toMatch(/MIGRATE/);
    expect(await lab.ask("web1", "status,pnode")).toBe(`running|${away}`);
    expect(await works(act(provider(), "web1", { do: "failover", to: home }))).toMatch(/FAILOVER/);
    expect(await lab.ask("web1", "status,pnode")).toBe(`running|${home}`);
  });

  test("a refusal of Ganeti's is told in its words", async () => {
    const migrated = await act(provider(), "disk1", { do: "migrate", to: full("node2"), live: true });
    expect(migrated).toMatchObject({ ok: false, error: expect.stringContaining("does not allow migrations") });
    expect(await lab.job(String(migrated.job), "status")).toBe("error");
    const unknown = await act(provider(), "web1", { do: "failover", to: full("node9") });
    expect(unknown.ok).toBe(false);
    expect(unknown.error).toMatch(/node9/);
  });
});

describe("what an instance is made of", () => {
  test("its tags, memory and vCPUs", async () => {
    await works(act(luxi, "db2", { do: "tag", add: ["tier:db", "old"], remove: [] }));
    await works(act(gnt, "db2", { do: "tag", add: ["new"], remove: ["old"] }));
    expect((await lab.ask("db2", "tags")).split(",").sort()).toEqual(["new", "tier:db"]);
    await works(act(luxi, "db2", { do: "set-memory", mebibytes: 192 }));
    await works(act(luxi, "db2", { do: "set-vcpus", count: 1 }));
    expect(await lab.ask("db2", "be/maxmem,be/minmem,be/vcpus")).toMatch(/^192M?\|192M?\|1$/);
  });

  test("its disks and interfaces", async () => {
    await works(act(luxi, "disk1", { do: "disk-add", mebibytes: 1024, pool: null }));
    await works(act(luxi, "disk1", { do: "disk-grow", disk: "disk/0", mebibytes: 1536 }));
    expect(await lab.ask("disk1", "disk.sizes")).toBe("1536,1024");
    await works(act(luxi, "disk1", { do: "disk-remove", disk: "disk/1", keepVolume: false }));
    expect(await lab.ask("disk1", "disk.sizes")).toBe("1536");
    await works(act(luxi, "disk1", { do: "nic-add", network: "br0" }));
    expect(await lab.ask("disk1", "nic.links")).toBe("br0,br0");
    await works(act(luxi, "disk1", { do: "nic-remove", nic: "nic/1" }));
    expect(await lab.ask("disk1", "nic.links")).toBe("br0");
    const diskless = await act(luxi, "db2", { do: "disk-grow", disk: "disk/0", mebibytes: 2048 });
    expect(diskless.ok).toBe(false);
  });

  test("its node, when its disks are copied; its name; and its end", async () => {
    expect(await works(act(luxi, "disk1", { do: "move", to: full("node2") }))).toMatch(/MOVE/);
    expect(await lab.ask("disk1", "pnode")).toBe(full("node2"));
    lab.network.address("disk9");
    const hosts = { input: lab.network.hosts() };
    await Promise.all([lab.master.exec("cat >/etc/hosts", hosts), lab.other.exec("cat >/etc/hosts", hosts)]);
    await works(act(luxi, "disk1", { do: "rename", to: lab.instance("disk9") }));
    expect(await lab.ask("disk9", "status")).toBe("ADMIN_down");
    await works(act(luxi, "disk9", { do: "remove", keepDisks: false }));
    expect(await lab.master.exec("gnt-instance list --no-headers -o name")).not.toContain("disk9");
    expect(await lab.other.exec("find /srv/ganeti/file-storage -name 'disk*'")).toBe("");
  });
});

test("a state that should not be is shown as what it is", async () => {
  const file = (name: string) => `/var/run/ganeti/fake-hypervisor/${lab.instance(name)}`;
  const home = async (name: string) => ((await lab.ask(name, "pnode")) === full("node1") ? lab.master : lab.other);
  const [db1, web2] = [await home("db1"), await home("web2")];
  await db1.exec(`rm ${file("db1")}`);
  await works(act(luxi, "web2", { do: "shutdown" }));
  await web2.exec(`printf '0\\n128\\n1\\n' >${file("web2")}`);
  expect([await lab.ask("db1", "status"), await lab.ask("web2", "status")]).toEqual(["ERROR_down", "ERROR_up"]);
  for (const provider of [luxi, gnt]) {
    expect(await instance(provider, "db1")).toMatchObject({ status: "error", statusDetail: "ERROR_down" });
    expect(await instance(provider, "web2")).toMatchObject({ status: "error", statusDetail: "ERROR_up" });
  }
  await works(act(luxi, "db1", { do: "start" }));
  await works(act(luxi, "web2", { do: "start" }));
  expect([await lab.ask("db1", "status"), await lab.ask("web2", "status")]).toEqual(["running", "running"]);
});

test("a job that waits is taken back, one that runs is not", async () => {
  const delay = lab.master.exec(`gnt-debug delay -n node1.${lab.network.domain} -n node2.${lab.network.domain} 12`);
  await until("the delay holding the nodes", async () =>
    (await luxi.jobs.list({})).find(({ summary, state }) => summary.startsWith("TEST_DELAY") && state === "running"),
  );
  const waiting = act(luxi, "web1", { do: "migrate", to: full("node2"), live: true });
  const job = await until("a job that waits", async () =>
    (await luxi.jobs.list({})).find(({ summary, state }) => summary.includes("MIGRATE") && state === "waiting"),
  );
  expect(job.cancellable).toBe(true);
  await luxi.jobs.cancel(job.id, {});
  expect(await waiting).toMatchObject({ ok: false, job: job.id, error: "the job was cancelled" });
  expect(await lab.job(job.id, "status")).toBe("canceled");
  const running = (await luxi.jobs.list({})).find(({ summary }) => summary.startsWith("TEST_DELAY"));
  await expect(luxi.jobs.cancel(running?.id ?? "", {})).rejects.toMatchObject({
    why: expect.stringMatching(/runs already/),
  });
  await delay;
});

describe("nodes", () => {
  const roles = () => lab.master.exec("gnt-node list --no-headers --separator='|' -o name,role,pinst_cnt");

  test("are evacuated, by jobs that are all followed", async () => {
    const outcome = await actOn(luxi, "node2", { do: "evacuate", which: "all" });
    expect(outcome, JSON.stringify(outcome)).toMatchObject({ ok: true });
    expect(await roles()).toContain(`${full("node2")}|C|0`);
    expect(await lab.ask("web2", "status,pnode")).toBe(`running|${full("node1")}`);
    await works(act(gnt, "web2", { do: "migrate", to: full("node2"), live: true }));
    const again = await actOn(gnt, "node2", { do: "evacuate", which: "primary" });
    expect(again, JSON.stringify(again)).toMatchObject({ ok: true });
    expect(await lab.ask("web2", "pnode")).toBe(full("node1"));
  });

  test("are drained and set offline, and come back", async () => {
    await works(actOn(luxi, "node2", { do: "drain", on: true }));
    expect(await roles()).toContain(`${full("node2")}|D|`);
    expect((await luxi.targets("migrate", await instance(luxi, "web1"), {}))[0]?.refusal).toBe("it is drained");
    await works(actOn(luxi, "node2", { do: "drain", on: false }));
    await works(act(luxi, "db2", { do: "migrate", to: full("node2"), live: true }));
    await works(actOn(luxi, "node2", { do: "offline", on: true }));
    expect(await roles()).toContain(`${full("node2")}|O|`);
    expect(await lab.ask("db2", "status")).toBe("ERROR_nodeoffline");
    for (const provider of [luxi, gnt]) {
      const db2 = await instance(provider, "db2");
      expect(db2).toMatchObject({ status: "error", statusDetail: "ERROR_nodeoffline" });
      expect(provider.refuses("start", db2)).toMatch(/marked offline: fail it over/);
    }
    await works(act(luxi, "db2", { do: "failover", to: full("node1") }));
    expect(await lab.ask("db2", "status,pnode")).toBe(`running|${full("node1")}`);
    await works(actOn(luxi, "node2", { do: "offline", on: false }));
    expect(await roles()).toContain(`${full("node2")}|C|`);
  });
});

describe("while virtu watches", () => {
  test("a change that is made by hand is seen within a second, and so is a new master", async () => {
    const inventory = createInventory({ pool, hosts: [{ name: "node1" }, { name: "node2" }] });
    teardown.add(() => inventory.end());
    const events: ProviderEvent[] = [];
    inventory.on("event", (event) => events.push(event));
    const stop = inventory.watch();
    teardown.add(stop);
    await until("the cluster being told of live", () => inventory.view().hosts.some(({ live }) => live));
    const shown = (name: string) => inventory.view().instances.find((one) => one.name === lab.instance(name))?.status;

    // By hand, on the node: its end is the moment from which the row may lag.
    await lab.master.exec(`gnt-instance shutdown ${lab.instance("web1")}`);
    const ended = performance.now();
    await until("the row of web1", () => shown("web1") === "stopped");
    console.log(`the row followed after ${Math.round(performance.now() - ended)} ms`);
    expect(performance.now() - ended).toBeLessThan(1500);
    expect(events.find(({ text }) => /INSTANCE_SHUTDOWN: (?:queued|begun)/.test(text))).toMatchObject({
      ...{ name: lab.instance("web1"), by: "gnt-instance", changes: false },
    });

    await lab.other.exec("gnt-cluster master-failover");
    expect(await lab.other.exec("gnt-cluster getmaster")).toBe(full("node2"));
    await until("the new master being told of live", () =>
      inventory.providers().some(({ target }) => target.name.startsWith("node2")),
    );
    await until("its news", () => inventory.view().hosts.some(({ live }) => live));
    await lab.other.exec(`gnt-instance startup ${lab.instance("web1")}`);
    await until("the row of web1", () => shown("web1") === "running", 10_000);
    expect(events.at(-1)?.text).toMatch(/STARTUP/);
    stop();
  });

  test("the master is made another node by virtu, and everything goes on there", async () => {
    expect(await actOn(luxi, "node1", { do: "master" })).toMatchObject({ ok: true, job: null });
    expect(await lab.other.exec("gnt-cluster getmaster")).toBe(full("node1"));
    expect(luxi.target.name).toBe("node1");
    await works(act(luxi, "web1", { do: "reboot" }));
    // Nobody has told this one.
    await works(act(gnt, "web1", { do: "reboot" }));
  });
});
