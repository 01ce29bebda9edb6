/** lsblk and ip, as far as a node's facts go. */
import type { Program } from "../machine/machine.ts";
import type { Node } from "../world/testbed.ts";

interface Disk {
  name: string;
  bytes: number;
  parts: readonly { name: string; bytes: number; mount: string | null }[];
}

/** The partitions that Kadeploy makes: swap, the environment, a third for others, the rest. */
function disksOf(node: Node): Disk[] {
  const bytes = node.diskGiB * 1_000_000_000;
  const [swap, system, other] = [4_000_000_000, 16_000_000_000, 16_000_000_000];
  return [
    {
      name: "sda",
      bytes,
      parts: [
        { name: "sda1", bytes: swap, mount: "[SWAP]" },
        { name: "sda2", bytes: other, mount: null },
        { name: "sda3", bytes: system, mount: "/" },
        { name: "sda5", bytes: bytes - swap - system - other, mount: null },
      ],
    },
  ];
}

export function lsblk(node: Node): Program {
  return async ({ args, out }) => {
    const letters = args.filter((arg) => /^-[a-zA-Z]+$/.test(arg)).join("");
    const index = args.findIndex((arg) => arg === "-o" || arg === "--output");
    const columns =
      index < 0 ? ["NAME", "MAJ:MIN", "RM", "SIZE", "RO", "TYPE", "MOUNTPOINTS"] : (args[index + 1] ?? "").split(",");
    const row = (name: string, bytes: number, type: string, mount: string | null, minor: number) => {
      const all: Readonly<Record<string, unknown>> = {
        NAME: name,
        "MAJ:MIN": `8:${minor}`,
        RM: false,
        SIZE: letters.includes("b") ? bytes : `${(bytes / 1024 ** 3).toFixed(1)}G`,
        RO: false,
        TYPE: type,
        MOUNTPOINT: mount,
        MOUNTPOINTS: [mount],
        FSTYPE: mount === "/" ? "ext4" : mount === "[SWAP]" ? "swap" : null,
      };
      return Object.fromEntries(columns.map((column) => [column.toLowerCase(), all[column.toUpperCase()] ?? null]));
    };
    const disks = disksOf(node).map((disk) => ({
      ...row(disk.name, disk.bytes, "disk", null, 0),
      ...(letters.includes("d")
        ? {}
        : { children: disk.parts.map((part, minor) => row(part.name, part.bytes, "part", part.mount, minor + 1)) }),
    }));
    if (letters.includes("J")) await out(`${JSON.stringify({ blockdevices: disks }, null, 3)}\n`);
    else {
      const lines = disks.map((disk) =>
        columns.map((column) => String((disk as Record<string, unknown>)[column.toLowerCase()] ?? "")).join(" "),
      );
      await out(`${columns.join(" ")}\n${lines.join("\n")}\n`);
    }
    return 0;
  };
}

export function ip(node: Node): Program {
  return async ({ args, out }) => {
    const loopback = {
      ifindex: 1,
      ifname: "lo",
      flags: ["LOOPBACK", "UP", "LOWER_UP"],
      mtu: 65_536,
      operstate: "UNKNOWN",
      address: "00:00:00:00:00:00",
    };
    const card = {
      ifindex: 2,
      ifname: "eno1",
      flags: ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
      mtu: 1500,
      operstate: "UP",
      address: node.mac,
    };
    const local = { family: "inet", local: "127.0.0.1", prefixlen: 8, scope: "host", label: "lo" };
    const own = {
      family: "inet",
      local: node.address,
      prefixlen: 20,
      broadcast: "172.16.111.255",
      scope: "global",
      label: "eno1",
    };
    if (args.some((arg) => /^-j(?:son)?$/.test(arg))) {
      const isRoute = args.includes("route");
      const routes = [{ dst: "default", gateway: "172.16.111.254", dev: "eno1", flags: [] }];
      const links = [
        { ...loopback, addr_info: [local] },
        { ...card, addr_info: [own] },
      ];
      await out(`${JSON.stringify(isRoute ? routes : links)}\n`);
    } else {
      await out(
        `1: lo    inet 127.0.0.1/8 scope host lo\n2: eno1    inet ${node.address}/20 brd 172.16.111.255 scope global eno1\n`,
      );
    }
    return 0;
  };
}
