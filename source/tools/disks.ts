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
  /** It is read-only, removable, or not a disk that keeps data (a CD, a loop device). */
  unfit: string | null;
  /** Names of what lies on it: partitions, volumes. */
  children: readonly string[];
}
