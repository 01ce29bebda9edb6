/** Volume groups: reading `vgs`, and the lines that make one. */
import { type Command, sh } from "../ssh/command.ts";

export interface VolumeGroup {
  name: string;
  bytes: number;
  freeBytes: number;
  /** Devices that it stands on: `/dev/sdb`. */
  devices: readonly string[];
}

/** `vgs … --separator '|' -o vg_name,vg_size,vg_free` and `pvs … -o pv_name,vg_name`, in bytes without unit. */
export function parseGroups(groups: readonly string[], volumes: readonly string[]): VolumeGroup[] {
  return groups.flatMap((line) => {
    const [name, bytes, freeBytes] = line.trim().split("|");
    if (!name || bytes === undefined || freeBytes === undefined) return [];
    const devices = volumes.flatMap((volume) => {
      const [device, group] = volume.trim().split("|");
      return device && group === name ? [device] : [];
    });
    return [{ name, bytes: Number(bytes), freeBytes: Number(freeBytes), devices }];
  });
}

/**
 * The volume that a device path means, as `GROUP/VOLUME`: `/dev/vg0/web1`, `/dev/mapper/vg0-web1`; null: it is none of these
 * groups'.
 */
export function volumeOf(device: string, groups: readonly string[]): string | null {
  // The mapper writes the dashes of both names twice, and one between them.
  const mapped = /^\/dev\/mapper\/((?:[^-/]|--)+)-((?:[^-/]|--)+)$/.exec(device);
  const [, group = "", volume = ""] = mapped ?? /^\/dev\/([^/]+)\/([^/]+)$/.exec(device) ?? [];
  const name = (word: string) => (mapped ? word.replaceAll("--", "-") : word);
  return groups.includes(name(group)) && volume !== "" ? `${name(group)}/${name(volume)}` : null;
}

/** Ends 0 if the group is there. `vgs` of an unknown group ends 5, 127 without LVM. */
export function groupCheck(group: string): Command {
  return sh`vgs ${group} > /dev/null 2>&1 || exit 1`;
}

/**
 * Makes the group on a disk. It looks at the disk itself once more, because `pvcreate -y` wipes whatever it finds without a
 * word: what is mounted, partitioned in use or in a group stops it, and so does any content unless `erase`.
 */
export function groupScript(group: string, device: string, erase: boolean): Command {
  const content = erase
    ? sh`wipefs -a ${device} || exit 1`
    : sh`if [ -n "$found" ]; then echo ${`${device} is not empty:`} >&2; echo "$found" >&2; exit 1; fi`;
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
if vgs ${group} > /dev/null 2>&1; then echo ${`${group} is there`}; exit 0; fi
if [ ! -b ${device} ]; then echo ${`there is no disk ${device}`} >&2; exit 1; fi
mounted=$(lsblk -n -o MOUNTPOINTS ${device} | tr -d ' \n')
if [ -n "$mounted" ]; then echo ${`${device} is in use: mounted on`} "$mounted" >&2; exit 1; fi
owner=$(pvs --noheadings -o vg_name ${device} 2> /dev/null | tr -d ' \n')
if [ -n "$owner" ]; then echo ${`${device} belongs to the volume group`} "$owner" >&2; exit 1; fi
if ! pvs ${device} > /dev/null 2>&1; then
  found=$(wipefs ${device})
  ${content}
  pvcreate -y ${device} || exit 1
fi
vgcreate ${group} ${device}`;
}
