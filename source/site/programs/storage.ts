/** lsblk, wipefs, df, and what LVM needs to make a volume group. */
import type { Call, Program } from "../machine/machine.ts";
import { options } from "../utilities/input.ts";
import type { BlockDevice, Storage } from "../world/storage.ts";

function size(bytes: number, raw: boolean): string | number {
  if (raw) return bytes;
  return `${(bytes / 1024 ** 3).toFixed(1)}G`;
}

export function lsblk(storage: Storage): Program {
  return async (call) => {
    const { given, words } = options(call.args, "o output");
    const columns = (given.get("o") ?? given.get("output") ?? "NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS").split(",");
    const raw = given.has("b") || given.has("bytes");
    const row = (device: BlockDevice, minor: number): Record<string, unknown> => {
      const all: Readonly<Record<string, unknown>> = {
        NAME: device.name,
        "MAJ:MIN": `8:${minor}`,
        RM: false,
        SIZE: size(device.bytes, raw),
        RO: false,
        TYPE: device.type,
        MOUNTPOINT: device.mount,
        MOUNTPOINTS: [device.mount],
        FSTYPE: device.content,
        PTTYPE: device.table,
        MODEL: device.model,
      };
      const own = Object.fromEntries(
        columns.map((column) => [column.toLowerCase(), all[column.toUpperCase()] ?? null]),
      );
      if (given.has("d") || device.parts.length === 0) return own;
      return { ...own, children: device.parts.map((part, index) => row(part, index + 1)) };
    };
    const chosen = words.length === 0 ? storage.disks : words.flatMap((word) => storage.device(word) ?? []);
    const rows = chosen.map((device) => row(device, 0));
    if (given.has("J")) await call.out(`${JSON.stringify({ blockdevices: rows }, null, 3)}\n`);
    else {
      const flat = chosen.flatMap((device) => [device, ...(given.has("d") ? [] : device.parts)]);
      const lines = flat.map((device) => {
        const cells = row(device, 0);
        return columns.map((column) => [cells[column.toLowerCase()]].flat().join(" ")).join(" ");
      });
      await call.out([...(given.has("n") ? [] : [columns.join(" ")]), ...lines].map((line) => `${line}\n`).join(""));
    }
    if (chosen.length >= words.length) return 0;
    await call.err(
      words
        .filter((word) => !storage.device(word))
        .map((word) => `lsblk: ${word}: not a block device\n`)
        .join(""),
    );
    return 32;
  };
}

export function wipefs(storage: Storage): Program {
  return async (call) => {
    const { given, words } = options(call.args, "o t");
    const device = storage.device(words[0] ?? "");
    if (!device) {
      await call.err(`wipefs: error: ${words[0]}: probing initialization failed: No such file or directory\n`);
      return 1;
    }
    const found = device.content ?? (device.type === "disk" ? device.table : null);
    if (!given.has("a")) {
      if (found !== null) await call.out(`DEVICE OFFSET TYPE UUID LABEL\n${device.name}  0x438 ${found}\n`);
      return 0;
    }
    if ([device, ...device.parts].some(({ mount }) => mount !== null)) {
      await call.err(`wipefs: error: ${words[0]}: probing initialization failed: Device or resource busy\n`);
      return 1;
    }
    device.content = null;
    if (device.type === "disk") {
      device.table = null;
      device.parts = [];
    }
    if (found !== null) await call.out(`${words[0]}: 2 bytes were erased at offset 0x00000438 (${found}): 53 ef\n`);
    return 0;
  };
}

export function df(storage: Storage): Program {
  return async (call) => {
    const { given, words } = options(call.args, "B output");
    const root = storage.disks.flatMap(({ parts }) => parts).find(({ mount }) => mount === "/");
    const avail = Math.floor((root?.bytes ?? 0) * 0.86);
    const unit = Number(given.get("B") ?? 1024) || 1024;
    const fields = (given.get("output") || "source,size,used,avail,pcent,target").split(",");
    const values: Readonly<Record<string, string | number>> = {
      source: `/dev/${root?.name}`,
      fstype: "ext4",
      size: Math.floor((root?.bytes ?? 0) / unit),
      used: Math.floor(((root?.bytes ?? 0) - avail) / unit),
      avail: Math.floor(avail / unit),
      pcent: "14%",
      target: "/",
    };
    const line = fields.map((field) => values[field] ?? "-").join(" ");
    await call.out(`${fields.join(" ")}\n${(words.length > 0 ? words : ["/"]).map(() => `${line}\n`).join("")}`);
    return 0;
  };
}

const lvmValued = "o options units separator";

/** Rows of `vgs`, `pvs`: the columns that were asked for, behind two blanks as LVM prints them. */
async function table(call: Call, usual: string, rows: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const { given } = options(call.args, lvmValued);
  const columns = (given.get("o") ?? given.get("options") ?? usual).split(",");
  const separator = given.get("separator") ?? " ";
  const lines = rows.map((row) => columns.map((column) => row[column] ?? "").join(separator));
  const head = given.has("noheadings")
    ? []
    : [
        columns
          .map((column) =>
            column
              .replace(/^(?:vg|pv)_/, (kind) => (column.endsWith("_name") ? kind.slice(0, 2) : "V"))
              .replace(/_?name$/, "")
              .toUpperCase(),
          )
          .join(separator),
      ];
  await call.out([...head, ...lines].map((line) => `  ${line}\n`).join(""));
}

function inUnits(call: Call, bytes: number): string {
  const { given } = options(call.args, lvmValued);
  const unit = given.get("units") ?? "g";
  const divisor = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit] ?? 1024 ** 3;
  const text = unit === "b" ? String(bytes) : (bytes / divisor).toFixed(2);
  return given.has("nosuffix") ? text : `${text}${unit}`;
}

export function lvm(storage: Storage): Record<string, Program> {
  return {
    vgs: async (call) => {
      const { words } = options(call.args, lvmValued);
      const unknown = words.filter((word) => !storage.groups.some(({ name }) => name === word));
      for (const word of unknown) {
        await call.err(`  Volume group "${word}" not found\n  Cannot process volume group ${word}\n`);
      }
      const chosen = storage.groups.filter(({ name }) => words.length === 0 || words.includes(name));
      const rows = chosen.map((group) => ({
        vg_name: group.name,
        pv_count: "1",
        lv_count: "0",
        vg_attr: "wz--n-",
        vg_size: inUnits(call, storage.sizeOf(group)),
        vg_free: inUnits(call, storage.sizeOf(group)),
      }));
      if (rows.length > 0) await table(call, "vg_name,pv_count,lv_count,vg_attr,vg_size,vg_free", rows);
      return unknown.length > 0 ? 5 : 0;
    },
    pvs: async (call) => {
      const { words } = options(call.args, lvmValued);
      const all = storage.disks.flatMap((disk) => [disk, ...disk.parts]);
      const volumes = all.filter(({ content }) => content === "LVM2_member");
      const unknown = words.filter((word) => !volumes.includes(storage.device(word) ?? ({} as BlockDevice)));
      for (const word of unknown) await call.err(`  Failed to find physical volume "${word}".\n`);
      const chosen = volumes.filter(
        (device) => words.length === 0 || words.some((word) => storage.device(word) === device),
      );
      const rows = chosen.map((device) => ({
        pv_name: `/dev/${device.name}`,
        vg_name: storage.groupOn(device)?.name ?? "",
        pv_size: inUnits(call, device.bytes),
        pv_free: inUnits(call, device.bytes),
      }));
      if (rows.length > 0) await table(call, "pv_name,vg_name,pv_size,pv_free", rows);
      return unknown.length > 0 ? 5 : 0;
    },
    lvs: () => 0,
    pvcreate: async (call) => {
      const { given, words } = options(call.args);
      for (const word of words) {
        const device = storage.device(word);
        const why = !device
          ? `No device found for ${word}.`
          : device.mount !== null
            ? `Can't open ${word} exclusively.  Mounted filesystem?`
            : device.parts.length > 0
              ? `Cannot use ${word}: device is partitioned`
              : storage.groupOn(device)
                ? `Can't initialize physical volume "${word}" of volume group "${storage.groupOn(device)?.name}" without -ff`
                : device.content !== null && !given.has("y")
                  ? `Aborted wiping of ${device.content}.`
                  : null;
        if (why !== null || !device) {
          await call.err(`  ${why}\n`);
          return 5;
        }
        if (device.content !== null) await call.out(`  Wiping ${device.content} signature on ${word}.\n`);
        await call.process.work(2);
        device.content = "LVM2_member";
        await call.out(`  Physical volume "${word}" successfully created.\n`);
      }
      return 0;
    },
    vgcreate: async (call) => {
      const { words } = options(call.args, "s physicalextentsize");
      const [name = "", ...devices] = words;
      const device = storage.device(devices[0] ?? "");
      if (storage.groups.some((group) => group.name === name)) {
        await call.err(`  A volume group called ${name} already exists.\n`);
        return 5;
      }
      if (!device || device.mount !== null || storage.groupOn(device)) {
        await call.err(`  No device found for ${devices[0]}.\n`);
        return 5;
      }
      await call.process.work(2);
      device.content = "LVM2_member";
      storage.groups.push({ name, device });
      await call.out(`  Volume group "${name}" successfully created\n`);
      return 0;
    },
  };
}
