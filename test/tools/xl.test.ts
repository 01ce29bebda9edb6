import { describe, expect, test } from "vitest";
import { volumeOf } from "../../source/tools/lvm.ts";
import { parseXentop } from "../../source/tools/xentop.ts";
import { parseXlProbe, xl, xlPoll, xlProbe, xlWord } from "../../source/tools/xl.ts";
import { parseXlConfig, withXlValue } from "../../source/tools/xl-config.ts";
import { explainXl, saveProgress } from "../../source/tools/xl-errors.ts";
import { parseXlInfo, parseXlList, parseXlPoll, statusOfXl, type XlHost } from "../../source/tools/xl-parse.ts";
import { fixture } from "../instances/fake-pool.ts";

const access = { directory: "/usr/sbin/", sudo: false };
const stdout = (name: string) => fixture("xen", `${name}.stdout`);
const stderr = (name: string) => fixture("xen", `${name}.stderr`);

function poll(name: string): XlHost {
  const parsed = parseXlPoll(stdout(name));
  if (!parsed || "failed" in parsed) throw new Error(`${name} was not read`);
  return parsed;
}

describe("commands", () => {
  test("are those that were recorded, each call of xl bounded", () => {
    // The recording is of a time when storage was not asked for.
    const [whole, storage] = [xlPoll(access).line, /; echo @@virtu uptime;.*(?=; echo @@virtu end$)/];
    expect(whole).toMatch(storage);
    expect(whole.replace(storage, "")).toBe(fixture("xen", "poll-full.cmd").trim());
    expect(xlProbe.line).toBe(fixture("xen", "probe.cmd").trim());
    expect(xl(access, ["destroy", "a b"]).line).toBe("timeout -k 5 120 /usr/sbin/xl destroy 'a b'");
    expect(xl({ ...access, sudo: true }, ["list"], 5).line).toBe("sudo -n timeout -k 5 5 /usr/sbin/xl list");
    expect(xlPoll({ ...access, sudo: true }).line).toMatch(/^sudo -n sh -c 'echo @@virtu info/);
  });

  test("name a domain so that xl takes it for nothing else", () => {
    expect(xlWord({ name: "web1", domainId: 4 })).toBe("web1");
    expect(xlWord({ name: "7", domainId: 4 })).toBe("4");
    expect(xlWord({ name: "(null)", domainId: 4 })).toBe("4");
    expect(xlWord({ name: "-v", domainId: 4 })).toBe("4");
  });
});

test("a poll tells how long the host is up, and how full what it stores on is", () => {
  const storage = `@@virtu uptime
5180.07 19230.11
@@virtu mounts
Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/vda1        264212084  29010000 221700000      12% /
@@virtu groups
  xenvg|19996.00|4996.00
@@virtu end
`;
  const parsed = parseXlPoll(stdout("poll-full").replace("@@virtu end\n", storage));
  expect(parsed).toMatchObject({
    uptime: 5180.07,
    mounts: [{ at: "/", free: 221_700_000 * 1024 }],
    groups: [{ name: "xenvg", totalMiB: 19_996, freeMiB: 4996 }],
  });
  expect(parseXlPoll(stdout("poll-full"))).toMatchObject({ uptime: null, mounts: [], groups: [] });
});

test("a device of a known group is a volume, by either of its paths", () => {
  const volume = (device: string) => volumeOf(device, ["vg0", "xen-vg"]);
  expect(volume("/dev/vg0/web1-2")).toBe("vg0/web1-2");
  expect(volume("/dev/mapper/xen--vg-web1--2")).toBe("xen-vg/web1-2");
  expect(volume("/dev/mapper/vg0-web1")).toBe("vg0/web1");
  for (const other of [
    "/dev/sdb",
    "/dev/vg1/web1",
    "/dev/mapper/vg0--web1",
    "/srv/vg0/web1",
    "/dev/vg0/",
    "vg0/web1",
  ]) {
    expect(volume(other)).toBeNull();
  }
});

describe("xl list", () => {
  test("is read from the end of its rows: names may be long and hold blanks", () => {
    expect(poll("poll-full").domains.map(({ name, id, memoryMiB, state }) => [name, id, memoryMiB, state])).toEqual([
      ["Domain-0", 0, 1024, "r-----"],
      ["web1", 1, 96, "-b----"],
      ["crash1", 2, 96, "---sc-"],
      ["vweb", 3, 96, "-b----"],
      ["keep1", 4, 96, "---s--"],
      ["a-domain-with-a-name-that-is-longer-than-forty-letters", 5, 96, "--p---"],
    ]);
    const [row] =
      parseXlList(
        "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID                            Reason-Code\tSecurity Label\n" +
          "my web 3 1                                   5   128     1     -b----       5.4 d338b643-6643-4d09-89d6-34363caed052        -                -\n",
      ) ?? [];
    expect(row).toMatchObject({ name: "my web 3 1", id: 5, vcpus: 1, cpuSeconds: 5.4, reason: null });
  });

  test("is null when it is none", () => {
    expect(parseXlList("")).toBeNull();
    expect(parseXlList("libxl: error\n")).toBeNull();
  });

  test("tells the reason of what is shut down", () => {
    const found = parseXlList(stdout("xl-list-v-crashed"));
    expect(found?.find(({ name }) => name === "keep1")).toMatchObject({ state: "---s--", reason: 0 });
  });

  test.each([
    ["r-----", "running", "running"],
    ["-b----", "running", "running"],
    ["------", "running", "running"],
    ["--p---", "paused", "paused"],
    ["---s--", "stopped", "shut down"],
    ["---sr-", "running", "rebooting"],
    ["--psr-", "running", "rebooting"],
    ["--ps--", "running", "going away"],
    ["---sc-", "error", "crashed"],
    ["--psc-", "error", "crashed"],
    ["--ps-d", "running", "going away"],
    ["-----d", "running", "going away"],
  ])("shows %s as %s", (state, status, detail) => {
    expect(statusOfXl({ state, memoryMiB: 128, vcpus: 1 })).toEqual({ status, detail });
  });

  test("knows a domain that is being built by its empty numbers", () => {
    expect(statusOfXl({ state: "--p---", memoryMiB: 0, vcpus: 0 })).toEqual({
      status: "unknown",
      detail: "being built",
    });
    // The rows that a poller really sees while domains are made and reboot.
    const rows = ["xl-poll-during-create", "xl-reboot-nowait"].flatMap((name) => stdout(name).split("\n"));
    const states = new Set(rows.flatMap((row) => / ([-rbpscd]{6}) /.exec(row)?.[1] ?? []));
    expect(states).toContain("--psr-");
    for (const state of states) expect(statusOfXl({ state, memoryMiB: 128, vcpus: 1 }).status).not.toBe("unknown");
  });
});

describe("a poll", () => {
  test("gives the host, the domains with who looks after them, and the files", () => {
    const host = poll("poll-full");
    expect(host.info.get("free_memory")).toBe("520");
    expect(host.domains.map(({ name, owner }) => [name, owner]).filter(([, owner]) => owner)).toEqual([
      ["vweb", "libvirt"],
    ]);
    expect(host.files.map(({ name, path, auto }) => [name, path, auto])).toContainEqual([
      "db1",
      "/etc/xen/db1.cfg",
      "/etc/xen/auto/db1",
    ]);
    expect(host.files).toHaveLength(7);
    expect([...host.saved]).toEqual(["ci1"]);
  });

  test("takes a domain for Ganeti's when Ganeti's list names it", () => {
    const text = stdout("poll-full").replace("@@virtu ganeti\n", "@@virtu ganeti\nweb1\nweb9\n");
    const host = parseXlPoll(text) as XlHost;
    expect(host.domains.find(({ name }) => name === "web1")?.owner).toBe("ganeti");
  });

  test("tells which of xl's questions stayed without an answer", () => {
    expect(parseXlPoll(stdout("poll-store-hangs"))).toEqual({ failed: "list", status: 124 });
    expect(parseXlPoll(stdout("poll-no-rights"))).toEqual({ failed: "info", status: 1 });
    expect(parseXlPoll("@@virtu info\n@@virtu informed 124\n@@virtu end\n")).toEqual({ failed: "info", status: 124 });
    expect(parseXlPoll("no shell\n")).toBeNull();
  });
});

describe("the probe", () => {
  test("knows a dom0, a user without rights, and a host that Xen did not start", () => {
    expect(parseXlProbe(stdout("probe"))).toMatchObject({ directory: "/usr/sbin/", root: true, dom0: true, status: 0 });
    const refused = parseXlProbe(stdout("probe-no-rights"));
    expect(refused).toMatchObject({ root: false, sudo: false, dom0: true, status: 1 });
    expect(explainXl(refused?.text ?? "")).toMatchObject({ why: "this user has no rights on Xen" });
    expect(parseXlProbe("/usr/sbin/xl\n0\ndirect\nnone\n")).toMatchObject({ dom0: false, status: null });
    expect(parseXlProbe("")).toBeNull();
  });

  test("reads xl info's values, colons in them too", () => {
    const info = parseXlInfo(stdout("probe"));
    expect(info.get("xen_version")).toBe("4.17.7");
    expect(info.get("hw_caps")).toMatch(/^078bfbfd:80002001:/);
    expect(info.get("xen_changeset")).toBe("");
  });
});

describe("a domain's file", () => {
  test("is read with its comments, quotes and lists", () => {
    const file = parseXlConfig(`# name = "no"
name = 'odd name' # with a blank
uuid="11111111-2222-3333-4444-55555555555A"
extra = "console=hvc0 name=other"
memory=96
vcpus=2
disk = [
  "/srv/a.img,raw,xvda,rw", # "not,this"
  'phy:/dev/vg/b,xvdb,w',
  "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/srv/cd,1.iso",
  ",raw,xvde,ro,cdrom",
]
vif = [ 'mac=00:16:3E:00:00:01,bridge=xenbr0', '' ]
vnc = 1
`);
    expect(file).toMatchObject({
      name: "odd name",
      uuid: "11111111-2222-3333-4444-55555555555a",
      memoryMiB: 96,
      maxMemoryMiB: null,
      vcpus: 2,
      type: "pv",
      graphics: true,
      disks: [
        { vdev: "xvda", target: "/srv/a.img", cdrom: false },
        { vdev: "xvdb", target: "/dev/vg/b", cdrom: false },
        { vdev: "hdc", target: "/srv/cd,1.iso", cdrom: true },
        { vdev: "xvde", target: "", cdrom: true },
      ],
      nics: [
        { mac: "00:16:3e:00:00:01", bridge: "xenbr0" },
        { mac: null, bridge: null },
      ],
    });
    expect(parseXlConfig('builder = "hvm"\n').type).toBe("hvm");
    expect(parseXlConfig("disk = [ 'unclosed\n").disks).toEqual([]);
  });

  test("is changed in one line, the rest left as it stands", () => {
    const text = '# mine\nname = "web1" # the shop\nmemory=128\nmaxmem = 256\n';
    expect(withXlValue(text, "name", 'a"b')).toBe('# mine\nname = "a\\"b" # the shop\nmemory=128\nmaxmem = 256\n');
    expect(withXlValue(text, "memory", 64)).toBe('# mine\nname = "web1" # the shop\nmemory = 64\nmaxmem = 256\n');
    expect(withXlValue(text, "vcpus", 2)).toBe(`${text}vcpus = 2\n`);
    expect(withXlValue("memory = 1", "vcpus", 2)).toBe("memory = 1\nvcpus = 2\n");
  });
});

describe("an error", () => {
  test.each([
    ["err-create-exists", /a domain named web1 is there already/],
    ["err-create-big1", /not enough free memory/],
    ["err-create-nobr", /no bridge nosuchbr/],
    ["err-create-nodisk", /\/srv\/xen\/absent\.img \(xvda\) can't be opened: No such file/],
    ["err-create-nokernelfile", /\/srv\/xen\/absent can't be read/],
    ["err-lvremove-mounted", /the volume vg0\/used is in use.*/],
    ["err-create-nokern", /neither a kernel nor a bootloader/],
    ["err-create-nofile", /nosuch\.cfg can't be read/],
    ["err-create-bad", /line 1 of \/root\/bad\.cfg/],
    ["xl-create-hvm", /no HAP/],
    ["err-unknown-destroy", /no such domain/],
    ["err-shutdown-hvm-nopv", /no Xen drivers/],
    ["err-ops-on-crashed", /did not answer for 60 s/],
    ["xl-memset-over", /maxmem/],
    ["xl-vcpu-set", /room for 1 vCPUs/],
    ["xl-migrate-pv-xen2", /can't move a running pv guest/],
    ["err-migrate-nossh", /can't reach the other one by ssh/],
    ["err-not-xen", /not started by Xen/],
    ["nonroot-list-sbin", /no rights on Xen/],
    ["xl-rename", /a domain named web1 is there already/],
  ])("is said in the user's words: %s", (name, why) => {
    expect(explainXl(stderr(name)).why).toMatch(why);
  });

  test("of a call that was cut off points to xenstored, unless xl said more", () => {
    expect(explainXl("Parsing config\n", 124)).toMatchObject({ hint: expect.stringMatching(/xenstored/) });
    expect(
      explainXl(
        "You are overcommmitting! You have 1 physical CPUs and want 3 vCPUs! Aborting, use --ignore-host to continue\n",
        1,
      ).why,
    ).toBe("the host has only 1 processor");
    // As Xen 4.17 said it: the host had 712 MiB free, and the guest was to have 64.
    const small =
      "xc: error: panic: xg_dom_core.c:536: xc_dom_chk_alloc_pages: segment kernel too large (0x3a00 > 0x4000 - 0x1000 pages): Out of memory\nlibxl: error: libxl_dom.c:594:libxl__build_dom: xc_dom_build_image failed: No such file or directory\n";
    expect(explainXl(small, 3).why).toBe("its memory is too small for its kernel, which takes 58 MiB");
    expect(explainXl("strange: failed badly\n", 1).why).toBe("strange: failed badly");
    expect(explainXl("", 1).why).toBe("xl gave no reason");
  });

  test("is not the progress of a save", () => {
    expect(saveProgress("xc: progress: Frames: 4096/65536    6%")).toBe(6);
    expect(
      stderr("xl-save")
        .split("\n")
        .map(saveProgress)
        .filter((percent) => percent !== null)
        .at(-1),
    ).toBe(100);
    expect(saveProgress("xc: progress: End of stream: 0/0    0%")).toBeNull();
  });
});

test("xentop is read by letters and from its last round", () => {
  const usage = parseXentop(stdout("xentop"));
  expect(usage.map(({ name }) => name)).toEqual(["db1", "Domain-0", "web1"]);
  const web1 = usage.find(({ name }) => name === "web1");
  expect(web1).toMatchObject({
    cpuPercent: 0.5,
    memoryKiB: 163_840,
    maxMemoryKiB: 164_864,
    vcpus: 1,
    sentKb: 1,
    reads: 3,
  });
  const first = stdout("xentop").split("\n").slice(0, 4).join("\n");
  expect(parseXentop(first).every(({ cpuPercent }) => cpuPercent === null)).toBe(true);
  const limitless = stdout("xentop").replaceAll("164864       6.3", "no limit       n/a");
  expect(parseXentop(limitless).find(({ name }) => name === "web1")).toMatchObject({ maxMemoryKiB: null, vcpus: 1 });
});
