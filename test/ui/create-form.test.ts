import { describe, expect, test } from "vitest";
import type { Offers } from "../../source/instances/create-check.ts";
import { wantedOf } from "../../source/instances/create-file.ts";
import { createSchema } from "../../source/instances/create-file-schema.ts";
import { misfitsOf } from "../../source/schema.ts";
import type { Values } from "../../source/ui/components/form.tsx";
import { createFields } from "../../source/ui/screens/create-fields.ts";
import { meaningsOf } from "../../source/ui/screens/create-meanings.ts";
import { dataOf, fieldOf, typedErrors } from "../../source/ui/screens/create-request.ts";
import { parseSize, parseSizes } from "../../source/ui/screens/create-sizes.ts";

const libvirt: Offers = {
  provider: "libvirt",
  names: ["web1"],
  macs: [],
  cpus: 8,
  cpusInUse: 3,
  memoryMiB: 8192,
  memoryFreeMiB: 4096,
  pools: [
    {
      ...{ name: "default", active: true, type: "dir", directory: "/images", capacityMiB: 10_240, availableMiB: 5120 },
      volumes: [{ name: "old.qcow2", path: "/images/old.qcow2" }],
    },
  ],
  networks: [
    { name: "default", active: true, bridge: "virbr0", forward: "nat", address: "10.0.0.1/24", hasDhcp: true },
  ],
  bridges: ["br0"],
  archs: [{ arch: "x86_64", machines: ["pc", "q35"], virtTypes: ["qemu"] }],
  maximumVcpus: 255,
  firmwares: ["bios"],
  systems: [],
  hasVirtInstall: true,
  files: new Map(),
};
const ganeti: Offers = {
  provider: "ganeti",
  cluster: "c1",
  version: "3.0.2",
  names: [],
  macs: [],
  ips: [],
  nodes: [{ name: "node1", usable: true, memoryFreeMiB: 2048, diskFreeMiB: null, cpus: 4, group: "default" }],
  systems: ["noop"],
  hypervisors: ["kvm"],
  diskTemplates: ["file", "diskless"],
  allocator: "hail",
  networks: [],
  link: "br0",
  policy: { memoryMiB: null, vcpus: null, diskMiB: null },
};
const xen: Offers = {
  ...{ provider: "xen", names: [], macs: [], cpus: 4, memoryMiB: 8192, memoryFreeMiB: 2048, balloons: false },
  ...{ types: ["pv", "pvh", "hvm"], bridges: ["xenbr0"], mounts: [{ path: "/", freeMiB: 20_480 }] },
  groups: [{ name: "vg0", freeMiB: 4096, volumes: [] }],
  ...{ directory: "/srv/xen", configs: [], usedDisks: new Map(), kernels: ["/boot/vmlinuz-6"], ramdisks: [] },
  ...{ isos: ["/srv/x.iso"], hasPygrub: true, files: new Map() },
};
const xenServer: Offers = {
  ...{ provider: "xenserver", names: [], macs: [] },
  hosts: [{ uuid: "h1", name: "xcp1", memoryFreeMiB: 4096, usable: true }],
  templates: [
    { uuid: "t1", name: "Debian", disksMiB: [10_240] },
    { uuid: "t2", name: "golden", disksMiB: null },
  ],
  repositories: [
    { uuid: "s1", name: "local", type: "ext", freeMiB: 102_400, isDefault: true },
    { uuid: "s2", name: "nfs", type: "nfs", freeMiB: null, isDefault: false },
  ],
  networks: [
    { uuid: "n1", name: "lan", bridge: "xenbr0" },
    { uuid: "n2", name: "lan", bridge: "xenbr1" },
  ],
  isos: ["debian.iso"],
};
const places = [{ id: "p", host: "hv1", label: "hv1 · libvirt", provider: "libvirt" as const }];

/** What the form holds when nothing was touched but these. */
function filled(offers: Offers, own: Values): Values {
  const values: Record<string, string> = {};
  for (const { id, initial } of createFields(places, offers, [])) values[id] = initial ?? "";
  return { ...values, ...own };
}

describe("the data of the form", () => {
  test.each([
    [
      "an import",
      libvirt,
      { name: "a", media: "import", imageOf: "", image: "/images/x.qcow2", copy: "yes", disk: "none" },
    ],
    [
      "a cloud image",
      libvirt,
      {
        name: "a",
        media: "cloud",
        imageOf: "",
        image: "/x.img",
        key: "ssh-ed25519 AAAA",
        addressesOf: "range",
        addresses: "10.0.0.0/24",
      },
    ],
    ["an ISO", libvirt, { name: "a", media: "iso", iso: "/x.iso", mac: "52:54:00:00:00:01" }],
    ["a tree", libvirt, { name: "a", media: "location", location: "http://x/", network: "bridge br0", ready: "ssh" }],
    ["PXE", libvirt, { name: "a", media: "pxe", graphics: "vnc", firmware: "bios" }],
    ["a volume", libvirt, { name: "a", media: "none", disk: "volume", volume: "default/old.qcow2", start: "no" }],
    ["Ganeti", ganeti, { name: "a.example.org", osParameters: "dhcp=yes,x=1", ip: "10.0.0.9", count: "3" }],
    ["a Xen kernel", xen, { name: "a", image: "/srv/golden.img", extra: "root=/dev/xvda" }],
    ["a Xen ISO", xen, { name: "a", type: "hvm", bootHvm: "iso", disk: "volume", bridge: "", graphics: "vnc" }],
    ["pygrub", xen, { name: "a", type: "pvh", bootPv: "pygrub", disk: "path", path: "/dev/sdb", format: "qcow2" }],
    ["a Xen disk", xen, { name: "a", type: "hvm", bootHvm: "disk", disk: "path", path: "/dev/sdb", start: "no" }],
    ["a template", xenServer, { name: "a", further: "5G 6G", note: "mine", mac: "00:16:3e:00:00:01" }],
    ["a template's cards", xenServer, { name: "a", vif: "template", repository: "s2", install: "iso" }],
    ["a template by a tree", xenServer, { name: "a", vif: "none", install: "location", location: "http://x/" }],
    ["Ganeti by hand", ganeti, { name: "a", primary: "node1", template: "diskless", card: "none", install: "no" }],
  ] as const)("%s is a file that virtu create takes", (_what, offers, own) => {
    const data = dataOf(filled(offers, own), offers.provider, "hv1");
    expect(misfitsOf(JSON.parse(JSON.stringify(data)), createSchema)).toEqual([]);
    const { batch, hosts } = wantedOf(data);
    expect(hosts).toEqual(["hv1"]);
    expect(batch.pattern).toBe(own.name);
    expect(batch.template).toMatchObject({ provider: offers.provider, memoryMiB: 1024, vcpus: 1 });
  });

  test("a file of a pool is chosen, unless it is an instance's own disk; any other one is typed", () => {
    const [pool] = libvirt.pools;
    const volumes = ["web1.qcow2", "web1-1.raw", "base.img", "d.iso"].map((name) => ({
      name,
      path: `/images/${name}`,
    }));
    const offers = { ...libvirt, pools: [{ ...pool, volumes }] } as typeof libvirt;
    const fields = createFields(places, offers, []);
    const choicesOf = (id: string) => fields.find((field) => field.id === id)?.choices?.map(({ label }) => label);
    expect(choicesOf("imageOf")).toEqual(["default/base.img", "another: type its path"]);
    expect(choicesOf("isoOf")).toEqual(["default/d.iso", "another, or one to be sent"]);
    const chosen = filled(offers, { name: "a", media: "import", image: "/typed/before.img" });
    expect(dataOf(chosen, "libvirt", "hv1")).toMatchObject({ media: { import: "/images/base.img" } });
    expect(dataOf({ ...chosen, media: "iso" }, "libvirt", "hv1")).toMatchObject({ media: { iso: "/images/d.iso" } });
    expect(fieldOf({ field: "media.import", text: "" }, chosen, "libvirt")).toBe("imageOf");
    expect(fieldOf({ field: "media.import", text: "" }, { ...chosen, imageOf: "" }, "libvirt")).toBe("image");
  });

  test("addresses are of a range, or what a job lends with its network", () => {
    const addresses = { range: "10.156.0.2-10.156.3.255", prefix: 14, gateway: "10.159.255.254", dns: ["172.16.0.1"] };
    const fields = createFields(places, ganeti, [{ jobId: 1874, subnet: "10.156.0.0/22", addresses }]);
    const [none, job, range] = fields.find(({ id }) => id === "addressesOf")?.choices ?? [];
    expect([none?.label, job?.label, range?.label]).toEqual([
      ...["none is noted", "of job 1874: 10.156.0.0/22", "of a range"],
    ]);
    const of = (addressesOf = "") =>
      dataOf(filled(ganeti, { name: "a", addressesOf, addresses: "10.1.0.0/24" }), "ganeti", "h");
    expect(of(none?.value).addresses).toBeUndefined();
    expect(of(job?.value).addresses).toEqual(addresses);
    expect(of(range?.value).addresses).toEqual({ range: "10.1.0.0/24" });
    expect(misfitsOf(JSON.parse(JSON.stringify(of(job?.value))), createSchema)).toEqual([]);
  });

  test("says what was meant", () => {
    const own = {
      name: "db{n}",
      count: "2",
      memory: "2G",
      media: "cloud",
      imageOf: "",
      image: "/i",
      key: "ssh-rsa B",
      user: "ops",
    };
    const { batch, ready } = wantedOf(dataOf(filled(libvirt, { ...own, ready: "ping", size: "7G" }), "libvirt", "hv1"));
    expect(batch).toMatchObject({
      count: 2,
      template: {
        memoryMiB: 2048,
        media: {
          kind: "cloud",
          image: "/i",
          copy: { pool: "default" },
          cloudInit: { user: "ops", keys: ["ssh-rsa B"] },
        },
        disks: [{ kind: "new", pool: "default", sizeMiB: 7168, format: "qcow2" }],
        nics: [{ network: "default", link: null }],
        graphics: "none",
      },
    });
    expect(ready).toMatchObject({ by: "ping" });
  });
});

test("of Xen and XenServer, it says what was meant", () => {
  const disk = { name: "a", disk: "volume", size: "7G", image: "/srv/g.img", mac: "00:16:3e:00:00:01" };
  const second = { "disk.1": "volume", "group.1": "vg0", "size.1": "1G", "image.1": "" };
  const { batch } = wantedOf(dataOf(filled(xen, { ...disk, ...second }), "xen", "xen1"));
  expect(batch.template).toMatchObject({
    ...{ provider: "xen", type: "pv", boot: { kind: "kernel", kernel: "/boot/vmlinuz-6", ramdisk: null } },
    disks: [
      { kind: "volume", group: "vg0", sizeMiB: 7168, image: "/srv/g.img" },
      { kind: "volume", group: "vg0", sizeMiB: 1024, image: null },
    ],
    nics: [{ link: "xenbr0", mac: "00:16:3e:00:00:01" }],
  });
  const wanted = wantedOf(dataOf(filled(xenServer, { name: "a", further: "5G", install: "iso" }), "xenserver", "xcp1"));
  expect(wanted.batch.template).toMatchObject({
    ...{ provider: "xenserver", template: "t1", repository: null, iso: "debian.iso", location: null },
    ...{ disks: [{ sizeMiB: 5120, repository: null }], nics: [{ network: "n1" }] },
  });
});

describe("beside the fields", () => {
  test("stands what Xen and a pool have, and each problem at its own field", () => {
    expect(meaningsOf(filled(xen, { disk: "volume" }), xen)).toMatchObject({
      ...{ memory: "Xen has 2G free of 8G", directory: "20G free", group: "4G free" },
    });
    expect(meaningsOf(filled(xenServer, {}), xenServer)).toMatchObject({
      ...{ memory: "the most that a host has free is 4G", template: "disks: 10G", repository: "100G free" },
    });
    const at = (offers: Offers, own: Values, field: string) =>
      fieldOf({ field, text: "" }, filled(offers, own), offers.provider);
    expect(
      ["boot.kernel", "boot", "disks.0", "disks.0.size", "disks.1", "nics.0"].map((one) =>
        at(xen, { "disk.2": "volume" }, one),
      ),
    ).toEqual([...["kernel", "bootPv", "directory", "size", "group.2", "bridge"]]);
    expect(at(xen, { type: "hvm" }, "boot")).toBe("bootHvm");
    expect(["disks.0", "nics.0", "nics.0.mac", "iso", "template"].map((one) => at(xenServer, {}, one))).toEqual([
      ...["further", "vif", "mac", "isoName", "template"],
    ]);
    // Two networks of one name are told apart.
    const network = createFields(places, xenServer, []).find(({ id }) => id === "vif");
    expect(network?.choices?.slice(0, 2).map(({ label }) => label)).toEqual(["lan n1", "lan n2"]);
  });

  test("stands what the host has", () => {
    const meanings = meaningsOf(filled(libvirt, { name: "web", count: "12" }), libvirt);
    expect(meanings).toMatchObject({
      memory: "the host has 4G free of 8G",
      vcpus: "the host has 8; 3 are given to running ones",
      pool: "5G free of 10G",
      network: "nat, 10.0.0.1/24",
      count: "web-01 … web-12",
    });
    expect(meaningsOf(filled(ganeti, { primary: "node1" }), ganeti)).toMatchObject({
      primary: "2G of memory free",
      memory: "the most that a node has free is 2G",
      vcpus: "the largest node has 4",
    });
  });

  test("stands what is wrong as it is typed, each at its own field", () => {
    expect(typedErrors(filled(libvirt, {}))).toEqual({});
    const wrong = typedErrors(filled(libvirt, { memory: "much", size: "0", vcpus: "0", count: "2000" }));
    expect(Object.keys(wrong).sort()).toEqual(["count", "memory", "size", "vcpus"]);
    expect(typedErrors(filled(xenServer, { further: "1G x" }))).toEqual({ further: "sizes: 10G 20G" });
    const values = filled(libvirt, { "disk.2": "volume", "disk.3": "path" });
    const at = (field: string) => fieldOf({ field, text: "" }, values, "libvirt");
    expect(["media.iso", "disks.0", "disks.0.size", "disks.1", "nics.0.mac", "nics.0", "memory"].map(at)).toEqual([
      ...["iso", "pool", "size", "volume.2", "mac", "network", "memory"],
    ]);
    // Of several instances with the same disks, the one that there is once.
    expect(["disks.2", "disks"].map(at)).toEqual(["path.3", "volume.2"]);
    expect(fieldOf({ field: "disks.1", text: "" }, values, "ganeti")).toBe("sizes");
  });
});

test("sizes are read as people write them", () => {
  expect(["512", "512M", "2G", "1.5 GiB", "1T", "0", "x", ""].map(parseSize)).toEqual([
    ...[512, 512, 2048, 1536, 1_048_576, null, null, null],
  ]);
  expect(parseSizes("5G, 512M")).toEqual([5120, 512]);
  expect(parseSizes("")).toEqual([]);
  expect(parseSizes("5G y")).toBeNull();
});
