import { describe, expect, test } from "vitest";
import { checkCreate } from "../../source/instances/create-check.ts";
import type { GanetiOffers, LibvirtOffers } from "../../source/instances/create-offers.ts";
import { type CreateBatch, checkBatch, namesOf, planCreate } from "../../source/instances/create-plan.ts";
import type { CreateRequest, GanetiRequest, LibvirtRequest } from "../../source/instances/create-types.ts";
import type { ImageFacts } from "../../source/tools/disk-image.ts";
import { ganetiRequest, libvirtRequest } from "../create-requests.ts";

const image = { format: "qcow2", bytes: 1e6, virtualBytes: 2 * 1024 ** 3 } as const;

function host(given: Partial<LibvirtOffers> = {}): LibvirtOffers {
  return {
    ...{ provider: "libvirt", names: ["db1"], macs: ["52:54:00:00:00:01"], cpus: 8, cpusInUse: 2, maximumVcpus: 255 },
    ...{ memoryMiB: 16_384, memoryFreeMiB: 4096, hasVirtInstall: true, bridges: ["br0"], firmwares: ["bios"] },
    pools: [
      {
        ...{ name: "default", active: true, type: "dir", directory: "/srv", capacityMiB: 10_000, availableMiB: 3000 },
        volumes: [{ name: "old.qcow2", path: "/srv/old.qcow2" }],
      },
      {
        ...{ name: "away", active: false, type: null, directory: null, capacityMiB: null, availableMiB: null },
        volumes: [],
      },
    ],
    networks: [
      { name: "default", active: true, bridge: "virbr0", forward: "nat", address: null, hasDhcp: true },
      { name: "quiet", active: false, bridge: null, forward: null, address: null, hasDhcp: false },
    ],
    archs: [{ arch: "x86_64", machines: ["pc", "q35"], virtTypes: ["qemu"] }],
    systems: ["debian11", "debian10", "linux2022", "linux2020"],
    files: new Map<string, ImageFacts | null>([
      ["/srv/x.qcow2", image],
      ["/srv/no.iso", null],
      ["/srv/x.vmdk", { ...image, format: "other" }],
    ]),
    ...given,
  };
}

function cluster(given: Partial<GanetiOffers> = {}): GanetiOffers {
  const node = { cpus: 4, group: "default", diskFreeMiB: 10_000 };
  return {
    ...{ provider: "ganeti", cluster: "c1", version: "3.0.2", names: ["db1"], macs: [], ips: ["10.144.0.1"] },
    nodes: [
      { ...node, name: "node1.example.org", usable: true, memoryFreeMiB: 2000 },
      { ...node, name: "node2.example.org", usable: true, memoryFreeMiB: 3000 },
      { ...node, name: "node3.example.org", usable: false, memoryFreeMiB: 9000 },
    ],
    ...{ systems: ["noop", "debootstrap+default"], hypervisors: ["kvm"], diskTemplates: ["plain", "diskless", "drbd"] },
    ...{ allocator: "hail", networks: [], link: "br0" },
    policy: { memoryMiB: [128, 32_768], vcpus: [1, 8], diskMiB: [1024, 1_048_576] },
    ...given,
  };
}

const problems = (request: CreateRequest, offers: LibvirtOffers | GanetiOffers = host()) =>
  checkCreate(request, offers).map(({ field, text }) => `${field}: ${text}`);
const ofHost = (given: Partial<LibvirtRequest>, offers = host()) => problems(libvirtRequest(given), offers);
const ofCluster = (given: Partial<GanetiRequest>, offers = cluster()) => problems(ganetiRequest(given), offers);
const card = { network: "default", link: null, mac: null, ip: null };
const disk = { kind: "new", pool: "default", volume: null, sizeMiB: 1000, format: "qcow2" } as const;

describe("what stands in a request's way on a libvirt host", () => {
  test("nothing, when all is there", () => {
    expect(ofHost({ disks: [disk], osinfo: "debian11", machine: "q35", virtType: "qemu", arch: "x86_64" })).toEqual([]);
  });

  test.each<[string, Partial<LibvirtRequest>]>([
    ["name: there is a db1 already", { name: "db1" }],
    ['name: "-x": letters', { name: "-x" }],
    ["memory: the host has 4096 MiB free of 16384", { memoryMiB: 8192 }],
    ["memory: the host has 16384 MiB", { memoryMiB: 20_000 }],
    ["vcpus: the host has 8 CPUs", { vcpus: 9 }],
    ["vcpus: a guest there has at most 255", { vcpus: 256 }],
    ["nics.0.mac: 52:54:00:00:00:01 is in use", { nics: [{ ...card, mac: "52:54:00:00:00:01" }] }],
    ["nics.0.mac: 53:54:00:00:00:02 belongs to groups", { nics: [{ ...card, mac: "53:54:00:00:00:02" }] }],
    ["nics.0: there is no network lab", { nics: [{ ...card, network: "lab" }] }],
    ["nics.0: the network quiet is not active", { nics: [{ ...card, network: "quiet" }] }],
    ["nics.0: there is no bridge br9", { nics: [{ ...card, network: null, link: "br9" }] }],
    ["disks.0: there is no pool fast", { disks: [{ ...disk, pool: "fast" }] }],
    ["disks.0: the pool away is not active", { disks: [{ ...disk, pool: "away" }] }],
    ["disks.0: the pool default has a volume old.qcow2 already", { disks: [{ ...disk, volume: "old.qcow2" }] }],
    [
      "disks.1: the pool default has 3000 MiB free, 1000 + 2500 are wanted",
      { disks: [disk, { ...disk, sizeMiB: 2500 }] },
    ],
    ["disks.0: the pool default has no volume new", { disks: [{ kind: "volume", pool: "default", volume: "new" }] }],
    ['disks.0: "a,b": virt-install can\'t take', { disks: [{ ...disk, volume: "a,b" }] }],
    ["media.iso: there is no /srv/no.iso", { media: { kind: "iso", path: "/srv/no.iso", upload: null } }],
    ['media.iso: "x.iso" is no absolute path', { media: { kind: "iso", path: "x.iso", upload: null } }],
    ["media: there is nothing that it could boot", { media: { kind: "none" } }],
    ["start: an installation begins with its start", { start: false }],
    ["osinfo: that host knows no debian13: take debian11, debian10, linux2022, or", { osinfo: "debian13" }],
    ["machine: that host has no machine type virt", { machine: "virt" }],
    ["virtType: that host has qemu", { virtType: "kvm" }],
    ["arch: that host can't run riscv64, only x86_64", { arch: "riscv64" }],
    ["firmware: that host has no UEFI", { firmware: "uefi" }],
  ])("%s", (problem, given) => {
    const found = ofHost(given);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(problem), found[0]).toBe(true);
  });

  test("no disk is taken twice, nor from another domain", () => {
    const old = { kind: "volume", pool: "default", volume: "old.qcow2" } as const;
    const there = host();
    const [path = ""] = there.pools[0]?.volumes.map((one) => one.path) ?? [];
    expect(ofHost({ disks: [old, disk, old] })).toEqual(["disks.2: default/old.qcow2 is a disk of it already"]);
    expect(ofHost({ disks: [old, { kind: "path", path }] })).toEqual([`disks.1: ${path} is a disk of it already`]);
    const named = { ...disk, volume: "own" };
    expect(ofHost({ disks: [named, named] })).toEqual(["disks.1: default/own is a disk of it already"]);
    const used = host({ usedDisks: new Map([[path, "db1"]]) });
    expect(ofHost({ disks: [old] }, used)).toEqual(["disks.0: default/old.qcow2 is a disk of db1"]);
    expect(ofHost({ disks: [{ kind: "path", path }] }, used)).toEqual([`disks.0: ${path} is a disk of db1`]);
    expect(ofHost({ media: { kind: "import", image: path, copy: null } }, used)).toContain(
      `media.import: ${path} is a disk of db1`,
    );
    const copy = { pool: "default", volume: null, sizeMiB: null };
    expect(ofHost({ media: { kind: "import", image: path, copy } }, used).join()).not.toContain("db1");
  });

  test("an image is copied where it has room, never smaller than it is", () => {
    const copy = { pool: "default", volume: null, sizeMiB: 1000 };
    expect(ofHost({ media: { kind: "import", image: "/srv/x.qcow2", copy } })).toEqual([
      "media.size: the image itself has 2048 MiB",
    ]);
    const large = { ...copy, sizeMiB: 5000 };
    expect(ofHost({ media: { kind: "import", image: "/srv/x.qcow2", copy: large } })).toHaveLength(1);
    expect(ofHost({ media: { kind: "import", image: "/srv/x.vmdk", copy: large } })[0]).toMatch(/only qcow2 and raw/);
    expect(ofHost({ media: { kind: "import", image: "/srv/x.vmdk", copy: null } })).toEqual([]);
  });

  test("memory and room may be promised twice when that is wanted", () => {
    const request = libvirtRequest({ memoryMiB: 8192, vcpus: 16, disks: [{ ...disk, sizeMiB: 99_000 }] });
    expect(checkCreate(request, host())).toHaveLength(3);
    expect(checkCreate(request, host(), { overcommit: true })).toEqual([]);
  });

  test("virt-install must be there, and the host be of the right kind", () => {
    expect(ofHost({}, host({ hasVirtInstall: false }))).toEqual([expect.stringMatching(/^host: virt-install/)]);
    expect(problems(ganetiRequest(), host())).toEqual(["provider: that host runs libvirt, this is for ganeti"]);
  });
});

describe("what stands in a request's way on a cluster", () => {
  test("nothing, when all is there", () => {
    expect(ofCluster({ hypervisor: "kvm", os: "debootstrap+other" })).toEqual([]);
  });

  test.each<[string, Partial<GanetiRequest>]>([
    ["os: the cluster has noop, debootstrap+default, and no windows", { os: "windows" }],
    [
      "diskTemplate: the cluster allows plain, diskless, drbd, and not file",
      { diskTemplate: "file", disksMiB: [1024] },
    ],
    ["disks: with plain it needs a disk", { diskTemplate: "plain" }],
    ["disks: diskless instances have no disks", { disksMiB: [1024] }],
    ["disks.0: the cluster's policy allows 1024 to 1048576 MiB", { diskTemplate: "plain", disksMiB: [10] }],
    ["disks: node1.example.org has 10000 MiB of disk free", { diskTemplate: "plain", disksMiB: [20_000] }],
    ["memory: node1.example.org has 2000 MiB of memory free", { memoryMiB: 2500 }],
    [
      "memory: no node has room for 3500 MiB: the most",
      { memoryMiB: 3500, placement: { kind: "allocator", name: null } },
    ],
    ["node: the cluster has no node node9", { placement: { kind: "node", primary: "node9", secondary: null } }],
    ["node: node3.example.org takes no instances", { placement: { kind: "node", primary: "node3", secondary: null } }],
    ["node: diskless has no secondary node", { placement: { kind: "node", primary: "node1", secondary: "node2" } }],
    ["node: drbd needs a secondary node", { diskTemplate: "drbd", disksMiB: [1024] }],
    ["hypervisor: the cluster has kvm, and no xen-pvm", { hypervisor: "xen-pvm" }],
    ["nics.0.ip: 10.144.0.1 is in use", { nics: [{ ...card, network: null, ip: "10.144.0.1" }] }],
    ["nics.0.network: the cluster has no network lab", { nics: [{ ...card, network: "lab" }] }],
    ["vcpus: the cluster's policy allows 1 to 8", { vcpus: 9 }],
  ])("%s", (problem, given) => {
    const found = ofCluster(given);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(problem), found[0]).toBe(true);
  });

  test("memory beyond the policy and beyond every node is told as both", () => {
    expect(ofCluster({ memoryMiB: 99_999 })).toEqual([
      "memory: the cluster's policy allows 128 to 32768 MiB",
      "memory: node1.example.org has 2000 MiB of memory free",
    ]);
  });
});

function batch(given: Partial<CreateBatch> = {}): CreateBatch {
  const { name: _name, uuid: _uuid, ...template } = libvirtRequest({ disks: [disk], memoryMiB: 1000 });
  return { template, pattern: "web-{n}", count: 3, from: 1, addresses: null, overcommit: false, ...given };
}

const place = (name: string, offers: LibvirtOffers | GanetiOffers) => ({
  host: name,
  offers,
  lines: ({ name: made }: CreateRequest) => [{ host: name, line: `make ${made}` }],
});

describe("many at once", () => {
  const range = { range: "10.144.0.0/22", prefixLength: null, gateway: null, dns: [], taken: ["10.144.0.2"] };

  test("are named by a pattern, as wide as the last number", () => {
    expect(namesOf({ pattern: "web-{n}", count: 3, from: 9 })).toEqual(["web-09", "web-10", "web-11"]);
    expect(namesOf({ pattern: "w{n:3}.example.org", count: 2, from: 0 })).toEqual([
      "w000.example.org",
      "w001.example.org",
    ]);
    expect(namesOf({ pattern: "web", count: 2, from: 1 })).toEqual(["web-1", "web-2"]);
    expect(namesOf({ pattern: "web", count: 1, from: 1 })).toEqual(["web"]);
  });

  test("go to the host with the most memory free, what earlier ones take being counted", () => {
    let ids = 0;
    const places = [place("hv1", host({ memoryFreeMiB: 2500 })), place("hv2", host({ memoryFreeMiB: 4000 }))];
    const { rows } = planCreate(batch({ count: 5 }), places, () => `id${ids++}`);
    expect(rows.map(({ name, host: where }) => [name, where])).toEqual([
      ...[
        ["web-1", "hv2"],
        ["web-2", "hv2"],
        ["web-3", "hv1"],
        ["web-4", "hv2"],
        ["web-5", "hv1"],
      ],
    ]);
    expect(rows.flatMap(({ problems: found }) => found)).toEqual([]);
    expect(new Set(rows.map(({ request }) => (request.provider === "libvirt" ? request.uuid : ""))).size).toBe(5);
    expect(rows[0]?.commands).toEqual([{ host: "hv2", line: "make web-1" }]);
  });

  test("are told what is not enough for all of them", () => {
    const { rows } = planCreate(batch({ count: 4 }), [place("hv1", host())], () => "id");
    expect(rows.map(({ problems: found }) => found.map(({ field }) => field))).toEqual([[], [], [], ["disks.0"]]);
    const two = planCreate(
      batch({ count: 5 }),
      [place("hv1", host({ pools: [{ ...host().pools[0]!, availableMiB: 1e6 }] }))],
      () => "id",
    );
    expect(two.rows.at(-1)?.problems).toEqual([{ field: "memory", text: "the host has 96 MiB free of 16384" }]);
  });

  test("don't take a name that another host has", () => {
    const places = [place("hv1", host()), place("hv2", host({ names: ["web-2"], memoryFreeMiB: 10 }))];
    const { rows } = planCreate(batch(), places, () => "id");
    expect(rows[1]?.problems).toEqual([{ field: "name", text: "there is a web-2 on hv2" }]);
  });

  test("get addresses of the job's subnet, with MAC address, mask and gateway of the site", () => {
    const cloudInit = { user: null, keys: ["ssh-ed25519 AAAA"], hostname: null, network: null, userData: null };
    const copy = { pool: "default", volume: null, sizeMiB: null };
    const {
      name: _name,
      uuid: _uuid,
      ...template
    } = libvirtRequest({
      ...{ media: { kind: "cloud", image: "/srv/x.qcow2", copy, cloudInit }, memoryMiB: 100 },
    });
    const { rows } = planCreate(
      batch({ template, count: 2, addresses: range, overcommit: true }),
      [place("hv1", host())],
      () => "id",
    );
    expect(rows.map(({ address }) => address)).toEqual(["10.144.0.1", "10.144.0.3"]);
    const request = rows[1]?.request as LibvirtRequest;
    expect(request.nics[0]).toMatchObject({ network: "default", mac: "00:16:3e:90:00:03", ip: "10.144.0.3" });
    expect(request.media.kind === "cloud" && request.media.cloudInit).toMatchObject({
      ...{ hostname: "web-2", network: { address: "10.144.0.3/14", gateway: "10.147.255.254", dns: [] } },
    });
  });

  test("on a cluster leave out what its instances have, and say when there are no more", () => {
    const { name: _name, ...template } = ganetiRequest({
      memoryMiB: 128,
      placement: { kind: "allocator", name: null },
    });
    const few = { ...range, range: "10.144.0.1-10.144.0.4", taken: [] };
    const { rows } = planCreate(batch({ template, count: 4, addresses: few }), [place("node1", cluster())], () => "id");
    expect(rows.map(({ address, where }) => [address, where])).toEqual([
      ...[
        ["10.144.0.2", "by hail"],
        ["10.144.0.3", "by hail"],
        ["10.144.0.4", "by hail"],
        [null, "by hail"],
      ],
    ]);
    expect(rows.at(-1)?.problems).toEqual([
      { field: "addresses", text: "10.144.0.1-10.144.0.4 has no free address left" },
    ]);
  });

  test("can't share a disk or an image in place", () => {
    expect(checkBatch(batch())).toEqual([]);
    const path = [{ kind: "path", path: "/x" } as const];
    const {
      name: _name,
      uuid: _uuid,
      ...template
    } = libvirtRequest({ disks: path, media: { kind: "import", image: "/y", copy: null } });
    expect(checkBatch(batch({ template })).map(({ field }) => field)).toEqual(["disks", "media"]);
    expect(checkBatch(batch({ template, count: 1 }))).toEqual([]);
    expect(checkBatch(batch({ addresses: { ...range, range: "x" } })).map(({ field }) => field)).toEqual(["addresses"]);
  });
});
