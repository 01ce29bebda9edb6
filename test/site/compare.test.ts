import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { carryComparison, cleanComparison, listComparisons } from "../../source/journey/compare.ts";
import { measuresOf, notGone } from "../../source/journey/compare-model.ts";
import { planComparison } from "../../source/journey/compare-plan.ts";
import type { ComparisonView, Phase, Sample } from "../../source/journey/compare-types.ts";
import { userLine } from "../../source/ssh/command.ts";
import type { Pool } from "../../source/ssh/types.ts";
import { bundled, untilKilled } from "../child.ts";
import { type ProgramOptions, runProgram, startProgram } from "../program.ts";
import { wishFor } from "./compare-wish.ts";
import { type Opened, open } from "./site.ts";

let bundle: string;
const fast = { lookMs: 30, waitMs: 20 };
const [gnt1, hv1, hv2, xen1, xcp1] = ["gnt1.demo", "hv1.demo", "hv2.demo", "xen1.demo", "xcp1.demo"];

beforeAll(async () => {
  bundle = await bundled("test/site/compare-child.ts");
});

/** What the Xen host and the pool of XCP-ng say themselves that they have. */
async function xenOf({ on }: Opened): Promise<string[]> {
  const [files, guests] = [
    await on("ls /etc/xen /srv/xen; xl list", xen1),
    await on("xe vm-list params=name-label", xcp1),
  ];
  expect([files.status, guests.status]).toEqual([0, 0]);
  // Times and numbers of domains change by themselves.
  return `${files.stdout}${guests.stdout}`
    .split("\n")
    .map((line) => line.split(/ {2,}/)[0] ?? "")
    .sort();
}

/** Everything that is on the site: instances and volumes. */
function inventoryOf({ embedded: { world } }: Opened): string[] {
  const domains = world.libvirt.flatMap((host) => host.domains.map(({ name }) => `${host.hostname} ${name}`));
  const volumes = world.libvirt.flatMap((host) =>
    host.storage.pools.flatMap((pool) => [...pool.volumes.keys()].map((name) => `${host.hostname} ${name}`)),
  );
  return [...world.ganeti.instances.map(({ name }) => `ganeti ${name}`), ...domains, ...volumes].sort();
}

/** A pool on which commands that hold these words do what is said instead. */
function spoilt(pool: Pool, host: string, words: string, line: string): Pool {
  return new Proxy(pool, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "exec") return value.bind(target);
      return ((where, command, options) =>
        target.exec(
          where,
          where.name === host && command.line.includes(words) ? userLine(line) : command,
          options,
        )) satisfies Pool["exec"];
    },
  });
}

const states = (view: ComparisonView, place: string) =>
  Object.fromEntries(view.samples.filter((sample) => sample.place === place).map(({ phase, state }) => [phase, state]));
const sampleOf = (view: ComparisonView, place: string, phase: Phase): Sample | undefined =>
  view.samples.find((sample) => sample.place === place && sample.phase === phase);
const all = (state: string) =>
  Object.fromEntries(["create", "start", "reboot", "migrate", "stop", "remove"].map((phase) => [phase, state]));

describe("to its end", () => {
  test("Ganeti beside two libvirt hosts, twice, two instances each: times for all of it, and nothing else is touched", async () => {
    const opened = await open();
    const before = inventoryOf(opened);
    const wish = wishFor([gnt1, hv1, hv2], { rounds: 2, count: 2 });
    const plan = await planComparison(opened.context, wish);
    expect(plan.problems).toEqual([]);
    const order: string[] = [];
    const view = await carryComparison(opened.context, plan, {
      ...fast,
      onView: ({ now }) => {
        for (const { place, round } of now) if (order.at(-1) !== `${place} ${round}`) order.push(`${place} ${round}`);
      },
    });
    expect(view).toMatchObject({ state: "done", now: [] });
    expect(view.samples).toHaveLength(3 * 2 * 2 * 6);
    expect(view.samples.filter(({ state }) => state !== "done")).toEqual([]);
    for (const { seconds, requests } of view.samples) {
      expect(seconds).toBeGreaterThan(0);
      expect(requests).toBeGreaterThan(0);
    }
    for (const { cells } of measuresOf(view)) for (const cell of cells) expect(cell.done?.n).toBe(4);
    // One after another, and the places change with each round.
    const places = [`${gnt1}:ganeti`, `${hv1}:libvirt`, `${hv2}:libvirt`];
    expect(order).toEqual([1, 2].flatMap((round) => places.map((place) => `${place} ${round}`)));
    expect(sampleOf(view, `${hv1}:libvirt`, "migrate")?.text).toBe("moved as it ran, its disks were copied");
    expect(sampleOf(view, `${gnt1}:ganeti`, "migrate")?.text).toBe("moved as it ran, no disk was copied (drbd)");
    expect(notGone(view)).toEqual([]);
    expect(inventoryOf(opened)).toEqual(before);
    const [kept, ...others] = await listComparisons(opened.context);
    expect(others).toEqual([]);
    expect(kept).toEqual({ view, pid: null });
  }, 120_000);

  test("places at the same time, each the other's target; guests are waited for after start and reboot", async () => {
    // Slow enough for a console to be there before a guest has come up again.
    const opened = await open({ speed: 20 });
    const before = inventoryOf(opened);
    const ready = { by: "console" as const, pattern: null, address: null, limitSeconds: 60 };
    const image = "/var/lib/libvirt/images/debian-12-genericcloud.qcow2";
    const wish = wishFor([hv1, hv2], { together: true, ready });
    const plan = await planComparison(opened.context, { ...wish, sizes: { ...wish.sizes, image } });
    let both = false;
    const view = await carryComparison(opened.context, plan, {
      ...fast,
      onView: ({ now }) => {
        both ||= new Set(now.map(({ place }) => place)).size === 2;
      },
    });
    expect(both).toBe(true);
    for (const host of [hv1, hv2]) expect(states(view, `${host}:libvirt`)).toEqual(all("done"));
    for (const { phase, seconds, readySeconds } of view.samples) {
      if (phase === "start" || phase === "reboot") expect(readySeconds).toBeGreaterThan(seconds ?? Infinity);
      else expect(readySeconds).toBeNull();
    }
    expect(notGone(view)).toEqual([]);
    expect(inventoryOf(opened)).toEqual(before);
  }, 90_000);
});

test("Xen and XenServer take part with the same phases", async () => {
  const opened = await open();
  const before = await xenOf(opened);
  const plan = await planComparison(opened.context, wishFor([xen1, xcp1]));
  expect(plan.problems).toEqual([]);
  const view = await carryComparison(opened.context, plan, fast);
  expect(states(view, `${xen1}:xen`)).toEqual({ ...all("done"), migrate: "refused" });
  expect(states(view, `${xcp1}:xenserver`)).toEqual(all("done"));
  expect(notGone(view)).toEqual([]);
  expect(await xenOf(opened)).toEqual(before);
}, 60_000);

describe("when something is in the way", () => {
  test("a start that fails: what needs it is skipped, the others go on, and all is taken away", async () => {
    const opened = await open();
    const before = inventoryOf(opened);
    const refusal = "echo 'error: internal error: no CPU is left' >&2; exit 1";
    const context = { ...opened.context, pool: spoilt(opened.pool, hv1, "start virtu-compare", refusal) };
    const plan = await planComparison(context, wishFor([hv1, gnt1]));
    const view = await carryComparison(context, plan, fast);
    expect(states(view, `${hv1}:libvirt`)).toEqual({
      ...{ create: "done", start: "failed", reboot: "skipped", migrate: "skipped", stop: "skipped", remove: "done" },
    });
    expect(sampleOf(view, `${hv1}:libvirt`, "start")).toMatchObject({
      seconds: null,
      text: expect.stringContaining("no CPU is left"),
    });
    expect(states(view, `${gnt1}:ganeti`)).toEqual(all("done"));
    expect(inventoryOf(opened)).toEqual(before);
  }, 60_000);

  test("taken back in the middle: the times so far, and nothing is left", async () => {
    const opened = await open();
    const before = inventoryOf(opened);
    const plan = await planComparison(opened.context, wishFor([gnt1, hv1, hv2]));
    const stop = new AbortController();
    const view = await carryComparison(opened.context, plan, {
      ...{ ...fast, signal: stop.signal },
      onView: ({ now }) => {
        if (now.some(({ place, phase }) => place === `${hv1}:libvirt` && phase === "migrate")) stop.abort();
      },
    });
    expect(view.state).toBe("cancelled");
    expect(states(view, `${gnt1}:ganeti`)).toEqual(all("done"));
    expect(states(view, `${hv1}:libvirt`)).toEqual({
      create: "done",
      start: "done",
      reboot: "done",
      migrate: "cancelled",
    });
    expect(states(view, `${hv2}:libvirt`)).toEqual({});
    expect(notGone(view)).toEqual([]);
    expect(inventoryOf(opened)).toEqual(before);
  }, 60_000);

  test("what can't be taken away is told with why and how; it is gone once it can", async () => {
    const opened = await open();
    const before = inventoryOf(opened);
    const refusal = "echo 'error: Failed to undefine domain: it is locked' >&2; exit 1";
    const context = { ...opened.context, pool: spoilt(opened.pool, hv1, " undefine virtu-compare", refusal) };
    const plan = await planComparison(context, wishFor([hv1, gnt1]));
    const view = await carryComparison(context, plan, fast);
    const [made, ...others] = notGone(view);
    expect(others).toEqual([]);
    expect(made?.left).toEqual([
      {
        what: `instance ${made?.name} on ${hv1}`,
        why: expect.stringContaining("it is locked"),
        how: expect.stringContaining(`undefine ${made?.name} --nvram --remove-all-storage`),
      },
    ]);
    expect(inventoryOf(opened)).not.toEqual(before);
    const after = await cleanComparison(opened.context, view.id, fast);
    expect(notGone(after)).toEqual([]);
    expect(after).toMatchObject({ state: "done", samples: view.samples });
    expect(inventoryOf(opened)).toEqual(before);
  }, 60_000);

  test.each([
    ["once the volume is there", "after:vol-create-as", [hv1, gnt1]],
    ["once the domain is there", "after: define /dev/stdin", [hv1, gnt1]],
    ["in a migration", "in:--copy-storage-all", [hv1, hv2]],
    ["once Ganeti has the job that makes it", "after:gnt-instance add", [gnt1, hv1]],
    ["once a Xen domain has its disk", "after:truncate -s", [xen1, hv1]],
    ["once XenServer has installed the template", "after:xe vm-install", [xcp1, hv1]],
  ])(
    "killed %s: its record says what to take away, and that is taken away",
    async (_when, stopAt, hosts) => {
      const opened = await open();
      const { embedded, context } = opened;
      const before = inventoryOf(opened);
      await untilKilled(bundle, [embedded.sshConfigFile, embedded.configDir, stopAt, ...hosts]);
      const [{ view, pid } = { view: null, pid: null }] = await listComparisons(context);
      expect(pid).toBeNull();
      expect(view?.state).toBe("interrupted");
      expect(notGone(view as ComparisonView)).toHaveLength(1);
      const after = await cleanComparison(context, view?.id ?? "", fast);
      expect(after).toMatchObject({ state: "interrupted", endedAt: expect.any(Number) });
      expect(notGone(after)).toEqual([]);
      expect(inventoryOf(opened)).toEqual(before);
    },
    60_000,
  );

  test("one place alone is no comparison, and a host that does not answer is named", async () => {
    const { context } = await open();
    await expect(planComparison(context, wishFor([hv1]))).rejects.toMatchObject({
      ...{ kind: "usage", what: "Only one place can take part" },
    });
    await expect(planComparison(context, wishFor([hv1, "frontend.demo"]))).rejects.toMatchObject({
      ...{ kind: "failed", why: "frontend.demo: Nothing that virtu knows runs there" },
    });
    const on = [{ host: { name: hv2 }, provider: "ganeti" as const }];
    const plan = await planComparison(context, wishFor([hv1, gnt1], { on }));
    expect(plan.places.map(({ facts }) => facts.id)).toEqual([`${hv1}:libvirt`, `${gnt1}:ganeti`]);
    expect(plan.silent.map(({ message }) => message)).toEqual([`${hv2}: There is no ganeti`]);
  });
});

describe("by the built program", () => {
  async function prepare() {
    const opened = await open();
    const home = mkdtempSync(path.join(tmpdir(), "virtu-compare-"));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const { sshConfigFile, configDir } = opened.embedded;
    const options: ProgramOptions = { sshConfig: sshConfigFile, config: configDir, home };
    const virtu = (...words: string[]) => runProgram(["compare", ...words], options);
    return { opened, home, options, virtu };
  }

  test("the plan with its exact commands; then the table, kept, shown again and exported", async () => {
    const { opened, home, virtu } = await prepare();
    const before = inventoryOf(opened);
    const file = path.join(home, "gnt.yaml");
    const text = "provider: ganeti\nos: debootstrap+default\ndiskTemplate: plain\nmemory: 128M\ndisks: [{size: 2G}]\n";
    writeFileSync(file, text);
    const dry = await virtu("--host", `${gnt1},${hv1}`, "-f", file, "--dry-run");
    expect(dry, dry.stderr).toMatchObject({ status: 0 });
    expect(dry.stdout).toMatch(
      /gnt-instance add --submit -t plain -o debootstrap\+default --disk 0:size=2048M .* --no-start /,
    );
    expect(dry.stdout).toContain("migrate (– its disks (plain) are on its node only");
    expect(dry.stdout).toMatch(/hv1\.demo: LC_ALL=C\.UTF-8 virsh -c qemu:\/\/\/system start virtu-compare-\w{6}-2\n/);
    expect(inventoryOf(opened)).toEqual(before);
    const bare = await virtu("--host", `${gnt1},${hv1}`);
    expect(bare).toMatchObject({ status: 2, stderr: expect.stringContaining("Add --yes") });
    const csv = path.join(home, "times.csv");
    const ran = await virtu("--host", `${gnt1},${hv1}`, "-f", file, "--yes", "--output", csv);
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(ran.stdout).toMatch(/GANETI GNT1 +LIBVIRT HV1\n/);
    expect(ran.stdout).toMatch(/^migrate +– +–$/m);
    expect(ran.stdout).toContain("migrate: Ganeti gnt1: – its disks (plain) are on its node only");
    expect(ran.stdout).toContain("libvirt hv1: – no second libvirt host is named");
    expect(readFileSync(csv, "utf8").trim().split("\r\n")).toHaveLength(1 + 2 * 6);
    expect(inventoryOf(opened)).toEqual(before);
    const again = await virtu("--host", `${gnt1},${hv1}`, "--yes", "--output", csv);
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining("there is one of that name already") });
    expect((await virtu("--list")).stdout).toMatch(/^\S+-compare-\w+ {2}done .*Ganeti and libvirt\n$/);
    expect((await virtu("--show")).stdout).toBe(ran.stdout);
    expect(JSON.parse((await virtu("--show", "--json")).stdout)).toMatchObject({ state: "done", notGone: [] });
    expect(await virtu("--clean")).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("Nothing is left behind"),
    });
  }, 120_000);

  test("Ctrl-C: what was made is taken away, the times so far are shown, and the status says so", async () => {
    const { opened, options } = await prepare();
    const before = inventoryOf(opened);
    const running = startProgram(["compare", "--host", `${gnt1},${hv1}`, "--yes"], options);
    await running.says(/start \d/);
    running.kill("SIGINT");
    const { status, stdout, stderr } = await running.ended;
    expect({ status, stderr }).toMatchObject({ status: 130 });
    expect(stdout).toMatch(/ {2}cancelled {2}.*\n.*GANETI GNT1/);
    expect(stdout).toMatch(/^start +\d\.\d\d s +·$/m);
    expect(inventoryOf(opened)).toEqual(before);
  }, 60_000);

  test("a file, a size or a place that can't be meant is told before any host is asked", async () => {
    const { home, virtu } = await prepare();
    const file = path.join(home, "wrong.yaml");
    writeFileSync(file, "provider: libvirt\nmemory: 64M\nmedia:\n  pxe: perhaps\n");
    expect(await virtu("--host", "a,b", "-f", file)).toMatchObject({
      ...{ status: 2, stderr: expect.stringContaining(`${file}:4:8: The file does not say what to make`) },
    });
    expect(await virtu("--on", "hv1")).toMatchObject({ status: 2, stderr: expect.stringContaining("HOST:PROVIDER") });
    expect(await virtu("--host", "a,b", "--memory", "much")).toMatchObject({ status: 2 });
    expect(await virtu("--show", "nothing")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("There is no comparison"),
    });
  });
});
