/** The site as virtu meets it: through its own pool and journeys, in good times and in each scenario. */
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { createInventory } from "../../source/instances/inventory.ts";
import type { Action, ProviderEvent } from "../../source/instances/types.ts";
import { deploy, findDeployments, followDeployment, startDeployment } from "../../source/journey/deploy.ts";
import { environmentVersions, listEnvironments } from "../../source/journey/environments.ts";
import { extend, freeNodes, getJob, listJobs, release } from "../../source/journey/jobs.ts";
import { nodeFacts, nodeRef } from "../../source/journey/nodes.ts";
import type { Deployment, DeployRequest, Job } from "../../source/journey/types.ts";
import { startSite } from "../../source/site/index.ts";
import { sh } from "../../source/ssh/command.ts";
import { briefly, type Opened, open, reserveNodes } from "./site.ts";

const link = { pauseMs: 20, quietMs: 1000 };
const check = { pauseMs: 20 };

function request(job: Job, more: Partial<DeployRequest> = {}): DeployRequest {
  const environment = { kind: "environment", name: "debian12-min" } as const;
  return { jobId: job.jobId, nodes: job.nodes, environment, minimum: job.nodes.length, retries: 2, ...more };
}

function deployAll(
  { context, site }: Opened,
  job: Job,
  more: Partial<DeployRequest> = {},
  onUpdate?: (seen: Deployment) => void,
) {
  return deploy(context, site, request(job, more), { link, check, onUpdate });
}

test("a larger subnet is all the /22 of a block that nobody has a part of", async () => {
  const opened = await open();
  const one = await reserveNodes(opened, 1);
  const two = await reserveNodes(opened, 1, { subnet: 21 });
  const four = await reserveNodes(opened, 1, { subnet: 20 });
  expect([one, two, four].map(({ subnet }) => subnet)).toEqual(["10.156.0.0/22", "10.156.8.0/21", "10.156.16.0/20"]);
});

test("the main job: reserve, deploy, look, extend, release", async () => {
  const opened = await open();
  const { context, site, embedded } = opened;
  const job = await reserveNodes(opened, 4);
  expect(job).toMatchObject({ state: "Running", subnet: "10.156.0.0/22", owner: "jdoe", walltimeSeconds: 3600 });
  expect(job.nodes).toEqual(embedded.nodes.slice(0, 4));
  expect((await listJobs(context, site)).map(({ jobId }) => jobId)).toEqual([job.jobId]);

  const before = await nodeFacts(context, site, job);
  expect(before.map(({ state }) => state)).toEqual(Array(4).fill("reserved"));

  const result = await deployAll(opened, job);
  expect(result).toEqual({ deployed: job.nodes, failed: [], missing: [], attempts: 1 });
  const facts = await nodeFacts(context, site, job);
  expect(facts[0]).toMatchObject({
    state: "reachable",
    kernel: "6.1.0-26-amd64",
    os: "Debian GNU/Linux 12 (bookworm)",
    cpus: 16,
    memoryMiB: 131_072,
    address: "172.16.96.1",
    disks: [
      { name: "sda", sizeGiB: 558.8 },
      { name: "sdb", sizeGiB: 558.8 },
    ],
  });

  expect(await extend(context, site, job.jobId, "+0:30:00", { pause: briefly })).toMatchObject({
    walltime: 5400,
    granted: 1800,
    pending: 0,
  });
  const ended = await release(context, site, job.jobId, { pause: briefly });
  expect(ended).toMatchObject({ state: "Error", end: { kind: "released" } });
  expect(embedded.world.testbed.nodes.every(({ deployed }) => deployed === null)).toBe(true);
});

test("the same by the npm parser of ssh configuration, where there is no ssh client", async () => {
  const { on } = await open({ sshProgram: "/nonexistent/ssh" });
  expect(await on("id -un; hostname")).toMatchObject({ outcome: "exited", status: 0, stdout: "jdoe\nfrontend\n" });
});

test("environments and images", async () => {
  const { context, site } = await open();
  const { environments, problem } = await listEnvironments(context, site);
  expect(problem).toBeNull();
  expect(
    environments.filter(({ kind }) => kind === "image").map(({ name, problem: why }) => [name, why === null]),
  ).toEqual([
    ["debian12-lab", true],
    ["virtu-xen", true],
    ["wheezy-2012", false],
  ]);
  const versions = await environmentVersions(context, site, { name: "debian12-min", user: "deploy", arch: null });
  expect(versions.map(({ version }) => version)).toEqual(["2024102413", "2024050812", "2023110813"]);
});

test("an image is deployed, and a node answers with a new key after each deployment", async () => {
  const opened = await open();
  const { context, site, pool } = opened;
  const job = await reserveNodes(opened, 1);
  const image = { kind: "image", file: "image/debian12-lab.env" } as const;
  expect((await deployAll(opened, job, { environment: image })).deployed).toEqual(job.nodes);
  const node = nodeRef(context, site, job.jobId, job.nodes[0]!);
  expect(await opened.on("whoami", node)).toMatchObject({ status: 0, stdout: "root\n" });
  const first = opened.embedded.world.testbed.node(job.nodes[0]!)?.deployed?.hostKey;
  expect((await deployAll(opened, job)).deployed).toEqual(job.nodes);
  expect(opened.embedded.world.testbed.node(job.nodes[0]!)?.deployed?.hostKey).not.toBe(first);
  expect(await opened.on("uname -r", node)).toMatchObject({ status: 0, stdout: "6.1.0-26-amd64\n" });
  expect(pool.sessions().length).toBeGreaterThan(0);
});

test("refused-reservation", async () => {
  const opened = await open({ scenarios: ["refused-reservation"] });
  await expect(reserveNodes(opened, 2)).rejects.toMatchObject({
    kind: "refused",
    detail: expect.stringContaining("not enough resources"),
  });
  expect(await listJobs(opened.context, opened.site)).toEqual([]);
});

test("what OAR refuses by itself: too many nodes, an unknown queue, an unknown property, nonsense", async () => {
  const opened = await open();
  await expect(reserveNodes(opened, 99)).rejects.toMatchObject({ kind: "refused" });
  await expect(reserveNodes(opened, 1, { queue: "nope" })).rejects.toMatchObject({
    kind: "refused",
    detail: expect.stringContaining("queue nope"),
  });
  await expect(reserveNodes(opened, 1, { properties: "colour='red'" })).rejects.toMatchObject({
    kind: "refused",
    detail: expect.stringContaining("colour"),
  });
  await expect(reserveNodes(opened, 1, { cluster: "nosuch" })).rejects.toMatchObject({ kind: "refused" });
  const job = await reserveNodes(opened, 2, { cluster: "parasilo" });
  expect(job.nodes.every((node) => node.startsWith("parasilo-"))).toBe(true);
});

test("busy-site: the job waits with a predicted start, then runs", async () => {
  const opened = await open({ scenarios: ["busy-site"] });
  const { total, free } = await freeNodes(opened.context, opened.site);
  expect(free).toBe(0);
  expect(total).toBeGreaterThan(15);
  const submitted = await reserveNodes(opened, 2).then((job) => job);
  expect(submitted.state).toBe("Running");
  expect(submitted.startedAt! - submitted.submittedAt!).toBeGreaterThanOrEqual(1);
});

test("node-fails-step: the node is tried again alone, and is well", async () => {
  const opened = await open({ scenarios: ["node-fails-step"] });
  const job = await reserveNodes(opened, 4);
  const reasons = new Set<string>();
  const result = await deployAll(opened, job, {}, ({ progress }) => {
    for (const { node, reason } of progress) if (reason) reasons.add(`${node}: ${reason}`);
  });
  expect(result).toEqual({ deployed: job.nodes, failed: [], missing: [], attempts: 2 });
  expect([...reasons]).toEqual([expect.stringMatching(/^paravance-2\.demo: .*cannot open \/dev\/sda/)]);
});

test("node-always-fails: the others are kept, the node is named", async () => {
  const opened = await open({ scenarios: ["node-always-fails"] });
  const job = await reserveNodes(opened, 3);
  const result = await deployAll(opened, job, { retries: 1 });
  expect(result.deployed).toEqual(["paravance-1.demo", "paravance-3.demo"]);
  expect(result.failed).toEqual([
    {
      node: "paravance-2.demo",
      step: expect.stringContaining("create_partition_table"),
      reason: expect.stringContaining("/dev/sda"),
    },
  ]);
  expect(result.attempts).toBe(2);
});

test("lost-link: the deployment goes on without virtu and is followed to its end", async () => {
  const opened = await open({ scenarios: ["lost-link"], speed: 100 });
  const { context, site } = opened;
  const job = await reserveNodes(opened, 3);
  const notices: string[] = [];
  const result = await deploy(context, site, request(job), { link, check, onNotice: (text) => notices.push(text) });
  expect(result.deployed).toEqual(job.nodes);
  expect(notices.join("\n")).toMatch(/link is lost[\s\S]*link is back/);
});

test("a deployment is found again by another virtu", async () => {
  const opened = await open({ speed: 200 });
  const { context, site, embedded } = opened;
  const job = await reserveNodes(opened, 2);
  const id = await startDeployment(context, site, request(job));
  embedded.cutLink();
  const found = await findDeployments(context, site);
  expect(found.map((one) => [one.id, one.state])).toEqual([[id, "running"]]);
  expect((await followDeployment(context, site, id, { link, check })).deployed).toEqual(job.nodes);
});

test("discarded-nodes: a node in nobody's list is missing", async () => {
  const opened = await open({ scenarios: ["discarded-nodes"] });
  const job = await reserveNodes(opened, 3);
  const result = await deployAll(opened, job, { retries: 0 });
  expect(result).toMatchObject({ deployed: job.nodes.slice(0, 2), failed: [], missing: [job.nodes[2]] });
});

test("job-ends: the walltime runs out while one watches", async () => {
  const opened = await open({ scenarios: ["job-ends"] });
  const job = await reserveNodes(opened, 2);
  await expect
    .poll(() => getJob(opened.context, opened.site, job.jobId).then(({ end }) => end?.kind), { timeout: 15_000 })
    .toBe("walltime");
});

test("oar-down: every command says that it does not answer", async () => {
  const opened = await open({ scenarios: ["oar-down"] });
  await expect(listJobs(opened.context, opened.site)).rejects.toMatchObject({ kind: "connection" });
  opened.embedded.setScenario("oar-down", false);
  expect(await listJobs(opened.context, opened.site)).toEqual([]);
});

async function table(opened: Opened) {
  const { pool, embedded } = opened;
  const inventory = createInventory({ pool, hosts: embedded.hosts.map((name) => ({ name })) });
  await inventory.refresh();
  return inventory;
}

test("the instance table, and what each action really does", async () => {
  const opened = await open();
  const { ganeti, libvirt, xen, xenPool } = opened.embedded.world;
  const inventory = await table(opened);
  const { hosts, instances, nodes } = inventory.view();
  expect(hosts.map(({ state, providers }) => [state, providers.map(({ name }) => name)])).toEqual([
    ["ok", ["ganeti"]],
    ["ok", ["libvirt"]],
    ["ok", ["libvirt"]],
    ["ok", ["xen"]],
    ["ok", ["xenserver"]],
  ]);
  expect(instances.length).toBe(28);
  expect(new Set(instances.map(({ status }) => status))).toEqual(new Set(["running", "stopped", "paused", "error"]));
  expect(nodes.length).toBe(8);
  const act = async (action: "start" | "shutdown" | "force-off", name: string) => {
    const key = instances.find((one) => one.name === name)!.key;
    return (await inventory.act({ do: action }, [key]).done)[0];
  };
  expect(await act("shutdown", "web1.demo")).toMatchObject({
    state: "done",
    statusAfter: "stopped",
    job: expect.stringMatching(/^\d+$/),
  });
  expect(ganeti.find("web1.demo")).toMatchObject({ alive: false, admin: "down" });
  expect(await act("start", "backup.demo")).toMatchObject({
    state: "failed",
    error: expect.stringContaining("offline"),
  });
  expect(await act("start", "win-test")).toMatchObject({ state: "done", statusAfter: "running" });
  expect(libvirt[0]?.find("win-test")).toMatchObject({ state: "running", saved: false });
  expect(await act("force-off", "build")).toMatchObject({ state: "done", statusAfter: "stopped" });
  expect(await act("start", "archive")).toMatchObject({ state: "done", statusAfter: "running" });
  expect(xen.find("archive")).toMatchObject({ state: "running", memory: 1024 });
  expect(await act("shutdown", "ldap")).toMatchObject({ state: "done", statusAfter: "stopped" });
  expect(xen.find("ldap")).toBeUndefined();
  expect(await act("start", "files, old")).toMatchObject({ state: "done", statusAfter: "running" });
  expect(xenPool.guests.find(({ name }) => name === "files, old")).toMatchObject({ state: "running" });
  inventory.end();
});

test("Xen and XenServer: what their providers do is what their hosts then say", async () => {
  const opened = await open();
  const { xen, xenPool } = opened.embedded.world;
  const inventory = await table(opened);
  const act = async (request: Action, name: string) => {
    const one = inventory.view().instances.find((other) => other.name === name);
    const [item] = await inventory.act(request, [one?.key ?? name]).done;
    return item?.state === "done" ? item.statusAfter : item?.error;
  };
  expect(await act({ do: "pause" }, "mail")).toBe("paused");
  expect(await act({ do: "resume" }, "mail")).toBe("running");
  expect(await act({ do: "save" }, "mail")).toBe("stopped");
  expect(xen.find("mail")).toBeUndefined();
  expect(await act({ do: "start" }, "mail")).toMatch(/restore it/);
  expect(await act({ do: "restore" }, "mail")).toBe("running");
  expect(await act({ do: "set-memory", mebibytes: 9999 }, "mail")).toMatch(/maxmem/);
  expect(await act({ do: "set-memory", mebibytes: 3072 }, "mail")).toBe("running");
  expect(xen.find("mail")?.memory).toBe(3072);
  expect(await act({ do: "shutdown" }, "nightly")).toMatch(/crashed/);
  expect(await act({ do: "reboot", how: "hard" }, "nightly")).toBe("running");
  await act({ do: "rename", to: "post" }, "mail");
  expect(xen.find("post")?.memory).toBe(3072);

  expect(await act({ do: "restore" }, "desktop")).toBe("running");
  expect(await act({ do: "snapshot-create", name: "before", description: "why", memory: true }, "desktop")).toBe(
    "running",
  );
  expect(xenPool.snapshots).toMatchObject([{ name: "before", description: "why", memory: true }]);
  expect(await act({ do: "snapshot-revert", name: "before" }, "desktop")).toBe("stopped");
  expect(await act({ do: "snapshot-delete", name: "other" }, "desktop")).toMatch(/no snapshot is called other/);
  expect(await act({ do: "snapshot-delete", name: "before" }, "desktop")).toBe("stopped");
  expect(xenPool.snapshots).toEqual([]);
  expect(await act({ do: "clone", to: "files, new" }, "files, old")).toBe("stopped");
  expect(await act({ do: "tag", add: ["a b"], remove: [] }, "files, old")).toBe("stopped");
  expect(await act({ do: "remove", keepDisks: false }, "files, new")).toBeNull();
  expect(xenPool.guests.find(({ name }) => name === "files, old")?.tags).toEqual(["a b"]);
  const desktop = inventory.view().instances.find(({ name }) => name === "desktop");
  const found = inventory.find(desktop?.key ?? "");
  if (found?.kind !== "instance") throw new Error("no desktop");
  expect(await found.provider.targets("migrate", found.instance, {})).toMatchObject([
    { name: "xcp1" },
    { name: "xcp2" },
  ]);
  inventory.end();
});

test("what anybody does to Xen's domains is told as it happens, a pause too, and the watch ends as a whole", async () => {
  const opened = await open();
  const inventory = await table(opened);
  const key = inventory.view().instances.find(({ name }) => name === "mail")?.key ?? "";
  const found = inventory.find(key);
  if (found?.kind !== "instance") throw new Error("no mail");
  const stop = new AbortController();
  const told: string[] = [];
  let heard = () => {};
  const hears = async (text: string) => {
    while (!told.includes(text)) await new Promise<void>((resolve) => (heard = resolve));
  };
  const began = new Promise<void>((resolve) => {
    const onEvent = ({ name, text }: ProviderEvent) => {
      told.push(`${name} ${text}`);
      heard();
    };
    found.provider.watch?.({ signal: stop.signal, onReady: resolve, onEvent }).catch(() => {});
  });
  await began;
  const { host } = found.provider.attachment;
  const xl = (...words: string[]) => opened.pool.exec(host, sh`xl ${words}`);
  await xl("pause", "mail");
  await hears("mail paused");
  await xl("unpause", "mail");
  await hears("mail running");
  await xl("mem-set", "mail", "3000");
  await hears("mail its memory was changed");
  await xl("rename", "mail", "post");
  await hears("mail renamed");
  await xl("destroy", "post");
  await hears(`${host.name} a domain ended`);
  const machine = [...opened.embedded.world.machines].find(([name]) => name.startsWith("xen1"))?.[1];
  const programs = () => [...(machine?.processes.values() ?? [])].map(({ title }) => title.split(" ")[0]);
  expect(programs()).toEqual(expect.arrayContaining(["/usr/sbin/xentop", "xenstore-watch"]));
  stop.abort();
  await vi.waitFor(() => expect(programs()).toEqual([]));
  inventory.end();
});

test("a Xen guest's console is one terminal's at a time", async () => {
  const opened = await open();
  const inventory = await table(opened);
  const key = inventory.view().instances.find(({ name }) => name === "mail")?.key ?? "";
  const found = inventory.find(key);
  const way = found?.kind === "instance" ? found.provider.console(found.instance) : null;
  if (!way || "refusal" in way) throw new Error("no console");
  const attach = async () => {
    const channel = await opened.pool.pty(way.host, way.command, { columns: 80, rows: 24 });
    let text = "";
    const seen = (what: string) =>
      new Promise<void>((resolve) => {
        const look = () => text.includes(what) && resolve();
        channel.stream.on("data", look);
        look();
      });
    channel.stream.on("data", (data: Buffer) => {
      text += data.toString();
    });
    return { channel, seen, text: () => text };
  };
  const first = await attach();
  first.channel.stream.write(way.wake ?? "");
  await first.seen("mail login: ");
  const second = await attach();
  const { status } = await second.channel.ended;
  expect(way.explain(second.text(), status)).toMatchObject({ inUse: true });
  first.channel.stream.write(way.leave ?? "");
  expect(await first.channel.ended).toMatchObject({ status: 0 });
  inventory.end();
});

test("dead-host and host-key-changed stop nobody but themselves", async () => {
  const opened = await open({ scenarios: ["dead-host"] });
  const inventory = await table(opened);
  expect(inventory.view().hosts.map(({ state, error }) => [state, error?.kind])).toEqual([
    ["ok", undefined],
    ["ok", undefined],
    ["error", "connection"],
    ["ok", undefined],
    ["ok", undefined],
  ]);
  inventory.end();
  const changed = await open({ scenarios: ["host-key-changed"] });
  const other = await table(changed);
  expect(other.view().hosts.map(({ error }) => error?.kind)).toEqual([
    ...[undefined, undefined, "host-key"],
    ...[undefined, undefined],
  ]);
  other.end();
});

test("slow-host answers late, frozen-libvirt answers in part", async () => {
  const opened = await open({ scenarios: ["slow-host", "frozen-libvirt"], speed: 100 });
  const inventory = await table(opened);
  const [, frozen, slow] = inventory.view().hosts;
  expect(frozen).toMatchObject({ state: "ok" });
  expect(frozen?.notes.length).toBeGreaterThan(0);
  expect(slow).toMatchObject({ state: "ok" });
  expect(slow?.tookMs).toBeGreaterThan(2000);
  expect(inventory.view().instances.filter(({ host }) => host === "hv1.demo").length).toBe(6);
  inventory.end();
});

test("two hundred nodes are deployed in sane time and memory", async () => {
  const opened = await open({ nodes: 200, speed: 2000, scenarios: ["node-fails-step"] });
  const before = process.memoryUsage().heapUsed;
  const job = await reserveNodes(opened, 200, { walltimeSeconds: 7200 });
  expect(job.nodes.length).toBe(200);
  const result = await deployAll(opened, job);
  expect(result).toMatchObject({ failed: [], missing: [] });
  expect(result.deployed.length).toBe(200);
  expect(result.attempts).toBe(2);
  expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(300);
}, 60_000);

test("nothing is left when it ends, twice or in a hurry", async () => {
  const site = await startSite({ speed: 100 });
  const directory = path.dirname(site.sshConfigFile);
  expect(existsSync(directory)).toBe(true);
  await site.end();
  await site.end();
  expect(existsSync(directory)).toBe(false);
});

test("what ran on a lost link ends with its next word, what was detached goes on", async () => {
  const { embedded, on } = await open();
  const frontend = embedded.world.machines.get(embedded.frontend)!;
  const lost = on("setsid -f sleep infinity > /dev/null 2>&1; touch log; tail -f log");
  await vi.waitUntil(() => [...frontend.processes.values()].some(({ title }) => title === "tail -f log"));
  embedded.cutLink();
  expect((await lost).outcome).toBe("lost");
  await vi.waitUntil(() => ![...frontend.processes.values()].some(({ title }) => title === "tail -f log"));
  expect([...frontend.processes.values()].map(({ title }) => title)).toEqual(["sleep infinity"]);
});

test("files are uploaded by SFTP, and a terminal has a shell behind it", async () => {
  const { embedded, pool, on } = await open();
  const host = { name: embedded.frontend };
  await pool.upload(host, Buffer.from("one\ntwo ü\n"), "notes/../list.txt", { mode: 0o600 });
  await pool.upload(host, Buffer.from("again\n"), "list.txt");
  expect((await on("stat -c '%a %s' list.txt; cat list.txt; ls")).stdout).toBe("644 6\nagain\nimage\nlist.txt\n");
  const { stream, ended } = await pool.pty(host, null, { columns: 80, rows: 24 });
  let screen = "";
  stream.on("data", (chunk: Buffer) => {
    screen += chunk;
  });
  stream.write("cd image\rpwd\rnosuch\rexit 4\r");
  expect(await ended).toMatchObject({ outcome: "exited", status: 4 });
  expect(screen).toContain("jdoe@frontend:~$ ");
  expect(screen).toContain("jdoe@frontend:~/image$ /home/jdoe/image\r\n");
  expect(screen).toContain("nosuch: not found\r\n");
});
