import { describe, expect, test } from "vitest";
import { libvirtSteps, stepLine } from "../../source/instances/create-libvirt-steps.ts";
import type { LibvirtRequest } from "../../source/instances/create-types.ts";
import { cloudFiles } from "../../source/tools/cloud-init.ts";
import { explainInstall, warnings } from "../../source/tools/virt-install.ts";
import { libvirtRequest, uuid } from "../create-requests.ts";
import { fixture } from "../instances/fake-pool.ts";

const uri = "qemu:///system";
const image = { format: "qcow2", bytes: 16_515_072, virtualBytes: 16_777_216 } as const;

function lines(given: Partial<LibvirtRequest>, facts: Parameters<typeof libvirtSteps>[2] = null): string[] {
  // A word like key=value is quoted although it need not be.
  const unquoted = (line: string) => line.replaceAll(/'(\w+=[\w=,./:-]*)'/g, "$1");
  return libvirtSteps(uri, libvirtRequest(given), facts).map((step) => unquoted(stepLine(step)));
}

const head = `LC_ALL=C.UTF-8 virt-install --connect ${uri} --name web1 --uuid ${uuid} --memory 512 --vcpus 1`;
const detect = "--osinfo detect=on,require=off";
const tail = "--network network=default --graphics none --noautoconsole </dev/null";

describe("what makes an instance", () => {
  test("from an ISO, with two new disks that are made beforehand", () => {
    const disks = [
      { kind: "new", pool: "default", volume: null, sizeMiB: 1024, format: "qcow2" },
      { kind: "new", pool: "fast pool", volume: "data", sizeMiB: 2048, format: "raw" },
    ] as const;
    expect(lines({ media: { kind: "iso", path: "/srv/a b.iso", upload: null }, disks, osinfo: "debian11" })).toEqual([
      `LC_ALL=C.UTF-8 virsh -c ${uri} vol-create-as default web1.qcow2 1024M --format qcow2`,
      `LC_ALL=C.UTF-8 virsh -c ${uri} vol-create-as 'fast pool' data 2048M --format raw`,
      `${head} --osinfo debian11 --cdrom '/srv/a b.iso' --disk vol=default/web1.qcow2 --disk 'vol=fast pool/data' ${tail}`,
    ]);
  });

  test("from the network, by PXE, and from a disk that is there", () => {
    const location = {
      kind: "location",
      location: "http://x/debian",
      kernel: null,
      initrd: null,
      extraArgs: "",
    } as const;
    expect(lines({ media: location })).toEqual([`${head} ${detect} --location http://x/debian --disk none ${tail}`]);
    const tree = { ...location, kernel: "vmlinuz", initrd: "initrd.gz", extraArgs: "console=ttyS0 quiet" };
    expect(lines({ media: tree })[0]).toContain(
      "--location http://x/debian,kernel=vmlinuz,initrd=initrd.gz --extra-args 'console=ttyS0 quiet' --disk none",
    );
    expect(lines({ media: { kind: "pxe" } })).toEqual([`${head} ${detect} --pxe --disk none ${tail}`]);
    const disks = [{ kind: "volume", pool: "default", volume: "old.qcow2" }] as const;
    expect(lines({ media: { kind: "none" }, disks })).toEqual([
      `${head} ${detect} --import --disk vol=default/old.qcow2 ${tail}`,
    ]);
  });

  test("from an image in place, and from a copy of it that is grown", () => {
    expect(lines({ media: { kind: "import", image: "/srv/x.qcow2", copy: null } })).toEqual([
      `${head} ${detect} --import --disk path=/srv/x.qcow2 ${tail}`,
    ]);
    const copy = { pool: "default", volume: null, sizeMiB: 10_240 };
    expect(lines({ media: { kind: "import", image: "/srv/x.qcow2", copy } }, image)).toEqual([
      `LC_ALL=C.UTF-8 virsh -c ${uri} vol-create-as default web1.qcow2 16M --format qcow2`,
      `LC_ALL=C.UTF-8 virsh -c ${uri} vol-upload --pool default --vol web1.qcow2 /srv/x.qcow2`,
      `LC_ALL=C.UTF-8 virsh -c ${uri} pool-refresh default`,
      `LC_ALL=C.UTF-8 virsh -c ${uri} vol-resize --pool default --vol web1.qcow2 10240M`,
      `${head} ${detect} --import --disk vol=default/web1.qcow2 ${tail}`,
    ]);
    // Never smaller than it is.
    expect(lines({ media: { kind: "import", image: "/x", copy: { ...copy, sizeMiB: 8 } } }, image)).toHaveLength(4);
  });

  test("from a cloud image: cloud-init's files go to a directory that only its owner reads, and go away again", () => {
    const cloudInit = {
      ...{ user: "jdoe", keys: ["ssh-ed25519 AAAA jdoe"], hostname: "web1.example.org", userData: null },
      network: { address: "10.144.0.5/14", gateway: "10.147.255.254", dns: ["10.144.0.1"] },
    };
    const copy = { pool: "default", volume: null, sizeMiB: null };
    const media = { kind: "cloud", image: "/c.qcow2", copy, cloudInit } as const;
    const nics = [{ network: "default", link: null, mac: "00:16:3e:90:00:05", ip: "10.144.0.5" }];
    const steps = libvirtSteps(uri, libvirtRequest({ media, nics }), image);
    const directory = `/tmp/virtu-${uuid}`;
    const shown = steps.map(stepLine);
    expect(shown[0]).toBe(`mkdir -m 700 ${directory}`);
    expect(shown.at(-2)).toContain(
      `--cloud-init user-data=${directory}/user-data,meta-data=${directory}/meta-data,network-config=${directory}/network-config`,
    );
    expect(shown.at(-1)).toBe(`rm -r ${directory}`);
    const files = Object.fromEntries(
      steps.flatMap((step) => (step.kind === "write" ? [[step.path.split("/").at(-1), step.content]] : [])),
    );
    const [first, ...rest] = (files["user-data"] ?? "").split("\n");
    expect(first).toBe("#cloud-config");
    expect(JSON.parse(rest.join("\n"))).toEqual({
      ...{ hostname: "web1", fqdn: "web1.example.org" },
      users: [
        "default",
        {
          ...{ name: "jdoe", sudo: "ALL=(ALL) NOPASSWD:ALL", shell: "/bin/bash", lock_passwd: true },
          ssh_authorized_keys: ["ssh-ed25519 AAAA jdoe"],
        },
      ],
    });
    expect(JSON.parse(files["meta-data"] ?? "")).toEqual({ "instance-id": uuid, "local-hostname": "web1.example.org" });
    expect(JSON.parse(files["network-config"] ?? "")).toEqual({
      version: 2,
      ethernets: {
        card0: {
          ...{ match: { macaddress: "00:16:3e:90:00:05" }, "set-name": "eth0", addresses: ["10.144.0.5/14"] },
          routes: [{ to: "0.0.0.0/0", via: "10.147.255.254" }],
          nameservers: { addresses: ["10.144.0.1"] },
        },
      },
    });
    const unknown = cloudFiles(cloudInit, uuid, null).find(({ name }) => name === "network-config");
    expect(unknown?.content).toContain('"match":{"name":"e*"}');
  });

  test("left off, it is only defined: nothing is made by printing it", () => {
    const [line] = lines({ media: { kind: "import", image: "/srv/x.qcow2", copy: null }, start: false });
    expect(line).toBe(
      `${head} ${detect} --import --disk path=/srv/x.qcow2 --network network=default --graphics none --noautoconsole --dry-run --print-xml 1 </dev/null | LC_ALL=C.UTF-8 virsh -c ${uri} define /dev/stdin`,
    );
  });

  test("with its own machine and cards", () => {
    const nics = [
      { network: null, link: "br0", mac: "52:54:00:00:00:01", ip: null },
      { network: "lab", link: null, mac: null, ip: null },
    ];
    const [line] = lines({
      nics,
      arch: "aarch64",
      machine: "virt",
      firmware: "uefi",
      virtType: "qemu",
      graphics: "vnc",
    });
    expect(line).toContain("--network bridge=br0,mac=52:54:00:00:00:01 --network network=lab --graphics vnc");
    expect(line).toContain("--arch aarch64 --machine virt --virt-type qemu --boot uefi --noautoconsole </dev/null");
    expect(lines({ nics: [] })[0]).toContain("--network none");
  });
});

test.each([
  ["vi-name-used", /the name b1 is in use/],
  ["vi-no-network", /no network nonet/],
  ["vi-no-bridge", /no bridge nobr/],
  ["vi-no-memory", /not enough memory/],
  ["vi-no-volume", /no volume nosuch/],
  ["vi-mac-used", /52:54:00:fb:1d:98 is in use/],
  ["vi-mac-multicast", /second digit must be even/],
  ["vi-no-uefi", /no UEFI firmware/],
  ["vi-no-arch", /no QEMU for this architecture/],
  ["vi-no-machine", /no machine type nosuch for x86_64/],
  ["vi-no-kvm", /can't run kvm guests of x86_64/],
  ["vi-no-os", /has no debian99/],
  ["vi-no-iso", /no \/srv\/nosuch.iso/],
  ["vi-no-tree", /can't reach http:\/\/127.0.0.1:9\/debian/],
  ["vi-disk-used", /belongs to b2/],
  ["vol-exists", /a volume a1.qcow2 already/],
  ["vol-no-space", /the pool is full/],
  ["vol-no-pool", /no pool nopool/],
])("explains %s", (name, why) => {
  expect(explainInstall(fixture("libvirt", `${name}.stderr`))?.why).toMatch(why);
});

test("keeps virt-install's own words where nothing better is known, and its warnings", () => {
  const stderr =
    "WARNING  This is odd\nERROR    Something\nnew\nDomain installation does not appear to have been successful.\n";
  expect(explainInstall(stderr)).toEqual({ why: "Something" });
  expect(explainInstall("WARNING  only this\n")).toBeNull();
  expect(warnings(fixture("libvirt", "vi-import-real.stderr"))).toEqual([
    "Requested memory 128 MiB is less than the recommended 2048 MiB for OS linux2020",
  ]);
});
