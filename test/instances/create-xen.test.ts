import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { checkCreate } from "../../source/instances/create-check.ts";
import type { MakeOptions } from "../../source/instances/create-maker.ts";
import { resolveXen, xenMac } from "../../source/instances/create-plan-xen.ts";
import type { XenRequest, XenServerRequest } from "../../source/instances/create-types.ts";
import { makeOnXen } from "../../source/instances/create-xen.ts";
import { makeOnXenServer } from "../../source/instances/create-xenserver.ts";
import { parseXlConfig } from "../../source/tools/xl-config.ts";
import { configLines } from "../../source/tools/xl-create.ts";
import { parseXenOffers, type XenOffers } from "../../source/tools/xl-offers.ts";
import { uuid, xenRequest, xenServerRequest } from "../create-requests.ts";
import { type Call, fixture, type Reply, recorded, ScriptedPool } from "./fake-pool.ts";

const lost = { outcome: "lost" } as const;
const gone = new VirtuError({ kind: "connection", what: "The host does not answer" });
const options = (given: Partial<MakeOptions> = {}): MakeOptions => ({ onStep: () => {}, ...given });
const access = { directory: "/usr/sbin/", sudo: false };

/** `xl list -v` with a domain of this UUID. */
const listed = (id: number, memory = 512): Reply => ({
  stdout: `Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID                            Reason-Code\tSecurity Label\nweb1  ${id}  ${memory}  1     -b----       0.5 ${uuid}        -                -\n`,
});
const none: Reply = { stdout: "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID\n" };

type Kind = "disk" | "write" | "start" | "list" | "destroy" | "unwrite" | "undisk";

/** A Xen host; each kind of command gets the next of its replies, and a plain yes when there is none. */
function xenHost(replies: Partial<Record<Kind, Reply[]>> = {}) {
  const kindOf = (line: string): Kind => {
    if (line.includes("truncate") || line.includes("lvcreate")) return "disk";
    if (line.includes("printf")) return "write";
    if (line.includes("xl create")) return "start";
    if (line.includes("xl list")) return "list";
    if (line.includes("xl destroy")) return "destroy";
    return line.includes("grep -qsF") ? "unwrite" : "undisk";
  };
  const done: Kind[] = [];
  const pool = new ScriptedPool(({ line }: Call): Reply => {
    const kind = kindOf(line);
    done.push(kind);
    return replies[kind]?.shift() ?? (kind === "list" ? none : {});
  });
  return { pool, done };
}

const disks = [
  { kind: "file", path: "/srv/web1.img", directory: null, sizeMiB: 64, image: null },
  { kind: "volume", group: "vg0", volume: "web1-2", sizeMiB: 64, image: null },
] as const;

async function make(
  there: ReturnType<typeof xenHost>,
  given: Partial<XenRequest> = {},
  more: Partial<MakeOptions> = {},
) {
  const place = { pool: there.pool, host: { name: "xen1" }, access, retryMs: 1 };
  return { ...there, made: await makeOnXen(place, xenRequest({ disks, ...given }), options(more)) };
}

describe("on Xen", () => {
  test("disks, then its file, then its start", async () => {
    const { made, done, pool } = await make(xenHost());
    expect(made).toMatchObject({ ok: true, error: null, cleanedUp: [], leftBehind: [] });
    expect(done).toEqual(["disk", "disk", "write", "start"]);
    expect(pool.calls.every(({ options: { priority } }) => priority === "user")).toBe(true);
  });

  test("left off, xl only says whether it takes the file", async () => {
    const { pool } = await make(xenHost(), { start: false });
    expect(pool.lines().at(-1)).toMatch(/xl create -q -n \/etc\/xen\/web1\.cfg >\/dev\/null$/);
  });

  test("what a failed start left is ended by its number before its disks go", async () => {
    const there = xenHost({ start: [recorded("xen", "err-create-nobr")], list: [listed(7)] });
    const { made, done, pool } = await make(there);
    expect(made.error).toMatch(/^there is no bridge nosuchbr/);
    expect(made.cleanedUp).toEqual([
      ...["domain web1", "file /etc/xen/web1.cfg", "volume vg0/web1-2", "file /srv/web1.img"],
    ]);
    expect(done.slice(3)).toEqual(["start", "list", "destroy", "unwrite", "undisk", "undisk"]);
    expect(pool.lines().find((line) => line.includes("destroy"))).toContain("xl destroy 7");
  });

  test("refused for memory, with Xen's reason; there is no domain to end", async () => {
    const { made, done } = await make(xenHost({ start: [recorded("xen", "err-create-big1")] }));
    expect(made.error).toMatch(/^Xen has not enough free memory for it/);
    expect(done).not.toContain("destroy");
    expect(made.leftBehind).toEqual([]);
  });

  test("when the answer of its start is lost, the domain of its UUID tells", async () => {
    const { made } = await make(xenHost({ start: [lost], list: [gone, none, none] }));
    expect(made).toMatchObject({ ok: false, error: "the connection broke before the answer" });
    expect((await make(xenHost({ start: [lost], list: [gone, none, listed(7)] }))).made).toMatchObject({ ok: true });
  });

  test("a disk or file that was there is not its own, and stays", async () => {
    const exists = { status: 2, stderr: "sh: 1: cannot create /srv/web1.img: File exists\n" };
    const { made, done } = await make(xenHost({ disk: [exists] }));
    expect(made).toMatchObject({ error: "there is a /srv/web1.img already, and it stays as it is", cleanedUp: [] });
    expect(done).toEqual(["disk"]);
  });

  test("when nobody knows whether a step was done, only what bears its UUID is taken away", async () => {
    const unsure = await make(xenHost({ write: [lost], unwrite: [{ status: 3 }] }));
    expect(unsure.made.cleanedUp).toEqual(["volume vg0/web1-2", "file /srv/web1.img"]);
    expect(unsure.made.leftBehind).toEqual([]);
    const disk = await make(xenHost({ disk: [{}, lost] }));
    expect(disk.made.cleanedUp).toEqual(["file /srv/web1.img"]);
    expect(disk.made.leftBehind).toEqual(["volume vg0/web1-2, if it was made"]);
  });

  test("cancelled, it is taken back all the same; what can't be taken away is told", async () => {
    const abort = new AbortController();
    const onStep = (_step: string, text: string) => {
      if (text.startsWith("starting")) abort.abort();
    };
    const there = xenHost({ undisk: [gone] });
    const { made } = await make(there, {}, { signal: abort.signal, onStep });
    expect(made).toMatchObject({ ok: false, error: "Cancelled" });
    expect(made.cleanedUp).toEqual(["file /etc/xen/web1.cfg", "file /srv/web1.img"]);
    expect(made.leftBehind).toEqual(["volume vg0/web1-2: the host can't be reached"]);
  });
});

describe("its file", () => {
  const card = { network: null, link: "xenbr0", mac: "00:16:3e:00:00:01", ip: null };

  test("is read back as what was asked for", () => {
    const boot = { kind: "kernel", kernel: "/k", ramdisk: "/r", extraArgs: 'root=/dev/xvda init="/bin/sh x"' } as const;
    const text = configLines(xenRequest({ boot, disks, nics: [card] })).join("\n");
    expect(parseXlConfig(text)).toMatchObject({
      ...{ name: "web1", uuid, memoryMiB: 512, vcpus: 1, type: "pv", graphics: false },
      disks: [
        { vdev: "xvda", target: "/srv/web1.img", cdrom: false },
        { vdev: "xvdb", target: "/dev/vg0/web1-2", cdrom: false },
      ],
      nics: [{ mac: "00:16:3e:00:00:01", bridge: "xenbr0" }],
    });
    expect(text).toContain('extra = "root=/dev/xvda init=\\"/bin/sh x\\""');
  });

  test("of a whole PC has a drive behind its disks, and a serial console", () => {
    const three = [...disks, { kind: "path", path: "/srv/x.qcow2", format: "qcow2" } as const];
    const lines = configLines(xenRequest({ type: "hvm", boot: { kind: "iso", iso: "/srv/x.iso" }, disks: three }));
    expect(lines).toContain('boot = "cd"');
    expect(lines).toContain('serial = "pty"');
    const parsed = parseXlConfig(lines.join("\n"));
    expect(parsed.disks.map(({ vdev, cdrom }) => [vdev, cdrom])).toEqual([
      ...[
        ["xvda", false],
        ["xvdb", false],
        ["xvdd", false],
        ["xvdc", true],
      ],
    ]);
    expect(lines.join("\n")).toContain("format=qcow2,vdev=xvdd");
  });
});

const poll = fixture("xen", "poll-full.stdout");
const more = `@@virtu bridges
xenbr0
@@virtu mounts
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/vda           5222124 1900000   3020000      39% /
/dev/mapper/vg0-a 10485760 1000000   9000000      10% /srv/xen
@@virtu groups
  vg0|81920.00
@@virtu volumes
  vg0|root
@@virtu kernels
/boot/vmlinuz-6.1.0-56-amd64
@@virtu ramdisks
@@virtu isos
@@virtu pygrub
/usr/lib/xen-4.17/bin/pygrub
@@virtu file /srv/none
@@virtu image
@@virtu offered
`;

const pygrub = { kind: "bootloader", bootloader: "pygrub" } as const;
const volume = { kind: "volume", group: "vg0", volume: "new1", sizeMiB: 64, image: null } as const;
const copied = { ...volume, image: "/srv/own.img" };

describe("what a host offers", () => {
  const read = () => parseXenOffers(`${poll}${more}`) as XenOffers;

  test("is its poll, and what disks and cards can be", () => {
    const offers = read();
    expect(offers).toMatchObject({
      ...{ provider: "xen", bridges: ["xenbr0"], hasPygrub: true, types: expect.arrayContaining(["pv"]) },
      mounts: [
        { path: "/", freeMiB: 2949 },
        { path: "/srv/xen", freeMiB: 8789 },
      ],
      groups: [{ name: "vg0", freeMiB: 81_920, volumes: ["root"] }],
    });
    expect(offers.names).toContain("web1");
    expect(offers.memoryMiB).toBeGreaterThan(0);
    expect(offers.files.get("/srv/none")).toBeNull();
  });

  test("settles what a request leaves open: where its disks lie, its bridge, and cards that stay the same", () => {
    const nic = { network: null, link: null, mac: null, ip: null };
    const open = { kind: "file", path: null, directory: "/srv/xen/", sizeMiB: 1, image: null } as const;
    const volume = { kind: "volume", group: "vg0", volume: null, sizeMiB: 1, image: null } as const;
    const settled = resolveXen(xenRequest({ disks: [open, volume], nics: [nic, nic] }), read());
    expect(settled.disks).toMatchObject([{ path: "/srv/xen/web1.img" }, { volume: "web1-2" }]);
    expect(settled.nics).toMatchObject([
      { link: "xenbr0", mac: xenMac(uuid, 0) },
      { link: "xenbr0", mac: xenMac(uuid, 1) },
    ]);
    expect(xenMac(uuid, 0)).toMatch(/^00:16:3e(:[\da-f]{2}){3}$/);
  });

  test.each<[string, Partial<XenRequest>]>([
    ["boot: pygrub reads the first disk, and there is none", { boot: pygrub }],
    ["boot: pygrub reads the first disk, and that one is new and empty", { boot: pygrub, disks: [volume] }],
    ["boot: an hvm guest boots by its firmware", { boot: pygrub, type: "hvm", disks: [copied] }],
    ["boot: a pvh guest has no firmware", { boot: { kind: "disk" }, type: "pvh", disks: [copied] }],
    ["disks.0: there is no volume group vg1", { disks: [{ ...volume, group: "vg1" }] }],
    ["disks.0: the volume group vg0 has a volume root already", { disks: [{ ...volume, volume: "root" }] }],
    [
      "disks.1: the volume group vg0 has 81920 MiB free, 64 + 81921 are wanted",
      { disks: [volume, { ...volume, volume: "b", sizeMiB: 81_921 }] },
    ],
    ["memory: Xen has 520 MiB free of 2047", { memoryMiB: 521 }],
  ])("and what stands in a request's way: %s", (problem, given) => {
    const problems = checkCreate(xenRequest({ name: "new1", ...given }), read());
    expect(problems.map(({ field, text }) => `${field}: ${text}`)).toEqual([expect.stringContaining(problem)]);
  });

  test("lets pygrub read what is copied, or put there before its start", () => {
    const check = (given: Partial<XenRequest>) =>
      checkCreate(xenRequest({ name: "new1", boot: pygrub, ...given }), read());
    expect(check({ disks: [copied] })).toEqual([]);
    expect(check({ disks: [volume], start: false })).toEqual([]);
  });

  test("is not known where xl does not answer", () => {
    expect(parseXenOffers(fixture("xen", "poll-store-hangs.stdout"))).toMatchObject({ failed: "list" });
    expect(parseXenOffers("")).toBeNull();
  });
});

describe("on XenServer", () => {
  const vm = "0c2a6f0a-7b2b-4d8e-9f57-4b2b8a3f6d22";
  const request = (given: Partial<XenServerRequest> = {}) =>
    xenServerRequest({ disks: [{ sizeMiB: 64, repository: null }], ...given });

  async function makeThere(script: (line: string) => Reply, given: Partial<XenServerRequest> = {}) {
    const pool = new ScriptedPool(({ line }) => script(line));
    const place = { pool, host: { name: "xcp1" }, access: { directory: "/usr/bin/", sudo: false }, retryMs: 1 };
    return { pool, made: await makeOnXenServer(place, request(given), options()) };
  }

  test("the template is installed under a name of its own, and everything else goes to the UUID that it printed", async () => {
    const { pool, made } = await makeThere((line) => (line.includes("vm-install") ? { stdout: `${vm}\n` } : {}));
    expect(made).toMatchObject({ ok: true, error: null });
    expect(pool.lines()[0]).toContain(`new-name-label=virtu-${uuid}`);
    expect(
      pool
        .lines()
        .slice(1)
        .every((line) => line.startsWith(`vm=${vm}; `)),
    ).toBe(true);
    expect(pool.lines().at(-1)).toMatch(/vm-start uuid="\$vm" *$/);
  });

  test("one that fails is uninstalled, by its UUID", async () => {
    const { pool, made } = await makeThere((line) => {
      if (line.includes("vm-install")) return { stdout: `${vm}\n` };
      if (line.includes("vm-disk-add")) return { status: 1, stderr: "Error code: SR_FULL\nError parameters: \n" };
      return {};
    });
    expect(made).toMatchObject({ error: "there is no room left on the storage repository", cleanedUp: ["guest web1"] });
    expect(pool.lines().at(-1)).toBe(`timeout -k 5 300 /usr/bin/xe vm-uninstall 'uuid=${vm}' 'force=true'`);
  });

  test("when the answer of vm-install is lost, its first name tells whether it is there", async () => {
    const { made } = await makeThere((line) => {
      if (line.includes("vm-install")) return lost;
      return line.includes("vm-list") ? { stdout: `${vm}\n` } : {};
    });
    expect(made.ok).toBe(true);
    const absent = await makeThere((line) => (line.includes("vm-install") ? lost : { stdout: "\n" }));
    expect(absent.made).toMatchObject({ ok: false, cleanedUp: [] });
    expect(absent.made.leftBehind).toEqual([`guest virtu-${uuid}, if it was made`]);
  });
});
