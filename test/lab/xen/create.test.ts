/** Domains made by `virtu create` on a real dom0. Every outcome is asked of `xl` there, by an ssh of the test's own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { CreateOutcome, XenRequest } from "../../../source/instances/create-types.ts";
import { discover } from "../../../source/instances/discover.ts";
import { sh } from "../../../source/ssh/command.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { Pool } from "../../../source/ssh/types.ts";
import { configLines, targetOf } from "../../../source/tools/xl-create.ts";
import { xenRequest } from "../../create-requests.ts";
import { TestAsker } from "../../ssh/server.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { dom0Ms, openXen, type XenHost } from "./host.ts";

// A processor that is emulated on a loaded machine: ten times slower than usual is still right.
vi.setConfig({ testTimeout: 300_000 });

const teardown = new Teardown();
let xen: XenHost;
let home: string;
let options: VirtuOptions;
let pool: Pool;

beforeAll(async () => {
  xen = await openXen(teardown);
  home = teardown.directory("home");
  options = { sshConfig: xen.sshConfig, home };
  pool = createPool({ sshConfig: xen.sshConfig, asker: new TestAsker() });
  teardown.add(() => pool.end());
}, dom0Ms);
afterAll(() => teardown.run());

/** MiB that Xen has free. */
const free = async () => Number(await xen.exec("xl info | sed -n 's/^free_memory *: //p'"));

/** What lies in the places where a making leaves something. */
const left = () => xen.exec("ls -1d /etc/xen/*.cfg /srv/xen/*.img");

test("makes a guest from a file: its disk, its file in /etc/xen, its start, and a login at its console", async () => {
  const file = join(home, "new1.yaml");
  writeFileSync(
    file,
    `provider: xen
hosts: [xen1]
name: new1
memory: 96
boot: { kernel: /srv/xen/vmlinux, ramdisk: /srv/xen/initrd.gz, arguments: console=hvc0 vmname=new1 }
disks:
  - { size: 64M }
nics:
  - { bridge: xenbr0 }
ready: { by: console, limit: 240 }
`,
  );
  const ran = await virtu(["create", "-f", file, "--json"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ name: "new1", provider: "xen", ok: true, ready: true, error: null, leftBehind: [] },
    notes: [expect.stringContaining("new1 login:")],
  });
  expect((await xen.domains()).get("new1")).toMatchObject({ memory: 96 });
  const text = await xen.exec("cat /etc/xen/new1.cfg");
  expect(text).toContain('target=/srv/xen/new1.img"');
  // The same identity as in its file, now and after every start.
  const uuid = /uuid = "([^"]+)"/.exec(text)?.[1] ?? "none";
  expect(await xen.exec("xl list -v new1")).toContain(uuid);
  expect(await xen.exec("xl block-list new1 | wc -l; stat -c %s /srv/xen/new1.img")).toBe("2\n67108864");
  const mac = /mac=([\da-f:]+)/.exec(text)?.[1] ?? "none";
  expect(await xen.exec("xl network-list new1")).toContain(mac);

  const { providers } = await discover(pool, { name: "xen1" });
  const xl = providers.find(({ name }) => name === "xen");
  const made = (await xl?.list({}))?.instances.find(({ name }) => name === "new1");
  if (!xl || !made) throw new Error("xl shows no new1");
  expect(made).toMatchObject({ status: "running", facts: { file: "/etc/xen/new1.cfg", uuid } });
  const way = xl.console(made);
  if ("refusal" in way) throw new Error(way.refusal);
  const { stream, ended } = await pool.pty(way.host, way.command, { columns: 80, rows: 24 });
  let said = "";
  stream.on("data", (data: Buffer) => {
    said += data.toString();
  });
  await until("a login prompt", () => {
    stream.write("\r");
    return /new1 login: /.test(said);
  });
  stream.write("root\r");
  await until("a shell", () => said.includes("new1# "));
  stream.write("cat /proc/partitions\r");
  await until("its disk", () => /65536 xvda/.test(said));
  stream.write(way.leave ?? "");
  await ended;
  expect(await xen.exec("xl destroy new1 && cat /etc/xen/new1.cfg")).toBe(text);
});

const own = ["create", "own1", "--type", "pv", "--memory", "96", "--nic", "none", "--host", "xen1", "--json"];
const grub = ["--bootloader", "pygrub", "--disk", "size=48M,group=vg0,image=/srv/images/own.img"];
const volumes = () => xen.exec("lvs --noheadings -o lv_name vg0 | tr -d ' '");

test("makes a guest that boots by its own GRUB from a copied volume, with a second disk", async () => {
  const ran = await virtu([...own, ...grub, "--disk", "8M", "--ready", "console", "--ready-limit", "240"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ ok: true, ready: true, leftBehind: [], notes: [expect.stringContaining("own1 login:")] },
  });
  expect(await xen.exec("lvs --noheadings --units m -o lv_size vg0/own1; stat -c %s /srv/xen/own1-2.img")).toMatch(
    /^48.00m\n8388608$/,
  );
  // Its kernel is the disk's own: none of dom0's stands in its file.
  expect(await xen.exec("cat /etc/xen/own1.cfg")).not.toContain("kernel");
  expect(await xen.exec("xl block-list own1 | wc -l")).toBe("3");
});

test("refuses a second one of its name, and a volume for which its group has no room, as LVM does", async () => {
  const before = [await left(), await volumes()];
  const more = ["--disk", "size=64M,group=vg0,volume=more"];
  const second = await virtu([...own, ...grub, ...more], options);
  expect(second.status).toBe(2);
  expect(second.stderr).toContain("name: there is a own1 already");
  expect(second.stderr).toContain("disks.0: the volume group vg0 has a volume own1 already");
  expect(second.stderr).toContain("disks.1: the volume group vg0 has 44 MiB free, 64 are wanted");
  const kernel = ["--kernel", "/srv/xen/vmlinux", "--disk", "8M"];
  const tried = await virtu([...own.with(1, "wide1"), ...kernel, ...more, "--no-check"], options);
  expect(tried.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: "the volume group vg0 has not enough room left", leftBehind: [] },
    cleanedUp: ["file /srv/xen/wide1.img"],
  });
  expect([await left(), await volumes()]).toEqual(before);
});

test("starts it with the host when asked to, and removes it with all of its disks", async () => {
  const act = (...words: string[]) => virtu([...words, "--host", "xen1", "--yes", "--json"], options);
  const auto = await act("autostart", "on", "own1");
  expect(auto, auto.stderr).toMatchObject({ status: 0 });
  expect(await xen.exec("readlink /etc/xen/auto/own1.cfg")).toBe("/etc/xen/own1.cfg");
  await xen.exec("xl destroy own1");
  const removed = await act("remove", "own1");
  expect(removed, removed.stderr).toMatchObject({ status: 0 });
  expect(await volumes()).toBe("");
  expect(await xen.exec("ls -d /etc/xen/own1.cfg /etc/xen/auto/own1.cfg /srv/xen/own1* 2>/dev/null || true")).toBe("");
});

const pc = [
  ...["--memory", "64", "--nic", "none", "--host", "xen1"],
  ...["--ready", "console", "--ready-limit", "240", "--json"],
];

test("makes a whole PC whose firmware goes on from an empty disk to its ISO image", async () => {
  const drive = ["--provider", "xen", "--iso", "/srv/images/boot.iso", "--disk", "1M"];
  const ran = await virtu(["create", "cd1", ...drive, ...pc, "--ready-pattern", "from its drive"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.json<CreateOutcome[]>()[0]).toMatchObject({ ok: true, ready: true });
  await xen.exec("xl destroy cd1; rm /etc/xen/cd1.cfg /srv/xen/cd1.img");
});

// The same but for the order of its drives: not worth another minute of an emulated processor each time.
test.runIf(process.env["VIRTU_LAB_SLOW"])("makes a whole PC that boots from its disk", async () => {
  const disk = ["--type", "hvm", "--disk", "size=2M,image=/srv/images/disk.img"];
  const ran = await virtu(["create", "disk1", ...disk, ...pc, "--ready-pattern", "from its disk"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.json<CreateOutcome[]>()[0]).toMatchObject({ ok: true, ready: true });
  await xen.exec("xl destroy disk1; rm /etc/xen/disk1.cfg /srv/xen/disk1.img");
});

/** A domain as `xl create -n` reads it from its file: what a table of them compares. */
interface Read {
  c_info: { type: string; name: string; uuid: string };
  b_info: Record<string, unknown> & { "type.hvm"?: { boot?: string; serial?: string; vnc: { enable?: string } } };
  disks?: { pdev_path: string; vdev: string; format: string; is_cdrom?: number }[];
  nics?: { mac?: string; bridge: string }[];
}

test("writes files that xl reads as what was asked for, of all types and ways to boot", async () => {
  const file = { kind: "file", path: "/srv/a b,c=d.img", directory: null, sizeMiB: 8, image: null } as const;
  const volume = { kind: "volume", group: "vg0", volume: "a", sizeMiB: 8, image: null } as const;
  const qcow2 = { kind: "path", path: "/srv/x.qcow2", format: "qcow2" } as const;
  const kernel = {
    kind: "kernel",
    kernel: "/k",
    ramdisk: "/r",
    extraArgs: 'root=/dev/xvda init="/bin/sh x" b\\c',
  } as const;
  const grub = { kind: "bootloader", bootloader: "pygrub" } as const;
  const iso = { kind: "iso", iso: "/srv/images/boot.iso" } as const;
  const card = { network: null, link: "xenbr0", mac: "00:16:3e:00:00:01", ip: "10.0.0.5" };
  const vnc = { graphics: "vnc" } as const;
  const wanted: [Partial<XenRequest>, object][] = [
    [
      { type: "pv", boot: kernel, disks: [file, volume], nics: [card], ...vnc },
      { kernel: "/k", ramdisk: "/r" },
    ],
    [{ type: "pv", boot: grub, disks: [qcow2, volume] }, { bootloader: "pygrub" }],
    [
      { type: "pvh", boot: kernel, disks: [volume] },
      { kernel: "/k", ramdisk: "/r" },
    ],
    [{ type: "pvh", boot: grub, disks: [volume], ...vnc }, { bootloader: "pygrub" }],
    [
      { type: "hvm", boot: kernel, disks: [file] },
      { kernel: "/k", ramdisk: "/r" },
    ],
    [
      { type: "hvm", boot: iso, disks: [file, volume, qcow2], nics: [card], ...vnc },
      { "type.hvm": { boot: "cd", serial: "pty", vnc: { enable: "True" } } },
    ],
    [{ type: "hvm", boot: { kind: "disk" }, disks: [volume] }, { "type.hvm": { boot: "c", vnc: { enable: "False" } } }],
  ];
  const requests = wanted.map(([given], index) => xenRequest({ name: `a.b-${index}`, ...given }));
  const files = requests.map(
    (request) => sh`printf '%s\\n' ${configLines(request)} >/tmp/file && xl create -q -n /tmp/file && echo @@`,
  );
  const answers = (await xen.exec(files.map(({ line }) => line).join(" && "))).split("@@");
  for (const [index, request] of requests.entries()) {
    const read = JSON.parse(answers[index] ?? "") as Read;
    const { name, uuid, type, boot, memoryMiB, nics } = request;
    expect(read.c_info).toMatchObject({ name, uuid, type });
    expect(read.b_info).toMatchObject({ max_memkb: memoryMiB * 1024, ...wanted[index]?.[1] });
    if (boot.kind === "kernel") expect(read.b_info["cmdline"]).toBe(boot.extraArgs);
    const disks = request.disks.map((disk) => `${disk.kind === "path" ? disk.format : "raw"} ${targetOf(disk)}`);
    const drives = boot.kind === "iso" ? [`raw ${boot.iso} drive`] : [];
    const found = read.disks?.map((disk) => `${disk.format} ${disk.pdev_path}${disk.is_cdrom ? " drive" : ""}`);
    expect(found).toEqual([...disks, ...drives]);
    expect(read.nics ?? []).toMatchObject(nics.map(({ mac, link }) => ({ mac, bridge: link })));
  }
});

test("refuses one for which there is no memory, with the reason, and so does Xen itself", async () => {
  const [before, memory] = [await left(), await free()];
  const words = ["create", "big1", "--type", "pv", "--kernel", "/srv/xen/vmlinux", "--host", "xen1", "--nic", "none"];
  const ran = await virtu([...words, "--memory", "1900M", "--json"], options);
  expect(ran.status).toBe(2);
  expect(ran.stderr).toMatch(/memory: Xen has \d+ MiB free of \d+/);
  const forced = await virtu([...words, "--memory", "1900M", "--disk", "8M", "--no-check", "--json"], options);
  expect(forced.status).toBe(1);
  expect(forced.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ ok: false, error: expect.stringContaining("Xen has not enough free memory for it"), leftBehind: [] },
    cleanedUp: ["file /etc/xen/big1.cfg", "file /srv/xen/big1.img"],
  });
  expect(await left()).toBe(before);
  expect([...(await xen.domains()).keys()]).not.toContain("big1");
  // Xen scrubs what it had already given, and has it back after that.
  await until("Xen has its memory back", async () => (await free()) >= memory, 240_000);
});

test("one that fails at its start leaves nothing behind, and nothing of others is touched", async () => {
  const before = await left();
  const sums = () => xen.exec("sha256sum /etc/xen/*.cfg");
  const texts = await sums();
  // Less than its own kernel needs, and Xen would speak of memory before it looks for a bridge.
  const words = ["--type", "pv", "--kernel", "/srv/xen/vmlinux", "--host", "xen1", "--memory", "96", "--json"];
  const gone = await virtu(
    ["create", "gone1", ...words, "--nic", "bridge=nosuchbr", "--disk", "8M", "--no-check"],
    options,
  );
  expect(gone.status).toBe(1);
  expect(gone.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: expect.stringContaining("there is no bridge nosuchbr on that host"), leftBehind: [] },
    cleanedUp: ["file /etc/xen/gone1.cfg", "file /srv/xen/gone1.img"],
  });
  // What bears the name of another's disk or file is refused before anything is written over.
  const disk = await virtu(["create", "web1", ...words, "--nic", "none", "--disk", "8M", "--no-check"], options);
  expect(disk.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: "there is a /srv/xen/web1.img already, and it stays as it is", cleanedUp: [], leftBehind: [] },
  });
  const file = await virtu(["create", "web1", ...words, "--nic", "none", "--disk", "none", "--no-check"], options);
  expect(file.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: "there is a /etc/xen/web1.cfg already, and it stays as it is", cleanedUp: [], leftBehind: [] },
  });
  expect(await left()).toBe(before);
  expect(await sums()).toBe(texts);
  expect([...(await xen.domains()).keys()].filter((name) => name === "gone1" || name === "(null)")).toEqual([]);
  expect((await xen.domains()).get("web1")).toBeDefined();
});
