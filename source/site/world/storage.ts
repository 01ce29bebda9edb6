/** Disks, partitions and volume groups of one node. */

export interface BlockDevice {
  /** `sda1`. */
  name: string;
  type: "disk" | "part";
  bytes: number;
  /** `ext4`, `swap`, `LVM2_member`; null: nothing. */
  content: string | null;
  mount: string | null;
  /** `gpt`, on a disk and its partitions. */
  table: string | null;
  model: string | null;
  parts: BlockDevice[];
}

export interface VolumeGroup {
  name: string;
  device: BlockDevice;
}

const gigabyte = 1_000_000_000;
/** LVM keeps its own data at the beginning, and whole extents of 4 MiB. */
const extent = 4 * 2 ** 20;

export class Storage {
  readonly disks: BlockDevice[];
  readonly groups: VolumeGroup[] = [];

  /** The partitions that Kadeploy makes (swap, a third for others, the environment, the rest), and an empty disk. */
  constructor(diskGiB: number) {
    const bytes = diskGiB * gigabyte;
    const model = diskGiB >= 600 ? "ST600MM0006" : "MB0500EBNCR";
    const part = (name: string, size: number, content: string | null, mount: string | null): BlockDevice => ({
      name,
      type: "part",
      bytes: size,
      content,
      mount,
      table: "gpt",
      model: null,
      parts: [],
    });
    const disk = { type: "disk", bytes, content: null, mount: null, model } as const;
    this.disks = [
      {
        ...disk,
        name: "sda",
        table: "gpt",
        parts: [
          part("sda1", 4 * gigabyte, "swap", "[SWAP]"),
          part("sda2", 16 * gigabyte, null, null),
          part("sda3", 16 * gigabyte, "ext4", "/"),
          part("sda5", bytes - 36 * gigabyte, null, null),
        ],
      },
      { ...disk, name: "sdb", table: null, parts: [] },
    ];
  }

  /** Of `/dev/sda5` or `sda5`. */
  device(path: string): BlockDevice | null {
    const name = path.replace(/^\/dev\//, "");
    return this.disks.flatMap((disk) => [disk, ...disk.parts]).find((device) => device.name === name) ?? null;
  }

  groupOn(device: BlockDevice): VolumeGroup | null {
    return this.groups.find((group) => group.device === device) ?? null;
  }

  sizeOf({ device }: VolumeGroup): number {
    return Math.floor((device.bytes - 2 ** 20) / extent) * extent;
  }
}
