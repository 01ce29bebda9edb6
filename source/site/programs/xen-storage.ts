/** Where a Xen host keeps its guests' disks: df, truncate, dd, and LVM's vgs, lvs, lvcreate and lvremove over one group. */
import type { Call, Program } from "../machine/machine.ts";
import { NullFile } from "../machine/open-file.ts";
import { options } from "../utilities/input.ts";
import type { XenHost } from "../world/xen.ts";

/** Two file systems, as `df -Pkl` shows them. Files are sparse: what is made takes nothing yet. */
const mounts = [
  { source: "/dev/sda2", gib: 20, freeGib: 14, path: "/" },
  { source: "/dev/sda3", gib: 400, freeGib: 310, path: "/srv" },
];

const mebibytes = (text: string) => {
  const [, number = "0", unit = "m"] = /^([\d.]+)([mMgG]?)/.exec(text) ?? [];
  return Number(number) * (unit.toLowerCase() === "g" ? 1024 : 1);
};

const df: Program = async ({ out }) => {
  await out("Filesystem     1024-blocks      Used Available Capacity Mounted on\n");
  for (const { source, gib, freeGib, path } of mounts) {
    const [all, free] = [gib * 1024 ** 2, freeGib * 1024 ** 2];
    const used = Math.round((100 * (all - free)) / all);
    await out(`${source}  ${all}  ${all - free}  ${free}      ${used}% ${path}\n`);
  }
  return 0;
};

const truncate: Program = ({ args, machine }) => {
  machine.files.writeText(args.at(-1) ?? "", "");
  return 0;
};

const dd: Program = async ({ args, machine, process, err }) => {
  const word = (key: string) => args.find((arg) => arg.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  const from = machine.files.find(word("if"));
  if (from?.kind !== "file") {
    await err(`dd: failed to open '${word("if")}': No such file or directory\n`);
    return 1;
  }
  await process.work(8);
  if (machine.files.find(word("of"))?.kind === "file") machine.files.writeText(word("of"), from.content);
  return 0;
};

function lvm({ volumes: group }: XenHost): Record<string, Program> {
  const free = () => group.sizeMiB - [...group.volumes.values()].reduce((sum, size) => sum + size, 0);
  /** Of `vg0/web1` and `/dev/vg0/web1`; empty: not of this group. */
  const nameIn = (word: string) => {
    const [of, name = ""] = word.replace("/dev/", "").split("/");
    return of === group.name ? name : "";
  };
  const fail = async ({ err }: Call, text: string) => {
    await err(`  ${text}\n`);
    return 5;
  };
  return {
    vgs: async ({ args, out }) => {
      const facts: Record<string, string> = {
        ...{ vg_name: group.name, vg_size: group.sizeMiB.toFixed(2), vg_free: free().toFixed(2) },
      };
      const columns = args[args.indexOf("-o") + 1]?.split(",") ?? [];
      await out(`  ${columns.map((column) => facts[column]).join("|")}\n`);
      return 0;
    },
    lvs: async (call) => {
      const { words } = options(call.args, "o separator");
      const [wanted] = words;
      if (wanted !== undefined && !group.volumes.has(nameIn(wanted))) {
        return fail(call, `Failed to find logical volume "${wanted.replace("/dev/", "")}"`);
      }
      await call.out([...group.volumes.keys()].map((name) => `  ${group.name}|${name}\n`).join(""));
      return 0;
    },
    blockdev: async ({ args, out, err }) => {
      const size = group.volumes.get(nameIn(args.at(-1) ?? ""));
      if (size === undefined) {
        await err("blockdev: ioctl error on BLKGETSIZE64: Inappropriate ioctl for device\n");
        return 1;
      }
      await out(`${size * 1024 * 1024}\n`);
      return 0;
    },
    lvcreate: async (call) => {
      const { given, words } = options(call.args, "n L W");
      const name = given.get("n") ?? "";
      const size = mebibytes(given.get("L") ?? "");
      const wanted = words.at(-1) ?? "";
      if (wanted !== group.name) {
        return fail(call, `Volume group "${wanted}" not found\n  Cannot process volume group ${wanted}`);
      }
      if (group.volumes.has(name)) {
        return fail(call, `Logical Volume "${name}" already exists in volume group "${group.name}"`);
      }
      if (size > free()) {
        const extents = `(${Math.floor(free() / 4)} extents): ${Math.ceil(size / 4)} required.`;
        return fail(call, `Volume group "${group.name}" has insufficient free space ${extents}`);
      }
      await call.process.work(2);
      group.volumes.set(name, size);
      const { files } = call.machine;
      files.makeDirectory(`/dev/${group.name}`, "root", { parents: true });
      files.addDevice(`/dev/${group.name}/${name}`, () => new NullFile(), true);
      return 0;
    },
    lvremove: async (call) => {
      const { words } = options(call.args);
      const name = nameIn(words.at(-1) ?? "");
      if (!group.volumes.delete(name)) return fail(call, `Failed to find logical volume "${words.at(-1)}"`);
      call.machine.files.remove(`/dev/${group.name}/${name}`);
      return 0;
    },
  };
}

export function xenStorage(host: XenHost): Record<string, Program> {
  return { df, truncate, dd, ...lvm(host) };
}
