/** What fresh nodes say of themselves: Debian 12, one disk in use, one empty, one with an old file system. */
import type { NodeStates } from "../../source/journey/configure-types.ts";
import type { Disk, NodeState } from "../../source/store/node-facts.ts";

const gib = 2 ** 30;

const disk = (own: Partial<Disk>): Disk => ({
  path: "/dev/sda",
  kind: "disk",
  bytes: 500 * gib,
  model: "ST600MM0006",
  holds: null,
  mounted: [],
  unfit: null,
  children: [],
  ...own,
});

export function stateOf(name: string, number: number, own: Partial<NodeState> = {}): NodeState {
  return {
    hostname: name,
    fullName: `${name}.example.org`,
    nameIsLoopback: false,
    address: `10.0.0.${number}`,
    root: true,
    system: {
      id: "debian",
      version: "12",
      codename: "bookworm",
      pretty: "Debian GNU/Linux 12 (bookworm)",
      architecture: "amd64",
      kernel: "6.1.0-18-amd64",
    },
    clockAheadSeconds: 0,
    timezone: "Etc/UTC",
    locale: "C.UTF-8",
    locales: ["C.utf8", "POSIX"],
    interfaces: [
      {
        name: "eno1",
        mac: "02:00:00:00:00:01",
        up: true,
        bridge: false,
        master: null,
        addresses: [
          { family: "inet", address: `10.0.0.${number}`, prefix: 24, broadcast: "10.0.0.255", scope: "global" },
        ],
      },
    ],
    gateway: { address: "10.0.0.254", interface: "eno1" },
    network: {
      kind: "ifupdown",
      files: { "/etc/network/interfaces": "auto lo eno1\niface lo inet loopback\niface eno1 inet dhcp\n" },
    },
    disks: [
      disk({ holds: "partitions (gpt)", mounted: ["/"], children: ["sda1"] }),
      disk({ path: "/dev/sdb", bytes: 400 * gib }),
      disk({ path: "/dev/sdc", bytes: 300 * gib, holds: "ext4" }),
    ],
    groups: null,
    sources: { "/etc/apt/sources.list": "deb http://deb.mirror.demo/debian bookworm main\n" },
    packages: {},
    packageLock: null,
    packagesHalfDone: false,
    hostsFile: "127.0.0.1 localhost\n",
    authorizedKeys: [],
    ownKey: null,
    hostKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000"],
    rootPassword: "set",
    virtual: { kvm: true, vhostNet: true, xen: null, xendConfig: null },
    boot: ["vmlinuz-6.1.0-18-amd64", "initrd.img-6.1.0-18-amd64"],
    freeBytes: { "/": 50 * gib, "/var": 50 * gib, "/boot": gib },
    memoryMiB: 128 * 1024,
    ganeti: null,
    libvirt: false,
    ...own,
  } as NodeState;
}

export const statesOf = (names: readonly string[], own: Partial<NodeState> = {}): NodeStates =>
  new Map(names.map((name, index) => [name, stateOf(name, index + 1, own)]));
