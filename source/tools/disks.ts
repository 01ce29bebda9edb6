/** Disks and partitions by `lsblk`, and whether one may be taken for a volume group. */

/** A disk or partition that `lsblk` shows. */
export interface Disk {
  /** `/dev/sdb`. */
  path: string;
  kind: "disk" | "part";
  bytes: number;
  model: string | null;
  /** What is on it, one line: `ext4`, `partitions (gpt)`, `LVM volume group xenvg`; null: nothing that lsblk knows. */
  holds: string | null;
  /** Where it, or a part of it, is mounted (`[SWAP]` too). */
  mounted: readonly string[];
  /** It is read-only, or not a disk that keeps data (a CD, a loop device). */
  unfit: string | null;
  /** Names of what lies on it: partitions, volumes. */
  children: readonly string[];
}

/** Ganeti takes no volume group below this (20480 MiB). */
export const smallestGroupBytes = 20480 * 2 ** 20;

interface Block {
  name: string;
  type: string;
  size: number | string | null;
  fstype?: string | null;
  mountpoints?: (string | null)[];
  pttype?: string | null;
  model?: string | null;
  ro?: boolean | string | null;
  children?: Block[];
}

function blocksOf(json: string): Block[] {
  try {
    return (JSON.parse(json) as { blockdevices?: Block[] }).blockdevices ?? [];
  } catch {
    return [];
  }
}

const allOf = (block: Block): Block[] => [block, ...(block.children ?? []).flatMap(allOf)];

function holdsOf(block: Block): string | null {
  const children = block.children ?? [];
  const volumes = children.filter(({ type }) => type === "lvm");
  if (block.fstype === "LVM2_member") {
    // lsblk names a volume GROUP-VOLUME, with the dashes of both doubled.
    const group = volumes[0]?.name.replace(/(?<!-)-(?!-).*$/, "").replaceAll("--", "-");
    return group ? `LVM volume group ${group}` : "LVM physical volume";
  }
  if (block.fstype) return block.fstype;
  if (children.some(({ type }) => type === "part")) return `partitions (${block.pttype ?? "unknown table"})`;
  if (block.pttype && block.type === "disk") return `an empty partition table (${block.pttype})`;
  return children.length > 0 ? children.map(({ type }) => type).join(", ") : null;
}

function diskOf(block: Block, path: string): Disk {
  const readOnly = block.ro === true || block.ro === "1";
  return {
    path,
    kind: block.type === "part" ? "part" : "disk",
    bytes: Number(block.size ?? 0),
    model: block.model?.trim() || null,
    holds: holdsOf(block),
    mounted: allOf(block).flatMap(({ mountpoints }) => (mountpoints ?? []).filter((point) => point !== null)),
    unfit: readOnly ? "it is read-only" : null,
    children: (block.children ?? []).map(({ name }) => name),
  };
}

/**
 * Disks and their partitions, in lsblk's order; devices that keep no data of their own (CDs, loop devices, memory) are left
 * out. `lsblk -J -b -o NAME,TYPE,SIZE,FSTYPE,MOUNTPOINTS,PTTYPE,MODEL,RO`; an unmounted one is `[null]` on Debian 12 and
 * `[]` on 13.
 */
export function parseDisks(json: string): Disk[] {
  return blocksOf(json)
    .filter(({ type, name, size }) => type === "disk" && Number(size) > 0 && !/^(?:fd|zram|ram|nbd)\d/.test(name))
    .flatMap((block) => [block, ...(block.children ?? []).filter(({ type }) => type === "part")])
    .map((block) => diskOf(block, `/dev/${block.name}`));
}

/** One device that was asked for by its path, whatever lsblk calls it. */
export function parseDevice(path: string, json: string): Disk[] {
  return blocksOf(json)
    .slice(0, 1)
    .map((block) => diskOf(block, path));
}

/**
 * Why a disk can't be taken, or null. `erase` tells that the user gave its content up by name; what is mounted or belongs to
 * a volume group is refused all the same, and so is anything read-only.
 */
export function diskRefusal(disk: Disk, erase: boolean): { text: string; hint: string | null } | null {
  if (disk.unfit) return { text: `${disk.path} can't be used: ${disk.unfit}`, hint: null };
  if (disk.mounted.length > 0) {
    return { text: `${disk.path} is in use: mounted on ${disk.mounted.join(", ")}`, hint: "Choose another disk." };
  }
  if (/^LVM/.test(disk.holds ?? "")) {
    return { text: `${disk.path} is in use: it holds an ${disk.holds}`, hint: "Choose another disk, or that group." };
  }
  if (disk.bytes < smallestGroupBytes) {
    const gib = (disk.bytes / 2 ** 30).toFixed(1);
    return { text: `${disk.path} is too small: ${gib} GiB, Ganeti wants 20`, hint: "Choose another disk." };
  }
  if (disk.holds !== null && !erase) {
    return {
      text: `${disk.path} is not empty: it holds ${disk.holds}`,
      hint: "What is on it will be lost; repeat its name to say that this is wanted.",
    };
  }
  return null;
}

/** Disks that may be taken without a question, the largest first. */
export function freeDisks(disks: readonly Disk[]): Disk[] {
  return disks.filter((disk) => diskRefusal(disk, false) === null).sort((a, b) => b.bytes - a.bytes);
}
