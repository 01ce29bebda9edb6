import { describe, expect, test } from "vitest";
import type { Action, Instance } from "../../source/instances/types.ts";
import { XenProvider } from "../../source/instances/xen.ts";
import { fixture, type Reply, recorded, ScriptedPool } from "./fake-pool.ts";

const lost = { outcome: "lost" } as const;
const access = { directory: "/usr/sbin/", sudo: false };
const full = recorded("xen", "poll-full");

function provider(
  script: (line: string, stdin: unknown) => Reply | undefined,
  elsewhere: ("libvirt" | "ganeti")[] = [],
) {
  const pool = new ScriptedPool(({ line, options }) => {
    const reply = script(line, options.stdin);
    if (!reply) throw new Error(`nobody answers ${line}`);
    return reply;
  });
  return { pool, xen: new XenProvider({ pool, host: { name: "xen1" }, access, elsewhere, lookMs: 1 }) };
}

async function instances(text = full.stdout ?? ""): Promise<Map<string, Instance>> {
  const { instances } = await provider(() => ({ ...full, stdout: text })).xen.list({});
  return new Map(instances.map((instance) => [instance.name, instance]));
}

async function named(name: string, change: Partial<Instance> = {}): Promise<Instance> {
  const found = (await instances()).get(name);
  if (!found) throw new Error(`no ${name}`);
  return { ...found, ...change };
}

const row = (name: string, id: number, state: string) =>
  `${name.padEnd(40)} ${id}   128     1     ${state}       5.4 d338b643-6643-4d09-89d6-34363caed052        -                -\n`;
const head =
  "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID                            Reason-Code\tSecurity Label\n";

/** Acts where xl's verb answers so, and then `xl list` one after the other (the last for good). */
async function act(
  action: Action,
  instance: Instance,
  verb: Reply,
  lists: (string | Reply)[] = [],
  limitSeconds?: number,
) {
  const { pool, xen } = provider((line) => {
    if (!line.endsWith("xl list -v")) return verb;
    const list = lists.length > 1 ? lists.shift() : lists[0];
    return typeof list === "string" ? { stdout: `${head}${list}` } : list;
  });
  const texts: string[] = [];
  const outcome = await xen.act(action, instance, { limitSeconds, onEvent: ({ text }) => texts.push(text) });
  return { pool, outcome, texts };
}

describe("list", () => {
  test("joins the domains that run with the files of those that do not, in one round trip", async () => {
    const { pool, xen } = provider(() => full);
    const { instances, nodes, notes } = await xen.list({});
    expect(pool.calls).toHaveLength(1);
    expect(
      instances.map(({ name, status, statusDetail, vcpus, memoryMiB }) => [
        name,
        status,
        statusDetail,
        vcpus,
        memoryMiB,
      ]),
    ).toEqual([
      ["web1", "running", "running", 1, 96],
      ["crash1", "error", "crashed", 1, 96],
      ["vweb", "running", "running", 1, 96],
      ["keep1", "stopped", "shut down", 1, 96],
      ["a-domain-with-a-name-that-is-longer-than-forty-letters", "paused", "paused", 1, 96],
      ["ci1", "stopped", "saved", 1, 96],
      ["db1", "stopped", "stopped", 1, 96],
      ["odd name", "stopped", "stopped", 2, 96],
    ]);
    const web1 = instances.find(({ name }) => name === "web1");
    expect(web1).toMatchObject({
      key: "xen/xen1/web1",
      host: "xen1",
      node: "xen1",
      facts: {
        domainId: 1,
        uuid: "e28012e2-6eff-458b-9a59-602fce400ce8",
        file: "/etc/xen/web1.cfg",
        diskFiles: "/srv/xen/web1.img",
        autostart: false,
        type: "pv",
      },
      usage: {
        cpuNs: expect.any(Number),
        memoryMiB: null,
        diskReadBytes: expect.any(Number),
        netOutBytes: expect.any(Number),
      },
    });
    expect(instances.find(({ name }) => name === "db1")?.facts).toMatchObject({ autostart: true });
    expect(nodes).toEqual([expect.objectContaining({ memoryTotal: 2047, memoryFree: 520, memoryNode: 1024 })]);
    expect(notes).toEqual([]);
  });

  test("leaves libvirt's and Ganeti's domains to their own providers", async () => {
    const names = async (elsewhere: ("libvirt" | "ganeti")[], text = full.stdout) =>
      (await provider(() => ({ ...full, stdout: text }), elsewhere).xen.list({})).instances.map(({ name }) => name);
    expect(await names(["libvirt"])).not.toContain("vweb");
    expect(await names(["ganeti"])).toContain("vweb");
    const managed = full.stdout?.replace("@@virtu ganeti\n", "@@virtu ganeti\nweb1\n");
    expect(await names(["ganeti"], managed)).not.toContain("web1");
    // Where Ganeti has no provider, the domain is shown, and left alone.
    const found = (await instances(managed)).get("web1");
    expect(found?.facts["managedBy"]).toBe("ganeti");
    const { xen } = provider(() => undefined);
    expect(found && xen.refuses("shutdown", found)).toMatch(/ganeti/);
    // A file of that name starts no second one beside an instance that is off.
    const off = full.stdout?.replace("@@virtu ganeti\n", "@@virtu ganeti\ndb1\n");
    expect(await names([], off)).toContain("db1");
    expect(await names(["ganeti"], off)).not.toContain("db1");
    const alone = (await instances(off)).get("db1");
    expect(alone && xen.refuses("start", alone)).toMatch(/ganeti/);
    expect(found && xen.refuses("force-off", found)).toBeNull();
  });

  test("speaks of domains without a name, and of those that are being built", async () => {
    const text = (full.stdout ?? "").replace(
      /^vweb .*\n/m,
      `${row("(null)", 31, "--ps-d")}new1  32  0  0  --p---  0.0 d338b643-6643-4d09-89d6-34363caed052 - -\n`,
    );
    const { instances, notes } = await provider(() => ({ ...full, stdout: text })).xen.list({});
    expect(notes).toEqual([expect.stringMatching(/^domain 31 has no name/)]);
    expect(instances.map(({ name }) => name)).not.toContain("(null)");
    expect(instances.find(({ name }) => name === "new1")).toMatchObject({
      status: "unknown",
      statusDetail: "being built",
    });
  });

  test("lets no disk go with a domain that another one names too", async () => {
    const text = (full.stdout ?? "")
      .replace("target=/srv/xen/db1.img", "target=/srv/xen/web1.img")
      .replaceAll("target=/srv/xen/db1.img", "target=/srv/xen/web1.img");
    const found = await instances(text);
    expect(found.get("web1")?.facts).toMatchObject({ diskFiles: null, otherDisks: "/srv/xen/web1.img" });
    expect(found.get("odd name")?.facts["otherDisks"]).toContain("cd.iso");
  });

  test("explains a Xen whose xenstored hangs, and a user without rights", async () => {
    await expect(provider(() => recorded("xen", "poll-store-hangs")).xen.list({})).rejects.toMatchObject({
      kind: "timeout",
      what: "xenstored does not answer",
      why: expect.stringMatching(/Xen itself answers/),
    });
    await expect(provider(() => recorded("xen", "poll-no-rights")).xen.list({})).rejects.toMatchObject({
      kind: "refused",
      why: "this user has no rights on Xen",
      hint: expect.stringMatching(/root@HOST/),
    });
    await expect(provider(() => lost).xen.list({})).rejects.toMatchObject({ kind: "connection" });
  });
});

describe("an action", () => {
  test("starts from its file, and a refusal is explained", async () => {
    const { pool, outcome } = await act({ do: "start" }, await named("db1"), {});
    expect(outcome).toMatchObject({ ok: true, error: null });
    expect(pool.lines()).toEqual(["timeout -k 5 120 /usr/sbin/xl create -q /etc/xen/db1.cfg"]);
    const failed = await act({ do: "start" }, await named("db1"), recorded("xen", "err-create-nobr"));
    expect(failed.outcome).toMatchObject({ ok: false, error: expect.stringMatching(/^there is no bridge nosuchbr/) });
    expect(failed.outcome.detail).toContain("vif-bridge");
  });

  test("shuts down without waiting in xl, and is done when the domain is gone", async () => {
    const { pool, outcome, texts } = await act({ do: "shutdown" }, await named("web1"), recorded("xen", "xl-save"), [
      row("web1", 1, "-b----"),
      row("web1", 1, "--ps--"),
      "",
    ]);
    expect(outcome.ok).toBe(true);
    expect(pool.lines()[0]).toBe("timeout -k 5 120 /usr/sbin/xl shutdown -F web1");
    expect(texts).toContain("shutting down: 0 s of 120 s");
  });

  test("says what became of a guest that did not go, came back, crashed, or stays in memory", async () => {
    const web1 = await named("web1");
    const end = async (...lists: string[]) => (await act({ do: "shutdown" }, web1, {}, lists, 0.01)).outcome;
    expect((await end(row("web1", 1, "-b----"))).error).toMatch(/still running after 0.01 s.*Force off/);
    expect((await end(row("web1", 1, "-b----"))).unheard).toBe(true);
    expect((await end(row("web1", 9, "-b----"))).error).toMatch(/started again as domain 9/);
    expect((await end(row("web1", 1, "---sc-"))).error).toMatch(/crashed/);
    const kept = await act({ do: "shutdown" }, web1, {}, [row("web1", 1, "---s--")]);
    expect(kept.outcome).toMatchObject({ ok: true, text: expect.stringMatching(/on_poweroff = preserve/) });
  });

  test("asks a crashed guest for nothing: xl would wait for it for a minute", async () => {
    const crash1 = await named("crash1");
    const { xen } = provider(() => undefined);
    for (const action of ["shutdown", "pause", "save", "start"] as const)
      expect(xen.refuses(action, crash1)).toMatch(/crashed/);
    expect(xen.refuses("force-off", crash1)).toBeNull();
    const soft = await act({ do: "reboot" }, crash1, {});
    expect(soft.outcome.error).toMatch(/reboot it hard/);
    expect(soft.pool.calls).toEqual([]);
    const hard = await act({ do: "reboot", how: "hard" }, crash1, {});
    expect(hard.pool.lines()).toEqual([
      "timeout -k 5 120 /usr/sbin/xl destroy crash1 && timeout -k 5 120 /usr/sbin/xl create -q /etc/xen/crash1.cfg",
    ]);
  });

  test("meets a domain in a reboot loop by its number", async () => {
    const gone = recorded("xen", "err-unknown-destroy");
    const destroyed: string[] = [];
    const { xen } = provider((line) => {
      if (line.endsWith("xl list -v")) return { stdout: `${head}${row("web1", 23, "-b----")}` };
      destroyed.push(line.split(" ").at(-1) ?? "");
      return line.endsWith(" 23") ? {} : gone;
    });
    expect(await xen.act({ do: "force-off" }, await named("web1"), {})).toMatchObject({ ok: true });
    expect(destroyed).toEqual(["web1", "23"]);
    const off = await act({ do: "force-off" }, await named("web1"), gone, [""]);
    expect(off.outcome.ok).toBe(true);
  });

  test("saves beside and moves what is whole; restoring forgets the file only when it went well", async () => {
    const saved = await act({ do: "save" }, await named("web1"), recorded("xen", "xl-save"));
    expect(saved.outcome.ok).toBe(true);
    expect(saved.texts).toContain("writing its memory: 50 %");
    expect(saved.pool.lines()[0]).toMatch(
      /xl save web1 \/var\/lib\/xen\/web1\.virtu-part && mv \/var\/lib\/xen\/web1\.virtu-part \/var\/lib\/xen\/save\/web1 \|\|/,
    );
    const { xen } = provider(() => undefined);
    const ci1 = await named("ci1");
    expect(xen.refuses("start", ci1)).toMatch(/restore it/);
    expect(xen.preview({ do: "restore" }, ci1)).toEqual([
      "timeout -k 5 1800 /usr/sbin/xl restore /var/lib/xen/save/ci1 && rm -f /var/lib/xen/save/ci1",
    ]);
  });

  test("changes a running domain and its file, and keeps what else the file says", async () => {
    const written: unknown[] = [];
    const { pool, xen } = provider((line, stdin) => {
      if (line === "cat /etc/xen/web1.cfg") return { stdout: '# mine\nname = "web1"\nmemory = 128\n' };
      if (stdin !== undefined) written.push(stdin);
      return {};
    });
    const web1 = await named("web1");
    expect(await xen.act({ do: "rename", to: "shop" }, web1, {})).toMatchObject({ ok: true });
    expect(pool.lines()[0]).toBe("timeout -k 5 120 /usr/sbin/xl rename web1 shop");
    expect(await xen.act({ do: "set-memory", mebibytes: 160 }, web1, {})).toMatchObject({ ok: true });
    expect(written).toEqual(['# mine\nname = "shop"\nmemory = 128\n', '# mine\nname = "web1"\nmemory = 160\n']);
    expect(await xen.act({ do: "rename", to: "a/b" }, web1, {})).toMatchObject({ ok: false });
    expect(await xen.act({ do: "rename", to: "7" }, web1, {})).toMatchObject({ ok: false });
    const over = await act({ do: "set-memory", mebibytes: 512 }, web1, recorded("xen", "xl-memset-over"));
    expect(over.outcome.error).toMatch(/maxmem/);
    expect(over.pool.lines()).toHaveLength(1);
  });

  test("removes files, and disks only where they are its own", async () => {
    const { xen } = provider(() => undefined);
    const db1 = await named("db1");
    expect(xen.preview({ do: "remove", keepDisks: false }, db1)).toEqual([
      "rm -f -- /etc/xen/db1.cfg /etc/xen/auto/db1 /srv/xen/db1.img",
    ]);
    expect(xen.preview({ do: "remove", keepDisks: true }, db1)).toEqual([
      "rm -f -- /etc/xen/db1.cfg /etc/xen/auto/db1",
    ]);
    expect(xen.refuses("remove", await named("web1"))).toMatch(/not off/);
    const odd = await act({ do: "remove", keepDisks: false }, await named("odd name"), {});
    expect(odd.outcome.text).toMatch(/kept.*cd\.iso/);
  });

  test("removes logical volumes too, before all else, and no device that is another's or none of a known group's", async () => {
    const disks =
      "disk = [ '/dev/xen-vg/db1,raw,xvda,w', '/dev/mapper/xen--vg-db1--2,raw,xvdb,w', '/dev/sdb,raw,xvdc,w' ]";
    const others = "disk = [ '/dev/mapper/xen--vg-shared,raw,xvda,w' ]";
    const storage = "@@virtu groups\n  xen-vg|19996.00|4996.00\n@@virtu end\n";
    const text = (full.stdout ?? "")
      .replaceAll("disk = [ 'format=raw,vdev=xvda,access=rw,target=/srv/xen/db1.img' ]", disks)
      .replaceAll("disk = [ 'format=raw,vdev=xvda,access=rw,target=/srv/xen/web1.img' ]", others)
      .replace('xvda,rw", # first', "xvda,rw\", '/dev/xen-vg/shared,raw,xvdb,w'")
      .replace("@@virtu end\n", storage);
    const found = await instances(text);
    const db1 = found.get("db1") as Instance;
    expect(db1.facts).toMatchObject({
      ...{ diskFiles: null, diskVolumes: "/dev/xen-vg/db1; /dev/mapper/xen--vg-db1--2", otherDisks: "/dev/sdb" },
    });
    expect(found.get("odd name")?.facts).toMatchObject({ diskVolumes: null });
    expect(found.get("odd name")?.facts["otherDisks"]).toContain("/dev/xen-vg/shared");
    const { xen } = provider(() => undefined);
    const gone = (volume: string) => `{ ! lvs ${volume} >/dev/null 2>&1 || lvremove -q -f ${volume}; } && `;
    expect(xen.preview({ do: "remove", keepDisks: false }, db1)).toEqual([
      `${gone("/dev/xen-vg/db1")}${gone("/dev/mapper/xen--vg-db1--2")}rm -f -- /etc/xen/db1.cfg /etc/xen/auto/db1`,
    ]);
    expect(xen.preview({ do: "remove", keepDisks: true }, db1)).toEqual([
      "rm -f -- /etc/xen/db1.cfg /etc/xen/auto/db1",
    ]);
    const stdout = `@@virtu file\n${disks}\n\n@@virtu sizes\n67108864 /dev/xen-vg/db1\n@@virtu end\n`;
    expect((await provider(() => ({ stdout })).xen.details(db1, {})).disks).toMatchObject([
      { source: "/dev/xen-vg/db1", sizeMiB: 64 },
      { source: "/dev/mapper/xen--vg-db1--2" },
      { source: "/dev/sdb", stays: true },
    ]);
  });

  test("whose answer was lost is known by the domain", async () => {
    const web1 = await named("web1");
    expect((await act({ do: "pause" }, web1, lost, [lost, row("web1", 1, "--p---")])).outcome.ok).toBe(true);
    expect((await act({ do: "start" }, await named("db1"), lost, [""])).outcome.error).toMatch(/the domain is off/);
    expect((await act({ do: "shutdown" }, web1, lost, [row("web1", 1, "-b----"), ""])).outcome.ok).toBe(true);
    await expect(act({ do: "reboot" }, web1, lost)).rejects.toMatchObject({ kind: "connection" });
  });
});

test("refuses with the reason what this Xen, or xl, can't", async () => {
  const { xen } = provider(() => undefined);
  expect(xen.refuses("migrate", await named("web1"))).toMatch(/shadow paging.*save it/);
  const shadow = await instances((full.stdout ?? "").replace("pv hvm hap", "pv hvm hap shadow"));
  expect(xen.refuses("migrate", shadow.get("web1") as Instance)).toBeNull();
  expect(xen.refuses("snapshot-create", await named("web1"))).toMatch(/no snapshots/);
  expect(xen.refuses("start", await named("keep1"))).toMatch(/still holds its memory/);
  expect(xen.refuses("force-off", await named("keep1"))).toBeNull();
  expect(xen.refuses("force-off", await named("db1"))).toMatch(/off already/);
  const paused = "a-domain-with-a-name-that-is-longer-than-forty-letters";
  expect(xen.refuses("shutdown", await named(paused))).toMatch(/paused/);
  expect(xen.refuses("resume", await named(paused))).toBeNull();
  expect(xen.unattended({ do: "shutdown" }, await named("web1"))?.line).toMatch(/xl shutdown -F web1$/);
  expect(xen.unattended({ do: "rename", to: "x" }, await named("web1"))).toBeNull();
});

test("a console is xl's, and who holds it is explained", async () => {
  const { xen } = provider(() => undefined);
  const way = xen.console(await named("web1"));
  if ("refusal" in way) throw new Error(way.refusal);
  expect(way.command.line).toBe("/usr/sbin/xl console web1");
  expect(way.explain(fixture("xen", "xl-console-second.tty"), 11)).toMatchObject({ inUse: true });
  expect(way.explain("", 0)).toBeNull();
  expect(way.explain("nosuch is an invalid domain identifier (rc=-6)\n", 1)).toMatchObject({ inUse: false });
  expect(xen.console(await named("db1"))).toMatchObject({ refusal: "db1 is off" });
});

test("details come from its file, its disks' sizes and its log", async () => {
  const stdout = `@@virtu file
name = "web1"
memory = 128
disk = [ '/srv/xen/web1.img,raw,xvda,rw' ]
vif = [ 'bridge=xenbr0,mac=00:16:3e:00:00:01' ]

@@virtu sizes
67108864 /srv/xen/web1.img
@@virtu uptime
Name                                ID Uptime
web1                                 1  0:08:34
@@virtu log
Waiting for domain web1 (domid 1) to die [pid 1497]
@@virtu bridges
xenbr0
@@virtu end
`;
  const details = await provider(() => ({ stdout })).xen.details(await named("web1"), {});
  expect(details).toMatchObject({
    disks: [{ id: "xvda", source: "/srv/xen/web1.img", sizeMiB: 64 }],
    nics: [{ network: "xenbr0", mac: "00:16:3e:00:00:01" }],
    networks: ["xenbr0"],
    definition: { editable: true, text: expect.stringMatching(/^name = "web1"\n/) },
    more: [
      ["running for", "0:08:34"],
      ["log", expect.stringMatching(/^Waiting/)],
    ],
  });
});

test("news are told after what each watch says at its start, and only of what is shown here", async () => {
  const told: string[] = [];
  let ready = 0;
  const lines = [
    ...["@introduceDomain", "@releaseDomain", "/local/domain"],
    ...["@introduceDomain", "@releaseDomain", "@@virtu alive"],
    ...["@@virtu state -p web1", "@@virtu state - web1", "@@virtu state -sc web1", "@@virtu state -s web1"],
    // libvirt's, here shown by its own provider.
    ...["@@virtu state -p vweb", "/local/domain/3/name"],
    ...["/local/domain/1/name", "/local/domain/1/memory/target", "/local/domain/1/cpu/0/availability"],
  ];
  const { xen } = provider(
    (line) => (line.includes("xenstore-watch") ? { ...lost, stdout: `${lines.join("\n")}\n` } : full),
    ["libvirt"],
  );
  const { instances } = await xen.list({});
  const domain = (name: string) => instances.find((one) => one.name === name);
  expect([domain("web1")?.facts["domainId"], domain("vweb")]).toEqual([1, undefined]);
  const watching = xen.watch({
    signal: new AbortController().signal,
    onReady: () => (ready += 1),
    onEvent: ({ key, name, text }) => told.push(`${name} ${text}${key === domain("web1")?.key ? "" : ` ${key}`}`),
  });
  await expect(watching).rejects.toMatchObject({ kind: "connection" });
  expect([ready, told]).toEqual([
    1,
    [
      ...["xen1 a domain was made null", "xen1 a domain ended null"],
      ...["web1 paused", "web1 running", "web1 crashed", "web1 shut down"],
      ...["web1 renamed", "web1 its memory was changed", "web1 its vCPUs were changed"],
    ],
  ]);
  const none = provider(() => ({ status: 127, stderr: "sh: 1: xenstore-watch: not found\n" })).xen;
  const noProgram = none.watch({ signal: new AbortController().signal, onReady: () => {}, onEvent: () => {} });
  await expect(noProgram).rejects.toMatchObject({ kind: "refused" });
});

test("its node counts the CPU time of all domains, the host's own too, and stores where their disks lie", async () => {
  const storage = `@@virtu uptime
1000.50 100.00
@@virtu mounts
Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/vda1  41943040 10485760 31457280 25% /
/dev/vdb1  41943040 10485760 31457280 25% /unused
@@virtu end
`;
  const stdout = (full.stdout ?? "").replace("@@virtu end\n", storage);
  const { nodes } = await provider(() => ({ stdout })).xen.list({});
  const seconds = [...stdout.matchAll(/^\S.* [-rbpscd]{6} +(\d+\.\d) /gm)].reduce(
    (sum, [, time]) => sum + Number(time),
    0,
  );
  const cpus = Number(/^nr_cpus +: (\d+)$/m.exec(stdout)?.[1]);
  expect(seconds).toBeGreaterThan(0);
  expect(nodes[0]?.cpu?.busyNs).toBeCloseTo(seconds * 1e9, -3);
  expect(nodes[0]?.cpu?.totalNs).toBe(1000.5 * cpus * 1e9);
  expect(nodes[0]).toMatchObject({
    diskTotal: 40_960,
    diskFree: 30_720,
    pools: [{ name: "/", totalMiB: 40_960, freeMiB: 30_720 }],
  });
  const before = await provider(() => full).xen.list({});
  expect(before.nodes[0]).not.toHaveProperty("cpu");
  expect(before.nodes[0]).toMatchObject({ pools: [], diskTotal: null });
});
