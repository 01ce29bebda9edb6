/** Xen by `xl` and libvirt's Xen driver on a real dom0. Every outcome is asked of `xl` and `virsh` there, by an ssh of the test's own. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { discover } from "../../../source/instances/discover.ts";
import type { Action, ActionOutcome, Instance, Provider } from "../../../source/instances/types.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { Pool } from "../../../source/ssh/types.ts";
import { parseXentop, type XenUsage } from "../../../source/tools/xentop.ts";
import { TestAsker } from "../../ssh/server.ts";
import type { ActionJson, InstanceJson } from "../instances.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { dom0Ms, openXen, type XenHost } from "./host.ts";

// A processor that is emulated on a loaded machine: ten times slower than usual is still right.
vi.setConfig({ testTimeout: 300_000 });

const teardown = new Teardown();
let xen: XenHost;
let options: VirtuOptions;
let pool: Pool;
let xl: Provider;

beforeAll(async () => {
  xen = await openXen(teardown);
  options = { sshConfig: xen.sshConfig, home: teardown.directory("home") };
  pool = createPool({ sshConfig: xen.sshConfig, asker: new TestAsker() });
  teardown.add(() => pool.end());
  const { providers, problems } = await discover(pool, { name: "xen1" });
  expect(problems).toEqual([]);
  expect(providers.map(({ name, attachment }) => `${name} ${attachment.label}`)).toEqual([
    "libvirt xen:///system",
    "xen xl",
  ]);
  xl = providers[1] as Provider;
}, dom0Ms);
afterAll(() => teardown.run());

const headless = (...words: string[]) => virtu([...words, "--host", "xen1", "--json"], options);

async function command(action: string, name: string): Promise<ActionJson> {
  const ran = await headless(action, name, "--yes");
  const [outcome] = ran.json<ActionJson[]>();
  if (!outcome) throw new Error(`${action} ${name} reported nothing: ${ran.stderr}`);
  return outcome;
}

async function instance(name: string): Promise<Instance> {
  const { instances } = await xl.list({});
  const found = instances.find((other) => other.name === name);
  if (!found) throw new Error(`xl shows no ${name}`);
  return found;
}

/** Acts through the provider; a refusal before it counts as failed, as in the table. */
async function act(action: Action, name: string, texts: string[] = []): Promise<ActionOutcome> {
  const found = await instance(name);
  const refusal = xl.refuses(action.do, found);
  if (refusal !== null) return { ok: false, job: null, text: null, error: refusal, detail: null };
  return xl.act(action, found, { onEvent: ({ text }) => texts.push(text) });
}

const state = async (name: string) => (await xen.domains()).get(name)?.state ?? "gone";

test("lists what runs, what crashed, what only has a file, and libvirt's own apart from that", async () => {
  const ran = await headless("instances");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const rows = ran.json<InstanceJson[]>().map((row) => `${row.provider} ${row.name} ${row.status} ${row.statusDetail}`);
  expect(rows.sort()).toEqual([
    "libvirt vdb stopped shut off",
    "libvirt vweb running running",
    "xen ci1 stopped stopped",
    "xen crash1 error crashed",
    "xen db1 stopped stopped",
    "xen keep1 stopped stopped",
    "xen web1 running running",
  ]);
  const real = await xen.domains();
  expect([...real.keys()].sort()).toEqual(["Domain-0", "crash1", "vweb", "web1"]);
  expect((await instance("ci1")).facts).toMatchObject({ file: "/etc/xen/build.cfg", autostart: true });
  expect((await instance("web1")).usage).toMatchObject({ cpuNs: expect.any(Number), netOutBytes: expect.any(Number) });
});

test("tells a user without rights so, and names the way out", async () => {
  const ran = await virtu(["instances", "--host", "guest@xen1", "--json"], options);
  expect(ran.status).not.toBe(0);
  expect(ran.stderr).toContain("root@HOST");
  const { providers, problems } = await discover(pool, { name: "guest@xen1" });
  expect(providers).toEqual([]);
  expect(problems.map(({ what, why }) => `${what}: ${why}`)).toContain(
    "Xen can't be used: this user has no rights on Xen",
  );
});

test("starts a domain from its file, its disk and card with it, and tells of it as it happens", async () => {
  const told: string[] = [];
  const stop = new AbortController();
  let ready = () => {};
  const listening = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const watching = xl.watch?.({ signal: stop.signal, onReady: () => ready(), onEvent: ({ text }) => told.push(text) });
  watching?.catch(() => {});
  await listening;
  expect(told).toEqual([]);
  const outcome = await command("start", "db1");
  expect(outcome).toMatchObject({ ok: true, statusBefore: "stopped", statusAfter: "running" });
  expect(await state("db1")).toMatch(/^[rb-]-----$|^-b----$/);
  expect(await xen.exec("xl block-list db1 | wc -l; xl network-list db1 | wc -l")).toBe("2\n2");
  await until("the news of a new domain", () => told.includes("a domain was made"));
  stop.abort();
  await watching?.catch(() => {});
});

test("gives its console on a terminal, and explains who is refused as the second", async () => {
  const way = xl.console(await instance("web1"));
  if ("refusal" in way) throw new Error(way.refusal);
  const open = async () => {
    const channel = await pool.pty(way.host, way.command, { columns: 80, rows: 24 });
    let text = "";
    channel.stream.on("data", (data: Buffer) => {
      text += data.toString();
    });
    return { channel, text: () => text };
  };
  const first = await open();
  // What it said while it booted is not repeated to everybody: it may have to be woken.
  await until("a login prompt", () => {
    first.channel.stream.write(way.wake ?? "");
    return /web1 login: /.test(first.text());
  });
  first.channel.stream.write("root\r");
  await until("a shell", () => first.text().includes("web1# "));
  first.channel.stream.write("echo $((6*7))-$(hostname)\r");
  await until("the command's output", () => first.text().includes("42-web1"));

  const second = await open();
  const { status } = await second.channel.ended;
  expect(status).toBe(11);
  expect(way.explain(second.text(), status)).toMatchObject({
    inUse: true,
    why: expect.stringMatching(/one at a time/),
  });

  first.channel.stream.write(way.leave ?? "");
  expect(await first.channel.ended).toMatchObject({ outcome: "exited", status: 0 });
  const again = await open();
  again.channel.stream.write("\r");
  await until("the same shell again", () => again.text().includes("web1# "));
  again.channel.stream.write(way.leave ?? "");
  await again.channel.ended;
});

test("pauses and resumes; a paused guest is not asked to shut down", async () => {
  expect(await act({ do: "pause" }, "web1")).toMatchObject({ ok: true });
  expect(await state("web1")).toBe("--p---");
  expect(await instance("web1")).toMatchObject({ status: "paused" });
  expect((await act({ do: "shutdown" }, "web1")).error).toMatch(/paused/);
  expect(await act({ do: "resume" }, "web1")).toMatchObject({ ok: true });
  expect(await state("web1")).not.toMatch(/p/);
});

test("tells what anybody does beside virtu, a pause too, and leaves nothing on the host", async () => {
  const told: string[] = [];
  const stop = new AbortController();
  const { key, facts } = await instance("web1");
  let ready = () => {};
  const listening = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const watching = xl.watch?.({
    signal: stop.signal,
    onReady: () => ready(),
    onEvent: (event) => told.push(`${event.key === key ? "web1" : event.name} ${event.text}`),
  });
  watching?.catch(() => {});
  await listening;
  const watchers = "ps -eo args= | grep -cE '^([^ ]*/xentop -b -f -d|xenstore-watch )' || true";
  // Of an earlier watch too, for a moment.
  await until("one watch is at work", async () => (await xen.exec(watchers)) === "2");
  for (const [command, news] of [
    ["xl pause web1", "web1 paused"],
    ["xl unpause web1", "web1 running"],
    ["xl mem-set web1 90m", "web1 its memory was changed"],
    ["xl rename web1 web9", "web1 renamed"],
  ] as const) {
    // A pause that is over before the host looks is none.
    await xen.exec(command);
    await until(`the news that ${news}`, () => told.includes(news));
  }
  expect(await instance("web9")).toMatchObject({
    status: "running",
    memoryMiB: 90,
    facts: { domainId: facts["domainId"] },
  });
  await xen.exec("xl rename web9 web1; xl mem-set web1 96m");
  stop.abort();
  await expect(watching).rejects.toMatchObject({ kind: "cancelled" });
  await until("the watch has ended on the host", async () => (await xen.exec(watchers)) === "0");
});

test("has an action done at a time by a systemd timer, after virtu's end, of which nothing stays", async () => {
  const keep = async (time: string, action: string) => {
    const ran = await headless("at", time, action, "web1", "--yes");
    const [kept] = ran.json<{ ok: boolean; id: string; carrier: string; job: { at: string } }[]>();
    expect(kept, ran.stderr).toMatchObject({ ok: true, carrier: "systemd" });
    return { id: kept?.id ?? "", at: Date.parse(kept?.job.at ?? "") / 1000 };
  };
  const all = async () => (await headless("scheduled")).json<{ id: string; state: string }[]>();
  const units = () =>
    xen.exec("systemctl list-unit-files --no-legend 'virtu-*'; ls /var/lib/systemd/timers | grep virtu || true");
  const pause = await keep("+2h", "pause");
  const off = await keep("+3h", "force-off");
  // Enabled, so that a reboot does not lose it; in UTC, whatever the host's zone.
  expect(
    await xen.exec(`systemctl is-active virtu-${pause.id}.timer; systemctl is-enabled virtu-${pause.id}.timer`),
  ).toBe("active\nenabled");
  expect(await xen.exec(`date +%s -d "$(systemctl show -P NextElapseUSecRealtime virtu-${pause.id}.timer)"`)).toBe(
    String(pause.at),
  );
  expect(await all()).toMatchObject([pause, off].map(({ id }) => ({ id, state: "waiting" })));

  const back = await headless("unschedule", off.id, "--yes");
  expect(back, back.stderr).toMatchObject({ status: 0 });
  expect(await units()).not.toContain(off.id);
  expect(await units()).toContain(pause.id);

  expect(await state("web1")).not.toMatch(/p/);
  try {
    // A clock that is put forward wakes the timers of its time: nobody waits two hours.
    await xen.exec(`date -s @${pause.at - 1}`);
    await until("the timer has paused it", async () => (await state("web1")) === "--p---");
    await until("its units are gone", async () => (await units()) === "");
  } finally {
    await xen.exec(`date -s @${Math.floor(Date.now() / 1000)}; xl unpause web1`);
  }
  expect(await all()).toMatchObject([{ id: pause.id, state: "done" }]);
  expect(await xen.exec("systemctl --failed --no-legend")).toBe("");
  // Five starts of the program, of which each asks the host all that it has: a minute on a machine of one's own.
}, 900_000);

test("reboots a guest: another domain of the same name, and the same row", async () => {
  const before = (await xen.domains()).get("web1")?.id ?? 0;
  const key = (await instance("web1")).key;
  expect(await act({ do: "reboot" }, "web1")).toMatchObject({ ok: true, text: "the guest was asked to reboot" });
  await until("web1 up again as another domain", async () => {
    const now = (await xen.domains()).get("web1");
    return now && now.id > before && now.memory > 0 && !now.state.includes("p");
  });
  expect(await instance("web1")).toMatchObject({ key, status: "running" });
});

test("shows domains that are being built or go away as that, and never twice", async () => {
  const seen = new Set<string>();
  const polling = new AbortController();
  const polls = (async () => {
    while (!polling.signal.aborted) {
      const { instances, notes } = await xl.list({});
      const rows = instances.filter(({ name }) => name === "ci1");
      expect(rows).toHaveLength(1);
      seen.add(rows[0]?.statusDetail ?? "");
      for (const note of notes) seen.add(note.replace(/\d+/, "N"));
    }
  })();
  // How many of its states are met depends on the machine; something between off and off must be, and once is not always enough.
  for (let tries = 0; tries < 6 && seen.size < 2; tries += 1) {
    await xen.exec("xl create -q /etc/xen/build.cfg && xl destroy ci1");
  }
  polling.abort();
  await polls;
  const known = [
    "stopped",
    "being built",
    "paused",
    "running",
    "going away",
    "domain N has no name: it is being built, or going away",
  ];
  expect(known).toEqual(expect.arrayContaining([...seen]));
  expect(seen.size).toBeGreaterThan(1);
  expect(await instance("ci1")).toMatchObject({ status: "stopped" });
});

test("a crashed guest is an error, is asked for nothing, and goes by force", async () => {
  expect(await state("crash1")).toBe("---sc-");
  expect((await act({ do: "shutdown" }, "crash1")).error).toMatch(/crashed/);
  expect((await act({ do: "reboot" }, "crash1")).error).toMatch(/reboot it hard/);
  expect(await state("crash1")).toBe("---sc-");
  expect(await act({ do: "force-off" }, "crash1")).toMatchObject({ ok: true });
  expect(await state("crash1")).toBe("gone");
});

test("shuts a guest down: done when the domain is gone", async () => {
  const outcome = await command("shutdown", "db1");
  expect(outcome).toMatchObject({ ok: true, statusBefore: "running", statusAfter: "stopped", error: null });
  expect(await state("db1")).toBe("gone");
  expect(await xen.exec("tail -n 3 /var/log/xen/xl-db1.log")).toContain("reason code 0");
});

test("a guest that stays in memory after its shutdown is off, and says why it can't start", async () => {
  expect(await act({ do: "start" }, "keep1")).toMatchObject({ ok: true });
  await until("keep1 booted", async () => (await xen.exec("xl vcpu-list keep1")).includes("-b-"), 60_000);
  expect(await act({ do: "shutdown" }, "keep1")).toMatchObject({ ok: true, text: expect.stringMatching(/preserve/) });
  expect(await state("keep1")).toBe("---s--");
  expect((await act({ do: "start" }, "keep1")).error).toMatch(/still holds its memory/);
  expect(await act({ do: "force-off" }, "keep1")).toMatchObject({ ok: true });
  expect(await state("keep1")).toBe("gone");
});

test("saves a guest and restores it: the same login session goes on", async () => {
  const texts: string[] = [];
  expect(await act({ do: "save" }, "web1", texts)).toMatchObject({ ok: true });
  expect(texts.some((text) => /^writing its memory: \d+ %$/.test(text))).toBe(true);
  expect(await state("web1")).toBe("gone");
  expect(await xen.exec("ls /var/lib/xen/save /var/lib/xen/*.virtu-part 2>/dev/null || true")).toContain("web1");
  expect(await instance("web1")).toMatchObject({ status: "stopped", statusDetail: "saved" });
  expect((await act({ do: "start" }, "web1")).error).toMatch(/restore it/);
  expect(await act({ do: "restore" }, "web1")).toMatchObject({ ok: true });
  expect(await state("web1")).not.toBe("gone");
  expect(await xen.exec("ls /var/lib/xen/save")).toBe("");
});

test("renames a running domain in Xen and in its file, and changes its memory and vCPUs", async () => {
  expect(await act({ do: "start" }, "ci1")).toMatchObject({ ok: true });
  expect(await act({ do: "rename", to: "web1" }, "ci1")).toMatchObject({
    ok: false,
    error: expect.stringMatching(/there already/),
  });
  expect(await act({ do: "rename", to: "build" }, "ci1")).toMatchObject({ ok: true });
  expect(await state("build")).not.toBe("gone");
  expect(await xen.exec("grep ^name /etc/xen/build.cfg")).toBe('name = "build"');
  expect(await act({ do: "set-memory", mebibytes: 512 }, "build")).toMatchObject({
    ok: false,
    error: expect.stringMatching(/maxmem/),
  });
  expect(await act({ do: "set-memory", mebibytes: 112 }, "build")).toMatchObject({ ok: true });
  expect(await xen.exec("grep ^memory /etc/xen/build.cfg")).toBe("memory = 112");
  expect(await act({ do: "set-vcpus", count: 3 }, "build")).toMatchObject({
    ok: false,
    error: expect.stringMatching(/only 1 processor/),
  });
  expect(await act({ do: "autostart", on: false }, "build")).toMatchObject({ ok: true });
  expect(await xen.exec("ls /etc/xen/auto")).toBe("");
  expect(await act({ do: "force-off" }, "build")).toMatchObject({ ok: true });
});

test("refuses to move a running pv guest with the reason: this Xen has no shadow paging", async () => {
  expect((await act({ do: "migrate", to: "xen2", live: true }, "web1")).error).toMatch(/shadow paging/);
  expect(await xen.exec("xl info | grep virt_caps")).not.toContain("shadow");
});

test("takes a changed file only if xl can read it, and removes a domain with its disk", async () => {
  const { definition } = await xl.details(await instance("db1"), {});
  expect(definition.text).toBe(`${await xen.exec("cat /etc/xen/db1.cfg")}\n`);
  const broken = await act({ do: "define", text: `${definition.text}vif = [ 'x\n` }, "db1");
  expect(broken).toMatchObject({ ok: false, error: expect.stringMatching(/^line \d+ of/) });
  expect(`${await xen.exec("cat /etc/xen/db1.cfg")}\n`).toBe(definition.text);
  const more = `${definition.text}# changed\n`;
  expect(await act({ do: "define", text: more }, "db1")).toMatchObject({ ok: true });
  expect(await xen.exec("tail -n 1 /etc/xen/db1.cfg; ls /etc/xen | grep -c virtu || true")).toBe("# changed\n0");

  expect(await act({ do: "remove", keepDisks: false }, "db1")).toMatchObject({ ok: true });
  expect((await xen.try("ls /etc/xen/db1.cfg /srv/xen/db1.img")).stdout).toBe("");
});

test("libvirt's domains are libvirt's: started there, not shown twice, and seen by xl itself", async () => {
  expect(await command("start", "vdb")).toMatchObject({ ok: true, statusAfter: "running" });
  expect(await state("vdb")).not.toBe("gone");
  const rows = (await headless("instances")).json<InstanceJson[]>().filter(({ name }) => name === "vdb");
  expect(rows).toEqual([expect.objectContaining({ provider: "libvirt", status: "running", vcpus: 1, memoryMiB: 96 })]);
  expect(await command("force-off", "vdb")).toMatchObject({ ok: true });
  expect(await xen.exec("virsh -q -c xen:///system domstate vdb")).toBe("shut off");
});

test("xentop's numbers are read as xl knows them", async () => {
  const text = await xen.exec("xentop -b -f -i 2 -d 1");
  const usage = new Map(parseXentop(text).map((one): [string, XenUsage] => [one.name, one]));
  const real = await xen.domains();
  expect([...usage.keys()].sort()).toEqual([...real.keys()].sort());
  for (const [name, { memory }] of real) expect(Math.round((usage.get(name)?.memoryKiB ?? 0) / 1024)).toBe(memory);
  expect(usage.get("Domain-0")?.cpuPercent).toBeGreaterThan(0);
});

test("a xenstored that hangs is named as such in time, and all is well when it goes on", async () => {
  await xen.exec("kill -STOP $(cat /run/xenstore.pid)");
  try {
    const began = performance.now();
    await expect(xl.list({})).rejects.toMatchObject({ kind: "timeout", what: "xenstored does not answer" });
    const ran = await headless("instances");
    expect(ran.stderr + ran.stdout).toContain("xenstored");
    expect(performance.now() - began).toBeLessThan(60_000);
    expect((await xen.try("timeout 3 xl list")).status).toBe(124);
  } finally {
    await xen.exec("kill -CONT $(cat /run/xenstore.pid)");
  }
  expect(await instance("web1")).toMatchObject({ status: "running" });
  expect(await xen.exec("ps ax | grep -c '[x]l list' || true")).toBe("0");
});
