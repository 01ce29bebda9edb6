import { describe, expect, test } from "vitest";
import { parseImage } from "../../source/tools/disk-image.ts";
import { ganetiOffersCommand, parseGanetiOffers } from "../../source/tools/ganeti-offers.ts";
import { offersCommand, parseOffers } from "../../source/tools/libvirt-offers.ts";
import { diskUsers, usesCommand } from "../../source/tools/virsh-uses.ts";
import { fixture } from "../instances/fake-pool.ts";

describe("a libvirt host", () => {
  const offers = parseOffers(fixture("libvirt", "offers.stdout"));

  test("is asked in one command, the one that was recorded", () => {
    const files = ["/var/lib/lab/lab.qcow2", "/srv/images/lab.iso", "/srv/nosuch.iso"];
    expect(`${offersCommand("qemu:///system", files).line}\n`).toBe(`${fixture("libvirt", "offers.cmd").trimEnd()}\n`);
  });

  test("tells names, cards, memory and CPUs", () => {
    expect(offers).toMatchObject({
      ...{ names: ["b1", "b2", "b3", "p1", "c1"], cpus: 2, cpusInUse: 4, maximumVcpus: 255, memoryMiB: 24_105 },
      ...{ bridges: ["br0", "virbr0", "br-lab"], firmwares: ["bios"], hasVirtInstall: true },
    });
    expect(offers?.macs).toContain("52:54:00:fb:1d:98");
    expect(offers?.memoryFreeMiB).toBeGreaterThan(15_000);
  });

  test("tells pools with their volumes, also those with blanks in their names, and networks", () => {
    expect(offers?.pools.map(({ name, active, type }) => [name, active, type])).toEqual([
      ["boot", true, "dir"],
      ["default", true, "dir"],
    ]);
    const pool = offers?.pools.find(({ name }) => name === "default");
    expect(pool).toMatchObject({ directory: "/srv/images", capacityMiB: 3072 });
    expect(pool?.availableMiB).toBeLessThan(3072);
    expect(pool?.volumes).toContainEqual({ name: "my vol.qcow2", path: "/srv/images/my vol.qcow2" });
    expect(offers?.networks).toEqual([
      {
        ...{ name: "default", active: true, bridge: "virbr0", forward: "nat", address: "192.168.122.1/24" },
        hasDhcp: true,
      },
    ]);
  });

  test("tells what it can emulate, and which systems virt-install knows", () => {
    const arch = offers?.archs.find((one) => one.arch === "x86_64");
    expect(arch?.virtTypes).toEqual(["qemu"]);
    expect(arch?.machines).toEqual(expect.arrayContaining(["pc", "q35", "pc-i440fx-7.2"]));
    expect(offers?.systems).toEqual(expect.arrayContaining(["debian11", "debianbullseye", "linux2022"]));
    expect(offers?.systems.some((name) => /additional|osinfo-query/.test(name))).toBe(false);
  });

  test("tells what the files are that were asked for", () => {
    expect(offers?.files.get("/var/lib/lab/lab.qcow2")).toEqual({
      ...{ format: "qcow2", bytes: 16_515_072, virtualBytes: 16_777_216 },
    });
    expect(offers?.files.get("/srv/images/lab.iso")).toMatchObject({ format: "raw", virtualBytes: 16_777_216 });
    expect(offers?.files.get("/srv/nosuch.iso")).toBeNull();
  });

  test("tells whose disks there are, asked beside the rest", () => {
    const uses = ["domname", "domblklist", "domiflist"].map((name) => `${name} \\1`).join("; ");
    expect(usesCommand("qemu:///system", 20).line).toContain(`/echo @@virtu domain; ${uses};/p`);
    const of = (name: string) =>
      `@@virtu domain\n${name}\n\n${fixture("libvirt", "domblklist.stdout")}${fixture("libvirt", "domiflist.stdout")}`;
    const stdout = `${fixture("libvirt", "offers.stdout")}${of("web 1")}`;
    expect([...diskUsers(stdout)]).toEqual([...diskUsers(of("web 1"))]);
    expect([...diskUsers(stdout).values()]).toEqual(["web 1"]);
    expect([...diskUsers(stdout).keys()]).toEqual([expect.stringMatching(/^\/.*\.qcow2$/)]);
    expect(diskUsers(fixture("libvirt", "offers.stdout")).size).toBe(0);
    // It changes nothing of the rest.
    expect(parseOffers(stdout)).toEqual(offers);
  });

  test("that gives no answer is null, not an empty host", () => {
    expect(parseOffers("@@virtu cards\n@@virtu bridges\n@@virtu end\n")).toBeNull();
    expect(parseOffers("")).toBeNull();
  });
});

test("an image's kind is known by its first bytes", () => {
  const image = (hex: string) => parseImage(`@@virtu image\n65536\n ${hex}\n`)?.format;
  expect(image("4b 44 4d 56 01")).toBe("other");
  expect(image("76 68 64 78 66 69 6c 65")).toBe("other");
  expect(image("eb 63 90")).toBe("raw");
  expect(parseImage("@@virtu image\n")).toBeNull();
});

describe("a Ganeti cluster", () => {
  const stdout = [
    "@@virtu version\ngnt-cluster (ganeti 3.1.0~rc2-3) 3.1.0~rc2\n",
    `@@virtu info\n${fixture("ganeti", "cluster-info.stdout")}`,
    "@@virtu instances\nweb0.example.org|aa:00:00:01:02:03|10.0.0.5\nweb1.example.org|AA:00:00:01:02:04,aa:00:00:01:02:05|None,None\n",
    "@@virtu nodes\nnode1.example.org|M|Y|21524|56618|2|default\nnode2.example.org|D|Y|20000|56618|2|default\nnode3.example.org|O|Y|*|*|*|default\n",
    "@@virtu systems\nnoop\ndebootstrap+default\n@@virtu networks\nlab|10.0.0.0/24|200\n@@virtu end\n",
  ].join("");
  const offers = parseGanetiOffers(stdout);

  test("tells OS definitions, templates, hypervisors, policy and what is taken", () => {
    expect(offers).toMatchObject({
      ...{ cluster: "cluster1.example.org", version: "3.1.0~rc2-3", systems: ["noop", "debootstrap+default"] },
      ...{
        hypervisors: ["fake", "kvm"],
        diskTemplates: ["diskless", "file", "sharedfile", "plain"],
        allocator: "hail",
      },
      ...{ link: "br0", ips: ["10.0.0.5"], names: ["web0.example.org", "web1.example.org"] },
      networks: [{ name: "lab", subnet: "10.0.0.0/24", freeAddresses: 200 }],
      policy: { memoryMiB: [128, 32_768], vcpus: [1, 8], diskMiB: [1024, 1_048_576] },
    });
    expect(offers?.macs).toEqual(["aa:00:00:01:02:03", "aa:00:00:01:02:04", "aa:00:00:01:02:05"]);
  });

  test("tells which nodes take instances", () => {
    expect(offers?.nodes.map(({ name, usable, memoryFreeMiB }) => [name.split(".")[0], usable, memoryFreeMiB])).toEqual(
      [
        ["node1", true, 21_524],
        ["node2", false, 20_000],
        ["node3", false, null],
      ],
    );
  });

  test("is asked in one command, with sudo where it is needed", () => {
    const { line } = ganetiOffersCommand({ directory: "/usr/sbin/", sudo: true });
    expect(line.match(/sudo -n env LC_ALL=C/g)).toHaveLength(6);
    expect(parseGanetiOffers("@@virtu version\n@@virtu info\n@@virtu end\n")).toBeNull();
  });
});
