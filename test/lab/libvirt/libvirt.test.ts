import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ChartLine,
  type ChartMetric,
  chartMetrics,
  chartText,
  instanceLine,
  nodeLines,
} from "../../../source/ui/screens/chart-text.ts";
import type { ActionJson, InstanceJson } from "../instances.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { type LibvirtLab, openLibvirt } from "./hosts.ts";
import { UsageLab } from "./usage.ts";

const teardown = new Teardown();
let lab: LibvirtLab;
let options: VirtuOptions;

beforeAll(async () => {
  lab = await openLibvirt(teardown);
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
});
afterAll(() => teardown.run());

const headless = (...words: string[]) => virtu([...words, "--json"], options);

async function act(action: string, name: string, ...hosts: string[]): Promise<ActionJson> {
  const ran = await headless(action, name, ...hosts.flatMap((host) => ["--host", host]), "--yes");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const [outcome, ...more] = ran.json<ActionJson[]>();
  expect(more).toEqual([]);
  if (!outcome) throw new Error(`${action} ${name} reported nothing`);
  return outcome;
}

const summary = ({ host, name, statusDetail }: InstanceJson) => `${host}/${name} ${statusDetail}`;

test("lists the domains of two hosts as virsh does", async () => {
  const ran = await headless("instances", "--host", "hv1", "--host", "hv2");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const shown = ran.json<InstanceJson[]>();
  const real: string[] = [];
  for (const host of [lab.hv1, lab.hv2]) {
    for (const name of (await lab.virsh(host, "list", "--all", "--name")).split("\n").filter(Boolean)) {
      real.push(`${host.name}/${name} ${await lab.state(host, name)}`);
    }
  }
  expect(real).toHaveLength(5);
  expect(shown.map(summary).sort()).toEqual(real.sort());
  const web1 = shown.find(({ host, name }) => host === "hv1" && name === "web1");
  expect(web1).toMatchObject({ provider: "libvirt", status: "running", vcpus: 1, memoryMiB: 128, cluster: null });
  expect(web1?.id).toBe(await lab.virsh(lab.hv1, "domuuid", "web1"));
});

test("counts what a guest uses as domstats does", async () => {
  const look = async () => {
    const text = await lab.virsh(lab.hv1, "domstats", "web1", "--raw");
    const of = (field: string) => Number(new RegExp(`^ *${field}=(\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    return { at: performance.now(), cpuNs: of("cpu.time"), resident: of("balloon.rss") };
  };
  const before = await look();
  const ran = await headless("usage", "--host", "hv1", "--seconds", "5");
  const after = await look();
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const found =
    ran.json<{ name: string; cpu: number | null; memoryMiB: number | null; memorySource: string | null }[]>();
  const web1 = found.find(({ name }) => name === "web1");
  const mean = ((after.cpuNs - before.cpuNs) / 1e6 / (after.at - before.at)) * 100;
  // Two windows that overlap: what they say differs by what the guest did at the edges.
  expect(Math.abs((web1?.cpu ?? Number.NaN) - mean)).toBeLessThan(Math.max(5, mean / 2));
  expect(web1?.memorySource).toBe("resident");
  expect(Math.abs((web1?.memoryMiB ?? 0) - after.resident / 1024)).toBeLessThan(20);
  expect(found.find(({ name }) => name === "db1")).toMatchObject({ cpu: null, memoryMiB: null });
});

test("draws in its chart what domstats and nodecpustats count at the same time", async () => {
  const watched = new UsageLab(lab.hv1, "web1");
  try {
    const first = await watched.look();
    await until("a second has passed", async () => Date.now() - first.instance.seenAt > 1000);
    const second = await watched.look();
    const milliseconds = second.instance.seenAt - first.instance.seenAt;
    const drawn = (lines: readonly ChartLine[]) => {
      const metric = chartMetrics(true, true).find(({ id }) => id === "cpu") as ChartMetric;
      const now = second.instance.seenAt;
      const [line] = lines;
      const shown = chartText(lines, { metric, span: 60, now, width: 80, height: 20 });
      const written = Number(/now +(\d+) %/.exec(shown[0] ?? "")?.[1]);
      const value = line?.spread(now - 60_000, now, 60).at(-1) ?? Number.NaN;
      // The words, the line and the value of now are one number.
      expect(written).toBe(Math.round(value));
      expect(line?.now).toBeCloseTo(value, 3);
      expect(shown.join("").match(/[\u2801-\u28ff]/)).not.toBeNull();
      return value;
    };
    const [cpu] = chartMetrics(true, true);
    if (!cpu) throw new Error("there is no chart of CPU");
    const guest = drawn(instanceLine(watched.monitor, second.instance, cpu));
    expect(guest).toBeGreaterThanOrEqual(((second.before.guest - first.after.guest) / 1e6 / milliseconds) * 100 - 0.01);
    expect(guest).toBeLessThanOrEqual(((second.after.guest - first.before.guest) / 1e6 / milliseconds) * 100 + 0.01);
    const node = drawn(nodeLines(watched.nodes, second.node, cpu));
    const between = (of: "busy" | "total") =>
      [second.before[of] - first.after[of], second.after[of] - first.before[of]] as const;
    const [[leastBusy, mostBusy], [leastTotal, mostTotal]] = [between("busy"), between("total")];
    expect(leastTotal).toBeGreaterThan(0);
    expect(node).toBeGreaterThanOrEqual((leastBusy / mostTotal) * 100 - 0.01);
    expect(node).toBeLessThanOrEqual((mostBusy / leastTotal) * 100 + 0.01);
  } finally {
    watched.end();
  }
});

test("tells how full a pool is as its file system says, though libvirt has not counted it again", async () => {
  await lab.hv1.exec("mkdir /srv/small && mount -t tmpfs -o size=16m tmpfs /srv/small");
  try {
    await lab.virsh(lab.hv1, "pool-create-as", "small", "dir", "--target", "/srv/small");
    const percent = async () => {
      const ran = await headless("usage", "--nodes", "--host", "hv1", "--seconds", "1");
      expect(ran, ran.stderr).toMatchObject({ status: 0 });
      const [node] = ran.json<{ cpu: number; pools: { name: string; percent: number; totalMiB: number }[] }[]>();
      return node?.pools.find(({ name }) => name === "small");
    };
    expect(await percent()).toMatchObject({ totalMiB: 16, percent: 0 });
    await lab.hv1.exec("head -c 12M /dev/zero >/srv/small/disk.raw");
    expect(await percent()).toMatchObject({ totalMiB: 16, percent: 75 });
    expect(await lab.virsh(lab.hv1, "pool-info", "small", "--bytes")).toMatch(/^Allocation: +0$/m);
  } finally {
    await lab.hv1.try("virsh -c qemu:///system pool-destroy small; umount /srv/small");
  }
});

test("reboots a guest: it comes up a second time in the same QEMU", async () => {
  const boots = await lab.boots(lab.hv1, "web1");
  const id = await lab.virsh(lab.hv1, "domid", "web1");
  const outcome = await act("reboot", "web1", "hv1");
  expect(outcome).toMatchObject({ ok: true, host: "hv1", statusBefore: "running", statusAfter: "running", job: null });
  await until("web1 up again", async () => (await lab.boots(lab.hv1, "web1")) > boots);
  expect(await lab.boots(lab.hv1, "web1")).toBe(boots + 1);
  expect(await lab.virsh(lab.hv1, "domid", "web1")).toBe(id);
});

test("shuts a guest down: done only when it is really off, by its own power-off", async () => {
  const outcome = await act("shutdown", "web1", "hv1");
  expect(outcome).toMatchObject({ ok: true, statusBefore: "running", statusAfter: "stopped", error: null });
  expect(await lab.virsh(lab.hv1, "domstate", "web1", "--reason")).toBe("shut off (shutdown)");
});

test("starts a guest, and forces it off only after a yes", async () => {
  const boots = await lab.boots(lab.hv1, "db1");
  const up = await act("start", "db1", "hv1");
  expect(up).toMatchObject({ ok: true, statusBefore: "stopped", statusAfter: "running" });
  expect(await lab.state(lab.hv1, "db1")).toBe("running");
  await until("db1 up", async () => (await lab.boots(lab.hv1, "db1")) > boots);

  const refused = await headless("force-off", "db1", "--host", "hv1");
  expect(refused.status).toBe(2);
  expect(await lab.state(lab.hv1, "db1")).toBe("running");

  const off = await act("force-off", "db1", "hv1");
  expect(off).toMatchObject({ ok: true, statusBefore: "running", statusAfter: "stopped" });
  expect(await lab.virsh(lab.hv1, "domstate", "db1", "--reason")).toBe("shut off (destroyed)");
});

test("wants HOST/NAME where two hosts have the name, and then touches that one alone", async () => {
  const both = ["--host", "hv1", "--host", "hv2"];
  const unclear = await headless("start", "web1", ...both, "--yes");
  expect(unclear.status).toBe(2);
  expect(unclear.stderr).toContain("hv1/web1");
  expect(unclear.stderr).toContain("hv2/web1");
  expect(await lab.state(lab.hv1, "web1")).toBe("shut off");
  expect(await lab.state(lab.hv2, "web1")).toBe("shut off");

  const outcome = await act("start", "hv2/web1", "hv1", "hv2");
  expect(outcome).toMatchObject({ name: "web1", host: "hv2", ok: true, statusAfter: "running" });
  expect(await lab.state(lab.hv2, "web1")).toBe("running");
  expect(await lab.state(lab.hv1, "web1")).toBe("shut off");
  await act("force-off", "hv2/web1", "hv1", "hv2");
});

test("says that a guest did not shut down when it minds no power button", async () => {
  await act("start", "deaf1", "hv2");
  await until("deaf1 up", async () => (await lab.boots(lab.hv2, "deaf1")) === 1);
  const ran = await headless("shutdown", "deaf1", "--host", "hv2", "--timeout", "3");
  expect(ran.status).toBe(1);
  const [outcome] = ran.json<ActionJson[]>();
  expect(outcome).toMatchObject({ ok: false, statusBefore: "running", statusAfter: "running" });
  expect(outcome).toMatchObject({ error: expect.stringMatching(/3 s/), next: "virtu force-off --host hv2 hv2/deaf1" });
  expect(await lab.state(lab.hv2, "deaf1")).toBe("running");
  await act("force-off", "deaf1", "hv2");
  expect(await lab.state(lab.hv2, "deaf1")).toBe("shut off");
});

test("names a domain that is not there before it touches the others", async () => {
  const ran = await headless("start", "nosuch", "ci1", "--host", "hv1", "--yes");
  expect(ran.status).toBe(2);
  expect(ran.error()).toMatchObject({ where: "nosuch" });
  expect(await lab.state(lab.hv1, "ci1")).toBe("shut off");
});

test("shows what a living host has beside a dead one, and ends with 3", async () => {
  const ran = await headless("instances", "--host", "hv1", "--host", "dead");
  expect(ran.status).toBe(3);
  const shown = ran.json<InstanceJson[]>();
  expect(shown.map(({ host }) => host)).toEqual(["hv1", "hv1", "hv1"]);
  expect(ran.stderr).toContain("dead");
});

test("fails with an explanation when no host answers", async () => {
  const ran = await headless("instances", "--host", "dead");
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain("dead");
});

test("explains to a user without rights on libvirt what is missing", async () => {
  const ran = await virtu(["instances", "--host", "guest@hv1"], options);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain("guest@hv1");
  expect(ran.stderr).toMatch(/group libvirt/);
  expect(ran.stderr).toContain("Permission denied");
});

test("reads virsh's test driver by its connection URI", async () => {
  const ran = await headless("instances", "--host", "hv1", "--uri", "test:///default");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const real = await lab.hv1.exec("virsh -q -c test:///default list --all --name");
  expect(ran.json<InstanceJson[]>().map(summary)).toEqual(real.split("\n").map((name) => `hv1/${name} running`));
});
