/** Volume groups by `vgs`. */

export interface VolumeGroup {
  name: string;
  bytes: number;
  freeBytes: number;
  /** Devices that it stands on: `/dev/sdb`. */
  devices: readonly string[];
}
