import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type CreateData, mebibytesOf, wantedOf } from "../../source/instances/create-file.ts";
import { createSchema } from "../../source/instances/create-file-schema.ts";
import { misfitsOf, readBySchema } from "../../source/schema.ts";

const published = JSON.parse(readFileSync(path.join(import.meta.dirname, "../../docs/create.schema.json"), "utf8"));

test("the published schema is the one that counts", () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(createSchema)));
});

const libvirt = "provider: libvirt\nname: web-{n}\nmemory: 512M\n";
const xen = "provider: xen\nname: web1\nmemory: 512\nboot: { kernel: /boot/vmlinuz }\n";
const xenserver = "provider: xenserver\nname: web1\nmemory: 512\ntemplate: Debian\n";
const ganeti = "provider: ganeti\nname: web1\nmemory: 512\nos: noop\ndiskTemplate: plain\n";

const good = {
  least: libvirt,
  all: `${libvirt}hosts: [hv1, hv2]
count: 3
from: 7
vcpus: 2
start: true
overcommit: true
addresses: { range: 10.144.0.0/22, prefix: 14, gateway: 10.147.255.254, dns: [10.144.0.1] }
ready: { by: ssh, limit: 60, address: 10.0.0.1, pattern: x }
media: { cloud: /srv/x.qcow2, pool: default, size: 10G, user: jdoe, keys: [ssh-ed25519 AAAA], hostname: web }
osinfo: debian11
disks:
  - { size: 1.5G, pool: fast, format: raw, volume: data }
  - { volume: old }
  - { path: /dev/sdb }
nics:
  - { network: default, mac: 52:54:00:00:00:01 }
  - { bridge: br0, ip: 10.0.0.9 }
arch: x86_64
machine: q35
firmware: uefi
virtType: kvm
graphics: vnc
`,
  iso: `${libvirt}media: { iso: /srv/x.iso, upload: ./x.iso }`,
  tree: `${libvirt}media: { location: "http://x/", kernel: vmlinuz, initrd: initrd.gz, arguments: console=ttyS0 }`,
  pxe: `${libvirt}media: { pxe: true }`,
  copied: `${libvirt}media: { import: /srv/x.img, copy: { pool: default, size: 2048 } }`,
  ganeti: `${ganeti}disks: [{ size: 10G }]
node: node1
secondary: node2
osParameters: { arch: amd64 }
hypervisor: kvm
hypervisorParameters: { acpi: "True" }
backendParameters: { minmem: "128" }
nics: []
nameCheck: true
ipCheck: false
install: false
tags: [a]
`,
  xen: `${xen}type: pvh
disks:
  - { size: 10G }
  - { size: 10G, path: /srv/xen/a.img, image: /srv/golden.img }
  - { size: 10G, directory: /srv/xen }
  - { size: 10G, group: vg0, volume: a, image: /srv/golden.img }
  - { path: /dev/sdb, format: raw }
nics: [{ bridge: xenbr0, mac: 00:16:3e:00:00:01, ip: 10.0.0.9 }]
graphics: vnc
`,
  xenIso: `provider: xen\nname: a\nmemory: 1G\ntype: hvm\nboot: { iso: /srv/x.iso }\n`,
  xenGrub: `provider: xen\nname: a\nmemory: 1G\nboot: { bootloader: pygrub }\n`,
  xenDisk: `provider: xen\nname: a\nmemory: 1G\ntype: hvm\nboot: { disk: true }\n`,
  xenserver: `${xenserver}repository: Local storage
disks: [{ size: 10G }, { size: 5G, repository: nfs }]
nics: [{ network: Pool-wide }]
iso: debian.iso
note: made for tests
tags: [a, b]
`,
};

/** A file, the line of its fault, the field, and the beginning of its text. */
const bad: [string, number, string, string][] = [
  ["name: x\n", 1, "", "must have one of provider: libvirt, provider: ganeti, provider: xen, provider: xenserver"],
  ["provider: vmware\nname: x\n", 1, "", "must have one of provider"],
  [`${xen}type: pvm\n`, 5, "type", '"pvm" is not pv, pvh or hvm: did you mean "pv"?'],
  [
    `${xen}disks:\n  - { size: 1G, group: vg0, directory: /srv }\n`,
    6,
    "disks.0.directory",
    '"directory" is no field here: there are size, image, group',
  ],
  [
    `${xenserver}disks:\n  - { size: 1G }\n  - { repository: x }\n`,
    7,
    "disks.1.size",
    '"size" is missing: a size like 512M',
  ],
  ["provider: libvirt\nname: x\n", 1, "memory", '"memory" is missing: a size like 512M'],
  [`${libvirt}count: many\n`, 4, "count", '"many" is not a whole number from 1 to 1000'],
  [`${libvirt}count: 0\n`, 4, "count", '"0" is not a whole number from 1 to 1000'],
  [`${libvirt}memoryy: 1\n`, 4, "memoryy", '"memoryy" is no field here: '],
  [`${libvirt}media:\n  iso: relative.iso\n`, 5, "media.iso", '"relative.iso" is not an absolute path'],
  [`${libvirt}media:\n  iso: /x.iso\n  size: 3\n`, 6, "media.size", '"size" is no field here: there are iso, upload'],
  [`${libvirt}media:\n  cdrom: /x.iso\n`, 4, "media", "must have one of iso, location, pxe: true, import, cloud"],
  [`${libvirt}disks:\n  - size: 1G\n  - size: huge\n`, 6, "disks.1.size", '"huge" is not a size like 512M'],
  [`${libvirt}disks:\n  - size: 1G\n    format: vmdk\n`, 6, "disks.0.format", '"vmdk" is not qcow2 or raw'],
  [`${libvirt}nics:\n  - mac: zz\n`, 5, "nics.0.mac", '"zz" is not a MAC address'],
  [`${libvirt}os: noop\n`, 4, "os", '"os" is no field here'],
  [`${ganeti}media: { pxe: true }\n`, 6, "media", '"media" is no field here'],
  [`${ganeti}start: maybe\n`, 6, "start", '"maybe" is not true or false'],
  [`${libvirt}name: again\n`, 4, "", "it is not YAML: Map keys must be unique"],
  ["- a\n", 1, "", "must have one of"],
  [
    "provider: libvirt\nname: x\nmemory: true\n",
    3,
    "memory",
    '"true" is not a size like 512M or 10G or a whole number',
  ],
  ["provider: libvirt\nname: x\nmemroy: 1G\n", 3, "memroy", '"memroy" is no field here: did you mean "memory"?'],
];

describe("a file", () => {
  const validate = new Ajv2020({ strictTypes: false, allowUnionTypes: true }).compile(published);

  test.each(Object.entries(good))("%s is taken, as any reader of the schema takes it", (_name, text) => {
    const { data, faults } = readBySchema(text, createSchema);
    expect(faults).toEqual([]);
    expect(validate(data), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each(bad)("%j is refused on line %i", (text, line, field, why) => {
    const { faults } = readBySchema(text, createSchema);
    const [fault, ...more] = faults;
    expect(more).toEqual([]);
    expect(fault && [fault.line, fault.field]).toEqual([line, field]);
    expect(fault?.text.startsWith(why), fault?.text).toBe(true);
    if (!why.startsWith("it is not YAML")) expect(validate(parse(text))).toBe(false);
  });

  test("tells every fault at once, each with its line", () => {
    const { faults } = readBySchema(`${libvirt}vcpus: 0\ncolour: red\ndisks: 3\n`, createSchema);
    expect(faults.map(({ line, field }) => [line, field])).toEqual([
      ...[
        [4, "vcpus"],
        [5, "colour"],
        [6, "disks"],
      ],
    ]);
    expect(misfitsOf(null, createSchema)).toHaveLength(1);
  });

  test("may lack what is given elsewhere, but no more", () => {
    const text = "provider: libvirt\ncount: none\n";
    const fields = (without: string[]) => readBySchema(text, createSchema, without).faults.map(({ field }) => field);
    expect(fields([])).toEqual(["name", "memory", "count"]);
    expect(fields(["name", "count"])).toEqual(["memory", "count"]);
  });

  test("tells the column of a value, of a name that is none, and of what an alias stands for", () => {
    const { faults } = readBySchema(`${libvirt}count:   &many many\ncolour: red\nfrom: *many\n`, createSchema);
    expect(faults.map(({ line, column, field }) => [line, column, field])).toEqual([
      [4, 16, "count"],
      [4, 16, "from"],
      [5, 1, "colour"],
    ]);
  });

  test("that is no YAML is refused where it breaks", () => {
    expect(readBySchema("a: b\nc: [1,\n", createSchema).faults[0]?.line).toBeGreaterThan(1);
  });
});

describe("what is wanted", () => {
  const wanted = (text: string) => wantedOf(readBySchema(text, createSchema).data as CreateData);

  test("is what the file says", () => {
    const { batch, hosts, ready } = wanted(good.all);
    expect(hosts).toEqual(["hv1", "hv2"]);
    expect(ready).toEqual({ by: "ssh", pattern: "x", address: "10.0.0.1", limitSeconds: 60 });
    expect(batch).toMatchObject({
      ...{ pattern: "web-{n}", count: 3, from: 7, overcommit: true },
      addresses: { range: "10.144.0.0/22", prefixLength: 14, gateway: "10.147.255.254", dns: ["10.144.0.1"] },
      template: {
        ...{ memoryMiB: 512, vcpus: 2, start: true, osinfo: "debian11", firmware: "uefi", graphics: "vnc" },
        media: { kind: "cloud", image: "/srv/x.qcow2", copy: { pool: "default", volume: null, sizeMiB: 10_240 } },
        disks: [
          { kind: "new", pool: "fast", volume: "data", sizeMiB: 1536, format: "raw" },
          { kind: "volume", pool: "default", volume: "old" },
          { kind: "path", path: "/dev/sdb" },
        ],
        nics: [
          { network: "default", link: null, mac: "52:54:00:00:00:01", ip: null },
          { network: null, link: "br0", mac: null, ip: "10.0.0.9" },
        ],
      },
    });
  });

  test("is one card on the default network and no disk when nothing is said", () => {
    const { batch } = wanted(libvirt);
    expect(batch).toMatchObject({ count: 1, from: 1, template: { disks: [], media: { kind: "none" }, vcpus: 1 } });
    expect(batch.template.nics).toEqual([{ network: "default", link: null, mac: null, ip: null }]);
  });

  test("is placed by hand or by the allocator on Ganeti", () => {
    expect(wanted(good.ganeti).batch.template).toMatchObject({
      ...{ placement: { kind: "node", primary: "node1", secondary: "node2" }, disksMiB: [10_240], nics: [] },
      ...{ install: false, nameCheck: true },
    });
    expect(wanted(ganeti).batch.template).toMatchObject({ placement: { kind: "allocator", name: null }, nics: null });
  });

  test("has sizes in MiB", () => {
    expect(["512", 512, "512M", "1.5G", "2 TiB", "1MB"].map(mebibytesOf)).toEqual([512, 512, 512, 1536, 2_097_152, 1]);
  });
});
